"""Which files of a folder are logs: by their content, not by their names."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path, PurePath

from hvdegraded.errors import LegacyEvtError, SourceError, UnknownFormatError, UnsafeXmlError
from hvdegraded.formats.autodetect import Format, read_stream, sniff
from hvdegraded.formats.streams import HEAD
from hvdegraded.records.items import Item, Loss, LossReason, NoteKind
from hvdegraded.records.record import EventRecord
from hvdegraded.records.report import ReadReport
from hvdegraded.tabular.encodings import decode_text

__all__ = ["SNIFFED", "head_of", "is_log", "is_other_file", "is_readme", "pass_over_unread"]

SNIFFED = 1 << 16
"""Bytes of a file that show what it is."""

_ARCHIVES = (Format.GZIP, Format.ZIP, Format.ZSTD)
_EVENT_TAG = re.compile(rb"<\0?(?:\w\0?)*:?\0?E\0?v\0?e\0?n\0?t\0?[\s/>]")
_README = re.compile(r"readme(?:\.(?:md|markdown|rst|adoc|txt))?", re.IGNORECASE)
_TEXT_READERS = frozenset(("json", "csv", "xml", "text"))


def is_log(path: Path) -> bool:
    """Whether a file is an event log by its first bytes, or is a text that names an event anywhere."""
    from hvdegraded.formats.text.reader import LONGEST

    if path.suffix.lower() == ".xlsx":
        return _is_workbook_of_events(path)
    if is_readme(path.name):
        with suppress(SourceError):
            return any(map(_is_event, read_stream(io.BytesIO(_bytes_of(path, LONGEST)))))
        return False
    head = head_of(path)
    if _holds_events(head):
        return True
    return len(head) == SNIFFED and _form(head) is Format.TEXT and _names_an_event(_bytes_of(path, LONGEST))


def is_readme(name: str) -> bool:
    """Whether a file describes the folder or archive it lies in: it may name events, and is not a log."""
    return _README.fullmatch(PurePath(name).name) is not None


def _is_workbook_of_events(path: Path) -> bool:
    """Whether a workbook of Excel, which is not read, has a provider of Windows in one of its cells."""
    from hvdegraded.formats.archives import members
    from hvdegraded.formats.text.mentions import names_a_provider
    from hvdegraded.formats.text.reader import LONGEST

    with suppress(SourceError, OSError), path.open("rb") as stream:
        for name, opened in members(stream, None, []):
            if name == "xl/sharedStrings.xml" or name.startswith("xl/worksheets/"):
                with ExitStack() as held:
                    if names_a_provider(opened(name, [], held).read(LONGEST)):
                        return True
    return False


def head_of(path: Path) -> bytes:
    """The first bytes of a file, none of one that cannot be read."""
    return _bytes_of(path, SNIFFED)


def _bytes_of(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(count)
    except OSError:
        return b""


def _form(head: bytes) -> Format | None:
    try:
        return sniff(head[:HEAD])
    except SourceError:
        return None


def _holds_events(head: bytes) -> bool:
    """Whether the first bytes (`SNIFFED`) of a file that may be any are those of an event log.

    True for old .evt logs too, which are refused when they are read, and for a text that names an event in a
    form that is not read. Archives are not looked into.
    """
    form = None
    try:
        form = sniff(head[:HEAD])
        if form in (Format.EVTX, *_ARCHIVES):
            return form is Format.EVTX
        if any(map(_is_event, read_stream(io.BytesIO(head)))):
            return True
    except LegacyEvtError:
        return True
    except SourceError:
        if _mentions_events(head):
            return True
    return form is Format.TEXT and _names_an_event(head)


def _is_event(item: Item) -> bool:
    """Whether a reader found an event, or one that is cut or too large."""
    if isinstance(item, Loss):
        return item.reason in (LossReason.TRUNCATED, LossReason.OVER_LIMIT)
    return isinstance(item, (list, EventRecord))


def _names_an_event(data: bytes) -> bool:
    """Whether a text names an event, in any form: a provider of Windows and an id."""
    from hvdegraded.formats.text.mentions import bytes_may_name_one, mention_of_event

    return bytes_may_name_one(data) and mention_of_event(decode_text(data)[0]) is not None


def _mentions_events(head: bytes) -> bool:
    """Whether there is the start of an event's XML in the first bytes of a file."""
    return _EVENT_TAG.search(head) is not None


def is_other_file(name: str, error: SourceError, head: Callable[[], bytes]) -> bool:
    """Whether a file of a folder that cannot be read, for this reason, is not a log in the first place.

    `head` gives its first bytes.
    """
    if name.lower().endswith(".evtx"):
        return False
    return isinstance(error, (UnknownFormatError, UnsafeXmlError)) and not _mentions_events(head())


def pass_over_unread(part: ReadReport, head: Callable[[], bytes]) -> None:
    """Turn what was skipped unread of a file of a folder into a remark if the file is not a log."""
    if part.filtered == part.records_seen > 0 and part.reader in _TEXT_READERS and not _holds_events(head()):
        part.filtered = 0
        part.note(NoteKind.PASSED_OVER, "it is not a log: its first bytes contain no event")
