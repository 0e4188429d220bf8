"""What a host writes: version events, starts and stops, failures; in the shapes of the host's generation."""

from __future__ import annotations

import random
from typing import NamedTuple

from hvdegraded.records.record import EventRecord, Field
from tests.tools.simulator.negotiation import Offer, Outcome
from tests.tools.simulator.versions import Host, Part, Version

HV = "Microsoft-Windows-Hyper-V-"
VML = "http://www.microsoft.com/Windows/Virtualization/Events"
WORKER_LOG, VMMS_LOG = HV + "Worker-Admin", HV + "VMMS-Admin"
INTEGRATION_LOG = HV + "Integration-Admin"
STORAGE_LOG, SYSTEM_LOG = HV + "StorageVSP-Admin", "System"
DISK_LOG, ADAPTER_LOG = HV + "SynthStor-Admin", HV + "SynthNic-Admin"
_GUIDS = {
    "VmbusVdev": "177D1599-9764-4E3A-BF9A-C86887AADDCE",
    "Serial": "8F9DF503-1D12-49EC-BB28-F6EC42D361D4",
    "Worker": "51DDFA29-D5C8-4803-BE4B-2ECB715570FE",
    "VMMS": "6066F867-7CA1-4418-85FD-36E3F9C0600C",
    "StorageVSP": "10B3D268-9782-49A4-AACC-A93C5482CB6F",
    "UiDevices": "339AAD0A-4124-4968-8147-4CBBB1F8B3D5",
    "VmSwitch": "67DC0D66-3695-47C0-9642-33F76F7BD7AD",
    "Chipset": "DE9BA731-7F33-4F44-98C9-6CAC856B9F83",
    "SynthStor": "EDACD782-2564-4497-ADE6-7199377850F2",
    "Integration": "2B74A015-3873-4C56-9928-EA80C58B2787",
}
_DISPLAY = "Microsoft Synthetic Display Controller"


class Identity(NamedTuple):
    """A virtual machine by name and id."""

    name: str
    vm_id: str

    @property
    def sid(self) -> str:
        """The account of its worker process: its id as four little-endian words."""
        first, second, third, *rest = self.vm_id.split("-")
        raw = b"".join(bytes.fromhex(part)[::-1] for part in (first, second, third))
        raw += bytes.fromhex("".join(rest))
        words = (int.from_bytes(raw[at : at + 4], "little") for at in range(0, 16, 4))
        return "S-1-5-83-1-" + "-".join(map(str, words))


def _text(version: Version) -> str:
    return f"{version[0]}.{version[1]}"


def _whole(version: Version) -> str:
    return str(version[0] << 16 | version[1])


def classic(provider: str, event_id: int, values: tuple[str, ...]) -> EventRecord:
    """A driver's event: a device name first, which is empty, and the packet behind."""
    level = 3 if event_id in (6, 27) else 2
    qualifiers = 0x8004 if level == 3 else 0xC004
    packet = bytes(12) + (qualifiers << 16 | event_id).to_bytes(4, "little") + bytes(24)
    data: tuple[Field, ...] = (
        (None, ""),
        *((None, value) for value in values),
        ("Binary", packet.hex().upper()),
    )
    return EventRecord(
        provider=provider, event_id=event_id, qualifiers=qualifiers, level=level, task=0, channel=SYSTEM_LOG,
        keywords=0x80000000000000, payload="EventData", data=data,
    )  # fmt: skip


def manifest(
    provider: str,
    event_id: int,
    level: int,
    data: tuple[Field, ...],
    channel: str = WORKER_LOG,
    vm: Identity | None = None,
    payload: str = "UserData/VmlEventLog",
) -> EventRecord:
    """An event of a Hyper-V provider; written by the VM's account where `vm` is given."""
    return EventRecord(
        provider=HV + provider, event_id=event_id, provider_guid=_GUIDS.get(provider), level=level, version=0,
        task=0, opcode=0, keywords=0x8000000000000000, channel=channel, process_id=2412, thread_id=3100,
        user_id=vm.sid if vm else "S-1-5-18", payload=payload,
        payload_namespace=VML if payload.startswith("User") else None, data=data,
    )  # fmt: skip


def positional(*values: str) -> tuple[Field, ...]:
    return tuple((f"Parameter{index}", value) for index, value in enumerate(values))


def of_offer(offer: Offer, host: Host, vm: Identity, choice: random.Random) -> EventRecord | None:
    """The event that the host writes of an offer; None where it writes none."""
    if offer.outcome is Outcome.NEWEST:
        return None
    if offer.framework is not None:
        return _integration(offer, host, vm)
    refused = offer.outcome is Outcome.REFUSED
    if not refused and host.at_least_2016:
        return None  # no provider of that time has a "loaded, but different" event
    if offer.part is Part.STORAGE:
        return _storage(offer, host, vm, refused)
    if offer.part is Part.NETWORK:
        return _network(offer, host, vm, refused, choice)
    if offer.part is Part.DISPLAY and not host.at_least_2016:
        values = (vm.name, vm.vm_id, _DISPLAY, _text(offer.host), _text(offer.guest))
        names = ("VmName", "VmId", "Device", "ServerVersion", "ClientVersion")
        data = positional(*values) if choice.random() < 0.6 else tuple(zip(names, values, strict=True))
        return manifest("Worker", 23012 if refused else 23014, 2 if refused else 3, data, vm=vm)
    if offer.part is Part.VMBUS and refused and not host.at_least_2016:
        partition = str(choice.randint(2, 40))
        return classic("vmbusr", 3, (partition, _text(offer.guest), _text(offer.host)))
    return None


def _storage(offer: Offer, host: Host, vm: Identity, refused: bool) -> EventRecord:
    if not host.at_least_2016:
        values = (vm.name, _text(offer.host), _text(offer.guest), vm.vm_id)
        return classic("storvsp", 5 if refused else 6, values)
    data = (
        ("AdapterName", vm.name), ("AdapterId", vm.vm_id),
        ("ServerVersion", _text(offer.host)), ("ClientVersion", _text(offer.guest)),
    )  # fmt: skip
    return manifest("StorageVSP", 3, 2, data, STORAGE_LOG, payload="EventData")


def _network(offer: Offer, host: Host, vm: Identity, refused: bool, choice: random.Random) -> EventRecord:
    number, versions = 26 if refused else 27, (_whole(offer.host), _whole(offer.guest))
    if not host.at_least_2016 and choice.random() < 0.6:
        return classic("VMSMP", number, (vm.name, vm.vm_id, *versions))
    data: list[Field] = []
    named = zip(
        ("VMName", "VMId", "ServerVersion", "ClientVersion"), (vm.name, vm.vm_id, *versions), strict=True
    )
    for name, value in named:
        data += [(name + "Len", str(len(value))), (name, value)]
    return manifest("VmSwitch", number, 2 if refused else 3, tuple(data), SYSTEM_LOG, payload="EventData")


def _integration(offer: Offer, host: Host, vm: Identity) -> EventRecord:
    framework, expected = offer.framework or ((3, 0), (3, 0))
    values = [vm.name, vm.vm_id]
    if host.release not in ("2008", "2008 R2", "2012"):
        values += map(_text, (framework, expected, offer.guest, offer.host))
    if host.at_least_2016:
        return manifest("Integration", 4010, 3, positional(*values), WORKER_LOG, vm)
    return manifest(f"Integration-{offer.part}", 4010, 3, positional(*values), INTEGRATION_LOG, vm)


# ---------------------------------------------------------------- the life of a machine

STARTED, TURNED_OFF, SHUT_DOWN, GUEST_SHUT_DOWN, RESET, GUEST_RESET = 18500, 18502, 18504, 18508, 18512, 18514
CREATED, DELETED, MOVED = 13002, 13003, 20415


def life(event_id: int, vm: Identity) -> EventRecord:
    """A start, stop or reset (Worker), or creation, deletion or migration (VMMS)."""
    data = (("VmName", vm.name), ("VmId", vm.vm_id))
    if event_id in (CREATED, DELETED, MOVED):
        return manifest("VMMS", event_id, 4, data, VMMS_LOG)
    return manifest("Worker", event_id, 4, data, vm=vm)


def filler(channel: str) -> EventRecord:
    """Something that is always going on in a channel, and concerns no VM of ours."""
    other = Identity("canary", "00000000-1111-4222-8333-444444444444")
    if channel == SYSTEM_LOG:
        data = (("param1", "Background Transfer"), ("param2", "running"))
        return manifest("x", 7036, 4, data, channel, payload="EventData")._replace(
            provider="Service Control Manager", provider_guid=None, qualifiers=0x4000
        )
    if channel == STORAGE_LOG:
        return manifest("StorageVSP", 1, 4, (), channel, payload="EventData")
    if channel == INTEGRATION_LOG:
        data = (("VmName", other.name), ("VmId", other.vm_id))
        return manifest("Integration-Heartbeat", 4008, 4, data, channel, other)
    if channel in (DISK_LOG, ADAPTER_LOG):
        provider, number = ("SynthStor", 12148) if channel == DISK_LOG else ("SynthNic", 12582)
        return manifest(provider, number, 4, (("VmName", other.name), ("VmId", other.vm_id)), channel, other)
    return life(CREATED if channel == VMMS_LOG else STARTED, other)


class Failure(NamedTuple):
    """A kind of failure: who reports it, and whether a twin without a VM exists."""

    provider: str
    event_id: int
    level: int = 2
    twin: int | None = None


# Section 6 of the domain facts: the VM did not start, crashed, stopped for an error, or lost a device. The last
# are errors that no table knows, of the VM's own devices.
FAILURES = (
    *(Failure("Worker", one, 1) for one in (18524, 18528, 18539, 18540, 18550, 18560, 18590, 18602, 18604)),
    *(Failure("Worker", one) for one in (12010, 12030, 12040, 12050, 3030, 3050)),
    *(Failure("Chipset", one) for one in (18603, 18604, 18605)),
    *(Failure("SynthStor", one) for one in (12140, 12240, 12142, 12144, 12244, 12290)),
    *(Failure("SynthNic", one) for one in (12560, 12562, 12564, 12572, 12570, 12670)),
    Failure("UiDevices", 12540, 1, 12541),
    Failure("VMMS", 14070),
    *(
        Failure(provider, one)
        for provider, one in (
            ("SynthStor", 12999),
            ("SynthNic", 12666),
            ("UiDevices", 12777),
            ("Worker", 12888),
        )
    ),
)
FINAL = (
    Failure("VmbusVdev", 23012, 2, 23013),
    Failure("UiDevices", 32719, 2, 32720),
    Failure("Serial", 12322, 2, 12323),
    Failure("Chipset", 18608, 2, 18609),
)


class Naming(NamedTuple):
    """How an event of a failure names its VM and its host."""

    name: bool = True
    vm_id: bool = True
    account: bool = True
    computer: bool = True


NAMINGS = (
    Naming(), Naming(), Naming(account=False), Naming(name=False), Naming(name=False, account=False),
    Naming(vm_id=False), Naming(vm_id=False, account=False), Naming(name=False, vm_id=False),
    Naming(computer=False),
)  # fmt: skip


_OWN_LOGS = {"VMMS": VMMS_LOG, "SynthStor": DISK_LOG, "SynthNic": ADAPTER_LOG}


def channels(host: Host) -> tuple[str, ...]:
    """The channels that a host has; those of disks and adapters went into the worker's in 2016."""
    common = (SYSTEM_LOG, WORKER_LOG, VMMS_LOG, INTEGRATION_LOG)
    return (*common, STORAGE_LOG) if host.at_least_2016 else (*common, DISK_LOG, ADAPTER_LOG)


def of_failure(
    failure: Failure, host: Host, vm: Identity, naming: Naming, *, twin: bool = False
) -> EventRecord:
    """The event of a failure; its twin names no VM."""
    channel = _OWN_LOGS.get(failure.provider, WORKER_LOG)
    if channel not in channels(host):
        channel = WORKER_LOG
    if twin and failure.twin is not None:
        return manifest(failure.provider, failure.twin, failure.level, (("Device", "Device 3"),), channel)
    data: tuple[Field, ...] = ()
    if naming.name:
        data += (("VmName", vm.name),)
    if naming.vm_id:
        data += (("VmId", vm.vm_id),)
    if failure in FINAL:
        data += (("Device", _DISPLAY), ("ServerVersion", "3.5"), ("ClientVersion", "3.7"))
    return manifest(
        failure.provider, failure.event_id, failure.level, data, channel, vm if naming.account else None
    )
