"""Event XML inside of other text: quoted mail, Markdown, a browser's tree view, HTML entities, dumps."""

from __future__ import annotations

import html
import quopri
import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["PastedXml", "mended", "take_xml"]

_QUOTED = re.compile(r"^(?:[ \t]*>)+ ?", re.MULTILINE)
_QUOTED_START = re.compile(r"^(?:[ \t]*>)+[ \t]*<(?:\w{1,32}:)?Event[\s>]", re.MULTILINE)
_SMART_QUOTE = re.compile("=[\u2018-\u201f\u2033]")
_SMART_QUOTES = dict.fromkeys(range(0x201C, 0x2020), '"') | dict.fromkeys(range(0x2018, 0x201C), "'")
_TREE_MARK = re.compile(r"^[ \t]*[-+\u2212\u2013][ \t]*(?=<)", re.MULTILINE)
_START = re.compile(r"<(?:\w{1,32}:)?Event(?=[\s>])")
_END = re.compile(r"</(?:\w{1,32}:)?Event\s*>")
_MOST = 1_000_000

MARK = "\0"
"""Stands in the text where an event's XML was."""


class PastedXml(NamedTuple):
    """An event's XML, the line in which it begins, and whether its end is there."""

    text: str
    line: int
    whole: bool


def mended(text: str) -> Iterator[str]:
    """Give what a piece may have been before CSV, JSON or mail doubled or escaped its quotes."""
    if '=""' in text:
        yield text.replace('""', '"')
    if '\\"' in text:
        yield text.replace('\\"', '"').replace("\\r", "\r").replace("\\n", "\n").replace("\\/", "/")
    if _SMART_QUOTE.search(text):
        yield text.translate(_SMART_QUOTES)
    if "=3D" in text:
        yield quopri.decodestring(text.encode()).decode("utf-8", "replace")


def take_xml(text: str) -> tuple[str, list[PastedXml]]:
    """The text with each event's XML taken out, and the XML."""
    text = text.replace(MARK, " ")
    if "&amp;lt;Event" in text:
        text = html.unescape(text)
    if "&lt;Event" in text and "<Event" not in text:
        text = html.unescape(text)
    if _START.search(text) is None:
        return text, []
    if _QUOTED_START.search(text) is not None:
        text = _QUOTED.sub("", text)
    text = _TREE_MARK.sub("", text)
    rest: list[str] = []
    found: list[PastedXml] = []
    place, line = 0, 1
    start, end = _START.search(text), _END.search(text)
    while start is not None and len(found) < _MOST:
        if end is not None and end.start() < start.start():
            end = _END.search(text, start.end())
        following = _START.search(text, start.end())
        limit = len(text) if following is None else following.start()
        whole = end is not None and end.start() < limit
        stop = end.end() if end is not None and whole else limit
        line += text.count("\n", place, start.start())
        found.append(PastedXml(text[start.start() : stop], line, whole))
        rest += [text[place : start.start()], MARK]
        line += text.count("\n", start.start(), stop)
        place, start = stop, following
    rest.append(text[place:])
    left = "".join(rest)
    if "&lt;Event" in left:  # beside events that were not escaped
        parts = [take_xml(part) for part in left.split(MARK)]
        found += [piece for _, pieces in parts for piece in pieces]
        left = MARK.join(part for part, _ in parts)
    return left, found
