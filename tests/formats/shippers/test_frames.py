"""Data frames of exported events: each row is what the same row is as JSON, whatever holds the frame."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import hvdegraded as hv
from tests.tools.routes import ROUTES
from tests.tools.verdict_cases import guests, integration, plain, storvsp

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

RECORDS = [
    record._replace(payload="EventData", channel="System")
    for record in (storvsp(6, "6.0", "5.1"), integration(), storvsp(5, "6.2", "6.0"))
]
SHIPPED = [
    "azure monitor", "azure monitor parameters", "winlogbeat", "elastic agent", "evtx_dump", "velociraptor",
    "splunk", "nxlog", "opentelemetry 2026", "otlp",
]  # fmt: skip


def shipped(name: str, record: hv.EventRecord = RECORDS[0]) -> dict[str, Any]:
    row = ROUTES[name].ship(record)
    assert isinstance(row, dict)
    return row


def arrow(rows: list[dict[str, Any]]) -> Any:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: [row.get(name) for row in rows] for name in names})


def polar(rows: list[dict[str, Any]]) -> Any:
    return polars.DataFrame(rows, strict=False, infer_schema_length=None)


FRAMES: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "pandas": pandas.DataFrame, "pandas, flat": pandas.json_normalize, "polars": polar, "pyarrow": arrow,
    "record batch": lambda rows: arrow(rows).combine_chunks().to_batches()[0],
}  # fmt: skip


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("name", SHIPPED)
def test_a_row_is_what_it_is_as_json(name: str, kind: str) -> None:
    rows = [shipped(name, record) for record in RECORDS]
    if kind in ("polars", "pyarrow", "record batch") and name == "velociraptor":
        pytest.skip("Arrow has no integers of 64 bits that are as large as its keywords")
    judge = hv.Classifier(guests("linux"))
    wanted = [verdict for _, verdict in judge.classify_all(hv.read(json.dumps(rows).encode()))]
    frame = FRAMES[kind](rows)
    found = list(judge.classify_all(hv.read(frame)))
    assert [verdict.reason for _, verdict in found] == [verdict.reason for verdict in wanted]
    assert [event.vm_id for event, _ in found] == [verdict.vm_id for verdict in wanted]
    assert {event.record.origin.line for event, _ in found} == {1, 2, 3}


@pytest.mark.parametrize("kind", FRAMES)
def test_a_triage_of_a_frame_accounts_for_every_row(kind: str) -> None:
    other = {"Source": "Disk", "EventID": 7, "EventLog": "System", "Computer": "hv1"}
    rows = [shipped("azure monitor"), other, {"hello": "world"}]
    found = hv.triage(FRAMES[kind](rows), guests={"web01": "Ubuntu 24.04"})
    assert [finding.vm for finding in found] == ["web01"]
    report = found.report
    assert (report.delivered, report.filtered, report.lost, report.records_seen) == (1, 2, 0, 3)


def test_empty_cells_times_and_numbers_of_frames() -> None:
    """As pandas has them after reading CSV or asking Log Analytics: NaN, NaT, floats, timestamps with a zone."""
    moment = datetime(2026, 9, 1, 2, 0, 13, 175756, tzinfo=UTC)
    frame = pandas.DataFrame(
        {
            "TimeGenerated": [pandas.Timestamp(moment), pandas.NaT],
            "Source": ["Microsoft-Windows-Hyper-V-VMMS"] * 2,
            "EventLog": ["Microsoft-Windows-Hyper-V-VMMS-Admin"] * 2,
            "Computer": ["hv1", "hv1"],
            "EventID": [19100.0, 10102.0],
            "EventLevel": [float("nan"), 2.0],
            "EventData": [
                float("nan"),
                "<DataItem><EventData><Data Name='VmName'>db02</Data></EventData></DataItem>",
            ],
            "Count": pandas.array([None, 3], dtype="Int64"),
        },
        index=["x", "x"],
    )
    first, second = hv.read(frame)
    assert (first.event_id, first.level, first.time_created) == (19100, None, moment)
    assert (second.event_id, second.level, second.time_created, second.vm_name) == (10102, 2, None, "db02")


def test_what_is_not_a_frame_is_wrong_at_the_call() -> None:
    lazy = polars.LazyFrame({"Source": ["x"]})
    wrong: Any = 7
    for call in (lambda: hv.triage(wrong), lambda: hv.read(wrong), lambda: hv.annotate_frame(lazy)):
        with pytest.raises(TypeError, match="is not a"):
            call()
    twice = pandas.DataFrame([["a", "b"]], columns=["x", "x"])
    with pytest.raises(hv.SourceError, match="same name"):
        hv.triage(twice)


def test_what_gives_a_stream_of_arrow_is_a_frame_and_one_column_is_not() -> None:
    duckdb = pytest.importorskip("duckdb")
    rows = arrow([shipped("azure monitor", record) for record in RECORDS])
    relation = duckdb.from_arrow(rows)
    assert (
        len(hv.triage(relation, guests=guests("linux"))) == len(hv.triage(rows, guests=guests("linux"))) > 0
    )
    assert hv.annotate_frame(relation).num_rows == len(RECORDS)
    with pytest.raises(TypeError, match="not one column"):
        hv.triage(pandas.Series(["x"]))


@pytest.mark.parametrize("kind", FRAMES)
def test_an_annotated_frame_has_the_verdicts_of_its_rows(kind: str) -> None:
    rows: list[dict[str, Any]] = [shipped("azure monitor", record) for record in RECORDS]
    rows.insert(1, {"Source": "Disk", "EventID": 7, "EventLog": "System", "Computer": "hv1"})
    frame = FRAMES[kind](rows)
    annotated = hv.annotate_frame(frame, guests=guests("linux"))
    again = hv.annotate_frame(annotated, guests=guests("windows"))
    assert list(column_names(again)) == list(column_names(annotated))
    labels = values(annotated, "hvdegraded_label")
    assert labels == [
        "ignorable protocol-version mismatch",
        None,
        "ignorable protocol-version mismatch",
        labels[3],
    ]
    assert values(again, "hvdegraded_label")[0] == "actionable"
    assert values(annotated, "hvdegraded_vm_name")[0] == "web01"
    assert values(annotated, "hvdegraded_assumed")[:3] == [False, None, False]
    if kind == "pandas":
        assert (annotated.index == frame.index).all()
        assert len(annotated[annotated["hvdegraded_label"] == "actionable"]) == labels.count("actionable")


def test_rows_of_a_frame_are_the_history_of_one_another() -> None:
    """A failure of the VM after the refusal makes it actionable, in whichever order the rows stand."""
    refused = storvsp(5, "6.2", "6.0")
    failed = plain("Worker", 12010)._replace(time_ticks=(refused.time_ticks or 0) + 600_000_000)
    for order in (1, -1):
        rows = [shipped("winlogbeat", one) for one in (refused, failed)][::order]
        reasons = values(
            hv.annotate_frame(pandas.DataFrame(rows), guests=guests("linux")), "hvdegraded_reason"
        )
        assert reasons[::order] == ["refused_offer_then_failure", "known_problem"]


def column_names(frame: Any) -> Any:
    return frame.column_names if hasattr(frame, "column_names") else frame.columns


def values(frame: Any, name: str) -> list[Any]:
    column = frame[name]
    found = column.to_pylist() if hasattr(column, "to_pylist") else list(column)
    return [None if one is pandas.NA else one for one in found]
