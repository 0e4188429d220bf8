"""For which time each host's channel was read, so that "no failure followed" can be decided.

How it works. An `InputCoverage` collects, for one input, the oldest and the last record of each (host,
channel), stretches of records whose channel nothing named, and the times of what was lost.
`channel_coverage` makes of them what holds for the whole reading:

1. A channel is covered from its own oldest to its own last record.
2. It is covered beyond its last record, up to the last record of the same host, where one export holds both:
   one file, one archive, or inputs that are declared to be taken together; never past its file's own
   modification time, and not where the input was cut off.
3. A log that never held a record (its next record number is 1) covers its channel from the beginning of time
   to its modification time.
4. What was lost takes its time out of the cover of its input; another input may still cover that time.
5. A text export (XML, JSON, CSV) can hold a selection, so it covers a channel only where the record ids of
   neighbours follow each other, upwards or downwards.
6. Records whose channel is not known (of other providers, in chunks that were skipped) count for the only
   channel of their input; where it has several, for the end of the export alone.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["ChannelCoverage", "Coverage", "CoverageGap", "InputCoverage", "Span", "channel_coverage"]

_MAX_PAIRS = 4096  # channels of an input
_MAX_HOLES = 4096  # stretches of an input in which records were lost; then the next ones are joined
_BEGINNING, _END = 0, 1 << 64  # of time, in ticks


class Coverage(NamedTuple):
    """A stretch of time in which a channel was read whole: both ends in ticks (100 ns since 1601), included.

    From readers, `host` and `channel` may be None: the records of that time were not looked at. If `host`
    alone is unknown, the channel is that of a log that never held a record.
    """

    host: str | None
    channel: str | None
    first: int
    last: int


class CoverageGap(enum.StrEnum):
    """Why a channel does not cover a time."""

    NOT_READ = "the channel was not read"
    BEGINS_LATER = "its records begin after that time"
    ENDS_EARLIER = "its records end before that time"
    RECORDS_LOST = "records of that time are missing"


Span = tuple[int, int]
"""First and last tick of a stretch of time, both included."""
_Pair = tuple[str, str]


class ChannelCoverage:
    """For which time each host's channel was read; names compare without case.

    Iterating gives a `Coverage` for each stretch, sorted; `gap` answers what a rule asks.
    """

    def __init__(self, coverages: Iterable[Coverage] = ()) -> None:
        self._spans: dict[_Pair, list[Span]] = {}
        self._names: dict[_Pair, _Pair] = {}
        for host, channel, first, last in coverages:
            pair = _key(host or "", channel or "")
            self._names.setdefault(pair, (host or "", channel or ""))
            self._spans.setdefault(pair, []).append((first, last))
        for pair, spans in self._spans.items():
            self._spans[pair] = _joined(spans)

    def gap(self, host: str, channel: str, start: int, end: int) -> CoverageGap | None:
        """Why the channel's records from tick `start` to tick `end` are not all there; None if they are."""
        spans = self._spans.get(_key(host, channel))
        if not spans:
            return CoverageGap.NOT_READ
        if any(first <= start and end <= last for first, last in spans):
            return None
        if start < spans[0][0]:
            return CoverageGap.BEGINS_LATER
        return CoverageGap.ENDS_EARLIER if end > spans[-1][1] else CoverageGap.RECORDS_LOST

    def covers(self, host: str, channel: str, start: int, end: int) -> bool:
        """Whether all records of the channel from tick `start` to tick `end` were read."""
        return self.gap(host, channel, start, end) is None

    def channels(self, host: str) -> tuple[str, ...]:
        """The channels of that host of which something was read."""
        lower = host.lower()
        return tuple(sorted(self._names[pair][1] for pair in self._spans if pair[0] == lower))

    def __iter__(self) -> Iterator[Coverage]:
        for pair in sorted(self._spans):
            for span in self._spans[pair]:
                yield Coverage(*self._names[pair], *span)

    def __len__(self) -> int:
        return sum(map(len, self._spans.values()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChannelCoverage) and self._spans == other._spans

    def __hash__(self) -> int:
        return hash(frozenset(self._spans))

    def __repr__(self) -> str:
        return f"<ChannelCoverage of {len(self._spans)} channels>"


def _key(host: str, channel: str) -> _Pair:
    return host.lower(), channel.lower()


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Overlapping and adjacent stretches as one, sorted."""
    joined: list[Span] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined


@dataclass
class InputCoverage:
    """What one input covers, as its records are read; merging two parts of it does not depend on their order.

    `pairs` has the oldest and the last time of each (host, channel), `unnamed` those of records whose channel
    was not looked at, `holes` the times of what was lost. `modified` is the file's modification time, in
    ticks; `never_written` names the channel of a log that never held a record; its host is that of the logs
    in the same `folder`. `cut` says that the input's end is missing. `jumps` has, for each (host, channel) of
    a text export, the times between records whose ids do not follow each other.
    """

    pairs: dict[_Pair, Span] = field(default_factory=dict)
    unnamed: Span | None = None
    holes: list[Span] = field(default_factory=list)
    modified: int | None = None
    never_written: str | None = None
    folder: str | None = None
    cut: bool = False
    jumps: dict[_Pair, list[Span]] = field(default_factory=dict)
    _followed: dict[_Pair, tuple[int | None, int]] = field(default_factory=dict, repr=False, compare=False)

    def add(self, host: str | None, channel: str | None, first: int, last: int) -> None:
        """Take records between two ticks; of an unnamed channel where `host` and `channel` are None."""
        if channel is None:
            self.unnamed = _widened(self.unnamed, (first, last))
            return
        pair = host or "", channel
        known = self.pairs.get(pair)
        if known is not None or len(self.pairs) < _MAX_PAIRS:
            self.pairs[pair] = _widened(known, (first, last))

    def follow(self, host: str, channel: str, record_id: int | None, ticks: int) -> None:
        """Take the next record of a text export, which may lack what stood before it."""
        self.add(host, channel, ticks, ticks)
        pair = host, channel
        if pair not in self.pairs:
            return
        before = self._followed.get(pair)
        self._followed[pair] = record_id, ticks
        if before is not None and not _are_neighbours(before, (record_id, ticks)):
            _add_stretch(self.jumps.setdefault(pair, []), (min(before[1], ticks), max(before[1], ticks)))

    def next_part(self) -> InputCoverage:
        """Make the one for what comes next of the same input; it knows which records were the last."""
        return InputCoverage(_followed=self._followed)

    def take(self, coverage: Coverage) -> None:
        """Take what a reader yields; a channel without host is that of a log that never held a record."""
        host, channel, first, last = coverage
        if host is None and channel is not None:
            self.never_written = channel
        else:
            self.add(host, channel, first, last)

    def add_hole(self, after: int | None, before: int | None) -> None:
        """Take the time of lost records, which lies between these ticks; None where nothing bounds it."""
        hole = _BEGINNING if after is None else after, _END if before is None else before
        if hole[0] > hole[1]:
            hole = hole[1], hole[0]
        _add_stretch(self.holes, hole)

    def merge(self, other: InputCoverage) -> None:
        """Take what another part of the same input covers."""
        for (host, channel), span in other.pairs.items():
            self.add(host, channel, *span)
        if other.unnamed is not None:
            self.add(None, None, *other.unnamed)
        for hole in other.holes:
            self.add_hole(*hole)
        for pair, jumps in other.jumps.items():
            for jump in jumps:
                _add_stretch(self.jumps.setdefault(pair, []), jump)
        self.modified = other.modified if self.modified is None else self.modified
        self.never_written = self.never_written or other.never_written
        self.folder = self.folder or other.folder
        self.cut = self.cut or other.cut

    def named(self) -> dict[_Pair, Span]:
        """The stretch of each channel; records without a name count for the only channel there is."""
        if self.unnamed is None or len(self.pairs) != 1:
            return self.pairs
        return {pair: _widened(span, self.unnamed) for pair, span in self.pairs.items()}

    def last_of_hosts(self) -> dict[str, int]:
        """The time of each host's last record."""
        last: dict[str, int] = {}
        for (host, _), span in self.named().items():
            last[host.lower()] = max(last.get(host.lower(), 0), span[1])
        if self.unnamed is not None and len(last) == 1:
            (host,) = last
            last[host] = max(last[host], self.unnamed[1])
        return last

    def covered(self, last: dict[str, int]) -> Iterator[Coverage]:
        """What this input covers, in an export in which hosts have these last records."""
        for (host, channel), (first, own_last) in self.named().items():
            end = own_last
            if not self.cut:
                end = min(last.get(host.lower(), end), _END if self.modified is None else self.modified)
            holes = [*self.holes, *self.jumps.get((host, channel), ())]
            for span in _without(first, max(own_last, end), holes):
                yield Coverage(host, channel, *span)
        if self.never_written is not None and len(last) == 1:
            ((host, end),) = last.items()
            end = end if self.modified is None else self.modified
            yield Coverage(host, self.never_written, _BEGINNING, end)


def _are_neighbours(one: tuple[int | None, int], other: tuple[int | None, int]) -> bool:
    """Whether nothing can stand between two records, by their ids; the same record twice is its neighbour."""
    return one == other or (one[0] is not None and other[0] is not None and abs(one[0] - other[0]) == 1)


def _add_stretch(stretches: list[Span], stretch: Span) -> None:
    """Add to a list of bounded length, whose last stretch is widened where it is full."""
    if stretches and (stretches[-1] == stretch or len(stretches) >= _MAX_HOLES):
        stretches[-1] = _widened(stretches[-1], stretch)
    else:
        stretches.append(stretch)


def _widened(span: Span | None, other: Span) -> Span:
    return other if span is None else (min(span[0], other[0]), max(span[1], other[1]))


def _without(first: int, last: int, holes: Sequence[Span]) -> Iterator[Span]:
    """What is left of a stretch without these."""
    for start, end in _joined(holes):
        if end < first or start > last:
            continue
        if first < start:
            yield first, start - 1
        first = end + 1
    if first <= last:
        yield first, last


def channel_coverage(exports: Iterable[Sequence[InputCoverage]]) -> ChannelCoverage:
    """What exports cover; each is one input, or several that belong together."""
    listed = [list(export) for export in exports]
    inputs = [one for export in listed for one in export]
    everywhere = _last_of_hosts(inputs)
    found: list[Coverage] = []
    for export in listed:
        last = _last_of_hosts(export)
        for one in export:
            hosts = last
            if one.never_written is not None and len(last) != 1:
                beside = _last_of_hosts(other for other in inputs if other.folder == one.folder)
                hosts = beside if len(beside) == 1 else everywhere
            found += one.covered(hosts)
    return ChannelCoverage(found)


def _last_of_hosts(inputs: Iterable[InputCoverage]) -> dict[str, int]:
    last: dict[str, int] = {}
    for one in inputs:
        for host, ticks in one.last_of_hosts().items():
            last[host] = max(last.get(host, 0), ticks)
    return last
