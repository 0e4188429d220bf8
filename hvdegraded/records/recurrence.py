"""Records that are alike: equal but for their time and numbers, as the few events that fill a log are."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter, itemgetter
from sys import maxsize
from typing import Any, NamedTuple

from hvdegraded.records.record import EventRecord, Origin

__all__ = [
    "CHANGING",
    "Changing",
    "InPieces",
    "Recurrence",
    "Recurrences",
    "in_order",
    "joined",
    "kind_of",
    "whole",
]

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
        return whole(like, changing, origin)


def whole(like: EventRecord, changing: Iterable[Any], origin: Origin) -> EventRecord:
    """Return a record that is like another but for its values of Changing, and where it was found."""
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

    def part(self, first: int, end: int) -> Recurrences:
        """Return those from one on, up to another."""
        return self._picked(itemgetter(slice(first, end)))

    def _picked(self, pick: Callable[[Sequence[Any]], Sequence[Any]]) -> Recurrences:
        return self.repeated(Changing._make(map(pick, self.changing)), pick(self.starts))


def kind_of(record: EventRecord) -> Hashable:
    """Return what is equal in records that are alike: all but what changes, and where it was read."""
    origin = record.origin
    return *_equal_values(record), origin.reader, origin.recovered, origin.anomalies, origin.caveats


def in_order(found: Iterable[Recurrences]) -> list[Recurrence]:
    """Return all records of a chunk in their order."""
    return sorted(chain.from_iterable(found), key=attrgetter("offset"))


def joined(found: Iterable[Recurrences]) -> list[Recurrences]:
    """Return the records of a chunk, with one of these for all that are alike, in order of their firsts."""
    of_like: dict[int, list[Recurrences]] = {}
    for run in sorted(found, key=lambda one: one.starts[0]):
        of_like.setdefault(id(run.like), []).append(run)
    return [runs[0] if len(runs) == 1 else _joined(runs) for runs in of_like.values()]


def _joined(runs: Sequence[Recurrences]) -> Recurrences:
    starts = [start for run in runs for start in run.starts]
    order = sorted(range(len(starts)), key=starts.__getitem__)
    columns = [
        tuple(chain.from_iterable(parts)) for parts in zip(*(run.changing for run in runs), strict=True)
    ]
    return runs[0].repeated(Changing._make(columns), starts).only(order)


class InPieces:
    """Records of a chunk that are alike, in runs that are given piece by piece, in the order of the chunk."""

    def __init__(self, runs: Sequence[Recurrences]) -> None:
        self._runs = runs
        self._order: list[tuple[int, int]] | None = None  # where each record starts, and of which run it is
        self._given = 0
        self._given_of = [0] * len(runs)

    def before(self, place: int) -> list[Recurrences]:
        """Give those before a place in the chunk that were not given yet."""
        if self._order is None:
            self._order = sorted((start, at) for at, run in enumerate(self._runs) for start in run.starts)
        end = bisect_left(self._order, (place, 0), self._given)
        counts = Counter(at for _, at in self._order[self._given : end])
        self._given = end
        pieces = []
        for at, count in counts.items():
            first = self._given_of[at]
            self._given_of[at] = first + count
            pieces.append(self._runs[at].part(first, first + count))
        return pieces

    def rest(self) -> Sequence[Recurrences]:
        """Give those that were not given yet."""
        return self._runs if self._order is None else self.before(maxsize)
