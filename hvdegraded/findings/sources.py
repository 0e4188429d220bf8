"""What a triage is given: events that were read, or what they are to be read from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from hvdegraded.events import Event
from hvdegraded.formats.shippers.frames import is_frame
from hvdegraded.records.record import EventRecord

__all__ = ["is_events", "paths_or_events"]


def paths_or_events(source: Iterator[Any]) -> Any:
    """Return all of the paths that an iterator gives, else what goes through the events that it gives."""
    for first in source:
        rest = chain([first], source)
        return rest if isinstance(first, (Event, EventRecord)) else list(rest)
    return []


def is_events(source: object) -> bool:
    """Return whether a source gives events or records, not what they are to be read from."""
    is_text = isinstance(source, (str, bytes, bytearray, memoryview))
    if is_text or hasattr(source, "read") or hasattr(source, "__fspath__") or is_frame(source):
        return False
    if isinstance(source, (list, tuple)) and not isinstance(source, EventRecord):
        return all(isinstance(item, (Event, EventRecord)) for item in source)
    return isinstance(source, Iterable) and not isinstance(source, (EventRecord, Event, Mapping))
