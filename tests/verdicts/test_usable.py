"""What proves nothing: damage, contradictions, and texts that a VM's owner can choose."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from hvdegraded.events import AnyEvent, VersionEvent
from hvdegraded.events.normaliser import normalise
from hvdegraded.findings.builder import triage
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.knowledge.vocabulary import Outcome, ProtocolVersion
from hvdegraded.records.record import Anomaly, Caveat, EventRecord, Origin
from hvdegraded.verdicts.classifier import Classifier, classify
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.verdict import Basis, Label, Reason
from tests.tools.verdict_cases import (
    HV,
    ID,
    OTHER_ID,
    VM,
    device,
    guests,
    integration,
    network,
    plain,
    positional,
    record,
    storvsp,
    unnamed,
)

LINUX = guests("linux")
SID = "S-1-5-83-1-1570674725-1260853619-2008740250-1715473044"  # of 5D9E9825-1973-4B27-9AF1-BA77940A4066
HARMLESS = [
    storvsp(6, "6.0", "5.1"),
    storvsp(5, "6.0", "6.2"),
    device(23014, "3.3", "3.2"),
    storvsp(5, "5.1", "6.2"),
    integration(),
    network(26, "327680", "393217"),
    network(27, "327680", "196610"),
]


def doubted(event: EventRecord, inventory: GuestInventory = LINUX) -> str:
    verdict = classify(event, inventory)
    assert verdict.actionable
    assert verdict.reason in (Reason.INCOMPLETE_EVIDENCE, Reason.INVENTORY_CONTRADICTED)
    return verdict.summary


def test_these_are_harmless_as_they_are() -> None:
    for event in HARMLESS:
        assert classify(event, LINUX).ignorable


# ------------------------------------------------------------------ damage


@pytest.mark.parametrize("event", HARMLESS)
def test_a_damaged_record_proves_nothing(event: EventRecord) -> None:
    origin = Origin("evtx", anomalies=("the checksum of its chunk does not match",))
    assert "checksum" in doubted(event._replace(origin=origin))
    assert "carved" in doubted(event._replace(origin=Origin("evtx", recovered=True)))


@pytest.mark.parametrize("event", HARMLESS)
@pytest.mark.parametrize("anomaly", Anomaly)
def test_every_anomaly_blocks(event: EventRecord, anomaly: Anomaly) -> None:
    doubted(event._replace(origin=Origin().with_anomalies(anomaly)))


@pytest.mark.parametrize("event", HARMLESS)
@pytest.mark.parametrize("caveat", [*Caveat, "the shipper kept no user data"])
def test_no_caveat_blocks_by_itself(event: EventRecord, caveat: str) -> None:
    assert classify(event._replace(origin=Origin().with_caveats(caveat)), LINUX).ignorable


def test_sound_and_damaged_records_are_told_apart_among_many() -> None:
    sound = storvsp(6, "6.0", "5.1")
    damaged = sound._replace(origin=Origin("evtx", anomalies=("its size is wrong",)))
    for events in ([sound, damaged], [damaged, sound]):
        found = [verdict.ignorable for _, verdict in Classifier(LINUX).classify_all(events)]
        assert found == [event is sound for event in events]
        parts = triage(events, guests=LINUX).groups
        assert sorted(part.verdict.ignorable for part in parts) == [False, True]


def test_doubts_survive_json() -> None:
    origin = Origin("evtx", "a.evtx", 4096, None, 0, True, ("mangled",), ("no payload",))
    event = storvsp(6, "6.0", "5.1")._replace(origin=origin)
    again = EventRecord.from_dict(event.to_dict())
    assert again.origin == origin
    adapter: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
    other = adapter.validate_json(normalise(event).model_dump_json())
    assert "mangled" in doubted(other.record)
    assert classify(other, LINUX).reason is Reason.INCOMPLETE_EVIDENCE


# ------------------------------------------------------------------ contradictions inside an event


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (("ClientVersion", "3.3"), "clientversion"),
        (("server_version", "3.5"), "serverversion"),
        (("VmId", OTHER_ID), "vmid"),
        (("VMNAME", "db02"), "vmname"),
        (("Parameter4", "3.0"), "clientversion"),
    ],
)
def test_a_field_with_two_values_proves_nothing(more: tuple[str, str], word: str) -> None:
    event = device(23014, "3.3", "3.2", "named")
    for data in ((*event.data, more), (more, *event.data)):
        assert word in doubted(event._replace(data=data))


@pytest.mark.parametrize(
    ("event", "more"),
    [
        (device(23014, "3.3", "3.2"), ("Parameter0", "db02")),
        (device(23014, "3.3", "3.2"), ("Parameter1", OTHER_ID)),
        (device(23014, "3.3", "3.2"), ("param5", "3.3")),
        (device(23014, "3.3", "3.2", "unnamed"), ("Parameter3", "3.5")),
        (storvsp(6, "6.0", "5.1", "param"), ("param2", "db02")),
    ],
)
def test_a_position_with_two_values_proves_nothing(event: EventRecord, more: tuple[str, str]) -> None:
    for data in ((*event.data, more), (more, *event.data)):
        assert "two values" in doubted(event._replace(data=data))


def test_a_classic_event_with_two_texts_does_not_tell_which_is_the_vm() -> None:
    for values in (("Adapter", VM, "6.0", "5.1", ID), (VM, "6.0", "5.1", "Adapter")):
        assert "Adapter" in doubted(record("storvsp", 6, 3, unnamed(*values)))


@pytest.mark.parametrize("versions", [("3.0", "3.0", "1.0", "3.0"), ("1.0", "3.0"), ("", "")])
def test_a_service_that_no_linux_has_is_not_of_linux(versions: tuple[str, ...]) -> None:
    assert "remote desktop" in doubted(integration("-RDV", versions=versions))


@pytest.mark.parametrize(
    "more", [("clientversion", "3.2"), ("ClientVersion", ""), ("Note", "a"), ("note", "b")]
)
def test_a_field_told_twice_alike_changes_nothing(more: tuple[str, str]) -> None:
    event = device(23014, "3.3", "3.2", "named")
    assert classify(event._replace(data=(*event.data, ("Note", "c"), more)), LINUX).ignorable


@pytest.mark.parametrize(
    "event",
    [
        device(23014, "3.3", "3.x"),
        device(23014, "three", "3.2", "named"),
        device(23014, "3.3", "3.2.1"),
        integration(versions=("3.0", "3.0", "4.0", "5.0.0")),
        storvsp(6, "0x60000", "5.1", "named"),  # storage has 16 bits
    ],
)
def test_a_version_that_is_none_proves_nothing(event: EventRecord) -> None:
    assert "is not a version" in doubted(event)


def test_values_that_moved_by_one_place_prove_nothing() -> None:
    """A tool that drops the VM's name, or counts from param0."""
    moved = record(
        HV + "Worker", 23014, 3, unnamed(ID, "Microsoft Synthetic Display Controller", "3.3", "3.2")
    )
    assert "VM id" in doubted(moved)
    data = tuple((f"param{index}", text) for index, (_, text) in enumerate(device(23014, "3.3", "3.2").data))
    assert "VM id" in doubted(record(HV + "Worker", 23014, 3, data))


def test_a_vm_id_that_is_not_the_writers_proves_nothing() -> None:
    event = device(23014, "3.3", "3.2")
    assert "account" in doubted(event._replace(user_id=SID))
    own = event._replace(
        data=positional("x", "5d9e9825-1973-4b27-9af1-ba77940a4066", "d", "3.3", "3.2"), user_id=SID
    )
    assert classify(own, GuestInventory.load({"5D9E9825-1973-4B27-9AF1-BA77940A4066": "Debian"})).ignorable
    assert classify(event._replace(user_id="S-1-5-18"), LINUX).ignorable


def test_two_ids_in_a_classic_event_prove_nothing() -> None:
    """A VM may be named like the id of another."""
    event = record("storvsp", 6, 3, unnamed("", ID, "6.0", "5.1", OTHER_ID))
    assert "two ids" in doubted(event)
    assert doubted(event._replace(event_id=5, level=2))
    assert classify(record("storvsp", 6, 3, unnamed("", ID, "6.0", "5.1", ID)), LINUX).ignorable


def test_a_provider_whose_name_and_guid_disagree_proves_nothing() -> None:
    worker, storage = "51DDFA29-D5C8-4803-BE4B-2ECB715570FE", "10B3D268-9782-49A4-AACC-A93C5482CB6F"
    event = device(23014, "3.3", "3.2")
    assert classify(event._replace(provider_guid=worker), LINUX).ignorable
    assert classify(event._replace(provider="", provider_guid=worker), LINUX).ignorable
    assert classify(event._replace(provider=f"{{{worker.lower()}}}"), LINUX).ignorable
    for guid in (storage, "0" * 8 + worker[8:]):
        assert "GUID" in doubted(event._replace(provider_guid=guid))
    disk = storvsp(6, "6.0", "5.1", "named")
    assert "GUID" in doubted(disk._replace(provider_guid=storage))


@pytest.mark.parametrize("name", ["disk", HV + "Worker2", HV + "Worjer"])
def test_by_a_guid_under_a_name_that_is_not_known_an_event_is_read_and_proves_nothing(name: str) -> None:
    worker = "51DDFA29-D5C8-4803-BE4B-2ECB715570FE"
    event = device(23014, "3.3", "3.2")._replace(provider=name, provider_guid=worker)
    assert "GUID" in doubted(event)
    assert classify(event._replace(event_id=18560), LINUX).reason is Reason.KNOWN_PROBLEM


def test_a_classic_source_under_another_name_is_known() -> None:
    event = storvsp(6, "6.0", "5.1")._replace(provider="Some-Manifest", event_source="storvsp")
    assert classify(event, LINUX).ignorable


def test_an_event_read_by_other_rules_proves_nothing() -> None:
    refused = normalise(storvsp(5, "6.3", "6.2"))
    assert isinstance(refused, VersionEvent)
    verdict = classify(refused.model_copy(update={"outcome": Outcome.LOADED}), LINUX)
    assert verdict.reason is Reason.INCOMPLETE_EVIDENCE


# ------------------------------------------------------------------ the message as the last resort


def test_a_vm_name_that_holds_the_text_of_a_message_proves_nothing() -> None:
    """The guest is Windows; its owner names it so that the message points to a Linux VM."""
    spoof = f"x (Virtual machine ID {ID})"
    text = (
        f"Device 'Microsoft Synthetic Display Controller' in '{spoof}' is loaded but has a different version. "
        f"Server version 3.3 Client version 3.2 (Virtual machine ID {OTHER_ID})."
    )
    inventory = GuestInventory.load({ID: "Ubuntu", OTHER_ID: "Windows Server 2012 R2"})
    verdict = classify(
        record(HV + "Worker", 23014, 3, (), text), inventory, Policy(unknown_guest=Label.ACTIONABLE)
    )
    assert verdict.actionable
    spoof = "x Server version 6.0 Client version 6.2"
    text = f"A storage device in '{spoof}' cannot load because it differs. Server version 4.2 Client version 6.2 (VMID {ID})."
    assert classify(record("storvsp", 5, 2, (), text), LINUX).actionable


def test_fields_outweigh_the_message() -> None:
    text = "Server version 6.0 Client version 6.2"
    event = storvsp(5, "4.2", "6.2")._replace(rendering=(("Message", text),))
    assert classify(event, LINUX).actionable


# ------------------------------------------------------------------ what the guest itself speaks


def test_an_inventory_does_not_stand_against_what_the_guest_speaks() -> None:
    windows_only = device(23014, "3.5", "3.3")
    assert "no known Linux speaks display 3.3" in doubted(windows_only)
    verdict = classify(windows_only, policy=Policy(unknown_guest=classify(HARMLESS[0], LINUX).label))
    assert verdict.actionable
    assert not verdict.assumed
    assert (verdict.reason, verdict.basis) == (Reason.LOADED_WINDOWS, Basis.PROTOCOL_TABLES)
    assert classify(windows_only, guests("freebsd")).reason is Reason.INVENTORY_CONTRADICTED


# ------------------------------------------------------------------ properties


def mangled(event: EventRecord, how: st.DataObject) -> EventRecord:
    """The event with one thing changed that a flipped bit, or a hand, can change."""

    def value(text: str) -> str:
        if not text:
            return text
        place = how.draw(st.integers(0, len(text) - 1))
        other = how.draw(st.sampled_from("0123456789.ABCDEFx -"))
        return text[:place] + other + text[place + 1 :]

    changes: list[Callable[[EventRecord], EventRecord]] = [
        lambda e: e._replace(event_id=e.event_id ^ 1 << how.draw(st.integers(0, 15))),
        lambda e: e._replace(level=how.draw(st.integers(0, 255))),
        lambda e: e._replace(provider=value(e.provider)),
        lambda e: e._replace(qualifiers=how.draw(st.integers(0, 0xFFFF))),
        lambda e: (
            e._replace(
                data=tuple(
                    (name, value(text) if index == target else text)
                    for index, (name, text) in enumerate(e.data)
                )
            )
            if (target := how.draw(st.integers(0, max(0, len(e.data) - 1)))) >= 0
            else e
        ),
        lambda e: e._replace(data=e.data[: how.draw(st.integers(0, len(e.data)))]),
        lambda e: e._replace(data=tuple(how.draw(st.permutations(e.data)))),
    ]
    for change in how.draw(st.lists(st.sampled_from(changes), min_size=1, max_size=2)):
        event = change(event)
    return event


# By hand from the tables: on which host (server) which offer (client) of a Linux guest is harmless.
LINUX_GOES_ON = {
    "storage": ({"5.1", "6.0"}, {"6.0", "6.2"}),
    "network": ({"0.2", "3.2", "4.0", "5.0", "6.0"}, {"4.0", "5.0", "6.0", "6.1"}),
    "display": ({"3.0", "3.2", "3.3", "3.4"}, {"3.2", "3.5"}),
}
LOADED = {("storvsp", 6), ("vmsmp", 27), (HV.lower() + "vmswitch", 27), (HV.lower() + "storvsp", 6)}
LOADED |= {(HV.lower() + name, 23014) for name in ("worker", "vmms")}
LOADED |= {
    (HV.lower() + "integration" + name, 4010)
    for name in ("", "-kvpexchange", "-heartbeat", "-shutdown", "-timesync", "-vss", "-rdv")
}


@given(
    st.sampled_from([*HARMLESS, *(storvsp(5, s, c) for s in ("2.0", "4.2", "5.1") for c in ("4.2", "6.2"))]),
    st.data(),
)
def test_whatever_is_changed_what_is_ignorable_has_a_proof_by_hand(
    event: EventRecord, data: st.DataObject
) -> None:
    event = mangled(event, data)
    verdict = classify(event, LINUX, Policy(unknown_guest=Label.ACTIONABLE))
    if not verdict.ignorable:
        return
    # An inventory is asked without regard to letter case.
    assert verdict.vm_id == ID or (verdict.vm_name or "").lower() == VM
    assert not event.origin.anomalies
    if (event.provider.lower(), event.event_id) in LOADED:
        assert event.level in (None, 3)
        client, server = verdict.versions.guest, verdict.versions.host
        assert client is None or server is None or client < server
        return
    assert event.level in (None, 2)
    servers, clients = LINUX_GOES_ON[str(verdict.component)]
    assert str(verdict.versions.host) in servers
    assert str(verdict.versions.guest) in clients
    assert (verdict.versions.guest or ProtocolVersion(0, 0)) > (
        verdict.versions.host or ProtocolVersion(0, 0)
    )


KNOWLEDGE = load_knowledge()


@given(st.sampled_from(KNOWLEDGE.events), st.sampled_from(["linux", "freebsd", "unknown"]), st.data())
def test_no_event_without_a_vm_is_ignorable(row: EventFact, guest: str, data: st.DataObject) -> None:
    provider = data.draw(st.sampled_from(row.providers))
    versions = (("ServerVersion", "6.0"), ("ClientVersion", "6.2"), ("MessageNegotiated", "4.0"))
    for level in (2, 3):
        assert classify(record(provider, row.event_id, level, versions), guests(guest)).actionable


def test_a_twin_or_sibling_without_versions_is_never_ignorable() -> None:
    for provider, number in (("VmbusVdev", 23013), ("Worker", 33101), ("Integration-VSS", 4002)):
        assert classify(plain(provider, number), LINUX).actionable
