"""When something happened to one VM: in bounded memory, never forgotten, in any order of reading."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

__all__ = ["HOUR", "MINUTE", "SECOND", "Timeline", "Timelines", "last_tick_of"]

SECOND = 10_000_000
"""Ticks (100 ns)."""
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
_MILLISECOND = SECOND // 1000
_MAX_BUCKETS = 2048
_MAX_KEYS = 256
_FEW = 4  # buckets of which the order is not kept, which takes room


def last_tick_of(ticks: int) -> int:
    """Return the last tick that a time may mean: one stamped to the second means the whole second."""
    if ticks % SECOND == 0:
        return ticks + SECOND - 1
    return ticks + _MILLISECOND - 1 if ticks % _MILLISECOND == 0 else ticks


class Timeline:
    """Times in ticks: the first and the last of each minute, or of each hour where there are very many.

    A coarse timeline answers that something happened at any time of an hour in which it happened.
    """

    __slots__ = ("_buckets", "_order", "grain", "joined", "untimed")

    def __init__(self) -> None:
        self.joined: Timeline | None = None
        """The timeline that takes this one's times, if it became part of another."""
        self.grain = MINUTE
        self.untimed = False
        self._buckets: dict[int, tuple[int, int]] = {}
        self._order: list[int] | None = None  # of the buckets, once it was asked for

    @property
    def coarse(self) -> bool:
        """Whether only hours are known, or some time is not."""
        return self.untimed or self.grain > MINUTE

    @property
    def last(self) -> int:
        """The last time; -1 where none is known."""
        return max((last for _, last in self._buckets.values()), default=-1)

    def add(self, ticks: int | None) -> None:
        """Take a time, None for one that is not known."""
        if self.joined is not None:
            self.joined.add(ticks)
            return
        if ticks is None or ticks < 0:
            self.untimed = True
            return
        bucket = ticks // self.grain
        known = self._buckets.get(bucket)
        first, last = known or (ticks, ticks)
        if known is None and self._order is not None:
            insort(self._order, bucket)
        elif known is not None and first <= ticks <= last:
            return
        self._buckets[bucket] = min(first, ticks), max(last, ticks)
        if len(self._buckets) > _MAX_BUCKETS and self.grain == MINUTE:
            self._coarsen()

    def extend(self, times: Iterable[int | None]) -> None:
        """Take several times, as `add` takes each; most lie between two that are known."""
        buckets, grain = self._buckets, self.grain
        for ticks in times:
            known = buckets.get(ticks // grain) if ticks is not None else None
            if ticks is None or known is None or not known[0] <= ticks <= known[1]:
                self.add(ticks)
                buckets, grain = self._buckets, self.grain

    def between(self, first: int, last: int) -> Iterator[int]:
        """Yield the times that may lie from `first` to `last`, both included."""
        for bucket in self._buckets_between(first, last):
            for ticks in self._buckets[bucket]:
                if self.grain > MINUTE or (first <= last_tick_of(ticks) and ticks <= last):
                    yield ticks

    def any_between(self, first: int, last: int) -> bool:
        """Return whether `between` yields a time."""
        for bucket in reversed(self._buckets_between(first, last)):
            earliest, latest = self._buckets[bucket]
            if first <= latest <= last or self.grain > MINUTE:
                return True
            if earliest <= last and first <= last_tick_of(earliest):
                return True
            if latest <= last and first <= last_tick_of(latest):
                return True
        return False

    def _buckets_between(self, first: int, last: int) -> list[int]:
        """The numbers of the buckets that may hold such times, in order."""
        low, high = (first - SECOND) // self.grain, last // self.grain
        if len(self._buckets) <= _FEW:
            return sorted([bucket for bucket in self._buckets if low <= bucket <= high])
        if self._order is None:
            self._order = sorted(self._buckets)
        return self._order[bisect_left(self._order, low) : bisect_right(self._order, high)]

    def __iter__(self) -> Iterator[int]:
        for pair in self._buckets.values():
            yield from dict.fromkeys(pair)

    def merge(self, other: Timeline) -> None:
        """Take in the times of another, as if all had been added here."""
        self.untimed |= other.untimed
        if other.grain > self.grain:
            self._coarsen()
        for ticks in other:
            self.add(ticks)

    def _coarsen(self) -> None:
        times = list(self)
        self.grain, self._buckets, self._order = HOUR, {}, None
        for ticks in times:
            self.add(ticks)


K = TypeVar("K", bound=Hashable)


class Timelines(Generic[K]):
    """Timelines by key: those of the keys that are first in the order of their texts, and one of all others.

    Which keys are kept depends on the keys alone, so parts can be merged in any order.
    """

    __slots__ = ("_in_order", "_kept", "rest")

    def __init__(self) -> None:
        self.rest: Timeline | None = None
        self._kept: dict[K, Timeline] = {}
        self._in_order: list[tuple[str, K]] | None = None  # once there are more keys than are kept

    def add(self, key: K, ticks: int | None) -> Timeline:
        """Take a time of a key; return the timeline that takes all times of that key."""
        times = self._kept.get(key)
        if times is None:
            times = self._kept[key] = Timeline()
            times.add(ticks)
            self._keep_few(key)
        else:
            times.add(ticks)
        return times

    def merge(self, other: Timelines[K]) -> None:
        """Take in the times of others, as if all had been added here."""
        for key, times in other._kept.items():
            known = self._kept.get(key)
            if known is None:
                known = self._kept[key] = Timeline()
                known.merge(times)
                self._keep_few(key)
            else:
                known.merge(times)
        if other.rest is not None:
            self.rest = self.rest or Timeline()
            self.rest.merge(other.rest)

    def get(self, key: K) -> Timeline | None:
        """Return the timeline of a key that is kept."""
        return self._kept.get(key)

    def items(self) -> Iterable[tuple[K, Timeline]]:
        """Return the keys that are kept, with their timelines."""
        return self._kept.items()

    def __contains__(self, key: object) -> bool:
        return key in self._kept

    def _keep_few(self, new: K) -> None:
        """Move the last key to the others if there are too many with this new one."""
        if len(self._kept) <= _MAX_KEYS:
            return
        if self._in_order is None:
            self._in_order = sorted((repr(key), key) for key in self._kept)
        else:
            insort(self._in_order, (repr(new), new))
        _, last = self._in_order.pop()
        self.rest = self.rest or Timeline()
        evicted = self._kept.pop(last)
        self.rest.merge(evicted)
        evicted.joined = self.rest
