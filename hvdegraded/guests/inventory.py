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

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hvdegraded.errors import InventoryError
from hvdegraded.guests.columns import guest_of_row
from hvdegraded.guests.files import Damage, read_inventory, rows_of_mappings
from hvdegraded.guests.guest import Guest, InventoryProblem, ProblemKind, in_order_of_families
from hvdegraded.guids import normalise_guid
from hvdegraded.knowledge.vocabulary import GuestFamily

__all__ = [
    "GuestInventory",
]

_ONE_FAMILY = [{family} for family in GuestFamily if family is not GuestFamily.UNKNOWN]


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
            guest, problem = guest_of_row(row, f"{where}, row {row.number}")
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
        wanted = normalise_guid(vm_id)
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
        possible=in_order_of_families(possible),
    )


def _says_something(guest: Guest) -> bool:
    return guest.family is not GuestFamily.UNKNOWN or bool(guest.possible) or guest.os_name is not None


def _sources(guests: list[Guest]) -> str:
    shown = "; ".join(dict.fromkeys(guest.source for guest in guests[:5]))
    return shown if len(guests) <= 5 else f"{shown}; {len(guests) - 5} more"


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
