"""What followed a refused offer: a failure, the same refusal in a later start, or a time not seen whole."""

from __future__ import annotations

from typing import NamedTuple

from hvdegraded.events import Event, VersionEvent
from hvdegraded.knowledge.channels import failure_channels
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.vocabulary import Family, Lifecycle, Outcome, Role
from hvdegraded.records.coverage import ChannelCoverage, CoverageGap
from hvdegraded.records.record import Level
from hvdegraded.verdicts.history import short_host
from hvdegraded.verdicts.surroundings import Surroundings
from hvdegraded.verdicts.timeline import MINUTE, last_tick_of
from hvdegraded.verdicts.verdict import UnseenChannel
from hvdegraded.verdicts.vm_history import WINDOW, WINDOW_MINUTES, Failure

__all__ = ["Aftermath", "failure_of", "what_followed"]

_SAME_MINUTE = MINUTE
"""Within this time equal refusals of one start are those of several devices, each negotiated once."""
_OF_DEVICES = frozenset(
    {
        Family.WORKER,
        Family.CHIPSET,
        Family.SYNTHSTOR,
        Family.SYNTHNIC,
        Family.STORAGEVSP,
        Family.UIDEVICES,
        Family.VMBUSVDEV,
        Family.SERIAL,
    }
)


class Aftermath(NamedTuple):
    """What followed a refused offer within ten minutes.

    `failure` is the first failure of the VM, `again` whether the same offer was refused in a later start,
    `interrupted` whether the reading was given up.
    `unseen` says why these ten minutes were not seen whole, empty where they were; `channels` names those of
    the host that would show what is missing.
    """

    failure: str | None = None
    again: bool = False
    interrupted: bool = False
    unseen: tuple[str, ...] = ()
    channels: tuple[UnseenChannel, ...] = ()


def what_followed(around: Surroundings | None, event: VersionEvent, ticks: int | None) -> Aftermath:
    """Look at the ten minutes after a refused offer; `ticks` is None where its time is not known.

    `around` contains what is known around the event, None where nothing is.
    """
    if around is None:
        return Aftermath(unseen=("nothing else of this VM was read",), channels=_channels(event, None))
    incomplete = around.history.incomplete
    if ticks is None:
        failures = around.failures(None, None)
        unseen = ("the time of the event is not known",)
        return Aftermath(_first(failures, event), False, incomplete, unseen)
    last = last_tick_of(ticks) + WINDOW
    failures = around.failures(ticks, last)
    channels = _channels(event, around.history.coverage, ticks, last)
    return Aftermath(
        _first(failures, event),
        _refused_again(event, ticks, last, around),
        incomplete,
        _unseen(ticks, last, around, channels),
        channels,
    )


def _first(failures: list[tuple[int, Failure]], event: VersionEvent) -> str | None:
    """The first failure in words, with its host if that is another than the event's."""
    if not failures:
        return None
    failure = failures[0][1]
    if not (failure.host and event.host) or short_host(failure.host) == short_host(event.host):
        return failure.what
    return f"{failure.what.rstrip('.')}, on {failure.host}, where the VM was by then."


def _channels(
    event: VersionEvent, coverage: ChannelCoverage | None, first: int = 0, last: int = 0
) -> tuple[UnseenChannel, ...]:
    """The channels in which a failure would stand that do not cover the time; all if no coverage is known."""
    found = []
    for channel in failure_channels(event.component, event.versions.host):
        gap = CoverageGap.NOT_READ if coverage is None else coverage.gap(event.host, channel, first, last)
        if gap is not None:
            found.append(UnseenChannel(channel, gap))
    return tuple(found)


def _refused_again(event: VersionEvent, ticks: int, last: int, around: Surroundings) -> bool:
    for vm in around.vms:
        for later in vm.offered_again(event, ticks + 1, last):
            boundaries = (Lifecycle.STARTED, Lifecycle.STOPPED, Lifecycle.RESET)
            if later - ticks > _SAME_MINUTE or vm.changes_between(boundaries, ticks + 1, later):
                return True
    return False


def _unseen(
    ticks: int, last: int, around: Surroundings, channels: tuple[UnseenChannel, ...]
) -> tuple[str, ...]:
    unseen = []
    history = around.history
    if history.mixes_zones:
        unseen.append("some times name no zone, so they cannot be compared with others")
    if around.unlinked_failures(ticks, last):
        unseen.append("a VM failed of which it is not known whether it is this one")
    for vm in around.vms:
        if vm.overflowed:
            unseen.append("more versions were reported of this VM than are kept")
        if vm.changes_between((Lifecycle.STOPPED, Lifecycle.RESET), ticks, last):
            unseen.append(f"the VM was stopped or reset within {WINDOW_MINUTES} minutes")
        if vm.changes_between((Lifecycle.LEFT,), ticks, last):
            unseen.append(f"the VM moved to another host within {WINDOW_MINUTES} minutes")
    if history.coverage is None:
        unseen.append("it is not known which logs of that time were read")
    else:
        unseen += [f"{one.channel}: {one.gap}" for one in channels]
    return tuple(dict.fromkeys(unseen))


def failure_of(event: Event, fact: EventFact | None) -> str | None:
    """Return the failure of a VM that an event reports, in words; None if it reports none.

    Of the providers of a VM's devices, problems count, and errors that the tables do not know.
    """
    if fact is not None:
        serious = fact.vm_failure or fact.outcome is Outcome.FINAL_REFUSAL
        serious |= fact.role is Role.PROBLEM and event.family in _OF_DEVICES and not fact.forced
        return f"{event.provider} {event.event_id}: {fact.meaning}" if serious else None
    if event.family not in _OF_DEVICES or (event.level is not None and event.level > Level.ERROR):
        return None
    return f"{event.provider} {event.event_id}, an error that the tables do not know."
