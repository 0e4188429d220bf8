"""What happened around an event: failures of the same VM, and versions that give its guest away.

`observe` takes events in any order; what is known afterwards does not depend on it. State grows with VMs and
hours, not with events: of a VM's failures the first and the last of each minute are kept, and of more than
`_MAX_MINUTES` those of each hour, which can only turn more refusals actionable.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Literal, TypeVar

from hvdegraded.events import HyperVEvent, VersionEvent
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.protocols import Inference, ProtocolTable
from hvdegraded.knowledge.vocabulary import Component, ProtocolVersion

__all__ = ["WINDOW_MINUTES", "History"]

WINDOW_MINUTES = 10
"""How long after a refused offer a failure of the same VM counts as its consequence."""

_MINUTE = 600_000_000  # ticks
_HOUR = 60 * _MINUTE
_WINDOW = WINDOW_MINUTES * _MINUTE
_MAX_MINUTES = 2048
_MAX_VERSIONS = 16
_MAX_LINKS = 64
_MAX_KNOWN = 8192

_Key = tuple[str, str]
_Failure = tuple[int, str]
_Versions = dict[Component, set[ProtocolVersion]]
T = TypeVar("T", _Key, ProtocolVersion)


class VmHistory:
    """What is known of one VM under one name or id.

    `failures` holds the first and the last of each `grain` of time. `doubtful`: versions that some event told
    of it cannot be trusted, so nothing can be inferred from any.
    """

    def __init__(self) -> None:
        self.failures: dict[int, tuple[_Failure, _Failure]] = {}
        self.grain = _MINUTE
        self.untimed: str | None = None
        self.doubtful = False
        self.spoken: _Versions = {}
        self.expected: _Versions = {}
        self._inferred: Inference | Literal[False] | None = False

    def add_versions(self, event: VersionEvent, *, doubtful: bool) -> None:
        self._inferred = False
        self.doubtful |= doubtful
        for pair in event.version_pairs:
            if pair.component is not None:
                _add(self.spoken, pair.component, pair.guest)
                _add(self.expected, pair.component, pair.host)

    def inferred(self, table: ProtocolTable) -> Inference | None:
        """What the versions say of the guest; remembered until others are added."""
        if self._inferred is False:
            self._inferred = self._infer(table)
        return self._inferred

    def _infer(self, table: ProtocolTable) -> Inference | None:
        if self.doubtful:
            return None
        for component, versions in self.spoken.items():
            if any(table.is_of_windows_only(component, version) for version in versions):
                return None  # at some time it was a Windows guest
        return table.infer_guest_family(
            {component: frozenset(versions) for component, versions in self.spoken.items()},
            expected={component: frozenset(versions) for component, versions in self.expected.items()},
        )

    def add_failure(self, ticks: int | None, what: str) -> None:
        if ticks is None:
            self.untimed = min(filter(None, (self.untimed, what)))
            return
        self._keep((ticks, what))
        if len(self.failures) > _MAX_MINUTES and self.grain == _MINUTE:
            self._coarsen()

    def _coarsen(self) -> None:
        kept = [failure for pair in self.failures.values() for failure in pair]
        self.grain, self.failures = _HOUR, {}
        for failure in kept:
            self._keep(failure)

    def merge(self, other: VmHistory) -> None:
        """Take in what another knows, as if all had been told to one."""
        if other.untimed is not None:
            self.add_failure(None, other.untimed)
        if other.grain > self.grain:
            self._coarsen()
        for pair in other.failures.values():
            for ticks, what in pair:
                self.add_failure(ticks, what)
        self._inferred = False
        self.doubtful |= other.doubtful
        for versions, others in ((self.spoken, other.spoken), (self.expected, other.expected)):
            for component, found in others.items():
                for version in found:
                    _add(versions, component, version)

    def _keep(self, failure: _Failure) -> None:
        bucket = failure[0] // self.grain
        first, last = self.failures.get(bucket, (failure, failure))
        self.failures[bucket] = min(first, failure), max(last, failure)

    def failures_after(self, ticks: int | None) -> Iterator[_Failure]:
        if self.untimed is not None:
            yield -1, self.untimed
        if ticks is None:
            yield from (first for first, _ in self.failures.values())
            return
        for bucket in range(ticks // self.grain, (ticks + _WINDOW) // self.grain + 1):
            for failure in self.failures.get(bucket, ()):
                if self.grain > _MINUTE or ticks <= failure[0] <= ticks + _WINDOW:
                    yield failure


class History:
    """What is known of all VMs of all hosts, by the events observed so far.

    `incomplete` says that the reading was given up: what followed an event may not have been observed.
    """

    def __init__(self) -> None:
        self.incomplete = False
        self._vms: dict[_Key, VmHistory] = {}
        self._known: set[Hashable] = set()
        self._links: dict[_Key, set[_Key]] = {}

    def mark_seen(self, what: Hashable) -> bool:
        """Whether this was not asked before, as far as is remembered: for events that tell nothing anew."""
        if what in self._known:
            return False
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        self._known.add(what)
        return True

    def observe(self, event: HyperVEvent, fact: EventFact | None, *, doubtful: bool = False) -> None:
        """Take note of an event, whose table row is `fact`; `doubtful` if it proves nothing."""
        keys = _keys(event)
        if len(keys) == 2:
            for one, other in (keys, keys[::-1]):
                if other not in self._links.setdefault(one, set()):
                    _add_bounded(self._links[one], other, _MAX_LINKS)
        failure = fact is not None and fact.vm_failure
        if not failure and not (keys and isinstance(event, VersionEvent)):
            return
        machine = self._vms.setdefault(keys[0] if keys else _any_of_host(event), VmHistory())
        if failure and fact is not None:
            told = "" if keys else " Which VM that was is not told."
            machine.add_failure(event.time_ticks, f"{event.provider} {event.event_id}: {fact.meaning}{told}")
        if isinstance(event, VersionEvent):
            machine.add_versions(event, doubtful=doubtful)

    def merge(self, other: History) -> None:
        """Take in what another context knows, as if all events had been observed here."""
        for key, machine in other._vms.items():
            self._vms.setdefault(key, VmHistory()).merge(machine)
        for key, links in other._links.items():
            known = self._links.setdefault(key, set())
            for link in links - known:
                _add_bounded(known, link, _MAX_LINKS)

    def failure_after(self, event: HyperVEvent, ticks: int | None = None) -> str | None:
        """The first failure of the event's VM that followed it, in words; None where none is known.

        `ticks` stands for the event's own time, if given; a negative one says that the time is not known.
        """
        moment = event.time_ticks if ticks is None else ticks
        if moment is not None and moment < 0:
            moment = None
        found = [failure for machine in self._of(event) for failure in machine.failures_after(moment)]
        return min(found)[1] if found else None

    def inferred_guest(self, event: HyperVEvent, table: ProtocolTable) -> Inference | None:
        """What the versions seen on the event's VM say of its guest; see ProtocolTable.

        Names are not unique, so only what is known under the VM's id counts.
        """
        if not event.vm_id:
            return None
        machine = self._vms.get(_keys(event)[0])
        return machine.inferred(table) if machine is not None else None

    def _of(self, event: HyperVEvent) -> list[VmHistory]:
        keys = set(_keys(event))
        for key in tuple(keys):
            keys |= self._links.get(key, set())
        keys.add(_any_of_host(event))
        return [self._vms[key] for key in sorted(keys) if key in self._vms]


def _keys(event: HyperVEvent) -> tuple[_Key, ...]:
    """The VM's names in the context: by id, wherever it runs, and by name on its host.

    A host may be named short or in full, as the routes of its logs have it.
    """
    keys = []
    if event.vm_id:
        keys.append(("", event.vm_id))
    if event.vm_name:
        keys.append((_host(event), "name " + event.vm_name.lower()))
    return tuple(keys)


def _any_of_host(event: HyperVEvent) -> _Key:
    """Stands for the VM of an event that does not tell which: it may be any of that host."""
    return _host(event), ""


def _host(event: HyperVEvent) -> str:
    return event.computer.lower().partition(".")[0]


def _add(versions: _Versions, component: Component, version: ProtocolVersion | None) -> None:
    if version is not None:
        _add_bounded(versions.setdefault(component, set()), version, _MAX_VERSIONS)


def _add_bounded(items: set[T], item: T, most: int) -> None:
    """Add to a set that keeps its smallest items, so that order of input makes no difference."""
    items.add(item)
    if len(items) > most:
        items.remove(max(items))
