"""Which answers are wrong: the truth of each event against what was said of it.

A fault is a false "ignorable" that is not marked as assumed, or one that is although all was known; and a
refusal of Linux or FreeBSD that is actionable although its guest and all that followed were known.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import hvdegraded as hv
from tests.tools.simulator.inventories import Knowledge
from tests.tools.simulator.logs import Cut
from tests.tools.simulator.versions import Guest, Part
from tests.tools.simulator.world import WINDOW, Observation, Truth, World

Key = tuple[str, str, int]


class Kind(enum.Enum):
    """What is wrong with a verdict."""

    FALSE = "ignorable, and it is not"
    MARKED = "ignorable and assumed although all was known, and it is not"
    REFUTED = "ignorable by an inventory that the log refutes"
    NOISE = "actionable, though its fallback is known"
    NO_MISMATCH = "ignorable, and it is no version event"


class Answer(NamedTuple):
    """What was said of an event, by whichever route."""

    label: str
    reason: str
    assumed: bool
    summary: str

    @property
    def ignorable(self) -> bool:
        """Whether it was called ignorable."""
        return self.label == hv.Label.IGNORABLE


class Fault(NamedTuple):
    """A wrong answer, on what."""

    kind: Kind
    observation: Observation
    answer: Answer

    def __str__(self) -> str:
        one, truth = self.observation, self.observation.truth
        guest = (
            f"{truth.guest.system} {truth.guest.kernel or ''}, works: {truth.works}"
            if truth
            else "no mismatch"
        )
        values = " ".join(text for name, text in one.record.data if name != "Binary")
        start = one.start.number if one.start else None
        return (
            f"{self.kind.value}: {one.record.provider} {one.record.event_id} ({values}) at {one.ticks} of start {start} "
            f"on {one.host}; truth: {guest}\n  {self.answer.reason}: {self.answer.summary}"
        )


def answers_of(triage: hv.Triage) -> dict[Key, Answer]:
    """Each event's verdict by host, channel and record id."""
    found = {}
    for group in triage.groups:
        verdict = group.verdict
        answer = Answer(str(verdict.label), str(verdict.reason), verdict.assumed, verdict.summary)
        for record_id in group.record_ids:
            found[group.example.host, group.example.channel, record_id] = answer
    return found


class Oracle(NamedTuple):
    """Knows the truth of a world, what of it was read (`seen`, in the order of time), and what is known of it.

    `as_read`: the answers were given line by line, so that only what came before can count.
    """

    world: World
    seen: list[Observation]
    knowledge: Knowledge
    how: Cut = Cut.NOTHING
    as_read: bool = False

    @property
    def right(self) -> bool:
        """Whether the inventory is right of all machines."""
        return self.knowledge in (Knowledge.RIGHT, Knowledge.NAMES)

    def faults(self, answers: Mapping[Key, Answer]) -> Iterator[Fault]:
        """All wrong answers."""
        whole = self.how is Cut.NOTHING and not self.as_read
        refuting = [one for one in self.seen if refutes(one, self._listed(one))]
        refuted = set() if self.as_read else {_machine_id(one) for one in refuting}
        at_last = {one.key for one in refuting}
        for one in self.seen:
            if one.key in at_last:
                refuted.add(_machine_id(one))
            answer, truth, kind = answers.get(one.key), one.truth, None
            if answer is None or not one.record.computer:
                continue
            if truth is None:
                kind = Kind.NO_MISMATCH if answer.ignorable else None
            elif answer.ignorable and not truth.ignorable:
                kind = self._false(one, truth, refuted, assumed=answer.assumed)
            elif not answer.ignorable and self.right and whole and self._known_fallback(one, truth):
                kind = None if self._ambiguous(one) else Kind.NOISE
            if kind is not None:
                yield Fault(kind, one, answer)

    def _false(self, one: Observation, truth: Truth, refuted: set[str], *, assumed: bool) -> Kind | None:
        """How wrong a false "ignorable" is; None where it is marked, or nothing read could have told."""
        if self.right:
            whole = self.how is Cut.NOTHING and not self.as_read
            return Kind.FALSE if not assumed else Kind.MARKED if whole else None
        if assumed:
            return None
        listed = self._listed(one)
        if listed is None:
            return Kind.FALSE
        if truth.guest.is_windows and not listed.is_windows:
            return Kind.REFUTED if _machine_id(one) in refuted else None
        # The same family, perhaps upgraded. No release of Linux before the present one proves anything on hosts
        # that the present one dropped.
        return Kind.FALSE if listed.family == truth.guest.family else None

    def _listed(self, one: Observation) -> Guest | None:
        """What the inventory has of an event's machine."""
        machine = one.start.machine if one.start else None
        if machine is None or self.knowledge is Knowledge.MISSING:
            return None
        if self.knowledge is Knowledge.PARTIAL and self.world.machines.index(machine) % 2:
            return None
        return machine.last if self.knowledge is Knowledge.LATE else machine.first

    # -------------------------------------------------------- refusals that are known to be harmless

    def _known_fallback(self, one: Observation, truth: Truth) -> bool:
        """Whether a refusal is of Linux or FreeBSD on a host of 2012 or later, harmless, and nothing followed."""
        if not truth.refused or truth.part is Part.VMBUS or truth.guest.family not in ("linux", "freebsd"):
            return False
        host = next(each for each in self.world.hosts if each.name == one.host)
        if not truth.works or not host.host.at_least_2012:
            return False
        for other in self.seen:
            if not one.ticks <= other.ticks <= one.ticks + WINDOW:
                continue
            if other.failure and _may_be_of(other, one):
                return False
            again = other.truth is not None and other.truth.refused and other.start is not one.start
            if again and _machine_id(other) == _machine_id(one):
                return False  # refused again in a later start: a guest that may not get going
        return True

    def _ambiguous(self, one: Observation) -> bool:
        """Whether an inventory by names cannot tell which machine it is, or where it runs."""
        if self.knowledge is not Knowledge.NAMES or one.start is None:
            return False
        machine = one.start.machine
        namesakes = [each for each in self.world.machines if each.identity.name == machine.identity.name]
        return len(namesakes) > 1 or any(start.target for start in machine.starts)


def _machine_id(one: Observation) -> str:
    return one.start.machine.identity.vm_id if one.start else ""


def _may_be_of(failure: Observation, one: Observation) -> bool:
    """Whether a failure may be of an event's machine, for all that it names."""
    record = failure.record
    if _machine_id(failure) == _machine_id(one):
        return True
    if record.get("VmId") is not None or (record.user_id or "").startswith("S-1-5-83-1-"):
        return False
    name = record.get("VmName")
    return name is None or bool(one.start and name == one.start.machine.identity.name)


# ---------------------------------------------------------------- what an inventory cannot be right of


def refutes(one: Observation, listed: Guest | None) -> bool:
    """Whether an event, by the facts, cannot be of the system that an inventory lists (None: of none that is not Windows)."""
    truth, record = one.truth, one.record
    if truth is None:
        return False
    if truth.part is Part.DISPLAY:
        if truth.host < (3, 2):
            return False  # there hyperv_drm of Linux offers 3.5 alone, and is refused
        linux = listed is not None and listed.family == "linux"
        return truth.spoken in ((3, 3), (3, 4)) or (linux and (truth.refused or truth.spoken == (3, 0)))
    if record.provider.endswith("Integration-RDV"):
        return True
    versions = [text for _, text in record.data][4:5]
    return record.provider.endswith("KvpExchange") and versions == ["5.0"]
