"""Events on their way into groups: those that will get the same verdict, but for what else happened."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from hvdegraded.findings.exclusion import Exclusion
from hvdegraded.findings.folded_groups import Group
from hvdegraded.records.record import EventRecord
from hvdegraded.records.recurrence import Recurrences, kind_of
from hvdegraded.verdicts.timeline import Timeline

__all__ = ["Alike", "Run", "split_by_time"]

_LONGEST_ALIKE = 4096  # characters of the values of records that are remembered
_MOST_TIMES = 4096  # of a group whose verdicts are remembered
K = TypeVar("K", bound=Hashable)


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

    __slots__ = ("_found", "ids", "kind", "like", "times")

    def __init__(self, found: EventRecord | Recurrences) -> None:
        self._found = found
        self.kind: Hashable
        self.times: Sequence[int | None]
        self.ids: Sequence[int | None]
        if isinstance(found, EventRecord):
            self.like, self.kind = found, kind_of(found)
            self.times, self.ids = (found.time_ticks,), (found.record_id,)
        else:
            self.like, self.kind = found.like, id(found.like)
            self.times, self.ids = found.changing[:2]

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, at: int) -> EventRecord:
        return self._found if isinstance(self._found, EventRecord) else self._found[at].record()

    @property
    def is_short(self) -> bool:
        """Whether the kind takes so little room that it can be remembered."""
        like = self.like
        if like is not self._found:  # recurrences are short
            return True
        return sum(len(text) for _, text in (*like.data, *like.extra, *like.rendering)) <= _LONGEST_ALIKE

    def keep(self, places: Sequence[int]) -> None:
        """Leave out the records of all other places."""
        if isinstance(self._found, Recurrences):
            self._found = self._found.only(places)
        self.times, self.ids = [self.times[at] for at in places], [self.ids[at] for at in places]


def split_by_time(
    group: Group, given: Callable[[int], K], together: int = _MOST_TIMES
) -> dict[K, tuple[array[int], array[int]]]:
    """Split the columns of a group by what is `given` for each time, in their order.

    So many events are looked at together: most groups repeat a few times, and nearly all their events belong
    together.
    """
    parts: dict[K, tuple[array[int], array[int]]] = {}
    known: dict[int, tuple[array[int], array[int]]] = {}
    for first in range(0, group.count, together):
        ticks, record_ids = (column[first : first + together] for column in group.columns)
        if len(known) > together:
            known = {}
        several = dict.fromkeys(ticks)
        for moment in several:
            if moment not in known:
                known[moment] = parts.setdefault(given(moment), (array("q"), array("q")))
        part = known[ticks[0]]
        if all(known[moment] is part for moment in several):
            part[0].extend(ticks)
            part[1].extend(record_ids)
            continue
        for moment, record_id in zip(ticks, record_ids, strict=True):
            known[moment][0].append(moment)
            known[moment][1].append(record_id)
    return parts
