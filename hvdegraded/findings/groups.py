"""Events that share a verdict, and findings: such groups that are one matter for one VM or host."""

from __future__ import annotations

import enum
import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby

from hvdegraded.events import Event
from hvdegraded.printable import printable, table_html
from hvdegraded.timestamps import datetime_from_ticks
from hvdegraded.verdicts.acknowledgement import Acknowledgement
from hvdegraded.verdicts.verdict import Label, Reason, Severity, Verdict

__all__ = [
    "UNKNOWN",
    "EventGroup",
    "Finding",
    "GroupedEvents",
    "Section",
    "finding_id",
    "findings_of",
    "in_order",
    "moment_of",
]

UNKNOWN = -1
"""Stands for a time or a record id that is not known."""

_DAY_TICKS = 864_000_000_000
_USUAL_REPEATS = 3  # of events worth a look when they repeat, within a day
_NO_LEVEL = 99
_ID_LENGTH = 12
_ONE_MATTER = frozenset({Reason.LOADED_NON_WINDOWS, Reason.LOADED_WINDOWS, Reason.LOADED_UNKNOWN})


class Section(enum.StrEnum):
    """The parts of a report, in the order of reading.

    QUIET holds what is not ignorable but asks for nothing: information, and what is worth a look only when
    it repeats.

    >>> import hvdegraded as hv
    >>> found = hv.triage("sample_logs/hv2022", guests="sample_logs/guests.json")
    >>> [str(section) for section, count in found.by_section().items() if count]
    ['act', 'check', 'assumed', 'proven', 'quiet']
    """

    ACT = "act"
    CHECK = "check"
    ASSUMED = "assumed"
    ACKNOWLEDGED = "acknowledged"
    PROVEN = "proven"
    QUIET = "quiet"


@dataclass(frozen=True)
class EventGroup:
    """Events with the same verdict: one of them as example, and when each happened.

    `ticks` (100 ns since 1601) and `record_ids` are in the order of reading, -1 where unknown.
    """

    verdict: Verdict
    example: Event
    ticks: array[int]
    record_ids: array[int]

    @property
    def count(self) -> int:
        """Number of events."""
        return len(self.ticks)

    @property
    def first_ticks(self) -> int | None:
        """Time of the first event."""
        return min((ticks for ticks in self.ticks if ticks >= 0), default=None)

    @property
    def last_ticks(self) -> int | None:
        """Time of the last event."""
        return max((ticks for ticks in self.ticks if ticks >= 0), default=None)

    @property
    def last_record_id(self) -> int | None:
        """Record id of the last event; the highest of several at one time, or where no time is known."""
        _, known = max(zip(self.ticks, self.record_ids, strict=True))
        return known if known >= 0 else None

    @property
    def evidence(self) -> str:
        """What is seen of the VM, as reports and acknowledgements name it: `storage 5.1 | 6.0`."""
        guest, host = self.verdict.versions.guest, self.verdict.versions.host
        return f"{self.verdict.component or self.provider} {guest or '?'} | {host or '?'}"

    @property
    def provider(self) -> str:
        """Provider of the events."""
        return self.example.provider

    @property
    def event_id(self) -> int:
        """Id of the events."""
        return self.example.event_id


class GroupedEvents:
    """Events in groups: how many there are, and from when to when."""

    groups: tuple[EventGroup, ...]

    @property
    def count(self) -> int:
        """Number of events."""
        return sum(group.count for group in self.groups)

    @property
    def first(self) -> datetime | None:
        """UTC time of the first event."""
        return moment_of(min, (group.first_ticks for group in self.groups))

    @property
    def last(self) -> datetime | None:
        """UTC time of the last event."""
        return moment_of(max, (group.last_ticks for group in self.groups))


@dataclass(frozen=True)
class Finding(GroupedEvents):
    """One matter of one VM (or host), as groups of events, most frequent first.

    Version mismatches that work are one matter for a VM, whichever of its components report them; everything
    else is one for each event id and reason.

    >>> import hvdegraded as hv
    >>> found = hv.triage("sample_logs/hv2012r2/System.evtx", guests="sample_logs/guests.json")
    >>> finding = found.findings[0]
    >>> finding.id, finding.vm, str(finding.section), finding.count
    ('ffadf05c9faa', 'appliance', 'act', 1)
    """

    groups: tuple[EventGroup, ...]
    acknowledged: Acknowledgement | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict on the most frequent events."""
        return self.groups[0].verdict

    @property
    def label(self) -> Label:
        """The label, which all groups share."""
        return self.verdict.label

    @cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits, the same in every reading that finds this."""
        return finding_id(self.verdict, self.groups[0].example)

    @cached_property
    def severity(self) -> Severity:
        """The most urgent severity of the groups; none for what did not repeat and would have to."""
        worst = min((group.verdict.severity for group in self.groups), key=list(Severity).index)
        if self.verdict.reason is Reason.WATCH and worst is Severity.CHECK and not self._repeated:
            return Severity.NONE
        return worst

    @property
    def _repeated(self) -> bool:
        fact = self.groups[0].example.fact
        wanted = (fact.repeats if fact is not None else None) or _USUAL_REPEATS
        if any(UNKNOWN in group.ticks for group in self.groups):
            return self.count >= wanted
        times = sorted(ticks for group in self.groups for ticks in group.ticks)
        return any(
            late - early <= _DAY_TICKS for early, late in zip(times, times[wanted - 1 :], strict=False)
        )

    @property
    def section(self) -> Section:
        """Where a report shows it."""
        if self.acknowledged is not None:
            return Section.ACKNOWLEDGED
        if self.severity is not Severity.NONE:
            return Section.ACT if self.severity is Severity.ACT else Section.CHECK
        if self.label is Label.ACTIONABLE:
            return Section.QUIET
        return Section.ASSUMED if self.verdict.assumed else Section.PROVEN

    @property
    def evidence(self) -> tuple[str, ...]:
        """What is seen of the VM, sorted."""
        return tuple(sorted({group.evidence for group in self.groups}))

    @property
    def host(self) -> str | None:
        """The host that logged the events."""
        return self.verdict.host

    @property
    def vm_name(self) -> str | None:
        """The VM's name."""
        return self.verdict.vm_name

    @property
    def vm_id(self) -> str | None:
        """The VM's id."""
        return self.verdict.vm_id

    @property
    def vm(self) -> str | None:
        """The VM's name, else its id; None for what concerns the host."""
        return self.vm_name or self.vm_id

    @property
    def level(self) -> int | None:
        """The worst level of the events: 1 critical, 2 error, 3 warning, 4 information."""
        return min((group.example.level for group in self.groups if group.example.level), default=None)

    @cached_property
    def last_ticks(self) -> int:
        """Time of the last event in ticks, for sorting; -1 where unknown."""
        return max((group.last_ticks or UNKNOWN for group in self.groups), default=UNKNOWN)

    def __repr__(self) -> str:
        return f"<Finding {self.id}, {self.section}: {printable(self.verdict.summary)}, ×{self.count}>"

    def _repr_html_(self) -> str:
        times = f"{self.count}, from {self.first} to {self.last}" if self.first else str(self.count)
        title = table_html([(f"finding {self.id}", f"{self.section}"), ("events", times)])
        return title + "".join(group.verdict._repr_html_() for group in self.groups)


def moment_of(pick: Callable[[list[int]], int], ticks: Iterable[int | None]) -> datetime | None:
    """The UTC time that `pick` (min, max) picks of known ticks; None where none is known."""
    known = [one for one in ticks if one is not None]
    return datetime_from_ticks(pick(known)) if known else None


def findings_of(groups: Iterable[EventGroup]) -> list[Finding]:
    """The findings in groups of events."""
    matters: dict[tuple[str, ...], list[EventGroup]] = {}
    for group in groups:
        matters.setdefault(_matter(group.verdict, group.example), []).append(group)
    return [Finding(tuple(parts if len(parts) == 1 else _ranked(parts))) for parts in matters.values()]


def _ranked(groups: Iterable[EventGroup]) -> Iterator[EventGroup]:
    """The most frequent first; which of equals comes first does not depend on the order of reading."""

    def rank(group: EventGroup) -> tuple[int, str, str, int, str]:
        return -group.count, group.verdict.summary, group.provider, group.event_id, group.example.channel

    for _, equals in groupby(sorted(groups, key=rank), rank):
        same = list(equals)
        yield from same if len(same) == 1 else sorted(same, key=_content)


def _content(group: EventGroup) -> tuple[str, str, int]:
    return repr(group.example.record), repr(group.verdict), group.last_ticks or UNKNOWN


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings in the order of reading: by section, worst level first, newest first."""
    order = {section: place for place, section in enumerate(Section)}

    def rank(finding: Finding) -> tuple[int, int, int, str, str]:
        level = finding.level or _NO_LEVEL
        return order[finding.section], level, -finding.last_ticks, finding.verdict.summary, finding.id

    return tuple(sorted(findings, key=rank))


def finding_id(verdict: Verdict, example: Event) -> str:
    """The id of the finding that an event belongs to.

    A hash of host, VM id or else name, provider, event id and reason (without case, provider and id only
    where they make a matter of their own), and of what is assumed.
    """
    text = "\x1f".join(_matter(verdict, example))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_ID_LENGTH]


def _matter(verdict: Verdict, example: Event) -> tuple[str, ...]:
    """What is equal for events of one finding."""
    event = ("", "") if verdict.reason in _ONE_MATTER else (example.provider.lower(), str(example.event_id))
    return (
        (verdict.host or "").lower(),
        (verdict.vm_id or verdict.vm_name or "").lower(),
        *event,
        verdict.reason,
        "" if verdict.label is Label.ACTIONABLE else ", ".join(verdict.assumptions) or "proven",
    )
