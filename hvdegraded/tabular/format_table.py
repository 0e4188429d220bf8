"""PowerShell's Format-Table: a line of names over a line of dashes, rows below, groups by `Name: value`.

The dashes show where columns begin. In pasted text they often do not, because white space was lost; then the
columns begin where all rows have a gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from hvdegraded.tabular.json_document import Found

__all__ = ["objects_of_table"]

_RULER = re.compile(r"\s*-{2,}(?: +-+)*\s*")
_GROUP = re.compile(r" {1,3}(\w{1,64}): (\S.{0,255})")
_WIDE_GAP = re.compile(r"  ")
_MOST_MEASURED = 1000  # rows whose gaps are compared
_WIDEST = 4096  # characters of a row whose gaps are compared


class _Row(NamedTuple):
    """A row and its line, with the lines that wrapped cells take besides."""

    text: str
    line: int
    more: tuple[str, ...] = ()


def objects_of_table(text: str) -> Iterator[Found]:
    """The rows of the tables in a text, each with the value of its group and its line."""
    spans: list[tuple[int, int]] = []
    header = before = ""
    group: dict[str, str] = {}
    rows: list[_Row] = []
    is_after_blank = True
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            is_after_blank = True
            continue
        if _RULER.fullmatch(line) and before.strip():
            yield from _table(header, spans, rows[:-1], group)  # the last row was the names of this one
            spans, header, rows = [match.span() for match in re.finditer("-+", line)], before, []
        elif is_after_blank and (match := _GROUP.fullmatch(line)) is not None:
            yield from _table(header, spans, rows, group)
            group, spans, rows = {match[1]: match[2].strip()}, [], []
        elif spans and rows and not is_after_blank and not line[: spans[0][1]].strip():
            rows[-1] = rows[-1]._replace(more=(*rows[-1].more, line))
        elif spans:
            rows.append(_Row(line, number))
        before, is_after_blank = line, False
    yield from _table(header, spans, rows, group)


def _table(
    header: str, spans: list[tuple[int, int]], rows: list[_Row], group: dict[str, str]
) -> Iterator[Found]:
    """The rows of one table."""
    starts = [0, *(start for start, _ in spans[1:])]
    names = [cell.strip() for cell in _cells(header, starts)]
    is_shifted = any(_is_shifted(row.text, starts) for row in rows)
    measured = _gaps_of(rows, len(starts)) if is_shifted else []
    for row in rows:
        cells = _cut(row.text, measured) if len(measured) == len(starts) else _cells(row.text, starts)
        lines = [cells, *(_cut(more, starts) for more in row.more)]
        whole = (" ".join(filter(None, map(str.strip, parts))) for parts in zip(*lines, strict=True))
        yield Found(group | dict(zip(names, whole, strict=True)), None, row.line)


def _is_shifted(row: str, starts: list[int]) -> bool:
    """Whether the white space between two columns stands within a cell."""
    return any(_WIDE_GAP.search(cell.strip()) is not None for cell in _cells(row, starts))


def _gaps_of(rows: list[_Row], count: int) -> list[int]:
    """Where so many columns begin: behind gaps of all rows, where most rows have a word.

    None for a single row, which proves nothing.
    """
    texts = [row.text[:_WIDEST] for row in rows[:_MOST_MEASURED]]
    if len(texts) < 2:
        return []
    width = max(map(len, texts))
    filled = [any(text[at : at + 1].strip() for text in texts) for at in range(width)]
    behind_gaps = [at for at in range(1, width) if filled[at] and not filled[at - 1]]
    by_words = sorted(behind_gaps, key=lambda at: -sum(bool(text[at : at + 1].strip()) for text in texts))
    return sorted([0, *by_words[: count - 1]])


def _cells(line: str, starts: list[int]) -> list[str]:
    """The cells of a line; a number may reach to the left of its column's dashes."""
    moved = [0]
    for start in starts[1:]:
        place = start
        while place > moved[-1] and line[place - 1 : place].strip():
            place -= 1
        if place <= moved[-1]:  # a word of the column before reaches into this one
            place = start
            while line[place : place + 1].strip():
                place += 1
        moved.append(place)
    return _cut(line, moved)


def _cut(line: str, starts: list[int]) -> list[str]:
    return [line[a:b] for a, b in zip(starts, [*starts[1:], len(line)], strict=True)]
