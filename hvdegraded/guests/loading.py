"""Guests from a file, bytes or mappings, and what was wrong with the rest of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from hvdegraded.errors import InventoryError
from hvdegraded.guests.columns import guest_of_row
from hvdegraded.guests.files import Damage, Row, read_inventory, rows_of_bytes, rows_of_mappings
from hvdegraded.guests.guest import NAMED, Guest, InventoryProblem, ProblemKind

__all__ = ["Loaded", "load_bytes", "load_file", "load_mappings"]


class Loaded(NamedTuple):
    """The guests of a source, what could not be used of it, and its path if it is a file."""

    guests: list[Guest]
    problems: list[InventoryProblem]
    file: str | None


def load_file(path: Path) -> Loaded:
    """Read the guests of a file. Raises InventoryError if no row can be used."""
    rows, damage = read_inventory(path)
    return _loaded(rows, damage, str(path), path.name, _time_of_file(path), is_time_of_file=True)


def load_bytes(data: bytes, name: str, taken: datetime | None) -> Loaded:
    """Read the guests of a file's bytes, written at `taken`. Raises InventoryError if no row can be used."""
    rows, damage = rows_of_bytes(data, name)
    return _loaded(rows, damage, name, name, taken)


def load_mappings(source: object) -> Loaded:
    """Read the guests of mappings or a data frame. Raises InventoryError if no row can be used."""
    rows, damage = rows_of_mappings(source)
    return _loaded(rows, damage, None, "the rows given", None)


def _loaded(
    rows: list[Row],
    damage: list[Damage],
    file: str | None,
    where: str,
    taken: datetime | None,
    *,
    is_time_of_file: bool = False,
) -> Loaded:
    problems = [
        InventoryProblem(kind=ProblemKind.UNREADABLE, reason=each.reason, file=file, line=each.line)
        for each in damage
    ]
    guests: list[Guest] = []
    usable = False
    for row in rows:
        is_named = file is None and row.key is not None
        place = NAMED if is_named else f"{where}, row {row.number}"
        guest, problem = guest_of_row(row, place, taken, is_time_of_file=is_time_of_file)
        if guest is not None:
            guests.append(guest)
            usable = usable or guest.names_a_system
        if problem is not None:
            kind, reason = problem
            number = None if is_named else row.number
            problems.append(InventoryProblem(kind=kind, reason=reason, file=file, row=number, line=row.line))
    if not usable:
        reason = f"no row can be used: {problems[0].reason}" if problems else "the inventory has no rows"
        raise InventoryError(
            reason,
            path=file,
            hint="columns that are read: Name, VMName or Id of the VM; OSName or OperatingSystem, which "
            "a script can ask only of VMs that run",
        )
    return Loaded(guests, problems, file)


def _time_of_file(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, OverflowError, ValueError):
        return None
