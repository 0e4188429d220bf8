"""Variants of the twelve kinds of false "ignorable", through every route that can carry them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.pipeline.labeller import Labeller
from hvdegraded.records.record import EventRecord
from tests.tools.sample_logs import event_xml, winlogbeat
from tests.tools.simulator.oracle import answers_of
from tests.tools.trap_cases import TRAPS
from tests.tools.traps import AtMost, Trap

IGNORABLE = "ignorable protocol-version mismatch"
IN_FULL = [trap for trap in TRAPS if not trap.records[trap.judged].rendering]


def too_much(trap: Trap, label: str, assumed: bool) -> str | None:
    """What is wrong with a verdict; None if nothing."""
    if label != IGNORABLE or (assumed and trap.most is AtMost.ASSUMED):
        return None
    return f"{trap}: {label}, assumed: {assumed}; may be at most {trap.most.value}"


def inventory(trap: Trap) -> hv.GuestInventory | None:
    """What the rows of a trap give; nothing where none of them is usable."""
    try:
        return hv.GuestInventory.load(list(trap.rows)) if trap.rows else None
    except hv.HvdegradedError:
        return None


def line(record: EventRecord) -> dict[str, Any]:
    message = {"message": record.message} if record.message else {}
    return {**winlogbeat(record), **message}


def judged(trap: Trap, triage: hv.Triage) -> str | None:
    record = trap.records[trap.judged]
    verdict = answers_of(triage).get((record.computer, record.channel, record.record_id or 0))
    return too_much(trap, verdict.label, verdict.assumed) if verdict else None


@pytest.mark.parametrize("trap", TRAPS, ids=str)
def test_triage_of_records(trap: Trap) -> None:
    assert judged(trap, hv.triage(list(trap.records), guests=inventory(trap), progress=False)) is None


@pytest.mark.parametrize("trap", IN_FULL, ids=str)
@pytest.mark.parametrize("route", ["evtx", "xml", "jsonl"])
def test_triage_of_files(route: str, trap: Trap, tmp_path: Path) -> None:
    logs: dict[tuple[str, str], list[EventRecord]] = {}
    for record in sorted(trap.records, key=lambda one: one.time_ticks or 0):
        logs.setdefault((record.computer, record.channel), []).append(record)
    for (host, channel), records in logs.items():
        content = evtx_bytes(records) if route == "evtx" else b""
        if route == "xml":
            content = ("<Events>" + "".join(map(event_xml, records)) + "</Events>").encode()
        elif route == "jsonl":
            content = "".join(json.dumps(line(record)) + "\n" for record in records).encode()
        (tmp_path / f"{host}_{channel}.{route}").write_bytes(content)
    assert judged(trap, hv.triage(str(tmp_path), guests=inventory(trap), progress=False)) is None


@pytest.mark.parametrize("trap", TRAPS, ids=str)
def test_one_record_alone(trap: Trap) -> None:
    """A refusal is at most assumed there, whatever the trap; another event only where it is enough itself."""
    record = trap.records[trap.judged]
    refused = record.level == 2
    if not (trap.alone or refused):
        return
    most = trap if trap.alone else trap._replace(most=AtMost.ASSUMED)
    guests = inventory(trap)
    verdict = hv.Classifier(guests).classify(record)
    assert too_much(most, str(verdict.label), verdict.assumed) is None
    for shipped in (line(record), {"Event": event_xml(record)} if not record.rendering else line(record)):
        added = hv.annotate(shipped, guests=guests).get("hvdegraded") or {}
        assert too_much(most, added.get("label") or "", added.get("assumed", False)) is None


@pytest.mark.parametrize("trap", [one for one in TRAPS if one.alone or one.shown_before], ids=str)
def test_label(trap: Trap, tmp_path: Path) -> None:
    if (guests := inventory(trap)) is None and trap.rows:
        return
    path = tmp_path / "guests.json"
    path.write_text(json.dumps(list(trap.rows)), encoding="utf-8")
    labeller = Labeller(guests=path if guests else None)
    for record in sorted(trap.records, key=lambda one: one.time_ticks or 0):
        written = labeller.line(json.dumps(line(record)).encode() + b"\n")
        if record is trap.records[trap.judged]:
            added = json.loads(written or b"{}").get("hvdegraded") or {}
            assert too_much(trap, added.get("label") or "", added.get("assumed", False)) is None
            return


def test_label_as_a_process(tmp_path: Path) -> None:
    """All refusals with the usual inventory, as one stream: none is proven, for nothing shows what follows."""
    records = [trap.records[trap.judged] for trap in TRAPS if trap.records[trap.judged].level == 2]
    path = tmp_path / "guests.json"
    path.write_text(json.dumps(list(TRAPS[0].rows)), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "hvdegraded", "label", "--guests", str(path)],
        input="".join(json.dumps(line(record)) + "\n" for record in records).encode(),
        capture_output=True,
        check=True,
    )
    lines = [json.loads(text)["hvdegraded"] for text in ran.stdout.splitlines()]
    assert len(lines) == len(records)
    assert [one for one in lines if one["label"] == IGNORABLE and not one["assumed"]] == []
