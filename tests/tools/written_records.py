"""Records that the tests of the EVTX writer write, and strategies that draw such records."""

from __future__ import annotations

from hypothesis import strategies as st

from hvdegraded.records.record import EventRecord, Origin

TICKS = 133782174832356205
VM_SID = "S-1-5-83-1-1570674725-1260853619-2008740250-1715473044"
VIRTUALIZATION = "http://www.microsoft.com/Windows/Virtualization/Events"
WORKER_GUID = "51DDFA29-D5C8-4803-BE4B-2ECB715570FE"

WORKER = EventRecord(
    provider="Microsoft-Windows-Hyper-V-Worker",
    provider_guid=WORKER_GUID,
    event_id=23014,
    version=0,
    level=3,
    task=0,
    opcode=0,
    keywords=0x8000000000000000,
    time_ticks=TICKS,
    record_id=4711,
    process_id=4321,
    thread_id=99,
    channel="Microsoft-Windows-Hyper-V-Worker-Admin",
    computer="HV01.corp.example",
    user_id=VM_SID,
    payload="UserData/VmlEventLog",
    payload_namespace=VIRTUALIZATION,
    data=(
        ("VmName", "web01"),
        ("VmId", "5D9E9825-1973-4B27-9AF1-BA77940A4066"),
        ("Parameter2", "Display"),
        ("Parameter3", "3.3"),
        ("Parameter4", "3.2"),
    ),
)

STORVSP = EventRecord(
    provider="storvsp",
    event_id=5,
    qualifiers=49156,
    level=2,
    task=0,
    keywords=0x80000000000000,
    time_ticks=TICKS,
    record_id=4712,
    channel="System",
    computer="HV01.corp.example",
    payload="EventData",
    data=(
        (None, ""),
        (None, "web01"),
        (None, "6.2"),
        (None, "5.1"),
        ("Binary", "000004000100300000000000050004C0"),
    ),
)

SERVICES = EventRecord(
    provider="Service Control Manager",
    provider_guid="555908D1-A6D7-4695-8E1E-26931D2012F4",
    event_source="Service Control Manager",
    event_id=7036,
    qualifiers=16384,
    version=0,
    level=4,
    task=0,
    opcode=0,
    keywords=0x8080000000000000,
    time_ticks=TICKS,
    record_id=4713,
    process_id=652,
    thread_id=736,
    channel="System",
    computer="HV01.corp.example",
    payload="EventData",
    data=(("param1", "Hyper-V Virtual Machine Management"), ("param2", "running")),
)

STORAGE = WORKER._replace(
    provider="Microsoft-Windows-Hyper-V-StorageVSP",
    provider_guid="10B3D268-9782-49A4-AACC-A93C5482CB6F",
    event_id=3,
    level=2,
    user_id=None,
    activity_id="587F0743-1F71-0006-5007-7F58711FD501",
    related_activity_id="587F0743-1F71-0006-5007-7F58711FD502",
    payload="EventData",
    payload_namespace=None,
    data=(("AdapterName", "sda"), ("ServerVersion", "6.2"), ("ClientVersion", "7.0")),
)

VMMS_GUID = "6066F867-7CA1-4418-85FD-36E3F9C0600C"
KERNEL_GENERAL_GUID = "A68CA8B7-004F-D7B6-A698-07E2DE0F1F5D"


def vmms(number: int, name: str = "web01", provider: str = "Microsoft-Windows-Hyper-V-VMMS") -> EventRecord:
    """A small event of the management service, or of another provider."""
    return EventRecord(
        provider=provider,
        event_id=13002,
        time_ticks=133_000_000_000_000_000 + number,
        level=4,
        record_id=number,
        channel="Admin",
        computer="hv1",
        provider_guid=VMMS_GUID if "hyper-v" in provider.lower() else KERNEL_GENERAL_GUID,
        payload="UserData/VmlEventLog",
        payload_namespace=VIRTUALIZATION,
        data=(("VmName", name), ("VmId", VMMS_GUID)),
    )


# XML cannot hold control characters and surrogates, and parsers turn a carriage return into a line feed.
texts = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=40)

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,12}", fullmatch=True).filter(
    lambda name: name != "Binary" and not name.lower().startswith("xml")
)

guids = st.uuids().map(lambda guid: str(guid).upper())

sids = st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=8).map(
    lambda parts: "S-1-5-" + "-".join(map(str, parts))
)


def up_to(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, (1 << bits) - 1)


# `evtx` refuses the last two days of the year 9999.
systems = st.builds(
    EventRecord,
    provider=texts,
    event_id=up_to(16),
    time_ticks=st.integers(0, 2_650_465_000_000_000_000),
    level=st.none() | up_to(8),
    record_id=up_to(64),
    channel=texts,
    computer=texts,
    provider_guid=st.none() | guids,
    event_source=st.none() | texts.filter(bool),
    qualifiers=st.none() | up_to(16),
    version=st.none() | up_to(8),
    task=st.none() | up_to(16),
    opcode=st.none() | up_to(8),
    keywords=st.none() | up_to(64),
    process_id=st.none() | up_to(32),
    thread_id=st.none() | up_to(32),
    activity_id=st.none() | guids,
    related_activity_id=st.none() | guids,
    user_id=st.none() | sids,
    extra=st.just(()),
    rendering=st.just(()),
    origin=st.just(Origin()),
)

binaries = st.binary(max_size=20).map(lambda data: (("Binary", data.hex().upper()),))

payloads = st.one_of(
    st.tuples(
        st.just("EventData"),
        st.none(),
        st.lists(st.tuples(st.just(None), texts), min_size=1, max_size=6).map(tuple)
        | st.builds(
            lambda unnamed, binary: (*unnamed, *binary),
            st.lists(st.tuples(st.just(None), texts), min_size=1, max_size=6),
            binaries,
        )
        | st.lists(st.tuples(names | texts.filter(bool), texts), max_size=6).map(tuple),
    ),
    st.tuples(
        names.filter(lambda name: name not in ("EventData", "System")).map(lambda name: f"UserData/{name}"),
        st.none() | st.just(VIRTUALIZATION),
        st.lists(st.tuples(st.lists(names, min_size=1, max_size=3).map("/".join), texts), max_size=6).map(
            tuple
        ),
    ),
)

records = st.builds(
    lambda record, payload: record._replace(
        payload=payload[0], payload_namespace=payload[1], data=payload[2]
    ),
    systems,
    payloads,
)
