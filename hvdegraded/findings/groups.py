"""Events that share a verdict, findings of such groups, and filters over them."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from hvdegraded.errors import HvdegradedError
from hvdegraded.events import HyperVEvent
from hvdegraded.knowledge.vocabulary import Component
from hvdegraded.records.report import ReadReport
from hvdegraded.timestamps import datetime_from_ticks, ticks_from_datetime
from hvdegraded.verdicts.verdict import Label, Reason, Verdict

__all__ = [
    "UNKNOWN",
    "EventGroup",
    "Finding",
    "GroupedEvents",
]

UNKNOWN = -1
"""Stands for a time or a record id that is not known."""


@dataclass(frozen=True)
class EventGroup:
    """Events with the same verdict: one of them as example, and when each happened.

    `ticks` (100 ns since 1601) and `record_ids` are in the order of reading, -1 where unknown.
    """

    verdict: Verdict
    example: HyperVEvent
    ticks: array[int]
    record_ids: array[int]

    @property
    def count(self) -> int:
        """How many events there are."""
        return len(self.ticks)

    @property
    def first_ticks(self) -> int | None:
        """When the first happened."""
        return min((ticks for ticks in self.ticks if ticks >= 0), default=None)

    @property
    def last_ticks(self) -> int | None:
        """When the last happened."""
        return max((ticks for ticks in self.ticks if ticks >= 0), default=None)

    @property
    def last_record_id(self) -> int | None:
        """Record id of the last, or of the one read last where no time is known."""
        last = max(range(len(self.ticks)), key=lambda at: (self.ticks[at], at))
        known = self.record_ids[last]
        return known if known >= 0 else None

    @property
    def provider(self) -> str:
        """Provider of the events."""
        return self.example.provider

    @property
    def event_id(self) -> int:
        """Id of the events."""
        return self.example.event_id


@dataclass(frozen=True)
class Finding:
    """One problem, or one kind of noise, of one VM (or host): its parts, most frequent first."""

    parts: tuple[EventGroup, ...]

    @property
    def verdict(self) -> Verdict:
        """The verdict of the most frequent part."""
        return self.parts[0].verdict

    @property
    def label(self) -> Label:
        """The label, which all parts share."""
        return self.verdict.label

    @property
    def host(self) -> str | None:
        """The host that logged the events."""
        return self.verdict.host

    @property
    def vm(self) -> str | None:
        """The VM's name, else its id; None for what concerns the host."""
        return self.verdict.vm_name or self.verdict.vm_id

    @property
    def count(self) -> int:
        """How many events there are."""
        return sum(part.count for part in self.parts)

    @property
    def first(self) -> datetime | None:
        """UTC time of the first event."""
        return moment_of(min, (part.first_ticks for part in self.parts))

    @property
    def last(self) -> datetime | None:
        """UTC time of the last event."""
        return moment_of(max, (part.last_ticks for part in self.parts))

    @property
    def last_ticks(self) -> int:
        """Time of the last event in ticks, for sorting; -1 where unknown."""
        return max((part.last_ticks or UNKNOWN for part in self.parts), default=UNKNOWN)


def moment_of(pick: Callable[[list[int]], int], ticks: Iterable[int | None]) -> datetime | None:
    """The UTC time that `pick` (min, max) picks of known ticks; None where none is known."""
    known = [one for one in ticks if one is not None]
    return datetime_from_ticks(pick(known)) if known else None


@dataclass(frozen=True)
class GroupedEvents:
    """Events in groups of one verdict, with what was left out; what all renderings show.

    `excluded` counts events below the level or outside of the times asked for, by why; `report` is the
    account of the reading.
    """

    occurrences: tuple[EventGroup, ...]
    report: ReadReport = field(default_factory=ReadReport)
    excluded: Counter[str] = field(default_factory=Counter)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings: actionable ones first, then newest first."""
        groups: dict[tuple[object, ...], list[EventGroup]] = {}
        for part in self.occurrences:
            verdict = part.verdict
            vm = verdict.vm_id or (verdict.vm_name or "").lower()
            key = (verdict.host or "").lower(), vm, verdict.label, verdict.problem, verdict.assumed
            groups.setdefault(key, []).append(part)
        found = [
            Finding(tuple(sorted(parts, key=lambda part: (-part.count, part.verdict.summary))))
            for parts in groups.values()
        ]
        found.sort(
            key=lambda finding: (finding.verdict.ignorable, -finding.last_ticks, finding.verdict.summary)
        )
        return tuple(found)

    @property
    def actionable(self) -> Self:
        """Only what is actionable."""
        return self._where(lambda part: part.verdict.actionable)

    @property
    def ignorable(self) -> Self:
        """Only what is ignorable."""
        return self._where(lambda part: part.verdict.ignorable)

    @property
    def assumed(self) -> Self:
        """Only what rests on an assumption about the guest."""
        return self._where(lambda part: part.verdict.assumed)

    def vm(self, name_or_id: str) -> Self:
        """Only what concerns a VM, by name or id in any letter case."""
        wanted = name_or_id.strip("{}").lower()
        return self._where(
            lambda part: wanted in ((part.verdict.vm_name or "").lower(), (part.verdict.vm_id or "").lower())
        )

    def host(self, name: str) -> Self:
        """Only what a host logged; `hv1` also finds `hv1.example.org`."""
        wanted = name.lower()

        def is_host(part: EventGroup) -> bool:
            host = (part.verdict.host or "").lower()
            return host == wanted or host.split(".")[0] == wanted

        return self._where(is_host)

    def component(self, name: str) -> Self:
        """Only version events of a component, in any letter case: `storage`, `network`, `data exchange`, ….

        Raises HvdegradedError for a name that is none.
        """
        wanted = name.lower()
        known = [component for component in Component if component.lower() == wanted]
        if not known:
            raise HvdegradedError(f"there is no component {name!r}", hint=f"one of {', '.join(Component)}")
        return self._where(lambda part: part.verdict.component is known[0])

    def between(self, start: datetime | None, end: datetime | None) -> Self:
        """Only what happened from `start` until before `end`, and what has no time; naive times are UTC."""
        low = ticks_from_datetime(start) if start else 0
        high = ticks_from_datetime(end) if end else None
        kept = []
        for part in self.occurrences:
            rows = [
                row
                for row in zip(part.ticks, part.record_ids, strict=True)
                if row[0] == UNKNOWN or (low <= row[0] and (high is None or row[0] < high))
            ]
            if rows:
                ticks, ids = zip(*rows, strict=True)
                kept.append(EventGroup(part.verdict, part.example, array("q", ticks), array("q", ids)))
        return replace(self, occurrences=tuple(kept))

    def _where(self, test: Callable[[EventGroup], bool]) -> Self:
        return replace(self, occurrences=tuple(part for part in self.occurrences if test(part)))

    @property
    def count(self) -> int:
        """How many events there are."""
        return sum(part.count for part in self.occurrences)

    @property
    def first(self) -> datetime | None:
        """UTC time of the first event."""
        return moment_of(min, (part.first_ticks for part in self.occurrences))

    @property
    def last(self) -> datetime | None:
        """UTC time of the last event."""
        return moment_of(max, (part.last_ticks for part in self.occurrences))

    def by_label(self) -> Counter[Label]:
        """Events by label."""
        return self._counted(lambda verdict: verdict.label)

    def by_reason(self) -> Counter[Reason]:
        """Events by reason."""
        return self._counted(lambda verdict: verdict.reason)

    def _counted(self, key: Callable[[Verdict], Any]) -> Counter[Any]:
        counts: Counter[Any] = Counter()
        for part in self.occurrences:
            counts[key(part.verdict)] += part.count
        return counts
