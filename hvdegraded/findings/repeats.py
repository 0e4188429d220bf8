"""Events that were read twice: from a log and an export beside it, from two exports, from copies of a log.

How it works. A record id is unique within a channel of a host until the channel is cleared; so records with
the same id and time are the same event. They are looked for only where two inputs contain records of one
channel and time, or where one input is out of order. An event without record id is the same as one that has
one if they agree, and both times are exact; so is one that lacks its host or channel, by record id or exact
time. Else it counts, and that it may count twice is reported.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from hvdegraded.events import Event
from hvdegraded.events.folded import UNKNOWN, EventFolder
from hvdegraded.findings.folded_groups import Group, GroupKey
from hvdegraded.findings.readings import (
    WIDEST_ZONE,
    contradicted,
    differences,
    grain,
    is_one_matter,
    is_same_time,
    may_lack_zone,
    worth,
)
from hvdegraded.records.items import NoteKind
from hvdegraded.records.report import ReadReport
from hvdegraded.verdicts.history import short_host
from hvdegraded.verdicts.timeline import SECOND

__all__ = ["InputSpan", "Repeats", "count_once", "input_spans"]

_MOST_TOGETHER = 1 << 18  # events that are compared at a time
_UNORDERED = frozenset({NoteKind.HEADER, NoteKind.CHUNK})
_EXACT = 10  # ticks: times to the microsecond and better
_PLACE_BITS = 40  # for the place of an event in its group
_Channel = tuple[str, str]
_Name = tuple[GroupKey, int, int]


@dataclass(frozen=True)
class Repeats:
    """What became of events that were read twice.

    `dropped` counts readings beyond the first, `contradicted` those of which two inputs contain different
    values, with an example of each kind; `uncertain` counts events without record id or zone that another
    input may contain too. `gone` and `marked` name readings by their group, time and record id, if that was
    asked for.
    """

    dropped: int = 0
    contradicted: int = 0
    examples: tuple[Event, ...] = ()
    uncertain: int = 0
    gone: Counter[_Name] = field(default_factory=Counter)
    marked: dict[_Name, tuple[str, ...]] = field(default_factory=dict)

    def notes(self) -> Iterator[tuple[NoteKind, str]]:
        """What a report contains of it."""
        if self.contradicted:
            text = f"{self.contradicted} events stand in two inputs with different values; none of them"
            yield NoteKind.CONTRADICTION, f"{text} is called ignorable"
        if self.uncertain:
            text = (
                f"{self.uncertain} events may count twice: another input contains events of the same channel"
            )
            yield NoteKind.REPEATED, f"{text} and time, and they lack record id, host, channel or time zone"


class _Reading(NamedTuple):
    """An event as one input contains it: where it stands in its group."""

    key: GroupKey
    group: Group
    at: int

    @property
    def ticks(self) -> int:
        return self.group.ticks[self.at]

    @property
    def record_id(self) -> int:
        return self.group.record_ids[self.at]


class InputSpan(NamedTuple):
    """The time of one input's records of a channel, in ticks; `unordered` if it may contain some twice."""

    host: str
    channel: str
    first: int
    last: int
    unordered: bool


def input_spans(report: ReadReport) -> Iterator[InputSpan]:
    """Give the spans of all inputs that a report is about."""
    for part in report.parts:
        yield from input_spans(part)
    if report.parts:
        return
    noted = any(note.kind in _UNORDERED for note in report.notes)
    shift = WIDEST_ZONE if report.with_caveats else 0  # a time may name no zone
    for (host, channel), (first, last) in report.times.pairs.items():
        jumps = (host, channel) in report.times.jumps
        yield InputSpan(*_channel(host, channel), first - shift, last + shift + SECOND, noted or jumps)


def count_once(groups: dict[GroupKey, Group], spans: Iterable[InputSpan], *, names: bool = False) -> Repeats:
    """Leave one reading of each event in these groups; where readings contradict each other, it is marked.

    `names` asks for the names of the readings that went.
    """
    suspects = _Suspects(spans)
    channels: dict[_Channel, list[tuple[GroupKey, Group]]] = defaultdict(list)
    for key, group in groups.items():
        channels[_channel(group.folded.like.computer, group.folded.like.channel)].append((key, group))
    removal = _Removal()
    for channel in sorted(channels):
        if suspects.is_suspect(channel):
            reports = all(channel) and channel in suspects.overlapping
            removal.take(channels[channel], reports_uncertain=reports)
    candidates = _Candidates(channels)
    for channel in sorted(channels):
        if not all(channel) and suspects.is_suspect(channel):
            others = [one for other in candidates.of(channel) for one in channels[other]]
            removal.take_incomplete(
                channels[channel], others, reports_uncertain=channel in suspects.overlapping
            )
    return removal.finish(groups, names=names)


class _Candidates:
    """Which channels one may be that does not name its host, or itself."""

    def __init__(self, channels: Iterable[_Channel]) -> None:
        self._all = list(channels)
        self._of_host: dict[str, list[_Channel]] = defaultdict(list)
        self._of_name: dict[str, list[_Channel]] = defaultdict(list)
        for channel in self._all:
            self._of_host[channel[0]].append(channel)
            self._of_name[channel[1]].append(channel)

    def of(self, incomplete: _Channel) -> list[_Channel]:
        """The channels that this one may be."""
        host, name = incomplete
        found = self._of_host[host] if host else self._of_name[name] if name else self._all
        return [channel for channel in found if channel != incomplete]


def _channel(host: str | None, channel: str) -> _Channel:
    return short_host(host or ""), channel.casefold()


class _Suspects:
    """The channels of which events may have been read twice, by the account of a reading."""

    def __init__(self, inputs: Iterable[InputSpan]) -> None:
        self._spans: dict[_Channel, list[tuple[int, int]]] = defaultdict(list)
        self._unordered: set[_Channel] = set()
        for host, channel, first, last, unordered in inputs:
            self._spans[host, channel].append((first, last))
            if unordered:
                self._unordered.add((host, channel))
        self.overlapping = {key for key, spans in self._spans.items() if _overlap(spans)}
        candidates = _Candidates(self._spans)
        for key in [key for key in self._spans if not all(key)]:
            others = [self._spans[other] for other in candidates.of(key)]
            if any(_overlap([*self._spans[key], *spans]) for spans in others):
                self.overlapping.add(key)

    def is_suspect(self, channel: _Channel) -> bool:
        """Whether to look; where nothing is known of the inputs, always."""
        return channel in self.overlapping or channel in self._unordered or channel not in self._spans


def _overlap(spans: list[tuple[int, int]]) -> bool:
    end = -1
    for first, last in sorted(spans):
        if first <= end:
            return True
        end = last
    return False


class _Removal:
    """Finds readings that are to go or to be marked, and takes them out of their groups in the end."""

    def __init__(self) -> None:
        self._gone: dict[GroupKey, set[int]] = defaultdict(set)
        self._marked: dict[GroupKey, Group] = {}
        self._differences: dict[tuple[GroupKey, GroupKey], tuple[str, ...]] = {}
        self._worth: dict[tuple[GroupKey, int], tuple[object, ...]] = {}
        self._uncertain = 0
        self._folder = EventFolder()
        self._marks: dict[_Name, tuple[str, ...]] = {}

    def take(self, groups: list[tuple[GroupKey, Group]], *, reports_uncertain: bool) -> None:
        """Look at all events of one channel."""
        uncertain = 0
        for readings in _alike(groups, by_time=False):
            times = list(_at_one_time(readings))
            for same in times:
                self._settle(same)
            uncertain += sum(
                may_lack_zone(one[0].ticks, next_one[0].ticks) for one, next_one in pairwise(times)
            )
        loose = sum(group.record_ids.count(UNKNOWN) for _, group in groups)
        if loose:
            for readings in _alike(groups, by_time=True):
                known = [one for one in readings if one.record_id != UNKNOWN]
                loose -= self._match(known, [one for one in readings if one.record_id == UNKNOWN])
        if reports_uncertain:
            self._uncertain += loose + uncertain

    def take_incomplete(
        self,
        own: list[tuple[GroupKey, Group]],
        others: list[tuple[GroupKey, Group]],
        *,
        reports_uncertain: bool,
    ) -> None:
        """Look at events that lack their host or channel, beside those of channels that theirs may be."""
        mine = {key for key, _ in own}
        left = sum(group.count - len(self._gone[key]) for key, group in own)
        for by_time in (False, True):
            for readings in _alike([*own, *others], by_time=by_time):
                loose = [one for one in readings if one.key in mine and one.at not in self._gone[one.key]]
                if by_time:
                    loose = [one for one in loose if one.record_id == UNKNOWN]
                left -= self._match([one for one in readings if one.key not in mine], loose)
        if reports_uncertain:
            self._uncertain += left

    def finish(self, groups: dict[GroupKey, Group], *, names: bool) -> Repeats:
        """Take out what is to go, and put in what is marked."""
        gone: Counter[_Name] = Counter()
        for key, places in self._gone.items():
            group = groups[key]
            if names:
                gone.update((key, group.ticks[at], group.record_ids[at]) for at in places)
            if len(places) == group.count:
                del groups[key]
            else:
                groups[key] = group.only([at not in places for at in range(group.count)])
        groups |= self._marked
        marked = self._marked.values()
        contradictions = sum(group.count for group in marked)
        dropped = sum(map(len, self._gone.values())) - contradictions
        gone.subtract(self._marks.keys() if names else ())
        examples = tuple(group.example for group in marked)
        return Repeats(dropped, contradictions, examples, self._uncertain, +gone, self._marks)

    def _settle(self, readings: list[_Reading]) -> None:
        """Keep the best reading of one event, and others that are of another matter; mark contradictions."""
        first, *others = sorted(readings, key=self._rank)
        found: set[str] = set()
        for other in others:
            differ = self._compared(first, other)
            found.update(differ)
            if is_one_matter(differ):
                self._gone[other.key].add(other.at)
            else:
                self._mark(other, differ)
        if found:
            self._mark(first, tuple(sorted(found)))

    def _match(self, known: list[_Reading], loose: list[_Reading]) -> int:
        """Drop loose readings, each of which agrees with a known one of its time; returns how many."""
        loose = sorted(loose, key=self._rank)
        count = 0
        for one in sorted(known, key=self._rank):
            if one.at in self._gone[one.key]:
                continue
            for other in loose:
                times = sorted((one.ticks, other.ticks))
                if is_same_time(*times) and not self._compared(one, other):
                    loose.remove(other)
                    self._gone[other.key].add(other.at)
                    count += 1
                    break
        return count

    def _rank(self, reading: _Reading) -> tuple[object, ...]:
        key = reading.key, grain(reading.ticks)
        if key not in self._worth:
            self._worth[key] = worth(reading.group.example, reading.ticks)
        return (*self._worth[key], reading.ticks, reading.record_id)

    def _compared(self, one: _Reading, other: _Reading) -> tuple[str, ...]:
        keys = one.key, other.key
        if keys not in self._differences:
            same = one.group is other.group
            self._differences[keys] = () if same else differences(one.group.example, other.group.example)
        return self._differences[keys]

    def _mark(self, reading: _Reading, differ: tuple[str, ...]) -> None:
        """Move a reading to those of its group that are contradicted in the same values."""
        kind, name, vm_id = reading.key
        key: GroupKey = ((kind, differ), name, vm_id)
        if key not in self._marked:
            group = reading.group
            example = self._folder.fold(contradicted(group.example, differ))
            self._marked[key] = Group(example, array("q"), array("q"))
        self._marked[key].extend((reading.ticks,), (reading.record_id,))
        self._gone[reading.key].add(reading.at)
        self._marks[reading.key, reading.ticks, reading.record_id] = differ


def _alike(groups: list[tuple[GroupKey, Group]], *, by_time: bool) -> Iterator[list[_Reading]]:
    """Yield the readings that share a record id, or an exact time; some of all at once bound the memory."""
    count = 1 + sum(group.count for _, group in groups) // _MOST_TOGETHER
    values = [array("q") for _ in range(count)]
    places = [array("q") for _ in range(count)]
    for number, (_, group) in enumerate(groups):
        for at, value in enumerate(group.ticks if by_time else group.record_ids):
            if value != UNKNOWN and not (by_time and grain(value) > _EXACT):
                values[value % count].append(value)
                places[value % count].append(number << _PLACE_BITS | at)
    while values:
        yield from _equal(values.pop(), places.pop(), groups)


def _equal(
    values: Iterable[int], places: Iterable[int], groups: list[tuple[GroupKey, Group]]
) -> Iterator[list[_Reading]]:
    several = {value for value, count in Counter(values).items() if count > 1}
    found: dict[int, list[_Reading]] = {value: [] for value in sorted(several)}
    for value, place in zip(values, places, strict=True):
        if value in several:
            number, at = divmod(place, 1 << _PLACE_BITS)
            found[value].append(_Reading(*groups[number], at))
    yield from found.values()


def _at_one_time(readings: list[_Reading]) -> Iterator[list[_Reading]]:
    """Yield readings of one record id that are of one time: after a channel is cleared, ids start again."""
    together: list[_Reading] = []
    for reading in sorted(readings, key=lambda one: one.ticks):
        if together and not is_same_time(together[0].ticks, reading.ticks):
            yield together
            together = []
        together.append(reading)
    yield together
