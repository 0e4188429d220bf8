"""Logs that are to be read as a whole: their beginning holds events, of which none stands in a line alone."""

from __future__ import annotations

import io
import json

from hvdegraded.errors import SourceError
from hvdegraded.formats.autodetect import Format, read_stream, sniff
from hvdegraded.formats.text.syslog import event_of_line
from hvdegraded.records.record import EventRecord
from hvdegraded.tabular.encodings import decode_text

__all__ = ["FIRST_BYTES", "whole_log"]

FIRST_BYTES = 1 << 16
"""Bytes of a file that show what it is."""

_NAMES = {
    Format.XML: "event XML",
    Format.CSV: "a table of events (CSV)",
    Format.JSON: "a JSON document",
    Format.TEXT: "a text export of events",
}
_OPENINGS = ("{", "[", "[{", "[[")


def whole_log(head: bytes) -> str | None:
    """Name the form of a log by its first bytes; None for lines, JSON or not, and for what is not known."""
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
