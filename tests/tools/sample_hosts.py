"""The events of the two sample hosts, each with the label and reason that the facts beside it give."""

from __future__ import annotations

import random

from hvdegraded.timestamps import ticks_from_text
from tests.tools.sample_events import (
    ACTIONABLE,
    ALMA,
    APP08,
    APPLIANCE,
    BSD,
    BUILD01,
    DAY,
    DB02,
    DEB,
    FW01,
    IGNORABLE,
    KIOSK,
    LEGACY,
    MINUTE,
    PREFIX,
    SECOND,
    UBU,
    WEB01,
    WEB22,
    WIN12,
    Log,
    display,
    event_data,
    kvp,
    named,
    noise,
    parameters,
    storvsp,
    vml,
)

LOADED_OTHER = (
    IGNORABLE,
    "loaded_mismatch_non_windows_guest",
    "KB 2956569: the device works, the guest is not Windows",
)

LOADED_WINDOWS = (
    ACTIONABLE,
    "loaded_mismatch_windows_guest",
    "a Windows guest's integration services need an update",
)

LOADED_UNKNOWN = (
    IGNORABLE,
    "loaded_mismatch_unknown_guest",
    "the device works; not in the inventory, so assumed",
)

FALLBACK_BSD = (IGNORABLE, "refused_offer_with_fallback", "FreeBSD offers 6.0 next, which the host has")


def host_2012r2() -> list[Log]:
    host = "hv2012r2.example.org"
    system = Log(host, "System", "System")
    worker = Log(host, f"{PREFIX}Worker-Admin", f"{PREFIX}Worker-Admin")
    vmms = Log(host, f"{PREFIX}VMMS-Admin", f"{PREFIX}VMMS-Admin")
    integration = Log(host, f"{PREFIX}Integration-Admin", f"{PREFIX}Integration-Admin")
    choice = random.Random(2012)
    begin = ticks_from_text("2026-09-01T02:00:00Z") or 0

    for day in range(30):
        for place, machine in enumerate((WEB01, DB02, FW01, LEGACY)):
            ticks = begin + day * DAY + place * 7 * MINUTE + choice.randrange(50 * SECOND)
            loaded = LOADED_UNKNOWN if machine is LEGACY else LOADED_OTHER
            worker.add(ticks, vml("Worker", 18500, 4, named(machine), machine))
            # A 2012 R2 host has storage 6.0 and display 3.3; kernels up to 3.13 speak 5.1 and 3.2.
            # FreeBSD offers 6.2 first and then 6.0, which this host has.
            for disk in range(2):
                if machine is FW01:
                    system.add(ticks + (8 + disk) * SECOND, storvsp(5, machine, "6.0", "6.2"), *FALLBACK_BSD)
                else:
                    system.add(ticks + (8 + disk) * SECOND, storvsp(6, machine, "6.0", "5.1"), *loaded)
            if machine is not FW01:
                worker.add(ticks + 11 * SECOND, display(23014, machine, "3.3", "3.2"), *loaded)
            integration.add(ticks + 40 * SECOND, kvp(machine), *loaded)
        for _ in range(12):
            system.add(begin + day * DAY + choice.randrange(DAY), noise(choice))

    # Windows Server 2008 R2 speaks storage 4.2: it works, and its integration services are old.
    for day in (2, 16):
        ticks = begin + day * DAY + 3 * 60 * MINUTE
        system.add(ticks, storvsp(6, APP08, "6.0", "4.2"), *LOADED_WINDOWS)
        integration.add(ticks + 30 * SECOND, kvp(APP08), *LOADED_WINDOWS)
    # Kernel 5.15 offers storage 6.2 and display 3.5 first, and falls back to 6.0 and 3.2.
    for day in (5, 12, 19, 26):
        ticks = begin + day * DAY + 5 * 60 * MINUTE
        fallback = (
            IGNORABLE,
            "refused_offer_with_fallback",
            "Linux falls back to a version that the host has",
        )
        system.add(ticks, storvsp(5, WEB22, "6.0", "6.2"), *fallback)
        # Linux picks a display version that this host has; Data Exchange is older than the host's on every Linux.
        worker.add(ticks + 3 * SECOND, display(23014, WEB22, "3.3", "3.2"), *LOADED_OTHER)
        integration.add(ticks + 30 * SECOND, kvp(WEB22), *LOADED_OTHER)
    # The same refusal, but then the VM finds nothing to boot from.
    ticks = begin + 21 * DAY + 6 * 60 * MINUTE
    system.add(
        ticks,
        storvsp(5, BUILD01, "6.0", "6.2"),
        ACTIONABLE,
        "refused_offer_then_failure",
        "two minutes later the same VM found no boot device",
    )
    problem = "known_problem"
    worker.add(
        ticks + 2 * MINUTE,
        vml("Chipset", 18605, 2, named(BUILD01), BUILD01),
        ACTIONABLE,
        problem,
        "no boot device",
    )
    # DragonFly BSD offers 6.2 and nothing older, so of a guest that is not known nothing is proven.
    system.add(
        begin + 22 * DAY + 60 * MINUTE,
        storvsp(5, APPLIANCE, "6.0", "6.2"),
        ACTIONABLE,
        "refused_offer_not_proven_harmless",
        "no inventory, and one known system would be left without disks",
    )
    ticks = begin + 9 * DAY + 4 * 60 * MINUTE
    error = {"ErrorMessage": "%%2147942432", "ErrorCode": "0x80070020"}
    vmms.add(
        ticks,
        vml("VMMS", 10102, 2, named(DB02, **error)),
        ACTIONABLE,
        problem,
        "checkpoint failed: file in use",
    )
    vmms.add(
        ticks + 90 * SECOND, vml("VMMS", 19100, 2, named(DB02, **error)), ACTIONABLE, problem, "merge failed"
    )
    vmms.add(
        begin + DAY,
        vml("VMMS", 14050, 2, parameters("Hyper-V Replica Service")),
        ACTIONABLE,
        problem,
        "service principal name not registered",
    )
    worker.add(
        begin + 14 * DAY,
        vml("Chipset", 18602, 3, named(WEB22), WEB22),
        ACTIONABLE,
        problem,
        "Secure Boot refused",
    )
    worker.add(
        begin + 17 * DAY,
        vml("SynthStor", 12140, 2, named(FW01), FW01),
        ACTIONABLE,
        problem,
        "attachment missing",
    )
    integration.add(
        begin + 18 * DAY,
        vml("Integration-KvpExchange", 4096, 2, parameters(DB02.name, DB02.vm_id), DB02),
        ACTIONABLE,
        "watch_when_repeated",
        "Data Exchange not running",
    )
    for machine in (WEB01, DB02, FW01, APP08, WEB22):
        vmms.add(begin - DAY + choice.randrange(MINUTE), vml("VMMS", 13002, 4, named(machine)))
    return [system, worker, vmms, integration]


def host_2022() -> list[Log]:
    host = "hv2022.example.org"
    system = Log(host, "System", "System")
    worker = Log(host, f"{PREFIX}Worker-Admin", f"{PREFIX}Worker-Admin")
    vmms = Log(host, f"{PREFIX}VMMS-Admin", f"{PREFIX}VMMS-Admin")
    storage = Log(host, f"{PREFIX}StorageVSP-Admin", f"{PREFIX}StorageVSP-Admin")
    choice = random.Random(2022)
    begin = ticks_from_text("2026-10-01T01:00:00Z") or 0

    for day in range(40):
        for place, machine in enumerate((UBU, DEB, BSD, ALMA)):
            ticks = begin + day * DAY + place * 9 * MINUTE + choice.randrange(50 * SECOND)
            loaded = LOADED_UNKNOWN if machine is ALMA else LOADED_OTHER
            worker.add(ticks, vml("Worker", 18500, 4, named(machine), machine))
            # On 2016 and later the provider is plain Hyper-V-Integration, in the worker's log.
            worker.add(ticks + 35 * SECOND, kvp(machine, "Integration"), *loaded)
            name = f"{machine.name}"
            switch = {
                "VMNameLen": str(len(name)), "VMName": name, "VMIdLen": "36", "VMId": machine.vm_id
            }  # fmt: skip
            system.add(ticks + 9 * SECOND, event_data("VmSwitch", 102, 4, **switch))
        for _ in range(10):
            system.add(begin + day * DAY + choice.randrange(DAY), noise(choice))
    for day in (3, 24):
        ticks = begin + day * DAY + 2 * 60 * MINUTE
        worker.add(ticks, kvp(WIN12, "Integration"), *LOADED_WINDOWS)

    problem, watch = "known_problem", "watch_when_repeated"
    disk = "C:\\ClusterStorage\\Volume1\\ubu-api\\disk0.vhdx"
    for number in range(5):
        ticks = begin + 11 * DAY + 3 * 60 * MINUTE + number * 4 * SECOND
        slow = {"DeviceName": disk, "Duration": str(10_000 + 731 * number), "Command": "42", "Status": "0"}
        storage.add(ticks, event_data("StorageVSP", 9, 3, **slow), ACTIONABLE, watch, "slow guest I/O")
    # No version event, though storvsp 6 is one: the recovery state of a disk.
    storage.add(
        begin + 11 * DAY + 200 * MINUTE,
        event_data("StorageVSP", 6, 3, DeviceName=disk, CurrentState="0", NewState="1", Status="0xC000026E"),
        ACTIONABLE,
        watch,
        "a disk changed its recovery state",
    )
    storage.add(
        begin + 12 * DAY,
        event_data(
            "StorageVSP",
            3,
            2,
            AdapterName=KIOSK.name,
            AdapterId=KIOSK.vm_id,
            ServerVersion="6.2",
            ClientVersion="6.3",
        ),
        ACTIONABLE,
        "refused_offer_not_proven_harmless",
        "no known guest offers storage 6.3",
    )
    crash = {
        f"VmErrorCode{index}": code for index, code in enumerate(("0x7e", "0xc0000005", "0x0", "0x0", "0x0"))
    }
    worker.add(
        begin + 20 * DAY,
        vml("Worker", 18590, 1, named(WIN12, **crash, VmErrorMessage=""), WIN12),
        ACTIONABLE,
        problem,
        "the guest reported a crash",
    )
    worker.add(
        begin + 8 * DAY,
        vml("Chipset", 18603, 3, named(KIOSK), KIOSK),
        ACTIONABLE,
        problem,
        "nothing bootable",
    )
    worker.add(
        begin + 30 * DAY,
        vml("Worker", 12030, 2, named(DEB), DEB),
        ACTIONABLE,
        problem,
        "failed to start",
    )
    vmms.add(
        begin + 31 * DAY,
        vml("VMMS", 16060, 2, parameters(UBU.name, UBU.vm_id)),
        ACTIONABLE,
        problem,
        "paused: volume full",
    )
    vmms.add(
        begin + 33 * DAY,
        vml("VMMS", 41010, 3, parameters("something new", "0x1")),
        ACTIONABLE,
        "unknown_event",
        "not in the tables, so never ignorable",
    )
    vmms.add(begin + 34 * DAY, vml("VMMS", 20415, 4, parameters(UBU.name, UBU.vm_id, "0.5")))
    system.add(begin, event_data("Hypervisor", 1, 4, SchedulerType="4"))
    return [system, worker, vmms, storage]
