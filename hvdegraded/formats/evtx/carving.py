"""Carving: records of chunks at any offset of any file, and, on request, remnants of older ones in them.

For disk images, memory dumps, unallocated space, renamed logs. A chunk is believed where its header is intact
or a record stands at its start. A remnant is believed only where it decodes and its EventRecordID is the
number in its header; it comes with `origin.recovered`. What was delivered already (same id, time and content)
is left out and counted as filtered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from hvdegraded.formats.evtx.chunks import (
    CHUNK_MAGIC,
    CHUNK_SIZE,
    Chunk,
    Gap,
    Span,
    begins_chunk,
    chunk_from,
    records_between,
    walk,
)
from hvdegraded.formats.evtx.decoder import EvtxDecoder
from hvdegraded.formats.evtx.prefilter import ChunkPrefilter
from hvdegraded.records.record import EventRecord, ProviderFilter
from hvdegraded.records.report import NoteKind, ReadReport

__all__ = ["carve"]

_BLOCK = 4 << 20
_MOST_REMEMBERED = 2_000_000


def carve(
    stream: BinaryIO,
    report: ReadReport,
    wanted: ProviderFilter | None = None,
    *,
    remnants: bool = False,
) -> Iterator[EventRecord]:
    """The records of a seekable stream's chunks wherever they lie, and, if asked, each chunk's `remnants`.

    Raises LossError at the first loss where the report is strict.
    """
    report.reader = "evtx"
    decoder = EvtxDecoder()
    names = None if wanted is None else ChunkPrefilter(wanted)
    seen: set[int] = set()
    report.size = stream.seek(0, 2)
    for chunk in _chunks(stream, report.size):
        report.chunks_seen += 1
        spans = list(walk(chunk))
        for record in decoder.records(chunk, report, names, spans):
            yield from _once(record, seen, report)
        for record in _remnants(chunk, spans, decoder, names, report) if remnants else ():
            yield from _once(record, seen, report)
    if not report.chunks_seen:
        report.note(NoteKind.READER, "no chunk of an event log was found")
    if len(seen) >= _MOST_REMEMBERED:
        report.note(NoteKind.LIMIT, f"copies were left out of the first {_MOST_REMEMBERED} records only")


def _chunks(stream: BinaryIO, size: int) -> Iterator[Chunk]:
    place, number = 0, 0
    while place < size:
        stream.seek(place)
        block = stream.read(_BLOCK + CHUNK_SIZE)
        here = 0
        while 0 <= (found := block.find(CHUNK_MAGIC, here)) < _BLOCK:
            here = found + 1
            if begins_chunk(block, found):
                chunk = chunk_from(block[found : found + CHUNK_SIZE], place + found, number)
                yield chunk
                number += 1
                here = found + len(chunk.data)
        place += max(_BLOCK, here)


def _remnants(
    chunk: Chunk,
    spans: Sequence[Span | Gap],
    decoder: EvtxDecoder,
    wanted: ChunkPrefilter | None,
    report: ReadReport,
) -> Iterator[EventRecord]:
    """Records between and behind the live ones; only where the header tells which are live."""
    if not chunk.trusted:
        return
    places = [(span.start, span.end) for span in spans if isinstance(span, Gap)]
    places.append((max(chunk.free, spans[-1].end if spans else 0), len(chunk.data)))
    for span in (one for start, end in places for one in records_between(chunk.data, start, end)):
        record = decoder.remnant(chunk, span, report.path)
        if record is None or record.record_id != span.number or not record.provider:
            continue
        if wanted is not None and not wanted.matches(record.provider):
            report.filtered += 1
            continue
        report.delivered += 1
        report.recovered += 1
        report.with_anomalies += bool(record.origin.anomalies)
        yield record


def _once(record: EventRecord, seen: set[int], report: ReadReport) -> Iterator[EventRecord]:
    key = hash(record)
    if key in seen:
        report.delivered -= 1
        report.recovered -= record.origin.recovered
        report.with_anomalies -= bool(record.origin.anomalies)
        report.filtered += 1
        return
    if len(seen) < _MOST_REMEMBERED:
        seen.add(key)
    yield record
