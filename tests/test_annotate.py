"""Annotating shipped records, and labelling streams of lines."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.annotation import KEY, Annotation
from hvdegraded.console import classify_status
from hvdegraded.label import Labeller
from tests.make_sample_logs import FOLDER, event_xml, winlogbeat
from tests.verdict_cases import ID, VM, device, guests, integration, plain, storvsp

LINES = (FOLDER / "exports" / "winlogbeat.jsonl").read_bytes().splitlines(keepends=True)
SCHEMA = json.loads((Path(hv.__file__).parent / "annotation.schema.json").read_text())
OTHER = b'{"winlog":{"provider_name":"Disk","event_id":"7"}}\n'


def label(data: bytes, **options: Any) -> tuple[list[bytes], Labeller]:
    labeller = Labeller(**options)
    target = io.BytesIO()
    labeller.run(io.BytesIO(data), target)
    return target.getvalue().splitlines(keepends=True), labeller


def test_the_schema_is_that_of_the_model() -> None:
    assert (
        Annotation.model_json_schema() | {"$schema": "https://json-schema.org/draft/2020-12/schema"} == SCHEMA
    )


def test_real_output_fits_the_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    lines, _ = label(b"".join(LINES))
    checked = 0
    for line in lines:
        added = json.loads(line).get(KEY)
        if added is not None:
            jsonschema.validate(added, SCHEMA)
            checked += 1
    assert checked > 50


@pytest.mark.parametrize(
    "event", [storvsp(6, "6.0", "5.1"), device(23014, "3.3", "3.2"), integration(), plain("VMMS", 19100)]
)
def test_one_event_by_every_route_gets_one_verdict(event: hv.EventRecord) -> None:
    namespace = "http://www.microsoft.com/Windows/Virtualization/Events"
    event = event._replace(record_id=7, channel="Admin")
    is_classic = event.provider == "storvsp"
    event = event._replace(payload="EventData" if is_classic else "UserData/VmlEventLog")
    xml = event_xml(event)
    listed = [text for name, text in event.data if name != "Binary"]
    inner = xml[xml.index("<VmlEventLog") : xml.index("</UserData>")] if not is_classic else ""
    when = "2024-12-09T11:31:23.2356205Z"
    routes: list[dict[str, Any] | str | bytes] = [
        xml,
        xml.encode("utf-16"),
        winlogbeat(event),
        {"_raw": xml},
        {"ProviderName": event.provider, "ProviderGUID": "", "EventID": str(event.event_id), "EventData": listed,
         "Level": str(event.level), "Computer": "hv1", "TimeCreated": when},
        {"ProviderName": event.provider, "EventID": event.event_id, "EventRecordID": 7, "StringInserts": listed,
         "Level": event.level, "Computer": "hv1", "TimeCreated": "2024-12-09 20:31:23 +0900"},
        {"Id": event.event_id, "ProviderName": event.provider, "ContainerLog": "x", "RecordId": 7, "Level": event.level,
         "MachineName": "hv1", "TimeCreated": "/Date(1733743883235)/", "Properties": [{"Value": text} for text in listed]},
    ]  # fmt: skip
    if not is_classic:
        data = dict(event.data)
        routes += [
            {"event_id": {"id": event.event_id}, "provider": {"name": event.provider}, "computer": "hv1",
             "system_time": when, "level": "Warning" if event.level == 3 else "Error",
             "user_data": {"name": "VmlEventLog", "data": data}},
            {"source": event.provider, "event_id": event.event_id, "timeCreated": when, "computer": "hv1",
             "level": event.level, "user_data": inner},
            {"System": {"Provider": {"Name": event.provider}, "EventID": {"Value": event.event_id}, "Computer": "hv1",
                        "Level": event.level, "TimeCreated": {"SystemTime": 1733743883.2356205}},
             "UserData": {"VmlEventLog": data}},
            {"Payload": json.dumps({"UserData": {"VmlEventLog": data}}), "Provider": event.provider, "Computer": "hv1",
             "EventId": event.event_id, "Level": "Warning" if event.level == 3 else "Error", "TimeCreated": when},
        ]  # fmt: skip
        assert namespace in xml
    found = [hv.annotate(route, guests=guests("linux"))[KEY] for route in routes]
    if event.event_id == 19100:  # only names tell that these are a VM's
        found = [one for one in found if one["vm_name"]]
    assert len(found) > 4
    for one in found:
        assert (one["label"], one["reason"], one["vm_name"]) == (found[0]["label"], found[0]["reason"], VM)
        assert one["time_ticks"] // 10_000_000 == (event.time_ticks or 0) // 10_000_000


def test_an_annotation_in_full() -> None:
    """One event, written out; the versions of an integration service are four."""
    event = integration()._replace(payload="UserData/VmlEventLog", record_id=3)
    assert hv.annotate(winlogbeat(event), guests=guests("linux"))[KEY] == {
        "schema_version": 1, "label": "ignorable protocol-version mismatch", "reason": "loaded_mismatch_non_windows_guest",
        "basis": "guest inventory", "assumed": False, "component": "data exchange", "server_version": None,
        "client_version": None, "framework_negotiated": "3.0", "framework_expected": "3.0", "message_negotiated": "4.0",
        "message_expected": "5.0", "vm_name": VM, "vm_id": ID, "host": "hv1", "event_id": 4010,
        "provider": "Microsoft-Windows-Hyper-V-Integration-KvpExchange", "time": "2024-12-09T11:31:23.2356205Z",
        "time_ticks": 133782174832356205, "evidence": "positional fields", "remedy": None, "doubts": [], "error": None,
        "summary": "VM web01: data exchange: message 4.0, expected 5.0; it works, and Linux guests are meant to speak older versions",
        "references": ["KB 2956569", "Learn dd582073; LIS/lis-next issue 593"], "position": None, "batch": [],
    }  # fmt: skip


def test_what_is_no_hyper_v_event_comes_back_as_it_was() -> None:
    for mapping in ({}, {"a": 1}, json.loads(OTHER), {"message": "hello"}):
        assert hv.annotate(mapping) == mapping
    given_one = json.loads(LINES[0])
    assert hv.annotate(given_one) is not given_one


def test_errors_are_fields() -> None:
    for bad in ("", "{oops", b"\xff\xfe", "[1]", "<Event>", 7):
        assert hv.annotate(bad)[KEY]["error"]  # type: ignore[arg-type]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["winlog", "Event", "event_id", "provider", "_raw", "System", "x"]), json_values
    )
    | st.text()
    | st.binary()
    | json_values
)
@settings(max_examples=300, deadline=None)
def test_annotate_never_raises(value: Any) -> None:
    assert isinstance(hv.annotate(value), dict)


# ------------------------------------------------------------------ what the console shows


def test_states_of_the_console() -> None:
    service = {"VMName": VM, "Name": "Key-Value Pair Exchange", "PrimaryOperationalStatus": 3,
               "SecondaryOperationalStatus": 32775}  # fmt: skip
    seen = {
        kind: classify_status(service, guests(kind)) for kind in ("linux", "windows", "unknown", "conflict")
    }
    assert all(verdict is not None for verdict in seen.values())
    labels = {kind: verdict.label for kind, verdict in seen.items() if verdict}
    assert labels["windows"] == labels["conflict"] == hv.Label.ACTIONABLE
    assert labels["linux"] == labels["unknown"] == hv.Label.IGNORABLE
    machine = {"Name": VM, "VMId": ID, "State": 2, "PrimaryOperationalStatus": 3}
    verdict = classify_status(machine, guests("linux"))
    assert verdict is None or verdict.actionable
    assert classify_status({"hello": 1}) is None
