"""Records that are alike: equal but for their time and numbers, as the few events that fill a log are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from hvdegraded.records.record import EventRecord, Origin

__all__ = ["CHANGING", "Changing", "Recurrence", "Recurrences", "cut_at", "in_order", "kind_of"]

_new_tuple: Any = tuple.__new__
_Numbers = Sequence[int | None]
_Texts = Sequence[str | None]


class Changing(NamedTuple):
    """What differs between records that are alike, as EventRecord names it: a column of each."""

    time_ticks: _Numbers
    record_id: _Numbers
    process_id: _Numbers
    thread_id: _Numbers
    activity_id: _Texts
    related_activity_id: _Texts


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
    """One of `Recurrences`, that is not put together yet: `changing` are its values of Changing."""

    like: EventRecord
    changing: tuple[Any, ...]
    path: str | None
    offset: int
    chunk: int

    def record(self) -> EventRecord:
        """Return the whole record."""
        like, changing, path, offset, chunk = self
        origin = _new_tuple(Origin, ("evtx", path, offset, None, chunk, False, (), ()))
        record: EventRecord = _new_tuple(EventRecord, _put_together((*like, *changing, origin)))
        return record


class Recurrences:
    """Records of a chunk of an .evtx log that are alike, without anomalies and caveats, in their order.

    `like` has no values in the places that change, and no origin: the same object says that records are
    alike, different objects say nothing. `starts` are the places of the records in the chunk, which begins at
    `offset`.
    """

    __slots__ = ("changing", "chunk", "like", "offset", "path", "starts")

    def __init__(
        self,
        like: EventRecord,
        changing: Changing,
        starts: Sequence[int],
        path: str | None,
        offset: int,
        chunk: int,
    ) -> None:
        self.like = like
        self.changing = changing
        self.starts = starts
        self.path = path
        self.offset = offset
        self.chunk = chunk

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, at: int) -> Recurrence:
        changing = tuple([column[at] for column in self.changing])
        return Recurrence(self.like, changing, self.path, self.offset + self.starts[at], self.chunk)

    def __iter__(self) -> Iterator[Recurrence]:
        like, path, offset, chunk = self.like, self.path, self.offset, self.chunk
        for start, changing in zip(self.starts, zip(*self.changing, strict=True), strict=True):
            yield _new_tuple(Recurrence, (like, changing, path, offset + start, chunk))

    def repeated(self, changing: Changing, starts: Sequence[int]) -> Recurrences:
        """Return records of the same chunk that are like these."""
        return Recurrences(self.like, changing, starts, self.path, self.offset, self.chunk)

    def only(self, places: Sequence[int]) -> Recurrences:
        """Return these of the records."""
        return self._picked(lambda column: [column[at] for at in places])

    def cut(self, place: int) -> tuple[Recurrences, Recurrences]:
        """Return those before a place in the chunk, and the others."""
        at = bisect_left(self.starts, place)
        return self._picked(itemgetter(slice(at))), self._picked(itemgetter(slice(at, None)))

    def _picked(self, pick: Callable[[Sequence[Any]], Sequence[Any]]) -> Recurrences:
        return self.repeated(Changing._make(map(pick, self.changing)), pick(self.starts))


def kind_of(record: EventRecord) -> Hashable:
    """Return what is equal in records that are alike: all but what changes, and where it was read."""
    origin = record.origin
    return *_equal_values(record), origin.reader, origin.recovered, origin.anomalies, origin.caveats


def in_order(found: Iterable[Recurrences]) -> list[Recurrence]:
    """Return all records of a chunk in their order."""
    return sorted(chain.from_iterable(found), key=attrgetter("offset"))


def cut_at(place: int, found: Iterable[Recurrences]) -> tuple[list[Recurrences], list[Recurrences]]:
    """Return what is before a place in a chunk, and what is behind it."""
    parts = [alike.cut(place) for alike in found]
    return [before for before, _ in parts if before.starts], [behind for _, behind in parts if behind.starts]
