"""PowerShell's Format-Table: a line of names over a line of dashes, rows below, groups by `Name: value`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hvdegraded.tabular.json_document import Found

__all__ = ["objects_of_table"]

_RULER = re.compile(r"\s*-{2,}(?: +-+)*\s*")
_GROUP = re.compile(r"\s+(\w{1,64}): (\S.{0,255})")


def objects_of_table(text: str) -> Iterator[Found]:
    """The rows of the tables in a text, each with the value of its group and its line."""
    spans: list[tuple[int, int]] = []
    names: list[str] = []
    group: dict[str, str] = {}
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        if _RULER.fullmatch(line) and before.strip():
            spans = [match.span() for match in re.finditer("-+", line)]
            names = [cell.strip() for cell in _cells(before, spans)]
        elif (match := _GROUP.fullmatch(line)) is not None:
            group, spans = {match[1]: match[2].strip()}, []
        elif not line.strip():
            continue
        elif spans:
            cells = (cell.strip() for cell in _cells(line, spans))
            yield Found(group | dict(zip(names, cells, strict=True)), None, number)
        before = line


def _cells(line: str, spans: list[tuple[int, int]]) -> list[str]:
    """The cells of a line; a number may reach to the left of its column's dashes."""
    starts = [0]
    for start, _ in spans[1:]:
        place = start
        while place > starts[-1] and line[place - 1 : place].strip():
            place -= 1
        starts.append(place if place > starts[-1] else start)
    return [line[a:b] for a, b in zip(starts, [*starts[1:], len(line)], strict=True)]
