"""Events on their way into groups: those that will get the same verdict, but for what else happened."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Sequence

from hvdegraded.events import Event
from hvdegraded.findings.document import Exclusion
from hvdegraded.findings.groups import UNKNOWN
from hvdegraded.records.record import EventRecord
from hvdegraded.records.recurrence import Recurrence, kind_of
from hvdegraded.verdicts.timeline import Timeline

__all__ = ["Alike", "Group", "Run", "age_of", "column"]

_MOST = (1 << 63) - 1  # that a column of integers holds
_LONGEST_ALIKE = 4096  # characters of the values of records that are remembered


class Group:
    """Events that will get the same verdict, but for their context; the oldest is their example.

    `age` is the example's time and record id.
    """

    __slots__ = ("age", "example", "record_ids", "ticks")

    def __init__(self, example: Event, age: tuple[int, int]) -> None:
        self.example = example
        self.age = age
        self.ticks: array[int] = array("q")
        self.record_ids: array[int] = array("q")

    def extend(self, ticks: array[int], record_ids: array[int]) -> None:
        """Take the times and record ids of many."""
        self.ticks.extend(ticks)
        self.record_ids.extend(record_ids)

    def show(self, example: Event, age: tuple[int, int]) -> None:
        """Take the older of two examples; of equally old ones, content decides, not which was read first."""
        if age < self.age or (age == self.age and repr(example.record) < repr(self.example.record)):
            self.example, self.age = example, age


class Alike:
    """What records that are alike have in common: where their times go, and what group they belong to.

    `like` identifies them where they are recurrences, and must live as long as this; `group` is None until
    one is not excluded.
    """

    __slots__ = ("excluded", "group", "like", "timelines")

    def __init__(self, like: EventRecord, timelines: list[Timeline], excluded: Exclusion | None) -> None:
        self.like = like
        self.timelines = timelines
        self.excluded = excluded
        self.group: Group | None = None


class Run:
    """Records that are alike, with their times and record ids; `kind` identifies what they are like."""

    __slots__ = ("_records", "ids", "kind", "like", "times")

    def __init__(self, found: EventRecord | list[Recurrence]) -> None:
        self._records: Sequence[EventRecord | Recurrence]
        self.kind: Hashable
        self.times: list[int | None]
        self.ids: list[int | None]
        if isinstance(found, EventRecord):
            self._records, self.like, self.kind = (found,), found, kind_of(found)
            self.times, self.ids = [found.time_ticks], [found.record_id]
        else:
            self._records, self.like = found, found[0][0]
            self.kind = id(self.like)
            changing = [one[1] for one in found]
            self.times, self.ids = [one[0] for one in changing], [one[1] for one in changing]

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, at: int) -> EventRecord:
        record = self._records[at]
        return record if isinstance(record, EventRecord) else record.record()

    @property
    def is_short(self) -> bool:
        """Whether the kind takes so little room that it can be remembered."""
        like = self.like
        if like is not self._records[0]:  # recurrences are short
            return True
        return sum(len(text) for _, text in (*like.data, *like.extra, *like.rendering)) <= _LONGEST_ALIKE

    def keep(self, places: Sequence[int]) -> None:
        """Leave out the records of all other places."""
        self._records = [self._records[at] for at in places]
        self.times, self.ids = [self.times[at] for at in places], [self.ids[at] for at in places]


def age_of(ticks: int | None, record_id: int | None) -> tuple[int, int]:
    """A time and a record id as columns hold them."""
    if ticks is None or ticks > _MOST:
        ticks = UNKNOWN
    if record_id is None or record_id > _MOST:
        record_id = UNKNOWN
    return ticks, record_id


def column(values: Sequence[int | None]) -> array[int]:
    """Times or record ids as columns hold them."""
    try:
        return array("q", values)  # type: ignore[arg-type]  # None raises
    except (TypeError, OverflowError):
        return array("q", [UNKNOWN if one is None or one > _MOST else one for one in values])
