"""Rows of CSV, each with its place; a quote that is not closed costs the lines that it swallowed."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

__all__ = [
    "CsvRow",
    "cells_of",
    "csv_rows",
    "distinct",
    "distinct_columns",
    "plain_column",
]

REPEATED_COLUMNS = "several columns of its table have the same name"
"""The anomaly of records under such a header."""


class CsvRow(NamedTuple):
    """The cells of a row, or why there are none; `line` counts from 1, `lines` are those that it takes."""

    cells: tuple[str, ...]
    line: int
    lines: int = 1
    problem: str | None = None


def csv_rows(lines: Iterable[str], delimiter: str = ",", *, skipped: int = 0) -> Iterator[CsvRow]:
    """The rows of a text; `skipped` lines were before it."""
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        before = rows.line_num
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield CsvRow((), skipped + before + 1, rows.line_num - before, f"it is not a row of CSV: {error}")
        else:
            yield CsvRow(tuple(cells), skipped + before + 1, rows.line_num - before)


def cells_of(line: str, delimiter: str = ",") -> tuple[str, ...]:
    """The cells of one line; none where it is not CSV."""
    try:
        return tuple(next(csv.reader([line], delimiter=delimiter), ()))
    except csv.Error:
        return ()


def plain_column(name: str) -> str:
    """Return the name of a column without the zone of its times, which Azure adds: `TimeGenerated [UTC]`."""
    return name.strip().removesuffix("[UTC]").rstrip()


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, of which a repeated one has spaces behind it, so that a mapping keeps all values."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = times = seen.get(name, -1) + 1
        found.append(name + " " * times)
    return tuple(found)


def distinct_columns(header: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the columns of a header so that a mapping keeps all cells; returns the names and the anomalies."""
    names = distinct(header)
    repeated = any(name.strip() and name != own for name, own in zip(header, names, strict=True))
    return names, (REPEATED_COLUMNS,) if repeated else ()
