"""Which verdicts are wrong: the truth of each event against what was said of it.

A fault is a false "ignorable" that is not marked as assumed, or one that is although all was known; and a
refusal of Linux or FreeBSD that is actionable although its guest and all that followed were known.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import hvdegraded as hv
from hvdegraded.verdicts.verdict import Verdict
from tests.tools.simulator.inventories import Knowledge
from tests.tools.simulator.logs import Cut
from tests.tools.simulator.versions import Guest, Part
from tests.tools.simulator.world import WINDOW, Machine, Observation, Truth, World

Key = tuple[str, str, int]


class Kind(enum.Enum):
    """What is wrong with a verdict."""

    FALSE = "ignorable, and it is not"
    MARKED = "ignorable and assumed although all was known, and it is not"
    REFUTED = "ignorable by an inventory that the log refutes"
    NOISE = "actionable, though its fallback is known"
    NO_MISMATCH = "ignorable, and it is no version event"


class Fault(NamedTuple):
    """A wrong verdict, on what."""

    kind: Kind
    observation: Observation
    verdict: Verdict

    def __str__(self) -> str:
        one, truth = self.observation, self.observation.truth
        told = (
            f"{truth.guest.system} {truth.guest.kernel or ''}, works: {truth.works}"
            if truth
            else "no mismatch"
        )
        values = " ".join(text for name, text in one.record.data if name != "Binary")
        start = one.start.number if one.start else None
        return (
            f"{self.kind.value}: {one.record.provider} {one.record.event_id} ({values}) at {one.ticks} of start {start} "
            f"on {one.host}; truth: {told}\n  {self.verdict.reason}: {self.verdict.summary}"
        )


def verdicts_of(triage: hv.Triage) -> dict[Key, Verdict]:
    """Each event's verdict by host, channel and record id."""
    found = {}
    for group in triage.groups:
        where = group.example.computer, group.example.channel
        for record_id in group.record_ids:
            found[*where, record_id] = group.verdict
    return found


def faults(
    world: World,
    observed: Iterable[Observation],
    verdicts: Mapping[Key, Verdict],
    knowledge: Knowledge,
    how: Cut = Cut.NOTHING,
) -> list[Fault]:
    """All wrong verdicts on the events that were read."""
    seen = list(observed)
    refuted = _refuted(world, seen)
    right = knowledge in (Knowledge.RIGHT, Knowledge.NAMES)
    found = []
    for one in seen:
        verdict = verdicts.get(one.key)
        if verdict is None or not one.record.computer:
            continue
        truth, kind = one.truth, None
        if truth is None:
            kind = Kind.NO_MISMATCH if verdict.ignorable else None
        elif verdict.ignorable and not truth.ignorable:
            kind = _false(world, one, truth, verdict, knowledge, how, refuted)
        elif verdict.actionable and right and how is Cut.NOTHING and _known_fallback(world, seen, one, truth):
            kind = None if _ambiguous(world, one, knowledge) else Kind.NOISE
        if kind is not None:
            found.append(Fault(kind, one, verdict))
    return found


def _false(
    world: World,
    one: Observation,
    truth: Truth,
    verdict: Verdict,
    knowledge: Knowledge,
    how: Cut,
    refuted: set[str],
) -> Kind | None:
    """How wrong a false "ignorable" is; None where it is marked, or nothing read could have told."""
    machine = one.start.machine if one.start else None
    if knowledge in (Knowledge.RIGHT, Knowledge.NAMES):
        if not verdict.assumed:
            return Kind.FALSE
        return Kind.MARKED if how is Cut.NOTHING else None
    if verdict.assumed:
        return None
    listed = _listed(world, machine, knowledge)
    if listed is None:
        return Kind.FALSE
    if truth.guest.is_windows and machine and machine.identity.vm_id in refuted and not listed.is_windows:
        return Kind.REFUTED
    if listed.family == truth.guest.family and not (truth.refused and listed.is_windows):
        # The same family, upgraded: its inventory is right but for the release. No release of Linux before the
        # present one proves anything on hosts that the present one dropped.
        return Kind.FALSE
    return None


def _listed(world: World, machine: Machine | None, knowledge: Knowledge) -> Guest | None:
    """What an inventory has of a machine."""
    if machine is None or knowledge is Knowledge.MISSING:
        return None
    if knowledge is Knowledge.PARTIAL and world.machines.index(machine) % 2:
        return None
    return machine.last if knowledge is Knowledge.LATE else machine.first


# ---------------------------------------------------------------- what only Windows speaks


def shows_windows(one: Observation) -> bool:
    """Whether an event, by the facts, cannot be of Linux or BSD."""
    truth, record = one.truth, one.record
    if truth is None:
        return False
    if truth.part is Part.DISPLAY:
        if truth.host < (3, 2):
            return False  # there hyperv_drm of Linux offers 3.5 alone, and is refused
        return truth.refused or truth.spoken in ((3, 0), (3, 3), (3, 4))
    if record.provider.endswith("Integration-RDV"):
        return True
    versions = [text for _, text in record.data][4:5]
    return record.provider.endswith("KvpExchange") and versions == ["5.0"]


def _refuted(world: World, seen: Iterable[Observation]) -> set[str]:
    """Ids of machines of which something read shows Windows."""
    return {one.start.machine.identity.vm_id for one in seen if one.start and shows_windows(one)}


# ---------------------------------------------------------------- refusals that are known to be harmless


def _known_fallback(world: World, seen: list[Observation], one: Observation, truth: Truth) -> bool:
    """Whether a refusal is of Linux or FreeBSD on a host of 2012 or later, harmless, and nothing followed."""
    if not truth.refused or truth.part is Part.VMBUS or truth.guest.family not in ("linux", "freebsd"):
        return False
    host = next(each for each in world.hosts if each.name == one.host)
    if not truth.works or not host.host.at_least_2012:
        return False
    for other in seen:
        if not one.ticks <= other.ticks <= one.ticks + WINDOW:
            continue
        if other.failure and _may_be_of(other, one):
            return False
        if other.start is not one.start and other.truth and other.truth.refused and _same_machine(other, one):
            return False  # refused again in a later start: a guest that may not get going
    return True


def _same_machine(one: Observation, other: Observation) -> bool:
    return bool(one.start and other.start and one.start.machine is other.start.machine)


def _may_be_of(failure: Observation, one: Observation) -> bool:
    """Whether a failure may be of an event's machine, for all that it names."""
    record = failure.record
    if _same_machine(failure, one):
        return True
    names_id = record.get("VmId") is not None or (record.user_id or "").startswith("S-1-5-83-1-")
    if names_id:
        return False
    name = record.get("VmName")
    return name is None or bool(one.start and name == one.start.machine.identity.name)


def _ambiguous(world: World, one: Observation, knowledge: Knowledge) -> bool:
    """Whether an inventory by names cannot tell which machine it is, or where it runs."""
    if knowledge is not Knowledge.NAMES or one.start is None:
        return False
    identity = one.start.machine.identity
    namesakes = [each for each in world.machines if each.identity.name == identity.name]
    return len(namesakes) > 1 or any(start.target for start in one.start.machine.starts)
