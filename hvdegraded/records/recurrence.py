"""Records that are alike: equal but for their time and numbers, as the few events that fill a log are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from operator import itemgetter
from typing import Any, NamedTuple

from hvdegraded.records.record import EventRecord, Origin

__all__ = ["CHANGING", "Changing", "Recurrence", "kind_of", "runs"]

_new_tuple: Any = tuple.__new__


class Changing(NamedTuple):
    """What differs between records that are alike, as EventRecord names it."""

    time_ticks: int | None
    record_id: int | None
    process_id: int | None
    thread_id: int | None
    activity_id: str | None
    related_activity_id: str | None


CHANGING = tuple(EventRecord._fields.index(name) for name in Changing._fields)
"""The places of these values in an EventRecord."""

_NAMES = (*(f"like {name}" for name in EventRecord._fields), *Changing._fields, "origin")
_put_together = itemgetter(
    *(_NAMES.index(name if name in _NAMES else f"like {name}") for name in EventRecord._fields)
)
"""Makes a record of the values that are alike, then those that change, then the origin."""
_equal_values = itemgetter(
    *(place for place, name in enumerate(EventRecord._fields) if place not in CHANGING and name != "origin")
)


class Recurrence(NamedTuple):
    """A record of an .evtx log, without anomalies and caveats, as what it is like and what changes.

    `like` has no values in the places that change, and no origin; the same object in two recurrences says
    that the records are alike, different objects say nothing.
    """

    like: EventRecord
    changing: Changing
    path: str | None
    offset: int
    chunk: int

    def record(self) -> EventRecord:
        """Return the whole record."""
        like, changing, path, offset, chunk = self
        origin = _new_tuple(Origin, ("evtx", path, offset, None, chunk, False, (), ()))
        whole = _put_together((*like, *changing, origin))
        record: EventRecord = _new_tuple(EventRecord, whole)
        return record


def kind_of(record: EventRecord) -> Hashable:
    """Return what is equal in records that are alike: all but what changes, and where it was read."""
    origin = record.origin
    return *_equal_values(record), origin.reader, origin.recovered, origin.anomalies, origin.caveats


def runs(records: Iterable[Recurrence]) -> Iterator[list[Recurrence]]:
    """Sort recurrences by what they are like; in each run they keep their order."""
    found: defaultdict[int, list[Recurrence]] = defaultdict(list)
    for record in records:
        found[id(record[0])].append(record)
    yield from found.values()
