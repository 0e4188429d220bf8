"""One run: a world by its seed, an inventory, a reading, and the faults of the verdicts on it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import hvdegraded as hv
from tests.tools.simulator import inventories, logs, oracle
from tests.tools.simulator.inventories import Knowledge
from tests.tools.simulator.logs import Cut, Route
from tests.tools.simulator.oracle import Fault
from tests.tools.simulator.world import Habits, World

CHANGING = Habits(changes=0.5, upgrades=0.4)
"""Machines that are made anew and upgraded: no inventory is right of those."""


class Run(NamedTuple):
    """What is to be simulated. Without a route, records are given in memory, all of them."""

    seed: int
    knowledge: Knowledge
    how: Cut = Cut.NOTHING
    route: Route | None = None

    @property
    def habits(self) -> Habits:
        """An inventory is right only of machines that do not change."""
        return Habits() if self.knowledge in (Knowledge.RIGHT, Knowledge.NAMES) else CHANGING


def run(wanted: Run, folder: Path | None = None) -> list[Fault]:
    """Simulate, triage, and compare. Files are written into `folder`."""
    world = World(wanted.seed, wanted.habits)
    if wanted.route is None or folder is None:
        guests = hv.GuestInventory.load(inventories.rows(world, wanted.knowledge))
        records = [one.record for one in world.observations]
        verdicts = oracle.verdicts_of(hv.triage(records, guests=guests, progress=False))
        return oracle.faults(world, world.observations, verdicts, wanted.knowledge)
    choice = random.Random(wanted.seed)
    paths, left = logs.write(world, folder, wanted.route, wanted.how, choice)
    path = inventories.write(world, wanted.knowledge, folder)
    inventory = hv.GuestInventory.load(path) if path else None
    triage = hv.triage([str(path) for path in paths], guests=inventory, progress=False)
    return oracle.faults(world, left, oracle.verdicts_of(triage), wanted.knowledge, wanted.how)
