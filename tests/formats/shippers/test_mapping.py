"""Log shippers' records: each dialect reads to the event it holds, as far as the route keeps it."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hvdegraded.errors import HvdegradedError, UnknownFormatError
from hvdegraded.events.normaliser import normalise
from hvdegraded.formats.autodetect import read_stream
from hvdegraded.formats.shippers.dialects import Dialect, tables
from hvdegraded.formats.shippers.json_lines import line_may_hold, read_json_lines
from hvdegraded.formats.shippers.mapping import dialects, record_from_mapping
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.records.record import EventRecord, FieldSource, Origin, ProviderFilter
from hvdegraded.records.report import ReadReport
from hvdegraded.tabular.json_keys import decoded

HYPER_V = load_knowledge().provider_filter()
VMMS = "Microsoft-Windows-Hyper-V-VMMS"


@pytest.mark.parametrize("table", tables().dialects, ids=lambda table: table.name)
def test_what_a_route_lost_is_told(table: Dialect) -> None:
    """A record with everything that tells the dialect, and no event data."""
    mapping: dict[str, Any] = {}
    for path in table.detect:
        *above, last = path.split(".")
        here = mapping
        for key in above:
            here = here.setdefault(key, {})
        here.setdefault(last, {} if path == "winlog" else "7")
    mapping |= dict(table.equals)
    record = record_from_mapping(mapping)
    assert record is not None
    assert record.data == ()
    assert record.field_source is FieldSource.NONE
    assert table.lost in record.origin.caveats
    assert record.origin.anomalies in ((), ("it has no event id",))


def test_the_events_own_xml_wins_wherever_it_stands() -> None:
    xml = f"<Event><System><Provider Name='{VMMS}'/><EventID>19100</EventID></System></Event>"
    for mapping in (
        {"_raw": xml, "sourcetype": "XmlWinEventLog"},
        {"System": xml, "Message": "rendered", "StringInserts": ["web01"]},
        {"meta": {}, "data": xml},
        {"winlog": {"event_id": "19100"}, "event": {"original": xml}},
        {"body": {"stringValue": xml}},
        {"body": xml, "attributes": {}},
        {"source_type": "windows_event_log", "event_id": 19100, "xml": xml},
        {"SourceModuleType": "im_msvistalog", "EventID": 19100, "SourceName": VMMS, "EventXML": xml},
        {"preview": False, "result": {"_raw": xml}},
        {"log": json.dumps({"_raw": xml})},
        {"message": "  " + xml},
    ):
        record = record_from_mapping(mapping)
        assert record is not None
        assert (record.provider, record.event_id) == (VMMS, 19100)
        assert not record.origin.remarks


MISMATCH = (
    "<Event><System><Provider Name='storvsp'/><EventID Qualifiers='32772'>6</EventID><Level>3</Level><EventRecordID>7"
    "</EventRecordID></System><EventData><Data/><Data>web01</Data><Data>6.0</Data><Data>5.1</Data></EventData></Event>"
)


@pytest.mark.parametrize(
    "mapping",
    [
        {"winlog": {"provider_name": VMMS, "event_id": "14070", "user_data": {"VmName": "a", "Text": MISMATCH}}},
        {"winlog": {"provider_name": VMMS, "event_id": "14070"}, "message": MISMATCH},
        {"SourceModuleType": "im_msvistalog", "SourceName": VMMS, "EventID": 14070, "Text": MISMATCH},
        {"SourceName": VMMS, "EventID": 14070, "EventTime": "2026-01-01 00:00:00", "Hostname": "h", "Text": MISMATCH},
        {"Event": {"System": {"Provider": {"Name": VMMS}, "EventID": 14070}, "EventData": {"Text": MISMATCH}}},
        {"ProviderName": VMMS, "EventID": "14070", "ProviderGUID": "", "EventData": [MISMATCH]},
        {"ProviderName": VMMS, "EventID": 14070, "EventRecordID": 1, "StringInserts": [MISMATCH]},
        {"payload": {"winlog": {"provider_name": VMMS, "event_id": "14070", "event_data": {"Text": MISMATCH}}}},
        {"log": json.dumps({"winlog": {"provider_name": VMMS, "event_id": "14070", "event_data": {"Text": MISMATCH}}})},
    ],
)  # fmt: skip
def test_xml_in_an_events_values_is_no_evidence(mapping: dict[str, Any]) -> None:
    """Whoever makes a host write a value could otherwise have any event labelled as he likes."""
    record = record_from_mapping(mapping)
    assert record is not None
    assert (record.provider, record.event_id) == (VMMS, 14070)


@pytest.mark.parametrize(
    "mapping",
    [
        {"winlog": {"provider_name": VMMS, "event_id": "6"}, "event": {"original": MISMATCH}},
        {"winlog": {"provider_name": "storvsp", "event_id": "5"}, "event": {"original": MISMATCH}},
        {
            "winlog": {"provider_name": "storvsp", "event_id": "6", "record_id": 8},
            "event": {"original": MISMATCH},
        },
        {"_raw": MISMATCH, "EventCode": 14070},
        {"_raw": MISMATCH, "SourceName": "disk"},
        {"_raw": MISMATCH, "message": MISMATCH.replace("web01", "web02")},
        {"before": MISMATCH.replace(">6<", ">5<"), "_raw": MISMATCH},
    ],
)
def test_xml_that_contradicts_what_stands_beside_it_is_a_doubt(mapping: dict[str, Any]) -> None:
    record = record_from_mapping(mapping)
    assert record is not None
    assert record.origin.anomalies


def test_xml_of_the_same_event_in_other_letters_wins() -> None:
    mapping = {
        "winlog": {"provider_name": "StorVSP", "event_id": "6", "record_id": 7},
        "event": {"original": MISMATCH},
    }
    record = record_from_mapping(mapping)
    assert record is not None
    assert record.data[1] == (None, "web01")
    assert not record.origin.remarks


def test_xml_that_was_cut_is_told_and_the_projection_counts() -> None:
    mapping = {
        "source_type": "windows_event_log", "provider_name": VMMS, "event_id": 19100,
        "xml": "<Event><System><EventID>1...[truncated]", "event_data": {"VmName": "web01"},
    }  # fmt: skip
    record = record_from_mapping(mapping)
    assert record is not None
    assert (record.event_id, record.get("VmName")) == (19100, "web01")
    assert "cut off" in record.origin.caveats[0]
    assert record.origin.anomalies == ()


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2147745798", (6, 0x8004)), (3221487621, (5, 0xC004)), (-1073479675, (5, 0xC004)), ("0x80040006", (6, 0x8004)),
        ("6", (6, None)), (" 6 ", (6, None)), (6.0, (6, None)), ("6.0", (0, None)), (6.5, (0, None)), (True, (0, None)),
        ("\uff16", (0, None)), ("0_6", (0, None)), (0x100000006, (0, None)), ([6], (0, None)), ({"x": 6}, (0, None)),
        (float("inf"), (0, None)), (float("nan"), (0, None)), (10**40, (0, None)), ("storvsp", (0, None)),
    ],
)  # fmt: skip
def test_event_ids_and_the_qualifiers_folded_into_them(value: Any, found: tuple[int, int | None]) -> None:
    mapping = {"ProviderName": "storvsp", "ProviderGUID": "", "EventID": value, "EventData": ["", "web01"]}
    record = record_from_mapping(mapping)
    assert record is not None
    assert (record.event_id, record.qualifiers) == found
    assert bool(record.origin.anomalies) == (found[0] == 0)


@pytest.mark.parametrize(
    ("value", "found"),
    [("warning", 3), ("WARN", 3), ("3", 3), (3, 3), (2.0, 2), ("Warnung", None), (True, None)],
)
def test_levels_and_words_for_them(value: Any, found: int | None) -> None:
    mapping = {"winlog": {"provider_name": "storvsp", "event_id": "6"}, "log": {"level": value}}
    record = record_from_mapping(mapping)
    assert record is not None
    assert record.level == found
    assert ("level" in " ".join(record.origin.caveats)) == (found is None)


def test_opentelemetry_in_its_envelope() -> None:
    def text(value: str) -> dict[str, str]:
        return {"stringValue": value}

    body = [
        {
            "key": "event_id",
            "value": {"kvlistValue": {"values": [{"key": "id", "value": {"intValue": "19100"}}]}},
        },
        {"key": "provider", "value": {"kvlistValue": {"values": [{"key": "name", "value": text(VMMS)}]}}},
        {
            "key": "event_data",
            "value": {"kvlistValue": {"values": [{"key": "VmName", "value": text("web01")}]}},
        },
    ]
    logs = [{"body": {"kvlistValue": {"values": body}}}, {"body": text("no event")}]
    mapping = {"resourceLogs": [{"scopeLogs": [{"logRecords": logs}]}]}
    (record,), report = lines(json.dumps(mapping).encode() + b"\n")
    assert report.lost == 1
    assert (record.provider, record.event_id, record.data) == (VMMS, 19100, (("VmName", "web01"),))


@pytest.mark.parametrize(
    "event_data",
    [
        {"VmName": "a", "VmId": "b"},
        {"data": [{"VmName": "a"}, {"VmId": "b"}]},
        [{"VmName": "a"}, {"VmId": "b"}],
    ],
)
def test_three_generations_of_opentelemetry(event_data: Any) -> None:
    mapping = {"event_id": {"id": 1}, "provider": {"name": VMMS}, "event_data": event_data}
    record = record_from_mapping(mapping)
    assert record is not None
    assert record.data == (("VmName", "a"), ("VmId", "b"))


def test_our_own_json_comes_back_the_same() -> None:
    record = EventRecord(
        VMMS, 19100, 133782174832356205, 2, data=(("A", "1"), (None, "2")), origin=Origin("evtx", "x", 5)
    )
    again = record_from_mapping(json.loads(json.dumps(record.to_dict())))
    assert again == record


def test_a_dialect_can_be_forced() -> None:
    assert "winlogbeat" in dialects()
    mapping = {"ProviderName": "storvsp", "EventID": 6, "EventRecordID": 1, "StringInserts": ["", "x"]}
    record = record_from_mapping(mapping, dialect="fluent bit")
    assert record is not None
    assert record.data == ((None, ""), (None, "x"))


# ------------------------------------------------------------------ lines


def lines(data: bytes, wanted: ProviderFilter | None = None) -> tuple[list[EventRecord], ReadReport]:
    report = ReadReport()
    records = list(read_json_lines(io.BytesIO(data), report, wanted))
    assert report.records_seen == report.delivered + report.filtered + report.lost
    return records, report


SHIPPED = json.dumps({"winlog": {"provider_name": VMMS, "event_id": "1", "event_data": {"a": "b"}}})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_in_any_encoding(encoding: str, end: str) -> None:
    records, report = lines((SHIPPED + end + end + SHIPPED + end).encode(encoding))
    assert len(records) == 2
    assert report.lost == 0


def test_one_array_or_one_document_over_many_lines() -> None:
    many = [json.loads(SHIPPED)] * 3
    for text in (
        json.dumps(many),
        json.dumps(many, indent=1),
        "\n".join(json.dumps(one, indent=1) for one in many),
    ):
        assert len(lines(text.encode())[0]) == 3


def test_a_document_in_utf_16() -> None:
    """As Windows PowerShell 5.1 writes `… | ConvertTo-Json > file`."""
    text = json.dumps([json.loads(SHIPPED)] * 3, indent=4).replace("\n", "\r\n")
    records, report = lines(text.encode("utf-16"))
    assert (len(records), report.lost) == (3, 0)


def test_an_array_with_an_event_on_each_line_is_read_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hvdegraded.formats.shippers.json_lines.LONGEST_LINE", 3 * len(SHIPPED))
    for text in ("[\n" + ",\n".join([SHIPPED] * 50) + "\n]\n", f"[\r\n{SHIPPED}\r\n]"):
        records, report = lines(text.encode())
        assert len(records) == text.count(SHIPPED)
        assert report.lost == 0
        assert len(lines(text.encode(), HYPER_V)[0]) == len(records)


def test_a_first_line_that_was_cut_costs_itself_only() -> None:
    records, report = lines(f"{SHIPPED[:30]}\n{SHIPPED}\n{SHIPPED}\n".encode())
    assert len(records) == 2
    assert [(loss.line, loss.offset) for loss in report.losses] == [(1, 0)]
    with pytest.raises(UnknownFormatError):
        lines(SHIPPED[:30].encode())


@pytest.mark.parametrize("shape", ["{}", "[\n{}\n]", '{{"a":\n{}\n}}\n'])
def test_keys_that_stand_twice_are_a_doubt(shape: str) -> None:
    twice = '{"winlog": {"provider_name": "x", "event_id": "1", "event_data": {"a": "b", "a": "c"}}}'
    text = shape.format(twice).replace('"a":\n', '"payload":\n')
    (record,), report = lines(text.encode())
    assert "twice" in record.origin.anomalies[0]
    assert not lines(text.replace('"a": "c"', '"d": "c"').encode())[0][0].origin.anomalies
    assert report.with_anomalies == 1


def test_keys_that_stand_twice_in_a_long_value() -> None:
    start = json.dumps({"winlog": {"event_data": {'a"\\': "b:", "": {"x": [1, "y", '":']}}}})[:-1]
    for name, doubtful in (("b", False), ("winlog", True)):
        _, doubts = decoded(f'{start}, "{name}": "{"x" * (1 << 21)}"}}')
        assert bool(doubts) is doubtful


def test_a_doubt_in_an_array_is_that_of_its_element() -> None:
    twice = SHIPPED.replace('"a"', '"a": "x", "a"')
    records, _ = lines(f"[{SHIPPED},{twice}, {SHIPPED}]\n[{SHIPPED}]\n".encode())
    assert [bool(record.origin.anomalies) for record in records] == [False, True, False, False]
    assert [record.origin.line for record in records] == [1, 1, 1, 2]


def test_many_documents_on_several_lines_each() -> None:
    text = "\n".join([json.dumps(json.loads(SHIPPED), indent=1)] * 3000)
    records, _ = lines(text.encode())
    assert [record.origin.line for record in records[:3]] == [1, 10, 19]
    assert len(records) == 3000


def test_offsets_count_what_was_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hvdegraded.formats.shippers.json_lines.LONGEST_LINE", 1000)
    data = f"\ufeff{SHIPPED}\n".encode() + b"{" + b" " * 5000 + b"}\n" + f"{SHIPPED}\n".encode()
    records, report = lines(data)
    assert [record.origin.offset for record in records] == [0, data.rindex(b'{"winlog')]
    assert [record.origin.line for record in records] == [1, 3]
    assert report.lost == 1


def test_bad_lines_are_counted_and_the_rest_is_read() -> None:
    records, report = lines(f"{SHIPPED}\n{{oops\n[1]\n{SHIPPED}\n".encode())
    assert len(records) == 2
    assert report.lost == 2
    assert [loss.line for loss in report.losses] == [2, 3]


def test_an_unknown_form_that_names_a_wanted_provider_is_a_loss() -> None:
    unknown = {"a": {"prov": "Microsoft-Windows-Hyper-V-Worker", "n": 18590}}
    for text in (json.dumps(unknown), json.dumps([unknown])):
        _, report = lines(text.encode() + b"\n", HYPER_V)
        assert (report.lost, report.filtered) == (1, 0)
    _, report = lines(b'{"a": "nothing of the kind"}\n', HYPER_V)
    assert (report.lost, report.filtered) == (0, 1)


@pytest.mark.parametrize("key", ["records", "logEvents"])
def test_a_part_of_a_batch_that_is_no_event_is_counted(key: str) -> None:
    event = json.loads(SHIPPED)
    batch = {key: [event, {"oops": VMMS}, f"oops {VMMS}", {"other": 1}, event]}
    records, report = lines(json.dumps(batch).encode() + b"\n", HYPER_V)
    assert len(records) == report.delivered == 2
    assert (report.lost, report.filtered) == (2, 1)


def test_a_long_batch_is_read_to_its_end() -> None:
    event = {"winlog": {"provider_name": "storvsp", "event_id": 6}}
    records, report = lines(json.dumps({"records": [event] * 70_000}).encode() + b"\n")
    assert len(records) == report.records_seen == 70_000


def test_a_line_that_is_too_long_is_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hvdegraded.formats.shippers.json_lines.LONGEST_LINE", 1000)
    records, report = lines(f"{SHIPPED}\n{{{' ' * 5000}}}\n{SHIPPED}\n".encode())
    assert len(records) == 2
    assert report.lost == 1


@pytest.mark.parametrize("provider", [VMMS, VMMS.upper(), "storvsp", "StorVSP", "VMSMP", "vmbusr"])
def test_the_byte_test_passes_over_no_wanted_line(provider: str) -> None:
    may_hold = line_may_hold(HYPER_V)
    plain = json.dumps({"winlog": {"provider_name": provider}})
    escaped = plain.replace(provider[3], f"\\u{ord(provider[3]):04x}")
    assert may_hold(plain.encode())
    assert may_hold(escaped.encode())
    assert not may_hold(b'{"winlog": {"provider_name": "Disk"}}')


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from([VMMS, "<Event ", "<Event><System/></Event>", "2026-01-01T00:00:00Z", "windows_event_log"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["winlog", "event_id", "id", "provider", "name", "Event", "System", "EventID", "EventData", "UserData",
             "Data", "#text", "#attributes", "body", "ProviderName", "EventRecordID", "StringInserts", "data", "xml_name",
             "resourceLogs", "scopeLogs", "logRecords", "Payload", "Provider", "EventId", "source_type", "log", "user_data",
             "event_data", "timeCreated", "source", "Properties", "ContainerLog", "RecordId", "time_ticks", "origin"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=30,
)  # fmt: skip


@given(
    st.dictionaries(
        st.text(max_size=4) | st.sampled_from(["winlog", "Event", "event_id", "provider", "body"]),
        json_values,
        max_size=6,
    )
    | json_values
)
@settings(max_examples=400, deadline=None)
def test_any_mapping_gives_records_or_none(value: Any) -> None:
    if isinstance(value, dict):
        record = record_from_mapping(value)
        if record is not None:
            assert record.event_id >= 0
            normalise(record)
    lines(json.dumps(value).encode() + b"\n")


@given(st.binary(max_size=200), st.sampled_from([None, HYPER_V]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_end_in_our_error_or_a_balanced_report(data: bytes, wanted: ProviderFilter | None) -> None:
    with contextlib.suppress(HvdegradedError):
        lines(data, wanted)


CSV_HEAD = "RecordNumber,EventRecordId,TimeCreated,EventId,Level,Provider,Channel,Computer,Payload\r\n"
CSV_ROW = f'1,7,2026-01-01 00:00:00.1234567,19100,Error,{VMMS},x,hv1,"{{""UserData"":{{""VmlEventLog"":{{""VmName"":""a""}}}}}}"\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_rows_under_a_header(encoding: str) -> None:
    report = ReadReport()
    other = CSV_ROW.replace(VMMS, "Disk")
    data = (CSV_HEAD + CSV_ROW + "1,2,3\r\n" + '1,"a"b,\r\n' + "\r\n" + other + CSV_ROW).encode(encoding)
    records = list(read_stream(io.BytesIO(data), report, HYPER_V))
    assert [(one.event_id, one.get("VmName"), one.origin.line) for one in records] == [
        (19100, "a", 2),
        (19100, "a", 7),
    ]
    assert records[0].time_ticks == 134116992001234567
    assert (report.delivered, report.lost, report.filtered) == (2, 2, 1)


def test_rows_that_a_quote_swallowed_are_counted() -> None:
    good, bad = CSV_ROW.replace("1,7,", "1,8,"), '1,9,x,1,Error,P,x,hv1,"{oops\r\n'
    plain = "1,10,x,1,Error,P,x,hv1,{}\r\n"
    for rows, lost, line in ((good + bad + plain * 3, 4, 3), (bad + plain + good + good, 3, 2)):
        report = ReadReport()
        records = list(read_stream(io.BytesIO((CSV_HEAD + rows).encode()), report))
        assert [record.record_id for record in records] == [8]
        assert (report.lost, report.losses[0].line) == (lost, line)


def test_a_header_that_tells_nothing_is_no_log() -> None:
    with pytest.raises(UnknownFormatError):
        list(read_stream(io.BytesIO(b"Name,Id,OSName\nweb01,1,Debian\n"), ReadReport()))


def test_json_nested_without_end_is_a_loss() -> None:
    records, report = lines(SHIPPED.encode() + b"\n" + b'{"a":' * 100_000 + b"\n")
    assert (len(records), report.lost) == (1, 1)
