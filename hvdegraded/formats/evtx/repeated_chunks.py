"""Chunks of a log whose record numbers another chunk has, too: copies, and such as were put in.

In real logs record numbers do not repeat. So a chunk with the bytes of another is that one again, and its
records count once; of chunks that differ it is not known which one Windows wrote, so all are delivered with
an anomaly. The headers where chunks belong are read ahead, so that the first one is marked too.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from typing import NamedTuple

from hvdegraded.formats.evtx.chunks import Chunk, FileHeader, ReadAt, chunk_header
from hvdegraded.formats.evtx.format import CHUNK_SIZE, FILE_HEADER_SIZE, FIRST_RECORD
from hvdegraded.formats.evtx.record_headers import RecordPlace, Span
from hvdegraded.formats.evtx.walk import walk
from hvdegraded.records.items import Note, NoteKind
from hvdegraded.records.record import Anomaly

__all__ = ["RepeatedChunks"]

_MAX_COMPARED = 131_072  # chunks


class _Place(NamedTuple):
    """Where a chunk lies, where its records end, and the number of the last one."""

    offset: int
    free: int
    last: int


class _Numbers:
    """Ranges of record numbers that do not overlap, with the chunks that have them."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._places: list[_Place] = []

    def add(self, chunk: Chunk) -> _Place | None:
        """Take a chunk; give another one that has one of its numbers, or None."""
        at = bisect_right(self._firsts, chunk.last)
        if at and self._places[at - 1].last >= chunk.first:
            return self._places[at - 1]
        if len(self._firsts) < _MAX_COMPARED:
            self._firsts.insert(at, chunk.first)
            self._places.insert(at, _Place(chunk.offset, chunk.free, chunk.last))
        return None

    def next_above(self, number: int) -> int | None:
        """The lowest first number of a range above a number."""
        at = bisect_right(self._firsts, number)
        return self._firsts[at] if at < len(self._firsts) else None

    def count(self, first: int, last: int) -> int:
        """How many numbers from `first` to `last` these ranges hold."""
        found, at = 0, bisect_right(self._firsts, last) - 1
        while at >= 0 and self._places[at].last >= first:
            found += min(last, self._places[at].last) - max(first, self._firsts[at]) + 1
            at -= 1
        return found


class RepeatedChunks:
    """What is known of the record numbers of a log's chunks, which begin at `start`."""

    def __init__(
        self, read_at: ReadAt, size: int, start: int = FILE_HEADER_SIZE, header: FileHeader | None = None
    ) -> None:
        self._read_at = read_at
        self._following = 0 if header is None or header.dirty else header.following
        self._seen = _Numbers()
        self._originals: dict[bytes, int] = {}  # of chunks whose numbers repeat, by their content
        self._contradictory: set[int] = set()
        self._ahead = ahead = _Numbers()
        for offset in range(start, min(size, _MAX_COMPARED * CHUNK_SIZE), CHUNK_SIZE):
            chunk = chunk_header(read_at, offset)
            other = None if chunk.records is None else ahead.add(chunk)
            if other is not None and self._content(chunk) != self._content(other):
                self._contradictory |= {other.offset, offset}

    def elsewhere(self, first: int, last: int) -> int:
        """How many numbers from `first` to `last` are those of records of any chunk of the log."""
        return self._ahead.count(first, last)

    def checked(self, chunk: Chunk) -> tuple[Chunk | None, Note | None]:
        """The next chunk, marked if others have its numbers, or None for a copy; and what to report.

        With `following`, where the log counts records behind its last that may stand behind its end.
        """
        other = None if chunk.records is None else self._seen.add(chunk)
        where = f"the chunk at offset 0x{chunk.at(0):X}"
        if other is not None:
            self._originals.setdefault(self._content(other), other.offset)
            original = self._originals.setdefault(self._content(chunk), chunk.offset)
            if original != chunk.offset:
                text = f"{where} is a copy of the one at offset 0x{original:X}: its records count once"
                return None, Note(NoteKind.CHUNK, text)
        if other is None and chunk.offset not in self._contradictory:
            return self._with_following(chunk), None
        text = f"{where} has the numbers of another, which contains different records"
        return chunk._replace(anomalies=(Anomaly.REPEATED_NUMBERS,)), Note(NoteKind.CHUNK, text)

    def _with_following(self, chunk: Chunk) -> Chunk:
        following = self._ahead.next_above(chunk.last) or self._following
        if chunk.records is None or following <= chunk.last + 1 or chunk.free >= CHUNK_SIZE:
            return chunk
        data = chunk.data or self._read_at(chunk.offset, CHUNK_SIZE)
        longer = chunk._replace(data=data, orderly=False, following=following)
        has_more = any(isinstance(one, Span) and one.place is RecordPlace.BEHIND for one in walk(longer))
        return longer if has_more else chunk

    def _content(self, place: Chunk | _Place) -> bytes:
        data = self._read_at(max(0, place.offset + FIRST_RECORD), place.free - FIRST_RECORD)
        return hashlib.blake2b(data, digest_size=16).digest()
