"""What rendered messages name, and that no name of a VM can forge it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.events import VersionEvent
from hvdegraded.events.messages import read_message
from hvdegraded.events.normaliser import normalise
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.records.record import EventRecord
from hvdegraded.verdicts.classifier import classify
from tests.tools.verdict_cases import HV, ID, guests, record


def fields_of(message: str) -> dict[str, str]:
    return read_message(message, load_knowledge().messages)[0]


def test_fields_of_the_forum_messages_of_a_2012_r2_host() -> None:
    vm = "9FC171E7-B2C6-4BD2-9FF0-253209B2A69D"
    display = (
        "Device 'Microsoft Synthetic Display Controller' in 'Dev Ubuntu 14.04 Gen2' is loaded but has a "
        "different version from the server.  "
        f"Server version 3.3 Client version 3.2 (Virtual machine ID {vm})."
    )
    assert fields_of(display) == {
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
    assert fields_of(exchange) == {
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
    found = fields_of(text)
    assert (found["ServerVersion"], found["ClientVersion"], found["VmId"]) == ("2", "196610", vm)
    assert found["VmName"] == "2008R2-Guest"


@pytest.mark.parametrize(
    "name",
    [
        "Bob's VM",
        "web01 (old)",
        "[web01]",
        "web01\r\n",
        "a in 'ubuntu01', Server version 3.3 Client version 3.2",
        "x' is loaded but has a different version. Server version 3.3 Client version 3.2. Device 'y' in 'z",
    ],
)
def test_a_message_with_a_vm_name_that_can_be_read_in_two_ways_names_nothing(name: str) -> None:
    text = (
        f"Device 'X' in '{name}' is loaded but has a different version. Server version 3.5 Client version 3.3"
    )
    assert fields_of(text).get("VmName") is None


def test_a_message_in_which_a_pattern_matches_twice_names_nothing() -> None:
    text = "A storage device in 'web01' is loaded but differs. Server version 6.0 Client version 5.1"
    assert fields_of(f"{text} {text}") == {}


@pytest.mark.parametrize("verb", ["is loaded but has", "loaded but has", "cannot load because of"])
def test_the_vm_of_a_message_in_each_wording(verb: str) -> None:
    text = f"A storage device in 'web01' {verb} a different version from the server."
    assert fields_of(text)["VmName"] == "web01"


def test_a_message_in_another_language_names_no_versions() -> None:
    text = "Das Gerät wurde geladen. Serverversion 3.3, Clientversion 3.2"
    assert "ServerVersion" not in fields_of(text)


@given(st.text(max_size=300))
def test_any_message_is_read_without_fault(text: str) -> None:
    assert isinstance(fields_of(text), dict)


@pytest.mark.parametrize(
    "crafted", ["in '" * 50_000, "device '" + "a" * 100_000, "server version 1 " * 20_000]
)
def test_crafted_messages_end(crafted: str) -> None:
    assert "VmId" not in fields_of(crafted)


GERMAN = "Das Ger\u00e4t \u201e{device}\u201c in \u201e{name}\u201c wurde geladen. Server: 3.3, Client: 3.2 (ID: {vm_id})."
SPANISH = (
    "Intercambio de datos conectado a '{name}' (Id. {vm_id}). "
    "Marco: negociado (3.0), esperado (3.0). Mensaje: negociado (4.0), esperado (5.0)."
)


def told(provider: str, number: int, text: str, level: int | None = 3, name: str = "db") -> EventRecord:
    message = text.format(device="Anzeige", name=name, vm_id=ID)
    return record(HV + provider, number, level or 0, (), message)._replace(level=level)


def test_versions_in_a_language_without_a_row_are_read_by_their_order() -> None:
    display = normalise(told("Worker", 23014, GERMAN))
    exchange = normalise(told("Integration-KvpExchange", 4010, SPANISH))
    assert isinstance(display, VersionEvent)
    assert isinstance(exchange, VersionEvent)
    assert [(str(pair.guest), str(pair.host)) for pair in display.version_pairs] == [("3.2", "3.3")]
    assert [(str(pair.guest), str(pair.host)) for pair in exchange.version_pairs][-1] == ("4.0", "5.0")
    for event in (display, exchange):
        assert (event.vm_id, event.contradictions) == (ID, ())
        assert any("order" in caveat for caveat in event.record.origin.caveats)
        assert classify(event, guests("linux")).ignorable


@pytest.mark.parametrize(
    "event",
    [
        told("Worker", 23014, GERMAN, name="Ubuntu 22.04"),  # a third number that looks like a version
        told("Worker", 23014, GERMAN, name=f"x (ID: {ID})"),  # a second id
        told("Worker", 23014, GERMAN.replace("3.2", "x")),
        told("Worker", 23012, GERMAN),  # a refused offer
        told("Worker", 23014, GERMAN, level=None),
        told("Integration-KvpExchange", 4010, GERMAN),  # two versions where four are due
    ],
    ids=range(6),
)
def test_what_can_be_read_in_more_than_one_way_proves_nothing(event: EventRecord) -> None:
    assert classify(event, guests("linux")).actionable
