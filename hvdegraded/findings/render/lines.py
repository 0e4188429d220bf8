"""Lines of text onto a terminal, by rich, or into a file, which loads nothing for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol, TextIO

from hvdegraded.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["ConsoleLines", "FileLines", "Lines", "wrapped"]

_WORD = re.compile(r"\s*\S+\s*")


class Lines(Protocol):
    """What takes lines."""

    def put(
        self, text: str = "", style: str | None = None, indent: int = 0, *, is_whole: bool = False
    ) -> None:
        """Take a text, which is made printable and wrapped where it is longer than a line, or stays whole."""


class ConsoleLines:
    """Lines on a terminal, with styles."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def put(
        self, text: str = "", style: str | None = None, indent: int = 0, *, is_whole: bool = False
    ) -> None:
        """Print a text."""
        from rich.text import Text

        text, console = printable(text), self._console
        if is_whole or len(text) + indent <= console.width:
            console.print(" " * indent + text, style=style, markup=False, emoji=False, soft_wrap=is_whole)
            return
        for line in Text(text, style or "").wrap(console, console.width - indent, overflow="fold"):
            line.rstrip()
            console.print(Text(" " * indent).append_text(line))


class FileLines:
    """Lines in a file; with `soft_wrap` those without indent stay whole, for whoever shows the file."""

    def __init__(self, target: TextIO, width: int, *, soft_wrap: bool) -> None:
        self._write = target.write
        self._width = width
        self._soft_wrap = soft_wrap

    def put(
        self,
        text: str = "",
        style: str | None = None,  # noqa: ARG002
        indent: int = 0,
        *,
        is_whole: bool = False,
    ) -> None:
        """Write a text; a file has no styles."""
        text, margin = printable(text), " " * indent
        most_cells = len(text) if text.isascii() else 2 * len(text)
        if is_whole or most_cells + indent <= self._width or (self._soft_wrap and not indent):
            self._write(f"{margin}{text}\n")
        else:
            for line in wrapped(text, self._width - indent):
                self._write(f"{margin}{line}\n")


def wrapped(text: str, width: int) -> list[str]:
    """Break a printable text into lines of that many cells, as rich does: words that are longer are cut."""
    if text.isascii():
        return _wrapped(text, width, len, _chopped)
    from rich.cells import cell_len, chop_cells

    return _wrapped(text, width, cell_len, chop_cells)


def _wrapped(
    text: str, width: int, cells: Callable[[str], int], chop: Callable[[str, int], list[str]]
) -> list[str]:
    breaks, used = [0], 0
    for word in _WORD.finditer(text):
        at, needed = word.start(), cells(word[0].rstrip())
        if needed <= width - used:
            used += cells(word[0])
        elif needed > width:
            parts = chop(word[0], width)
            for part in parts:
                breaks.append(at)
                at += len(part)
            used = cells(parts[-1])
        else:
            breaks.append(at)
            used = cells(word[0])
    return [text[start:end].rstrip() for start, end in pairwise([*dict.fromkeys(breaks), len(text)])]


def _chopped(text: str, width: int) -> list[str]:
    return [text[at : at + width] for at in range(0, len(text), width)]
