"""What mail and web pages do to lines: marks of quotations in front of them, and blank lines between all."""

from __future__ import annotations

import itertools
import re

__all__ = ["spaced_once", "unquoted"]

_QUOTED = re.compile(r"^(?:[ \t]*>)+ ?", re.MULTILINE)
_FEWEST = 4  # lines that begin so before they count as quoted, or as spaced out


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
