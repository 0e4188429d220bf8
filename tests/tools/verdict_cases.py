"""Events in every shape, built by hand, for the tests of the classifier."""

from __future__ import annotations

from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.records.record import EventRecord, Field

ID = "9FC171E7-B2C6-4BD2-9FF0-253209B2A69D"
VM = "web01"
HV = "Microsoft-Windows-Hyper-V-"
DISPLAY = "Microsoft Synthetic Display Controller"

OTHER_ID = "0F3C2D1E-5B6A-4798-8C0D-1E2F3A4B5C6D"

SYSTEMS = {
    "windows": "Windows Server 2012 R2 Standard",
    "windows 2008 r2": "Windows Server 2008 R2 Enterprise",
    "windows 2012": "Windows Server 2012 Datacenter",
    "linux": "Ubuntu 22.04.4 LTS",
    "freebsd": "FreeBSD",
}


def guests(kind: str) -> GuestInventory:
    """An inventory that says one thing of the VM, nothing, two things, or something that nobody can read."""
    if kind == "unknown":
        return GuestInventory()
    if kind == "unread":
        return GuestInventory.load([{"Name": VM, "Id": ID, "OSName": "Server 2019 Datacenter"}])
    if kind == "other id":  # a machine of this name, made anew, or a namesake
        return GuestInventory.load([{"Name": VM, "Id": OTHER_ID, "OSName": SYSTEMS["windows"]}])
    if kind == "conflict":
        return GuestInventory.load(
            [
                {"Name": VM, "Id": ID, "OSName": SYSTEMS["linux"]},
                {"Name": VM, "Id": ID, "OSName": SYSTEMS["windows"]},
            ]
        )
    return GuestInventory.load([{"Name": VM, "Id": ID, "OSName": SYSTEMS[kind]}])


def record(
    provider: str, event_id: int, level: int | None, data: tuple[Field, ...], message: str = ""
) -> EventRecord:
    return EventRecord(
        provider=provider,
        event_id=event_id,
        level=level,
        computer="hv1",
        time_ticks=133_782_174_832_356_205,
        data=data,
        rendering=(("Message", message),) if message else (),
    )


def unnamed(*values: str) -> tuple[Field, ...]:
    return tuple((None, value) for value in values)


def positional(*values: str) -> tuple[Field, ...]:
    return tuple((f"Parameter{index}", value) for index, value in enumerate(values))


def storvsp(event_id: int, server: str, client: str, shape: str = "classic") -> EventRecord:
    """storvsp 5 or 6 in a shape: classic, shipped (no names, no device), param, named (alias), message."""
    level = 2 if event_id == 5 else 3
    if shape == "message":
        verb = "cannot load because" if event_id == 5 else "is loaded but"
        text = f"A storage device in '{VM}' {verb} differs. Server version {server} Client version {client} (VMID {ID})."
        return record("storvsp", event_id, level, (), text)
    values = (VM, server, client, ID)
    if shape == "classic":
        return record("storvsp", event_id, level, (*unnamed("", *values), ("Binary", "00")))
    if shape == "param":
        return record("storvsp", event_id, level, tuple((f"param{n}", v) for n, v in enumerate(values, 2)))
    if shape == "named":
        names = ("VmName", "ServerVersion", "ClientVersion", "VmId")
        return record(HV + "StorVSP", event_id, level, tuple(zip(names, values, strict=True)))
    return record("storvsp", event_id, level, unnamed(*values))


def device(
    event_id: int,
    server: str,
    client: str,
    shape: str = "positional",
    provider: str = "Worker",
    name: str = DISPLAY,
) -> EventRecord:
    """Worker 23012 or 23014, or a refusal of a 21H2 provider, of the display or another device."""
    level = 3 if event_id == 23014 else 2
    if shape == "named":
        data: tuple[Field, ...] = (
            ("VmName", VM), ("VmId", ID), ("Device", name), ("ServerVersion", server), ("ClientVersion", client),
        )  # fmt: skip
        return record(HV + provider, event_id, level, data)
    if shape == "unnamed":
        return record(HV + provider, event_id, level, unnamed(VM, ID, name, server, client))
    if shape == "message":
        verb = (
            "cannot load because it is incompatible"
            if event_id != 23014
            else "is loaded but has a different version"
        )
        text = f"Device '{name}' in '{VM}' {verb}. Server version {server} Client version {client} (Virtual machine ID {ID})."
        return record(HV + provider, event_id, level, (), text)
    return record(HV + provider, event_id, level, positional(VM, ID, name, server, client))


def integration(
    service: str = "-KvpExchange", shape: str = "positional", versions: tuple[str, ...] = ()
) -> EventRecord:
    """Integration 4010."""
    versions = versions or ("3.0", "3.0", "4.0", "5.0")
    if shape == "named":
        names = ("FrameworkNegotiated", "FrameworkExpected", "MessageNegotiated", "MessageExpected")
        data: tuple[Field, ...] = (("VmName", VM), ("VmId", ID), *zip(names, versions, strict=False))
        return record(f"{HV}Integration{service}", 4010, 3, data)
    if shape == "2008":  # no version fields before 2012 R2
        return record(f"{HV}Integration{service}", 4010, 3, positional(VM, ID))
    if shape == "message":
        one, two, three, four = versions
        text = (
            f"Hyper-V Data Exchange connected to virtual machine '{VM}', but the version does not match the version "
            f"expected by Hyper-V (Virtual machine ID {ID}). Framework version: Negotiated ({one}) - Expected ({two}); "
            f"Message version: Negotiated ({three}) - Expected ({four})."
        )
        return record(f"{HV}Integration{service}", 4010, 3, (), text)
    if shape == "unnamed":
        return record(f"{HV}Integration{service}", 4010, 3, unnamed(VM, ID, *versions))
    return record(f"{HV}Integration{service}", 4010, 3, positional(VM, ID, *versions))


def network(event_id: int, server: str, client: str, shape: str = "classic") -> EventRecord:
    """VMSMP or VmSwitch 26 or 27."""
    level = 2 if event_id == 26 else 3
    if shape == "named":
        data: tuple[Field, ...] = (
            ("VMNameLen", "5"), ("VMName", VM), ("VMIdLen", "36"), ("VMId", ID),
            ("ServerVersionLen", "1"), ("ServerVersion", server), ("ClientVersionLen", "1"), ("ClientVersion", client),
        )  # fmt: skip
        return record(HV + "VmSwitch", event_id, level, data)
    if shape == "positional":
        values = ("5", VM, "36", ID, "6", server, "6", client)
        return record(HV + "VmSwitch", event_id, level, positional(*values))
    if shape == "listed":
        return record("VMSMP", event_id, level, unnamed(VM, ID, server, client))
    if shape == "message":
        text = f"NIC driver on '{VM}' {'cannot load because' if event_id == 26 else 'is loaded but'} differs. Server version {server} Client version {client} (VMID {ID})."
        return record("VMSMP", event_id, level, (), text)
    return record("VMSMP", event_id, level, unnamed("", VM, ID, server, client))


def plain(provider: str, event_id: int, level: int = 2) -> EventRecord:
    """Any other event, naming the VM."""
    return record(HV + provider, event_id, level, (("VmName", VM), ("VmId", ID)))


def at_minutes(event: EventRecord, minutes: float) -> EventRecord:
    """The same event, some minutes later."""
    return event._replace(time_ticks=(event.time_ticks or 0) + int(minutes * 600_000_000))


MINUTE = 600_000_000  # ticks


def at(event: EventRecord, minutes: float) -> EventRecord:
    assert event.time_ticks is not None
    return event._replace(time_ticks=event.time_ticks + int(minutes * MINUTE))


REFUSED = storvsp(5, "6.0", "6.2")
