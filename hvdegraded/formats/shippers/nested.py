"""Events deep in other objects: search results, wrappers of no known name, JSON as text within JSON.

An object that is not an event by itself is searched from the outside in. What is found ends the search below
it. An object that itself names a provider, and is not an event, is not searched: its parts could be those of
an event that contradicts itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from hvdegraded.formats.shippers.by_names import is_verdict, known_provider, may_name_a_provider
from hvdegraded.formats.shippers.dates import DateOrder
from hvdegraded.formats.shippers.mapping import record_from_mapping
from hvdegraded.formats.shippers.xml_values import is_event_xml
from hvdegraded.records.record import EventRecord, Origin
from hvdegraded.tabular.json_keys import decoded

__all__ = ["mentions_a_provider", "nested_records"]

_MAX_DEPTH = 12
_TABLES = (("columns", "rows"), ("fields", "rows"), ("columns", "data"), ("schema", "rows"))
_CHANNELS = "microsoft-windows-hyper-v"
_WORD = re.compile(r'"([\w./-]{3,128})\\*"', re.ASCII)
_LONGEST_JSON = 1 << 20
_KEYS_AT_ONCE = 1000


def nested_records(
    value: Any, origin: Origin, dates: Callable[[], DateOrder], depth: int = 0
) -> Iterator[EventRecord | None]:
    """Yield the records in a value; None for what names a provider of Windows and cannot be read."""
    if isinstance(value, str):
        if is_event_xml(value):
            value = {"body": value}
        else:
            value, anomalies = _decoded(value)
            origin = origin.with_anomalies(*anomalies)
    if depth > _MAX_DEPTH or not isinstance(value, (Mapping, list)) or not value:
        return
    if isinstance(value, list):
        for item in value:
            yield from nested_records(item, origin, dates, depth + 1)
        return
    rows = _rows_of_columns(value)
    if rows is not None:
        yield from nested_records(rows, origin, dates, depth + 1)
        return
    record = record_from_mapping(value, origin=origin, dates=dates)
    if record is not None:
        yield record
    elif any(known_provider(one) is not None for one in value.values()):
        if not is_verdict(value):
            yield None
    else:
        for item in value.values():
            yield from nested_records(item, origin, dates, depth + 1)


def _rows_of_columns(value: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The rows of a table whose columns are named once: of Azure's and Splunk's interfaces, and of pandas."""
    for columns, rows in _TABLES:
        names, found = value.get(columns), value.get(rows)
        if isinstance(names, list) and isinstance(found, list) and found and isinstance(found[0], list):
            keys = [str(one.get("name", "") if isinstance(one, dict) else one) for one in names]
            return [dict(zip(keys, row, strict=False)) for row in found if isinstance(row, list)]
    return None


def mentions_a_provider(value: Any) -> bool:
    """Whether a known provider or a channel of one stands anywhere in a value, in texts of JSON too."""
    return any(map(_part_mentions_one, _parts(value)))


def _parts(value: Any) -> Iterator[Any]:
    """Yield a value in parts whose texts are short: that of a large object takes as much memory as itself."""
    if not isinstance(value, dict):
        yield value
        return
    items = iter(value.items())
    while part := dict(islice(items, _KEYS_AT_ONCE)):
        yield part


def _part_mentions_one(value: Any) -> bool:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return True
    return may_name_a_provider(text) and any(map(_is_named, _WORD.finditer(text)))


def _is_named(word: re.Match[str]) -> bool:
    return known_provider(word[1]) is not None or word[1].lower().startswith(_CHANNELS)


def _decoded(text: str) -> tuple[Any, tuple[str, ...]]:
    """The value of a text that is JSON, and its anomalies; None for any other."""
    if text[:1] not in ("{", "[") or len(text) > _LONGEST_JSON:
        return None, ()
    try:
        return decoded(text)
    except (ValueError, RecursionError):
        return None, ()
