"""Record headers: where in a stretch of bytes a record begins and ends, and what its header says."""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from hvdegraded.formats.evtx.format import RECORD_HEADER, RECORD_MAGIC, RECORD_START, SMALLEST_RECORD

__all__ = [
    "Gap",
    "RecordPlace",
    "Span",
    "find_record",
    "is_record",
    "is_record_start",
    "records_between",
    "records_inside",
    "row_of",
    "span_at",
    "unsound_span",
]

_RECORD = RECORD_START.unpack_from
_SIZE = struct.Struct("<I").unpack_from
_new_tuple: Any = tuple.__new__


class RecordPlace(enum.Enum):
    """Where a record stands that is not one of a chunk's plain row of records."""

    TWO_SIZES = "the sizes before and behind it differ"
    INSIDE = "it stood inside of the record before it, which hides it"
    BEHIND = "it stood behind the end of the records that its chunk's header names"


class Span(NamedTuple):
    """A record: where it starts and ends in its chunk, its number, and when it was written (ticks)."""

    start: int
    end: int
    number: int
    ticks: int
    place: RecordPlace | None = None
    """What is wrong with where it stands; None for a record in good order."""


class Gap(NamedTuple):
    """A stretch of a chunk without readable record headers, and how many records it seems to hold."""

    start: int
    end: int
    records: int
    cut_off: bool = False


def records_between(data: bytes, start: int, end: int) -> Iterator[Span]:
    """Find what has a record's header and sizes in a stretch of bytes, one behind the other."""
    while (span := find_record(data, start, end)) is not None:
        yield span
        start = span.start + 4  # a remnant may hold older ones


def records_inside(data: bytes, outer: Span) -> Iterator[Span]:
    """What begins as a record inside of another and ends there, whether or not its size is repeated."""
    place = data.find(RECORD_MAGIC, outer.start + 4, outer.end)
    while 0 <= place <= outer.end - SMALLEST_RECORD:
        _, size, number, ticks = _RECORD(data, place)
        if SMALLEST_RECORD <= size <= outer.end - place:
            yield Span(place, place + size, number, ticks, RecordPlace.INSIDE)
        place = data.find(RECORD_MAGIC, place + 4, outer.end)


def span_at(data: bytes, start: int, end: int) -> Span | None:
    """The record at `start`, if its two sizes agree and it ends by `end`."""
    if start + SMALLEST_RECORD > end:
        return None
    magic, size, number, ticks = _RECORD(data, start)
    stop = start + size
    if magic != RECORD_MAGIC or size < SMALLEST_RECORD or stop > end or _SIZE(data, stop - 4)[0] != size:
        return None
    return Span(start, stop, number, ticks)


def row_of(data: bytes, start: int, end: int, number: int) -> list[Span]:
    """The records from `start` on as `span_at` gives them, up to the first that has not the next number."""
    row: list[Span] = []
    while start + SMALLEST_RECORD <= end:
        magic, size, found, ticks = _RECORD(data, start)
        stop = start + size
        if magic != RECORD_MAGIC or found != number or not SMALLEST_RECORD <= size <= end - start:
            break
        if _SIZE(data, stop - 4)[0] != size:
            break
        row.append(_new_tuple(Span, (start, stop, number, ticks, None)))
        start = stop
        number += 1
    return row


def is_record(data: bytes, start: int, end: int) -> bool:
    """Whether a record whose two sizes agree stands at `start` and ends by `end`."""
    return span_at(data, start, end) is not None


def is_record_start(data: bytes, start: int) -> bool:
    """Whether a record's header stands at `start`."""
    return 0 <= start <= len(data) - RECORD_HEADER and data.startswith(RECORD_MAGIC, start)


def find_record(data: bytes, start: int, end: int) -> Span | None:
    """The next record from `start` on."""
    place = data.find(RECORD_MAGIC, start, end)
    while place >= 0:
        span = span_at(data, place, end)
        if span is not None:
            return span
        place = data.find(RECORD_MAGIC, place + 1, end)
    return None


def unsound_span(data: bytes, start: int, end: int, number: int) -> Span | None:
    """The record of that number at `start`, though the size behind it is not the one before it."""
    if start + SMALLEST_RECORD > end:
        return None
    magic, size, found, ticks = _RECORD(data, start)
    if magic != RECORD_MAGIC or found != number or not SMALLEST_RECORD <= size <= end - start:
        return None
    return Span(start, start + size, number, ticks, place=RecordPlace.TWO_SIZES)
