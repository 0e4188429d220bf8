"""Events that are alike, at rest: one of them folded, and when each happened."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import compress

from hvdegraded.events import Event
from hvdegraded.events.folded import UNKNOWN, EventFolder, FoldedEvent, age_of

__all__ = ["Group", "GroupKey", "Span", "column"]

Age = tuple[int, int]
Span = tuple[int, int]
"""A first and a last time in ticks, -1 where none is known."""
GroupKey = tuple[tuple[object, ...], str | None, str | None]
"""What events of a group share: what they say, of which VM by name and id."""


class Group:
    """Events that will get the same verdict, but for their context; the oldest is their example.

    `ticks` and `record_ids` are those of all events, in the order of reading. Most groups of a report on many
    VMs are of one event: those have no columns, as its example names both.
    """

    __slots__ = ("_age", "_columns", "folded")

    def __init__(self, example: FoldedEvent, ticks: array[int], record_ids: array[int]) -> None:
        self.folded = example
        self._age: Age | None = None
        self._columns: tuple[array[int], array[int]] | None = None
        if len(ticks) != 1 or (ticks[0], record_ids[0]) != self.age:
            self._age, self._columns = self.age, (ticks, record_ids)

    @property
    def example(self) -> Event:
        """The oldest event."""
        return self.folded.unfold()

    @property
    def age(self) -> Age:
        """Time and record id of the example."""
        return self._age or self.folded.age

    @property
    def columns(self) -> tuple[array[int], array[int]]:
        """The times and the record ids, -1 where unknown."""
        if self._columns is not None:
            return self._columns
        return self.ticks, self.record_ids

    @property
    def span(self) -> Span:
        """The first and the last time, -1 where none is known."""
        if self._columns is None:
            ticks = self.folded.age[0]
            return (ticks, ticks) if ticks >= 0 else (UNKNOWN, UNKNOWN)
        known = [ticks for ticks in self._columns[0] if ticks >= 0]
        return (min(known), max(known)) if known else (UNKNOWN, UNKNOWN)

    @property
    def last_record_id(self) -> int:
        """Record id of the last event, -1 where unknown; the highest of several at one time."""
        if self._columns is None:
            return self.folded.age[1]
        return max(zip(*self._columns, strict=True))[1]

    @property
    def ticks(self) -> array[int]:
        """The times."""
        return self._columns[0] if self._columns is not None else array("q", self.age[:1])

    @property
    def record_ids(self) -> array[int]:
        """The record ids."""
        return self._columns[1] if self._columns is not None else array("q", self.age[1:])

    @property
    def count(self) -> int:
        """Number of events."""
        return 1 if self._columns is None else len(self._columns[1])

    def extend(self, ticks: Iterable[int], record_ids: Iterable[int]) -> None:
        """Take further events at these times."""
        if self._columns is None:
            self._age, self._columns = self.age, self.columns
        self._columns[0].extend(ticks)
        self._columns[1].extend(record_ids)

    def only(self, kept: Sequence[bool]) -> Group:
        """Make a group of some of the events."""
        ticks, record_ids = self.columns
        return Group(self.folded, array("q", compress(ticks, kept)), array("q", compress(record_ids, kept)))

    def mend(self) -> None:
        """Leave out the last event if it was taken by half."""
        if self._columns is not None:
            ticks, record_ids = self._columns
            del ticks[len(record_ids) :]

    def show(self, example: Event, folder: EventFolder) -> None:
        """Take the older of two examples; of equally old ones, content decides, not which was read first."""
        age = age_of(example.time_ticks, example.record_id)
        if age < self.age or (age == self.age and repr(example.record) < repr(self.example.record)):
            self._columns = self.columns
            self._age, self.folded = age, folder.fold(example)


def column(values: Sequence[int | None]) -> array[int]:
    """Times or record ids as columns hold them."""
    try:
        return array("q", values)  # type: ignore[arg-type]  # None raises
    except (TypeError, OverflowError):
        return array("q", [age_of(one, None)[0] for one in values])
