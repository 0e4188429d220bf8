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

from typing import NamedTuple

from hvdegraded.events import VersionEvent
from hvdegraded.guests.guest import Guest, GuestMatch
from hvdegraded.knowledge.guest_systems import upstream_kernel
from hvdegraded.knowledge.protocols import Inference, ProtocolTable
from hvdegraded.knowledge.vocabulary import GuestFamily, Lifecycle
from hvdegraded.timestamps import datetime_from_ticks, ticks_from_datetime
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.speech import AGREED, Speeches, speaks_only_windows, words_of
from hvdegraded.verdicts.surroundings import Surroundings
from hvdegraded.verdicts.timeline import Timeline
from hvdegraded.verdicts.verdict import GuestGap
from hvdegraded.verdicts.vm_history import VmHistory

__all__ = ["EvidenceOfGuest", "GuestEvidence"]


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


_NOTHING_KNOWN = GuestEvidence()


class EvidenceOfGuest:
    """What is known of an event's guest: looked up once, then asked for any time.

    `guest` is what the inventory says of the VM, of which the event only counts for what it says itself;
    `around` contains what else is known of the VM, None where nothing is.
    """

    __slots__ = (
        "_around",
        "_event",
        "_foreign",
        "_nothing_shown",
        "_policy",
        "_speech",
        "_speeches",
        "guest",
    )

    def __init__(
        self,
        event: VersionEvent,
        guest: Guest | None,
        around: Surroundings | None,
        policy: Policy,
        speeches: Speeches,
    ) -> None:
        self.guest = guest
        self._event = event
        self._around = around
        self._policy = policy
        self._speeches = speeches
        vm = around.vm if around is not None else None
        self._speech = None if vm is None or vm.has_anomalies else speeches.of(vm)
        self._nothing_shown: GuestEvidence | None = None
        self._foreign: list[_SpokenAt] | None = None

    def at(self, ticks: int | None) -> GuestEvidence:
        """Return what is known of the guest at a time (None: not known)."""
        guest = self.guest
        if guest is None or guest.family is GuestFamily.UNKNOWN:
            shown = self._shown(ticks)
            return self._without_family() if shown is None else GuestEvidence(guest, inferred=shown)
        if guest.family is GuestFamily.WINDOWS:
            return GuestEvidence(guest)
        return self._against(guest, ticks)

    def _without_family(self) -> GuestEvidence:
        """What is known where neither an inventory nor a start shows the family."""
        if self._nothing_shown is None:
            found = min(filter(None, (self._speeches.of(vm).windows for vm in self._vms)), default=None)
            empty = self.guest is None and found is None
            self._nothing_shown = _NOTHING_KNOWN if empty else GuestEvidence(self.guest, windows=found)
        return self._nothing_shown

    def _against(self, guest: Guest, ticks: int | None) -> GuestEvidence:
        """What speaks against a row of the inventory that calls the guest other than Windows."""
        tables = self._policy.knowledge.protocols
        if self._foreign is None:
            self._foreign = _windows(self._vms, tables) + _foreign(self._vms, guest.family, tables)
        contradiction = _contradicted_by_event(self._event, guest, tables) or _contradicted_by_history(
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

    def _shown(self, ticks: int | None) -> Inference | None:
        """What the versions spoken in the VM's start at that time show; None where they show nothing."""
        vm, speech = self._around.vm if self._around is not None else None, self._speech
        if vm is None or speech is None or ticks is None or not speech.may_show():
            return None
        first, last = vm.start_of(ticks)
        before = vm.spoken_between(first, ticks)
        found = speech.infer(before)
        if found is not None and not speech.of_windows:
            return found
        after = vm.spoken_between(ticks, last)
        if (before | after) & speech.of_windows:
            return None
        return found if found is not None else speech.infer(after)


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
                found.append(_SpokenAt(words_of(spoken), times))
    return sorted(found, key=lambda one: one.what)


def _foreign(vms: tuple[VmHistory, ...], family: GuestFamily, tables: ProtocolTable) -> list[_SpokenAt]:
    """What these VMs spoke that no known guest of the family does."""
    found = []
    for vm in vms:
        for spoken, times in vm.spoken():
            agreed = spoken.outcome in AGREED
            what = tables.spoken_only_by_others(family, spoken.component, (spoken.pair,), agreed=agreed)
            if what is not None:
                found.append(_SpokenAt(what, times))
    return sorted(found, key=lambda one: one.what)


def _contradicted_by_event(event: VersionEvent, guest: Guest, tables: ProtocolTable) -> str | None:
    agreed = event.outcome in AGREED
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
