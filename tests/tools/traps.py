"""Logs that look harmless and are not, or not for certain: variants of the twelve kinds of false "ignorable".

Each names the record that is judged, what an inventory says, and what may be said of it at most. They are
apart from the simulator: no host would log most of them so, but tools, exports and administrators do.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any, NamedTuple

from hvdegraded.records.record import EventRecord, Field
from tests.tools.simulator.events import (
    SYSTEM_LOG,
    WORKER_LOG,
    Identity,
    classic,
    life,
    manifest,
    positional,
)

SECOND, MINUTE, HOUR, DAY = 10_000_000, 600_000_000, 36_000_000_000, 864_000_000_000
NOW = 133_782_174_830_000_000  # 2024-12-09T11:31:23Z
HOST = "hv1.corp.example"
VM = Identity("web01", "9FC171E7-B2C6-4BD2-9FF0-253209B2A69D")
OTHER = Identity("db02", "0F3C2D1E-5B6A-4798-8C0D-1E2F3A4B5C6D")
DISPLAY = "Microsoft Synthetic Display Controller"
UBUNTU, FREEBSD, DRAGONFLY = "Ubuntu 22.04.4 LTS", "FreeBSD 13.2-RELEASE", "DragonFly 6.4-RELEASE"


class AtMost(enum.Enum):
    """The most that may be said of an event."""

    ACTIONABLE = "actionable"
    ASSUMED = "ignorable, as long as it says what it assumes"


class Trap(NamedTuple):
    """A log, the number of the record in it that is judged, an inventory, and the most that may be said.

    `alone`: the judged record is enough; no other of the log is needed to see it.
    """

    kind: int
    name: str
    records: tuple[EventRecord, ...]
    judged: int
    rows: tuple[dict[str, Any], ...]
    most: AtMost
    alone: bool = False

    @property
    def shown_before(self) -> bool:
        """Whether all of the other records come before the judged one."""
        judged = self.records[self.judged]
        others = (one for one in self.records if one is not judged)
        return all((one.time_ticks or 0) < (judged.time_ticks or 0) for one in others)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def row(system: str | None = UBUNTU, vm: Identity = VM, **more: str) -> dict[str, Any]:
    return {"Name": vm.name, "Id": vm.vm_id, **({"OSName": system} if system else {}), **more}


def at(record: EventRecord, ticks: int = 0, computer: str = HOST) -> EventRecord:
    """The record, so long after `NOW`."""
    return record._replace(time_ticks=NOW + ticks, computer=computer)


def numbered(records: Iterable[EventRecord]) -> tuple[EventRecord, ...]:
    """In their order, with record ids from 1 in each channel."""
    counts: dict[str, int] = {}
    found = []
    for record in records:
        counts[record.channel] = counts.get(record.channel, 0) + 1
        found.append(record._replace(record_id=counts[record.channel]))
    return tuple(found)


def trap(
    kind: int,
    name: str,
    *records: EventRecord,
    judged: int = 0,
    rows: tuple[dict[str, Any], ...] = (row(),),
    most: AtMost = AtMost.ACTIONABLE,
    alone: bool = False,
) -> Trap:
    return Trap(kind, name, numbered(records), judged, rows, most, alone or len(records) == 1)


# ---------------------------------------------------------------- events


def storage(server: str = "6.0", client: str = "6.2", ticks: int = 0, vm: Identity = VM) -> EventRecord:
    """storvsp 5: refused."""
    return at(classic("storvsp", 5, (vm.name, server, client, vm.vm_id)), ticks)


def storage_loaded(
    server: str = "6.0", client: str = "5.1", ticks: int = 0, vm: Identity = VM
) -> EventRecord:
    """storvsp 6: loaded."""
    return at(classic("storvsp", 6, (vm.name, server, client, vm.vm_id)), ticks)


def network(server: str = "327680", client: str = "393217", ticks: int = 0, number: int = 26) -> EventRecord:
    """VMSMP 26 or 27."""
    return at(classic("VMSMP", number, (VM.name, VM.vm_id, server, client)), ticks)


def display(number: int, server: str, client: str, ticks: int = 0, vm: Identity = VM) -> EventRecord:
    """Worker 23012 or 23014."""
    values = positional(vm.name, vm.vm_id, DISPLAY, server, client)
    return at(manifest("Worker", number, 2 if number == 23012 else 3, values, vm=vm), ticks)


def service(name: str, *versions: str, ticks: int = 0, vm: Identity = VM) -> EventRecord:
    """Integration 4010."""
    channel = "Microsoft-Windows-Hyper-V-Integration-Admin"
    data = positional(vm.name, vm.vm_id, *versions)
    return at(manifest(f"Integration{name}", 4010, 3, data, channel, vm), ticks)


KVP = ("3.0", "3.0", "4.0", "5.0")


def failure(
    provider: str = "Worker",
    number: int = 12030,
    ticks: int = 5 * MINUTE,
    *,
    level: int = 2,
    data: tuple[Field, ...] | None = None,
    vm: Identity | None = VM,
    computer: str = HOST,
) -> EventRecord:
    """An event of a failure; `data` are its values, if not the VM's name and id."""
    if data is None:
        data = (("VmName", VM.name), ("VmId", VM.vm_id)) if vm else ()
    return at(manifest(provider, number, level, data, WORKER_LOG, vm), ticks, computer)


def lived(number: int, ticks: int, vm: Identity = VM) -> EventRecord:
    """A start, stop or reset."""
    return at(life(number, vm), ticks)


def said(
    provider: str, number: int, level: int | None, message: str, channel: str = SYSTEM_LOG
) -> EventRecord:
    """An event of which only the rendered message arrived."""
    return EventRecord(
        provider=provider, event_id=number, level=level, channel=channel, computer=HOST, time_ticks=NOW,
        rendering=(("Message", message),),
    )  # fmt: skip


def final(provider: str, number: int, ticks: int = 5 * MINUTE, device: str = DISPLAY) -> EventRecord:
    """A final refusal, or its twin, which names no VM."""
    twin = number in (23013, 32720, 12323, 18609)
    names = ("VmName", "VmId", "Device", "ServerVersion", "ClientVersion")
    values = (VM.name, VM.vm_id, device, "1.0", "2.0")
    data: tuple[Field, ...] = (("Device", device),) if twin else tuple(zip(names, values, strict=True))
    return at(manifest(provider, number, 2, data, WORKER_LOG, None if twin else VM), ticks)
