"""Objects that PowerShell exported, in whichever form: JSON, CLIXML, Format-List, Format-Table or CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from hvdegraded.tabular.clixml import is_clixml, objects_of_clixml
from hvdegraded.tabular.csv_rows import cells_of, csv_rows
from hvdegraded.tabular.format_list import objects_of_list
from hvdegraded.tabular.format_table import objects_of_table
from hvdegraded.tabular.json_document import Found, values_of

__all__ = ["objects_of_export"]

_MAX_DEPTH = 6
_MAX_OBJECTS = 1_000_000
_DELIMITERS = ",;\t|"


def objects_of_export(text: str, is_wanted: Callable[[Mapping[str, Any]], bool]) -> list[Found]:
    """Return the objects of a text, in the first form that gives a wanted one; none where no form does."""
    for form in _forms_of(text):
        found = [one for _, one in zip(range(_MAX_OBJECTS), form(text), strict=False)]
        if any(one.problem is None and is_wanted(one.value) for one in found):
            return found
    return []


def _forms_of(text: str) -> tuple[Callable[[str], Iterable[Found]], ...]:
    if is_clixml(text):
        return (_clixml,)
    if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
        return (_json,)
    return objects_of_list, objects_of_table, _csv


def _clixml(text: str) -> Iterator[Found]:
    try:
        yield from (Found(value, None, 1) for value in objects_of_clixml(text))
    except ValueError as error:
        yield Found(None, str(error), 1)


def _json(text: str) -> Iterator[Found]:
    for found in values_of(iter([text.lstrip("\ufeff")]), len(text)):
        if found.problem is not None:
            yield found
        else:
            yield from (found._replace(value=one) for one in _objects_in(found.value, 0))


def _objects_in(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    """The objects of a list, or of what wraps one: `{"value": […], "Count": 2}`."""
    if isinstance(value, list):
        for item in value:
            yield from _objects_in(item, depth)
    elif isinstance(value, dict):
        lists = [inner for inner in value.values() if isinstance(inner, list) and _holds_objects(inner)]
        if lists and len(value) <= 3 and depth < _MAX_DEPTH:
            for inner in lists:
                yield from _objects_in(inner, depth + 1)
        else:
            yield value


def _holds_objects(items: list[Any]) -> bool:
    return bool(items) and isinstance(items[0], dict)


def _csv(text: str) -> Iterator[Found]:
    lines = text.splitlines(keepends=True)
    skipped = 0
    while skipped < len(lines) and (not lines[skipped].strip() or lines[skipped].startswith("#")):
        skipped += 1
    if skipped == len(lines):
        return
    delimiter = max(_DELIMITERS, key=lines[skipped].count)
    header = [cell.strip() for cell in cells_of(lines[skipped].strip("\ufeff\r\n"), delimiter)]
    for row in csv_rows(lines[skipped + 1 :], delimiter, skipped=skipped + 1):
        if row.problem is not None:
            yield Found(None, row.problem, row.line)
        elif len(row.cells) == len(header):
            yield Found(dict(zip(header, row.cells, strict=True)), None, row.line)
        elif any(cell.strip() for cell in row.cells):
            problem = f"the row has {len(row.cells)} columns, the header {len(header)}"
            yield Found(None, problem, row.line)
