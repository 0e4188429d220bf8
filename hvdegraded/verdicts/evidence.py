"""What is known of an event's guest: the inventory's row, what speaks against it, and what versions show.

1. A row that calls a guest other than Windows does not count where the event, or the stated kernel number,
   contradicts it.
2. What only Windows speaks, or no guest of the row's family, seen at T, voids every row taken before T. A
   later start rests on a row taken after T, and then as an assumption, unless that start itself shows a guest
   that is not Windows.
3. A row that is much older than the event, of a VM that was made or deleted between the two, or found by a
   name that is only similar, counts as an assumption.
4. Versions that no Windows guest speaks show the guest's family where they belong to one start of the VM,
   and to versions that one guest can have at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from hvdegraded.bounded import BoundedCache
from hvdegraded.events import VersionEvent
from hvdegraded.guests.guest import Guest, GuestMatch
from hvdegraded.knowledge.guest_systems import upstream_kernel
from hvdegraded.knowledge.protocols import Inference, ProtocolTable
from hvdegraded.knowledge.vocabulary import Component, GuestFamily, Lifecycle, Outcome, ProtocolVersion
from hvdegraded.timestamps import datetime_from_ticks, ticks_from_datetime
from hvdegraded.verdicts.history import Surroundings
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.timeline import Timeline
from hvdegraded.verdicts.verdict import GuestGap
from hvdegraded.verdicts.vm_history import Spoken, VmHistory

__all__ = ["EvidenceOfGuest", "GuestEvidence"]

_AGREED = (Outcome.LOADED, Outcome.NEGOTIATED)
_MOST_INFERRED = 1024
_OFTEN, _FEW = 16, 6  # questions from which on it pays to try all sets of so few versions


class GuestEvidence(NamedTuple):
    """What is known of a guest at the time of an event.

    `guest` is the inventory's answer; `contradiction` why it does not count, `assumed_because` why it counts
    only as an assumption. `windows` is what of this VM only Windows speaks, `inferred` what the versions of
    this start show instead.
    """

    guest: Guest | None = None
    contradiction: str | None = None
    assumed_because: GuestGap | None = None
    inferred: Inference | None = None
    windows: str | None = None

    @property
    def family(self) -> GuestFamily:
        """The family by the inventory, UNKNOWN where it does not count."""
        known = self.guest is not None and self.contradiction is None
        return self.guest.family if self.guest is not None and known else GuestFamily.UNKNOWN


class EvidenceOfGuest:
    """What is known of an event's guest: looked up once, then asked for any time.

    `find` looks the guest up; it takes whether the logs show the name with several ids, and on several hosts.
    `around` contains what is known around the event, None where nothing is.
    """

    def __init__(
        self,
        event: VersionEvent,
        find: Callable[[VersionEvent, bool, bool], Guest | None],
        around: Surroundings | None,
        policy: Policy,
    ) -> None:
        several = around.history.ambiguity(event) if around is not None else (False, False)
        self._event = event
        self._around = around
        self._policy = policy
        self._tables = policy.knowledge.protocols
        self._inferred: BoundedCache[int, Inference | None] = BoundedCache(_MOST_INFERRED)
        self._asked = 0
        self._shows_nothing = False
        self.guest = find(event, *several)

    def at(self, ticks: int | None) -> GuestEvidence:
        """Return what is known of the guest at a time (None: not known)."""
        guest = self.guest
        if guest is not None and guest.family is GuestFamily.WINDOWS:
            return GuestEvidence(guest)
        if guest is None or guest.family is GuestFamily.UNKNOWN:
            shown = self._shown(ticks)
            return self._nothing_shown if shown is None else GuestEvidence(guest, inferred=shown)
        contradiction = self._contradicted_by_event or _contradicted_by_history(
            guest, ticks, self._vms, self._foreign
        )
        if contradiction is not None:
            return GuestEvidence(guest, contradiction)
        because = _assumed_because(guest, ticks, self._vms, self._policy)
        if because is None and self._foreign:
            because = GuestGap.OTHER_BEFORE
        if because is not None:
            shown = self._shown(ticks)
            if shown is not None and guest.family in shown.families:
                because = None
        return GuestEvidence(guest, assumed_because=because)

    @property
    def _vms(self) -> tuple[VmHistory, ...]:
        return self._around.vms if self._around is not None else ()

    @cached_property
    def _nothing_shown(self) -> GuestEvidence:
        """What is known where neither an inventory nor a start shows the family."""
        return GuestEvidence(self.guest, windows=next((one.what for one in self._windows), None))

    @cached_property
    def _windows(self) -> list[_SpokenAt]:
        return _windows(self._vms, self._tables)

    @cached_property
    def _foreign(self) -> list[_SpokenAt]:
        assert self.guest is not None
        return self._windows + _foreign(self._vms, self.guest.family, self._tables)

    @cached_property
    def _contradicted_by_event(self) -> str | None:
        assert self.guest is not None
        return _contradicted_by_event(self._event, self.guest, self._tables)

    def _shown(self, ticks: int | None) -> Inference | None:
        """What the versions spoken in the VM's start at that time show; None where they show nothing."""
        vm = self._around.vm if self._around is not None else None
        if vm is None or vm.has_anomalies or ticks is None or self._shows_nothing:
            return None
        self._asked += 1
        if self._asked == _OFTEN:
            self._shows_nothing = not self._may_show()
        first, last = vm.start_of(ticks)
        before = self._spoken_between(first, ticks)
        found = self._infer(before)
        if found is not None and not self._of_windows:
            return found
        after = self._spoken_between(ticks, last)
        if (before | after) & self._of_windows:
            return None
        return found if found is not None else self._infer(after)

    def _may_show(self) -> bool:
        """Whether any set of what the VM ever spoke shows something; where they are few, all are tried."""
        count = len(self._spoken)
        return count > _FEW or any(self._infer(spoken) is not None for spoken in range(1 << count))

    @cached_property
    def _spoken(self) -> list[tuple[int, Spoken, Timeline]]:
        """What the VM spoke, each with a bit that stands for it in sets, and when."""
        vm = self._around.vm if self._around is not None else None
        spoken = enumerate(vm.spoken()) if vm is not None else ()
        return [(1 << at, what, times) for at, (what, times) in spoken]

    @cached_property
    def _of_windows(self) -> int:
        """The set of what only Windows speaks."""
        return sum(bit for bit, what, _ in self._spoken if speaks_only_windows(what, self._tables))

    def _spoken_between(self, first: int, last: int) -> int:
        """The set of what the VM spoke from one time to another; of coarse times, nothing."""
        found = 0
        for bit, _, times in self._spoken:
            if not times.coarse and times.any_between(first, last):
                found |= bit
        return found

    def _infer(self, spoken: int) -> Inference | None:
        """What a set of versions shows."""
        try:
            return self._inferred[spoken]
        except KeyError:
            found = _infer_from([what for bit, what, _ in self._spoken if bit & spoken], self._tables)
            return self._inferred.remember(spoken, found)


def speaks_only_windows(spoken: Spoken, tables: ProtocolTable) -> bool:
    """Whether only Windows guests are known to speak this to such a host."""
    pair = spoken.pair
    return tables.is_of_windows_only(spoken.component) or (
        pair.guest is not None and tables.is_of_windows_only(pair.component, pair.guest, pair.host)
    )


class _SpokenAt(NamedTuple):
    """What a VM spoke, in words, and when."""

    what: str
    times: Timeline


def _windows(vms: tuple[VmHistory, ...], tables: ProtocolTable) -> list[_SpokenAt]:
    """What of these VMs only Windows speaks."""
    found = []
    for vm in vms:
        for spoken, times in vm.spoken():
            if speaks_only_windows(spoken, tables):
                what = f"{spoken.pair.component or spoken.component} {spoken.pair.guest or ''}".rstrip()
                found.append(_SpokenAt(what, times))
    return sorted(found, key=lambda one: one.what)


def _foreign(vms: tuple[VmHistory, ...], family: GuestFamily, tables: ProtocolTable) -> list[_SpokenAt]:
    """What these VMs spoke that no known guest of the family does."""
    found = []
    for vm in vms:
        for spoken, times in vm.spoken():
            agreed = spoken.outcome in _AGREED
            what = tables.spoken_only_by_others(family, spoken.component, (spoken.pair,), agreed=agreed)
            if what is not None:
                found.append(_SpokenAt(what, times))
    return sorted(found, key=lambda one: one.what)


def _contradicted_by_event(event: VersionEvent, guest: Guest, tables: ProtocolTable) -> str | None:
    agreed = event.outcome in _AGREED
    foreign = tables.spoken_only_by_others(guest.family, event.component, event.version_pairs, agreed=agreed)
    if foreign is not None:
        return f"the inventory says {guest.family}, but no known {guest.family} speaks {foreign}"
    kernel = upstream_kernel(guest.os_name, guest.os_version)
    if kernel is not None and guest.family is GuestFamily.LINUX:
        for pair in event.version_pairs:
            if pair.guest is not None and tables.kernel_cannot_speak(kernel, pair, agreed=agreed):
                return (
                    f"the inventory says Linux {kernel}, which does not speak {pair.component} {pair.guest}; "
                    "the guest may have been upgraded since"
                )
    return None


def _contradicted_by_history(
    guest: Guest, ticks: int | None, vms: tuple[VmHistory, ...], foreign: list[_SpokenAt]
) -> str | None:
    if not foreign:
        return None
    last, what = max((-1 if one.times.untimed else one.times.last, one.what) for one in foreign)
    if any(one.times.untimed for one in foreign):
        last = -1
    says = f"the inventory says {guest.family}, but this VM spoke {what}, which no known {guest.family} does"
    taken = ticks_from_datetime(guest.taken) if guest.taken is not None else None
    if taken is None or last < 0 or last >= taken:
        return says
    if ticks is None or ticks <= last or any(vm.same_start(ticks, last) for vm in vms):
        return says
    return None


def _assumed_because(
    guest: Guest, ticks: int | None, vms: tuple[VmHistory, ...], policy: Policy
) -> GuestGap | None:
    if guest.match is GuestMatch.SIMILAR_NAME:
        return GuestGap.SIMILAR_NAME
    moment = datetime_from_ticks(ticks) if ticks is not None else None
    if guest.older_than(moment, policy.max_inventory_age):
        return GuestGap.OUTDATED
    if any(vm.overflowed for vm in vms):
        return GuestGap.MANY_VERSIONS
    made = [vm for vm in vms if vm.made]
    if not made:
        return None
    taken = ticks_from_datetime(guest.taken) if guest.taken is not None else None
    if taken is None or ticks is None:
        by_id = guest.match is GuestMatch.VM_ID
        return None if by_id else GuestGap.NO_DATE
    low, high = sorted((taken, ticks))
    if any(vm.changes_between((Lifecycle.MADE,), low, high) for vm in made):
        return GuestGap.CREATED_SINCE if taken < ticks else GuestGap.REPLACED_SINCE
    return None


def _infer_from(spoken: list[Spoken], tables: ProtocolTable) -> Inference | None:
    seen: dict[Component, set[ProtocolVersion]] = {}
    expected: dict[Component, set[ProtocolVersion]] = {}
    agreed: dict[Component, set[ProtocolVersion]] = {}
    refused: set[Component] = set()
    for one in spoken:
        component, pair = one.pair.component, one.pair
        if component is None or pair.service is not None:
            continue
        if pair.guest is not None:
            seen.setdefault(component, set()).add(pair.guest)
            if one.outcome not in _AGREED:
                refused.add(component)
            else:
                agreed.setdefault(component, set()).add(pair.guest)
        if pair.host is not None:
            expected.setdefault(component, set()).add(pair.host)
    if any(len(versions) > 1 or component in refused for component, versions in agreed.items()):
        return None  # one guest does not have these versions at once
    return tables.infer_guest_family(
        {component: frozenset(versions) for component, versions in seen.items()},
        expected={component: frozenset(versions) for component, versions in expected.items()},
    )
