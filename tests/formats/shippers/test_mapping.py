"""x"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.events.normaliser import normalise
from hvdegraded.formats.shippers.dialects import Dialect, tables
from hvdegraded.formats.shippers.mapping import dialects, record_from_mapping
from hvdegraded.records.record import EventRecord, FieldSource, Origin
from tests.tools.shipped_lines import VMMS, lines


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
        assert record.origin.anomalies + record.origin.caveats == ()


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
    assert record.origin.anomalies + record.origin.caveats == ()


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
    [
        ("warning", 3),
        ("WARN", 3),
        ("3", 3),
        (3, 3),
        (2.0, 2),
        ("Warnung", 3),
        ("Achtung", None),
        (True, None),
    ],
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
def test_any_mapping_gives_records_or_none(value: Any) -> None:
    if isinstance(value, dict):
        record = record_from_mapping(value)
        if record is not None:
            assert record.event_id >= 0
            normalise(record)
    lines(json.dumps(value).encode() + b"\n")


@pytest.mark.parametrize(
    ("channel", "whole"),
    [
        ("MS-Win-Hyper-V-Chipset-Admin", "Microsoft-Windows-Hyper-V-Chipset-Admin"),
        ("MS-Win-Hyper-V-VMMS-Storage", "Microsoft-Windows-Hyper-V-VMMS-Storage"),
        ("Hyper-V-VMMS-Admin", "Microsoft-Windows-Hyper-V-VMMS-Admin"),
        ("HyperV-Worker", "Microsoft-Windows-Hyper-V-Worker"),
        ("MS-Win-Partition/Diagnostic", "Microsoft-Windows-Partition/Diagnostic"),
        ("Sys", "Sys"),
    ],
)
def test_channels_that_hayabusa_shortens(channel: str, whole: str) -> None:
    row = {
        "Timestamp": "2026-03-01 07:00:00.000 +00:00",
        "RuleTitle": "x",
        "Level": "crit",
        "Computer": "hv3",
    }
    row |= {"Channel": channel, "EventID": "18605", "RecordID": "88", "Details": "", "ExtraFieldInfo": ""}
    record = record_from_mapping(row)
    assert record is not None
    assert (record.provider, record.channel, record.event_id) == ("", whole, 18605)
    verdict = hv.classify(normalise(record))
    assert verdict.severity == ("check" if "Hyper-V" in whole else "none")
    named = record_from_mapping(row | {"Provider": "MS-Win-Hyper-V-Chipset"})
    assert named is not None
    assert named.provider == "Microsoft-Windows-Hyper-V-Chipset"
