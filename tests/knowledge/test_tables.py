"""x"""

from __future__ import annotations

import re

import pytest

from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.knowledge.vocabulary import Certainty, Component, Outcome, ProtocolVersion, Role

KNOWLEDGE = load_knowledge()

HYPER_V = "Microsoft-Windows-Hyper-V-"

INTEGRATION = ["Integration"] + [
    f"Integration-{name}" for name in ("KvpExchange", "Heartbeat", "Shutdown", "TimeSync", "VSS", "RDV")
]

GUID = re.compile(r"\{?[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}?", re.ASCII)


def event(provider: str, number: int) -> EventFact:
    row = KNOWLEDGE.event(provider, number)
    assert row is not None
    return row


VERSION_EVENTS = [
    ("storvsp", 5, Outcome.REFUSED, Component.STORAGE, 2),
    ("storvsp", 6, Outcome.LOADED, Component.STORAGE, 3),
    (HYPER_V + "StorVSP", 6, Outcome.LOADED, Component.STORAGE, 3),
    (HYPER_V + "StorageVSP", 3, Outcome.REFUSED, Component.STORAGE, 2),
    ("VMSMP", 26, Outcome.REFUSED, Component.NETWORK, 2),
    ("VMSMP", 27, Outcome.LOADED, Component.NETWORK, 3),
    (HYPER_V + "VmSwitch", 26, Outcome.REFUSED, Component.NETWORK, 2),
    (HYPER_V + "VmSwitch", 27, Outcome.LOADED, Component.NETWORK, 3),
    (HYPER_V + "VmSwitch", 102, Outcome.NEGOTIATED, Component.NETWORK, 4),
    ("netvsc", 12, Outcome.REFUSED, Component.NETWORK, 3),
    *(
        (name, number, Outcome.REFUSED, Component.VMBUS, 2)
        for name in ("vmbus", "vmbusr")
        for number in (2, 3, 4, 5)
    ),
    *(
        (HYPER_V + name, 23012, Outcome.REFUSED, Component.DEVICE, 2)
        for name in ("Worker", "VMMS", "VmbusVdev")
    ),
    *((HYPER_V + name, 23014, Outcome.LOADED, Component.DEVICE, 3) for name in ("Worker", "VMMS")),
    (HYPER_V + "VmbusVdev", 23013, Outcome.REFUSED, Component.DEVICE, 2),
    *((HYPER_V + "UiDevices", number, Outcome.REFUSED, Component.DEVICE, 2) for number in (32719, 32720)),
    *((HYPER_V + "Serial", number, Outcome.REFUSED, Component.DEVICE, 2) for number in (12322, 12323)),
    *((HYPER_V + "Chipset", number, Outcome.REFUSED, Component.DEVICE, 2) for number in (18608, 18609)),
    (HYPER_V + "Worker", 33101, Outcome.REFUSED, Component.VPCI, 2),
    *((HYPER_V + name, 4010, Outcome.LOADED, Component.INTEGRATION, 3) for name in INTEGRATION),
    *(
        (HYPER_V + name, number, Outcome.REFUSED, Component.INTEGRATION, 2)
        for name in INTEGRATION
        for number in (4000, 4002, 4011)
    ),
]


@pytest.mark.parametrize(("provider", "number", "outcome", "component", "level"), VERSION_EVENTS)
def test_version_event(
    provider: str, number: int, outcome: Outcome, component: Component, level: int
) -> None:
    row = event(provider, number)
    assert (row.role, row.outcome, row.component) == (Role.VERSION, outcome, component)
    assert row.example.level == level


def test_no_other_event_is_a_version_event() -> None:
    known = {
        (name.lower(), number)
        for row in KNOWLEDGE.events
        if row.role is Role.VERSION
        for name in row.providers
        for number in row.ids
    }
    assert known == {
        (name.lower(), number) for name, number, *_ in VERSION_EVENTS if name != HYPER_V + "StorVSP"
    }


@pytest.mark.parametrize(
    ("provider", "number"),
    [
        ("StorageVSP", 5),
        ("StorageVSP", 6),
        ("Worker", 18608),
        ("Worker", 3074),
        ("Worker", 3075),
        ("UiDevices", 32716),
        ("UiDevices", 32717),
        ("UiDevices", 12540),
        ("DynMem", 12541),
        ("SynthNic", 12615),
        ("Integration-KvpExchange", 4096),
        ("Config", 4096),
    ],
)
def test_events_that_look_like_version_events_are_none(provider: str, number: int) -> None:
    row = event(HYPER_V + provider, number)
    assert row.role is not Role.VERSION
    assert row.outcome is None


def test_one_id_means_different_things_under_different_providers() -> None:
    assert event(HYPER_V + "Config", 4096).role is Role.PROBLEM
    assert event(HYPER_V + "Integration-KvpExchange", 4096).role is Role.WATCH
    assert event(HYPER_V + "Chipset", 18602) != event(HYPER_V + "Worker", 18602)
    assert KNOWLEDGE.event(HYPER_V + "SynthNic", 12603) is None
    assert KNOWLEDGE.event(HYPER_V + "Netvsc", 12) is None


# Section by section: provider, ids, role (A problem, C watch, N information).
KNOWN_EVENTS = """
VMMS 13002 13003 18304 N
Worker 18500 18502 18504 18508 18512 18514 18515 18608 N
Chipset 18601 18606 N
Chipset 18602 18603 18604 18605 18600 A
Worker 18524 18528 18539 18540 18550 18560 18590 18602 18604 18610 18620 A
VMMS 14050 14070 14098 16310 A
Worker 3020 3054 3056 C
Worker 3030 3050 3122 3040 3070 3072 3074 A
Worker 3048 3049 N
Worker 12010 12030 12040 12050 12054 12080 A
SynthStor 12140 12240 12246 12142 12144 12244 12280 12290 A
SynthStor 12148 N
SynthStor 12602 C
SynthNic 12560 12562 12564 12572 12570 12670 A
SynthNic 12585 12605 12606 12607 12608 12609 C
SynthNic 12582 12597 12598 N
UiDevices 12540 12541 A
DynMem 12540 12541 A
UiDevices 12480 C
VmSwitch 21 23 N
VmSwitch 22 24 25 28 252 C
VmSwitch 30 33 A
StorageVSP 9 4 5 6 C
StorageVSP 7 8 A
Integration 4096 4093 C
Config 4096 A
VMMS 10102 10103 15252 15140 16050 16060 16210 16300 16400 16410 18190 19100 A
VMMS 15268 16000 16010 16020 19090 20417 C
VMMS 19050 19051 19052 19053 19054 19055 19056 19057 19058 19059 19060 19061 19062 19063 19064 C
VMMS 19070 19080 20415 1101 1102 N
Hypervisor 1 2 129 156 165 N
"""

ROLES = {"A": Role.PROBLEM, "C": Role.WATCH, "N": Role.INFORMATION}


@pytest.mark.parametrize("line", KNOWN_EVENTS.strip().splitlines())
def test_known_events(line: str) -> None:
    provider, *numbers, role = line.split()
    for number in map(int, numbers):
        row = event(HYPER_V + provider, number)
        assert row.role is ROLES[role], number
        if row.role in (Role.PROBLEM, Role.WATCH):
            assert row.remedy


@pytest.mark.parametrize("row", KNOWLEDGE.events, ids=lambda row: f"{row.providers[0]}-{row.ids[0]}")
def test_every_row_carries_a_source_and_a_fitting_example(row: EventFact) -> None:
    assert row.source.strip()
    assert not row.forced
    assert "\n" not in row.meaning + (row.remedy or "")
    assert 0 <= row.example.level <= 5
    if row.role in (Role.PROBLEM, Role.WATCH) and row.example.data:
        assert row.example.level in (1, 2, 3) or row.ids == (4, 5, 6)
    names = [name for name, _ in row.example.data]
    values = [text for name, text in row.example.data if name != "Binary"]
    named = [name for name in names if name and name != "Binary" and not name.startswith("Parameter")]
    # The example follows the row's order: named values by name, positional ones by count.
    if named:
        shared = [name.lower() for name in row.fields if name.lower() in map(str.lower, named)]
        assert [name.lower() for name in named if name.lower() in shared] == shared
        assert shared or not row.fields
    elif values and row.fields:
        assert len(values) <= len(row.fields)
    for name, text in zip(row.fields, values, strict=False):
        if name == "VmId" and not named:
            assert GUID.fullmatch(text)
        if name in ("ServerVersion", "ClientVersion", "NeededVersion", "ParentVersion") and not named:
            assert ProtocolVersion.try_parse(text) is not None
    if row.role is Role.VERSION and row.outcome is Outcome.LOADED:
        assert any(ProtocolVersion.try_parse(text) for text in values)


def test_classic_examples_have_the_shape_of_their_driver() -> None:
    for row in KNOWLEDGE.events:
        provider = KNOWLEDGE.provider(row.providers[0])
        assert provider is not None
        if not provider.classic:
            continue
        *items, (binary_name, packet) = row.example.data
        assert all(name == "" for name, _ in items)
        assert items[0] == ("", "")  # the device name, which may be empty
        assert binary_name == "Binary"
        word = int.from_bytes(bytes.fromhex(packet)[12:16], "little")
        assert word & 0xFFFF == row.ids[0]
        assert word >> 30 == {2: 3, 3: 2}[row.example.level]  # severity in the top bits


def test_believed_rows_are_marked() -> None:
    assert event("VMSMP", 27).certainty is Certainty.UNVERIFIED
    assert event(HYPER_V + "Integration-VSS", 4011).certainty is Certainty.UNVERIFIED
    assert event("storvsp", 6).certainty is Certainty.VERIFIED


def test_the_files_are_read_once() -> None:
    assert load_knowledge() is KNOWLEDGE
