"""Which virtual machine runs which operating system: an inventory, and how a VM is found in it.

The rules of finding, each of which prefers an unknown guest to a wrong one:

1. A VM's id decides, unless a row of its name and without an id names another system. Rows of another id are
   other machines, of any name.
2. Without the id, name and host decide; names and hosts are compared without case and white space around
   them, and a short host name agrees with a full one (`HV1`, `hv1.corp.local`).
3. Without the host, the name decides if all machines of that name run one family. A machine that is
   listed on another host only, or under another id only, is not an answer: it may have moved or been made
   anew, or be a namesake. Nor is a row without an id where the logs show several VMs of its name.
4. Names that only their compatibility forms, inner white space or zero-width characters make equal are
   similar: a similar name counts where no other does, or where it is that of a Windows guest.
5. A row whose name is a pattern (`ubu-*`) counts where no other row does.
6. Where rows disagree, the guest found is of family UNKNOWN, `possible` holds what it may be and
   `source` names the rows.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hvdegraded.errors import InventoryError, InventoryTypeError, check_type
from hvdegraded.guests.guest import (
    NAMED,
    Guest,
    GuestMatch,
    InventoryProblem,
    ProblemKind,
    in_order_of_families,
)
from hvdegraded.guests.names import absent_names, folded, is_same_host, name_pattern, similar
from hvdegraded.guids import normalise_guid
from hvdegraded.knowledge.vocabulary import GuestFamily

if TYPE_CHECKING:
    from hvdegraded.guests.loading import Loaded

__all__ = ["GuestInventory"]

_ONE_FAMILY = [{family} for family in GuestFamily if family is not GuestFamily.UNKNOWN]
_MOST_PATTERNS = 1000


class GuestInventory:
    """The guests that are known, and what was wrong with the source. Immutable.

    Iteration gives the guests in their order; `problems` lists unusable rows, conflicts and unknown
    systems.

    >>> import hvdegraded as hv
    >>> guests = hv.GuestInventory.load({"web01": "Ubuntu 24.04", "win-*": "Windows Server 2022"})
    >>> str(guests.find(vm_name="WEB01").family)
    'Linux'
    """

    __slots__ = ("_by_id", "_by_name", "_by_similar", "_guests", "_patterns", "_problems")

    def __init__(self, guests: Iterable[Guest] = (), problems: Iterable[InventoryProblem] = ()) -> None:
        check_type("guests", guests, Iterable, "GuestInventory.load takes files and mappings")
        self._guests = tuple(guests)
        self._by_id: dict[str, list[Guest]] = {}
        self._by_name: dict[str, list[Guest]] = {}
        self._by_similar: dict[str, list[Guest]] = {}
        self._patterns = []
        for guest in self._guests:
            if not isinstance(guest, Guest):
                hint = "GuestInventory.load takes files and mappings"
                raise InventoryTypeError(f"{type(guest).__name__} is not a Guest", hint=hint)
            if guest.vm_id is not None:
                self._by_id.setdefault(guest.vm_id, []).append(guest)
            if guest.name is None:
                continue
            self._by_name.setdefault(folded(guest.name), []).append(guest)
            self._by_similar.setdefault(similar(guest.name), []).append(guest)
            if guest.vm_id is None and (pattern := name_pattern(guest.name)) is not None:
                self._patterns.append((pattern, guest))
        if len(self._patterns) > _MOST_PATTERNS:
            raise InventoryError(f"more than {_MOST_PATTERNS} names with * or ?", hint="list the VMs instead")
        self._problems = tuple(problems)

    @classmethod
    def load(cls, source: object) -> GuestInventory:
        """Read an inventory from whatever holds it.

        `source` is the path of a JSON or CSV file, a mapping by VM id, name or pattern of names
        (`{"web01": "Ubuntu 24.04", "ubu-*": "Linux"}`), an iterable of mappings, or a data frame of
        pandas, polars or pyarrow; an inventory is returned as it is. Raises InventoryError where no row
        can be used, but not for an empty mapping or list; what cannot be used of others is in `problems`.
        """
        if isinstance(source, GuestInventory):
            return source
        if isinstance(source, Mapping | list | tuple) and not source:
            return cls()
        from hvdegraded.guests import loading  # which a reading without an inventory does not need

        if isinstance(source, str | os.PathLike):
            return cls._of(loading.load_file(Path(source)))
        return cls._of(loading.load_mappings(source))

    @classmethod
    def parse(cls, data: bytes, name: str, taken: datetime | None = None) -> GuestInventory:
        """Read an inventory from the bytes of a file, which was written at `taken`.

        Raises InventoryError if no row can be used.
        """
        from hvdegraded.guests import loading

        return cls._of(loading.load_bytes(data, name, taken))

    @classmethod
    def _of(cls, loaded: Loaded) -> GuestInventory:
        inventory = cls(loaded.guests)
        conflicts = (
            InventoryProblem(kind=ProblemKind.CONFLICT, reason=reason, file=loaded.file)
            for reason in inventory._conflicts()
        )
        inventory._problems = (*loaded.problems, *conflicts)
        return inventory

    @property
    def problems(self) -> tuple[InventoryProblem, ...]:
        """What could not be used or contradicts itself, in the order of the source, conflicts last."""
        return self._problems

    @property
    def empty(self) -> bool:
        """Whether no guest is known."""
        return not self._guests

    @property
    def source(self) -> str | None:
        """What its rows were read from, each with the number of its VMs if there are several."""
        sources = Counter(guest.source.partition(", row")[0] for guest in self._guests if guest.source)
        if len(sources) < 2:
            return next(iter(sources), None)
        return ", ".join(f"{source} ({count})" for source, count in sources.items())

    def __len__(self) -> int:
        return len(self._guests)

    def __iter__(self) -> Iterator[Guest]:
        return iter(self._guests)

    def __repr__(self) -> str:
        return f"<GuestInventory, guests: {len(self._guests)}, problems: {len(self._problems)}>"

    def find(
        self,
        *,
        vm_id: str | None = None,
        vm_name: str | None = None,
        host: str | None = None,
        several_ids: bool = False,
        several_hosts: bool = False,
    ) -> Guest | None:
        """The guest of that id, else of that name and host, else of that name; None if not listed.

        `vm_id` in any letter case, with or without braces. `several_ids` and `several_hosts` are true
        where the logs show the name with two VM ids, or on two hosts as VMs that may differ. Where rows
        disagree, a Guest of family UNKNOWN whose `source` names them; it is never LINUX then.
        """
        wanted = normalise_guid(vm_id)
        same_id = self._by_id.get(wanted, []) if wanted else []
        known = _one_machine(same_id) if same_id else None
        if known is not None:
            known = known.model_copy(update={"match": GuestMatch.VM_ID})
        name = vm_name or (known.name if known else None) or ""
        ambiguous = (several_ids, several_hosts)
        row = self._row(wanted, same_id, known, self._by_name.get(folded(name), ()), host, ambiguous)
        row = self._with_similar(row, wanted, name, host, ambiguous)
        return self._with_patterns(row, name, host)

    @staticmethod
    def _row(
        wanted: str | None,
        same_id: list[Guest],
        known: Guest | None,
        same_name: Iterable[Guest],
        host: str | None,
        ambiguous: tuple[bool, bool],
    ) -> Guest | None:
        """What the rows of an id and of a name give together."""
        namesakes: list[Guest] = []
        others: list[Guest] = []
        for guest in same_name:
            if wanted is None or guest.vm_id is None:
                namesakes.append(guest)
            elif guest.vm_id != wanted:
                others.append(guest)
        if known is not None and known.names_a_system:
            dissenting = [
                guest
                for guest in namesakes
                if _may_be_on(guest, host) and guest.names_a_system and guest.family is not known.family
            ]
            if dissenting and known.family is not GuestFamily.WINDOWS:
                return _undecided([*same_id, *dissenting], "rows disagree")
            return known
        rivals = [guest for guest in others if _may_be_on(guest, host)]
        if not namesakes:
            if known is None and any(rival.names_a_system for rival in rivals):
                return _undecided(rivals, f"listed under another id than {wanted}")
            return known
        by_name = _by_host(namesakes, host, ambiguous)
        if any(rival.family is not by_name.family for rival in rivals):
            by_name = _undecided(namesakes + rivals, "rows disagree")
        return by_name if known is None or by_name.names_a_system else known

    def _with_similar(
        self, row: Guest | None, wanted: str | None, name: str, host: str | None, ambiguous: tuple[bool, bool]
    ) -> Guest | None:
        """The row, or else one of a similar name; undecided where that one is Windows."""
        namesakes = [
            guest
            for guest in self._by_similar.get(similar(name), ())
            if folded(guest.name or "") != folded(name)
            and (wanted is None or guest.vm_id is None or guest.vm_id == wanted)
            and _may_be_on(guest, host)
        ]
        if not namesakes:
            return row
        found = _by_host(namesakes, host, ambiguous)
        if row is None or not row.names_a_system:
            source = f"{found.source} (by a name that is similar to '{name[:80]}')"
            return found.model_copy(update={"match": GuestMatch.SIMILAR_NAME, "source": source})
        if GuestFamily.WINDOWS in (found.family, *found.possible) and row.family is not GuestFamily.WINDOWS:
            return _undecided([row, found], "a row of a similar name disagrees")
        return row

    def _with_patterns(self, row: Guest | None, name: str, host: str | None) -> Guest | None:
        """The row, or else what the patterns give; undecided where they disagree."""
        wanted = folded(name)
        rows = [
            guest
            for pattern, guest in self._patterns
            if pattern.fullmatch(wanted) and _may_be_on(guest, host) and guest.names_a_system
        ]
        if not rows:
            return row
        found = _settled(rows).model_copy(update={"match": GuestMatch.PATTERN})
        if row is None or not row.names_a_system:
            return found
        if row.family is GuestFamily.UNKNOWN:  # an answer that says no more than the pattern gives way to it
            return found if row.os_name is None and set(row.possible) == {found.family} else row
        return row if found.family is row.family else _undecided([row, *rows], "a pattern disagrees")

    def remarks(self, seen: Iterable[tuple[str | None, str | None]]) -> tuple[str, ...]:
        """Sentences about an inventory that is of little use for logs whose VMs are `seen` as (id, name)."""
        remarks = []
        whole = (ProblemKind.CONFLICT, ProblemKind.UNREADABLE)  # unless they name a row or a line
        unusable = [one for one in self._problems if one.row or one.line or one.kind not in whole]
        if unusable:
            rows = "1 row" if len(unusable) == 1 else f"{len(unusable)} rows"
            remarks.append(f"{rows} of the inventory cannot be used as written; first: {unusable[0].reason}")
        vms = set(seen)
        given = [one.name for one in self._guests if one.source == NAMED and one.name and not one.vm_id]
        absent = absent_names(given, [name for _, name in vms if name]) if vms else []
        is_listed = any(self.find(vm_id=one, vm_name=name) for one, name in vms)
        if vms and self._guests and not is_listed and not any(alike for _, alike in absent):
            listed = ", ".join(guest.name or guest.vm_id or "" for guest in self._guests[:3])
            found = ", ".join(sorted(name or one or "" for one, name in vms)[:3])
            remarks.append(
                f"the inventory lists none of the VMs in these logs ({found}; listed: {listed}): it may be "
                "that of another host"
            )
            return tuple(remarks)
        remarks += [
            f"the system of '{name}' was given, but no event looked at names that VM"
            + (f"; did you mean {alike}?" if alike else "")
            for name, alike in absent
        ]
        return tuple(remarks)

    def _conflicts(self) -> Iterator[str]:
        for vm_id, guests in self._by_id.items():
            if len(guests) > 1 and len({guest.family for guest in guests if guest.names_a_system}) > 1:
                yield f"VM {vm_id} is listed with different systems ({_sources(guests)})"
        for guests in self._by_name.values():
            if len(guests) == 1 or len({guest.family for guest in guests}) == 1:
                continue
            if len({guest.vm_id for guest in guests}) == 1 and guests[0].vm_id is not None:
                continue  # one machine in several rows: reported above where they disagree
            by_host: dict[str, set[GuestFamily]] = {}
            for guest in guests:
                by_host.setdefault(folded(guest.host or "").split(".", 1)[0], set()).add(guest.family)
            if "" in by_host or any(len(families) > 1 for families in by_host.values()):
                yield (
                    f"several VMs named '{guests[0].name}' run different systems ({_sources(guests)}): "
                    "only an id or a host can tell them apart"
                )


def _by_host(namesakes: list[Guest], host: str | None, ambiguous: tuple[bool, bool]) -> Guest:
    """The guest among rows of one name; UNKNOWN where they disagree or all stand on other hosts."""
    if host:
        here = [guest for guest in namesakes if _may_be_on(guest, host)]
        if not here:
            return _undecided(namesakes, f"listed on another host than {host}")
        namesakes = here
    several_ids, several_hosts = ambiguous
    without_id = [guest for guest in namesakes if guest.vm_id is None]
    if several_ids and (without_id or len({guest.vm_id for guest in namesakes}) == 1):
        return _undecided(namesakes, "the logs show several VMs of this name", open_to_any=True)
    if several_hosts and any(not guest.host or not host for guest in without_id):
        return _undecided(namesakes, "the logs show VMs of this name on several hosts", open_to_any=True)
    return _settled(namesakes)


def _settled(guests: list[Guest]) -> Guest:
    """What several rows give together: one of them if they agree, else an UNKNOWN guest."""
    machines: dict[object, list[Guest]] = {}
    for number, guest in enumerate(guests):
        machines.setdefault(guest.vm_id or number, []).append(guest)
    told = [_one_machine(rows) for rows in machines.values()]
    if len(told) == 1 or {guest.family for guest in told} in _ONE_FAMILY:
        return next((guest for guest in told if guest.inferred), told[0])
    return _undecided(
        guests, "rows disagree" if any(guest.names_a_system for guest in told) else "no row names a system"
    )


def _one_machine(rows: list[Guest]) -> Guest:
    # A row without a system does not contradict another of the same machine.
    telling = [guest for guest in rows if guest.names_a_system] or rows
    if len(telling) == 1 or {guest.family for guest in telling} in _ONE_FAMILY:
        return next((guest for guest in telling if not guest.inferred), telling[0])
    return _undecided(telling, "rows disagree")


def _undecided(guests: list[Guest], why: str, *, open_to_any: bool = False) -> Guest:
    possible = {family for guest in guests for family in (guest.possible or (guest.family,))}
    if open_to_any:
        possible.add(GuestFamily.UNKNOWN)
    elif possible == {GuestFamily.UNKNOWN}:
        possible = set()
    return Guest(
        name=guests[0].name,
        vm_id=guests[0].vm_id if len({guest.vm_id for guest in guests}) == 1 else None,
        host=guests[0].host if len({guest.host for guest in guests}) == 1 else None,
        source=f"{_sources(guests)} ({why})",
        possible=in_order_of_families(possible),
    )


def _sources(guests: list[Guest]) -> str:
    shown = "; ".join(dict.fromkeys(guest.source for guest in guests[:5]))
    return shown if len(guests) <= 5 else f"{shown}; {len(guests) - 5} more"


def _may_be_on(guest: Guest, host: str | None) -> bool:
    """Whether a row can be about a machine of this host; either may be unknown."""
    return not host or not guest.host or is_same_host(guest.host, host)
