"""Issue 15.11: a wrong letter in a provider's name, under right checksums, hides no record."""

from __future__ import annotations

import struct

import pytest

import hvdegraded as hv
from hvdegraded.events import VmmsEvent
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.records.record import Anomaly, EventRecord
from tests.formats.evtx.test_hidden_records import events, places, sealed
from tests.tools.crafted import Binary, chunk_of
from tests.tools.sample_exports import event_xml

VMMS, OTHER = "Microsoft-Windows-Hyper-V-VMMS", "Microsoft-Windows-Kernel-Boot"
GUID = events(1)[0].provider_guid


def with_a_wrong_letter(log: bytes, at: int) -> bytes:
    """The log with another letter in each name of the provider, under right checksums."""
    name = VMMS.encode("utf-16-le")
    wrong = bytearray(name)
    wrong[2 * at] ^= 1
    return sealed(bytearray(log.replace(name, wrong)))


@pytest.mark.parametrize("at", range(len(VMMS)))
@pytest.mark.parametrize("others", [0, 29])
def test_a_record_is_found_by_its_guid_as_a_value(at: int, others: int) -> None:
    log = evtx_bytes([*events(others, OTHER), events(30)[29]])
    stream = hv.read(with_a_wrong_letter(log, at))
    (event,) = list(stream)
    is_of_hyper_v = event.provider.startswith("Microsoft-Windows-Hyper-V-")
    assert event.record.origin.anomalies == (() if is_of_hyper_v else (Anomaly.OTHER_PROVIDER,))
    assert isinstance(event, VmmsEvent)
    assert stream.report.filtered == others
    assert not stream.report.lost


def test_records_are_found_by_the_guid_in_their_template() -> None:
    classic = [one._replace(event_source="VMMS") for one in events(20)]
    stream = hv.read(with_a_wrong_letter(evtx_bytes([*events(20, OTHER), *classic]), 16))
    assert [event.record.origin.anomalies for event in stream] == [(Anomaly.OTHER_PROVIDER,)] * 20
    assert stream.report.filtered == 20


def test_a_record_without_template_is_found_by_its_guid() -> None:
    assert GUID is not None
    made = Binary()
    made.open("Event", raw=True).open("System", raw=True)
    made.open("Provider", ("Name", "Disk"), ("Guid", f"{{{GUID}}}"), raw=True).close()
    made.open("EventID", raw=True).text("6").close(3)
    (event,) = list(hv.read(chunk_of(bytes(made.data))))
    assert event.record.origin.anomalies == (Anomaly.OTHER_PROVIDER,)


@pytest.mark.parametrize("name", ["storvsp", "VMSMP", "Microsoft-Windows-Hyper-V-Shared-VHDX"])
@pytest.mark.parametrize("bit", [0, 1, 4, 6, 8, 13])
def test_a_flipped_bit_in_a_name_without_guid_is_a_loss(name: str, bit: int) -> None:
    classic = [one._replace(provider=name, provider_guid=None) for one in events(20)]
    log = evtx_bytes([*events(20, OTHER), *classic])
    units = name.encode("utf-16-le")
    wrong = bytearray(units)
    wrong[2 * 3 + bit // 8] ^= 1 << bit % 8
    stream = hv.read(sealed(bytearray(log.replace(units, wrong))))
    assert not list(stream)
    assert (stream.report.lost, stream.report.filtered) == (20, 20)


@pytest.mark.parametrize("bit", range(1, 6))
@pytest.mark.parametrize("others", [0, 29])
def test_a_flipped_bit_in_the_size_of_a_name_that_is_a_value_hides_no_record(bit: int, others: int) -> None:
    log = bytearray(evtx_bytes([*events(others, OTHER), events(30)[29]]))
    start = places(log)[others]
    place = log.index(struct.pack("<HBBHBB", 2 * len(VMMS), 1, 0, 16, 15, 0), start)
    log[place] ^= 1 << bit
    stream = hv.read(sealed(log))
    assert len(list(stream)) + stream.report.lost == 1
    assert not stream.report.complete


@pytest.mark.parametrize("name", ["storvsc", "vmbus7", "disk", "Microsoft-Windows-Hypervisor"])
def test_a_name_that_is_only_similar_is_another_provider_s(name: str) -> None:
    others = [one._replace(provider=name, provider_guid=None) for one in events(20)]
    stream = hv.read(evtx_bytes(others))
    assert not list(stream)
    assert (stream.report.lost, stream.report.filtered) == (0, 20)


def test_what_such_a_record_reports_is_acted_on() -> None:
    failed = events(1)[0]._replace(event_id=16300, channel="System")
    whole = hv.triage(evtx_bytes([failed]))
    found = hv.triage(with_a_wrong_letter(evtx_bytes([failed]), 15))
    assert len(whole.to_act_on) == len(found.to_act_on) == 1
    assert found.report.with_anomalies == 1


@pytest.mark.parametrize("guid", ["{{{}}}", "{}", "&#x7B;{}}}"])
def test_an_event_as_xml_is_found_by_its_guid(guid: str) -> None:
    assert GUID is not None
    record = events(1)[0]._replace(provider="Microsoft-Windowr-Hyper-V-VMMS")
    xml = event_xml(record).replace(f"{{{GUID.lower()}}}", guid.format(GUID.lower()))
    assert GUID.lower() in xml
    (event,) = list(hv.read(xml.encode()))
    assert event.record.origin.anomalies == (Anomaly.OTHER_PROVIDER,)


def test_a_wanted_name_with_another_s_guid_is_delivered_and_proves_nothing() -> None:
    record = EventRecord("Microsoft-Windows-Hyper-V-Worker", 23014, 10**17, 3, 1, provider_guid=GUID)
    (event,) = hv.read(evtx_bytes([record]))
    assert hv.classify(event, guest="linux").actionable
