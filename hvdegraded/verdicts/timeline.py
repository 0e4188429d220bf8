"""When something happened to one VM: in bounded memory, never forgotten, in any order of reading."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Hashable, Iterator
from typing import Generic, TypeVar, cast

__all__ = ["HOUR", "MINUTE", "SECOND", "Timeline", "Timelines", "last_tick_of"]

SECOND = 10_000_000
"""Ticks (100 ns)."""
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
_MILLISECOND = SECOND // 1000
_MAX_BUCKETS = 2048
_MOST_WAITING = 256  # times that are not yet sorted in
_MAX_KEYS = 256
_LAST = (1 << 63) - 1  # that an array holds; no event happened in the year 30828


def last_tick_of(ticks: int) -> int:
    """Return the last tick that a time may mean: one stamped to the second means the whole second."""
    if ticks % SECOND == 0:
        return ticks + SECOND - 1
    return ticks + _MILLISECOND - 1 if ticks % _MILLISECOND == 0 else ticks


class Timeline:
    """Times in ticks: the first and the last of each minute, or of each hour where there are very many.

    A coarse timeline answers that something happened at any time of an hour in which it happened.
    """

    __slots__ = ("_grain", "_known", "_waiting", "joined", "untimed")

    def __init__(self) -> None:
        self.joined: Timeline | None = None
        """The timeline that takes this one's times, if it became part of another."""
        self.untimed = False
        self._grain = MINUTE
        self._known: array[int] = array("q")  # first and last time of each minute or hour, in order
        self._waiting: array[int] | None = None  # times that are to be sorted in

    @property
    def grain(self) -> int:
        """The ticks of a minute, or of an hour."""
        if self._waiting:
            self._settle()
        return self._grain

    @property
    def _spans(self) -> array[int]:
        if self._waiting:
            self._settle()
        return self._known

    @property
    def coarse(self) -> bool:
        """Whether only hours are known, or some time is not."""
        return self.untimed or self.grain > MINUTE

    @property
    def last(self) -> int:
        """The last time; -1 where none is known."""
        return self._spans[-1] if self._spans else -1

    def add(self, ticks: int | None) -> None:
        """Take a time, None for one that is not known; one that cannot be is not known either."""
        if self.joined is not None:
            self.joined.add(ticks)
            return
        if ticks is None or not 0 <= ticks <= _LAST:
            self.untimed = True
            return
        self._add_of_one_span(ticks, ticks)

    def extend(self, times: array[int]) -> None:
        """Take several times, as `add` takes each; they wait until they are asked for, or are many."""
        if self.joined is not None:
            self.joined.extend(times)
            return
        if len(times) == 1:  # of most of many VMs there is no more
            self.add(times[0])
            return
        if self._waiting is None:
            self._waiting = array("q")
        self._waiting.extend(times)
        self.untimed |= min(times, default=0) < 0
        if len(self._waiting) >= _MOST_WAITING:
            self._settle()

    def _settle(self) -> None:
        """Take the times that wait: of those of one minute the first and the last count."""
        ordered, self._waiting = sorted(set(self._waiting or ())), None
        at = bisect_left(ordered, 0)
        while at < len(ordered):
            first = ordered[at]
            at = bisect_left(ordered, first - first % self._grain + self._grain, at)
            self._add_of_one_span(first, ordered[at - 1])

    def _add_of_one_span(self, first: int, last: int) -> None:
        """Take two times of the same minute, or hour."""
        spans, grain = self._known, self._grain
        start = first - first % grain
        at = bisect_left(spans, start)
        if at == len(spans) or spans[at] >= start + grain:
            spans[at:at] = array("q", (first, last))
            if len(spans) > 2 * _MAX_BUCKETS and grain == MINUTE:
                self._coarsen()
            return
        if first < spans[at]:
            spans[at] = first
        if last > spans[at + 1]:
            spans[at + 1] = last

    def between(self, first: int, last: int) -> Iterator[int]:
        """Yield the times that may lie from `first` to `last`, both included."""
        spans, grain, early = self._spans, self.grain, first - SECOND
        low = bisect_left(spans, early - early % grain)
        high = bisect_left(spans, last - last % grain + grain)
        for ticks in spans[low:high]:
            if grain > MINUTE or (first <= last_tick_of(ticks) and ticks <= last):
                yield ticks

    def any_between(self, first: int, last: int) -> bool:
        """Return whether `between` yields a time."""
        if self.grain > MINUTE:
            return any(True for _ in self.between(first, last))
        spans, early = self._spans, first - SECOND
        at = bisect_right(spans, last)
        while at and spans[at - 1] > early:
            at -= 1
            if first <= last_tick_of(spans[at]):
                return True
        return False

    def __iter__(self) -> Iterator[int]:
        yield from dict.fromkeys(self._spans)

    def merge(self, other: Timeline) -> None:
        """Take in the times of another, as if all had been added here."""
        self.untimed |= other.untimed
        if other.grain > self.grain:
            self._coarsen()
        for ticks in other:
            self.add(ticks)

    def _coarsen(self) -> None:
        times = list(self)
        self._grain, self._known = HOUR, array("q")
        for ticks in times:
            self.add(ticks)


K = TypeVar("K", bound=Hashable)


class Timelines(Generic[K]):
    """Timelines by key: those of the keys that are first in the order of their texts, and one of all others.

    Which keys are kept depends on the keys alone, so parts can be merged in any order.
    """

    __slots__ = ("_in_order", "_kept", "_key", "_times", "rest")

    def __init__(self) -> None:
        self.rest: Timeline | None = None
        self._key: K | None = None  # the first; most VMs have no other, and one is not worth a dict
        self._times: Timeline | None = None
        self._kept: dict[K, Timeline] | None = None
        self._in_order: list[tuple[str, K]] | None = None  # once there are more keys than are kept

    def add(self, key: K, ticks: int | None) -> Timeline:
        """Take a time of a key; return the timeline that takes all times of that key."""
        times = self.get(key)
        if times is None:
            times = self._begin(key)
            times.add(ticks)
            self._keep_few(key)
        else:
            times.add(ticks)
        return times

    def merge(self, other: Timelines[K]) -> None:
        """Take in the times of others, as if all had been added here."""
        for key, times in other.items():
            known = self.get(key)
            if known is None:
                known = self._begin(key)
                known.merge(times)
                self._keep_few(key)
            else:
                known.merge(times)
        if other.rest is not None:
            self.rest = self.rest or Timeline()
            self.rest.merge(other.rest)

    def get(self, key: K) -> Timeline | None:
        """Return the timeline of a key that is kept."""
        if self._kept is not None:
            return self._kept.get(key)
        return self._times if self._times is not None and self._key == key else None

    def items(self) -> Collection[tuple[K, Timeline]]:
        """Return the keys that are kept, with their timelines."""
        if self._kept is not None:
            return self._kept.items()
        return () if self._times is None else ((cast("K", self._key), self._times),)

    def _begin(self, key: K) -> Timeline:
        times = Timeline()
        if self._kept is not None:
            self._kept[key] = times
        elif self._times is None:
            self._key, self._times = key, times
        else:
            self._kept = dict((*self.items(), (key, times)))
        return times

    def _keep_few(self, new: K) -> None:
        """Move the last key to the others if there are too many with this new one."""
        kept = self._kept
        if kept is None or len(kept) <= _MAX_KEYS:
            return
        if self._in_order is None:
            self._in_order = sorted((repr(key), key) for key in kept)
        else:
            insort(self._in_order, (repr(new), new))
        _, last = self._in_order.pop()
        self.rest = self.rest or Timeline()
        evicted = kept.pop(last)
        self.rest.merge(evicted)
        evicted.joined = self.rest
