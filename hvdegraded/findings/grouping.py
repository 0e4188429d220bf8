"""Events on their way into groups: those that will get the same verdict, but for what else happened."""

from __future__ import annotations

from array import array

from hvdegraded.events import Event
from hvdegraded.findings.document import Exclusion
from hvdegraded.findings.groups import UNKNOWN
from hvdegraded.records.record import EventRecord
from hvdegraded.verdicts.timeline import Timeline

__all__ = ["Alike", "Group", "age_of"]

_MOST = (1 << 63) - 1  # that a column of integers holds


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

    def show(self, example: Event, age: tuple[int, int]) -> None:
        """Take the older of two examples; of equally old ones, content decides, not which was read first."""
        if age < self.age or (age == self.age and repr(example.record) < repr(self.example.record)):
            self.example, self.age = example, age


class Alike:
    """What records that are alike have in common: where their times go, and what group they belong to.

    `like` is what identifies them, and must live as long as this; `group` is None until one is not excluded.
    """

    __slots__ = ("excluded", "group", "like", "timelines")

    def __init__(self, like: EventRecord, timelines: list[Timeline], excluded: Exclusion | None) -> None:
        self.like = like
        self.timelines = timelines
        self.excluded = excluded
        self.group: Group | None = None


def age_of(ticks: int | None, record_id: int | None) -> tuple[int, int]:
    """A time and a record id as columns hold them."""
    if ticks is None or ticks > _MOST:
        ticks = UNKNOWN
    if record_id is None or record_id > _MOST:
        record_id = UNKNOWN
    return ticks, record_id
