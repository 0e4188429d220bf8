"""Findings: groups of events that are one matter of one VM or host."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from hvdegraded.events import Event
from hvdegraded.events.folded import UNKNOWN
from hvdegraded.findings.event_groups import EventGroup, GroupedEvents, span_of
from hvdegraded.findings.folded_groups import Span
from hvdegraded.printable import printable, table_html
from hvdegraded.verdicts.acknowledgement import Acknowledgement
from hvdegraded.verdicts.ruling import Ruling
from hvdegraded.verdicts.verdict import Label, Reason, Severity, Verdict

__all__ = [
    "Finding",
    "Section",
    "finding_id",
    "findings_of",
    "in_order",
]

_DAY_TICKS = 864_000_000_000
_USUAL_REPEATS = 3  # of events worth a look when they repeat, within a day
_NO_LEVEL = 99
_ID_LENGTH = 12
_URGENCY = tuple(Severity)
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
    count: int = field(init=False, compare=False)
    """Number of events."""
    span: Span = field(init=False, compare=False)
    """Times of the first and the last event in ticks, -1 where none is known."""
    level: int | None = field(init=False, compare=False)
    """The worst level of the events: 1 critical, 2 error, 3 warning, 4 information."""
    section: Section = field(init=False, compare=False)
    """Where a report shows it."""

    def __post_init__(self) -> None:
        # What a report asks for again and again is computed once.
        groups, put = self.groups, object.__setattr__
        put(self, "count", sum(group.count for group in groups))
        put(self, "span", groups[0].span if len(groups) == 1 else span_of(group.span for group in groups))
        put(self, "level", min((level for group in groups if (level := group.level)), default=None))
        put(self, "section", self._section())

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

    def _section(self) -> Section:
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

    def __repr__(self) -> str:
        return f"<Finding {self.id}, {self.section}: {printable(self.verdict.summary)}, ×{self.count}>"

    def _repr_html_(self) -> str:
        times = f"{self.count}, from {self.first} to {self.last}" if self.first else str(self.count)
        title = table_html([(f"finding {self.id}", f"{self.section}"), ("events", times)])
        return title + "".join(group.verdict._repr_html_() for group in self.groups)


def findings_of(groups: Iterable[EventGroup]) -> list[Finding]:
    """The findings in groups of events."""
    matters: dict[bytes, list[EventGroup]] = {}
    for group in groups:
        name, vm_id = group.vm
        matter = _matter(group.ruling, group.host, vm_id or name, group.provider, group.event_id)
        matters.setdefault(matter, []).append(group)
    return [_finding(_id(matter), parts) for matter, parts in matters.items()]


def _finding(name: str, groups: Sequence[EventGroup]) -> Finding:
    ranked = tuple(groups if len(groups) == 1 else _ranked(groups))
    worst = min((group.ruling.severity for group in ranked), key=_URGENCY.index)
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
    return repr(example.record), repr(verdict), group.span[1]


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings in the order of reading: by section, worst level first, newest first."""
    order = {section: place for place, section in enumerate(Section)}

    def rank(finding: Finding) -> tuple[int, int, int]:
        return order[finding.section], finding.level or _NO_LEVEL, -finding.span[1]

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
