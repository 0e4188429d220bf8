"""CSV with a header in, event records out: EvtxECmd's, and others whose columns are those of a dialect."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache, partial
from typing import BinaryIO

from hvdegraded.formats.shippers.dates import date_order_of_stream
from hvdegraded.formats.shippers.dialects import tables
from hvdegraded.formats.shippers.json_lines import items_of, text_lines
from hvdegraded.records.items import Item, Loss, LossReason, Opened
from hvdegraded.records.record import ProviderFilter

__all__ = ["is_header", "read_csv_rows"]


def is_header(line: str) -> bool:
    """Whether a line names the columns of a known dialect."""
    try:
        names = set(next(csv.reader([line]), ()))
    except csv.Error:
        return False
    return any(names.issuperset(table.detect) for table in tables().dialects if not table.equals)


def read_csv_rows(
    stream: BinaryIO, path: str | None = None, wanted: ProviderFilter | None = None
) -> Iterator[Item]:
    """Read rows under a header, in UTF-8 or UTF-16; a row that does not fit the header is a loss.

    A quote that is not closed swallows lines: each counts as a lost record.
    """
    yield Opened("csv")
    dates = cache(partial(date_order_of_stream, stream))
    rows = csv.reader(text_lines(stream), strict=True)
    header = next(rows, [])
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            detail = f"it is not a row of CSV: {error}"
            yield Loss(LossReason.MALFORMED, detail, line=line, records=rows.line_num + 1 - line)
            continue
        if len(row) == len(header):
            yield from items_of(dict(zip(header, row, strict=True)), path, wanted, None, line, (), dates)
        elif row:
            detail = f"the row has {len(row)} columns, the header {len(header)}"
            yield Loss(LossReason.MALFORMED, detail, line=line, records=rows.line_num + 1 - line)
