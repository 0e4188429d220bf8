"""How a typed program uses the library: `mypy --strict` and pyright read this file, nothing runs it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, assert_type

import hvdegraded as hv


def events_and_verdicts(path: Path) -> None:
    guests = hv.GuestInventory.load("guests.json")
    classifier = hv.Classifier(guests)
    events = hv.read(path)
    assert_type(events, hv.EventStream)
    assert_type(events.report, hv.ReadReport)
    for event, verdict in classifier.classify_all(events):
        assert_type(verdict, hv.Verdict)
        assert_type(verdict.label, hv.Label)
        assert_type(verdict.reason, hv.Reason)
        assert_type(verdict.ignorable, bool)
        assert_type(verdict.assumed, bool)
        assert_type(verdict.remedy, str | None)
        assert_type(verdict.guest_gap, hv.GuestGap | None)
        assert_type(event.record, hv.EventRecord)
        assert_type(event.vm_name, str | None)
    with hv.read([path, str(path)]) as several:
        for one in several:
            assert_type(hv.classify(one), hv.Verdict)


def states(path: Path) -> None:
    judged = hv.classify_statuses(path, guests={"web01": "Linux"})
    assert_type(judged, hv.StatusTriage)
    for one in judged:
        assert_type(one, hv.JudgedStatus)
        assert_type(one.status, hv.ConsoleStatus)
        assert_type(one.verdict, hv.Verdict)
    assert_type(judged.to_dict(), dict[str, Any])


def findings(paths: Iterable[Path], generator: Iterable[hv.EventRecord]) -> None:
    triage = hv.triage(paths)
    assert_type(triage, hv.Triage)
    for finding in triage.findings:
        assert_type(finding, hv.Finding)
        assert_type(finding.count, int)
    assert_type(triage.to_html(), str)
    assert_type(triage.to_dict(), dict[str, Any])
    hv.triage(generator)
    hv.triage("logs/", guests=hv.GuestInventory.load({"web01": "Debian 12"}))


def records(stream: Iterable[str]) -> None:
    for record in hv.read_records(b""):
        assert_type(record, hv.EventRecord)
        assert_type(record.event_id, int)
        assert_type(record.origin, hv.Origin)
        hv.write_evtx("test.evtx", [record])
        assert_type(hv.evtx_bytes([record]), bytes)
    assert_type(hv.annotate({"EventID": 6}), dict[str, Any])
