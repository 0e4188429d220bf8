"""The container of event logs: file header, chunks, record headers; where damage is, and where data go on.

How it works. An .evtx file is a header of 4 KiB and chunks of 64 KiB; each chunk has a header, hash tables
and records one behind the other, and stands alone. Headers are hints: the size of the input and the magic
numbers of chunks and records decide.

1. Chunks are looked for where they belong. Where none is, the next magic number counts, or a chain of
   records where a chunk's first record belongs.
2. Records are walked from one header to the next. Where that chain breaks, a record header whose size and
   trailing size agree takes it up again, and what lies between is counted as lost: the next in the longest
   row of such headers whose numbers rise.
3. Behind the free-space offset lie remnants of older records: no events. Where the chunk's header is
   damaged that offset is not known, and numbers or times that fall back tell where the live ones end.

Source of the format: libyal, "Windows XML Event Log (EVTX) format".
"""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

__all__ = [
    "CHUNK_MAGIC",
    "CHUNK_SIZE",
    "FILE_HEADER_SIZE",
    "FILE_MAGIC",
    "FIRST_RECORD",
    "RECORD_HEADER",
    "RECORD_MAGIC",
    "Chunk",
    "FileHeader",
    "Gap",
    "MissingChunk",
    "ReadAt",
    "Span",
    "begins_chunk",
    "chunk_from",
    "find_chunks",
    "read_file_header",
    "records_between",
    "scan_chunks",
    "walk",
]

FILE_MAGIC = b"ElfFile\0"
CHUNK_MAGIC = b"ElfChnk\0"
RECORD_MAGIC = b"**\0\0"
FILE_HEADER_SIZE = 4096
CHUNK_SIZE = 65536
FIRST_RECORD = 512
"""Where a chunk's records begin."""

RECORD_HEADER = 24
"""Bytes of a record's header: magic, size, record number, time written."""

_SMALLEST = RECORD_HEADER + 8  # a record with nothing but a fragment header and its size again
_FILE_HEADER = struct.Struct("<8sQQQIHHHH76sII")
_CHUNK_HEADER = struct.Struct("<8sQQQQIIII64sII")
_RECORD = struct.Struct("<4sIQQ").unpack_from
_SIZE = struct.Struct("<I").unpack_from
_NO_CHECKSUMS = 0x4
_ZEROS = bytes(CHUNK_SIZE)
_FURTHEST = 4096  # how far record numbers may run on inside a chunk, which holds fewer records

ReadAt = Callable[[int, int], bytes]
"""Bytes of an input from an offset, at most so many; fewer only where the input ends."""


class Chunk(NamedTuple):
    """One chunk: its bytes as far as they are there, and what its header says where that can be believed."""

    data: bytes
    offset: int
    number: int
    trusted: bool
    """The header is intact."""
    first: int
    last: int
    """Record numbers of the first and the last record."""
    free: int
    """Where the records end."""
    checksum: int | None
    """Of the records' bytes; None where there is none."""

    @property
    def limit(self) -> int:
        """Up to where records can lie."""
        return min(self.free, len(self.data)) if self.trusted else len(self.data)

    @property
    def records(self) -> int | None:
        """How many records the header counts; None where it cannot be believed."""
        if not self.trusted or not 0 <= self.last - self.first < _FURTHEST:
            return None
        return self.last - self.first + 1

    @property
    def proven(self) -> bool:
        """Whether checksums say that header and records are as they were written."""
        return (
            self.trusted
            and self.checksum is not None
            and self.free <= len(self.data)
            and zlib.crc32(self.data[FIRST_RECORD : self.free]) == self.checksum
        )

    def intact(self, end: int) -> bool:
        """Whether nothing says that the records' bytes up to `end` are not those that were written."""
        return self.checksum is None or zlib.crc32(self.data[FIRST_RECORD:end]) == self.checksum


class MissingChunk(NamedTuple):
    """A place where a chunk belongs and none can be read."""

    offset: int
    empty: bool
    """It holds nothing but zeros."""


class Span(NamedTuple):
    """A record: where it starts and ends in its chunk, its number, and when it was written (ticks)."""

    start: int
    end: int
    number: int
    ticks: int
    sound: bool = True
    """The size behind the record is the one before it."""


class Gap(NamedTuple):
    """A stretch of a chunk without readable record headers, and how many records it seems to hold."""

    start: int
    end: int
    records: int
    cut_off: bool = False


class FileHeader(NamedTuple):
    """What the file header says, where it can be believed; `following` is the next record's number."""

    chunks: int
    dirty: bool
    following: int


def read_file_header(data: bytes) -> FileHeader | None:
    """The file header; None where it is damaged."""
    if len(data) < _FILE_HEADER.size or not data.startswith(FILE_MAGIC):
        return None
    _, _, _, following, _, _, _, _, chunks, _, flags, checksum = _FILE_HEADER.unpack_from(data)
    if checksum != zlib.crc32(data[:120]) and (checksum or not flags & _NO_CHECKSUMS):
        return None
    return FileHeader(chunks, bool(flags & 1), following)


def find_chunks(
    read_at: ReadAt, start: int = FILE_HEADER_SIZE, number: int = 0
) -> Iterator[Chunk | MissingChunk]:
    """The chunks of an input from `start` on, in order; also damaged, displaced and cut ones.

    What lies where a chunk belongs and is none comes as a MissingChunk. `number` is that of the first.
    """
    data = read_at(start, CHUNK_SIZE)
    while data:
        following = read_at(start + CHUNK_SIZE, CHUNK_SIZE)
        step = CHUNK_SIZE
        empty = data == _ZEROS
        if empty:
            pass
        elif following[:8] != CHUNK_MAGIC and following != _ZEROS:
            step, data = _next_chunk(data, following)
        elif not data.startswith(CHUNK_MAGIC):
            step, data = _next_chunk(data, b"")
        if data.startswith(CHUNK_MAGIC) or (not empty and _find_record(data, FIRST_RECORD, len(data))):
            yield _chunk(data, start, number)
        elif len(data) > FIRST_RECORD:
            yield MissingChunk(start, empty or not data.strip(b"\0"))
        number += 1
        start += step
        data = following if step == CHUNK_SIZE else read_at(start, CHUNK_SIZE)


def _next_chunk(data: bytes, following: bytes) -> tuple[int, bytes]:
    """How far it is from a chunk to the next, where that is not at its place, and the chunk's bytes."""
    both = data + following
    place = both.find(CHUNK_MAGIC, _surely_of(data))
    while place > 0:
        if begins_chunk(both, place):
            return place, both[:place]
        place = both.find(CHUNK_MAGIC, place + 1)
    return CHUNK_SIZE, data


def _surely_of(data: bytes) -> int:
    """How many of the bytes surely belong to the chunk that begins with them: a text can hold its mark."""
    if not data.startswith(CHUNK_MAGIC):
        return 1
    chunk = _chunk(data, 0, 0)
    return chunk.free if chunk.proven else 1


def _has_intact_header(data: bytes, start: int) -> bool:
    head = data[start : start + FIRST_RECORD]
    return len(head) == FIRST_RECORD and zlib.crc32(head[128:], zlib.crc32(head[:120])) == _SIZE(head, 124)[0]


def _chunk(data: bytes, offset: int, number: int) -> Chunk:
    if len(data) < FIRST_RECORD:
        return Chunk(data, offset, number, False, 0, 0, len(data), None)
    magic, _, _, first, last, head_size, _, free, sum_, _, flags, head_sum = _CHUNK_HEADER.unpack_from(data)
    # No checksum covers the flags: they are believed only where there are no checksums indeed.
    without = flags & _NO_CHECKSUMS and not sum_ and not head_sum
    trusted = (
        magic == CHUNK_MAGIC
        and (bool(without) or _has_intact_header(data, 0))
        and head_size == 128
        and FIRST_RECORD <= free <= CHUNK_SIZE
    )
    return Chunk(data, offset, number, trusted, first, last, free, None if without else sum_)


def begins_chunk(data: bytes, place: int) -> bool:
    """Whether a chunk's mark at a place is one: its header is intact, or a record stands behind it."""
    return _has_intact_header(data, place) or _is_record(data, place + FIRST_RECORD, len(data))


def chunk_from(data: bytes, offset: int, number: int) -> Chunk:
    """The chunk that begins with these bytes, as far as they reach or the next chunk begins."""
    return _chunk(_next_chunk(data, b"")[1], offset, number)


def scan_chunks(read_at: ReadAt) -> Iterator[Chunk | MissingChunk]:
    """What `find_chunks` finds; of chunks in good order only the header is read: they come without bytes."""
    start, number = FILE_HEADER_SIZE, 0
    head = read_at(start, FIRST_RECORD)
    while True:
        chunk = _chunk(head, start, number)
        head = read_at(start + CHUNK_SIZE, FIRST_RECORD)
        if chunk.records is not None and head.startswith(CHUNK_MAGIC):
            yield chunk._replace(data=b"")
            start += CHUNK_SIZE
            number += 1
            continue
        for count, item in enumerate(find_chunks(read_at, start, number)):
            if count and isinstance(item, Chunk) and item.records is not None:
                start, number, head = item.offset, item.number, item.data[:FIRST_RECORD]
                break
            yield item
        else:
            return


def records_between(data: bytes, start: int, end: int) -> Iterator[Span]:
    """Whatever has a record's header and sizes in a stretch of bytes, one behind the other."""
    while (span := _find_record(data, start, end)) is not None:
        yield span
        start = span.start + 4  # a remnant may hold older ones


def _span(data: bytes, start: int, end: int) -> Span | None:
    """The record at `start`, if its two sizes agree and it ends by `end`."""
    if start + _SMALLEST > end:
        return None
    magic, size, number, ticks = _RECORD(data, start)
    stop = start + size
    if magic != RECORD_MAGIC or size < _SMALLEST or stop > end or _SIZE(data, stop - 4)[0] != size:
        return None
    return Span(start, stop, number, ticks)


def _is_record(data: bytes, start: int, end: int) -> bool:
    return _span(data, start, end) is not None


def _find_record(data: bytes, start: int, end: int) -> Span | None:
    """The next record from `start` on."""
    place = data.find(RECORD_MAGIC, start, end)
    while place >= 0:
        span = _span(data, place, end)
        if span is not None:
            return span
        place = data.find(RECORD_MAGIC, place + 1, end)
    return None


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


def _unsound_span(data: bytes, start: int, end: int, number: int) -> Span | None:
    """The record of that number at `start`, though the size behind it is not the one before it."""
    if start + _SMALLEST > end:
        return None
    magic, size, found, ticks = _RECORD(data, start)
    if magic != RECORD_MAGIC or found != number or not _SMALLEST <= size <= end - start:
        return None
    return Span(start, start + size, number, ticks, sound=False)


def _goes_on(span: Span, last: int | None, written: int) -> bool:
    """Whether a record comes after that of number `last`, written then: remnants are older by both."""
    return last is None or last < span.number <= last + _FURTHEST or written <= span.ticks


def walk(chunk: Chunk) -> Iterator[Span | Gap]:
    """The records of a chunk in order, and the gaps between them."""
    data, trusted = chunk.data, chunk.trusted
    counted = chunk.records is not None
    place, limit = FIRST_RECORD, chunk.limit
    last = chunk.first - 1 if counted else None
    written = 0
    run: list[Span] | None = None
    while place < limit:
        span = _span(data, place, limit)
        if span is not None and (trusted or _goes_on(span, last, written)):
            yield span
            place, written = span.end, span.ticks
            last = last + 1 if trusted and last is not None else span.number
            if not trusted and place == chunk.free:
                return
            continue
        limit = len(data)
        if last is not None and (span := _unsound_span(data, place, limit, last + 1)):
            yield span
            last += 1
        if last is None:
            following = _find_record(data, place + 1, limit)
        else:
            if run is None:
                numbers = range(last + 1, (chunk.last if counted else last + _FURTHEST) + 1)
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
