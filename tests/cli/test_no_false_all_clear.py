"""A reading that found nothing does not look like good news: the headline and the exit code say so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.records.record import EventRecord
from hvdegraded.timestamps import ticks_from_text

AT = ticks_from_text("2026-09-01T00:00:00Z")
OTHER = EventRecord("Service Control Manager", 7036, AT, level=4, channel="System", record_id=1)
STORVSP = EventRecord(
    provider="storvsp",
    event_id=6,
    level=3,
    channel="System",
    record_id=2,
    time_ticks=AT,
    payload="EventData",
    data=((None, ""), (None, "web01"), (None, "6.0"), (None, "5.1")),
)


def triage(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main(["triage", *map(str, arguments)])
    return code, capsys.readouterr().out


def test_logs_without_a_hyper_v_event(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hv.write_evtx(tmp_path / "System.evtx", [OTHER])
    code, out = triage(capsys, tmp_path)
    assert code == 4
    assert "no Hyper-V event was found" in out


def test_times_that_leave_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hv.write_evtx(tmp_path / "System.evtx", [OTHER, STORVSP])
    code, out = triage(capsys, tmp_path, "--since", "2026-10-01")
    assert code == 4
    assert "no Hyper-V event lies within the times asked for" in out
    assert triage(capsys, tmp_path)[0] != 4


@pytest.mark.parametrize(
    "line",
    [
        {"provider": "Microsoft-Windows-Hyper-V-Worker", "eventId": 12030},
        {"source": "storvsp", "provider": "vmbus", "id": 5, "message": "x"},
        {"text": "Microsoft-Windows-Hyper-V-Worker 12030"},
    ],
)
def test_an_input_that_names_a_provider_and_an_id_never_ends_as_nothing(
    line: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("x.jsonl", "x.txt", "x.csv"):
        path = tmp_path / name
        path.write_text(json.dumps(line) if name == "x.jsonl" else " ".join(map(str, line.values())))
        try:
            code = triage(capsys, path)[0]
        finally:
            path.unlink()
        assert code in (1, 3, 4)


def test_a_text_that_is_an_event_is_read_and_not_looked_for_as_a_file() -> None:
    xml = (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='storvsp'/>"
        "<EventID>6</EventID></System><EventData><Data>web01</Data></EventData></Event>"
    )
    pasted = "Log Name: System\n" + xml
    for text in (xml, pasted, json.dumps({"provider": "storvsp", "event_id": 6, "message": "x"})):
        (event,) = hv.read(text)
        assert (event.provider, event.event_id) == ("storvsp", 6)


def test_our_own_lines_can_be_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hv.write_evtx(tmp_path / "System.evtx", [STORVSP])
    code, out = triage(capsys, tmp_path / "System.evtx", "--json")
    assert code in (0, 1)
    (tmp_path / "lines.jsonl").write_text(out)
    (record,) = hv.read_records(tmp_path / "lines.jsonl")
    assert record == next(iter(hv.read_records(tmp_path / "System.evtx")))
