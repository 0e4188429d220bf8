"""The knowledge files: every row stands, and a user's file is added or refused with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hvdegraded.knowledge
from hvdegraded.errors import KnowledgeError
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.loader import load
from hvdegraded.knowledge.tables import Knowledge, load_knowledge
from hvdegraded.knowledge.vocabulary import Certainty, Component, Family, Outcome, ProtocolVersion, Role

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


# ------------------------------------------------------------------ providers


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("storvsp", "storvsp"),
        ("STORVSP", "storvsp"),
        ("microsoft-windows-hyper-v-storvsp", "storvsp"),
        ("vmsmp", "VMSMP"),
        ("vmbusr", "vmbusr"),
        ("microsoft-windows-hyper-v-vmms", HYPER_V + "VMMS"),
        ("51ddfa29-d5c8-4803-be4b-2ecb715570fe", HYPER_V + "Worker"),
        ("{6066F867-7CA1-4418-85FD-36E3F9C0600C}", HYPER_V + "VMMS"),
        ("{10b3d268-9782-49a4-aacc-a93c5482cb6f}", HYPER_V + "StorageVSP"),
    ],
)
def test_a_provider_is_found_by_name_alias_and_guid(name: str, canonical: str) -> None:
    found = KNOWLEDGE.provider(name)
    assert found is not None
    assert found.name == canonical


@pytest.mark.parametrize("name", ["", "disk", "stor", "storvsp2", HYPER_V, "{}"])
def test_other_providers_are_unknown(name: str) -> None:
    assert KNOWLEDGE.provider(name) is None
    assert KNOWLEDGE.event(name, 5) is None


def test_providers_that_look_alike_stay_apart() -> None:
    assert KNOWLEDGE.provider("netvsc") != KNOWLEDGE.provider(HYPER_V + "Netvsc")
    assert KNOWLEDGE.provider("storvsp") != KNOWLEDGE.provider(HYPER_V + "StorageVSP")
    assert KNOWLEDGE.provider("VMSMP") != KNOWLEDGE.provider(HYPER_V + "VmSwitch")


def test_integration_providers_know_their_service() -> None:
    components = {}
    for name in INTEGRATION:
        row = KNOWLEDGE.provider(HYPER_V + name)
        assert row is not None
        assert row.family is Family.INTEGRATION
        components[name.removeprefix("Integration-")] = row.component
    assert components == {
        "Integration": None,
        "KvpExchange": Component.DATA_EXCHANGE,
        "Heartbeat": Component.HEARTBEAT,
        "Shutdown": Component.SHUTDOWN,
        "TimeSync": Component.TIME_SYNC,
        "VSS": Component.BACKUP,
        "RDV": Component.REMOTE_DESKTOP,
    }


def test_the_filter_takes_every_known_provider_and_no_other() -> None:
    wanted = KNOWLEDGE.provider_filter()
    for row in KNOWLEDGE.providers:
        for name in (row.name, row.name.upper(), *row.aliases):
            assert wanted.matches(name)
    assert wanted.matches(HYPER_V + "Compute")
    assert not wanted.matches("disk")
    assert wanted.marks == ("Hyper-V",)
    assert all(prefix == prefix.lower() for prefix in wanted.prefixes)


def test_every_family_has_a_provider() -> None:
    assert {row.family for row in KNOWLEDGE.providers} == set(Family)


# ------------------------------------------------------------------ events

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


# ------------------------------------------------------------------ messages and codes


def test_message_patterns_find_their_examples() -> None:
    for row in KNOWLEDGE.messages:
        assert row.find(row.example), row.name


def test_fields_of_the_forum_messages_of_a_2012_r2_host() -> None:
    vm = "9FC171E7-B2C6-4BD2-9FF0-253209B2A69D"
    display = (
        "Device 'Microsoft Synthetic Display Controller' in 'Dev Ubuntu 14.04 Gen2' is loaded but has a "
        "different version from the server.  "
        f"Server version 3.3 Client version 3.2 (Virtual machine ID {vm})."
    )
    assert KNOWLEDGE.message_fields(display) == {
        "ServerVersion": "3.3",
        "ClientVersion": "3.2",
        "VmId": vm,
        "VmName": "Dev Ubuntu 14.04 Gen2",
        "Device": "Microsoft Synthetic Display Controller",
    }
    exchange = (
        "connected to virtual machine 'Dev Ubuntu 14.04 Gen2', but the version does not match "
        f"(Virtual machine ID {vm}). Framework version: Negotiated (3.0) - Expected (3.0); "
        "Message version: Negotiated (4.0) - Expected (5.0)."
    )
    assert KNOWLEDGE.message_fields(exchange) == {
        "FrameworkNegotiated": "3.0",
        "FrameworkExpected": "3.0",
        "MessageNegotiated": "4.0",
        "MessageExpected": "5.0",
        "VmId": vm,
        "VmName": "Dev Ubuntu 14.04 Gen2",
    }


def test_fields_of_the_messages_of_kb_972108() -> None:
    vm = "9A5FAAC3-1F7A-442D-9525-46B39ACE22DB"
    text = (
        "NIC driver on '2008R2-Guest' cannot load because it is incompatible with the server "
        f"virtualization stack. Server version 2 Client version 196610 (VMID {vm})."
    )
    found = KNOWLEDGE.message_fields(text)
    assert (found["ServerVersion"], found["ClientVersion"], found["VmId"]) == ("2", "196610", vm)
    assert found["VmName"] == "2008R2-Guest"


def test_a_vm_name_with_an_apostrophe_is_found_whole() -> None:
    text = "Device 'X' in 'Bob's VM' is loaded but has a different version"
    assert KNOWLEDGE.message_fields(text)["VmName"] == "Bob's VM"


@pytest.mark.parametrize("verb", ["is loaded but has", "loaded but has", "cannot load because of"])
def test_the_vm_of_a_message_in_each_wording(verb: str) -> None:
    text = f"A storage device in 'web01' {verb} a different version from the server."
    assert KNOWLEDGE.message_fields(text)["VmName"] == "web01"


def test_a_message_in_another_language_names_no_versions() -> None:
    text = "Das Gerät wurde geladen. Serverversion 3.3, Clientversion 3.2"
    assert "ServerVersion" not in KNOWLEDGE.message_fields(text)


@given(st.text(max_size=300))
def test_any_message_is_read_without_fault(text: str) -> None:
    assert isinstance(KNOWLEDGE.message_fields(text), dict)


@pytest.mark.parametrize(
    "crafted", ["in '" * 50_000, "device '" + "a" * 100_000, "server version 1 " * 20_000]
)
def test_crafted_messages_end(crafted: str) -> None:
    assert "VmId" not in KNOWLEDGE.message_fields(crafted)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (0x80070020, "in use"),
        (int("2147942405"), "denied"),  # as in %%2147942405
        (-2147024864, "in use"),  # the same, signed
        (0x80070070, "full"),
        (0x8007051A, "versions"),
        (0x80070032, "not supported"),
    ],
)
def test_error_codes_have_words(code: int, word: str) -> None:
    assert word in (KNOWLEDGE.hresult(code) or "")


@pytest.mark.parametrize("code", [0, 1 << 32, -(1 << 31) - 1, 0x12345678, (1 << 32) + 0x80070020])
def test_other_codes_have_none(code: int) -> None:
    assert KNOWLEDGE.hresult(code) is None


# ------------------------------------------------------------------ a user's own rows

EXAMPLE = 'example = { level = 2, data = [["VmName", "web01"]] }'
ROW = f"""
[[event]]
providers = ["{HYPER_V}VMMS"]
ids = [65001]
role = "problem"
meaning = "Our own check failed."
source = "our runbook"
certainty = "verified"
{EXAMPLE}
"""


def test_a_user_adds_a_provider_with_events() -> None:
    text = f"""
[[provider]]
name = "AcmeBackup"
family = "vmms"
source = "Acme manual"
certainty = "verified"

[[event]]
providers = ["acmebackup"]
ids = [7]
role = "watch"
meaning = "Acme waited for a checkpoint."
source = "Acme manual"
certainty = "verified"
{EXAMPLE}
"""
    own = KNOWLEDGE.extended(text)
    row = own.event("ACMEBACKUP", 7)
    assert row is not None
    assert row.role is Role.WATCH
    assert own.provider_filter().matches("AcmeBackup")
    assert KNOWLEDGE.event("AcmeBackup", 7) is None  # the library's own facts stay as they are
    assert len(own.events) == len(KNOWLEDGE.events) + 1


def test_a_user_file_is_read_from_a_path(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"\xef\xbb\xbf" + ROW.replace("\n", "\r\n").encode())
    for source in (path, str(path)):
        assert KNOWLEDGE.extended(source).event(HYPER_V + "VMMS", 65001) is not None


def test_an_empty_user_text_changes_nothing() -> None:
    assert KNOWLEDGE.extended("").events == KNOWLEDGE.events


def test_a_user_changes_words_of_one_known_event() -> None:
    text = f"""
[[override]]
providers = ["{HYPER_V}Integration-VSS"]
ids = [4010]
remedy = "Ask the backup team."
"""
    own = KNOWLEDGE.extended(text)
    changed, other = (
        own.event(HYPER_V + "Integration-VSS", 4010),
        own.event(HYPER_V + "Integration-RDV", 4010),
    )
    assert changed is not None
    assert changed.remedy == "Ask the backup team."
    assert changed.outcome is Outcome.LOADED
    assert other is not None
    assert other.remedy != changed.remedy


def test_a_user_makes_a_version_event_a_problem_without_force() -> None:
    own = KNOWLEDGE.extended('[[override]]\nproviders = ["storvsp"]\nids = [6]\nrole = "problem"\n')
    row = own.event("storvsp", 6)
    assert row is not None
    assert (row.role, row.outcome) == (Role.PROBLEM, None)


LOADED = 'role = "version"\noutcome = "loaded"\ncomponent = "storage"'


@pytest.mark.parametrize(
    "text",
    [
        ROW.replace('role = "problem"', LOADED),
        ROW.replace('role = "problem"', LOADED.replace("loaded", "refused")),
        f'[[override]]\nproviders = ["{HYPER_V}StorageVSP"]\nids = [6]\n{LOADED}\n',
        '[[override]]\nproviders = ["storvsp"]\nids = [5]\noutcome = "loaded"\n',
        '[[override]]\nproviders = ["storvsp"]\nids = [5]\ncomponent = "network"\n',
        '[[override]]\nproviders = ["storvsp"]\nids = [5]\nfields = ["ClientVersion", "ServerVersion"]\n',
        '[[override]]\nproviders = ["VMSMP"]\nids = [27]\ncertainty = "verified"\n',
    ],
)
def test_what_could_make_more_ignorable_needs_the_word_force(text: str) -> None:
    with pytest.raises(KnowledgeError, match="force = true") as caught:
        KNOWLEDGE.extended(text)
    assert caught.value.line is not None
    forced = KNOWLEDGE.extended(text.replace("\nids =", "\nforce = true\nids ="))
    assert sum(row.forced for row in forced.events) == 1


def test_force_does_not_come_by_another_word() -> None:
    with pytest.raises(KnowledgeError, match="force = true"):
        KNOWLEDGE.extended(ROW.replace('role = "problem"', LOADED + "\nforced = true"))
    with pytest.raises(KnowledgeError, match="true or false"):
        KNOWLEDGE.extended(ROW.replace('role = "problem"', LOADED + '\nforce = "yes"'))


@pytest.mark.parametrize(
    ("text", "place", "match"),
    [
        ("a = \n", (1, 5), "not TOML"),
        ("x = 1\n[[event]]\nids = [1\n", (4, 1), "not TOML"),
        ("[[version]]\n", (1, 1), "no list of tables"),
        ("\n\n[event]\nids = [1]\n", (3, 1), "no list of tables"),
        (ROW.replace("65001", '"many"'), (4, 1), "'ids.0'"),
        (ROW.replace("65001", "65536"), (4, 1), "'ids.0'"),
        (ROW.replace("65001", "true"), (4, 1), "'ids.0'"),
        ('[[override]]\nids = [true]\nproviders = ["storvsp"]\n', (2, 1), "needs a list 'ids'"),
        (ROW.replace("[65001]", "[]"), (4, 1), "'ids'"),
        (ROW.replace('role = "problem"', '   role = "harmless"'), (5, 4), "'role'"),
        (ROW.replace('source = "our runbook"\n', ""), (2, 1), "'source'"),
        (ROW.replace('"our runbook"', '""'), (7, 1), "'source'"),
        (ROW.replace(EXAMPLE, ""), (2, 1), "'example'"),
        (ROW.replace("level = 2", 'level = "bad"'), (9, 1), "'example.level'"),
        (ROW.replace(EXAMPLE, "[event.example]\nlevels = 2"), (9, 1), "'example"),
        (ROW + ROW.replace("certainty", "certainity").replace("65001", "65002"), (17, 1), "'certainity'"),
        (ROW.replace(HYPER_V + "VMMS", "Nobody"), (3, 1), "no row describes the provider Nobody"),
        (ROW + ROW, (13, 1), "another row describes"),
        (ROW.replace("65001", "13002"), (4, 1), "another row describes"),
        (
            ROW.replace(f'["{HYPER_V}VMMS"]', f'["storvsp", "{HYPER_V}StorVSP"]'),
            (4, 1),
            "another row describes",
        ),
        ('[[override]]\nids = [1]\nproviders = ["storvsp"]\n', (2, 1), "no row describes storvsp 1"),
        ('[[override]]\nproviders = ["storvsp"]\n', (1, 1), "needs a list 'ids'"),
        ('[[override]]\nproviders = "storvsp"\nids = [5]\n', (2, 1), "needs a list 'providers'"),
        ('[[override]]\nids = [5]\nproviders = ["storvsp"]\nrol = "x"\n', (4, 1), "'rol'"),
        (
            '[[provider]]\nname = "STORVSP"\nfamily = "storvsp"\nsource = "x"\ncertainty = "verified"\n',
            (2, 1),
            "taken by another row",
        ),
        (
            (
                '[[provider]]\nname = "x"\naliases = ["vmbus"]\nfamily = "vid"\n'
                'source = "x"\ncertainty = "verified"\n'
            ),
            (2, 1),
            "taken by another row",
        ),
        (
            '[[provider]]\nname = "x"\nfamily = "toaster"\nsource = "x"\ncertainty = "verified"\n',
            (3, 1),
            "'family'",
        ),
        ("event = [{ids = [1]}]\n", (1, 1), "'source'"),
    ],
)
def test_a_bad_row_is_refused_with_its_place(text: str, place: tuple[int, int], match: str) -> None:
    with pytest.raises(KnowledgeError, match=re.escape(match)) as caught:
        KNOWLEDGE.extended(text)
    assert (caught.value.line, caught.value.column) == place


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(ROW.replace("65001", "-1"), encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        KNOWLEDGE.extended(path)
    assert str(caught.value).startswith(f"{path}:4:1: ")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"# one\n# \xe9t\xe9\n")
    with pytest.raises(KnowledgeError, match="UTF-8") as caught:
        KNOWLEDGE.extended(path)
    assert (caught.value.line, caught.value.column) == (2, 3)


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(KnowledgeError, match="cannot be opened"):
        KNOWLEDGE.extended(tmp_path / name)


def test_a_number_of_too_many_digits_is_refused() -> None:
    with pytest.raises(KnowledgeError, match="not TOML"):
        KNOWLEDGE.extended("[[event]]\nids = [" + "9" * 10_000 + "]\n")


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(KnowledgeError):
        KNOWLEDGE.extended("\na = " + "[" * 100_000)


@given(st.text(max_size=200))
def test_any_text_is_knowledge_or_refused(text: str) -> None:
    try:
        own = KNOWLEDGE.extended(text + "\n")
    except KnowledgeError:
        return
    assert isinstance(own, Knowledge)


def test_a_row_without_source_or_example_in_our_own_files_is_refused(tmp_path: Path) -> None:
    for name in ("providers.toml", "protocols.toml"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    text = (FOLDER / "events.toml").read_text(encoding="utf-8")
    (tmp_path / "events.toml").write_text(text, encoding="utf-8")
    assert len(load(tmp_path).events) == len(KNOWLEDGE.events)
    cut = text.replace('source = "KB 972108"\n', "", 1)
    (tmp_path / "events.toml").write_text(cut, encoding="utf-8")
    with pytest.raises(KnowledgeError, match="'source'"):
        load(tmp_path)


def test_the_files_are_read_once() -> None:
    assert load_knowledge() is KNOWLEDGE
