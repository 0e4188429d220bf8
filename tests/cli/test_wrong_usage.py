"""Calls that cannot work say so in our own words, at once, and say what to do."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import plain

LOGS = FOLDER / "hv2022"
wrong: Any = hv  # what type checkers refuse, users try


@pytest.fixture(scope="module")
def events() -> list[hv.Event]:
    return list(hv.read(LOGS))


def closed() -> io.BytesIO:
    stream = io.BytesIO(b"[]")
    stream.close()
    return stream


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda event: list(wrong.read(None)), "give a path"),
        (lambda event: list(wrong.read([5])), "give a path"),
        (lambda event: list(wrong.read({})), "give a path"),
        (lambda event: list(wrong.read(event)), "give a path"),
        (lambda event: list(wrong.read(event.record)), "give a path"),
        (lambda event: list(wrong.read([])), "pattern"),
        (lambda event: wrong.triage(5), "give a path"),
        (lambda event: wrong.triage([event, "x"]), "give a path"),
        (lambda event: wrong.triage(LOGS, guests="no.json"), "no.json"),
        (lambda event: wrong.triage(LOGS, policy="rows.toml"), "Policy.load"),
        (lambda event: wrong.triage(LOGS, min_level="loud"), "warning"),
        (lambda event: wrong.triage(LOGS, since="someday"), "24h"),
        (lambda event: wrong.triage(LOGS, until=date(2026, 10, 1)), "datetime("),
        (lambda event: wrong.triage(LOGS).between("2026-10-01", None), "datetime("),
        (lambda event: wrong.classify({"winlog": {}}), "annotate"),
        (lambda event: wrong.classify([event]), "classify_all"),
        (lambda event: wrong.classify(event, guests=5), "path"),
        (lambda event: wrong.classify(event, guest="a system"), "not known"),
        (lambda event: wrong.GuestInventory("guests.json"), "GuestInventory.load"),
        (lambda event: wrong.GuestInventory.load(closed()), "give the path"),
        (lambda event: wrong.GuestInventory.load(io.StringIO("[]")), "give the path"),
        (lambda event: wrong.triage(LOGS, guests=closed()), "give the path"),
        (lambda event: wrong.Policy("ignorable"), "Label.IGNORABLE"),
        (lambda event: wrong.evtx_bytes(event), "a list of events"),
        (lambda event: wrong.evtx_bytes("<Event/>"), "a list of events"),
        (lambda event: wrong.write_evtx("/no/such/folder/x.evtx", [event]), "x.evtx"),
        (lambda event: wrong.classify_status("text"), "must be a mapping, not str"),
        (lambda event: wrong.classify_status(None), "must be a mapping, not NoneType"),
        (lambda event: wrong.classify_status([{}]), "must be a mapping, not list"),
        (lambda event: wrong.triage([event]).vm(None), "must be a text, not NoneType"),
        (lambda event: wrong.triage([event]).vm(""), "is empty"),
        (lambda event: wrong.triage([event]).host(7), "must be a text, not int"),
        (lambda event: wrong.triage([event]).component(b"storage"), "must be a text, not bytes"),
    ],
)
def test_a_call_that_cannot_work(call: Callable[[Any], object], hint: str, events: list[hv.Event]) -> None:
    with pytest.raises(hv.HvdegradedError) as caught:
        call(events[0])
    assert hint in str(caught.value)


def test_a_stream_gone_through_twice_is_not_taken_for_an_empty_one() -> None:
    stream = hv.read(LOGS)
    count = len(list(stream))
    assert f"{count} delivered" in repr(stream)
    assert next(stream, None) is None
    with pytest.raises(hv.HvdegradedError, match="read to its end"):
        hv.triage(stream)


def test_a_generator_of_paths_is_as_good_as_a_list() -> None:
    logs = sorted(LOGS.glob("*.evtx"))
    assert hv.triage(path for path in logs).to_dict() == hv.triage(logs).to_dict()


def test_a_generator_of_events_loses_none(events: list[hv.Event]) -> None:
    assert hv.triage(event for event in events).count == hv.triage(events).count > 0


def test_a_triage_of_nothing_says_so() -> None:
    found = hv.triage([])
    assert found.count == 0
    assert "nothing was given" in str(found)


def test_times_that_leave_nothing() -> None:
    with pytest.raises(hv.HvdegradedError, match="since comes before until"):
        hv.triage(LOGS, since=datetime(2026, 11, 2, tzinfo=UTC), until=datetime(2026, 11, 1, tzinfo=UTC))


def test_a_classifier_goes_to_another_process(events: list[hv.Event]) -> None:
    classifier = hv.Classifier(hv.GuestInventory.load(FOLDER / "guests.json"))
    copied = pickle.loads(pickle.dumps(classifier))
    assert [copied.classify(event) for event in events] == [classifier.classify(event) for event in events]


def test_a_policy_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(hv.HvdegradedError, match="TOML file") as caught:
        hv.Policy.load(tmp_path / "none.toml")
    assert "Errno" not in str(caught.value)


@pytest.mark.parametrize(
    "options", [{"dialect": "Winlogbeat"}, {"guests": "guests.json"}, {"policy": "rows.toml"}]
)
@pytest.mark.parametrize("record", [{"event_id": 6, "message": "kept"}, "kept", b"kept"])
def test_an_annotation_that_cannot_be_made_keeps_the_record(record: Any, options: dict[str, Any]) -> None:
    annotated = wrong.annotate(record, **options)
    assert "kept" in (annotated.get("message"), annotated.get("_raw"))
    assert annotated["hvdegraded"]["error"]
    assert annotated["hvdegraded"]["label"] is None


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices of POSIX")
def test_a_baseline_that_became_a_pipe_or_a_device_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One would be waited for, the other has no end."""
    log, pipe, device = tmp_path / "x.evtx", tmp_path / "pipe", tmp_path / "device"
    hv.write_evtx(log, [plain("VMMS", 19100)])
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path in (pipe, device, tmp_path):
        assert main(["triage", str(log), "--baseline", str(path)]) == 2
        assert f"{path}: " in capsys.readouterr().err
