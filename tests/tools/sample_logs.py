"""Write the sample logs: `python -m tests.tools.sample_logs [folder]`. The same bytes every time.

Each event row carries the label and reason that its author expects of it, derived by hand from the facts
named beside it: no classifier runs here.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from hvdegraded.formats.evtx.writer import write_evtx
from hvdegraded.records.record import EventRecord, Field
from hvdegraded.timestamps import text_from_ticks, ticks_from_text
from tests.tools.corpus import SAMPLE_LOGS

FOLDER = SAMPLE_LOGS
IGNORABLE, ACTIONABLE = "ignorable protocol-version mismatch", "actionable"
VML = "http://www.microsoft.com/Windows/Virtualization/Events"
EVENT = "http://schemas.microsoft.com/win/2004/08/events/event"
SECOND, MINUTE, DAY = 10_000_000, 600_000_000, 864_000_000_000
CLASSIC_KEYWORDS, ADMIN_KEYWORDS = 0x80000000000000, 0x8000000000000000
PREFIX = "Microsoft-Windows-Hyper-V-"
GUIDS = {
    "Worker": "51DDFA29-D5C8-4803-BE4B-2ECB715570FE",
    "VMMS": "6066F867-7CA1-4418-85FD-36E3F9C0600C",
    "StorageVSP": "10B3D268-9782-49A4-AACC-A93C5482CB6F",
    "VmSwitch": "67DC0D66-3695-47C0-9642-33F76F7BD7AD",
    "Chipset": "DE9BA731-7F33-4F44-98C9-6CAC856B9F83",
    "SynthStor": "EDACD782-2564-4497-ADE6-7199377850F2",
    "Hypervisor": "52FC89F8-995E-434C-A91E-199986449890",
}


class Machine(NamedTuple):
    """A virtual machine, with what the inventory says of it (nothing where `system` is empty)."""

    name: str
    vm_id: str
    system: str = ""

    @property
    def sid(self) -> str:
        """S-1-5-83-1 and the id as four little-endian words (Security UserID of its worker events)."""
        first, second, third, fourth, fifth = self.vm_id.split("-")
        raw = bytes.fromhex(first)[::-1] + bytes.fromhex(second)[::-1] + bytes.fromhex(third)[::-1]
        raw += bytes.fromhex(fourth + fifth)
        words = [int.from_bytes(raw[at : at + 4], "little") for at in range(0, 16, 4)]
        return "S-1-5-83-1-" + "-".join(map(str, words))


WEB01 = Machine("web01", "9FC171E7-B2C6-4BD2-9FF0-253209B2A69D", "Ubuntu 14.04.6 LTS")
DB02 = Machine("db02", "0C9A7B1E-41D3-4E0B-9D57-6B1A6C2F8E11", "CentOS Linux 7 (Core)")
FW01 = Machine("fw01", "5D9E9825-1973-4B27-9AF1-BA77940A4066", "FreeBSD")
APP08 = Machine("app08", "7A20C5D1-90E4-4F6B-8B6C-2D1E3F405162", "Windows Server 2008 R2 Standard")
WEB22 = Machine("web22", "E1A6D2B7-0F48-4C59-B3D6-5A90817F24CE", "Ubuntu 22.04.4 LTS")
BUILD01 = Machine("build01", "B5C6D7E8-1122-4334-9556-778899AABBCC", "Debian GNU/Linux 12 (bookworm)")
LEGACY = Machine("legacy-pbx", "3F2E1D0C-4B5A-4678-8796-A5B4C3D2E1F0")
APPLIANCE = Machine("appliance", "44556677-8899-4AAB-BBCC-DDEEFF001122")

UBU = Machine("ubu-api", "A9EF4C51-FCE6-4A55-A4F1-7AF166FCF97E", "Ubuntu 22.04.4 LTS")
DEB = Machine("deb-mail", "16B0A1C2-3D4E-4F50-8A6B-7C8D9EAFB0C1", "Debian GNU/Linux 12 (bookworm)")
BSD = Machine("bsd-dns", "2B3C4D5E-6F70-4182-93A4-B5C6D7E8F901", "FreeBSD")
WIN12 = Machine("win-erp", "C0FFEE00-1234-4567-89AB-CDEF01234567", "Windows Server 2012 Datacenter")
ALMA = Machine("alma-test", "D4C3B2A1-5F6E-4D7C-8B9A-0F1E2D3C4B5A")
KIOSK = Machine("kiosk-7", "60718293-A4B5-4C6D-9E8F-102132435465")


@dataclass
class Row:
    """An event with what its author expects of it; without label it is not looked at (information, noise)."""

    record: EventRecord
    label: str | None = None
    reason: str = ""
    why: str = ""


@dataclass
class Log:
    """A log being written."""

    host: str
    name: str
    channel: str
    rows: list[Row] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Where it goes, below the folder."""
        return f"{self.host.split('.')[0]}/{self.name}.evtx"

    def add(
        self, ticks: int, record: EventRecord, label: str | None = None, reason: str = "", why: str = ""
    ) -> None:
        """Put an event into the log."""
        record = record._replace(time_ticks=ticks, computer=self.host, channel=self.channel)
        self.rows.append(Row(record, label, reason, why))

    def finish(self, first_id: int) -> None:
        """Sort by time and number the records."""
        self.rows.sort(key=lambda row: row.record.time_ticks or 0)
        for number, row in enumerate(self.rows, first_id):
            row.record = row.record._replace(record_id=number)


# ---------------------------------------------------------------- shapes of events


def storvsp(event_id: int, machine: Machine, server: str, client: str) -> EventRecord:
    """A classic driver's event: device name (empty), values in order, an IO_ERROR_LOG_PACKET."""
    qualifiers = 0xC004 if event_id == 5 else 0x8004
    packet = bytes.fromhex("000028000000000000000000") + (qualifiers << 16 | event_id).to_bytes(4, "little")
    data: tuple[Field, ...] = (
        (None, ""),
        (None, machine.name),
        (None, server),
        (None, client),
        (None, machine.vm_id),
        ("Binary", (packet + bytes(24)).hex().upper()),
    )
    return EventRecord(
        provider="storvsp",
        event_id=event_id,
        qualifiers=qualifiers,
        level=2 if event_id == 5 else 3,
        task=0,
        keywords=CLASSIC_KEYWORDS,
        payload="EventData",
        data=data,
    )


def vml(
    provider: str,
    event_id: int,
    level: int,
    values: Iterable[tuple[str, str]],
    machine: Machine | None = None,
) -> EventRecord:
    """An event with its values in UserData/VmlEventLog."""
    return EventRecord(
        provider=PREFIX + provider,
        event_id=event_id,
        provider_guid=GUIDS.get(provider),
        level=level,
        version=0,
        task=0,
        opcode=0,
        keywords=ADMIN_KEYWORDS,
        process_id=2412,
        thread_id=3100,
        user_id=machine.sid if machine else "S-1-5-18",
        payload="UserData/VmlEventLog",
        payload_namespace=VML,
        data=tuple(values),
    )


def parameters(*values: str) -> list[tuple[str, str]]:
    return [(f"Parameter{index}", value) for index, value in enumerate(values)]


def named(machine: Machine, **more: str) -> list[tuple[str, str]]:
    return [("VmName", machine.name), ("VmId", machine.vm_id), *more.items()]


def event_data(provider: str, event_id: int, level: int, **values: str) -> EventRecord:
    """A manifest event with named EventData."""
    return vml(provider, event_id, level, ())._replace(
        payload="EventData", payload_namespace=None, data=tuple(values.items())
    )


def kvp(machine: Machine, provider: str = "Integration-KvpExchange") -> EventRecord:
    """Data Exchange: the pair of the 2012 R2 host in the facts; Linux and BSD never offer message 5.0."""
    values = parameters(machine.name, machine.vm_id, "3.0", "3.0", "4.0", "5.0")
    return vml(provider, 4010, 3, values, machine)


def display(event_id: int, machine: Machine, server: str, client: str) -> EventRecord:
    name = "Microsoft Synthetic Display Controller"
    values = parameters(machine.name, machine.vm_id, name, server, client)
    return vml("Worker", event_id, 2 if event_id == 23012 else 3, values, machine)


NOISE_GUIDS = {
    "Microsoft-Windows-Kernel-General": "A68CA8B7-004F-D7B6-A698-07E2DE0F1F5D",
    "Microsoft-Windows-Time-Service": "06EDCFEB-0FD0-4E53-ACCA-A6F8BBF81BCB",
    "Microsoft-Windows-DNS-Client": "1C95126E-7EEA-49A9-A3FE-A378B03DDB4D",
}
NOISE = (
    ("Service Control Manager", 7036, 4, (("param1", "Background Transfer"), ("param2", "running"))),
    ("Microsoft-Windows-Kernel-General", 16, 4, (("HiveNameLength", "12"), ("HiveName", "\\Sample\\Hive"))),
    ("disk", 153, 3, ((None, "\\Device\\Harddisk0\\DR0"), (None, "0x10"))),
    ("Microsoft-Windows-Time-Service", 37, 4, (("TimeSource", "time.example.org"),)),
    ("Microsoft-Windows-DNS-Client", 1014, 3, (("QueryName", "files.example.org"),)),
)


def noise(choice: random.Random) -> EventRecord:
    provider, event_id, level, data = choice.choice(NOISE)
    manifest = provider.startswith("Microsoft-")
    return EventRecord(
        provider=provider,
        event_id=event_id,
        level=level,
        version=0 if manifest else None,
        task=0,
        opcode=0 if manifest else None,
        keywords=ADMIN_KEYWORDS if manifest else CLASSIC_KEYWORDS,
        provider_guid=NOISE_GUIDS.get(provider),
        qualifiers=None if manifest else 16384,
        payload="EventData",
        data=data,
    )


# ---------------------------------------------------------------- the two hosts

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
        worker.add(ticks + 2 * SECOND, display(23012, WEB22, "3.3", "3.5"), *fallback)
        # What it falls back to is older than the host's again; Data Exchange is on every Linux.
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


# ---------------------------------------------------------------- exports


def event_xml(record: EventRecord, rendering: str = "") -> str:
    """An event as Windows writes it, on one line."""

    def attribute(name: str, value: object) -> str:
        return "" if value is None else f" {name}={quoteattr(str(value))}"

    guid = f"{{{record.provider_guid.lower()}}}" if record.provider_guid else None
    parts = [f"<Provider{attribute('Name', record.provider)}{attribute('Guid', guid)}/>"]
    parts.append(f"<EventID{attribute('Qualifiers', record.qualifiers)}>{record.event_id}</EventID>")
    for tag, value in (
        ("Version", record.version),
        ("Level", record.level),
        ("Task", record.task),
        ("Opcode", record.opcode),
    ):
        if value is not None:
            parts.append(f"<{tag}>{value}</{tag}>")
    parts.append(f"<Keywords>0x{record.keywords or 0:x}</Keywords>")
    parts.append(f"<TimeCreated SystemTime='{text_from_ticks(record.time_ticks or 0)}'/>")
    parts.append(f"<EventRecordID>{record.record_id}</EventRecordID><Correlation/>")
    process = f"{attribute('ProcessID', record.process_id)}{attribute('ThreadID', record.thread_id)}"
    parts.append(
        f"<Execution{process}/><Channel>{record.channel}</Channel><Computer>{record.computer}</Computer>"
    )
    parts.append(f"<Security{attribute('UserID', record.user_id)}/>")
    if record.payload == "EventData":
        values = "".join(
            f"<Binary>{text}</Binary>"
            if name == "Binary"
            else f"<Data{attribute('Name', name)}>{escape(text)}</Data>"
            for name, text in record.data
        )
        payload = f"<EventData>{values}</EventData>"
    else:
        values = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in record.data)
        payload = f"<UserData><VmlEventLog xmlns='{VML}'>{values}</VmlEventLog></UserData>"
    return f"<Event xmlns='{EVENT}'><System>{''.join(parts)}</System>{payload}{rendering}</Event>"


def rendering_xml(culture: str, level: str, message: str) -> str:
    return f"<RenderingInfo Culture='{culture}'><Message>{escape(message)}</Message><Level>{level}</Level></RenderingInfo>"


def winlogbeat(record: EventRecord) -> dict[str, object]:
    """The record as Winlogbeat 8 ships it: empty and zero values dropped, unnamed values param1, ….."""
    levels = {1: "critical", 2: "error", 3: "warning", 4: "information"}
    data = {name or f"param{index}": text for index, (name, text) in enumerate(record.data, 1) if text}
    winlog: dict[str, object] = {
        "channel": record.channel,
        "computer_name": record.computer,
        "event_id": str(record.event_id),
        "provider_name": record.provider,
        "record_id": record.record_id,
    }
    if record.provider_guid:
        winlog["provider_guid"] = f"{{{record.provider_guid}}}"
    if record.user_id:
        winlog["user"] = {"identifier": record.user_id}
    if record.payload == "EventData":
        winlog["event_data"] = data
    else:
        winlog["user_data"] = data | {"xml_name": "VmlEventLog"}
    return {
        "@timestamp": text_from_ticks(record.time_ticks or 0),
        "event": {"code": str(record.event_id), "kind": "event", "provider": record.provider},
        "host": {"name": record.computer},
        "log": {"level": levels[record.level or 4]},
        "winlog": winlog,
    }


def guests_json() -> str:
    """What the script of `hvdegraded guests-script` writes, as far as the inventory needs it."""
    hosts = {
        "hv2012r2.example.org": (WEB01, DB02, FW01, APP08, WEB22, BUILD01),
        "hv2022.example.org": (UBU, DEB, BSD, WIN12),
    }
    rows = [
        {"Name": machine.name, "Id": machine.vm_id, "ComputerName": host, "OSName": machine.system}
        for host, machines in hosts.items()
        for machine in machines
    ]
    return json.dumps(rows, indent=1) + "\n"


def expectations(logs: Iterable[Log]) -> Iterator[dict[str, object]]:
    for log in logs:
        for row in log.rows:
            if row.label:
                yield {
                    "file": log.path,
                    "record_id": row.record.record_id,
                    "provider": row.record.provider,
                    "event_id": row.record.event_id,
                    "label": row.label,
                    "reason": row.reason,
                    "why": row.why,
                }


def counts_table(logs: Iterable[Log]) -> str:
    lines = ["| log | events | ignorable | actionable |", "|---|---|---|---|"]
    for log in logs:
        labels = Counter(row.label for row in log.rows)
        lines.append(f"| {log.path} | {len(log.rows)} | {labels[IGNORABLE]} | {labels[ACTIONABLE]} |")
    return "\n".join(lines)


def actionable_table(logs: Iterable[Log]) -> str:
    lines = ["| log | record | event | why |", "|---|---|---|---|"]
    for log in logs:
        for row in log.rows:
            if row.label == ACTIONABLE:
                event = f"{row.record.provider.removeprefix(PREFIX)} {row.record.event_id}"
                lines.append(f"| {log.path} | {row.record.record_id} | {event} | {row.why} ({row.reason}) |")
    return "\n".join(lines)


def main(folder: Path = FOLDER) -> None:
    """Write everything below a folder."""
    logs = [*host_2012r2(), *host_2022()]
    for number, log in enumerate(logs):
        log.finish(1000 * (number + 1))
        target = folder / log.path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_evtx(target, [row.record for row in log.rows], first_record_id=1000 * (number + 1))
    (folder / "guests.json").write_text(guests_json(), encoding="utf-8", newline="\n")
    expected = [json.dumps(row) for row in expectations(logs)]
    (folder / "expected.jsonl").write_text("\n".join(expected) + "\n", encoding="utf-8", newline="\n")

    exports = folder / "exports"
    exports.mkdir(exist_ok=True)
    some = [row.record for row in logs[1].rows if row.record.level != 4][:40]
    text = "\n".join(map(event_xml, some)) + "\n"
    (exports / "hv2012r2-worker-wevtutil.xml").write_text(text, encoding="utf-8", newline="\n")
    some = [row.record for row in logs[7].rows] + [row.record for row in logs[6].rows]
    rendered = [
        event_xml(
            record,
            rendering_xml("de-DE" if at % 2 else "en-US", "Warnung" if at % 2 else "Warning", "sample"),
        )
        for at, record in enumerate(some)
    ]
    text = (
        "<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n<Events>"
        + "".join(rendered)
        + "</Events>\n"
    )
    (exports / "hv2022-eventviewer.xml").write_text(text, encoding="utf-8", newline="\n")
    shipped = [
        json.dumps(winlogbeat(row.record)) for row in (*logs[0].rows[:30], *logs[2].rows, *logs[5].rows[:30])
    ]
    (exports / "winlogbeat.jsonl").write_text("\n".join(shipped) + "\n", encoding="utf-8", newline="\n")

    template = (Path(__file__).parent / "sample_logs_readme.md").read_text(encoding="utf-8")
    readme = template.replace("COUNTS", counts_table(logs)).replace("ACTIONABLE", actionable_table(logs))
    (folder / "README.md").write_text(readme, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
