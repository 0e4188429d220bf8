"""What an administrator knows of the machines of a world: right, by name only, old, or nothing."""

from __future__ import annotations

import enum
import json
import os
from pathlib import Path
from typing import Any

from tests.tools.simulator.versions import Guest
from tests.tools.simulator.world import BEGIN, DAY, World

_EPOCH = 116_444_736_000_000_000
_SECOND = 10_000_000


class Knowledge(enum.Enum):
    """How good an inventory is."""

    RIGHT = "right"
    NAMES = "right, by name and host only"
    STALE = "taken before anything changed"
    LATE = "taken after everything changed"
    PARTIAL = "every other machine is missing"
    MISSING = "missing"


def rows(world: World, knowledge: Knowledge) -> list[dict[str, Any]]:
    """The rows of an inventory, one for each machine that it knows."""
    if knowledge is Knowledge.MISSING:
        return []
    found = []
    for number, machine in enumerate(world.machines):
        if knowledge is Knowledge.PARTIAL and number % 2:
            continue
        start = machine.starts[-1 if knowledge is Knowledge.LATE else 0]
        row: dict[str, Any] = {"Name": machine.identity.name, "HostName": start.host.name}
        if knowledge is not Knowledge.NAMES:
            row["Id"] = machine.identity.vm_id
        found.append(row | _system(start.guest))
    return found


def _system(guest: Guest) -> dict[str, str]:
    """What data exchange tells of a system."""
    return {"OSName": guest.system} | ({"OSVersion": guest.kernel} if guest.kernel else {})


def taken(world: World, knowledge: Knowledge) -> int:
    """When such an inventory was taken, in ticks."""
    if knowledge is Knowledge.STALE:
        return BEGIN - DAY
    return world.end


def write(world: World, knowledge: Knowledge, folder: Path) -> Path | None:
    """The inventory as a file of the time at which it was taken; None where there is none."""
    if knowledge is Knowledge.MISSING:
        return None
    path = folder / "guests.json"
    path.write_text(json.dumps(rows(world, knowledge)), encoding="utf-8")
    seconds = (taken(world, knowledge) - _EPOCH) / _SECOND
    os.utime(path, (seconds, seconds))
    return path
