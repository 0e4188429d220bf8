"""Rendered messages and error codes that are read by tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.knowledge.tables import load_knowledge

KNOWLEDGE = load_knowledge()


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
    known = KNOWLEDGE.code(code)
    assert known is not None
    assert word in known.meaning


@pytest.mark.parametrize("code", [0, 1 << 32, -(1 << 31) - 1, 0x12345678, (1 << 32) + 0x80070020])
def test_other_codes_have_none(code: int) -> None:
    assert KNOWLEDGE.code(code) is None
