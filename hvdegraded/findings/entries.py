"""Findings as reports show them: a row each, the rows of one problem together.

A row is made when it is asked for: a report of 100,000 VMs goes through its rows one by one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from hvdegraded.bounded import BoundedCache
from hvdegraded.findings.event_groups import EventGroup
from hvdegraded.findings.groups import Finding, Section
from hvdegraded.findings.lazy_sequence import LazySequence
from hvdegraded.findings.titles import PROBLEMS, detail_of, message_of, title_of
from hvdegraded.knowledge.vocabulary import Component
from hvdegraded.timestamps import datetime_from_ticks
from hvdegraded.verdicts.verdict import Assumption, Basis, Label, Reason, Severity

if TYPE_CHECKING:
    from hvdegraded.verdicts.acknowledgement import Acknowledgement

__all__ = ["NO_NAMES", "FindingEntries", "FindingEntry", "GroupEntry", "Names", "Problem", "problems_of"]

_NameAndId = tuple[str | None, str | None]
_MOST_DESCRIBED = 4096  # kinds of events of which is remembered how they are shown


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """Events of a finding with one verdict. `detail` is the summary without what the finding shows anyway."""

    provider: str
    event_id: int
    channel: str
    level: int | None
    component: Component | None
    guest_version: str | None
    host_version: str | None
    summary: str
    detail: str
    basis: Basis
    count: int
    first: datetime | None
    last: datetime | None
    last_record_id: int | None


@dataclass(frozen=True, slots=True)
class FindingEntry:
    """A finding as it is shown. `number` counts from 1 in the order of reading.

    `mentions` is the VM to which the result is narrowed, if the finding is not of that, but mentions it.
    """

    number: int
    id: str
    section: Section
    severity: Severity
    label: Label
    reason: Reason
    assumptions: tuple[Assumption, ...]
    acknowledged: str | None
    level: int | None
    host: str | None
    vm_name: str | None
    vm_id: str | None
    guest: str | None
    problem: str
    remedy: str | None
    references: tuple[str, ...]
    count: int
    first: datetime | None
    last: datetime | None
    groups: tuple[GroupEntry, ...]
    mentions: str | None = None

    @property
    def vm(self) -> str | None:
        """The VM's name, else its id."""
        return self.vm_name or self.vm_id


class Names(NamedTuple):
    """Names of VMs beside those of events: by the id of a finding that mentions one, and by the VM's id."""

    mentions: Mapping[str, str]
    by_id: Mapping[str, str]

    def of(self, finding: Finding) -> str | None:
        """The name of a finding's VM, else its id."""
        return self.by_id.get(finding.vm, finding.vm) if finding.vm else None


NO_NAMES = Names({}, {})


@dataclass(frozen=True, slots=True)
class Problem:
    """Findings of a section with the same problem and remedy; `number` is that of the first."""

    section: Section
    title: str
    remedy: str | None
    number: int
    members: tuple[Finding, ...]
    names: Names

    @property
    def findings(self) -> FindingEntries:
        """The findings as they are shown."""
        return FindingEntries((self,))

    @property
    def events(self) -> int:
        """Number of events."""
        return sum(finding.count for finding in self.members)

    @property
    def level(self) -> int | None:
        """The worst level."""
        return min((finding.level for finding in self.members if finding.level), default=None)

    @property
    def reason(self) -> Reason:
        """Why the findings are where they are."""
        return self.members[0].groups[0].ruling.reason

    @property
    def references(self) -> tuple[str, ...]:
        """The titles of the sources, each once."""
        found = dict.fromkeys(finding.groups[0].ruling.references for finding in self.members)
        return tuple(dict.fromkeys(title for references in found for title in references))

    @property
    def subjects(self) -> list[str]:
        """The VMs by name, else id, or the hosts of what concerns no VM."""
        return list(dict.fromkeys(self.names.of(one) or one.host or "" for one in self.members))


class FindingEntries(LazySequence[FindingEntry]):
    """The findings of problems, in the order of reading."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        self._described: BoundedCache[Hashable, tuple[dict[str, Any], str]] = BoundedCache(_MOST_DESCRIBED)
        self._ends = list(accumulate(len(problem.members) for problem in self.problems))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def item_at(self, at: int) -> FindingEntry:
        """Make the row of a finding."""
        which = bisect_right(self._ends, at)
        problem = self.problems[which]
        place = at - self._ends[which] + len(problem.members)
        finding = problem.members[place]
        return self._entry(finding, problem, problem.number + place)

    def numbers(self) -> Iterator[tuple[str, int]]:
        """Yield the id and the number of each finding."""
        for problem in self.problems:
            for number, finding in enumerate(problem.members, problem.number):
                yield finding.id, number

    def _entry(self, finding: Finding, problem: Problem, number: int) -> FindingEntry:
        verdict = finding.groups[0].ruling
        vms = [group.vm for group in finding.groups]
        vm_name, vm_id = vms[0]
        groups = tuple(self._group_entries(finding.groups, vms, problem.title))
        return FindingEntry(
            number=number,
            id=finding.id,
            section=finding.section,
            severity=finding.severity,
            label=finding.label,
            reason=verdict.reason,
            assumptions=verdict.assumptions,
            acknowledged=_acknowledged(finding.acknowledged),
            level=finding.level,
            host=finding.host,
            vm_name=vm_name or problem.names.by_id.get(vm_id or ""),
            vm_id=vm_id,
            guest=verdict.guest,
            problem=problem.title,
            remedy=verdict.remedy,
            references=verdict.references,
            count=finding.count,
            first=finding.first,
            last=finding.last,
            groups=groups,
            mentions=problem.names.mentions.get(finding.id),
        )

    def _group_entries(
        self, groups: Iterable[EventGroup], vms: Iterable[_NameAndId], title: str
    ) -> Iterable[GroupEntry]:
        """Entries of groups; those that read alike are one: their verdicts differ in what was not seen."""
        entries: dict[tuple[object, ...], GroupEntry] = {}
        for group, (name, vm_id) in zip(groups, vms, strict=True):
            entry = self._group_entry(group, name or vm_id, title)
            key = entry.provider, entry.event_id, entry.channel, entry.level, entry.basis, entry.detail
            known = entries.get(key)
            entries[key] = entry if known is None else _together(known, entry)
        return entries.values()

    def _group_entry(self, group: EventGroup, vm: str | None, title: str) -> GroupEntry:
        # Rulings live as long as the problems; to hash one takes longer than to make this entry.
        key = id(group.ruling), group.likeness, title
        shared, detail = self._described.get(key) or self._described.remember(key, _described(group, title))
        first, last = group.span
        moment = datetime_from_ticks(first)
        return GroupEntry(
            **shared,
            summary=group.ruling.summary_on(vm),
            detail=detail or (message_of(group.example) if group.has_message else ""),
            basis=group.ruling.basis,
            count=group.count,
            first=moment,
            last=moment if last == first else datetime_from_ticks(last),
            last_record_id=group.last_record_id,
        )


def _described(group: EventGroup, title: str) -> tuple[dict[str, Any], str]:
    """What the entries of groups with one ruling and the same likeness share, and their detail."""
    verdict, example = group.judged
    guest, host = verdict.versions.guest, verdict.versions.host
    shared = {
        "provider": example.provider,
        "event_id": example.event_id,
        "channel": example.channel,
        "level": example.level,
        "component": verdict.component,
        "guest_version": str(guest) if guest else None,
        "host_version": str(host) if host else None,
    }
    return shared, detail_of(group.ruling, example, title)


def _acknowledged(row: Acknowledgement | None) -> str | None:
    if row is None:
        return None
    return f"{row.why} (until {row.until})" if row.until else row.why


def _together(one: GroupEntry, other: GroupEntry) -> GroupEntry:
    moments = [entry.first for entry in (one, other) if entry.first]
    later = max(one, other, key=lambda entry: (entry.last is not None, entry.last))
    return replace(
        one,
        count=one.count + other.count,
        first=min(moments, default=None),
        last=later.last,
        last_record_id=later.last_record_id,
    )


def problems_of(findings: Iterable[Finding], names: Names = NO_NAMES) -> Iterator[Problem]:
    """Put the findings with the same problem and remedy of a section together, in their order."""
    found: dict[tuple[Section, str, str | None], list[Finding]] = {}
    titles: dict[Hashable, str] = {}
    for finding in findings:
        group = finding.groups[0]
        ruling = group.ruling
        title = PROBLEMS.get(ruling.reason)
        if title is None:  # so the event decides, of which only what is alike
            alike = id(ruling), group.likeness
            title = titles.get(alike) or titles.setdefault(alike, title_of(ruling, group.example))
        found.setdefault((finding.section, title, ruling.remedy), []).append(finding)
    order = list(Section)
    number = 1
    for (section, title, remedy), members in sorted(found.items(), key=lambda item: order.index(item[0][0])):
        yield Problem(section, title, remedy, number, tuple(members), names)
        number += len(members)
