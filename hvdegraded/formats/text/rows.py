"""Events in rows: CSV and tabs under a header, and rows that were copied without one."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from hvdegraded.formats.shippers.by_names import field_of_key, known_provider
from hvdegraded.formats.shippers.coercion import level_of
from hvdegraded.formats.shippers.dates import DateOrder, iso_of
from hvdegraded.tabular.csv_rows import cells_of, csv_rows, distinct_columns, plain_column
from hvdegraded.tabular.json_document import Found
from hvdegraded.timestamps import ticks_from_text

__all__ = ["html_rows", "separated_rows"]

_EVENT_VIEWER = ("Level", "Date and Time", "Source", "Event ID", "Task Category")
_MOST_LINES_BEFORE_HEADER = 5
_MOST_COLUMNS = 1000
_HTML_ROW = re.compile(r"<tr\b[^<>]{0,256}>")
_HTML_CELL = re.compile(r"<t[hd]\b[^<>]{0,256}>")
_TAG = re.compile(r"<[^<>]{0,256}>")
_ID = re.compile(r"\d{1,5}", re.ASCII)
_SHORTEST_MESSAGE = 12  # characters; names of task categories and users are shorter


def separated_rows(text: str) -> Iterator[Found]:
    """Rows of CSV or of tabs; Event Viewer puts the description behind the last named column."""
    lines = text.splitlines(keepends=True)
    skipped = 0
    for line in lines[:_MOST_LINES_BEFORE_HEADER]:
        skipped += 1
        delimiter = max("\t,;|", key=line.count)
        header = [plain_column(cell) for cell in cells_of(line.strip("\r\n"), delimiter)]
        if not line.startswith("#") and len(header) >= 3:
            break
    else:
        return
    if len(header) > _MOST_COLUMNS:
        return
    if any(known_provider(cell) for cell in header):
        yield from _headerless(lines[skipped - 1 :], delimiter, skipped - 1)
        return
    columns, anomalies = distinct_columns(header)
    for row in csv_rows(lines[skipped:], delimiter, skipped=skipped):
        if row.problem is not None:
            yield Found(None, row.problem, row.line)
        elif len(row.cells) == len(header) + 1 and _is_event_viewers(header, row.cells):
            values = dict(zip((*_EVENT_VIEWER, "Message"), row.cells, strict=True))
            yield Found(values, None, row.line, anomalies)
        elif len(row.cells) > len(header) and header[-1].casefold() == "message":
            message = delimiter.join(row.cells[len(header) - 1 :])  # whose commas no quotes protect
            cells = (*row.cells[: len(header) - 1], message)
            yield Found(dict(zip(columns, cells, strict=True)), None, row.line, anomalies)
        elif len(row.cells) == len(header):
            yield Found(dict(zip(columns, row.cells, strict=True)), None, row.line, anomalies)
        elif any(known_provider(cell) for cell in row.cells):
            yield Found(None, f"the row has {len(row.cells)} columns, the header {len(header)}", row.line)


def html_rows(text: str) -> Iterator[Found]:
    """Rows of tables in HTML, as ConvertTo-Html writes them."""
    header: list[str] = []
    before, *rows = _HTML_ROW.split(text)
    line = 1 + before.count("\n")
    for row in rows:
        inside, end, _ = row.partition("</tr>")
        cells = [cell.partition("</t")[0] for cell in _HTML_CELL.split(inside)[1:]]
        texts = [html.unescape(_TAG.sub("", cell)).strip() for cell in cells]
        if end and "<th" in inside:
            header = texts
        elif end and header and len(texts) == len(header):
            yield Found(dict(zip(header, texts, strict=True)), None, line)
        line += row.count("\n")


def _is_event_viewers(header: list[str], cells: tuple[str, ...]) -> bool:
    """Whether a row has its provider and its number where Event Viewer writes them, in any language."""
    if len(cells) != len(_EVENT_VIEWER) + 1 or not cells[3].strip().isdecimal():
        return False
    return known_provider(cells[2]) is not None and field_of_key(header[3]) in (None, "event_id")


def _headerless(lines: list[str], delimiter: str, skipped: int) -> Iterator[Found]:
    """Rows without a header: cells that are one provider, one number and one time show what they are."""
    for row in csv_rows(lines, delimiter, skipped=skipped):
        cells = [cell.strip() for cell in row.cells]
        providers = [cell for cell in cells if known_provider(cell)]
        if not providers and row.problem is None:
            continue
        numbers = {cell for cell in cells if _ID.fullmatch(cell)}
        if len(providers) != 1 or len(numbers) != 1:
            problem = "the row has no header, and more than one number, or none, that could be the event id"
            yield Found(None, row.problem or problem, row.line)
            continue
        values = {"Source": providers[0], "Event ID": numbers.pop()}
        for cell in cells:
            if level_of(cell) is not None and not cell.isdecimal():
                values["Level"] = cell
            elif iso_of(cell, DateOrder.DAY) or iso_of(cell, DateOrder.MONTH) or ticks_from_text(cell):
                values["Date and Time"] = cell
        if "Date and Time" not in values:
            yield Found(
                None, "the row has no header, and no time that would show it to be an event", row.line
            )
            continue
        texts = [cell for cell in cells if len(cell) >= _SHORTEST_MESSAGE and cell not in values.values()]
        yield Found(values | {"Message": max(texts, key=len, default="")}, None, row.line)
