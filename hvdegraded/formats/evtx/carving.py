"""Carving: records of chunks at any offset of any file, and, on request, remnants of older ones in them.

For disk images, memory dumps, unallocated space, renamed logs. A chunk is trusted where its header is intact
or a record stands at its start. A remnant is trusted only where it decodes and its EventRecordID is the
number in its header; it comes with `origin.recovered`. What was delivered already (same id, time and content)
is left out and counted as filtered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from hvdegraded.formats.evtx.chunks import Chunk, chunk_from, find_chunk
from hvdegraded.formats.evtx.decoder import EvtxDecoder
from hvdegraded.formats.evtx.format import CHUNK_SIZE
from hvdegraded.formats.evtx.prefilter import ChunkPrefilter
from hvdegraded.formats.evtx.record_headers import Gap, Span, records_between
from hvdegraded.formats.evtx.walk import walk
from hvdegraded.records.items import Chunks, Item, Note, NoteKind, Opened, Skipped
from hvdegraded.records.record import EventRecord, ProviderFilter
from hvdegraded.records.recurrence import in_order

__all__ = ["carve"]

_BLOCK = 4 << 20
_MOST_REMEMBERED = 2_000_000


def carve(
    stream: BinaryIO,
    path: str | None = None,
    wanted: ProviderFilter | None = None,
    *,
    remnants: bool = False,
) -> Iterator[Item]:
    """Read a seekable stream's chunks wherever they lie, and, if asked, each chunk's `remnants`."""
    decoder = EvtxDecoder()
    names = None if wanted is None else ChunkPrefilter(wanted, decoder.templates)
    seen: set[int] = set()
    size = stream.seek(0, 2)
    yield Opened("evtx", size)
    found = False
    for chunk in _chunks(stream, size):
        found = True
        yield Chunks(seen=1)
        spans = list(walk(chunk))
        for item in decoder.items(chunk, path, names, spans):
            if isinstance(item, list):
                yield from (_once(one.record(), seen) for one in in_order(item))
            else:
                yield _once(item, seen) if isinstance(item, EventRecord) else item
        for record in _remnants(chunk, spans, decoder, path) if remnants else ():
            yield _once(record, seen)
    if not found:
        yield Note(NoteKind.READER, "no chunk of an event log was found")
    if len(seen) >= _MOST_REMEMBERED:
        yield Note(NoteKind.LIMIT, f"copies were left out of the first {_MOST_REMEMBERED} records only")


def _chunks(stream: BinaryIO, size: int) -> Iterator[Chunk]:
    place, number = 0, 0
    while place < size:
        stream.seek(place)
        block = stream.read(_BLOCK + CHUNK_SIZE)
        here = 0
        while 0 <= (found := find_chunk(block, here)) < _BLOCK:
            chunk = chunk_from(block[found : found + CHUNK_SIZE], place + found, number)
            yield chunk
            number += 1
            here = found + len(chunk.data)
        place += max(_BLOCK, here)


def _remnants(
    chunk: Chunk, spans: Sequence[Span | Gap], decoder: EvtxDecoder, path: str | None
) -> Iterator[EventRecord]:
    """Records between and behind the live ones; only where the header shows which are live."""
    if not chunk.trusted:
        return
    places = [(span.start, span.end) for span in spans if isinstance(span, Gap)]
    places.append((max(chunk.free, spans[-1].end if spans else 0), len(chunk.data)))
    for span in (one for start, end in places for one in records_between(chunk.data, start, end)):
        record = decoder.remnant(chunk, span, path)
        if record is not None and record.record_id == span.number and record.provider:
            yield record


def _once(record: EventRecord, seen: set[int]) -> EventRecord | Skipped:
    """The record; what was delivered already is skipped."""
    key = hash(record)
    if key in seen:
        return Skipped(1)
    if len(seen) < _MOST_REMEMBERED:
        seen.add(key)
    return record
