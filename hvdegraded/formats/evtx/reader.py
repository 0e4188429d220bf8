"""The .evtx reader: bytes of a Windows event log in, event records and a full account out.

How it works. `chunks` finds chunks and records, `binxml.compiler` and `binxml.layout` decode the usual
records fast, `binxml.tree` all others. A chunk that cannot hold a wanted provider's name is passed over
undecoded, its records counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO

from hvdegraded.errors import EmptySourceError, LegacyEvtError, UnknownFormatError
from hvdegraded.formats.evtx.chunks import (
    FILE_HEADER_SIZE,
    FILE_MAGIC,
    Chunk,
    Gap,
    MissingChunk,
    ReadAt,
    Span,
    find_chunks,
    read_file_header,
)
from hvdegraded.formats.evtx.decoder import EvtxDecoder
from hvdegraded.formats.evtx.prefilter import ChunkPrefilter
from hvdegraded.formats.evtx.record_numbers import RecordNumberAudit
from hvdegraded.records.record import EventRecord, ProviderFilter
from hvdegraded.records.report import NoteKind, ReadReport

__all__ = [
    "EvtxReader",
    "chunk_records",
    "open_log",
    "read_evtx",
]

EvtxReader = Callable[[BinaryIO, ReadReport, ProviderFilter | None], Iterator[EventRecord]]
"""Reads an .evtx log: `read_evtx`, or another reader under the same contract."""

_MOST_SEARCHED = 4096  # places where a chunk may begin, in what has no file header


def read_evtx(
    source: bytes | BinaryIO,
    report: ReadReport,
    wanted: ProviderFilter | None = None,
    *,
    decoder: EvtxDecoder | None = None,
) -> Iterator[EventRecord]:
    """The records of an .evtx log, given as bytes or as a seekable binary stream, in the order of the file.

    Records of providers that are not `wanted` are counted, not delivered. Whatever is damaged, cut off or
    doubtful is told in the report; a record whose chunk fails its checksum comes with a doubt in its origin.
    A `decoder` that is used again need not learn the templates again.

    Raises EmptySourceError, LegacyEvtError for an old .evt log, UnknownFormatError for what is no event log,
    LossError at the first loss where the report is strict.
    """
    read_at, account = open_log(source, report)
    decoder = decoder or EvtxDecoder()
    names = None if wanted is None else ChunkPrefilter(wanted)
    for chunk in find_chunks(read_at):
        if isinstance(chunk, MissingChunk):
            account.add_hole(chunk)
        else:
            spans = account.add_chunk(chunk)
            yield from chunk_records(chunk, report, names, decoder, spans)
    account.finish()


def open_log(source: bytes | BinaryIO, report: ReadReport) -> tuple[ReadAt, RecordNumberAudit]:
    """What reads a log's bytes, and an account of its chunks; the report is told what the file header says.

    Raises as `read_evtx` does.
    """
    report.reader = "evtx"
    read_at, size = _reader_of(source)
    report.size = size
    head = read_at(0, FILE_HEADER_SIZE)
    _check_magic(head, read_at, size, report)
    header = read_file_header(head)
    if header is None:
        report.note(NoteKind.HEADER, "the file header is damaged; the chunks' own marks are believed")
    elif header.dirty:
        report.note(
            NoteKind.DIRTY,
            "the log was not closed, as in a copy from a live system: the newest may be missing",
        )
    return read_at, RecordNumberAudit(report, header, size)


def chunk_records(
    chunk: Chunk,
    report: ReadReport,
    wanted: ChunkPrefilter | None,
    decoder: EvtxDecoder,
    spans: Sequence[Span | Gap] | None = None,
) -> Iterator[EventRecord]:
    """The wanted records of a chunk, which is passed over undecoded where it surely holds none."""
    report.chunks_seen += 1
    count = None if wanted is None else wanted.records_without(chunk)
    if count is None:
        yield from decoder.records(chunk, report, wanted, spans)
    else:
        report.chunks_skipped += 1
        report.filtered += count


def _check_magic(head: bytes, read_at: ReadAt, size: int, report: ReadReport) -> None:
    if not head:
        raise EmptySourceError("the file is empty", path=report.path, hint="copy the log again")
    if head.startswith(FILE_MAGIC):
        return
    if head[4:8] == b"LfLe":
        raise LegacyEvtError(report.path)
    if any(isinstance(chunk, Chunk) for chunk in islice(find_chunks(read_at), _MOST_SEARCHED)):
        return
    raise UnknownFormatError(
        "this is no .evtx log", path=report.path, offset=0, hint=f"its {size} bytes hold no chunk of one"
    )


def _reader_of(source: bytes | BinaryIO) -> tuple[ReadAt, int]:
    if isinstance(source, bytes):
        return (lambda offset, count: source[offset : offset + count]), len(source)
    stream = source

    def read_at(offset: int, count: int) -> bytes:
        stream.seek(offset)
        return stream.read(count)

    return read_at, stream.seek(0, 2)
