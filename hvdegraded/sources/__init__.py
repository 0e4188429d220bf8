"""Bytes in, event records out: tells what an input is, and picks the reader.

Nothing in here knows Hyper-V.
"""

from __future__ import annotations

import enum
import io
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import IO, Any, BinaryIO, cast

from hvdegraded.errors import EmptySourceError, LegacyEvtError, LossError, SourceError, UnknownFormatError
from hvdegraded.record import EventRecord, NoteKind, ProviderFilter, ReadReport

__all__ = ["Format", "read_stream", "sniff"]

_HEAD = 8192
_CHUNK_PLACE = 4096
_IN_MEMORY = 64 << 20
_BLOCK = 1 << 20
_MOST_EXPANDED = 8 << 30  # bytes that one compressed input may become
_GZIP_WINDOW = 31  # what zlib calls a gzip header and the largest window
_MOST_MEMBERS = 100_000
_MAGIC_GZIP, _MAGIC_ZIP = b"\x1f\x8b", b"PK\x03\x04"


class Format(enum.StrEnum):
    """What an input is."""

    EVTX = "evtx"
    XML = "xml"
    JSON = "json"
    GZIP = "gzip"
    ZIP = "zip"


def sniff(head: bytes, path: str | None = None) -> Format:
    """The format that an input's first bytes (8 KiB) show.

    Raises EmptySourceError, LegacyEvtError for an .evt log of Windows XP, UnknownFormatError.
    """
    if not head:
        raise EmptySourceError("the input is empty", path=path, hint="copy or export the log again")
    if head.startswith(b"ElfFile\0") or head[_CHUNK_PLACE:].startswith(b"ElfChnk\0"):
        return Format.EVTX
    if head[4:8] == b"LfLe":
        raise LegacyEvtError(
            "this is an .evt log of Windows XP or 2003",
            path=path,
            hint="convert it on Windows: wevtutil epl OLD.evt NEW.evtx /lf:true",
        )
    if head.startswith(_MAGIC_GZIP):
        return Format.GZIP
    if head.startswith(_MAGIC_ZIP):
        return Format.ZIP
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head.decode("utf-16", "replace").lstrip("\ufeff").lstrip().encode()
    else:
        text = head.removeprefix(b"\xef\xbb\xbf").replace(b"\0", b"").lstrip()
    if text.startswith(b"<"):
        return Format.XML
    if text.startswith((b"{", b"[")):
        return Format.JSON
    if not text:
        raise EmptySourceError("the input is blank", path=path, hint="copy or export the log again")
    raise UnknownFormatError(
        "this is neither an .evtx log nor event XML nor JSON lines",
        path=path,
        hint="export with wevtutil epl (evtx) or wevtutil qe /f:xml",
    )


EvtxReader = Callable[[BinaryIO, ReadReport, ProviderFilter | None], Iterator[EventRecord]]
"""What reads an .evtx log."""


def read_stream(
    stream: BinaryIO,
    report: ReadReport,
    wanted: ProviderFilter | None = None,
    *,
    read_evtx: EvtxReader | None = None,
) -> Iterator[EventRecord]:
    """The records of a binary stream, whatever it holds; compressed inputs are expanded, within bounds.

    `read_evtx` reads .evtx logs in place of the library's own reader. Raises SourceError and its children
    for what cannot be read at all, LossError at the first loss where the report is strict.
    """
    with ExitStack() as held:
        yield from _read(stream, report, wanted, read_evtx, held)


def _read(
    stream: BinaryIO,
    report: ReadReport,
    wanted: ProviderFilter | None,
    read_evtx: EvtxReader | None,
    held: ExitStack,
    depth: int = 0,
) -> Iterator[EventRecord]:
    stream, head = _peeked(stream, report)
    form = sniff(head, report.path)
    if form is Format.EVTX:
        if read_evtx is None:
            from hvdegraded.sources.evtx import read_evtx as read
        else:
            read = read_evtx  # type: ignore[assignment]
        yield from read(_seekable(stream, report, held), report, wanted)
    elif form is Format.XML:
        from hvdegraded.sources.xml import read_xml

        yield from read_xml(stream, report, wanted)
    elif form is Format.JSON:
        from hvdegraded.sources.jsonlines import read_json_lines

        yield from read_json_lines(stream, report, wanted)
    elif depth:
        raise SourceError("an archive in an archive is not read", path=report.path, hint="unpack it first")
    elif form is Format.GZIP:
        unpacked = _copied(_inflated(stream, report), report, held)
        yield from _read(unpacked, report, wanted, read_evtx, held, 1)
    else:
        yield from _read_zip(_seekable(stream, report, held), report, wanted, read_evtx)


def _peeked(stream: BinaryIO, report: ReadReport) -> tuple[BinaryIO, bytes]:
    """The stream at its start, and its first bytes."""
    start = stream.tell() if stream.seekable() else None
    head = stream.read(_HEAD) or b""
    if isinstance(head, str):
        raise SourceError("the stream gives text", path=report.path, hint="open it in binary mode")
    while len(head) < _HEAD and (more := stream.read(_HEAD - len(head))):
        head += more
    if start is None:
        return io.BufferedReader(_Unread(head, stream)), head
    stream.seek(start)
    return stream, head


class _Unread(io.RawIOBase):
    """A stream that cannot seek, with its first bytes put back; closing it leaves the stream open."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._head[: len(buffer)] or self._stream.read(len(buffer)) or b""
        self._head = self._head[len(buffer) :]
        buffer[: len(block)] = block
        return len(block)


def _seekable(stream: BinaryIO, report: ReadReport, held: ExitStack) -> BinaryIO:
    """The stream, or a temporary copy of one that cannot seek."""
    if stream.seekable():
        return stream
    return _copied(iter(lambda: stream.read(_BLOCK), b""), report, held)


def _copied(blocks: Iterable[bytes], report: ReadReport, held: ExitStack) -> BinaryIO:
    spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed by `held`
    held.enter_context(spool)
    size = 0
    for block in blocks:
        size += len(block)
        if size > _MOST_EXPANDED:
            report.note(NoteKind.LIMIT, f"expanding was stopped at {_MOST_EXPANDED} bytes")
            break
        spool.write(block)
    spool.seek(0)
    return cast("BinaryIO", spool)


def _inflated(stream: BinaryIO, report: ReadReport) -> Iterator[bytes]:
    """What a gzip stream of one or more members holds, as far as it can be read."""
    inflate = zlib.decompressobj(_GZIP_WINDOW)
    pending = b""
    try:
        while block := pending or stream.read(_BLOCK >> 4):
            yield inflate.decompress(block, _BLOCK)
            pending = inflate.unconsumed_tail
            if inflate.eof:
                pending = inflate.unused_data.lstrip(b"\0") or stream.read(_BLOCK >> 4).lstrip(b"\0")
                if not pending:
                    return
                inflate = zlib.decompressobj(_GZIP_WINDOW)
    except zlib.error as error:
        report.note(NoteKind.TRUNCATED, f"the compressed data are damaged: {error}")
        return
    report.note(NoteKind.TRUNCATED, "the compressed data end early")


def _member(packed: IO[bytes], report: ReadReport) -> Iterator[bytes]:
    try:
        while block := packed.read(_BLOCK):
            yield block
    except (EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
        report.note(NoteKind.TRUNCATED, f"the compressed data are damaged: {error}")


def _read_zip(
    stream: BinaryIO, report: ReadReport, wanted: ProviderFilter | None, read_evtx: EvtxReader | None
) -> Iterator[EventRecord]:
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise SourceError(f"the archive cannot be read: {error}", path=report.path) from None
    with archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        for member in members[:_MOST_MEMBERS]:
            part = ReadReport(path=f"{report.path or 'archive'}/{member.filename}", strict=report.strict)
            try:
                with ExitStack() as held:
                    packed = held.enter_context(archive.open(member))
                    unpacked = _copied(_member(packed, part), part, held)
                    yield from _read(unpacked, part, wanted, read_evtx, held, 1)
            except LossError:
                raise
            except (SourceError, zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
                part.note(NoteKind.UNREADABLE, error.text if isinstance(error, SourceError) else str(error))
            finally:
                report.add(part)
        if len(members) > _MOST_MEMBERS:
            report.note(NoteKind.LIMIT, f"only the first {_MOST_MEMBERS} members were read")
