"""Annotating shipped records, and labelling streams of lines."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.pipeline.annotation import KEY, Annotation, json_schema
from hvdegraded.pipeline.labeller import Labeller
from hvdegraded.verdicts.console import classify_status
from tests.tools.routes import ROUTES
from tests.tools.sample_exports import winlogbeat
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import ID, VM, guests, integration, plain, storvsp

LINES = (FOLDER / "exports" / "winlogbeat.jsonl").read_bytes().splitlines(keepends=True)
SCHEMA = json.loads((Path(hv.__file__).parent / "pipeline" / "annotation.schema.json").read_text())
OTHER = b'{"winlog":{"provider_name":"Disk","event_id":"7"}}\n'


def label(data: bytes, **options: Any) -> tuple[list[bytes], Labeller]:
    labeller = Labeller(**options)
    target = io.BytesIO()
    labeller.run(io.BytesIO(data), target)
    return target.getvalue().splitlines(keepends=True), labeller


def test_the_schema_is_that_of_the_model() -> None:
    """It is frozen at version 1: a field may be added; one that changes its meaning needs version 2."""
    assert json_schema() == SCHEMA
    assert SCHEMA["$defs"]["Annotation"]["properties"]["schema_version"]["const"] == 1


def test_real_output_fits_the_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    schema = jsonschema.Draft202012Validator(SCHEMA)
    records: list[Any] = [*LINES, "{oops", b"<Event>", 7, "[]"]
    for name, route in ROUTES.items():
        sent = integration()._replace(payload="UserData/VmlEventLog", record_id=3, channel="x")
        records += [route.ship(sent)] if name != "evtxecmd csv" else []
    added = [hv.annotate(record).get(KEY) for record in records]
    checked = [one for one in added if one is not None]
    for one in checked:
        schema.validate(json.loads(json.dumps(one)))
    assert len(checked) > 90
    assert sum(bool(one["batch"]) for one in checked) == 2
    assert sum(bool(one["error"]) for one in checked) == 4


def test_an_annotation_is_what_its_model_gives() -> None:
    logs = FOLDER / "hv2012r2", FOLDER / "hv2022"
    given: list[Any] = [winlogbeat(event.record) for log in logs for event in hv.read(log)][::7]
    found = [hv.annotate(record)[KEY] for record in [*given, "{"]]
    for one in found:
        whole = Annotation.model_validate(one).model_dump(mode="json")
        assert json.dumps(one) == json.dumps(whole)  # in the same order too


def test_an_annotation_in_full() -> None:
    """One event, written out; the versions of an integration service are four."""
    event = integration()._replace(payload="UserData/VmlEventLog", record_id=3)
    assert hv.annotate(winlogbeat(event), guests=guests("linux"))[KEY] == {
        "schema_version": 1, "label": "ignorable protocol-version mismatch", "reason": "loaded_mismatch_non_windows_guest",
        "basis": "guest inventory", "severity": "none", "assumed": False, "assumptions": [], "component": "data exchange",
        "guest_version": "4.0", "host_version": "5.0",
        "version_pairs": [
            {"component": "integration service", "guest": "3.0", "host": "3.0", "service": "data exchange"},
            {"component": "data exchange", "guest": "4.0", "host": "5.0", "service": None},
        ],
        "vm_name": VM, "vm_id": ID, "host": "hv1", "event_id": 4010,
        "provider": "Microsoft-Windows-Hyper-V-Integration-KvpExchange", "time_created": "2024-12-09T11:31:23.2356205Z",
        "time_ticks": 133782174832356205, "field_source": "positional fields", "remedy": None, "anomalies": [], "caveats": [], "error": None,
        "summary": "VM web01: data exchange: message 4.0, expected 5.0; it works, and Linux guests are meant to speak older versions",
        "references": ["KB 2956569", "Learn dd582073", "LIS/lis-next issue 593"], "position": None, "batch": [],
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
def test_annotate_never_raises(value: Any) -> None:
    assert isinstance(hv.annotate(value), dict)


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


def test_many_records_come_back_one_by_one_and_in_their_order() -> None:
    def records() -> Iterator[Any]:
        for number, line in enumerate([*LINES[:5], "{oops", {"n": 1}, 7]):
            taken.append(number)
            yield line

    taken: list[int] = []
    found = hv.annotate_many(records())
    assert taken == []
    first = next(found)
    assert (taken, first) == ([0], hv.annotate(LINES[0]))
    rest = list(found)
    assert [json.dumps(one)[:60] for one in rest[:4]] == [json.dumps(hv.annotate(x))[:60] for x in LINES[1:5]]
    assert rest[4][KEY]["error"]
    assert rest[5] == {"n": 1}
    assert rest[6][KEY]["error"]


def test_earlier_records_are_the_history_of_later_ones() -> None:
    failed = plain("Worker", 12010)
    refused = storvsp(5, "6.2", "6.0")._replace(time_ticks=(failed.time_ticks or 0) - 600_000_000)
    sent = [winlogbeat(record) for record in (refused, failed, refused)]
    reasons = [one[KEY]["reason"] for one in hv.annotate_many(sent, guests=guests("linux"))]
    assert reasons == ["refused_offer_not_proven_harmless", "known_problem", "refused_offer_then_failure"]


def test_arguments_that_cannot_be_used_fail_at_the_call() -> None:
    for wrong, error in (
        ({"guests": "missing.json"}, OSError), ({"guests": 7}, TypeError), ({"dialect": "nxlogg"}, ValueError),
        ({"guests": {"a": "linux"}, "classifier": hv.Classifier()}, TypeError),
    ):  # fmt: skip
        with pytest.raises(error):
            hv.annotate_many([], **wrong)
    for one in ({"a": 1}, "{}", b"{}", 7, None):
        with pytest.raises(TypeError, match="annotate takes one"):
            hv.annotate_many(one)  # type: ignore[arg-type, unused-ignore]
