"""The records of a chunk in order, and the gaps between them.

How it works. Records are walked from one header to the next. Where that chain breaks, a record header whose
size and trailing size agree takes it up again, and what lies between is counted as lost: the next in the
longest row of such headers whose numbers rise.

Checksums can be made right again, so that numbers count too: where they jump, the missing records are looked
for inside of the record before, and records that follow on behind the free-space offset are marked.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from hvdegraded.formats.evtx.chunks import MOST_RECORDS, Chunk
from hvdegraded.formats.evtx.format import CHUNK_SIZE, FIRST_RECORD, RECORD_MAGIC
from hvdegraded.formats.evtx.record_headers import (
    Gap,
    RecordPlace,
    Span,
    find_record,
    records_between,
    row_of,
    span_at,
    unsound_span,
)

__all__ = ["end_of", "walk"]


def end_of(spans: Sequence[Span | Gap]) -> int:
    """Where in its chunk the last of these ends."""
    return spans[-1].end if spans else FIRST_RECORD


def _longest_run(spans: Iterable[Span]) -> list[Span]:
    """The longest row of these records whose numbers rise: copies and remnants between them do not fit in."""
    lowest: list[int] = []  # for each length, the number in which a row of that length can end at the lowest
    ends: list[int] = []
    listed = list(spans)
    before: list[int] = []
    for place, span in enumerate(listed):
        length = bisect_left(lowest, span.number)
        before.append(ends[length - 1] if length else -1)
        lowest[length : length + 1] = [span.number]
        ends[length : length + 1] = [place]
    run = []
    place = ends[-1] if ends else -1
    while place >= 0:
        run.append(listed[place])
        place = before[place]
    return run[::-1]


def _follows(span: Span, last: int | None, written: int) -> bool:
    """Whether a record comes after that of number `last`, written then: remnants are older by both."""
    return last is None or last < span.number <= last + MOST_RECORDS or written <= span.ticks


def walk(chunk: Chunk) -> Iterator[Span | Gap]:
    """The records of a chunk in order, and the gaps between them."""
    return _Walk(chunk).items()


class _Walk:
    """A walk over a chunk: where it is, and the number and time of the last record."""

    def __init__(self, chunk: Chunk) -> None:
        self._chunk = chunk
        self._data = chunk.data
        self._trusted = chunk.trusted
        self._counted = chunk.records is not None
        self._place, self._limit = FIRST_RECORD, chunk.limit
        self._last = chunk.first - 1 if self._counted else None
        self._written = 0
        self._previous: Span | None = None
        self._run: list[Span] | None = None
        self._is_behind = False  # whether the run is that of the records behind the end
        self._ended = False
        self._numbers: list[int] | None = None  # of the row of records from the first jump on, sorted
        self._displaced: set[int] = set()  # numbers passed over that stand behind in that row

    def items(self) -> Iterator[Span | Gap]:
        """The records and gaps."""
        if self._trusted and self._last is not None:
            yield from self._row()
        while self._place < self._limit and not self._ended:
            span = span_at(self._data, self._place, self._limit)
            if span is None or not (self._trusted or _follows(span, self._last, self._written)):
                yield from self._resumed()
                continue
            if self._jumps(span):
                yield from self._hidden_before(span.number)
            yield span
            self._pass(span)
            if not self._trusted and self._place == self._chunk.free:
                return
        if not self._ended:
            yield from self._behind()

    def _row(self) -> list[Span]:
        """The records up to the first that is not the next one."""
        row = row_of(self._data, self._place, self._limit, (self._last or 0) + 1)
        if row:
            self._pass(row[-1])
            self._last = row[-1].number
        return row

    def _pass(self, span: Span) -> None:
        self._place, self._written, self._previous = span.end, span.ticks, span
        if span.number in self._displaced:
            self._displaced.remove(span.number)
            return
        in_order = self._last is None or not self._trusted or self._jumps(span)
        self._last = span.number if in_order or self._last is None else self._last + 1

    def _jumps(self, span: Span) -> bool:
        """Whether records are missing before this one, by the numbers that the header counts."""
        last = self._last
        return self._counted and last is not None and last + 1 < span.number <= self._chunk.last

    def _hidden_before(self, number: int) -> Iterator[Span | Gap]:
        """Records that are missing before one that is not the next: in the record before, or nowhere."""
        last, previous = self._last or 0, self._previous
        place, end = (previous.start + 4, previous.end) if previous is not None else (0, 0)
        while (place := self._data.find(RECORD_MAGIC, place, end)) >= 0:
            hidden = unsound_span(self._data, place, end, last + 1)
            if hidden is not None:
                yield hidden._replace(place=RecordPlace.INSIDE)
                last += 1
            place += len(RECORD_MAGIC)
        displaced = self._standing_behind(last, number)
        self._displaced.update(displaced)
        missing = number - last - 1 - len(displaced)
        if missing > 0:
            yield Gap(self._place, self._place, missing if missing < MOST_RECORDS else 1)

    def _standing_behind(self, last: int, number: int) -> list[int]:
        """The numbers between these two of records that follow later in the row: they are not lost."""
        if self._numbers is None:
            place, limit, found = self._place, self._chunk.limit, set()
            while (span := span_at(self._data, place, limit)) is not None:
                found.add(span.number)
                place = span.end
            self._numbers = sorted(found)
        return self._numbers[bisect_right(self._numbers, last) : bisect_left(self._numbers, number)]

    def _behind(self) -> Iterator[Span | Gap]:
        """Records that follow on behind the free-space offset: the header is older than they, or forged."""
        last = self._last
        first = span_at(self._data, FIRST_RECORD, len(self._data)) if self._place == FIRST_RECORD else None
        if first is not None:  # the chunk claims to be empty
            last = first.number - 1
        if not self._trusted or last is None or self._place != self._chunk.free:
            return
        while (span := self._next_behind(last)) is not None:
            if span.number > last + 1:
                self._last = last
                yield from self._hidden_before(span.number)
            yield span._replace(place=RecordPlace.BEHIND)
            self._pass(span)
            last = span.number
        if self._counted and self._chunk.first - 1 <= last < self._chunk.last:
            self._last = last
            yield from self._hidden_before(self._chunk.last + 1)

    def _next_behind(self, last: int) -> Span | None:
        """The next record behind the end: one that follows on, or one that the log's own numbers count.

        Remnants are older. In exports, where newer records of other logs stand there, none is missing.
        """
        data, chunk = self._data, self._chunk
        own = chunk.last if self._counted and chunk.first - 1 <= last else 0
        highest = max(own, (chunk.following or 0) - 1)
        span = span_at(data, self._place, len(data))
        if span is not None and span.number == last + 1 and (last < highest or not self._is_behind):
            return span
        if last >= highest:
            return None
        span = unsound_span(data, self._place, len(data), last + 1)
        if span is not None:
            return span
        if self._run is None or not self._is_behind:
            numbers, self._is_behind = range(last + 1, highest + 1), True
            self._run = _longest_run(
                one
                for one in records_between(data, self._place, len(data))
                if one.number in numbers and (one.number <= own or one.ticks >= self._written)
            )[::-1]
        return self._next_of_run(self._place, last)

    def _resumed(self) -> Iterator[Span | Gap]:
        """Take the chain of records up again where it is broken."""
        chunk, data, trusted, last = self._chunk, self._data, self._trusted, self._last
        place = self._place
        self._limit = limit = len(data)
        span = None
        if last is not None and (span := unsound_span(data, place, limit, last + 1)):
            yield span
            last += 1
        following = self._following(last)
        missing = 1
        if following is not None:
            if last is not None:
                missing = following.number - last - 1
            last = following.number - 1
        elif self._counted and last is not None:
            missing = chunk.last - last
        elif not trusted:
            missing = 0
        end = following.start if following is not None else limit
        if missing > 0 or (following is not None and span is None):
            yield Gap(place, end, max(1, missing), cut_off=end == limit and len(data) < CHUNK_SIZE)
        self._last = last
        self._place = end
        self._ended = following is None

    def _following(self, last: int | None) -> Span | None:
        """The record with which the chain continues."""
        place, limit = self._place, self._limit
        if last is None:
            return find_record(self._data, place + 1, limit)
        if self._run is None:
            numbers = range(last + 1, (self._chunk.last if self._counted else last + MOST_RECORDS) + 1)
            found = records_between(self._data, place + 1, limit)
            self._run = _longest_run(one for one in found if one.number in numbers)[::-1]
        return self._next_of_run(place + 1, last)

    def _next_of_run(self, place: int, last: int) -> Span | None:
        """The first record of the run from `place` on whose number is above `last`."""
        run = self._run or []
        while run and (run[-1].start < place or run[-1].number <= last):
            run.pop()
        return run[-1] if run else None
