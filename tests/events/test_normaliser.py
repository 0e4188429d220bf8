"""Typed events: which value is which, by names, positions, shapes, messages; and nothing is dropped."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from pydantic import TypeAdapter

import hvdegraded as hv
from hvdegraded.events import AnyEvent, IntegrationVersionEvent, SlowIoEvent, UnrelatedEvent, VersionEvent
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.knowledge.vocabulary import Component, ProtocolVersion
from hvdegraded.records.record import EventRecord
from tests.tools.corpus import CORPUS, needs_corpus
from tests.tools.event_examples import EXAMPLES, Example
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import HV, ID, VM, device, integration, network, record, storvsp
from tests.verdicts.test_classifier import records

EVENTS: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


def version(text: str) -> ProtocolVersion:
    return ProtocolVersion.parse(text)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.provider} {example.event_id}")
def test_each_example_has_a_model_that_comes_back_from_json(example: Example) -> None:
    event = hv.normalise(example.record)
    row = load_knowledge().event(example.provider, example.event_id)
    assert event.known
    assert row is not None
    assert isinstance(event, VersionEvent) == (row.outcome is not None)
    assert EVENTS.validate_json(event.model_dump_json()) == event


def test_the_real_pair_of_a_2012_r2_host() -> None:
    display = hv.normalise(device(23014, "3.3", "3.2"))
    assert isinstance(display, VersionEvent)
    assert (display.component, display.versions.host, display.versions.guest) == (
        Component.DISPLAY,
        version("3.3"),
        version("3.2"),
    )
    exchange = hv.normalise(integration())
    assert isinstance(exchange, IntegrationVersionEvent)
    assert exchange.component is Component.DATA_EXCHANGE
    assert (exchange.versions.guest, exchange.versions.host) == (version("4.0"), version("5.0"))


@pytest.mark.parametrize(
    "event",
    [storvsp(5, "2.0", "4.2"), storvsp(5, "2.0", "4.2", "param"), storvsp(5, "2.0", "4.2", "message")],
)
def test_classic_values_are_told_apart_by_their_looks(event: EventRecord) -> None:
    found = hv.normalise(event)
    assert isinstance(found, VersionEvent)
    assert (found.vm_name, found.vm_id) == (VM, ID)
    assert (found.versions.host, found.versions.guest) == (version("2.0"), version("4.2"))


def test_network_versions_are_one_decimal() -> None:
    found = hv.normalise(network(26, "2", "196610"))
    assert isinstance(found, VersionEvent)
    assert (found.versions.host, found.versions.guest) == (version("0.2"), version("3.2"))


def test_what_finds_no_place_is_kept() -> None:
    found = hv.normalise(
        record("storvsp", 6, 3, ((None, VM), (None, "6.0"), (None, "5.1"), (None, "4.2"), (None, "2.0")))
    )
    assert isinstance(found, VersionEvent)
    assert found.versions.host is None
    assert set(found.unplaced) == {VM, "6.0", "5.1", "4.2", "2.0"}


def test_the_vm_of_an_account() -> None:
    event = record(HV + "Worker", 18500, 4, ())._replace(
        user_id="S-1-5-83-1-1570674725-1260853619-2008740250-1715473044"
    )
    assert hv.normalise(event).vm_id == "5D9E9825-1973-4B27-9AF1-BA77940A4066"
    for sid in ("S-1-5-83-0", "S-1-5-18", "S-1-5-83-1-1-2-3", "S-1-5-83-1-1-2-3-99999999999"):
        assert hv.normalise(event._replace(user_id=sid)).vm_id is None


@pytest.mark.parametrize(
    "text", ["%%2147942432", "0x80070020", "-2147024864", "2147942432", "failed (0x80070020)"]
)
def test_error_codes(text: str) -> None:
    event = hv.normalise(record(HV + "VMMS", 19100, 2, (("VmName", VM), ("ErrorMessage", text))))
    assert event.hresult is not None
    assert event.hresult.hex == "0x80070020"
    assert event.hresult.meaning


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0xC03A0005", "0xC03A0005"),  # virtual disks have errors of this kind
        ("0Xc03a0005", "0xC03A0005"),
        ("-1069940731", "0xC03A0005"),
        ("%%3225026565", "0xC03A0005"),
        ("0", None),
        ("0x0", None),
        ("0x40000000", None),
        ("2012034567", None),
        ("%%4", None),
        ("0x800700201", None),
        ("1" * 5000, None),
    ],
)
def test_errors_of_other_kinds_and_what_is_none(text: str, code: str | None) -> None:
    event = hv.normalise(record(HV + "SynthStor", 12240, 2, (("VmName", VM), ("ErrorCode", text))))
    assert (event.hresult.hex if event.hresult else None) == code


def test_slow_io() -> None:
    event = hv.normalise(
        record(
            HV + "StorageVSP", 9, 3, (("DeviceName", "D:\\x.vhdx"), ("Duration", "12043"), ("Status", "0"))
        )
    )
    assert isinstance(event, SlowIoEvent)
    assert (event.duration_ms, event.disk, event.status) == (12043, "D:\\x.vhdx", "0")


@needs_corpus
@pytest.mark.parametrize("path", sorted((CORPUS / "records").glob("*.xml")), ids=lambda path: path.stem[:60])
def test_real_records_keep_every_field(path: Path) -> None:
    (found,) = hv.read_records(path)
    event = hv.normalise(found)
    assert event.record == found
    assert isinstance(event, UnrelatedEvent) != (
        ("hyper-v" in found.provider.lower()) or found.provider == "Microsoft-Windows-VHDMP"
    )


@given(records)
def test_any_record_becomes_an_event_that_keeps_it_also_as_json(record: EventRecord) -> None:
    event = hv.normalise(record)
    assert event.record == record
    assert EVENTS.validate_json(event.model_dump_json()) == event
    assert EVENTS.validate_python(event.model_dump()) == event


@pytest.mark.parametrize("path", sorted(FOLDER.glob("hv*/*.evtx")), ids=lambda path: path.stem)
def test_every_event_of_the_sample_logs_comes_back_from_json(path: Path) -> None:
    for event in hv.read(path, everything=True):
        back = EVENTS.validate_json(event.model_dump_json())
        assert back == event
        assert back.record.origin == event.record.origin


def test_halves_of_surrogate_pairs_from_json_are_replaced_and_doubted() -> None:
    line = (
        b'{"winlog": {"provider_name": "Microsoft-Windows-Hyper-V-Chipset", "event_id": "18605",'
        b' "user_data": {"VmName": "a\\ud800b\\ud83d\\ude00", "xml_name": "VmlEventLog"}}}'
    )
    (event,) = hv.read(line)
    assert event.vm_name == "a\ufffdb😀"
    assert event.record.origin.anomalies
    assert EVENTS.validate_json(event.model_dump_json()) == event
