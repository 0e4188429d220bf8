"""The logs of a world as files: whole, or cut as logs are cut, and by which route."""

from __future__ import annotations

import enum
import json
import random
from pathlib import Path

from hvdegraded.formats.evtx.writer import evtx_bytes
from tests.tools.sample_exports import event_xml, winlogbeat
from tests.tools.simulator.events import ADAPTER_LOG, DISK_LOG, VMMS_LOG, WORKER_LOG
from tests.tools.simulator.world import MINUTE, Observation, World

Log = tuple[str, str]
_FAILURES = (WORKER_LOG, WORKER_LOG, VMMS_LOG, DISK_LOG, ADAPTER_LOG)
"""Channels in which failures stand."""


class Cut(enum.Enum):
    """What is missing of the logs."""

    NOTHING = "nothing"
    TAIL = "they end soon after an event"
    WRAPPED = "the oldest records of a channel were overwritten"
    CHANNEL = "the channel of the failures was not read"
    RECORD = "one record cannot be read"
    HOST = "another host was not read"


class Route(enum.Enum):
    """How logs are given."""

    EVTX = "evtx"
    XML = "xml"
    JSON = "jsonl"


def cut(world: World, how: Cut, choice: random.Random) -> list[Observation]:
    """What is left to be read."""
    told = [one for one in world.observations if one.truth is not None]
    if not told or how in (Cut.NOTHING, Cut.RECORD):
        return list(world.observations)
    pivot = choice.choice([one for one in told if one.truth and one.truth.refused] or told)
    if how is Cut.TAIL:
        last = pivot.ticks + choice.randint(0, 12 * MINUTE)
        return [one for one in world.observations if one.ticks <= last]
    if how is Cut.WRAPPED:
        first = pivot.ticks + choice.randint(0, 12 * MINUTE)
        wrapped = pivot.host, choice.choice(_FAILURES)
        return [one for one in world.observations if one.log != wrapped or one.ticks >= first]
    if how is Cut.CHANNEL:
        unread = pivot.host, choice.choice(_FAILURES)
        return [one for one in world.observations if one.log != unread]
    return [one for one in world.observations if one.host == pivot.host]


def write(
    world: World, folder: Path, route: Route, how: Cut, choice: random.Random
) -> tuple[list[Path], list[Observation]]:
    """Write the logs; returns their files, and the events that a reader can get of them."""
    left = cut(world, how, choice)
    logs: dict[Log, list[Observation]] = {}
    for one in left:
        logs.setdefault(one.log, []).append(one)
    paths = []
    lost: Observation | None = None
    if how is Cut.RECORD:
        lost = choice.choice([one for one in left if one.failure] or left)
        left.remove(lost)
    for (host, channel), observed in logs.items():
        path = folder / f"{host} {channel}.{route.value}"
        path.write_bytes(_content(observed, route, lost))
        paths.append(path)
    return paths, left


def _content(observed: list[Observation], route: Route, lost: Observation | None) -> bytes:
    """A file of these events; one of them cannot be read, if it is `lost`."""
    records = [one.record for one in observed]
    at = next((at for at, one in enumerate(observed) if one is lost), None)
    if route is Route.EVTX:
        data = evtx_bytes(records, first_record_id=records[0].record_id or 1)
        return data if at is None else _without(data, at)
    if route is Route.XML:
        texts = [event_xml(record) for record in records]
        if at is not None:
            texts[at] = texts[at].replace("</System>", "")
        return ("<Events>" + "\n".join(texts) + "</Events>").encode()
    texts = [json.dumps(winlogbeat(record)) for record in records]
    if at is not None:
        texts[at] = texts[at][:-40]
    return ("\n".join(texts) + "\n").encode()


def _without(data: bytes, number: int) -> bytes:
    """A log of which the record at `number` cannot be read any more: its body is overwritten."""
    start = -1
    for _ in range(number + 1):
        start = data.index(b"**\0\0", start + 1)
    size = int.from_bytes(data[start + 4 : start + 8], "little")
    return data[: start + 24] + b"\xff" * (size - 28) + data[start + size - 4 :]
