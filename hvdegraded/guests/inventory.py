"""Which virtual machine runs which operating system: an inventory, and how a VM is found in it.

The rules of finding, each of which prefers an unknown guest to a wrong one:

1. A VM's id decides, unless a row of its name and without an id says something else. Rows of another id are
   other machines, whatever their name.
2. Without the id, name and host decide; names and hosts are compared without case, and a short host
   name agrees with a full one (`HV1`, `hv1.corp.local`).
3. Without the host, the name decides if all machines of that name run one family. A machine that is
   listed on another host only, or under another id only, is no answer: it may have moved or been made anew,
   or be a namesake.
4. Where the rows disagree, the guest found is of family UNKNOWN, `possible` holds what it may be and
   `source` names the rows.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from hvdegraded.errors import InventoryError
from hvdegraded.guests.files import Damage, Row, read_inventory, rows_of_mappings
from hvdegraded.guids import guid
from hvdegraded.knowledge.guest_systems import (
    GuestFamily,
    OsReading,
    column_key,
    columns,
    family_from_integration,
    is_blank,
    read_os,
    supported_os,
)

__all__ = ["Guest", "GuestInventory", "InventoryProblem", "ProblemKind"]

_LONGEST_TEXT = 4096
_LONGEST_ITEMS = 1 << 20
_MOST_ITEMS = 1000
_ONE_FAMILY = [{family} for family in GuestFamily if family is not GuestFamily.UNKNOWN]


class Guest(BaseModel):
    """One virtual machine of an inventory.

    `vm_id` is upper case without braces; `source` says where it was read ("guests.json, row 3").
    `inferred`: no text names the system, the version of the integration services tells the family.
    `possible`: the families an UNKNOWN guest may be where rows or texts disagree. `supported`:
    whether the vendor lists the system as a guest; None where its list does not tell.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str | None = None
    vm_id: str | None = None
    host: str | None = None
    family: GuestFamily = GuestFamily.UNKNOWN
    os_name: str | None = None
    os_version: str | None = None
    integration_version: str | None = None
    source: str = ""
    supported: bool | None = None
    inferred: bool = False
    possible: tuple[GuestFamily, ...] = ()

    @property
    def undecided(self) -> bool:
        """Whether the inventory says something of the system that leaves open whether it is Windows."""
        if self.family is not GuestFamily.UNKNOWN:
            return False
        return self.os_name is not None or not {GuestFamily.WINDOWS, GuestFamily.UNKNOWN}.isdisjoint(
            self.possible
        )


class ProblemKind(enum.StrEnum):
    """What is wrong with a part of an inventory."""

    UNREADABLE = "unreadable"
    NO_VM = "names no VM"
    NO_SYSTEM = "names no system"
    UNKNOWN_SYSTEM = "unknown system"
    CONFLICT = "conflict"


class InventoryProblem(BaseModel):
    """A part of an inventory that tells nothing, or contradicts another; rows and lines count from 1."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: ProblemKind
    reason: str
    file: str | None = None
    row: int | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = [self.file] if self.file else []
        place += [f"{name} {at}" for name, at in (("row", self.row), ("line", self.line)) if at is not None]
        return f"{', '.join(place)}: {self.reason}" if place else self.reason


class GuestInventory:
    """The guests that are known, and what was wrong with the source. Immutable.

    Iteration gives the guests in their order; `problems` lists unusable rows, conflicts and unknown
    systems.
    """

    __slots__ = ("_by_id", "_by_name", "_guests", "_problems")

    def __init__(self, guests: Iterable[Guest] = (), problems: Iterable[InventoryProblem] = ()) -> None:
        by_id: dict[str, list[Guest]] = {}
        by_name: dict[str, list[Guest]] = {}
        self._guests = tuple(guests)
        for guest in self._guests:
            if not isinstance(guest, Guest):
                hint = "GuestInventory.load takes files and mappings"
                raise InventoryError(f"{type(guest).__name__} is no Guest", hint=hint)
            if guest.vm_id is not None:
                by_id.setdefault(guest.vm_id, []).append(guest)
            if guest.name is not None:
                by_name.setdefault(_folded(guest.name), []).append(guest)
        self._by_id = by_id
        self._by_name = by_name
        self._problems = tuple(problems)

    @classmethod
    def load(
        cls, source: str | os.PathLike[str] | Mapping[Any, Any] | Iterable[Mapping[Any, Any]]
    ) -> GuestInventory:
        """Read a JSON or CSV file, a mapping by VM id or name, or an iterable of mappings.

        Raises InventoryError where the whole source cannot be read; what cannot be used of it is in
        `problems`.
        """
        if isinstance(source, str | os.PathLike):
            path = Path(source)
            rows, damage = read_inventory(path)
            file, where = str(path), path.name
        else:
            rows, damage = rows_of_mappings(source)
            file, where = None, "mapping"
        problems = [_damage_problem(each, file) for each in damage]
        guests: list[Guest] = []
        for row in rows:
            guest, problem = _guest(row, f"{where}, row {row.number}")
            if guest is not None:
                guests.append(guest)
            if problem is not None:
                kind, reason = problem
                problems.append(
                    InventoryProblem(kind=kind, reason=reason, file=file, row=row.number, line=row.line)
                )
        inventory = cls(guests)
        problems += [
            InventoryProblem(kind=ProblemKind.CONFLICT, reason=reason, file=file)
            for reason in inventory._conflicts()
        ]
        inventory._problems = tuple(problems)
        return inventory

    @property
    def problems(self) -> tuple[InventoryProblem, ...]:
        """What could not be used or contradicts itself, in the order of the source, conflicts last."""
        return self._problems

    @property
    def empty(self) -> bool:
        """Whether no guest is known."""
        return not self._guests

    def __len__(self) -> int:
        return len(self._guests)

    def __iter__(self) -> Iterator[Guest]:
        return iter(self._guests)

    def __repr__(self) -> str:
        return f"GuestInventory({len(self._guests)} guests, {len(self._problems)} problems)"

    def find(
        self, *, vm_id: str | None = None, vm_name: str | None = None, host: str | None = None
    ) -> Guest | None:
        """The guest of that id, else of that name and host, else of that name; None if not listed.

        `vm_id` in any letter case, with or without braces. Where rows disagree, a Guest of family
        UNKNOWN whose `source` names them; it is never LINUX then.
        """
        wanted = guid(vm_id)
        same_id = self._by_id.get(wanted, []) if wanted else []
        known = _one_machine(same_id) if same_id else None
        namesakes: list[Guest] = []
        others: list[Guest] = []
        for guest in self._by_name.get(_folded(vm_name or (known.name if known else None) or ""), ()):
            if wanted is None or guest.vm_id is None:
                namesakes.append(guest)
            elif guest.vm_id != wanted:
                others.append(guest)
        if known is not None and _says_something(known):
            doubters = [
                guest
                for guest in namesakes
                if _may_be_on(guest, host) and _says_something(guest) and guest.family is not known.family
            ]
            if doubters and known.family is not GuestFamily.WINDOWS:
                return _undecided([*same_id, *doubters], "rows disagree")
            return known
        rivals = [guest for guest in others if _may_be_on(guest, host)]
        if not namesakes:
            if known is None and any(map(_says_something, rivals)):
                return _undecided(rivals, f"listed under another id than {wanted}")
            return known
        by_name = _by_host(namesakes, host)
        if any(rival.family is not by_name.family for rival in rivals):
            by_name = _undecided(namesakes + rivals, "rows disagree")
        return by_name if known is None or _says_something(by_name) else known

    def _conflicts(self) -> Iterator[str]:
        for vm_id, guests in self._by_id.items():
            if len(guests) > 1 and len({guest.family for guest in guests if _says_something(guest)}) > 1:
                yield f"VM {vm_id} is listed with different systems ({_sources(guests)})"
        for guests in self._by_name.values():
            if len(guests) == 1 or len({guest.family for guest in guests}) == 1:
                continue
            if len({guest.vm_id for guest in guests}) == 1 and guests[0].vm_id is not None:
                continue  # one machine in several rows: told above where they disagree
            by_host: dict[str, set[GuestFamily]] = {}
            for guest in guests:
                by_host.setdefault(_folded(guest.host or "").split(".", 1)[0], set()).add(guest.family)
            if "" in by_host or any(len(families) > 1 for families in by_host.values()):
                yield (
                    f"several VMs named '{guests[0].name}' run different systems ({_sources(guests)}): "
                    "only an id or a host can tell them apart"
                )


def _by_host(namesakes: list[Guest], host: str | None) -> Guest:
    """The guest among rows of one name; UNKNOWN where they disagree or all stand on other hosts."""
    if host:
        here = [guest for guest in namesakes if _may_be_on(guest, host)]
        if here:
            return _settled(here)
        return _undecided(namesakes, f"listed on another host than {host}")
    return _settled(namesakes)


def _settled(guests: list[Guest]) -> Guest:
    """What several rows say together: one of them if they agree, else an UNKNOWN guest."""
    machines: dict[object, list[Guest]] = {}
    for number, guest in enumerate(guests):
        machines.setdefault(guest.vm_id or number, []).append(guest)
    told = [_one_machine(rows) for rows in machines.values()]
    if len(told) == 1 or {guest.family for guest in told} in _ONE_FAMILY:
        return next((guest for guest in told if guest.inferred), told[0])
    return _undecided(guests, "rows disagree" if any(map(_says_something, told)) else "no row names a system")


def _one_machine(rows: list[Guest]) -> Guest:
    # A row that says nothing does not contradict another of the same machine.
    telling = [guest for guest in rows if _says_something(guest)] or rows
    if len(telling) == 1 or {guest.family for guest in telling} in _ONE_FAMILY:
        return next((guest for guest in telling if not guest.inferred), telling[0])
    return _undecided(telling, "rows disagree")


def _undecided(guests: list[Guest], why: str) -> Guest:
    possible = {family for guest in guests for family in (guest.possible or (guest.family,))}
    possible = possible if possible != {GuestFamily.UNKNOWN} else set()
    return Guest(
        name=guests[0].name,
        vm_id=guests[0].vm_id if len({guest.vm_id for guest in guests}) == 1 else None,
        host=guests[0].host if len({guest.host for guest in guests}) == 1 else None,
        source=f"{_sources(guests)} ({why})",
        possible=_ordered(possible),
    )


def _says_something(guest: Guest) -> bool:
    return guest.family is not GuestFamily.UNKNOWN or bool(guest.possible) or guest.os_name is not None


def _sources(guests: list[Guest]) -> str:
    shown = "; ".join(dict.fromkeys(guest.source for guest in guests[:5]))
    return shown if len(guests) <= 5 else f"{shown}; {len(guests) - 5} more"


def _ordered(families: Iterable[GuestFamily]) -> tuple[GuestFamily, ...]:
    return tuple(family for family in GuestFamily if family in set(families))


def _may_be_on(guest: Guest, host: str | None) -> bool:
    """Whether a row is about a machine of this host, as far as both are told."""
    return not host or not guest.host or _same_host(guest.host, host)


def _same_host(one: str | None, other: str | None) -> bool:
    if not one or not other:
        return False
    one, other = _folded(one).rstrip("."), _folded(other).rstrip(".")
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    # Digits and dots are an address, of which the first part names nothing.
    return "." not in short and not short.isdigit() and long.split(".", 1)[0] == short


def _folded(text: str) -> str:
    return text.strip().casefold()


def _damage_problem(damage: Damage, file: str | None) -> InventoryProblem:
    return InventoryProblem(kind=ProblemKind.UNREADABLE, reason=damage.reason, file=file, line=damage.line)


# One row


def _guest(row: Row, source: str) -> tuple[Guest | None, tuple[ProblemKind, str] | None]:
    """The guest that a row describes, and what is wrong with the row."""
    cells, items = _cells(row)
    ids = [(key, vm_id) for key, text in _picked(cells, "id") if (vm_id := guid(text))]
    names = _picked(cells, "name")
    if row.key is not None and (vm_id := guid(row.key)):
        ids.insert(0, ("vmid", vm_id))
    elif row.key is not None:
        names.insert(0, ("", _text(row.key)))
    if ids and ids[0][0] == "systemname":
        names = [(key, text) for key, text in names if key == "vmname"]  # the others name the service
    for key, text in names:  # Msvm_ComputerSystem keeps the id in Name
        if (vm_id := guid(text)) and not ids:
            ids.append((key, vm_id))
    name = next((text for _, text in names if text and not guid(text)), None)
    if name is None and not ids:
        return None, (ProblemKind.NO_VM, "the row names no VM")
    plain = [("", text) for key, text in cells if key == ""]
    systems = _picked(items, "system") + _picked(cells, "system") + plain
    reading = _together([read_os(text) for _, text in systems if not is_blank(text)])
    integration = _first(items, "integration") or _first(cells, "integration")
    hint = family_from_integration(integration)
    guest = Guest(
        name=name,
        vm_id=ids[0][1] if ids else None,
        host=_first(cells, "host"),
        family=reading.family,
        os_name=next((text for _, text in systems if not is_blank(text)), None),
        os_version=_first(items, "version") or _first(cells, "version"),
        integration_version=integration,
        source=source,
        possible=_ordered(reading.possible) if reading.family is GuestFamily.UNKNOWN else (),
    )
    return _judged(guest, hint)


def _judged(guest: Guest, hint: GuestFamily) -> tuple[Guest, tuple[ProblemKind, str] | None]:
    """The guest with what its integration services add, and what is wrong with its system."""
    label = f"'{(guest.name or guest.vm_id or '')[:80]}'"
    if guest.os_name is None:
        if hint is GuestFamily.UNKNOWN:
            return guest, (ProblemKind.NO_SYSTEM, f"{label} names no operating system")
        return guest.model_copy(update={"family": hint, "inferred": True}), None
    shown = f"'{guest.os_name[:80]}'"
    if guest.possible:
        between = " or ".join(guest.possible)
        return guest, (ProblemKind.UNKNOWN_SYSTEM, f"{label}: {shown} is ambiguous ({between})")
    if guest.family is GuestFamily.UNKNOWN:
        return guest, (ProblemKind.UNKNOWN_SYSTEM, f"{label}: the system {shown} is not known")
    if hint is GuestFamily.WINDOWS and guest.family is not hint:
        possible = _ordered((guest.family, hint))
        contradiction = (
            f"{label}: {shown} with the integration services of Windows ({guest.integration_version})"
        )
        unknown = {"family": GuestFamily.UNKNOWN, "possible": possible}
        return guest.model_copy(update=unknown), (ProblemKind.CONFLICT, contradiction)
    supported = supported_os(guest.os_name, guest.os_version)
    return guest.model_copy(update={"supported": supported}), None


def _together(readings: list[OsReading]) -> OsReading:
    """What several texts about one guest say; texts that name no known system count for nothing."""
    readings = [reading for reading in readings if reading.matched]
    possible = frozenset(family for reading in readings for family in reading.possible)
    if len(possible) == 1 and all(reading.family is not GuestFamily.UNKNOWN for reading in readings):
        return OsReading(next(iter(possible)), possible, matched=True)
    return OsReading(GuestFamily.UNKNOWN, possible, matched=bool(readings))


def _cells(row: Row) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """A row's cells as (column key, text), and apart those inside its nested items (KVP, facts)."""
    cells: list[tuple[str, str]] = []
    items: list[tuple[str, str]] = []
    for name, value in row.cells:
        key = column_key(name)
        if key in columns("items") and not isinstance(value, int | float | None):
            inner = _kvp_items(value)
            items += [(item, text) for item, text in inner if item not in columns("host")]
            if inner:
                continue
        if text := _text(value):
            cells.append((key, text))
    return cells, items


def _picked(cells: list[tuple[str, str]], role: str) -> list[tuple[str, str]]:
    """The cells of a role, the better columns first."""
    found = [(columns(role).index(key), key, text) for key, text in cells if key in columns(role)]
    return [(key, text) for _, key, text in sorted(found, key=lambda each: each[0])]


def _first(cells: list[tuple[str, str]], role: str) -> str | None:
    return next((text for _, text in _picked(cells, role) if not is_blank(text)), None)


def _text(value: object) -> str:
    """A value as text, also as PowerShell's JSON writes versions, GUIDs and named objects."""
    if isinstance(value, str):
        # Halves of surrogate pairs come from JSON escapes and are no text.
        return value.strip()[: _LONGEST_TEXT + 1].encode("utf-8", "replace").decode()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return _text(" ".join(one for one in value[:_MOST_ITEMS] if isinstance(one, str)))
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int):
        return str(value) if abs(value) < 1 << 64 else ""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        if "Major" in value:
            parts = [value.get(part) for part in ("Major", "Minor", "Build", "Revision")]
            numbers = [part for part in parts if isinstance(part, int) and 0 <= part < 1 << 32]
            return ".".join(str(number) for number in numbers)
        for part in ("Guid", "Name", "name", "value", "Value", "DisplayName"):
            if isinstance(inner := value.get(part), str):
                return _text(inner)
    return ""


def _kvp_items(value: object) -> list[tuple[str, str]]:
    """Items inside a cell: KVP XML instances, `{"Name": …, "Data": …}` pairs, or a mapping of facts."""
    found: list[tuple[str, str]] = []
    for part in (value if isinstance(value, list | tuple) else [value])[:_MOST_ITEMS]:
        if isinstance(part, str):
            found += _xml_items(part)
        elif isinstance(part, Mapping):
            pair = _text(part.get("Name")), _text(part.get("Data", part.get("Value")))
            if pair[0] and ("Data" in part or "Value" in part):
                found.append((column_key(pair[0]), pair[1]))
            else:
                found += [
                    (column_key(name), _text(inner)) for name, inner in part.items() if isinstance(name, str)
                ]
    return [(key, text) for key, text in found if text]


def _xml_items(text: str) -> list[tuple[str, str]]:
    """Name and data of each `<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem">` of a text."""
    if "<INSTANCE" not in text or len(text) > _LONGEST_ITEMS:
        return []
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(f"<items>{text}</items>", parser)
    except (etree.XMLSyntaxError, ValueError):
        return []
    found: list[tuple[str, str]] = []
    for instance in root.iter("INSTANCE"):
        values: dict[str, str] = {}
        for item in instance.iter("PROPERTY"):
            values[str(item.get("NAME"))] = "".join(str(text) for text in item.itertext()).strip()
        if values.get("Name"):
            found.append((column_key(values["Name"]), _text(values.get("Data", ""))))
    return found
