"""Event XML, events that were read and any record survive being written."""

from __future__ import annotations

import contextlib

import evtx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.records.record import EventRecord
from tests.tools.corpus import CORPUS, needs_corpus
from tests.tools.written_logs import (
    check_container,
    record_of,
    seen_by_evtx,
    with_evtx,
    with_libevtx,
)
from tests.tools.written_records import STORAGE, STORVSP, WORKER, records

TIME = "2024-12-09T11:31:23.2356205Z"

XML = f"""<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>
<Provider Name="storvsp"/><EventID Qualifiers="49156">5</EventID><Level>2</Level><Task>0</Task>
<Keywords>0x80000000000000</Keywords><TimeCreated SystemTime="{TIME}"/><EventRecordID>4712</EventRecordID>
<Channel>System</Channel><Computer>HV01.corp.example</Computer><Security/></System><EventData><Data></Data>
<Data>web01</Data><Data>6.2</Data><Data>5.1</Data><Binary>000004000100300000000000050004C0</Binary></EventData>
</Event>"""


@pytest.mark.parametrize(
    "item",
    [XML, XML.encode(), b"\xef\xbb\xbf" + XML.encode(), b"\xff\xfe" + XML.encode("utf-16-le")],
    ids=["text", "utf-8", "utf-8 with mark", "utf-16"],
)
def test_event_xml_is_written_like_its_record(item: str | bytes) -> None:
    assert evtx_bytes([item]) == evtx_bytes([STORVSP])


def test_events_that_were_read_can_be_written() -> None:
    data = evtx_bytes([STORVSP, WORKER])
    assert evtx_bytes(hv.read(data)) == data


@needs_corpus
@pytest.mark.parametrize(
    "log",
    [
        "plaso/System.evtx",
        "omerbenamram-evtx/sysmon.evtx",
        "omerbenamram-evtx/2-vss_0-Microsoft-Windows-TerminalServices-RemoteConnectionManager%4Operational.evtx",
        "velocidex/Security.evtx",
    ],
)
def test_real_events_survive_being_written_again(log: str) -> None:
    real = evtx.PyEvtxParser(str(CORPUS / "evtx" / log)).records()
    records = []
    with contextlib.suppress(RuntimeError):  # some of these logs are damaged further on
        for found in real:
            records.append(record_of(found["data"]))
            if len(records) == 400:
                break
    assert len(records) > 5
    log_again = evtx_bytes(records)
    assert len(check_container(log_again)) == len(records)
    assert with_libevtx(log_again) == records


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(records, max_size=4))
def test_any_events_come_back(written: list[EventRecord]) -> None:
    data = evtx_bytes(written)
    assert len(check_container(data)) == len(written)
    assert with_evtx(data) == [seen_by_evtx(record) for record in written]
    # libevtx leaves quotes in attribute values unescaped: what it writes is no XML then.
    if not any('"' in text for record in written for text in attribute_texts(record)):
        assert with_libevtx(data) == written


def attribute_texts(record: EventRecord) -> list[str]:
    return [record.provider, record.event_source or "", *[name or "" for name, _ in record.data]]


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "\x01\x7f\ufffe"])
def test_what_xml_cannot_hold_is_written_as_it_is(text: str) -> None:
    """For test logs of what real ones hold; no witness can show it as XML, so the bytes are looked at."""
    units = text.encode("utf-16-le", "surrogatepass")
    for record in (
        STORAGE._replace(data=(("Text", text),)),
        STORVSP._replace(data=((None, text), (None, "b"))),
    ):
        data = evtx_bytes([record])
        assert len(check_container(data)) == 1
        assert units in data
    # A NUL would split a text in an array of strings: such data stand one by one.
    arrays = data.count(b"\x0d\0\0\x01")
    assert arrays == (1 if "\0" in text else 0)
