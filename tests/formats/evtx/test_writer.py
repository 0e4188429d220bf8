"""Records written as .evtx come back from every reader."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import evtx
import pytest
from lxml import etree

from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.records.record import EventRecord
from tests.tools.corpus import CORPUS, needs_corpus
from tests.tools.written_logs import (
    EVENT,
    check_all,
    check_tables,
    record_of,
    with_evtx,
    with_libevtx,
)
from tests.tools.written_records import SERVICES, STORAGE, STORVSP, TICKS, WORKER, WORKER_GUID

TEXTS = (
    "",
    "a\tb\nc",
    "& < > \" '",
    "一二三 仮想マシン",
    "Ā",
    "😀 emoji 🖥️",
    "  spaces  ",
    "%%2147942432",
    "x" * 30_000,
    "界" * 30_000,
)


@needs_corpus
def test_the_checks_of_tables_hold_for_a_real_log() -> None:
    """So that the checks above are Windows' rules and not ours."""
    data = (CORPUS / "evtx" / "omerbenamram-evtx" / "2-vss_7-System.evtx").read_bytes()
    names, templates = check_tables(data[4096 : 4096 + 65536])
    assert names > 20
    assert templates > 5


@needs_corpus
@pytest.mark.parametrize(
    ("log", "payload"),
    [
        ("2-vss_7-System.evtx", "EventData"),
        (
            "2-vss_0-Microsoft-Windows-TerminalServices-RemoteConnectionManager%4Operational.evtx",
            "UserData/EventXML",
        ),
    ],
)
def test_the_outer_template_is_byte_for_byte_that_of_windows(log: str, payload: str) -> None:
    """Both logs begin with a manifest event, so names, offsets and sizes must all be the same."""
    real = (CORPUS / "evtx" / "omerbenamram-evtx" / log).read_bytes()[4096 : 4096 + 65536]
    ours = evtx_bytes([WORKER._replace(computer="DESKTOP-1N4R894", payload=payload)])[4096:]
    definition = 512 + 24 + 4 + 10  # record header, fragment header, instance
    (size,) = struct.unpack_from("<I", real, definition + 20)
    assert size > 1000
    end = definition + 24 + size
    assert ours[definition + 20 : end] == real[definition + 20 : end]


def outer_types(data: bytes) -> list[int]:
    """Types of the outer template's values in the first record."""
    (size,) = struct.unpack_from("<I", data, 4096 + 512 + 24 + 4 + 10 + 20)
    position = 4096 + 512 + 24 + 4 + 10 + 24 + size
    (count,) = struct.unpack_from("<I", data, position)
    return [data[position + 4 + 4 * index + 2] for index in range(count)]


def test_system_values_have_the_types_of_real_logs() -> None:
    manifest = [4, 4, 6, 6, 0, 0x15, 0x11, 0, 8, 8, 0x0A, 4, 0x13, 0, 1, 0x0F, 1, 0x21]
    assert outer_types(evtx_bytes([WORKER])) == manifest
    classic = [4, 4, 6, 6, 6, 0x15, 0x11, 0, 8, 8, 0x0A, 4, 0, 0, 0, 0, 0, 0, 0, 0x21]
    assert outer_types(evtx_bytes([SERVICES])) == classic


@pytest.mark.parametrize("record", [WORKER, STORVSP, SERVICES, STORAGE])
def test_every_reader_gives_back_each_kind_of_event(record: EventRecord, tmp_path: Path) -> None:
    check_all([record], tmp_path)


def test_every_reader_gives_back_every_text(tmp_path: Path) -> None:
    records = []
    for text in TEXTS:
        records.append(STORAGE._replace(data=(("Before", "1"), ("Text", text), ("After", "2"))))
        records.append(WORKER._replace(data=(("VmName", text), ("After", "2"))))
        records.append(STORVSP._replace(data=((None, text), (None, "web01"), ("Binary", "00FF"))))
    check_all(records, tmp_path)


def test_markup_in_names_channels_and_computers_is_text(tmp_path: Path) -> None:
    odd = "R&D <lab>"
    classic = STORVSP._replace(provider=odd, channel=odd, computer=odd)
    check_all([classic, STORAGE._replace(computer=odd, channel=odd, data=((odd, odd),))], tmp_path)


def test_classic_events_share_one_template_whatever_their_data() -> None:
    records = [
        STORVSP._replace(data=data)
        for data in (
            ((None, "one"),),
            ((None, ""), (None, ""), (None, "three")),
            ((None, "a"), ("Binary", "AB")),
            ((None, "a"), ("Binary", "")),
        )
    ]
    data = evtx_bytes(records)
    assert check_tables(data[4096:])[1] == 2
    assert with_libevtx(data) == records


def test_binary_that_is_no_hex_stays_text() -> None:
    record = STORVSP._replace(data=(("Binary", "not hex"), ("Binary", "ab"), ("Binary", "0")))
    assert with_libevtx(evtx_bytes([record])) == [record]


def test_absent_values_are_absent(tmp_path: Path) -> None:
    bare = EventRecord(provider="p", event_id=1, time_ticks=TICKS, record_id=1)
    check_all([bare, bare._replace(provider_guid=WORKER_GUID)], tmp_path)
    [xml] = [found["data"] for found in evtx.PyEvtxParser(io.BytesIO(evtx_bytes([STORAGE]))).records()]
    assert "Qualifiers" not in xml
    assert "UserID" not in xml


def test_an_event_without_payload_and_one_without_values(tmp_path: Path) -> None:
    check_all(
        [
            WORKER._replace(payload="", payload_namespace=None, data=()),
            STORAGE._replace(data=()),
            STORVSP._replace(data=()),
            WORKER._replace(data=()),
        ],
        tmp_path,
    )


def test_largest_numbers_and_times(tmp_path: Path) -> None:
    record = WORKER._replace(
        event_id=0xFFFF,
        qualifiers=0xFFFF,
        version=255,
        level=255,
        task=0xFFFF,
        opcode=255,
        keywords=0xFFFFFFFFFFFFFFFF,
        process_id=0xFFFFFFFF,
        thread_id=0xFFFFFFFF,
        record_id=0xFFFFFFFFFFFFFFFF,
        time_ticks=TICKS,
    )
    check_all([record], tmp_path)


def test_nested_payloads_and_attributes() -> None:
    data = (
        ("@flags", "7"),
        ("Device/@kind", "disk"),
        ("Device/Name", "sda"),
        ("Device/Name", "sdb"),
        ("Device/@kind", "net"),
        ("Device/Path/Part", "x"),
        ("Empty", ""),
        ("Note/@lang", "en"),
        ("Note", "text"),
        ("Note", "more"),
    )
    record = WORKER._replace(data=data)
    log = evtx_bytes([record])
    assert with_evtx(log) == [record]
    assert with_libevtx(log) == [record]
    [xml] = [found["data"] for found in evtx.PyEvtxParser(io.BytesIO(log)).records()]
    assert xml.count("<Device ") == 2


def test_other_values_of_system_are_kept() -> None:
    record = STORAGE._replace(extra=(("Execution/@ProcessorID", "3"), ("Container/@Id", "c"), ("Note", "n")))
    [found] = evtx.PyEvtxParser(io.BytesIO(evtx_bytes([record]))).records()
    system = etree.fromstring(found["data"].encode()).find(f"{EVENT}System")
    assert system.find(f"{EVENT}Execution").attrib == {
        "ProcessID": "4321",
        "ThreadID": "99",
        "ProcessorID": "3",
    }
    assert system.find(f"{EVENT}Container").get("Id") == "c"
    assert system.findtext(f"{EVENT}Note") == "n"
    assert record_of(found["data"]).data == record.data
