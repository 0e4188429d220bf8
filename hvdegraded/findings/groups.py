"""Events that share a verdict, and findings: such groups that are one matter for one VM or host."""

from __future__ import annotations

import enum
import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from hvdegraded.events import Event
from hvdegraded.events.folded import UNKNOWN, EventFolder
from hvdegraded.findings.folded_groups import Group
from hvdegraded.knowledge.vocabulary import Component, Outcome
from hvdegraded.printable import printable, table_html
from hvdegraded.timestamps import datetime_from_ticks
from hvdegraded.verdicts.acknowledgement import Acknowledgement
from hvdegraded.verdicts.ruling import Ruling, verdict_on_event
from hvdegraded.verdicts.verdict import Label, Reason, Severity, Verdict

__all__ = [
    "EventGroup",
    "Finding",
    "GroupedEvents",
    "Section",
    "finding_id",
    "findings_of",
    "in_order",
    "moment_of",
]

_DAY_TICKS = 864_000_000_000
_USUAL_REPEATS = 3  # of events worth a look when they repeat, within a day
_NO_LEVEL = 99
_ID_LENGTH = 12
_ONE_MATTER = frozenset({Reason.LOADED_NON_WINDOWS, Reason.LOADED_WINDOWS, Reason.LOADED_UNKNOWN})


class Section(enum.StrEnum):
    """The parts of a report, in the order of reading.

    NO_ACTION holds what is not ignorable but asks for nothing: information, and what is worth a look only
    when it repeats.

    >>> import hvdegraded as hv
    >>> found = hv.triage("sample_logs/hv2022", guests="sample_logs/guests.json")
    >>> [str(section) for section, count in found.by_section().items() if count]
    ['act', 'check', 'assumed', 'proven', 'no_action']
    """

    ACT = "act"
    CHECK = "check"
    ASSUMED = "assumed"
    ACKNOWLEDGED = "acknowledged"
    PROVEN = "proven"
    NO_ACTION = "no_action"


class EventGroup:
    """Events with the same verdict: one of them as example, and when each happened.

    `verdict` and `example` are made each time they are asked for, of a `ruling` that VMs share and a folded
    event. `ticks` (100 ns since 1601) and `record_ids` are in the order of reading, -1 where unknown.
    """

    __slots__ = ("_group", "ruling")

    def __init__(self, ruling: Ruling | Verdict, group: Group) -> None:
        self.ruling = ruling
        self._group = group

    @classmethod
    def of(
        cls, verdict: Ruling | Verdict, example: Event, ticks: array[int], record_ids: array[int]
    ) -> EventGroup:
        """Make a group of events that have this verdict."""
        return cls(verdict, Group(EventFolder().fold(example), ticks, record_ids))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EventGroup):
            return NotImplemented
        return self.judged == other.judged and self._group.columns == other._group.columns

    def __repr__(self) -> str:
        verdict, example = self.judged
        return f"EventGroup({verdict=!r}, {example=!r}, ticks={self.ticks!r}, record_ids={self.record_ids!r})"

    @property
    def judged(self) -> tuple[Verdict, Event]:
        """Verdict and example: whoever needs both makes the example once."""
        example = self._group.example
        ruling = self.ruling
        return ruling if isinstance(ruling, Verdict) else verdict_on_event(example, ruling), example

    @property
    def verdict(self) -> Verdict:
        """The verdict."""
        return self.judged[0]

    @property
    def example(self) -> Event:
        """The oldest of the events."""
        return self._group.example

    @property
    def ticks(self) -> array[int]:
        """The times."""
        return self._group.columns[0]

    @property
    def record_ids(self) -> array[int]:
        """The record ids."""
        return self._group.columns[1]

    def between(self, low: int, high: int | None) -> EventGroup | None:
        """Those from one time until before another, and those without a time; None where there are none."""
        kept = [ticks == UNKNOWN or (low <= ticks and (high is None or ticks < high)) for ticks in self.ticks]
        if all(kept):
            return self
        return EventGroup(self.ruling, self._group.only(kept)) if any(kept) else None

    @property
    def count(self) -> int:
        """Number of events."""
        return self._group.count

    @property
    def first_ticks(self) -> int | None:
        """Time of the first event."""
        return min((ticks for ticks in self.ticks if ticks >= 0), default=None)

    @property
    def last_ticks(self) -> int | None:
        """Time of the last event."""
        return max((ticks for ticks in self.ticks if ticks >= 0), default=None)

    @property
    def first_record_id(self) -> int | None:
        """Record id of the first event whose time is known; the lowest of several at one time."""
        times = zip(self.ticks, self.record_ids, strict=True)
        _, known = min((one for one in times if one[0] != UNKNOWN), default=(UNKNOWN, UNKNOWN))
        return known if known >= 0 else None

    @property
    def last_record_id(self) -> int | None:
        """Record id of the last event; the highest of several at one time, or where no time is known."""
        _, known = max(zip(*self._group.columns, strict=True))
        return known if known >= 0 else None

    @property
    def matter(self) -> bytes:
        """A hash of what is equal for events of one finding."""
        name, vm_id = self.vm
        return _matter(self.ruling, self.host, vm_id or name, self.provider, self.event_id)

    @property
    def evidence(self) -> str:
        """What is seen of the VM, as reports and acknowledgements name it: `storage 5.1 | 6.0`."""
        verdict, example = self.judged
        guest, host = verdict.versions.guest, verdict.versions.host
        return f"{verdict.component or example.provider} {guest or '?'} | {host or '?'}"

    @property
    def host(self) -> str | None:
        """The host that logged the events."""
        return self._group.folded.like.computer or None

    @property
    def level(self) -> int | None:
        """Level of the example."""
        return self._group.folded.like.level

    @property
    def provider(self) -> str:
        """Provider of the events."""
        return self._group.folded.like.provider

    @property
    def event_id(self) -> int:
        """Id of the events."""
        return self._group.folded.like.event_id

    @property
    def vm(self) -> tuple[str | None, str | None]:
        """Name and id of the VM."""
        return self._group.folded.vm

    @property
    def mismatch(self) -> Component | None:
        """The component of which the events report versions that were not agreed on; None for others."""
        shared = self._group.folded.shared
        outcome = shared.get("outcome")
        return None if outcome in (None, Outcome.NEGOTIATED) else shared["component"]


class GroupedEvents:
    """Events in groups: how many there are, and from when to when."""

    __slots__ = ()

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


@dataclass(frozen=True, slots=True)
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
    id: str
    """Twelve hexadecimal digits, the same in every reading that finds this."""
    severity: Severity
    """The most urgent severity of the groups; none for what did not repeat and would have to."""
    acknowledged: Acknowledgement | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict on the most frequent events."""
        return self.groups[0].verdict

    @property
    def label(self) -> Label:
        """The label, which all groups share."""
        return self.groups[0].ruling.label

    @property
    def assumed(self) -> bool:
        """Whether it is ignorable only if what the verdict assumes holds."""
        return bool(self.groups[0].ruling.assumptions)

    @property
    def section(self) -> Section:
        """Where a report shows it."""
        if self.acknowledged is not None:
            return Section.ACKNOWLEDGED
        if self.severity is not Severity.NONE:
            return Section.ACT if self.severity is Severity.ACT else Section.CHECK
        if self.label is Label.ACTIONABLE:
            return Section.NO_ACTION
        return Section.ASSUMED if self.assumed else Section.PROVEN

    @property
    def evidence(self) -> tuple[str, ...]:
        """What is seen of the VM, sorted."""
        return tuple(sorted({group.evidence for group in self.groups}))

    @property
    def host(self) -> str | None:
        """The host that logged the events."""
        return self.groups[0].host

    @property
    def vm_name(self) -> str | None:
        """The VM's name."""
        return self.groups[0].vm[0]

    @property
    def vm_id(self) -> str | None:
        """The VM's id."""
        return self.groups[0].vm[1]

    @property
    def vm(self) -> str | None:
        """The VM's name, else its id; None for what concerns the host."""
        name, vm_id = self.groups[0].vm
        return name or vm_id

    @property
    def level(self) -> int | None:
        """The worst level of the events: 1 critical, 2 error, 3 warning, 4 information."""
        return min((level for group in self.groups if (level := group.level)), default=None)

    @property
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
    matters: dict[bytes, list[EventGroup]] = {}
    for group in groups:
        matters.setdefault(group.matter, []).append(group)
    return [_finding(_id(matter), parts) for matter, parts in matters.items()]


def _finding(name: str, groups: Sequence[EventGroup]) -> Finding:
    ranked = tuple(groups if len(groups) == 1 else _ranked(groups))
    order = list(Severity)
    worst = min((group.ruling.severity for group in ranked), key=order.index)
    if ranked[0].ruling.reason is Reason.WATCH and worst is Severity.CHECK and not _repeated(ranked):
        worst = Severity.NONE
    return Finding(ranked, name, worst)


def _repeated(groups: Sequence[EventGroup]) -> bool:
    """Whether as many events as their row asks for happened within a day."""
    fact = groups[0].example.fact
    wanted = (fact.repeats if fact is not None else None) or _USUAL_REPEATS
    times = sorted(ticks for group in groups for ticks in group.ticks)
    if UNKNOWN in times[:1]:
        return len(times) >= wanted
    return any(late - early <= _DAY_TICKS for early, late in zip(times, times[wanted - 1 :], strict=False))


def _ranked(groups: Iterable[EventGroup]) -> Iterator[EventGroup]:
    """The most frequent first; which of equals comes first does not depend on the order of reading."""

    def rank(group: EventGroup) -> tuple[int, str, str, int, str]:
        verdict, example = group.judged
        return -group.count, verdict.summary, example.provider, example.event_id, example.channel

    for _, equals in groupby(sorted(groups, key=rank), rank):
        same = list(equals)
        yield from same if len(same) == 1 else sorted(same, key=_content)


def _content(group: EventGroup) -> tuple[str, str, int]:
    verdict, example = group.judged
    return repr(example.record), repr(verdict), group.last_ticks or UNKNOWN


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings in the order of reading: by section, worst level first, newest first."""
    order = {section: place for place, section in enumerate(Section)}

    def rank(finding: Finding) -> tuple[int, int, int]:
        return order[finding.section], finding.level or _NO_LEVEL, -finding.last_ticks

    ranked = sorted(((rank(finding), finding) for finding in findings), key=itemgetter(0))
    found: list[Finding] = []
    for _, equals in groupby(ranked, itemgetter(0)):
        same = [finding for _, finding in equals]
        found += same if len(same) == 1 else sorted(same, key=lambda one: (one.verdict.summary, one.id))
    return tuple(found)


def finding_id(verdict: Verdict, example: Event) -> str:
    """The id of the finding that an event belongs to.

    A hash of host, VM id or else name, provider, event id and reason (without case, provider and id only
    where they make a matter of their own), and of what is assumed.
    """
    vm = verdict.vm_id or verdict.vm_name
    return _id(_matter(verdict, verdict.host, vm, example.provider, example.event_id))


def _id(matter: bytes) -> str:
    return matter.hex()[:_ID_LENGTH]


def _matter(
    ruling: Ruling | Verdict, host: str | None, vm: str | None, provider: str, event_id: int
) -> bytes:
    """A hash of what is equal for events of one finding."""
    event = ("", "") if ruling.reason in _ONE_MATTER else (provider.lower(), str(event_id))
    assumed = "" if ruling.label is Label.ACTIONABLE else ", ".join(ruling.assumptions) or "proven"
    text = "\x1f".join(((host or "").lower(), (vm or "").lower(), *event, ruling.reason, assumed))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
