"""Verdicts on exported console states, as one result: what Get-VM and its kin show, judged as events are."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any, TypeGuard

from hvdegraded.errors import InventoryError, SourceError
from hvdegraded.findings.companions import companions_of
from hvdegraded.findings.groups import Section
from hvdegraded.findings.provenance import Provenance
from hvdegraded.findings.render.words import TITLES, inventory_line, plural
from hvdegraded.guests.console_status import ConsoleStatus, StatusSubject
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.guests.state_exports import StateExport, content_of, read_states
from hvdegraded.verdicts.console import verdict_of_status
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.verdict import Severity, Verdict

__all__ = ["JudgedStatus", "StatusTriage", "classify_statuses"]

SCHEMA, SCHEMA_VERSION = "hvdegraded.status", 1

_MOST_LISTED = 20  # states of one problem, and problems of the export
_SECTIONS = {Severity.ACT: Section.ACT, Severity.CHECK: Section.CHECK, Severity.NONE: Section.NO_ACTION}


@dataclass(frozen=True, slots=True)
class JudgedStatus:
    """The state of a machine, service or adapter, and the verdict on it; `path` names its file.

    >>> import hvdegraded as hv
    >>> state = {"VMName": "web01", "Name": "VSS", "PrimaryStatusDescription": "OK"}
    >>> state["SecondaryStatusDescription"] = "Protocol mismatch"
    >>> (judged,) = hv.classify_statuses(state, guests={"web01": "Ubuntu 24.04"})
    >>> judged.status.vm_name, judged.verdict.proven
    ('web01', True)
    """

    status: ConsoleStatus
    verdict: Verdict
    path: str | None = None

    @property
    def section(self) -> Section:
        """The part of a report in which it stands."""
        if self.verdict.ignorable:
            return Section.ASSUMED if self.verdict.assumed else Section.PROVEN
        return _SECTIONS[self.verdict.severity]

    @property
    def subject(self) -> str:
        """What the state is about, in words: `web01 on HV1: heartbeat`."""
        machine = self.status.vm_name or self.status.vm_id or "(unnamed)"
        whose = f"{machine} on {self.status.host}" if self.status.host else machine
        if self.status.subject in (StatusSubject.MACHINE, StatusSubject.MANAGED):
            return whose
        return f"{whose}: {self.status.component or self.status.subject}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "path": self.path,
            "section": str(self.section),
            "status": self.status.model_dump(mode="json"),
            "verdict": self.verdict.model_dump(mode="json"),
        }


@dataclass(frozen=True, repr=False)
class StatusTriage:
    """Judged states in the order of urgency: a container of JudgedStatus, true if there are any.

    `others` counts objects that are not states, `problems` names what could not be read in a file,
    `unreadable` files without any state.

    >>> import hvdegraded as hv
    >>> state = {"VMName": "web01", "Name": "VSS", "PrimaryStatusDescription": "OK"}
    >>> state["SecondaryStatusDescription"] = "Protocol mismatch"
    >>> hv.classify_statuses(state)
    <StatusTriage, 1 state of 1 VM: 0 to act on, 0 to check, 1 assumed>
    """

    states: tuple[JudgedStatus, ...]
    others: int = 0
    problems: tuple[tuple[str | None, str], ...] = ()
    unreadable: tuple[tuple[str | None, str], ...] = ()
    provenance: Provenance = field(default_factory=Provenance)

    def __iter__(self) -> Iterator[JudgedStatus]:
        return iter(self.states)

    def __len__(self) -> int:
        return len(self.states)

    def __repr__(self) -> str:
        return f"<StatusTriage, {self.headline()}>"

    @cached_property
    def by_section(self) -> Counter[Section]:
        """States by section."""
        return Counter(one.section for one in self.states)

    def headline(self) -> str:
        """The counts in one line."""
        machines = {one.status.vm_id or (one.status.vm_name or "").lower() for one in self.states}
        counts = [
            f"{self.by_section[section]} {TITLES[section].lower()}"
            for section in Section
            if self.by_section[section] or section in (Section.ACT, Section.CHECK)
        ]
        return f"{plural(len(self), 'state')} of {plural(len(machines), 'VM')}: {', '.join(counts)}"

    def text(self, *, everything: bool = False, settle: Callable[[ConsoleStatus], str] | None = None) -> str:
        """The result as text; `settle` gives what names the system of a VM of which something is assumed."""
        lines = [self.headline(), inventory_line(self.provenance)]
        for section in Section:
            found = [one for one in self.states if one.section is section]
            if not found:
                continue
            listed = everything or section in (Section.ACT, Section.CHECK, Section.ASSUMED)
            lines += [
                "",
                f"{TITLES[section]}{'' if listed else ', not listed'}: {plural(len(found), 'state')}",
            ]
            if listed:
                lines += _listed(found, None if everything else _MOST_LISTED, settle)
        if self.others:
            lines += ["", f"{plural(self.others, 'object')} that are not states were passed over"]
        remarks = (*self.unreadable, *self.problems)[:_MOST_LISTED]
        problems = [f"  {f'{path}: ' if path else ''}{text}" for path, text in remarks]
        return "\n".join([*lines, *([""] if problems else []), *problems])

    def __str__(self) -> str:
        return self.text()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "schema": f"{SCHEMA}es",
            "schema_version": SCHEMA_VERSION,
            "sections": {str(section): self.by_section[section] for section in Section},
            "states": [one.to_dict() for one in self.states],
            "others": self.others,
            "problems": [list(one) for one in self.problems],
            "unreadable": [list(one) for one in self.unreadable],
        }


def _listed(
    found: list[JudgedStatus], most: int | None, settle: Callable[[ConsoleStatus], str] | None
) -> Iterator[str]:
    """The states of a section, those with the same problem and remedy together."""
    for (problem, remedy), group in groupby(found, key=_problem):
        states = list(group)
        yield f"  {problem}"
        if remedy:
            yield f"  What to do: {remedy}"
        for one in states[:most]:
            yield f"    {one.subject}"
            if one.verdict.assumed and settle and (how := settle(one.status)):
                yield f"        {how}"
        if most is not None and len(states) > most:
            yield f"    and {len(states) - most} more"


def _problem(one: JudgedStatus) -> tuple[str, str]:
    whose = one.status.vm_name or one.status.vm_id or ""
    text = one.verdict.summary.removeprefix(f"VM {whose}: ")
    return text[:1].upper() + text[1:], one.verdict.remedy or ""


def classify_statuses(source: object, *, guests: object = None, policy: Policy | None = None) -> StatusTriage:
    """Judge the states in an export of Get-VM, Get-VMIntegrationService, WMI or System Center.

    `source` is a path, several paths, pasted text, bytes, mappings, or a data frame; files and texts are
    JSON, CLIXML, CSV, or what Format-List and Format-Table print. `guests` is what `GuestInventory.load`
    takes; without it, the systems that an export itself names count. Raises SourceError if a source has no
    state of a VM; of several, only if none has.

    >>> import hvdegraded as hv
    >>> judged = hv.classify_statuses({"VMName": "web01", "Name": "VSS", "PrimaryStatusDescription": "OK",
    ...     "SecondaryStatusDescription": "Protocol mismatch"}, guests={"web01": "Ubuntu 24.04"})
    >>> print(judged.headline())
    1 state of 1 VM: 0 to act on, 0 to check, 1 proven noise
    """
    sources: list[object] = list(source) if _are_paths(source) else [content_of(source)]
    exports: list[tuple[str | None, StateExport]] = []
    problems: list[tuple[str | None, str]] = []
    unreadable: list[tuple[str | None, str]] = []
    for one in sources:
        path = str(one) if _is_path(one) else None
        try:
            exports.append((path, read_states(one)))
        except SourceError as error:
            if len(sources) == 1:
                raise
            unreadable.append((path, error.text))
    if not exports:
        raise SourceError(f"no source has a state of a VM: {unreadable[0][1]}", path=unreadable[0][0])
    known = _inventory_in(sources) if guests is None else GuestInventory.load(guests)
    judged = []
    for path, export in exports:
        problems += [(path, text) for text in export.problems]
        judged += [
            JudgedStatus(status, verdict_of_status(status, known, policy or Policy()), path)
            for status in export.statuses
        ]
    order = list(Section)
    judged.sort(key=lambda one: (order.index(one.section), *_problem(one)))
    vms = {(one.status.vm_id, one.status.vm_name) for one in judged}
    others = sum(export.others for _, export in exports)
    provenance = Provenance.with_inventory(known, vms)
    return StatusTriage(tuple(judged), others, tuple(problems), tuple(unreadable), provenance)


def _are_paths(source: object) -> TypeGuard[list[object]]:
    return isinstance(source, list | tuple) and bool(source) and all(map(_is_path, source))


def _is_path(item: object) -> bool:
    return isinstance(item, str | os.PathLike)


def _inventory_in(sources: list[object]) -> GuestInventory:
    """What the exports themselves say of the guests' systems."""
    if all(map(_is_path, sources)):
        return companions_of(sources).beside(None) or GuestInventory()
    guests: list[Any] = []
    for one in sources:
        with contextlib.suppress(InventoryError, ValueError, OSError):
            guests += (
                GuestInventory.parse(one, "input") if isinstance(one, bytes) else GuestInventory.load(one)
            )
    return GuestInventory(guests)
