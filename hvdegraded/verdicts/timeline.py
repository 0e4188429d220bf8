"""When something happened to one VM: kept in bounded memory, never forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["HOUR", "MINUTE", "SECOND", "Timeline", "last_tick_of"]

SECOND = 10_000_000
"""Ticks (100 ns)."""
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
_MILLISECOND = SECOND // 1000
_MAX_BUCKETS = 2048


def last_tick_of(ticks: int) -> int:
    """Return the last tick that a time may mean: one stamped to the second means the whole second."""
    if ticks % SECOND == 0:
        return ticks + SECOND - 1
    return ticks + _MILLISECOND - 1 if ticks % _MILLISECOND == 0 else ticks


class Timeline:
    """Times in ticks: the first and the last of each minute, or of each hour where there are very many.

    A coarse timeline answers that something happened at any time of an hour in which it happened.
    """

    def __init__(self) -> None:
        self.grain = MINUTE
        self.untimed = False
        self._buckets: dict[int, tuple[int, int]] = {}

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
        if ticks is None or ticks < 0:
            self.untimed = True
            return
        bucket = ticks // self.grain
        first, last = self._buckets.get(bucket, (ticks, ticks))
        if first < ticks < last:
            return
        self._buckets[bucket] = min(first, ticks), max(last, ticks)
        if len(self._buckets) > _MAX_BUCKETS and self.grain == MINUTE:
            self._coarsen()

    def between(self, first: int, last: int) -> Iterator[int]:
        """Yield the times that may lie from `first` to `last`, both included."""
        for bucket in self._buckets_between(first, last):
            for ticks in self._buckets.get(bucket, ()):
                if self.grain > MINUTE or (first <= last_tick_of(ticks) and ticks <= last):
                    yield ticks

    def any_between(self, first: int, last: int) -> bool:
        """Return whether `between` yields a time."""
        for bucket in self._buckets_between(first, last):
            pair = self._buckets.get(bucket)
            if pair is not None and (
                self.grain > MINUTE or any(first <= last_tick_of(ticks) and ticks <= last for ticks in pair)
            ):
                return True
        return False

    def _buckets_between(self, first: int, last: int) -> Iterable[int]:
        """The numbers of the buckets that may hold such times, in order."""
        low, high = (first - SECOND) // self.grain, last // self.grain
        if high - low > len(self._buckets):
            return sorted(bucket for bucket in self._buckets if low <= bucket <= high)
        return range(low, high + 1)

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
        self.grain, self._buckets = HOUR, {}
        for ticks in times:
            self.add(ticks)
