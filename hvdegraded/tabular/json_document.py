"""JSON values that spread over lines: the elements of an array, or one document behind the other.

Read piece by piece, so that memory is bounded by one value. A value that is none costs itself: the next one
is looked for where an object follows the end of another, or begins a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from hvdegraded.tabular.json_keys import value_at

__all__ = ["MAX_PARTS", "Found", "has_too_many_parts", "values_of"]

MAX_PARTS = 3 << 18
"""Objects, arrays and commas of a value; each can take a hundred bytes and more of memory."""

_PIECE = 1 << 16  # characters that are there, at least, before a value is tried
_SHORT = 1 << 12  # the same, behind a problem
_GAP = 1 << 8  # characters looked at again where the end of a text can cut what leads to the next value
_BETWEEN = re.compile(r"[\s,\0\]]*")
_OPENING = re.compile(r"[\s\0]*\[?")
_NEXT = re.compile(r"[}\]]\s*+,?+\s*+(?=\{)|\n(?=\{)")
_DEEPER = re.compile(r"(?:[^{}\[\]]*+[{\[]){256}")  # openings that nothing closes: one is as deep as the next
_LONGEST_WORD = 16  # characters of a token that the end of a text can cut


class Found(NamedTuple):
    """A value or the problem in its place, the line in which it begins, and its anomalies."""

    value: Any
    problem: str | None
    line: int
    anomalies: tuple[str, ...] = ()


def has_too_many_parts(text: bytes | str) -> bool:
    """Whether a JSON text would take far more memory than its size."""
    if len(text) <= _PIECE:
        return False
    marks: Any = ("{", "[", ",") if isinstance(text, str) else (b"{", b"[", b",")
    return sum(map(text.count, marks)) > MAX_PARTS


class _Rest:
    """The text that is left to read, held once, however often a part of it is looked at again."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._held, self._place = "", 0

    def after(self, used: int, wanted: int) -> tuple[str, bool]:
        """Move on by the characters used, to the text there and whether more may follow it.

        The text has `wanted` characters or more, unless it is the last.
        """
        self._place += used
        size = len(self._held) - self._place
        if size >= wanted:
            return self._held[self._place : self._place + wanted], True
        parts = [self._held[self._place :]]
        while size < wanted and (piece := next(self._pieces, None)) is not None:
            parts.append(piece)
            size += len(piece)
        self._held, self._place = "".join(parts), 0
        return self._held, size >= wanted


def values_of(pieces: Iterator[str], longest: int, *, keep_repeated: bool = False) -> Iterator[Found]:
    """The values in a text that comes in pieces, none of them over `longest` characters."""
    rest = _Rest(pieces)
    place, line, wanted = 0, 1, _PIECE
    opening, more, lost = True, True, False
    while more:
        text, more = rest.after(place, wanted)
        place, wanted = 0, _PIECE
        if opening:
            place = _end(_OPENING, text, 0)
            line += text.count("\n", 0, place)
            opening = False
        while True:
            start = _next_value(text, place) if lost else _end(_BETWEEN, text, place)
            at_end = start in (None, len(text))
            if start is None:
                start = max(place, len(text) - _GAP)
            line += text.count("\n", place, start)
            place = start
            if at_end:
                break
            lost = False
            problem, at, cut = None, place, False
            try:
                value, end, anomalies = value_at(text, place, keep_repeated=keep_repeated)
                cut = end == len(text)  # a number may go on
            except json.JSONDecodeError as error:
                problem, at = f"it is not JSON: {error.msg}", error.pos
                cut = at > len(text) - _LONGEST_WORD or error.msg.startswith("Unterminated string")
            except ValueError as error:
                problem = f"it is not JSON: {error}"[:200]
            except RecursionError:
                problem, at = "it is nested too deeply", _end(_DEEPER, text, place)
            if cut and more:
                if len(text) - place < longest and not has_too_many_parts(text[place:]):
                    wanted = 2 * (len(text) - place)
                    break
                problem, at = "it is too long, or has too many parts", place
            if problem is None:
                yield Found(value, None, line, anomalies)
                line += text.count("\n", place, end)
                place = end
                continue
            yield Found(None, problem, line)
            line += text.count("\n", place, at)
            # Each problem looks at all of the text again: so the next text is a short one.
            place, wanted, lost, more = at, _SHORT, True, True
            break


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    match = pattern.match(text, place)
    return place if match is None else match.end()


def _next_value(text: str, place: int) -> int | None:
    match = _NEXT.search(text, place)
    return None if match is None else match.end()
