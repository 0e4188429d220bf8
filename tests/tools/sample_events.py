"""Machines and shapes of events of which the sample logs are made."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from hvdegraded.records.record import EventRecord, Field

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
