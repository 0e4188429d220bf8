"""Inputs that `label` refuses: binary files, and texts in which no line is an event."""

from __future__ import annotations

import io
import json
import os
import stat
from typing import BinaryIO

from hvdegraded.errors import SourceError, UnknownFormatError
from hvdegraded.formats.autodetect import Format, binary_kind, read_stream, sniff
from hvdegraded.formats.text.syslog import event_of_line
from hvdegraded.records.record import EventRecord
from hvdegraded.tabular.encodings import decode_text

__all__ = ["refuse_other_forms"]

_FIRST_BYTES = 1 << 16  # of a file, which show what it is

_NAMES = {
    Format.XML: "event XML",
    Format.CSV: "a table of events (CSV)",
    Format.JSON: "a JSON document",
    Format.TEXT: "a text export of events",
}
_OPENINGS = ("{", "[", "[{", "[[")


def refuse_other_forms(source: BinaryIO, head: bytes, first: bytes, *, only_binary: bool) -> None:
    """Raise UnknownFormatError for a source that is certainly not lines.

    `head` are the bytes that were read first, `first` the first lines. Text shows what it is only in a file:
    what comes first through a pipe may be the beginning of a line.
    """
    shows_text = _is_file(source) and not only_binary
    form = binary_kind(first) or (_whole_log(head[:_FIRST_BYTES]) if shows_text else None)
    if form is not None:
        wrong = f"the input is {form}, not lines of JSON; nothing was written"
        raise UnknownFormatError(wrong, hint="a triage reads it as a whole")


def _is_file(source: BinaryIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(source.fileno()).st_mode)
    except (OSError, AttributeError):
        return False


def _whole_log(head: bytes) -> str | None:
    """Name the form of a log of text; None for lines, JSON or not, and for what is not known."""
    try:
        form = sniff(head)
    except SourceError:
        return None
    if form not in _NAMES:
        return None
    lines = decode_text(head)[0].lstrip("\ufeff \t\r\n").splitlines()
    holds_lines = any(map(_is_object, lines))
    if form is Format.JSON:
        is_whole = _begins_spread(lines[0]) or (not holds_lines and _is_array(lines))
    elif form is Format.TEXT:
        is_whole = not holds_lines and not any(map(event_of_line, lines)) and _holds_events(head)
    else:
        is_whole = not holds_lines and _holds_events(head)
    return _NAMES[form] if is_whole else None


def _is_object(line: str) -> bool:
    """Whether a line is a JSON object, as shippers write them, or one that stands in an array."""
    text = line.strip()
    return text.startswith("{") and text.endswith("}") and _is_json(text)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _begins_spread(line: str) -> bool:
    """Whether a first line only opens a JSON value, or ends within an array."""
    text = "".join(line.split())
    return text in _OPENINGS or (text.startswith("[") and text.endswith(","))


def _is_array(lines: list[str]) -> bool:
    """Whether an array begins that is the only line, or more than one."""
    return lines[0].startswith("[") and (len(lines) == 1 or not _is_json(lines[0]))


def _holds_events(head: bytes) -> bool:
    try:
        return any(isinstance(item, list | EventRecord) for item in read_stream(io.BytesIO(head)))
    except SourceError:
        return False
