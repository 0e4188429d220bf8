"""The traps: each kind in variants of its own; see `traps`."""

from __future__ import annotations

from collections.abc import Iterator

from hvdegraded.records.record import EventRecord
from tests.tools.simulator.events import GUEST_RESET, SHUT_DOWN, STARTED, TURNED_OFF, classic, manifest
from tests.tools.traps import (
    DAY,
    DISPLAY,
    DRAGONFLY,
    FREEBSD,
    HOUR,
    KVP,
    MINUTE,
    OTHER,
    SECOND,
    UBUNTU,
    VM,
    AtMost,
    Trap,
    at,
    display,
    failure,
    final,
    lived,
    network,
    row,
    said,
    service,
    storage,
    storage_loaded,
    trap,
)

MARKED = AtMost.ASSUMED
WINDOWS = "Windows Server 2019 Datacenter"


def _following() -> Iterator[Trap]:
    """Kinds 1, 2, 3 and 11: what followed, or cannot be seen."""
    yield trap(1, "a refusal alone", storage(), most=MARKED)
    yield trap(1, "a refused network alone", network(), most=MARKED, rows=(row(FREEBSD),))
    yield trap(1, "a failure just in time", storage(), failure(ticks=10 * MINUTE))
    yield trap(1, "a failure at the same time", storage(), failure(ticks=0))
    yield trap(2, "nothing more was read", storage(), lived(STARTED, -MINUTE), most=MARKED)
    yield trap(2, "turned off in the window", storage(), lived(TURNED_OFF, 3 * MINUTE), _later(), most=MARKED)
    yield trap(2, "shut down in the window", storage(), lived(SHUT_DOWN, 9 * MINUTE), _later(), most=MARKED)
    again = storage(ticks=3 * MINUTE)
    yield trap(2, "refused again after a reset", storage(), lived(GUEST_RESET, 2 * MINUTE), again, _later())
    yield trap(2, "refused again and no reset was read", storage(), again, _later(), most=MARKED)
    yield trap(
        2, "a second start that comes back", storage(), lived(STARTED, 8 * MINUTE), storage(ticks=9 * MINUTE)
    )
    for provider, number in (
        ("VmbusVdev", 23012),
        ("UiDevices", 32719),
        ("Serial", 12322),
        ("Chipset", 18608),
    ):
        yield trap(3, f"{provider} {number}", final(provider, number, 0))
        yield trap(3, f"{provider} {number + 1} without a VM", final(provider, number + 1, 0))
    yield trap(
        3, "VMBus itself, after storage", storage(), final("VmbusVdev", 23012, device="Microsoft VMBus")
    )
    yield trap(
        3, "a twin of no device, after storage", storage(), final("VmbusVdev", 23013, device=""), most=MARKED
    )
    yield trap(3, "the display, after its refusal", display(23012, "3.3", "3.5"), final("UiDevices", 32719))
    for provider, number in (
        ("Worker", 18524), ("Worker", 18528), ("Worker", 18602), ("Worker", 18604), ("SynthStor", 12977),
        ("SynthNic", 12677), ("StorageVSP", 77), ("UiDevices", 32799), ("VmbusVdev", 23099), ("Chipset", 18699),
        ("Worker", 12999),
    ):  # fmt: skip
        yield trap(11, f"{provider} {number}", storage(), failure(provider, number))
    by_name = (("VmName", VM.name),)
    yield trap(11, "by name, other case", storage(), failure(data=(("VmName", "WEB01"),), vm=None))
    yield trap(11, "by name, short host", storage(), failure(data=by_name, vm=None, computer="HV1"))
    yield trap(11, "by name, no host", storage(), failure(data=by_name, vm=None, computer=""))
    braces = (("VmId", "{" + VM.vm_id.lower() + "}"),)
    yield trap(11, "by id in braces", storage(), failure(data=braces, vm=None))
    yield trap(11, "by account alone", storage(), failure(data=()))
    yield trap(11, "on the target", storage(), failure(computer="hv2.corp.example"))
    versions = ("VMId", VM.vm_id), ("ServerVersion", "327680"), ("ClientVersion", "393217")
    by_id = at(manifest("VmSwitch", 26, 2, versions, "System", payload="EventData"))
    link = storage_loaded(ticks=-HOUR)
    yield trap(11, "named by id, failure by name", by_id, link, failure(data=by_name, vm=None))
    yield trap(11, "critical and unknown", storage(), failure("SynthStor", 12978, level=1))


def _later() -> EventRecord:
    """Something of another machine, an hour later."""
    return lived(STARTED, HOUR, OTHER)


def _guests() -> Iterator[Trap]:
    """Kinds 4, 5, 7, 8 and 10: what the guest is."""
    bsd, dragon = (row(FREEBSD),), (row(DRAGONFLY),)
    yield trap(4, "FreeBSD with display 3.3", display(23014, "3.5", "3.3"), rows=bsd)
    yield trap(4, "FreeBSD with RDV", service("-RDV", "3.0", "3.0", "1.0", "3.0"), rows=bsd)
    yield trap(
        4, "FreeBSD with data exchange 5.0", service("-KvpExchange", "1.0", "3.0", "5.0", "5.0"), rows=bsd
    )
    yield trap(4, "DragonFly with storage 5.1", storage_loaded(), rows=dragon)
    yield trap(4, "DragonFly with storage 4.2", storage_loaded("6.0", "4.2"), rows=dragon)
    yield trap(4, "Linux with RDV without versions", service("-RDV"))
    yield trap(4, "Linux with data exchange 5.0", service("-KvpExchange", "1.0", "3.0", "5.0", "5.0"))
    yield trap(
        5,
        "RDV before",
        service("-RDV", "3.0", "3.0", "1.0", "3.0", ticks=-MINUTE),
        storage_loaded(),
        judged=1,
    )
    yield trap(5, "RDV later", storage_loaded(), service("-RDV", "3.0", "3.0", "1.0", "3.0", ticks=MINUTE))
    yield trap(
        5, "RDV a month before", service("-RDV", ticks=-30 * DAY), service("-TimeSync"), judged=1, most=MARKED
    )
    yield trap(
        5,
        "display of Windows, then KVP",
        display(23014, "3.5", "3.3"),
        service("-KvpExchange", *KVP, ticks=SECOND),
        judged=1,
    )
    two = storage(ticks=-150 * DAY), storage_loaded(), service("-KvpExchange", *KVP, ticks=SECOND)
    yield trap(5, "two guests, no inventory", *two, judged=1, rows=(), most=MARKED)
    yield trap(
        5,
        "two guests and a start between",
        two[0],
        lived(STARTED, -DAY),
        two[2],
        judged=2,
        rows=(),
        most=MARKED,
    )
    mixed = storage(), service("-KvpExchange", *KVP, ticks=HOUR)
    yield trap(5, "no start was read, an hour between", *mixed, judged=1, rows=(), most=MARKED)
    yield trap(7, "display 3.0 on 3.3", display(23014, "3.3", "3.0"))
    yield trap(7, "display 3.0 on 3.2", display(23014, "3.2", "3.0"))
    yield trap(7, "display 3.5 refused", display(23012, "3.3", "3.5"))
    yield trap(7, "display 3.3 refused", display(23012, "3.2", "3.3"))
    yield trap(7, "display 3.5 refused by 3.0", display(23012, "3.0", "3.5"))
    yield trap(
        7, "storage beside display 3.0", display(23014, "3.3", "3.0", -SECOND), storage_loaded(), judged=1
    )
    arch = (row("Arch Linux", OSVersion="3.10.5"),)
    yield trap(8, "a kernel that cannot", storage("6.0", "6.2"), rows=arch)
    yield trap(
        8,
        "a kernel that cannot, network",
        network("393216", "393217"),
        rows=(row("Gentoo Linux", OSVersion="4.4.1"),),
    )
    for kernel in ("4.4.0", "5.15.0-91-generic", "5.4.0"):
        old = (row("Debian GNU/Linux 11 (bullseye)", OSVersion=kernel),)
        yield trap(8, f"2008 R2 host, kernel {kernel}", storage("4.2", "6.2"), rows=old)
        yield trap(8, f"2008 host, kernel {kernel}", storage("2.0", "4.2"), rows=old)
    yield trap(
        8,
        "2008 R2 host, network",
        network("196610", "327680"),
        rows=(row("Arch Linux", OSVersion="4.9.1"),),
        most=MARKED,
    )


def _inventories() -> Iterator[Trap]:
    """Kind 10."""
    name_only = {"Name": "web01", "OSName": UBUNTU}
    for title, rows in {
        "columns that disagree": (row(UBUNTU, OperatingSystem="Windows Server 2022"),),
        "a build of Windows": (row(UBUNTU, OSVersion="10.0.20348"),),
        "an arrow": (row("CentOS 7 → WS2022"),),
        "previously": (row("w2k19 (prev. CentOS 7)"),),
        "a template": (row("Microsoft Server 2022 (Debian template)"),),
        "two rows of the id": (row(), row(WINDOWS)),
        "Windows without hyphens": (
            {"Name": "x", "Id": VM.vm_id.replace("-", ""), "OSName": WINDOWS},
            name_only,
        ),
        "Windows with a prefix": ({"Name": "x", "Id": "Microsoft:" + VM.vm_id, "OSName": WINDOWS}, name_only),
        "Windows in braces": (
            {"Name": "x", "Id": "{" + VM.vm_id.lower() + "}", "OSName": WINDOWS},
            name_only,
        ),
        "Windows by a wide name": ({"Name": "ｗｅｂ０１", "OSName": WINDOWS},),
        "Windows by a name with a zero-width space": ({"Name": "web\u200b01", "OSName": WINDOWS},),
    }.items():
        yield trap(10, title, storage_loaded(), rows=rows)
    for title, rows in {
        "Linux by a wide name": ({"Name": "ｗｅｂ０１", "OSName": UBUNTU},),
        "Linux by a name with a zero-width space": ({"Name": "web\u200b01", "OSName": UBUNTU},),
        "Linux by a name with two spaces": ({"Name": "web  01", "OSName": UBUNTU},),
        "an id that cannot be read": ({"Name": "web01", "Id": "9FC171E7-B2C6-4BD2", "OSName": UBUNTU},),
        "another id": (row(UBUNTU, OTHER) | {"Name": "web01"},),
        "another host": ({"Name": "web01", "HostName": "hv9", "OSName": UBUNTU},),
        "taken long ago": (row(UBUNTU, Taken="2024-06-01T00:00:00Z"),),
    }.items():
        yield trap(10, title, storage_loaded(), rows=rows, most=MARKED)
    second = storage_loaded(vm=OTHER._replace(name="web01"), ticks=HOUR)
    yield trap(10, "one name, two ids", storage_loaded(), second, rows=(name_only,), most=MARKED)
    elsewhere = at(storage_loaded(vm=OTHER._replace(name="web01")), HOUR, "hv2.corp.example")
    yield trap(10, "one name, two hosts", storage_loaded(), elsewhere, rows=(name_only,), most=MARKED)
    taken = (row(UBUNTU, Taken="2024-06-01T00:00:00Z"),)
    early = storage_loaded(ticks=-180 * DAY)
    yield trap(
        10,
        "one soon after the inventory, the same long after",
        early,
        storage_loaded(),
        judged=1,
        rows=taken,
        most=MARKED,
    )
    yield trap(
        10,
        "one long after the inventory, the same soon after",
        storage_loaded(),
        early,
        rows=taken,
        most=MARKED,
    )
    for number, title in ((13003, "deleted"), (13002, "created")):
        since = at(
            manifest(
                "VMMS",
                number,
                4,
                (("VmName", VM.name), ("VmId", VM.vm_id)),
                "Microsoft-Windows-Hyper-V-VMMS-Admin",
            ),
            -HOUR,
        )
        taken = (row(UBUNTU, Taken="2024-12-01T00:00:00Z"),)
        yield trap(10, f"{title} since", since, storage_loaded(), judged=1, rows=taken, most=MARKED)


def _shapes() -> Iterator[Trap]:
    """Kinds 6, 9 and 12: what an event itself says."""
    name, vm_id = VM
    for title, values in {
        "a version is empty": (name, "6.0", "", vm_id),
        "-1": (name, "6.0", "-1", vm_id),
        "1e3": (name, "6.0", "1e3", vm_id),
        "three parts": (name, "6.0", "5.1.2", vm_id),
        "another VM's id behind": (name, "6.0", "5.1", vm_id, OTHER.vm_id),
        "a third version": (name, "6.0", "5.1", vm_id, "6.2"),
        "words": (name, "6.0", "unknown", vm_id),
        "both versions in one": (name, "6.0/5.1", vm_id),
    }.items():
        yield trap(6, f"loaded, {title}", at(classic("storvsp", 6, values)))
        yield trap(
            6, f"refused, {title}", at(classic("storvsp", 5, tuple(v.replace("5.1", "6.2") for v in values)))
        )
    device = (
        ("VmName", name),
        ("VmId", vm_id),
        ("Device", DISPLAY),
        ("ServerVersion", "3.3"),
        ("ClientVersion", "3.2"),
    )
    for title, more in {
        "VmId_1": ("VmId_1", OTHER.vm_id),
        "VmId again": ("VmId", OTHER.vm_id),
        "VMID": ("VMID", OTHER.vm_id),
        "vm_id": ("vm_id", OTHER.vm_id),
        "ClientVersion_1": ("ClientVersion_1", "3.3"),
        "ServerVersion2": ("ServerVersion.1", "3.2"),
        "VirtualMachineId": ("VirtualMachineId", OTHER.vm_id),
    }.items():
        yield trap(9, title, at(manifest("Worker", 23014, 3, (*device, more), vm=VM)))
    quoted = f"(Virtual machine ID {vm_id})."
    works = "is loaded but has a different version from the server."
    for title, event in {
        "a name with the sentence": said(
            "storvsp",
            6,
            3,
            f"A storage device in 'a in 'ubuntu01', Server version 3.3 Client version 3.2' {works} Server version 6.0 Client version 5.1 (VMID {vm_id}).",
        ),
        "two pairs": said(
            "Microsoft-Windows-Hyper-V-Worker",
            23014,
            3,
            f"Device 'x' in 'web01' {works} Server version 3.3 Client version 3.2 {quoted} Server version 3.3 Client version 3.3",
            "Microsoft-Windows-Hyper-V-Worker-Admin",
        ),
        "a bracket in the name": said(
            "Microsoft-Windows-Hyper-V-Worker",
            23014,
            3,
            f"Device 'x' in 'web01 (Virtual machine ID {OTHER.vm_id})' {works} Server version 3.3 Client version 3.2 {quoted}",
            "Microsoft-Windows-Hyper-V-Worker-Admin",
        ),
        "a line break in the name": said(
            "storvsp",
            6,
            3,
            f"A storage device in 'web\n01' {works} Server version 6.0 Client version 5.1 (VMID {vm_id}).",
        ),
        "no level": said(
            "storvsp",
            6,
            None,
            f"A storage device in 'web01' {works} Server version 6.0 Client version 5.1 (VMID {vm_id}).",
        ),
        "the other outcome's phrase": said(
            "storvsp",
            6,
            3,
            f"A storage device in 'web01' cannot load because it is incompatible. Server version 6.0 Client version 5.1 (VMID {vm_id}).",
        ),
    }.items():
        yield trap(12, title, event)


TRAPS = (*_following(), *_guests(), *_inventories(), *_shapes())
