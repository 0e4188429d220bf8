"""CSV with a header in, event records out: EvtxECmd's, and others whose columns are those of a dialect."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import BinaryIO

from hvdegraded.formats.shippers.dates import date_order_of_stream
from hvdegraded.formats.shippers.dialects import tables
from hvdegraded.formats.shippers.json_lines import items_of, text_lines
from hvdegraded.records.items import Item, Loss, LossReason, Opened
from hvdegraded.records.record import ProviderFilter
from hvdegraded.tabular.csv_rows import CsvRow, cells_of, csv_rows, distinct_columns, plain_column

__all__ = ["is_header", "read_csv_rows"]


def is_header(line: str) -> bool:
    """Whether a line names the columns of a known dialect."""
    names = set(map(plain_column, cells_of(line)))
    return any(names.issuperset(table.detect) for table in tables().dialects if not table.equals)


def read_csv_rows(
    stream: BinaryIO, path: str | None = None, wanted: ProviderFilter | None = None
) -> Iterator[Item]:
    """Read rows under a header, in UTF-8 or UTF-16; a row that does not fit the header is a loss.

    A quote that is not closed swallows lines: each counts as a lost record.
    """
    yield Opened("csv")
    dates = cache(partial(date_order_of_stream, stream))
    rows = csv_rows(text_lines(stream))
    names = map(plain_column, next(rows, CsvRow((), 1)).cells)
    header, anomalies = distinct_columns(tuple(names))
    for cells, line, lines, problem in rows:
        if problem is None and len(cells) == len(header):
            value = dict(zip(header, cells, strict=True))
            yield from items_of(value, path, wanted, None, line, anomalies, dates)
        elif problem is not None or cells:
            detail = problem or f"the row has {len(cells)} columns, the header {len(header)}"
            yield Loss(LossReason.MALFORMED, detail, line=line, records=lines)
