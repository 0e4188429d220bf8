"""Bytes in, event records out: tells what an input is, and picks the reader.

Nothing in here knows Hyper-V.
"""

from __future__ import annotations

import enum
import io
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO

from hvdegraded.errors import EmptySourceError, LegacyEvtError, SourceError, UnknownFormatError
from hvdegraded.formats.evtx.format import (
    CHUNK_MAGIC,
    CHUNK_SIZE,
    FILE_HEADER_SIZE,
    FILE_MAGIC,
    FIRST_RECORD,
    RECORD_MAGIC,
)
from hvdegraded.formats.streams import peeked, seekable
from hvdegraded.records.items import Item, Member, Note, NoteKind
from hvdegraded.records.record import ProviderFilter
from hvdegraded.tabular.encodings import encoding_of

if TYPE_CHECKING:
    from hvdegraded.formats.archives import Member as Opener
    from hvdegraded.formats.evtx.reader import EvtxReader

__all__ = ["LOG_SUFFIXES", "Format", "binary_kind", "read_stream", "sniff"]

_MOST_NAMED = 5
_CONTROLS = tuple(bytes([code]) for code in range(32) if code not in b"\t\r\n\x1b")
_LONGEST_PASTE = 1 << 20  # bytes of what begins like JSON or XML, is neither, and is read as text
_MOST_CHUNK_PLACES = 4096
_MAGIC_GZIP, _MAGIC_ZIP, _MAGIC_ZSTD = b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd"
LOG_SUFFIXES = (".evtx", ".xml", ".json", ".jsonl", ".ndjson", ".gz", ".zip", ".zst")
"""Endings of names that promise a log, also of files without events."""
_RESULT = re.compile(
    rb'\{\s*"schema":\s*"hvdegraded\.findings"'
    rb"|[\d,]+ events? in [\d,]+ findings?: |number,id,section,label,level,host,"
    rb"|<!doctype html>\s*<html[^\0]{0,2000}?<title>Hyper-V triage</title>"
)
_JSON = re.compile(rb"\{|\[\s*(?:[\[{\"\]]|$)")  # `[00513] Source` begins a text


class Format(enum.StrEnum):
    """What an input is."""

    EVTX = "evtx"
    XML = "xml"
    JSON = "json"
    CSV = "csv"
    TEXT = "text"
    GZIP = "gzip"
    ZIP = "zip"
    ZSTD = "zstd"


_Reader = Callable[[BinaryIO, "str | None", "ProviderFilter | None"], Iterator[Item]]
_BINARY = {
    FILE_MAGIC: "an .evtx log",
    CHUNK_MAGIC: "a part of an .evtx log",
    _MAGIC_GZIP: "compressed (gzip)",
    _MAGIC_ZSTD: "compressed (zstd)",
    b"BZh91AY&SY": "compressed (bzip2)",
    b"0\0\0\0LfLe": "an .evt log",
    b"\xfd7zXZ\0": "compressed (xz)",
    b"7z\xbc\xaf\x27\x1c": "a .7z archive",
    _MAGIC_ZIP: "a .zip archive or an Office document",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Office document",
    b"PAR1": "a Parquet file",
    b"SQLite format 3\0": "an SQLite database",
}
_ARCHIVES = {_MAGIC_GZIP: Format.GZIP, _MAGIC_ZIP: Format.ZIP, _MAGIC_ZSTD: Format.ZSTD}


def binary_kind(head: bytes) -> str | None:
    """Name what begins like this and is certainly not lines of text; None for all else."""
    return next((kind for magic, kind in _BINARY.items() if head.startswith(magic)), None)


def sniff(head: bytes, path: str | None = None) -> Format:
    """The format that an input's first bytes (8 KiB) show.

    Raises EmptySourceError, LegacyEvtError for an .evt log of Windows XP, UnknownFormatError.
    """
    if not head:
        raise EmptySourceError("the input is empty", path=path, hint="copy or export the log again")
    if head.startswith((FILE_MAGIC, CHUNK_MAGIC)) or head[FILE_HEADER_SIZE:].startswith(CHUNK_MAGIC):
        return Format.EVTX
    if head[4:8] == b"LfLe":
        raise LegacyEvtError(path)
    for magic, archive in _ARCHIVES.items():
        if head.startswith(magic):
            return archive
    codec, mark = encoding_of(head)
    shown = head[mark:].decode(codec, "replace").replace("\0", "").lstrip("\ufeff \t\r\n")
    text = shown.encode()
    if _RESULT.match(text):
        what = "this is the result of a triage, not a log"
        raise UnknownFormatError(what, path=path, hint="give the logs that it was made of")
    from hvdegraded.formats.text.reader import looks_like_text_form

    if looks_like_text_form(shown):
        return Format.TEXT
    if text.startswith(b"<"):
        return Format.XML
    if _JSON.match(text):
        return Format.JSON
    from hvdegraded.formats.shippers.csv_lines import is_header

    if is_header(text.split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")):
        return Format.CSV
    if not text:
        raise EmptySourceError("the input is blank", path=path, hint="copy or export the log again")
    if head.count(b"\0") > len(head) // 2 or (
        shown.count("\ufffd") > len(shown) // 8 and sum(map(head.count, _CONTROLS)) > len(head) // 50
    ):  # a text in a code page of another language has no control characters
        raise UnknownFormatError(
            "this is neither an .evtx log nor text",
            path=path,
            hint="export with wevtutil epl (evtx) or qe /f:xml; carving finds chunks of logs in any file",
        )
    return Format.TEXT


def read_stream(
    stream: BinaryIO,
    path: str | None = None,
    wanted: ProviderFilter | None = None,
    *,
    read_evtx: EvtxReader | None = None,
    anything: bool = False,
) -> Iterator[Item]:
    """Read a binary stream of any format; compressed inputs are expanded, within bounds.

    `read_evtx` reads .evtx logs in place of the library's own reader, and, with `anything`, everything that
    is not compressed. Raises SourceError and its children for what cannot be read at all.
    """
    if read_evtx is None:
        from hvdegraded.formats.evtx.reader import read_evtx as read

        read_evtx = read
    with ExitStack() as held:
        yield from _Reading(wanted, read_evtx, anything).read(stream, path, held)


class _Reading:
    """How an input, and what is compressed in it, is read."""

    def __init__(self, wanted: ProviderFilter | None, read_evtx: EvtxReader, anything: bool) -> None:
        self._wanted = wanted
        self._read_evtx = read_evtx
        self._anything = anything

    def read(self, stream: BinaryIO, path: str | None, held: ExitStack) -> Iterator[Item]:
        """What a stream gives, archives included."""
        stream, head = peeked(stream, path)
        form = self._format(stream, head, path)
        if form is Format.ZIP:
            notes: list[Note] = []
            archive = seekable(stream, notes, held)
            yield from notes
            yield from self._read_zip(archive, path)
        elif form in (Format.GZIP, Format.ZSTD):
            yield from self._read_compressed(stream, form, path, held)
        else:
            yield from self._read_plain(stream, form, path, held)

    def _read_compressed(
        self, stream: BinaryIO, form: Format, path: str | None, held: ExitStack
    ) -> Iterator[Item]:
        from hvdegraded.formats.archives import gunzipped, unzstd

        notes: list[Note] = []
        expanded = gunzipped(stream, notes) if form is Format.GZIP else unzstd(stream, notes)
        yield from self._read_expanded(expanded, path, held, notes)

    def _read_expanded(
        self, stream: BinaryIO, path: str | None, held: ExitStack, notes: list[Note]
    ) -> Iterator[Item]:
        """What expanded bytes give; `notes` grow while they are read."""
        try:
            stream, head = peeked(stream, path)
            form = self._format(stream, head, path)
            for item in self._read_plain(stream, form, path, held):
                yield item
                if notes:
                    yield from notes
                    notes.clear()
        except EmptySourceError as error:
            for note in notes:
                raise SourceError(note.text, path=path, hint="copy it again") from error
            raise
        yield from notes

    def _read_plain(
        self, stream: BinaryIO, form: Format, path: str | None, held: ExitStack
    ) -> Iterator[Item]:
        if form is Format.EVTX:
            notes: list[Note] = []
            whole = seekable(stream, notes, held)
            yield from notes
            yield from self._read_evtx(whole, path, self._wanted)
        elif form is Format.XML:
            from hvdegraded.formats.xml.reader import read_xml

            yield from self._read_or_text(read_xml, stream, path)
        elif form is Format.JSON:
            from hvdegraded.formats.shippers.json_lines import read_json_lines

            yield from self._read_or_text(read_json_lines, stream, path)
        elif form is Format.CSV:
            from hvdegraded.formats.shippers.csv_lines import read_csv_rows

            yield from read_csv_rows(stream, path, self._wanted)
        elif form is Format.TEXT:
            from hvdegraded.formats.text.reader import read_text

            yield from read_text(stream, path, self._wanted)
        else:
            raise SourceError("an archive in an archive is not read", path=path, hint="unpack it first")

    def _read_or_text(self, read: _Reader, stream: BinaryIO, path: str | None) -> Iterator[Item]:
        """What a reader gives, or else what stands in the text, which only begins like its format."""
        from hvdegraded.formats.text.reader import read_text

        place = stream.tell() if stream.seekable() else None
        try:
            yield from read(stream, path, self._wanted)
        except UnknownFormatError as error:
            if place is None:
                raise
            stream.seek(place)
            text = stream.read(_LONGEST_PASTE + 1)
            if len(text) > _LONGEST_PASTE:
                raise
            try:
                yield from read_text(io.BytesIO(text), path, self._wanted)
            except UnknownFormatError:
                raise error from None

    def _format(self, stream: BinaryIO, head: bytes, path: str | None) -> Format:
        if self._anything:
            return next((form for magic, form in _ARCHIVES.items() if head.startswith(magic)), Format.EVTX)
        try:
            form = sniff(head, path)
        except (EmptySourceError, UnknownFormatError):
            inside = _format_inside(stream, head) if head else None
            if inside is None:
                raise
            return inside
        return (_format_inside(stream, head) or form) if form is Format.TEXT else form

    def _read_zip(self, stream: BinaryIO, path: str | None) -> Iterator[Item]:
        from hvdegraded.formats.archives import CONTENT_TYPES, members
        from hvdegraded.formats.collections import INVENTORY, LIST, STATES, collected_files, folder_and_name

        others = []
        notes: list[Note] = []
        names = []
        collections = {folder: files.collection for folder, files in collected_files(stream).items()}
        found = bool(collections)
        for full, opened in members(stream, path, notes):
            if full == CONTENT_TYPES:
                raise SourceError(
                    "this is a document of Office, not a log", path=path, hint="save it as CSV or as text"
                )
            folder, name = folder_and_name(full)
            names.append((folder, name))
            collection = collections.get(folder)
            if collection is not None and name in (LIST, INVENTORY, STATES):
                continue
            part = f"{path or 'archive'}/{full}"
            is_log = name.lower().endswith(LOG_SUFFIXES)
            with ExitStack() as held:
                items = _Started(self._read_member(opened, part, held))
                if is_log or items.is_known:
                    found = True
                    zone = None if collection is None else collection.zone
                    yield Member(part, items, name.lower().endswith(".evtx"), zone)
                else:
                    others.append(full)
        for folder, collection in collections.items():
            beside = frozenset(name for place, name in names if place == folder)
            yield Member(f"{path or 'archive'}/{folder}{LIST}", collection.items(beside))
        if not found:
            raise SourceError("the archive holds no logs", path=path, hint="unpack it and look")
        yield from notes
        if others:
            named = ", ".join(others[:_MOST_NAMED]) + (", …" if len(others) > _MOST_NAMED else "")
            yield Note(NoteKind.PASSED_OVER, f"{len(others)} members are not logs: {named}")

    def _read_member(self, opened: Opener, path: str, held: ExitStack) -> Iterator[Item]:
        notes: list[Note] = []
        yield from self._read_expanded(opened(path, notes, held), path, held, notes)


class _Started(Iterator[Item]):
    """Items of which the first was asked for, so that it is known whether there is a format that fits."""

    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self._error: SourceError | None = None
        self._first: list[Item] = []
        try:
            self._first += [next(items)]
        except StopIteration:
            pass
        except SourceError as error:
            self._error = error

    @property
    def is_known(self) -> bool:
        """Whether the format is one that is read."""
        return not isinstance(self._error, (EmptySourceError, UnknownFormatError))

    def __next__(self) -> Item:
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._first.pop() if self._first else next(self._items)


def _format_inside(stream: BinaryIO, head: bytes) -> Format | None:
    """What stands behind a beginning that belongs to no format: chunks of a log, or an archive."""
    from hvdegraded.formats.zip_members import is_zip

    if not stream.seekable():
        return Format.EVTX if _holds_records(head) else None
    if _has_chunk(stream):
        return Format.EVTX
    if is_zip(stream):
        return Format.ZIP
    start = stream.tell()
    head = stream.read(FILE_HEADER_SIZE + CHUNK_SIZE)
    stream.seek(start)
    return Format.EVTX if _holds_records(head) else None


def _has_chunk(stream: BinaryIO) -> bool:
    """Whether a chunk of an .evtx log, or its first record, stands where one can."""
    start = stream.tell()
    try:
        for place in range(_MOST_CHUNK_PLACES):
            stream.seek(start + FILE_HEADER_SIZE + place * CHUNK_SIZE)
            head = stream.read(FIRST_RECORD + len(RECORD_MAGIC))
            if head.startswith(CHUNK_MAGIC) or head[FIRST_RECORD:] == RECORD_MAGIC:
                return True
            if not head:
                break
        return False
    finally:
        stream.seek(start)


def _holds_records(data: bytes) -> bool:
    """Whether bytes hold a chunk's mark or a whole record, as a log does whose beginning is cut off."""
    if CHUNK_MAGIC not in data and RECORD_MAGIC not in data:
        return False
    from hvdegraded.formats.evtx.chunks import find_chunk
    from hvdegraded.formats.evtx.record_headers import find_record

    return find_chunk(data, 0) >= 0 or find_record(data, 0, len(data)) is not None
