"""Readings that show less than they seem to: bounds of time and level, mixed files, times to the second."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.records.record import EventRecord
from tests.tools.routes import ROUTES, evtxecmd_csv
from tests.tools.simulator.oracle import answers_of
from tests.tools.traps import (
    HOST,
    HOUR,
    MINUTE,
    OTHER,
    SECOND,
    display,
    failure,
    lived,
    numbered,
    row,
    storage,
)

GUESTS = hv.GuestInventory.load([row()])
WHEN = datetime(2024, 12, 9, 11, 31, 23, tzinfo=UTC)
AROUND = (lived(18500, -HOUR, OTHER), lived(18500, HOUR, OTHER))


def proven(triage: hv.Triage, record: EventRecord) -> bool:
    """Whether the verdict on a record is ignorable and assumes nothing."""
    verdict = answers_of(triage)[record.computer, record.channel, record.record_id or 0]
    return verdict.ignorable and not verdict.assumed


@pytest.mark.parametrize(
    "bounds",
    [
        {"until": WHEN + timedelta(minutes=1)},
        {"since": WHEN - timedelta(minutes=1), "until": WHEN + timedelta(minutes=4)},
        {"min_level": hv.Level.WARNING},
    ],
    ids=["until", "since and until", "level"],
)
def test_what_is_asked_for_does_not_bound_what_is_known(bounds: dict[str, object]) -> None:
    critical = failure("Worker", 18590, level=1)
    for what in (failure(), critical):
        records = numbered([storage(), what])
        triage = hv.triage(records, guests=GUESTS, progress=False, **bounds)  # type: ignore[arg-type]
        assert not proven(triage, records[0])


def test_only_critical_events_are_asked_for() -> None:
    triage = hv.triage(
        numbered([storage(), failure()]), guests=GUESTS, min_level=hv.Level.CRITICAL, progress=False
    )
    assert not answers_of(triage)


def _in_files(folder: Path, refused: EventRecord, name: str, content: str | bytes) -> hv.Triage:
    (folder / "System.evtx").write_bytes(evtx_bytes([refused]))
    data = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(data)
    return hv.triage(str(folder), guests=GUESTS, progress=False)


@pytest.mark.parametrize("route", ["fluent bit map", "winlogbeat", "vector"])
def test_a_failure_stamped_in_the_second_of_the_refusal(route: str, tmp_path: Path) -> None:
    (refused,) = numbered([storage(ticks=9 * SECOND // 10)])
    for ticks in (0, SECOND, 9 * SECOND // 10 + 10 * MINUTE - SECOND):
        folder = tmp_path / str(ticks)
        folder.mkdir()
        (failed,) = numbered([failure(ticks=ticks + SECOND // 20 * (ticks > 0))])
        line = json.dumps(ROUTES[route].ship(failed)) + "\n"
        stamped = "fluent" in route or ticks
        if stamped:
            assert not proven(_in_files(folder, refused, "worker.jsonl", line), refused)


def test_a_failure_whose_time_has_no_zone(tmp_path: Path) -> None:
    """Local time of a host nine hours ahead: the failure may be the refusal's."""
    (refused,) = numbered([storage()])
    (failed,) = numbered([failure(ticks=9 * HOUR + 5 * MINUTE)])
    assert not proven(_in_files(tmp_path, refused, "worker.csv", evtxecmd_csv(failed)), refused)


def test_a_log_of_another_host_covers_nothing(tmp_path: Path) -> None:
    (refused,) = numbered([storage()])
    other = numbered([one._replace(computer="hv2.corp.example") for one in AROUND])
    assert not proven(_in_files(tmp_path, refused, "Worker.evtx", evtx_bytes(other)), refused)


def test_a_damaged_log_covers_nothing(tmp_path: Path) -> None:
    (refused,) = numbered([storage()])
    log = evtx_bytes(numbered([AROUND[0], failure(), AROUND[1]]))
    at = log.index(b"**\0\0", log.index(b"**\0\0") + 4)
    damaged = log[: at + 40] + b"\xff" * 60 + log[at + 100 :]
    assert not proven(_in_files(tmp_path, refused, "Worker.evtx", damaged), refused)
    assert not proven(_in_files(tmp_path, refused, "Worker.evtx", log[: at + 100]), refused)


def test_a_machine_that_left_before_its_failure(tmp_path: Path) -> None:
    """Its name on another host, in a log that ends before."""
    records = numbered([storage(), *AROUND, failure(computer="hv2.corp.example", ticks=5 * MINUTE)])
    assert not proven(hv.triage(records, guests=GUESTS, progress=False), records[0])


def test_a_reading_that_was_interrupted() -> None:
    records = numbered([storage(), failure(), *AROUND])

    def given() -> object:
        yield records[0]
        raise KeyboardInterrupt

    triage = hv.triage(given(), guests=GUESTS, progress=False)  # type: ignore[arg-type]
    assert not proven(triage, records[0])


def test_an_unknown_guest_of_which_the_policy_says_actionable() -> None:
    policy = hv.Policy(unknown_guest=hv.Label.ACTIONABLE)
    for record in (storage(), display(23014, "3.3", "3.2")):
        verdict = hv.classify(record, policy=policy)
        assert verdict.actionable


def test_a_namesake_of_another_host_does_not_make_a_failure(tmp_path: Path) -> None:
    """Not a false alarm: the failure names another VM by its id."""
    records = numbered(
        [storage(), failure(vm=OTHER, data=(("VmName", "web01"), ("VmId", OTHER.vm_id)), computer=HOST)]
    )
    verdict = answers_of(hv.triage(records, guests=GUESTS, progress=False))[
        records[0].computer, records[0].channel, 1
    ]
    assert verdict.ignorable
