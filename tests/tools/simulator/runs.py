"""One run: a world by its seed, an inventory, a reading, and the faults of the verdicts on it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import NamedTuple

import hvdegraded as hv
from hvdegraded.pipeline.labeller import Labeller
from tests.tools.sample_logs import winlogbeat
from tests.tools.simulator import inventories, logs
from tests.tools.simulator.inventories import Knowledge
from tests.tools.simulator.logs import Cut, Route
from tests.tools.simulator.oracle import Answer, Fault, Key, Oracle, answers_of
from tests.tools.simulator.world import Habits, Observation, World

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


def run(wanted: Run, folder: Path) -> list[Fault]:
    """Simulate, triage, and compare. Files are written into `folder`, which is empty."""
    world = World(wanted.seed, wanted.habits)
    if wanted.route is None:
        known = inventories.rows(world, wanted.knowledge)
        guests = hv.GuestInventory.load(known) if known else None
        records = [one.record for one in world.observations]
        answers = answers_of(hv.triage(records, guests=guests, progress=False))
        return list(Oracle(world, world.observations, wanted.knowledge).faults(answers))
    left, answers = _read(world, wanted, wanted.route, folder)
    return list(Oracle(world, left, wanted.knowledge, wanted.how).faults(answers))


def stream(wanted: Run, folder: Path) -> list[Fault]:
    """Simulate, label line by line as a host ships its events, and compare."""
    world = World(wanted.seed, wanted.habits)
    labeller = Labeller(guests=inventories.write(world, wanted.knowledge, folder))
    answers = {}
    for one in world.observations:
        written = labeller.line(json.dumps(winlogbeat(one.record)).encode() + b"\n")
        added = json.loads(written or b"{}").get("hvdegraded")
        if added and added["label"]:
            answers[one.key] = Answer(added["label"], added["reason"], added["assumed"], added["summary"])
    return list(Oracle(world, world.observations, wanted.knowledge, as_read=True).faults(answers))


def proven_refusals(wanted: Run, folder: Path) -> set[Key]:
    """The refusals of a usual world that are called ignorable without an assumption."""
    world = World(wanted.seed)
    left, answers = _read(world, wanted, wanted.route or Route.EVTX, folder)
    refused = {one.key for one in left if one.truth and one.truth.refused}
    return {key for key in refused if key in answers and answers[key].ignorable and not answers[key].assumed}


def _read(
    world: World, wanted: Run, route: Route, folder: Path
) -> tuple[list[Observation], dict[Key, Answer]]:
    """What can be read of the files, and the answers on it."""
    paths, left = logs.write(world, folder, route, wanted.how, random.Random(wanted.seed))
    path = inventories.write(world, wanted.knowledge, folder)
    inventory = hv.GuestInventory.load(path) if path else None
    triage = hv.triage([str(path) for path in paths], guests=inventory, progress=False)
    return left, answers_of(triage)
