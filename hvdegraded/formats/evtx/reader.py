"""The .evtx reader: bytes of a Windows event log in, event records out, and whatever is missing or damaged.

How it works. `chunks` and `walk` find chunks and records, `binxml.compiler` and `binxml.layout` decode the
usual records fast, `binxml.tree` all others. A chunk that cannot hold a wanted provider's name is skipped
undecoded, its records counted; of the first in every 256 chunks, if it is such a one, a record is decoded,
which names the channel whose time they cover.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO, NamedTuple

from hvdegraded.errors import EmptySourceError, LegacyEvtError, UnknownFormatError
from hvdegraded.formats.evtx.chunks import (
    Chunk,
    FileHeader,
    MissingChunk,
    ReadAt,
    find_chunks,
    first_chunk,
    read_file_header,
)
from hvdegraded.formats.evtx.decoder import EvtxDecoder
from hvdegraded.formats.evtx.format import (
    CHUNK_MAGIC,
    CHUNK_SIZE,
    FILE_HEADER_SIZE,
    FILE_MAGIC,
    FIRST_RECORD,
)
from hvdegraded.formats.evtx.prefilter import ChunkPrefilter
from hvdegraded.formats.evtx.record_headers import Gap, Span, find_record
from hvdegraded.formats.evtx.record_numbers import RecordNumberAudit
from hvdegraded.formats.evtx.repeated_chunks import RepeatedChunks
from hvdegraded.records.coverage import Coverage
from hvdegraded.records.items import Chunks, Item, Note, NoteKind, Opened
from hvdegraded.records.record import Origin, ProviderFilter

__all__ = [
    "ChunkReader",
    "EvtxReader",
    "OpenLog",
    "never_written",
    "open_log",
    "read_evtx",
]

EvtxReader = Callable[[BinaryIO, str | None, ProviderFilter | None], Iterator[Item]]
"""Reads an .evtx log: `read_evtx`, or another reader under the same contract."""

_MOST_SEARCHED = 4096  # places where a chunk may begin, in what has no file header
_SAMPLED = 256  # of so many chunks, one that is skipped names its channel
_CHANNEL_IN_NAME = re.compile(r"([^/\\]+)\.evtx$", re.IGNORECASE)


class OpenLog(NamedTuple):
    """A log whose chunks can be read: what reads its bytes, its header, and what there is to report of it."""

    read_at: ReadAt
    audit: RecordNumberAudit
    repeats: RepeatedChunks
    header: FileHeader | None
    items: list[Item]
    start: int
    """Where its chunks begin."""


def read_evtx(
    source: bytes | BinaryIO,
    path: str | None = None,
    wanted: ProviderFilter | None = None,
    *,
    decoder: EvtxDecoder | None = None,
) -> Iterator[Item]:
    """Read an .evtx log, given as bytes or as a seekable binary stream, in the order of the file.

    Records of providers that are not `wanted` are counted, not decoded whole. A record whose chunk fails its
    checksum has an anomaly. A `decoder` that is used again need not learn the templates again.

    Raises EmptySourceError, LegacyEvtError for an old .evt log, UnknownFormatError for what is not an event
    log.
    """
    log = open_log(source, path)
    yield from log.items
    chunks = ChunkReader(path, wanted, decoder or EvtxDecoder())
    for found in find_chunks(log.read_at, log.start):
        if isinstance(found, MissingChunk):
            log.audit.add_hole(found)
            continue
        chunk, note = log.repeats.checked(found)
        if note is not None:
            yield note
        if chunk is None:
            log.audit.add_copy()
            continue
        spans = log.audit.add_chunk(chunk)
        yield from log.audit.take()
        yield from chunks.items(chunk, spans)
    log.audit.finish()
    yield from log.audit.take()
    yield from never_written(log, path)


class ChunkReader:
    """Reads chunks one by one; what is not `wanted` is counted."""

    def __init__(self, path: str | None, wanted: ProviderFilter | None, decoder: EvtxDecoder) -> None:
        self._path = path
        self._wanted = None if wanted is None else ChunkPrefilter(wanted, decoder.templates)
        self._decoder = decoder

    def items(self, chunk: Chunk, spans: Sequence[Span | Gap] | None = None) -> Iterator[Item]:
        """What a chunk gives; `spans` are what lies in it, where that is known."""
        proven = self._wanted is not None and chunk.proven
        skipped = self._wanted.skipped(chunk) if self._wanted is not None and proven else None
        if skipped is None:
            yield Chunks(seen=1)
            yield from self._decoder.items(chunk, self._path, self._wanted, spans, proven=proven)
            return
        yield skipped
        if skipped.records and chunk.number % _SAMPLED == 0:
            yield from self._sample(chunk)

    def _sample(self, chunk: Chunk) -> Iterator[Coverage]:
        """The channel and the time of a chunk's first record."""
        span = find_record(chunk.data, FIRST_RECORD, chunk.limit)
        record = None if span is None else self._decoder.record(chunk, span, Origin())
        if record is not None and record.time_ticks is not None:
            yield Coverage(record.computer, record.channel, record.time_ticks, record.time_ticks)


def open_log(source: bytes | BinaryIO, path: str | None) -> OpenLog:
    """Open a log and look at its header. Raises as `read_evtx` does."""
    read_at, size = _reader_of(source)
    head = read_at(0, FILE_HEADER_SIZE)
    start = FILE_HEADER_SIZE
    if read_at(start, len(CHUNK_MAGIC)) != CHUNK_MAGIC:
        start = first_chunk(read_at(0, FILE_HEADER_SIZE + CHUNK_SIZE))
    _check_magic(head, read_at, size, path, start)
    header = read_file_header(head)
    items: list[Item] = [Opened("evtx", size)]
    if start < FILE_HEADER_SIZE:
        text = f"the file header is cut or missing: chunks begin at offset 0x{start:X}, others may be lost"
        items.append(Note(NoteKind.HEADER, text))
    elif header is None:
        items.append(Note(NoteKind.HEADER, "the file header is damaged; the chunks' own marks are trusted"))
    if header is not None and header.dirty:
        text = "the log was not closed, as in a copy from a live system: the newest may be missing"
        items.append(Note(NoteKind.DIRTY, text))
    repeats = RepeatedChunks(read_at, size, start, header)
    audit = RecordNumberAudit(header, size, repeats.elsewhere, start)
    return OpenLog(read_at, audit, repeats, header, items, start)


def never_written(log: OpenLog, path: str | None) -> Iterator[Coverage]:
    """That a log's channel never held a record: it has none, and the next one's number is 1.

    The channel is that of the file's name, as Windows names its logs (`%4` stands for a slash).
    """
    header = log.header
    name = _CHANNEL_IN_NAME.search(path or "")
    if header is not None and header.following <= 1 and not header.dirty and log.audit.is_empty and name:
        yield Coverage(None, name[1].replace("%4", "/"), 0, 0)


def _check_magic(head: bytes, read_at: ReadAt, size: int, path: str | None, start: int) -> None:
    if not head:
        raise EmptySourceError("the file is empty", path=path, hint="copy the log again")
    if head.startswith(FILE_MAGIC):
        return
    if head[4:8] == b"LfLe":
        raise LegacyEvtError(path)
    if any(isinstance(chunk, Chunk) for chunk in islice(find_chunks(read_at, start), _MOST_SEARCHED)):
        return
    raise UnknownFormatError(
        "this is not an .evtx log", path=path, offset=0, hint=f"its {size} bytes hold no chunk of one"
    )


def _reader_of(source: bytes | BinaryIO) -> tuple[ReadAt, int]:
    if isinstance(source, bytes):
        return (lambda offset, count: source[offset : offset + count]), len(source)
    stream = source

    def read_at(offset: int, count: int) -> bytes:
        stream.seek(offset)
        return stream.read(count)

    return read_at, stream.seek(0, 2)
