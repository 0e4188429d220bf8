"""Carving: records of chunks at any offset of any file, and remnants behind the live records of a chunk.

For disk images, memory dumps, unallocated space, renamed logs. A chunk is believed where its header is intact
or a record stands at its start. A remnant is believed only where it decodes and its EventRecordID is the
number in its header; it comes with `origin.recovered`. What was delivered already (same id, time and content)
is left out and counted as filtered.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from hvdegraded.record import EventRecord, NoteKind, ProviderFilter, ReadReport
from hvdegraded.sources.chunks import CHUNK_MAGIC, CHUNK_SIZE, Chunk, chunk_at, records_between
from hvdegraded.sources.evtx import EvtxDecoder, Wanted

__all__ = ["carve"]

_BLOCK = 4 << 20
_MOST_REMEMBERED = 2_000_000


def carve(
    stream: BinaryIO,
    report: ReadReport,
    wanted: ProviderFilter | None = None,
    *,
    decoder: EvtxDecoder | None = None,
) -> Iterator[EventRecord]:
    """The records of a seekable stream's chunks wherever they lie, then of each chunk its remnants."""
    report.reader = "evtx"
    decoder = decoder or EvtxDecoder()
    names = None if wanted is None else Wanted(wanted)
    seen: set[int] = set()
    report.size = stream.seek(0, 2)
    for number, chunk in enumerate(_chunks(stream)):
        report.chunks_seen += 1
        for record in decoder.records(chunk, report, names):
            yield from _once(record, seen, report)
        for record in _remnants(chunk._replace(number=number), decoder, names, report):
            yield from _once(record, seen, report)
    if not report.chunks_seen:
        report.note(NoteKind.READER, "no chunk of an event log was found")


def _chunks(stream: BinaryIO) -> Iterator[Chunk]:
    place, number = 0, 0
    while True:
        stream.seek(place)
        block = stream.read(_BLOCK + len(CHUNK_MAGIC))
        if len(block) <= len(CHUNK_MAGIC):
            return
        found = block.find(CHUNK_MAGIC)
        if found < 0 or found >= _BLOCK:
            place += _BLOCK
            continue
        stream.seek(place + found)
        chunk = chunk_at(stream.read(CHUNK_SIZE), place + found, number)
        if chunk is None:
            place += found + 1
            continue
        number += 1
        yield chunk
        place += found + (max(chunk.free, 512) if chunk.trusted else 512)


def _remnants(
    chunk: Chunk, decoder: EvtxDecoder, wanted: Wanted | None, report: ReadReport
) -> Iterator[EventRecord]:
    """Records behind the live ones; only where the header tells where these end."""
    if not chunk.trusted:
        return
    for span in records_between(chunk.data, chunk.free, len(chunk.data)):
        record = decoder.remnant(chunk, span, report.path)
        if record is None or record.record_id != span.number or not record.provider:
            continue
        if wanted is not None and not wanted.matches(record.provider):
            report.filtered += 1
            continue
        report.delivered += 1
        report.recovered += 1
        report.marked += bool(record.origin.doubts)
        yield record


def _once(record: EventRecord, seen: set[int], report: ReadReport) -> Iterator[EventRecord]:
    key = hash(record)
    if key in seen:
        report.delivered -= 1
        report.recovered -= record.origin.recovered
        report.marked -= bool(record.origin.doubts)
        report.filtered += 1
        return
    if len(seen) < _MOST_REMEMBERED:
        seen.add(key)
    yield record
