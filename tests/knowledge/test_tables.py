"""x"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

import hvdegraded as hv
import hvdegraded.knowledge
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.loader import load_events
from hvdegraded.knowledge.rows import load_sources
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.knowledge.vocabulary import Certainty, Component, Outcome, ProtocolVersion, Role
from tests.tools.event_examples import EXAMPLES, Example

KNOWLEDGE = load_knowledge()
FOLDER = Path(hvdegraded.knowledge.__file__).parent

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
    *((HYPER_V + name, 23012, Outcome.REFUSED, Component.DEVICE, 2) for name in ("Worker", "VMMS")),
    *((HYPER_V + name, 23014, Outcome.LOADED, Component.DEVICE, 3) for name in ("Worker", "VMMS")),
    (HYPER_V + "VmbusVdev", 23012, Outcome.FINAL_REFUSAL, Component.DEVICE, 2),
    (HYPER_V + "VmbusVdev", 23013, Outcome.FINAL_REFUSAL, Component.DEVICE, 2),
    *(
        (HYPER_V + "UiDevices", number, Outcome.FINAL_REFUSAL, Component.DEVICE, 2)
        for number in (32719, 32720)
    ),
    *((HYPER_V + "Serial", number, Outcome.FINAL_REFUSAL, Component.DEVICE, 2) for number in (12322, 12323)),
    *((HYPER_V + "Chipset", number, Outcome.FINAL_REFUSAL, Component.DEVICE, 2) for number in (18608, 18609)),
    (HYPER_V + "Worker", 33101, Outcome.REFUSED, Component.VPCI, 2),
    (HYPER_V + "Netvsc", 1, Outcome.NEGOTIATED, Component.NETWORK, 4),
    (HYPER_V + "Netvsc", 2, Outcome.REFUSED, Component.NETWORK, 2),
    (HYPER_V + "Guest-Drivers-Dynamic-Memory", 3, Outcome.REFUSED, Component.DYNAMIC_MEMORY, 2),
    (HYPER_V + "Guest-Drivers-Dynamic-Memory", 102, Outcome.NEGOTIATED, Component.DYNAMIC_MEMORY, 4),
    (HYPER_V + "Guest-Drivers-Vmbus", 1, Outcome.REFUSED, Component.VMBUS, 2),
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
    known = KNOWLEDGE.provider(provider)
    assert known is not None
    examples = [one for one in EXAMPLES if (one.provider, one.event_id) == (known.name, number)]
    assert [one.record.level for one in examples] == [level]


def test_no_other_event_is_a_version_event() -> None:
    known = {
        (name.lower(), row.event_id)
        for row in KNOWLEDGE.events
        if row.role is Role.VERSION
        for name in row.providers
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
    assert event(HYPER_V + "SynthNic", 12603).role is Role.INFORMATION
    assert event(HYPER_V + "SynthStor", 12603).role is Role.WATCH
    assert event(HYPER_V + "Netvsc", 12).role is Role.INFORMATION  # netvsc 12 is a refused offer
    assert event(HYPER_V + "VMMS", 18590).meaning != event(HYPER_V + "Worker", 18590).meaning


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


def test_every_row_has_a_source_and_one_line_of_words() -> None:
    for row in KNOWLEDGE.events:
        assert row.source.strip()
        assert row.references
        assert not row.forced
        assert "\n" not in row.meaning + (row.remedy or "")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.provider} {example.event_id}")
def test_an_example_follows_the_order_of_its_row(example: Example) -> None:
    row = event(example.provider, example.event_id)
    data = example.record.data
    named = [name for name, _ in data if name and name != "Binary" and not name.startswith("Parameter")]
    values = [text for name, text in data if name != "Binary"]
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
    if row.outcome is Outcome.LOADED:
        assert any(ProtocolVersion.try_parse(text) for text in values)


def test_classic_examples_have_the_shape_of_their_driver() -> None:
    for example in EXAMPLES:
        provider = KNOWLEDGE.provider(example.provider)
        assert provider is not None
        if not provider.classic:
            continue
        *items, (binary_name, packet) = example.record.data
        assert all(name is None for name, _ in items)
        assert items[0] == (None, "")  # the device name, which may be empty
        assert binary_name == "Binary"
        word = int.from_bytes(bytes.fromhex(packet)[12:16], "little")
        assert word & 0xFFFF == example.event_id
        assert word >> 30 == {2: 3, 3: 2}[example.record.level or 0]  # severity in the top bits


def test_believed_rows_are_marked() -> None:
    assert event("VMSMP", 27).certainty is Certainty.UNVERIFIED
    assert event(HYPER_V + "Integration-VSS", 4011).certainty is Certainty.UNVERIFIED
    assert event("storvsp", 6).certainty is Certainty.VERIFIED


# ------------------------------------------------------------------ files


def test_the_files_are_read_once() -> None:
    assert load_knowledge() is KNOWLEDGE
    assert KNOWLEDGE.event("storvsp", 6) is KNOWLEDGE.event("STORVSP", 6)


def test_a_table_that_cannot_be_read_once_is_an_error_and_not_a_table_without_rows() -> None:
    resource = pytest.importorskip("resource", reason="not on Windows")
    provider = "Microsoft-Windows-Hyper-V-VMMS"
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    load_events.cache_clear()
    with open(os.devnull, "rb") as stream:
        free = stream.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
    try:
        with pytest.raises(hv.KnowledgeFileError, match=r"VMMS\.toml"):
            KNOWLEDGE.event(provider, 14070)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert KNOWLEDGE.event(provider, 14070) is not None


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "..", "a/b/c", "?*"])
def test_a_provider_of_a_user_of_any_name_has_no_table_here(name: str) -> None:
    assert load_events(name) == {}


def test_a_table_of_events_belongs_to_a_known_provider() -> None:
    for path in (FOLDER / "events").iterdir():
        provider = KNOWLEDGE.provider(path.stem)
        assert provider is not None, path.name
        assert provider.name == path.stem


def test_rows_that_hold_for_other_providers_are_found_there() -> None:
    for row in KNOWLEDGE.events:
        for name in row.providers:
            assert KNOWLEDGE.event(name, row.event_id) == row, (name, row.event_id)


def test_every_source_of_an_event_or_a_code_can_be_opened() -> None:
    sources = load_sources()
    for source in sources.values():
        assert source.keys() <= {"title", "link", "date"}
        assert source["title"]
        assert source["link"].startswith("https://")
    for path in (*(FOLDER / "events").iterdir(), FOLDER / "codes.toml"):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        for part in (content, *(row for row in content.values() if isinstance(row, dict))):
            named = part.get("source", [])
            for text in [named] if isinstance(named, str) else named:
                assert text.split(": ")[0] in sources, (path.name, text)
