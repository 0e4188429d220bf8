"""What happened around an event: failures, starts and stops of its VM, and versions that the VM spoke.

`observe` takes events in any order; what is known afterwards does not depend on it. Memory grows with VMs
and hours, not with events (`timeline`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from sys import intern
from typing import NamedTuple

from hvdegraded.events import Event, VersionEvent
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.records.coverage import ChannelCoverage
from hvdegraded.records.record import UNSURE_ZONES
from hvdegraded.verdicts.timeline import Timeline
from hvdegraded.verdicts.vm_history import Failure, VmHistory

__all__ = ["History", "Subject", "same_name", "short_host"]

_MAX_LINKS = 64
_Key = tuple[str, str]
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_ANYWHERE = ""
_NAMED = "name "  # before a name in a key; no id begins so


class Subject(NamedTuple):
    """The VM of an event: what histories and inventories go by."""

    vm_name: str | None
    vm_id: str | None
    host: str


class History:
    """What is known of all VMs of all hosts, by the events observed so far.

    `coverage` says for which time which channel was read, None where nothing is known of that; `incomplete`
    that the reading was given up.

    >>> import hvdegraded as hv
    >>> classifier, history = hv.Classifier(), hv.History()
    >>> events = list(hv.read("sample_logs/hv2012r2/System.evtx"))
    >>> for event in events:
    ...     _ = classifier.observe(event, history)
    >>> classifier.classify(events[0], history).reason
    <Reason.LOADED_UNKNOWN: 'loaded_mismatch_unknown_guest'>
    """

    def __init__(self, zones: Iterable[bool] = ()) -> None:
        self.coverage: ChannelCoverage | None = None
        self.incomplete = False
        self.revision = 0
        """Grows when something becomes known that is more than a further time of what is known."""
        self._zones = set(zones)
        self._vms: dict[_Key, VmHistory] = {}
        self._by_name = False  # whether something is known of a VM by its name alone
        # Most keys have one link, which stands alone: a tuple around it would take as much room as the entry.
        self._links: dict[_Key, _Key | tuple[_Key, ...]] = {}
        self._hosts_of: dict[str, tuple[str, ...]] = {}
        self._failing_unlinked: dict[tuple[str, bool], tuple[VmHistory, ...]] = {}
        self._on_host: dict[str, set[_Key]] = {}  # of VMs that an event names by name or id alone

    def __repr__(self) -> str:
        return f"<History of {sum(key[0] == _ANYWHERE for key in self._vms)} VM ids>"

    def observe(
        self,
        event: Event,
        fact: EventFact | None,
        *,
        failure: str | None = None,
        usable: bool = True,
        ticks: int | None = None,
    ) -> list[Timeline]:
        """Take note of an event, whose table row is `fact`.

        `failure` describes the failure that the event reports, if it reports one; `usable` is false for a
        version event that proves nothing; `ticks` is its time, if not the event's own (negative: not known).
        Returns where its time is: of an event that is equal but for its
        time, nothing but that remains to be noted.
        """
        keys = _keys(event)
        self._failing_unlinked.clear()
        self.revision += 1
        self._link(keys, event)
        self._zones.add(not UNSURE_ZONES.isdisjoint(event.record.origin.caveats))
        change = fact.lifecycle if fact is not None else None
        version = event if isinstance(event, VersionEvent) else None
        found: list[Timeline] = []
        if failure is None and change is None and version is None:
            return found
        vm = self._vms.setdefault(keys[0] if keys else _any_of(event), VmHistory())
        self._by_name |= bool(keys) and not event.vm_id
        ticks = event.time_ticks if ticks is None else ticks
        if failure is not None:
            whole = failure if keys else f"{failure} Which VM that was is not known."
            component = version.component if version is not None else None
            found.append(vm.add_failure(ticks, Failure(whole, component, intern(event.host))))
        if change is not None:
            found.append(vm.add_change(ticks, change))
        if version is not None and keys:
            found += vm.add_versions(ticks, version, usable=usable)
        return found

    def distrust(self, event: Event) -> None:
        """Infer nothing from what the event's VM spoke, because its readings contradict each other."""
        self.revision += 1
        for key in _keys(event):
            if key in self._vms:
                self._vms[key].distrust()

    def merge(self, other: History) -> None:
        """Take in what another history knows, as if all events had been observed here."""
        self._failing_unlinked.clear()
        self.revision += 1
        for key, vm in other._vms.items():
            self._vms.setdefault(key, VmHistory()).merge(vm)
        for key in other._links:
            for link in other._linked(key):
                self._add_link(key, link)
        for host, keys in other._on_host.items():
            self._on_host.setdefault(host, set()).update(keys)
        for name, hosts in other._hosts_of.items():
            known_hosts = self._hosts_of.get(name, ())
            self._hosts_of[name] = known_hosts + tuple(host for host in hosts if host not in known_hosts)
        self._by_name |= other._by_name
        self._zones |= other._zones
        self.incomplete |= other.incomplete

    def vms(self) -> set[str]:
        """Return the ids and names of VMs that are mentioned; empty for a VM that no event names."""
        single = {key for keys in self._on_host.values() for key in keys}
        return {key[1] for key in single.union(self._vms, self._links)}

    def about(self, vm: str) -> History:
        """Return what is known of one VM, by its id or name, and of what is linked to that."""
        found = History()
        found._by_name = self._by_name
        keys = {(_ANYWHERE, vm), *((host, vm) for host in self._hosts_of.get(vm, ()))}
        if not vm:
            keys = {key for key in self._vms if not key[1]}
        keys |= {link for key in keys for link in self._linked(key)}
        for key in keys:
            host, name = key
            if key in self._vms:
                found._vms[key] = self._vms[key]
            if key in self._links:
                found._links[key] = self._links[key]
            if host in self._hosts_of.get(name, ()):
                found._hosts_of[name] = (*found._hosts_of.get(name, ()), host)
        return found

    @property
    def zones(self) -> frozenset[bool]:
        """Which times there are: such as name their zone (False), and such as do not (True)."""
        return frozenset(self._zones)

    @property
    def mixes_zones(self) -> bool:
        """Whether some times name a zone and others do not, so that they cannot be compared."""
        return len(self._zones) > 1

    def names_beside(self, vms: Iterable[tuple[str | None, str | None]]) -> frozenset[str]:
        """Return the ids and names of VMs other than these, which are given so, as `same_name` gives them."""
        shown = {same_name(one) for vm in vms for one in vm if one}
        named = {key[1] for keys in (self._vms, self._links) for key in keys if key[1]}
        names = (same_name(one.removeprefix(_NAMED)) for one in named.union(self._hosts_of))
        return frozenset(name for name in names if name not in shown)

    def of(self, event: Event | Subject) -> tuple[VmHistory, ...]:
        """Return the histories that may be of the event's VM, but for those of events that name no VM."""
        if event.vm_id and not self._by_name:
            return self._known([(_ANYWHERE, event.vm_id)])
        return self._known(sorted(self._candidates(event)))

    def by_id(self, event: Event | Subject) -> VmHistory | None:
        """Return the history of the VM's id, which is unique as its name is not."""
        return self._vms.get((_ANYWHERE, event.vm_id)) if event.vm_id else None

    def failing(self, event: Event | Subject) -> tuple[VmHistory, ...]:
        """Return the histories whose failures may be of the event's VM."""
        keys = self._candidates(event) | {_any_of(event), (_ANYWHERE, "")}
        if not _host(event):
            keys |= {key for key in self._vms if key[1] == ""}
        return self._known(keys)

    def unlinked(self, event: Event | Subject) -> tuple[VmHistory, ...]:
        """Return those of failing VMs that may be the event's, by a name or an id that nothing ties to it."""
        keys = _keys(event)
        if len(keys) != 1 or self._links.get(keys[0]):
            return ()
        host, by_id = _host(event), bool(event.vm_id)
        known = self._failing_unlinked.get((host, by_id))
        if known is None:
            known = self._failing_unlinked[host, by_id] = self._known(self._unlinked(host, by_id=by_id))
        return known

    def _known(self, keys: Iterable[_Key]) -> tuple[VmHistory, ...]:
        return tuple(self._vms[key] for key in keys if key in self._vms)

    def ambiguity(self, event: Event | Subject) -> tuple[bool, bool]:
        """Return whether the event's VM name is seen with several ids, and on several hosts."""
        name = _name(event)
        if not name:
            return False, False
        hosts = set(self._hosts_of.get(name, ())) - {_ANYWHERE}
        ids = {link for host in self._hosts_of.get(name, ()) for link in self._linked((host, name))}
        return len(ids) > 1, len(hosts) > 1 and len(ids) != 1

    # ------------------------------------------------------------ who is who

    def _link(self, keys: tuple[_Key, ...], event: Event) -> None:
        if not keys:
            return
        host = _host(event)
        name = keys[-1][1]  # the same object in all places, of 100,000 VMs
        if name.startswith(_NAMED):
            hosts = self._hosts_of.get(name, ())
            if host not in hosts:
                self._hosts_of[name] = (*hosts, host) if hosts else _only(host)
        if len(keys) == 1:
            self._on_host.setdefault(host, set()).update(keys)
        else:
            for one, other in (keys, keys[::-1]):
                self._add_link(one, other)

    def _linked(self, key: _Key) -> tuple[_Key, ...]:
        """The keys that are linked to one."""
        links = self._links.get(key, ())
        return links if not links or isinstance(links[0], tuple) else (links,)

    def _add_link(self, key: _Key, link: _Key) -> None:
        """Link a key to another; the smallest are kept, so that the order does not matter."""
        known = self._linked(key)
        if not known:
            self._links[key] = link
        elif link not in known and (len(known) < _MAX_LINKS or link < known[-1]):
            self._links[key] = tuple(sorted((*known, link))[:_MAX_LINKS])

    def _candidates(self, event: Event | Subject) -> set[_Key]:
        """The keys of the event's VM: its id and the names of that; else its name, and the ids of that.

        A name counts on the event's host, where no host is named, and after a migration on any host.
        """
        name = _name(event)
        if event.vm_id:
            own = (_ANYWHERE, event.vm_id)
            names = {name} if name else set()
            names |= {key[1] for key in self._linked(own)}
            return {own} | {key for one in names for key in self._places(one, event, own)}
        if not name:
            return set()
        places = self._places(name, event, None)
        return places | {link for place in places for link in self._linked(place)}

    def _places(self, name: str, event: Event | Subject, own: _Key | None) -> set[_Key]:
        host = _host(event)
        anywhere = not host or (own is not None and own in self._vms and self._vms[own].moves)
        hosts = self._hosts_of.get(name, ())
        return {(one, name) for one in hosts if anywhere or one in (host, _ANYWHERE)} | {(host, name)}

    def _unlinked(self, host: str, *, by_id: bool) -> set[_Key]:
        """Failing VMs of a host that may be those of an id without a name, or of a name without id."""
        return {
            key
            for one in {host, _ANYWHERE}
            for key in self._on_host.get(one, ())
            if key[1].startswith(_NAMED) is by_id
            and not self._links.get(key)
            and (vm := self._vms.get(key)) is not None
            and vm.fails
        }


@lru_cache(maxsize=1024)
def _only(host: str) -> tuple[str]:
    """The hosts of a VM that was seen on this one alone, as most are: one object for all of a host."""
    return (host,)


def _keys(event: Event | Subject) -> tuple[_Key, ...]:
    """The VM's keys: by id, wherever it runs, and by name on its host."""
    keys = []
    if event.vm_id:
        keys.append((_ANYWHERE, event.vm_id))
    if name := _name(event):
        keys.append((_host(event), name))
    return tuple(keys)


def _any_of(event: Event | Subject) -> _Key:
    """Stands for the VM of an event that does not name it: it may be any of that host."""
    return _host(event), ""


def _name(event: Event | Subject) -> str:
    return f"{_NAMED}{same_name(event.vm_name)}" if event.vm_name else ""


def same_name(name: str) -> str:
    """A name without case, white space and characters that nothing shows."""
    return "".join(name.casefold().split()) if name.isascii() else _same_name(name)


@lru_cache(maxsize=4096)
def _same_name(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", _INVISIBLE.sub("", name)).casefold().split())


@lru_cache(maxsize=1024)
def short_host(host: str) -> str:
    """Return the name by which hosts are compared: their logs may name them short or in full."""
    return host.strip().casefold().partition(".")[0]


def _host(event: Event | Subject) -> str:
    """The host, which its logs may name short or in full."""
    return short_host(event.host)
