"""Groups of events that share a verdict: one of them as example, and when each happened."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable
from datetime import datetime

from hvdegraded.events import Event
from hvdegraded.events.folded import UNKNOWN, EventFolder
from hvdegraded.findings.folded_groups import Group, Span
from hvdegraded.knowledge.vocabulary import Component, Outcome, differing_pair, version_pair
from hvdegraded.timestamps import datetime_from_ticks
from hvdegraded.verdicts.ruling import Ruling, verdict_on_event
from hvdegraded.verdicts.verdict import Verdict

__all__ = ["EventGroup", "GroupedEvents", "span_of"]


class EventGroup:
    """Events with the same verdict: one of them as example, and when each happened.

    `verdict` and `example` are made each time they are asked for, of a `ruling` that VMs share and a folded
    event. `ticks` (100 ns since 1601) and `record_ids` are in the order of reading, -1 where unknown.
    """

    __slots__ = ("_group", "ruling")

    def __init__(self, ruling: Ruling, group: Group) -> None:
        self.ruling = ruling
        self._group = group

    @classmethod
    def of(cls, ruling: Ruling, example: Event, ticks: array[int], record_ids: array[int]) -> EventGroup:
        """Make a group of events that have this ruling."""
        return cls(ruling, Group(EventFolder().fold(example), ticks, record_ids))

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
        return verdict_on_event(example, self.ruling), example

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
        return self._group.ticks

    @property
    def record_ids(self) -> array[int]:
        """The record ids."""
        return self._group.record_ids

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
    def span(self) -> Span:
        """Times of the first and the last event, -1 where none is known."""
        return self._group.span

    @property
    def first_record_id(self) -> int | None:
        """Record id of the first event whose time is known; the lowest of several at one time."""
        times = zip(self.ticks, self.record_ids, strict=True)
        _, known = min((one for one in times if one[0] != UNKNOWN), default=(UNKNOWN, UNKNOWN))
        return known if known >= 0 else None

    @property
    def last_record_id(self) -> int | None:
        """Record id of the last event; the highest of several at one time, or where no time is known."""
        known = self._group.last_record_id
        return known if known >= 0 else None

    @property
    def evidence(self) -> str:
        """What is seen of the VM, as reports and acknowledgements name it: `storage 5.1 | 6.0`."""
        shared = self._group.folded.shared
        pair = differing_pair(shared.get("version_pairs", ())) or version_pair()
        return f"{shared.get('component') or self.provider} {pair.guest or '?'} | {pair.host or '?'}"

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
    def likeness(self) -> Hashable:
        """What is equal for events that differ in their VM, times, numbers and fields alone."""
        return self._group.folded.likeness

    @property
    def has_message(self) -> bool:
        """Whether the example was rendered."""
        return self._group.folded.has_message

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
    def span(self) -> Span:
        """Times of the first and the last event in ticks, -1 where none is known."""
        return span_of(group.span for group in self.groups)

    @property
    def first(self) -> datetime | None:
        """UTC time of the first event."""
        return datetime_from_ticks(self.span[0])

    @property
    def last(self) -> datetime | None:
        """UTC time of the last event."""
        return datetime_from_ticks(self.span[1])


def span_of(spans: Iterable[Span]) -> Span:
    """The first and the last of known times, -1 where none is known."""
    known = [span for span in spans if span[0] >= 0]
    if not known:
        return UNKNOWN, UNKNOWN
    return min(first for first, _ in known), max(last for _, last in known)
