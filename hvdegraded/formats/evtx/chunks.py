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
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hvdegraded.formats.evtx.chunk_bases import ChunkBases
from hvdegraded.formats.evtx.format import (
    CHUNK_HEADER,
    CHUNK_HEADER_SIZE,
    CHUNK_MAGIC,
    CHUNK_SIZE,
    FILE_HEADER,
    FILE_HEADER_SIZE,
    FILE_MAGIC,
    FIRST_RECORD,
    RECORD_HEADER,
    RECORD_START,
)
from hvdegraded.formats.evtx.record_headers import find_record, is_record, is_record_start

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
    "first_chunk",
    "read_file_header",
    "scan_chunks",
]

MOST_RECORDS = 4096
"""Of a chunk; it has room for half as many."""

_SIZE = struct.Struct("<I").unpack_from
_NO_CHECKSUMS = 0x4
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
    following: int | None = None
    """The number of the log's next record, if others before it are missing and may stand behind the end."""
    moved: int = 0
    """How many bytes were put in before its first record; less than 0: cut out."""

    @property
    def is_found(self) -> bool:
        """Whether its bytes are those of a chunk: a mark or a record shows it."""
        data = self.data
        return data.startswith(CHUNK_MAGIC) or find_record(data, FIRST_RECORD, len(data)) is not None

    def at(self, place: int) -> int:
        """Where in the input a place in it stands; 0 where that was cut off."""
        return max(0, self.offset + place)

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
            and zlib.crc32(memoryview(self.data)[FIRST_RECORD : self.free]) == self.checksum
        )

    def intact(self, end: int) -> bool:
        """Whether nothing says that the records' bytes up to `end` are not those that were written."""
        return (
            self.checksum is None
            or zlib.crc32(memoryview(self.data)[FIRST_RECORD:end]) == self.checksum
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


def first_chunk(head: bytes) -> int:
    """Where chunks begin, in the first bytes of a log without a chunk where the first one belongs.

    Its file header is cut or missing, with a part of the first chunk or without, or it has grown; where
    nothing shows that, the chunks begin behind the place of the file header.
    """
    mark = find_chunk(head, 0)
    before = head if mark < 0 else head[:mark]
    record = find_record(before, 0, len(before))
    place = mark
    if record is not None:
        base, _ = ChunkBases().of(before, marked=False)
        place = record.start if base is None or head.startswith(FILE_MAGIC) else max(base, 0)
    return place if 0 <= place <= FILE_HEADER_SIZE else FILE_HEADER_SIZE


def find_chunks(
    read_at: ReadAt, start: int = FILE_HEADER_SIZE, number: int = 0
) -> Iterator[Chunk | MissingChunk]:
    """The chunks of an input from `start` on, in order; also damaged, displaced and cut ones.

    What lies where a chunk belongs and is not a chunk comes as a MissingChunk. `number` is that of the first.
    """
    bases = ChunkBases()
    data = read_at(start, CHUNK_SIZE)
    while data:
        following = read_at(start + CHUNK_SIZE, CHUNK_SIZE)
        chunk, step = _chunk(data, start, number), CHUNK_SIZE
        in_order = chunk.trusted and chunk.written is not None and following.startswith(CHUNK_MAGIC)
        if not in_order and data != _ZEROS:
            chunk, step = _out_of_order(chunk, following, bases)
        if chunk.is_found:
            yield chunk
            number += 1
        elif len(chunk.data) > FIRST_RECORD:
            yield MissingChunk(start, not chunk.data.strip(b"\0"))
            number += 1
        start += step
        data = following if step == CHUNK_SIZE else read_at(start, CHUNK_SIZE)


def _out_of_order(chunk: Chunk, following: bytes, bases: ChunkBases) -> tuple[Chunk, int]:
    """The chunk of these bytes, if it or the next one is not as it should be, and how far it is to the next.

    Its first record stands where a chunk's does, though bytes before it were cut out or put in.
    """
    data, marked, proven = chunk.data, chunk.data.startswith(CHUNK_MAGIC), chunk.proven
    certain = 1
    if proven:
        certain = chunk.free  # a text in it can hold a mark
    elif marked and (chunk.trusted or is_record(data, FIRST_RECORD, len(data))):
        certain = FIRST_RECORD
    stretch, place = data, find_chunk(data, certain)
    if place < 0 and not following.startswith(CHUNK_MAGIC) and following != _ZEROS:
        stretch += following
        place = find_chunk(stretch, certain)
    if proven:
        size = place if 0 < place < CHUNK_SIZE else CHUNK_SIZE
        return chunk._replace(data=data[:size]), size
    stretch = stretch[:place] if place > 0 else stretch
    base, unmarked = bases.of(stretch, marked=marked)
    if base is None or (base > 0 and not marked):
        size = base or unmarked or (place if place > 0 else CHUNK_SIZE)
        # In less than half a chunk of bytes that were put in, records are remnants.
        filler = stretch[: size if size >= CHUNK_SIZE // 2 else FIRST_RECORD]
        return _chunk(filler, chunk.offset, chunk.number), size
    end = step = place if place > 0 else min(len(stretch), max(CHUNK_SIZE + base, FIRST_RECORD))
    if place < 0 and len(following) < CHUNK_SIZE // 2:  # bytes that were put in moved the last records there
        end = len(stretch)
    if unmarked is not None:
        step, end = unmarked, unmarked + FIRST_RECORD
    own = stretch[:end]
    if base:
        # Where the first record begins in the header, bytes of that were cut out.
        is_cut = base < 0 and is_record_start(own, FIRST_RECORD + base)
        split = FIRST_RECORD if chunk.trusted and not is_cut else 0
        head, body = own[:split], own[split:]
        own = head + (body[base:] if base > 0 else bytes(-base) + body)
    return _chunk(own, chunk.offset + base, chunk.number)._replace(moved=base), step


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
    orderly = False
    if trusted and len(data) > FIRST_RECORD + RECORD_HEADER and 0 <= last - first < MOST_RECORDS:
        orderly = _ends_as_counted(data[last_record : free + RECORD_HEADER], last, free - last_record)
    checksum = None if without else sum_
    return Chunk(data, offset, number, trusted, first, last, free, checksum, written, orderly)


def _ends_as_counted(tail: bytes, last: int, room: int) -> bool:
    """Whether the bytes from the last record on hold one of this number and size, and no further one."""
    if not is_record_start(tail, 0):
        return False
    _, size, number, _ = RECORD_START.unpack_from(tail)
    following = None
    if is_record_start(tail, size):
        following = RECORD_START.unpack_from(tail, size)[2]
    return bool(number == last and size == room and following != number + 1)


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
    chunk = _chunk(data, offset, number)
    place = find_chunk(data, chunk.free if chunk.proven else 1)
    return chunk if place < 0 else _chunk(data[:place], offset, number)


def chunk_header(read_at: ReadAt, offset: int) -> Chunk:
    """The chunk at an offset, of which only the header is read."""
    return _chunk(read_at(offset, _SCANNED), offset, 0)


def scan_chunks(read_at: ReadAt, start: int = FILE_HEADER_SIZE) -> Iterator[Chunk | MissingChunk]:
    """What `find_chunks` finds; of chunks in good order only the header is read: they come without bytes."""
    number = 0
    head = read_at(start, _SCANNED)
    while True:
        chunk, orderly = _chunk(head, start, number), False
        if chunk.records is not None:
            (last_record,) = _SIZE(head, _LAST_RECORD)
            room = chunk.free - last_record
            tail = read_at(
                start + last_record, max(0, room) + RECORD_HEADER if last_record < CHUNK_SIZE else 0
            )
            orderly = _ends_as_counted(tail, chunk.last, room)
        head = read_at(start + CHUNK_SIZE, _SCANNED)
        if orderly and head.startswith(CHUNK_MAGIC):
            yield chunk._replace(data=b"", orderly=True)
            start += CHUNK_SIZE
            number += 1
            continue
        for count, item in enumerate(find_chunks(read_at, start, number)):
            if count and isinstance(item, Chunk) and item.orderly and not item.moved:
                start, number, head = item.offset, item.number, item.data[:_SCANNED]
                break
            yield item
        else:
            return
