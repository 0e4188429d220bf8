"""Machines over time: they start, negotiate, fail, move, and are made anew; each event with its truth."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from hvdegraded.records.record import EventRecord
from tests.tools.simulator import events, versions
from tests.tools.simulator.events import FAILURES, FINAL, NAMINGS, Failure, Identity, Naming
from tests.tools.simulator.negotiation import Connection, Offer, Outcome, connect
from tests.tools.simulator.versions import Guest, Host, Part, Version

SECOND, MINUTE, HOUR, DAY = 10_000_000, 600_000_000, 36_000_000_000, 864_000_000_000
BEGIN = 133_782_000_000_000_000  # 2024-12-09
WINDOW = 10 * MINUTE


class Truth(NamedTuple):
    """What is true of a version event: of which part, what the guest was, whether the part worked in the end.

    `refused` is False where the event reports a part that works with an older version. `spoken` is the
    version that the guest offered, `host` the host's newest.
    """

    part: Part
    refused: bool
    guest: Guest
    works: bool
    spoken: Version
    host: Version

    @property
    def ignorable(self) -> bool:
        """Whether the event may be called ignorable: works, and of a loaded one that the guest is not Windows.

        The network boot's own events are harmless whatever boots after it.
        """
        return self.works and (self.refused or not self.guest.is_windows)


@dataclass(eq=False)
class Start:
    """One start of a machine: from when to when, on which host, and what failed in it (a part, or all)."""

    machine: Machine
    number: int
    host: HostMachine
    guest: Guest
    begin: int
    end: int | None = None
    failed_at: int | None = None
    failure: Failure | None = None
    moved_at: int | None = None
    target: HostMachine | None = None

    def fails(self, part: Part) -> bool:
        """Whether its failure is one of this part: of a device's own, or of all that a VM has."""
        if self.failure is None:
            return False
        own = {"SynthStor": Part.STORAGE, "SynthNic": Part.NETWORK}.get(self.failure.provider)
        return part is (Part.DISPLAY if self.failure in FINAL else own or part)

    def host_at(self, ticks: int) -> HostMachine:
        """Where it runs at a time."""
        moved = self.target is not None and self.moved_at is not None and ticks >= self.moved_at
        return self.target if moved and self.target is not None else self.host


class Observation(NamedTuple):
    """An event as a host logged it, the start it belongs to, and its truth if it is a version event.

    `failure` marks the event of a failure.
    """

    record: EventRecord
    host: str
    start: Start | None
    truth: Truth | None = None
    failure: bool = False

    @property
    def log(self) -> tuple[str, str]:
        """Host and channel."""
        return self.host, self.record.channel

    @property
    def key(self) -> tuple[str, str, int]:
        """Host, channel and record id, by which a verdict finds it again."""
        return (*self.log, self.record.record_id or 0)

    @property
    def ticks(self) -> int:
        """When it happened."""
        return self.record.time_ticks or 0


@dataclass(eq=False)
class HostMachine:
    """A host by name, with its release."""

    name: str
    host: Host


@dataclass(eq=False)
class Machine:
    """A virtual machine: who it is, and its starts."""

    identity: Identity
    starts: list[Start] = field(default_factory=list)

    @property
    def first(self) -> Guest:
        """What it ran at first."""
        return self.starts[0].guest

    @property
    def last(self) -> Guest:
        """What it runs in the end."""
        return self.starts[-1].guest


class Habits(NamedTuple):
    """How eventful a world is: shares of starts and machines, from 0 to 1."""

    failures: float = 0.25
    changes: float = 0.0
    upgrades: float = 0.0
    moves: float = 0.1
    nameless: float = 0.15
    windows: float = 0.4
    network_boot: float = 0.1
    namesakes: float = 0.1


USUAL = Habits()


class World:
    """Some hosts and their machines, from `BEGIN` on; `observations` in the order of time."""

    def __init__(self, seed: int, habits: Habits = USUAL) -> None:
        self.choice = random.Random(seed)
        self.habits = habits
        releases = [self.choice.choice(versions.RELEASES) for _ in range(self.choice.randint(1, 2))]
        self.hosts = [HostMachine(f"hv{n}.corp.example", Host(one)) for n, one in enumerate(releases, 1)]
        self.machines: list[Machine] = []
        self.observations: list[Observation] = []
        self.end = BEGIN
        for number in range(self.choice.randint(1, 4)):
            self._live(number)
        self.end += HOUR
        for host in self.hosts:
            for channel in events.channels(host.host):
                for ticks in (BEGIN - HOUR, self.end):
                    self._log(host, ticks, events.filler(channel), None)
        self.observations.sort(key=lambda one: one.ticks)
        self._number()

    def _number(self) -> None:
        """Number the records of each host's channels, as the event log service does."""
        counts: Counter[tuple[str, str]] = Counter()
        for at, one in enumerate(self.observations):
            counts[one.log] += 1
            self.observations[at] = one._replace(record=one.record._replace(record_id=counts[one.log]))

    # ------------------------------------------------------------ machines

    def _live(self, number: int) -> None:
        choice, habits = self.choice, self.habits
        name = f"vm{number}"
        if self.machines and choice.random() < habits.namesakes:
            name = choice.choice(self.machines).identity.name
        machine = Machine(Identity(name, str(UUID(int=choice.getrandbits(128), version=4)).upper()))
        self.machines.append(machine)
        guest = self._new_guest()
        host = choice.choice(self.hosts)
        now = BEGIN + choice.randint(0, 6 * HOUR)
        for at in range(choice.randint(1, 4)):
            if at and choice.random() < habits.changes:
                guest = self._changed(guest)
            if choice.random() < habits.network_boot:
                self._boot(Start(machine, -1, host, versions.ipxe(), now))
            start = Start(machine, at, host, guest, now)
            machine.starts.append(start)
            now = self._run(start)
            host = start.host_at(now)

    def _new_guest(self) -> Guest:
        wanted = versions.some_windows if self.choice.random() < self.habits.windows else versions.not_windows
        return wanted(self.choice)

    def _changed(self, guest: Guest) -> Guest:
        """Another system in the same machine: upgraded, or made anew."""
        choice = self.choice
        if choice.random() < self.habits.upgrades:
            if guest.is_windows:
                return versions.windows(choice.choice(versions.RELEASES), choice)
            if guest.kernel is not None:
                newer = [one for one in versions.UPSTREAM if one >= (5, 4)]
                return versions.upstream(choice, newer)._replace(system=guest.system)
        return versions.not_windows(choice) if guest.is_windows else versions.some_windows(choice)

    # ------------------------------------------------------------ one start

    def _run(self, start: Start) -> int:
        """Log one start; returns when the next may begin."""
        choice, habits = self.choice, self.habits
        if choice.random() < habits.failures:
            start.failed_at = start.begin + choice.randint(2 * SECOND, 12 * MINUTE)
        if len(self.hosts) > 1 and choice.random() < habits.moves:
            start.target = choice.choice([one for one in self.hosts if one is not start.host])
            start.moved_at = start.begin + choice.randint(70 * SECOND, 15 * MINUTE)
        if start.failed_at is not None:
            recent = start.host_at(start.failed_at).host.at_least_2016
            start.failure = choice.choice(FINAL if recent and choice.random() < 0.3 else FAILURES)
        connection = self._boot(start)
        if start.failed_at is not None and start.failure is not None:
            self._fail(start, start.failure, start.failed_at)
        dead = not connection.works(Part.STORAGE) and start.guest.family != "ipxe"
        if dead and choice.random() < 0.5:  # the guest finds no disk, and tries again
            self._stop(start, start.begin + choice.randint(70 * SECOND, 8 * MINUTE), events.GUEST_RESET)
            return (start.end or 0) + 5 * SECOND
        length = choice.choice((3 * MINUTE, 2 * HOUR, 2 * HOUR, 3 * DAY)) + choice.randint(0, 30 * MINUTE)
        stop = choice.choice((events.TURNED_OFF, events.SHUT_DOWN, events.GUEST_SHUT_DOWN, events.RESET))
        self._stop(start, max(start.begin + length, (start.failed_at or 0) + MINUTE), stop)
        return (start.end or 0) + choice.randint(20 * SECOND, 3 * HOUR)

    def _stop(self, start: Start, end: int, event_id: int) -> None:
        """End a start, and log its migration if that came before."""
        start.end = end
        identity = start.machine.identity
        if start.target is not None and start.moved_at is not None and start.moved_at < end:
            for host, ticks in ((start.host, start.moved_at), (start.target, start.moved_at + SECOND)):
                self._log(host, ticks, events.life(events.MOVED, identity), start)
        self._log(start.host_at(end), end, events.life(event_id, identity), start)

    def _boot(self, start: Start) -> Connection:
        choice, identity = self.choice, start.machine.identity
        if start.guest.family != "ipxe":
            self._log(start.host, start.begin, events.life(events.STARTED, identity), start)
        disks, adapters = choice.choice((1, 1, 2)), choice.choice((1, 1, 2))
        connection = connect(start.host.host, start.guest, disks, adapters)
        now = start.begin + choice.randint(SECOND, 40 * SECOND)
        for offer in connection.offers:
            now += choice.randint(10_000, 2_000_000)
            record = events.of_offer(offer, start.host.host, identity, choice)
            if record is not None:
                self._log(start.host, now, record, start, self._truth(offer, connection, start, now))
        return connection

    def _truth(self, offer: Offer, connection: Connection, start: Start, now: int) -> Truth:
        refused = offer.outcome is Outcome.REFUSED
        failed = start.failed_at is not None and now <= start.failed_at <= now + WINDOW
        works = not refused or (connection.works(offer.part) and not (failed and start.fails(offer.part)))
        return Truth(offer.part, refused, start.guest, works, offer.guest, offer.host)

    def _fail(self, start: Start, failure: Failure, ticks: int) -> None:
        """Something of this start breaks, whatever was agreed."""
        twin = failure.twin is not None and self.choice.random() < self.habits.nameless
        naming = self.choice.choice(NAMINGS)
        host = start.host_at(ticks)
        record = events.of_failure(failure, host.host, start.machine.identity, naming, twin=twin)
        self._log(host, ticks, record, start, failure=True, naming=naming)

    def _log(
        self,
        host: HostMachine,
        ticks: int,
        record: EventRecord,
        start: Start | None,
        truth: Truth | None = None,
        *,
        failure: bool = False,
        naming: Naming = NAMINGS[0],
    ) -> None:
        computer = host.name if naming.computer else ""
        if failure and self.choice.random() < 0.1:
            computer = computer.partition(".")[0]
        record = record._replace(time_ticks=ticks, computer=computer)
        self.observations.append(Observation(record, host.name, start, truth, failure))
        self.end = max(self.end, ticks)
