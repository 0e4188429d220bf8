"""What is known of one VM under one name or id: failures, starts and stops, refusals, versions it spoke."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from hvdegraded.events import VersionEvent
from hvdegraded.knowledge.vocabulary import Component, Lifecycle, Outcome, VersionPair, version_pair
from hvdegraded.verdicts.timeline import MINUTE, Timeline, Timelines

__all__ = ["WINDOW_MINUTES", "Failure", "Spoken", "VmHistory"]

WINDOW_MINUTES = 10
"""How long after a refused offer a failure of the same VM counts as its consequence.

Also how long a start of a VM is taken to last where no start or stop of it was read.
"""
WINDOW = WINDOW_MINUTES * MINUTE
_SEVERAL = "several failures of other kinds"
_BOUNDARIES = (Lifecycle.STARTED, Lifecycle.STOPPED, Lifecycle.RESET)


class Failure(NamedTuple):
    """What failed, in words, of which component (None: the VM), and on which host."""

    what: str
    component: Component | None = None
    host: str = ""


class Spoken(NamedTuple):
    """A pair of versions that an event reported, or its component alone, and what became of the device."""

    component: Component
    pair: VersionPair
    outcome: Outcome


class VmHistory:
    """What is known of one VM under one name or id, in whichever order its events are read."""

    __slots__ = ("_changes", "_distrusted", "_failures", "_refusals", "_spoken")

    def __init__(self) -> None:
        # None until there is one: of most VMs little is known, and empty timelines take room, too.
        self._distrusted = False
        self._failures: Timelines[Failure] | None = None
        self._changes: Timelines[Lifecycle] | None = None
        self._refusals: Timelines[tuple[object, ...]] | None = None
        self._spoken: Timelines[Spoken] | None = None

    # ------------------------------------------------------------ taking

    def add_failure(self, ticks: int | None, failure: Failure) -> Timeline:
        """Take a failure; return where its time is."""
        self._failures = self._failures or Timelines()
        return self._failures.add(failure, ticks)

    def add_change(self, ticks: int | None, change: Lifecycle) -> Timeline:
        """Take a start, stop, reset, migration, creation or deletion; return where its time is."""
        self._changes = self._changes or Timelines()
        return self._changes.add(change, ticks)

    def add_versions(self, ticks: int | None, event: VersionEvent, *, usable: bool) -> list[Timeline]:
        """Take what a version event reports; of one that proves nothing, what speaks against a row.

        Returns where its time is.
        """
        self._distrusted |= not usable
        spoken = self._spoken = self._spoken or Timelines()
        found = [
            spoken.add(_spoken(event.component, pair, event.outcome), ticks)
            for pair in event.version_pairs or (version_pair(event.component),)
        ]
        if usable and event.outcome is Outcome.REFUSED:
            self._refusals = self._refusals or Timelines()
            found.append(self._refusals.add(_offer(event), ticks))
        return found

    def distrust(self) -> None:
        """Infer nothing from the versions that were reported."""
        self._distrusted = True

    def merge(self, other: VmHistory) -> None:
        """Take in what another knows, as if all had been observed here."""
        self._distrusted |= other._distrusted
        self._failures = _merged(self._failures, other._failures)
        self._changes = _merged(self._changes, other._changes)
        self._refusals = _merged(self._refusals, other._refusals)
        self._spoken = _merged(self._spoken, other._spoken)

    # ------------------------------------------------------------ asking

    @property
    def overflowed(self) -> bool:
        """Whether more different versions were reported than are kept."""
        return any((known or _NOTHING).rest is not None for known in (self._spoken, self._refusals))

    @property
    def has_anomalies(self) -> bool:
        """Whether some versions have anomalies or were not kept, so that nothing is inferred from any."""
        return self._distrusted or self.overflowed

    @property
    def fails(self) -> bool:
        """Whether the VM failed at some time."""
        return self._failures is not None

    @property
    def moves(self) -> bool:
        """Whether the VM left its host at some time."""
        return (self._changes or _NOTHING).get(Lifecycle.LEFT) is not None

    @property
    def made(self) -> bool:
        """Whether the VM was created or deleted at some time."""
        return (self._changes or _NOTHING).get(Lifecycle.MADE) is not None

    def failures_between(
        self, first: int | None, last: int | None, component: Component | None
    ) -> Iterator[tuple[int, Failure]]:
        """Yield the failures of the VM or this component; all where the time is not known."""
        if self._failures is None:
            return
        kinds = list(self._failures.items())
        if self._failures.rest is not None:
            kinds.append((Failure(_SEVERAL), self._failures.rest))
        for kind, times in kinds:
            if not _concerns(kind.component, component):
                continue
            if times.untimed:
                yield -1, kind
            found: Iterable[int] = times if first is None or last is None else times.between(first, last)
            yield from ((ticks, kind) for ticks in found)

    def changes_between(self, changes: Iterable[Lifecycle], first: int, last: int) -> list[int]:
        """Return when such a change may have happened from one time to another; -1 for an unknown time."""
        found = []
        for change in changes:
            times = (self._changes or _NOTHING).get(change)
            if times is not None:
                found += [-1] * times.untimed + list(times.between(first, last))
        return sorted(found)

    def offered_again(self, event: VersionEvent, first: int, last: int) -> list[int]:
        """Return when the same offer was refused from one time to another."""
        times = (self._refusals or _NOTHING).get(_offer(event))
        return sorted(times.between(first, last)) if times is not None else []

    def start_of(self, ticks: int) -> tuple[int, int]:
        """Return the bounds of the VM's start at that time, at most ten minutes to each side of it."""
        first, last = ticks - WINDOW, ticks + WINDOW
        for boundary in self.changes_between(_BOUNDARIES, first, last):
            if boundary <= ticks:
                first = max(first, boundary)
            else:
                last = min(last, boundary - 1)
        return first, last

    def same_start(self, one: int, other: int) -> bool:
        """Whether both times may belong to one start: no start or stop lies between them.

        Where none was read at all, a start is taken to last ten minutes.
        """
        low, high = sorted((one, other))
        read = [times for change, times in (self._changes or _NOTHING).items() if change in _BOUNDARIES]
        if not read:
            return high - low <= WINDOW
        return not any(low < boundary <= high for times in read for boundary in times)

    def spoken(self) -> Iterator[tuple[Spoken, Timeline]]:
        """Yield all that the guest ever spoke, and when."""
        yield from (self._spoken or _NOTHING).items()

    def spoken_between(self, first: int, last: int) -> int:
        """Return what was spoken from one time to another, a bit for each of `spoken`; none if coarse."""
        found, bit = 0, 1
        for _, times in self.spoken():
            if not times.coarse and times.any_between(first, last):
                found |= bit
            bit <<= 1
        return found


_NOTHING: Timelines[Any] = Timelines()  # stands for timelines that were not begun; nothing is added to it
T = TypeVar("T", bound=Hashable)


def _merged(one: Timelines[T] | None, other: Timelines[T] | None) -> Timelines[T] | None:
    if other is None:
        return one
    one = one or Timelines()
    one.merge(other)
    return one


@lru_cache(maxsize=4096)
def _spoken(component: Component, pair: VersionPair, outcome: Outcome) -> Spoken:
    """What was spoken, the same object for the same versions: there are few."""
    return Spoken(component, pair, outcome)


def _offer(event: VersionEvent) -> tuple[object, ...]:
    return event.component, event.device, event.version_pairs


def _concerns(failed: Component | None, component: Component | None) -> bool:
    """Whether a failure of one component is one of the other, too: VMBus carries all."""
    whole = (None, Component.VMBUS, Component.DEVICE)
    return failed in whole or component in whole or failed is component
