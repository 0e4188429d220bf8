"""What terminals, mail and web pages do to lines: colours, encodings, marks of quotations, blank lines."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email.message import Message

__all__ = ["plain", "spaced_once", "unquoted"]

_QUOTED = re.compile(r"^(?:[ \t]*>)+ ?", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]{0,32}m")
_HEAD = 1 << 16  # characters in which a mail names how its parts are encoded
_FEWEST = 4  # lines that begin so before they count as quoted, or as spaced out


def plain(text: str) -> str:
    """Return a text without colours of a terminal, and with the parts of mail decoded."""
    if "\x1b[" in text:
        text = _COLOUR.sub("", text)
    head = text[:_HEAD].lower()
    if "content-transfer-encoding:" not in head:
        return text
    from email import message_from_string

    parts = [
        _decoded(part) for part in message_from_string(text).walk() if part.get_content_maintype() == "text"
    ]
    return "\n".join(parts) or text


def _decoded(part: Message) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    try:
        return data.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def unquoted(text: str) -> str:
    """Return a text without the marks of quoted mail."""
    marks = text.count("\n>") + text.startswith(">")
    return _QUOTED.sub("", text) if marks >= _FEWEST else text


def spaced_once(text: str) -> str:
    """Return a text without blank lines where one stands between any two lines.

    Each line keeps its place, but for a text that is changed: there its number is half of what it was.
    """
    lines = text.strip("\r\n").splitlines()
    filled = [bool(line.strip()) for line in lines]
    if sum(filled) < 2 * _FEWEST or any(map(all, itertools.pairwise(filled))):
        return text
    return "\n".join(line for line in lines if line.strip())
