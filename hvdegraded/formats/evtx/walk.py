"""The records of a chunk in order, and the gaps between them.

How it works. Records are walked from one header to the next. Where that chain breaks, a record header whose
size and trailing size agree takes it up again, and what lies between is counted as lost: the next in the
longest row of such headers whose numbers rise.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from hvdegraded.formats.evtx.chunks import MOST_RECORDS, Chunk
from hvdegraded.formats.evtx.format import CHUNK_SIZE, FIRST_RECORD
from hvdegraded.formats.evtx.record_headers import (
    Gap,
    Span,
    find_record,
    records_between,
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


def _goes_on(span: Span, last: int | None, written: int) -> bool:
    """Whether a record comes after that of number `last`, written then: remnants are older by both."""
    return last is None or last < span.number <= last + MOST_RECORDS or written <= span.ticks


def walk(chunk: Chunk) -> Iterator[Span | Gap]:
    """The records of a chunk in order, and the gaps between them."""
    data, trusted = chunk.data, chunk.trusted
    counted = chunk.records is not None
    place, limit = FIRST_RECORD, chunk.limit
    last = chunk.first - 1 if counted else None
    written = 0
    run: list[Span] | None = None
    while place < limit:
        span = span_at(data, place, limit)
        if span is not None and (trusted or _goes_on(span, last, written)):
            yield span
            place, written = span.end, span.ticks
            last = last + 1 if trusted and last is not None else span.number
            if not trusted and place == chunk.free:
                return
            continue
        limit = len(data)
        if last is not None and (span := unsound_span(data, place, limit, last + 1)):
            yield span
            last += 1
        if last is None:
            following = find_record(data, place + 1, limit)
        else:
            if run is None:
                numbers = range(last + 1, (chunk.last if counted else last + MOST_RECORDS) + 1)
                found = records_between(data, place + 1, limit)
                run = _longest_run(one for one in found if one.number in numbers)[::-1]
            while run and (run[-1].start <= place or run[-1].number <= last):
                run.pop()
            following = run[-1] if run else None
        missing = 1
        if following is not None:
            if last is not None:
                missing = following.number - last - 1
            last = following.number - 1
        elif counted and last is not None:
            missing = chunk.last - last
        elif not trusted:
            missing = 0
        end = following.start if following is not None else limit
        if missing > 0 or (following is not None and span is None):
            yield Gap(place, end, max(1, missing), cut_off=end == limit and len(data) < CHUNK_SIZE)
        if following is None:
            return
        place = end
