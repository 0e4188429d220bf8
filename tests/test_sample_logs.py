"""The sample logs: made again the same, read by others, labelled as their author expects."""

from __future__ import annotations

import filecmp
import json
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.findings.builder import TriageBuilder
from tests.tools import sample_logs as make_sample_logs

FOLDER = make_sample_logs.FOLDER
LOGS = sorted(FOLDER.glob("hv*/*.evtx"))


def test_they_are_made_again_byte_for_byte(tmp_path: Path) -> None:
    make_sample_logs.main(tmp_path)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(made) == len(LOGS) + 6
    for path in made:
        assert filecmp.cmp(tmp_path / path, FOLDER / path, shallow=False), path


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*")) < 3_000_000


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_other_readers_find_the_same_records(path: Path) -> None:
    evtx, pyevtx = pytest.importorskip("evtx"), pytest.importorskip("pyevtx")
    ours = [record.record_id for record in hv.read_records(path)]
    assert [record["event_record_id"] for record in evtx.PyEvtxParser(str(path)).records()] == ours
    other = pyevtx.file()
    other.open(str(path))
    assert [other.get_record(at).get_identifier() for at in range(other.get_number_of_records())] == ours
    assert other.get_number_of_recovered_records() == 0
    other.close()


def test_each_verdict_is_the_one_expected() -> None:
    lines = (FOLDER / "expected.jsonl").read_text().splitlines()
    expected = {(row["file"], row["record_id"]): row for row in map(json.loads, lines)}
    builder = TriageBuilder(hv.Classifier(hv.GuestInventory.load(FOLDER / "guests.json")))
    events = list(hv.read([str(path) for path in LOGS]))
    for event in events:
        builder.add(event)
    found = {}
    for event in events:
        if builder.exclusion_reason(event) is None:
            verdict = builder.verdict(event)
            path = Path(event.record.origin.path or "").relative_to(FOLDER).as_posix()
            found[path, event.record_id] = (verdict.label, verdict.reason)
    assert found == {key: (row["label"], row["reason"]) for key, row in expected.items()}


def test_the_exports_hold_the_same_events() -> None:
    records = {
        (record.computer, record.record_id): record for path in LOGS for record in hv.read_records(path)
    }
    for name in ("hv2012r2-worker-wevtutil.xml", "hv2022-eventviewer.xml"):
        exported = list(hv.read_records(FOLDER / "exports" / name))
        assert exported
        for record in exported:
            same = records[record.computer, record.record_id]
            assert record._replace(rendering=()) == same


def test_the_shipped_records_get_the_same_verdicts() -> None:
    guests = hv.GuestInventory.load(FOLDER / "guests.json")
    expected = {
        (row["file"].split("/")[0], row["record_id"]): row["label"]
        for row in map(json.loads, (FOLDER / "expected.jsonl").read_text().splitlines())
    }
    compared = 0
    for event in hv.read(FOLDER / "exports" / "winlogbeat.jsonl"):
        label = expected.get((event.host.split(".")[0], event.record_id))
        if label is not None and event.event_id != 5:  # a refusal needs its context
            assert hv.classify(event, guests).label == label
            compared += 1
    assert compared >= 30
