"""Events deep in other objects: search results, wrappers of no known name, JSON as text within JSON.

An object that is not an event by itself is searched from the outside in. What is found ends the search below
it. An object that itself names a provider, and is not an event, is not searched: its parts could be those of
an event that contradicts itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hvdegraded.formats.shippers.by_names import is_verdict, known_provider
from hvdegraded.formats.shippers.dates import DateOrder
from hvdegraded.formats.shippers.mapping import is_event_xml, record_from_mapping
from hvdegraded.records.record import EventRecord, Origin

__all__ = ["nested_records"]

_MAX_DEPTH = 12
_LONGEST_JSON = 1 << 20


def nested_records(
    value: Any, origin: Origin, dates: Callable[[], DateOrder], depth: int = 0
) -> Iterator[EventRecord | None]:
    """Yield the records in a value; None for what names a provider of Windows and cannot be read."""
    if isinstance(value, str):
        value = {"body": value} if is_event_xml(value) else _decoded(value)
    if depth > _MAX_DEPTH or not isinstance(value, (Mapping, list)) or not value:
        return
    if isinstance(value, list):
        for item in value:
            yield from nested_records(item, origin, dates, depth + 1)
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


def _decoded(text: str) -> Any:
    """The value of a text that is JSON; None for any other."""
    if text[:1] not in ("{", "[") or len(text) > _LONGEST_JSON:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
