"""Events on their way into groups: those that will get the same verdict, but for what else happened."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from hvdegraded.findings.exclusion import Exclusion
from hvdegraded.findings.folded_groups import Group
from hvdegraded.records.record import EventRecord
from hvdegraded.records.recurrence import Recurrence, kind_of
from hvdegraded.verdicts.timeline import Timeline

__all__ = ["Alike", "Run"]

_LONGEST_ALIKE = 4096  # characters of the values of records that are remembered


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
