"""The container of event logs: file header and chunks; where damage is, and where data continue.

How it works. An .evtx file is a header of 4 KiB and chunks of 64 KiB; each chunk has a header, hash tables
and records one behind the other, and stands alone. Headers are hints: the size of the input and the magic
numbers of chunks and records decide.

1. Chunks are looked for where they belong. Where none is, the next magic number counts, or a chain of
   records where a chunk's first record belongs.
2. Behind the free-space offset lie remnants of older records, which are not events. Where the chunk's header
   is damaged that offset is not known, and numbers or times that fall back show where the live ones end.

Source of the format: libyal, "Windows XML Event Log (EVTX) format".
"""

from __future__ import annotations

import re
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from hvdegraded.formats.evtx.format import (
    CHUNK_HEADER,
    CHUNK_HEADER_SIZE,
    CHUNK_MAGIC,
    CHUNK_SIZE,
    FILE_HEADER,
    FILE_HEADER_SIZE,
    FILE_MAGIC,
    FIRST_RECORD,
    FRAGMENT_HEADER,
    INSTANCE_HEAD,
    INSTANCE_TOKEN,
    RECORD_HEADER,
    RECORD_START,
)
from hvdegraded.formats.evtx.record_headers import find_record, is_record, is_record_start, records_between

__all__ = [
    "MOST_RECORDS",
    "Chunk",
    "FileHeader",
    "MissingChunk",
    "ReadAt",
    "chunk_from",
    "chunk_header",
    "find_chunk",
    "find_chunks",
    "read_file_header",
    "scan_chunks",
]

MOST_RECORDS = 4096
"""Of a chunk; it has room for half as many."""

_SIZE = struct.Struct("<I").unpack_from
_NO_CHECKSUMS = 0x4
_MOST_RECORDS_ASKED = 64  # where their chunk begins
_LAST_RECORD = 44  # where the header of a chunk names its last record
# A mark, behind which a header names its own size, or the first record stands.
_MARK = re.compile(rb"ElfChnk\0(?=.{32}\x80\0\0\0|.{504}\*\*\0\0)", re.DOTALL).search
_ZEROS = bytes(CHUNK_SIZE)
_SCANNED = FIRST_RECORD + RECORD_HEADER  # bytes of a chunk that are read without its records

ReadAt = Callable[[int, int], bytes]
"""Bytes of an input from an offset, at most so many; fewer only where the input ends."""


class Chunk(NamedTuple):
    """One chunk: the bytes that are there, and what its header says where that can be trusted."""

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
    """Of the records' bytes; None if the chunk has no checksum."""
    written: int | None = None
    """When the first record was written (ticks)."""
    orderly: bool = False
    """Its last record is the one that the header counts, and no further one follows."""
    anomalies: tuple[str, ...] = ()
    """Of all its records."""

    @property
    def limit(self) -> int:
        """Up to where records can lie."""
        return min(self.free, len(self.data)) if self.trusted else len(self.data)

    @property
    def records(self) -> int | None:
        """How many records the header counts; None where it cannot be trusted."""
        if not self.trusted or not 0 <= self.last - self.first < MOST_RECORDS:
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
        return (
            self.checksum is None
            or zlib.crc32(self.data[FIRST_RECORD:end]) == self.checksum
            or (self.free != end and self.proven)
        )


class MissingChunk(NamedTuple):
    """A place where a chunk belongs and none can be read."""

    offset: int
    empty: bool
    """It holds nothing but zeros."""


class FileHeader(NamedTuple):
    """What the file header says, where it can be trusted; `following` is the next record's number."""

    chunks: int
    dirty: bool
    following: int


def read_file_header(data: bytes) -> FileHeader | None:
    """The file header; None where it is damaged."""
    if len(data) < FILE_HEADER.size or not data.startswith(FILE_MAGIC):
        return None
    _, _, _, following, _, _, _, _, chunks, _, flags, checksum = FILE_HEADER.unpack_from(data)
    if checksum != zlib.crc32(data[:120]) and (checksum or not flags & _NO_CHECKSUMS):
        return None
    return FileHeader(chunks, bool(flags & 1), following)


def find_chunks(
    read_at: ReadAt, start: int = FILE_HEADER_SIZE, number: int = 0
) -> Iterator[Chunk | MissingChunk]:
    """The chunks of an input from `start` on, in order; also damaged, displaced and cut ones.

    What lies where a chunk belongs and is not a chunk comes as a MissingChunk. `number` is that of the first.
    """
    data = read_at(start, CHUNK_SIZE)
    behind = start  # the beginning of the last chunk
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
        if not empty and not data.startswith(CHUNK_MAGIC):
            base = _displacement(data)
            if 0 < base < step:
                step, data = base, data[:base]
            elif base < 0 and start + base > behind:
                start += base
                data = read_at(start, CHUNK_SIZE)
        if data.startswith(CHUNK_MAGIC) or (not empty and find_record(data, FIRST_RECORD, len(data))):
            yield _chunk(data, start, number)
            behind = start
        elif len(data) > FIRST_RECORD:
            yield MissingChunk(start, empty or not data.strip(b"\0"))
        number += 1
        start += step
        data = read_at(start, CHUNK_SIZE)


def _next_chunk(data: bytes, following: bytes) -> tuple[int, bytes]:
    """How far it is from a chunk to the next, where that is not at its place, and the chunk's bytes."""
    both = data + following
    place = find_chunk(both, _certain_size(data))
    return (place, both[:place]) if place > 0 else (CHUNK_SIZE, data)


def _displacement(data: bytes) -> int:
    """How far from here a chunk without mark begins, by the templates that its records define."""
    bases = Counter(islice(_bases(data), _MOST_RECORDS_ASKED))
    return max(bases, key=lambda one: bases[one]) if bases else 0


def _bases(data: bytes) -> Iterator[int]:
    """Where a chunk begins, as records say whose template is defined in them: by its offset in the chunk."""
    for span in records_between(data, 0, len(data)):
        definition = span.start + RECORD_HEADER + INSTANCE_HEAD.size
        if definition + 8 <= span.end:
            fragment, token, _, key, offset = INSTANCE_HEAD.unpack_from(data, span.start + RECORD_HEADER)
            here = data[definition + 4 : definition + 8] == key.to_bytes(4, "little")
            if token == INSTANCE_TOKEN and fragment == FRAGMENT_HEADER and here:
                yield definition - offset


def _certain_size(data: bytes) -> int:
    """How many of the bytes certainly belong to the chunk that begins with them: a text can hold its mark."""
    if not data.startswith(CHUNK_MAGIC):
        return 1
    chunk = _chunk(data, 0, 0)
    return chunk.free if chunk.proven else 1


def _has_intact_header(data: bytes, start: int) -> bool:
    head = data[start : start + FIRST_RECORD]
    checksum = zlib.crc32(head[CHUNK_HEADER_SIZE:], zlib.crc32(head[:120]))
    return len(head) == FIRST_RECORD and checksum == _SIZE(head, 124)[0]


def _chunk(data: bytes, offset: int, number: int) -> Chunk:
    if len(data) < FIRST_RECORD:
        return Chunk(data, offset, number, False, 0, 0, len(data), None)
    head = CHUNK_HEADER.unpack_from(data)
    magic, _, _, first, last, head_size, last_record, free, sum_, _, flags, head_sum = head
    # No checksum covers the flags: they are trusted only where the checksums are absent.
    without = flags & _NO_CHECKSUMS and not sum_ and not head_sum
    trusted = (
        magic == CHUNK_MAGIC
        and (bool(without) or _has_intact_header(data, 0))
        and head_size == CHUNK_HEADER_SIZE
        and FIRST_RECORD <= free <= CHUNK_SIZE
    )
    written = None
    if is_record_start(data, FIRST_RECORD):
        written = RECORD_START.unpack_from(data, FIRST_RECORD)[3]
    chunk = Chunk(data, offset, number, trusted, first, last, free, None if without else sum_, written)
    tail = data[last_record : free + RECORD_HEADER] if len(data) > FIRST_RECORD + RECORD_HEADER else b""
    return chunk._replace(orderly=_ends_as_counted(tail, chunk, last_record))


def _ends_as_counted(tail: bytes, chunk: Chunk, last_record: int) -> bool:
    """Whether the bytes from the last record on hold the one that the header counts, and no further one."""
    if chunk.records is None or not is_record_start(tail, 0):
        return False
    _, size, number, _ = RECORD_START.unpack_from(tail)
    following = None
    if is_record_start(tail, size):
        following = RECORD_START.unpack_from(tail, size)[2]
    return bool(number == chunk.last and last_record + size == chunk.free and following != number + 1)


def find_chunk(data: bytes, place: int) -> int:
    """Where, from a place on, the next chunk's mark is one; -1 if nowhere.

    Its header is intact, or a record stands behind it. Marks in a row cost a few nanoseconds each.
    """
    while (found := _MARK(data, place)) is not None:
        place = found.start()
        if _has_intact_header(data, place) or is_record(data, place + FIRST_RECORD, len(data)):
            return place
        place += 1
    return -1


def chunk_from(data: bytes, offset: int, number: int) -> Chunk:
    """The chunk that begins with these bytes, up to their end or the next chunk."""
    return _chunk(_next_chunk(data, b"")[1], offset, number)


def chunk_header(read_at: ReadAt, offset: int) -> Chunk:
    """The chunk at an offset, of which only the header is read."""
    return _chunk(read_at(offset, _SCANNED), offset, 0)


def scan_chunks(read_at: ReadAt) -> Iterator[Chunk | MissingChunk]:
    """What `find_chunks` finds; of chunks in good order only the header is read: they come without bytes."""
    start, number = FILE_HEADER_SIZE, 0
    head = read_at(start, _SCANNED)
    while True:
        chunk = _chunk(head, start, number)
        if chunk.records is not None:
            (last_record,) = _SIZE(head, _LAST_RECORD)
            size = max(0, chunk.free - last_record) + RECORD_HEADER
            tail = read_at(start + last_record, size if last_record < CHUNK_SIZE else 0)
            chunk = chunk._replace(orderly=_ends_as_counted(tail, chunk, last_record))
        head = read_at(start + CHUNK_SIZE, _SCANNED)
        if chunk.orderly and head.startswith(CHUNK_MAGIC):
            yield chunk._replace(data=b"")
            start += CHUNK_SIZE
            number += 1
            continue
        for count, item in enumerate(find_chunks(read_at, start, number)):
            if count and isinstance(item, Chunk) and item.orderly:
                start, number, head = item.offset, item.number, item.data[:_SCANNED]
                break
            yield item
        else:
            return
