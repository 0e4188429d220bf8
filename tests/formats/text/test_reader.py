"""Text forms: every case file gives the event that it holds; other text gives none; hostile text is bounded."""

from __future__ import annotations

import json
import random
import string
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.errors import SourceError, UnknownFormatError
from hvdegraded.formats.shippers.dates import DateOrder, date_order, iso_of
from hvdegraded.formats.shippers.mapping import record_from_mapping
from hvdegraded.formats.text.reader import items_of_text
from hvdegraded.records.items import Loss
from hvdegraded.records.record import Caveat, EventRecord
from hvdegraded.timestamps import ticks_from_datetime
from tests.tools.corpus import CASES

needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason=f"the shared cases are not at {CASES}")

WORKER, INTEGRATION = "Microsoft-Windows-Hyper-V-Worker", "Microsoft-Windows-Hyper-V-Integration"
WORKER_ADMIN = "Microsoft-Windows-Hyper-V-Worker-Admin"
MOMENT = ticks_from_datetime(datetime(2017, 4, 22, 20, 30, 25, tzinfo=UTC))
FAILED = "'web02' failed to start. (Virtual machine ID B9EF4C51-FCE6-4A55-A4F1-7AF166FCF97E)"


def read(text: str | bytes) -> list[EventRecord]:
    return list(hv.read_records(text.encode() if isinstance(text, str) else text))


# One case file after another, with the values of INDEX.tsv

KVP = (INTEGRATION, 4010, 3)
START = (WORKER, 12030, 2)
FATAL = (WORKER, 18590, 1)


@needs_cases
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("formats/clixml.xml", [START]),
        ("formats/ev_copy_text.txt", [KVP]),
        ("formats/ev_export.csv", [KVP, START]),
        ("formats/ev_export.txt", [KVP]),
        ("formats/evxml_view_copy.txt", [START]),
        ("formats/geteventlog_json.json", [("storvsp", 6, 3)]),
        ("formats/getwinevent_exportcsv.csv", [KVP, START]),
        ("formats/getwinevent_fl.txt", [(INTEGRATION, 4010, None), (WORKER, 12030, None)]),
        ("formats/getwinevent_json_select.json", [START]),
        ("formats/mail_quoted.txt", [KVP]),
        ("formats/markdown.md", [KVP]),
        ("formats/syslog.log", [START, START, (WORKER, 12030, None)]),
        ("formats/wevtutil_text.txt", [KVP, FATAL]),
        ("shippers/array_of_event_xml.json", [FATAL, FATAL]),
        ("shippers/datadog_data_map.jsonl", [FATAL]),
        ("shippers/datadog_eventid_value.jsonl", [("storvsp", 6, 3)]),
        ("shippers/datadog_eventidqualifier.jsonl", [("storvsp", 6, 3)]),
        ("shippers/datadog_userdata_xmlns.jsonl", [FATAL]),
        ("shippers/details_field_is_no_hayabusa.jsonl", [("storvsp", 6, 3)]),
        ("shippers/dissect_target_rdump.jsonl", [FATAL]),
        ("shippers/dotted_winlog.jsonl", [FATAL]),
        ("shippers/eventviewer_copy_details_as_text.txt", [FATAL]),
        ("shippers/eventviewer_xml_view_copy.xml", [FATAL]),
        ("shippers/evtx2es18_userdata.jsonl", [(WORKER, 18590, None)]),
        ("shippers/evtx_dump_default.xml", [FATAL, FATAL]),
        ("shippers/evtx_dump_json_default.json", [FATAL, FATAL]),
        ("shippers/gcp_jsonpayload.jsonl", [FATAL]),
        ("shippers/get_eventlog.jsonl", [("storvsp", 6, 3)]),
        ("shippers/nxlog_gelf.jsonl", [FATAL]),
        ("shippers/nxlog_own_eventtype.jsonl", [("Microsoft-Windows-Sysmon", 13, 4)]),
        ("shippers/sentinel_windowsevent.jsonl", [FATAL]),
        ("shippers/splunk_classic_hec.jsonl", [FATAL]),
        ("shippers/wazuh_win_system.jsonl", [FATAL]),
        ("shippers/winlogbeat6_flat.jsonl", [FATAL]),
        ("shippers/wintrace_storvsp5.jsonl", [("storvsp", 5, 2)]),
        (
            "shippers/xmltodict_at_attributes.jsonl",
            [("storvsp", 5, 1), ("Microsoft-Windows-Hyper-V-VmSwitch", 15, 1), FATAL],
        ),
    ],
)
def test_a_case_gives_the_events_it_holds(name: str, expected: list[tuple[str, int, int | None]]) -> None:
    stream = hv.read_records(CASES / name)
    records = list(stream)
    assert [(one.provider, one.event_id, one.level) for one in records] == expected
    assert stream.report.lost == 0
    assert all(one.time_ticks is not None for one in records)
    assert all(one.data or one.message for one in records)
    assert not any(one.origin.anomalies for one in records)


@needs_cases
def test_values_of_single_cases() -> None:
    def only(name: str) -> EventRecord:
        (record,) = hv.read_records(CASES / "shippers" / name)
        return record

    vm = (("VmName", "web01"), ("VmId", "3F2504E0-4F89-11D3-9A0C-0305E82C3301"))
    storvsp = ((None, ""), (None, "web01"), (None, "6.0"), (None, "9.9"))
    assert only("datadog_data_map.jsonl").data == vm
    assert only("datadog_eventid_value.jsonl").qualifiers == 32772
    assert only("datadog_eventidqualifier.jsonl").qualifiers == 32772
    namespace = "http://www.microsoft.com/Windows/Virtualization/Events"
    shipped = only("datadog_userdata_xmlns.jsonl")
    assert (shipped.data, shipped.payload_namespace) == (vm, namespace)
    evtx2es = only("evtx2es18_userdata.jsonl")
    assert (evtx2es.data, evtx2es.process_id) == (vm, 4)
    assert evtx2es.provider_guid == "51DDFA29-D5C8-4803-BE4B-2ECB715570FE"
    for name in ("dotted_winlog.jsonl", "dissect_target_rdump.jsonl"):
        assert only(name).data == vm[:1]
    assert only("wintrace_storvsp5.jsonl").data == storvsp
    assert only("get_eventlog.jsonl").qualifiers == 32772
    assert ("EventType", "SetValue") in only("nxlog_own_eventtype.jsonl").data
    assert only("sentinel_windowsevent.jsonl").data == vm
    assert only("winlogbeat6_flat.jsonl").data == vm


# Others of the same kinds

GERMAN = f"""Protokollname: {WORKER_ADMIN}
Quelle:        {WORKER}
Datum:         22.04.2017 20:30:25
Ereignis-ID:   12030
Aufgabenkategorie:Keine
Ebene:         Fehler
Schlüsselwörter:
Benutzer:      SYSTEM
Computer:      HV1.contoso.com
Beschreibung:
Fehler beim Starten von "web02".
"""
TABLE = f"""

   ProviderName: {WORKER}

TimeCreated                     Id LevelDisplayName Message
-----------                     -- ---------------- -------
4/22/2017 8:30:25 PM         12030 Error            'web02' failed to start.
4/22/2017 8:31:25 PM         18590 Critical         'web02' has encountered a fatal er...
"""
XML = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='storvsp'/>"
    "<EventID Qualifiers='49156'>5</EventID><Level>2</Level><TimeCreated SystemTime='2026-11-26T10:00:00Z'/>"
    "<Channel>System</Channel><Computer>hv1</Computer></System><EventData><Data>x</Data></EventData></Event>"
)


def test_a_german_copy_is_read_by_its_order() -> None:
    (record,) = read(GERMAN)
    assert (record.provider, record.event_id, record.channel) == (WORKER, 12030, WORKER_ADMIN)
    assert record.time_ticks == MOMENT
    assert record.message == 'Fehler beim Starten von "web02".'


def test_several_copies_in_one_text_are_several_events() -> None:
    text = GERMAN + "\n" + GERMAN.replace("12030", "18590")
    assert [record.event_id for record in read(text)] == [12030, 18590]


def test_a_table_of_get_winevent() -> None:
    one, two = read(TABLE)
    assert (one.provider, one.event_id, one.level, one.message) == (
        WORKER,
        12030,
        2,
        "'web02' failed to start.",
    )
    assert (two.event_id, two.level) == (18590, 1)
    assert two.origin.anomalies == ("its message is cut off",)


@pytest.mark.parametrize(
    "text",
    [
        "hello,\n\n> > " + XML.replace("><", ">\n> > <") + "\n\nbye",
        "```xml\n" + XML + "\n```\n",
        "see: " + XML.replace("<", "&lt;").replace(">", "&gt;"),
        "- " + XML.replace("<System>", "\n- <System>\n"),
        "Record 5\n<?xml version='1.0'?>\n" + XML,
        "error at 10:00: " + XML + " (end)",
    ],
)
def test_event_xml_inside_of_anything(text: str) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (record,) = read(text.encode(encoding))
        assert (record.provider, record.event_id, record.qualifiers) == ("storvsp", 5, 49156)


def test_pasted_xml_that_is_cut_is_a_loss() -> None:
    whole, cut = "mail: " + XML + "\n", XML[:150]
    stream = hv.read_records((whole + cut).encode())
    assert len(list(stream)) == 1
    assert stream.report.lost == 1


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_selected_columns_of_export_csv(separator: str) -> None:
    rows = [
        ("TimeCreated", "Id", "ProviderName", "Message"),
        ("4/22/2017 8:30:25 PM", "12030", WORKER, FAILED),
    ]
    text = "\r\n".join(separator.join(f'"{cell}"' for cell in row) for row in rows)
    (record,) = read(text)
    assert (record.provider, record.event_id, record.message) == (WORKER, 12030, FAILED)


def test_a_column_that_stands_twice_in_export_csv_is_an_anomaly() -> None:
    rows = f'"TimeCreated","Id","ProviderName","ProviderName","Message"\n"","12030","{WORKER}","{WORKER}","{FAILED}"'
    (record,) = read(rows)
    assert record.event_id == 12030
    assert record.origin.anomalies == ("several columns of its table have the same name",)


def test_event_viewers_csv_in_german_is_read_by_its_order() -> None:
    text = f'Ebene,Datum und Uhrzeit,Quelle,Ereignis-ID,Aufgabenkategorie\nFehler,22.04.2017 20:30:25,{WORKER},12030,Keine,"{FAILED}"\n'
    (record,) = read(text)
    assert (record.event_id, record.message, record.time_ticks) == (12030, FAILED, MOMENT)


def test_lines_with_json_behind_a_prefix() -> None:
    event = json.dumps({"EventID": 5, "SourceName": "storvsp", "Hostname": "hv1", "Message": "x"})
    records = read(
        f"<14>Nov 26 10:00:00 hv1 nxlog: {event}\nNov 26 10:00:01 hv1 sshd: hello\n2026-11-26 {event}\n"
    )
    assert [(one.provider, one.event_id, one.computer) for one in records] == [("storvsp", 5, "hv1")] * 2


def test_splunks_classic_form_as_text() -> None:
    head = "11/26/2026 10:00:00 AM\nLogName=System\nEventCode={}\nEventType=2\nComputerName=hv1\nSourceName=storvsp\n"
    records = read("".join(head.format(number) + "Type=Error\nMessage=x\n\n" for number in (5, 6)))
    assert [(one.event_id, one.level, one.message) for one in records] == [(5, 2, "x"), (6, 2, "x")]
    assert all(one.time_ticks for one in records)


# Times


def test_a_date_that_could_be_two_is_resolved_by_the_others_or_left_out() -> None:
    block = "TimeCreated  : {}\nProviderName : storvsp\nId           : 5\nMessage      : x\n\n"
    ambiguous, day, month = "04/05/2026 10:00:00", "13/05/2026 10:00:00", "05/13/2026 10:00:00"
    (alone,) = read(block.format(ambiguous))
    assert alone.time_ticks is None
    assert Caveat.AMBIGUOUS_DATE in alone.origin.caveats
    assert "wevtutil epl" in Caveat.AMBIGUOUS_DATE
    first, _ = read(block.format(ambiguous) + block.format(day))
    assert hv.normalise(first).time_created.isoformat() == "2026-05-04T10:00:00+00:00"
    first, _ = read(block.format(ambiguous) + block.format(month))
    assert hv.normalise(first).time_created.isoformat() == "2026-04-05T10:00:00+00:00"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22.04.2017 20:30:25", "2017-04-22T20:30:25"),
        ("4/22/2017 12:05:06 AM", "2017-04-22T00:05:06"),
        ("4/22/2017 12:05:06 PM", "2017-04-22T12:05:06"),
        ("22/04/2017 20:30", "2017-04-22T20:30:00"),
        ("2017/04/22 20:30:25", "2017-04-22T20:30:25"),
        ("Sat Apr 22 20:30:25 2017", "2017-04-22T20:30:25"),
        ("05/05/2026 10:00:00", "2026-05-05T10:00:00"),
        ("04/05/2026 10:00:00", None),
        ("Apr 22 20:30:25", None),
        ("31.02.2026 10:00:00", None),
        ("soon", None),
    ],
)
def test_forms_of_times(text: str, expected: str | None) -> None:
    assert iso_of(text, date_order([text])) == expected
    assert date_order(["13/01/2026 1:00:00", "01/13/2026 1:00:00"]) is DateOrder.UNKNOWN


# A wrong guess is never silent


def _random_value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(8 if depth < 3 else 5)
    word = "".join(chance.choices(string.ascii_letters + " -_./", k=chance.randrange(1, 20)))
    if kind < 5:
        return [word, chance.randrange(70000), chance.random(), None, True][kind]
    if kind == 5:
        return [_random_value(chance, depth + 1) for _ in range(chance.randrange(4))]
    keys = [
        "id",
        "eventId",
        "source",
        "provider",
        "message",
        "level",
        "time",
        "data",
        "name",
        "host",
        "Event ID",
    ]
    return {chance.choice(keys): _random_value(chance, depth + 1) for _ in range(chance.randrange(8))}


def test_random_objects_and_texts_give_no_event() -> None:
    chance = random.Random(18)
    for _ in range(5_000):
        value = _random_value(chance)
        if isinstance(value, dict):
            assert record_from_mapping(value) is None
    for _ in range(2_000):
        lines = chance.choices(
            ["Source: x", "Event ID: 5", "a : b", "-- --", "a,b,c", "<11>Apr 1 x", "", "text"], k=12
        )
        assert list(items_of_text("\n".join(lines))) == []


@pytest.mark.parametrize(
    "mapping",
    [
        {"provider": "storvsp", "source": "vmbus", "eventId": 5, "message": "x"},
        {"provider": "storvsp", "eventId": 5, "EventCode": 6, "message": "x"},
        {"provider": "storvsp", "eventId": 5},
        {"provider": "storvsp", "message": "x"},
        {"eventId": 5, "message": "Microsoft-Windows-Hyper-V-Worker failed"},
        {"provider": "storvsp", "event_id": 6, "record_id": 1, "label": "actionable"},
    ],
)
def test_an_object_that_is_not_clearly_an_event_is_not_read(mapping: dict[str, Any]) -> None:
    assert record_from_mapping(mapping) is None


@pytest.mark.parametrize(
    "mapping",
    [
        {"@provider_name": "storvsp", "$eventId": 5, "_message": "x"},
        {"log": {"entry": {"EventProvider": "storvsp", "Event-ID": "5", "msg": "x"}}},
        {"win.source": "storvsp", "win.event.code": 5, "win.computer": "hv1"},
        {"Source": "storvsp", "Id": 5, "Message": "x"},
    ],
)
def test_an_unknown_object_is_read_by_the_names_of_its_keys(mapping: dict[str, Any]) -> None:
    record = record_from_mapping(mapping)
    assert record is not None
    assert (record.provider, record.event_id) == ("storvsp", 5)
    assert "read by the names of its keys" in record.origin.caveats


# Other files, and what we wrote ourselves


def test_files_that_are_not_logs_in_a_folder_are_one_remark_each(tmp_path: Path) -> None:
    (tmp_path / "guests.json").write_text('[{"Name": "web01", "OSName": "Ubuntu"}]')
    verdict = {"provider": "storvsp", "event_id": 6, "record_id": 1, "label": "actionable"}
    (tmp_path / "expected.jsonl").write_text(json.dumps(verdict) + "\n" + json.dumps(verdict) + "\n")
    (tmp_path / "x.xml").write_text(XML)
    stream = hv.read_records(tmp_path)
    assert len(list(stream)) == 1
    assert stream.report.lost == 0
    assert stream.report.unreadable == ()
    assert len(stream.report.notes) == 2


def test_a_file_that_names_a_provider_and_cannot_be_understood_is_lost(tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_text(XML)
    (tmp_path / "y.jsonl").write_text('{"provider": "storvsp", "eventId": 5}\n')
    stream = hv.read_records(tmp_path)
    assert len(list(stream)) == 1
    assert stream.report.lost == 1
    assert stream.report.unreadable


def test_text_that_is_not_of_events_is_refused() -> None:
    for text in ("hello", "a,b,c\n1,2,3\n", "Get-VM | Format-Table", GERMAN.replace(WORKER, "Anything")):
        with pytest.raises((UnknownFormatError, SourceError)):
            read(text)


@pytest.mark.parametrize(
    "text",
    [
        "<Event " * 60_000,
        "a : b\n" + "      c\n" * 60_000,
        "A: b\n" * 60_000,
        "-- " * 40_000 + "\n" + "x" * 120_000,
        "CEF:0|" * 40_000,
        "<1>1 " * 40_000,
        "1/1/2020 1:1:1 " * 20_000,
        "&lt;Event" * 40_000,
        "> " * 150_000,
        "Event[0]:\n" * 40_000,
    ],
    ids=lambda text: text[:8],
)
def test_hostile_text_is_bounded(text: str) -> None:
    started = time.monotonic()
    assert not [item for item in items_of_text(text) if not isinstance(item, Loss)]
    assert time.monotonic() - started < 20


NXLOG = (
    "<11>1 2026-03-01T07:00:00.5Z hv3 Microsoft-Windows-Hyper-V-Chipset 77 - "
    '[NXLOG@14506 EventType="ERROR" EventID="18605" RecordNumber="88" Channel="c"] no boot device'
)


@pytest.mark.parametrize(
    "line",
    [
        NXLOG,
        f"{len(NXLOG)} {NXLOG}",
        f"2026-03-01 07:00:00\tLocal7.Error\t10.0.0.5\t{NXLOG[4:]}",
    ],
)
def test_what_stands_before_a_line_of_rfc_5424(line: str) -> None:
    (record,) = read(f"{line}\n")
    assert (record.provider, record.event_id, record.level) == ("Microsoft-Windows-Hyper-V-Chipset", 18605, 2)
    assert (record.computer, record.record_id, record.message) == ("hv3", 88, "no boot device")


def test_cef_whose_provider_is_a_field_of_its_own() -> None:
    (record,) = read(
        "<11>Mar  1 07:00:00 hv3 CEF:0|a|b|5|0|-|7|externalId=18605 dvchost=hv3 "
        "SourceName=Microsoft-Windows-Hyper-V-Chipset rt=1772348400500 msg=no boot device\n"
    )
    assert (record.provider, record.event_id, record.computer) == (
        "Microsoft-Windows-Hyper-V-Chipset",
        18605,
        "hv3",
    )
    assert record.message == "no boot device"


def test_a_description_alone_is_named_as_that() -> None:
    with pytest.raises(UnknownFormatError, match="the description of an event only") as caught:
        read(FAILED)
    assert "Copy Details as Text" in (caught.value.hint or "")
