"""Several processes read what one reads: the same records in the same order, the same account, the same verdicts."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.errors import HvdegradedError, SourceError, UnknownFormatError
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.reading import workers
from hvdegraded.reading.jobs import ReadJob
from hvdegraded.reading.reader import read_records
from hvdegraded.records.options import ReadOptions, Workforce
from hvdegraded.records.record import EventRecord
from hvdegraded.verdicts.history import History
from tests.tools.corpus import ROOT
from tests.tools.mutations import Base, _originals, mutations
from tests.tools.sample_exports import event_xml, winlogbeat
from tests.tools.sample_hosts import host_2012r2, host_2022

WANTED = hv.load_knowledge().provider_filter()
SAMPLE = [row.record for log in (*host_2012r2(), *host_2022()) for row in log.rows]


def eager(count: int) -> Workforce:
    """Processes for which any input is worth their start, each with runs of two chunks."""
    return Workforce(count, worth=1, run=2)


def numbered(count: int) -> list[EventRecord]:
    return [SAMPLE[at % len(SAMPLE)]._replace(record_id=at + 1) for at in range(count)]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log of many chunks, other formats, an empty file and one that is no log."""
    folder = tmp_path_factory.mktemp("logs")
    records = numbered(3000)
    (folder / "a.evtx").write_bytes(evtx_bytes(records))
    (folder / "b.xml").write_text("\n".join(event_xml(record) for record in records[:300]), encoding="utf-8")
    lines = (json.dumps(winlogbeat(record)) for record in records[:300])
    (folder / "c.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "d.evtx").write_bytes(b"")
    (folder / "e.xml").write_text("no XML")
    (folder / "f.evtx").write_bytes(evtx_bytes(records[:100]))
    return folder


def everything(
    source: object, count: int, **options: object
) -> tuple[list[tuple[object, ...]], hv.ReadReport]:
    stream = read_records(source, workers=eager(count), **options)  # type: ignore[arg-type]
    return [tuple(record) for record in stream], stream.report


@pytest.mark.parametrize("wanted", [None, WANTED])
def test_a_folder_of_all_sorts_reads_as_with_one_process(
    logs: Path, wanted: hv.ProviderFilter | None
) -> None:
    one = everything(logs, 1, wanted=wanted)
    two = everything(logs, 2, wanted=wanted)
    assert two == one
    assert len(one[0]) > 2000
    assert len(one[1].unreadable) == 1


def test_one_log_reads_as_with_one_process(logs: Path) -> None:
    assert everything(logs / "a.evtx", 3, wanted=WANTED) == everything(logs / "a.evtx", 1, wanted=WANTED)


@pytest.mark.slow
def test_damaged_logs_read_as_with_one_process(tmp_path: Path) -> None:
    data = evtx_bytes(numbered(2000))
    assert len(data) > 9 * 65536
    for number, mutation in enumerate(mutations(30, 11, [Base("sample", data, tuple(_originals(data)))])):
        (tmp_path / f"{number:03}.evtx").write_bytes(mutation.data)
    assert everything(tmp_path, 2) == everything(tmp_path, 1)
    assert everything(tmp_path, 2, wanted=WANTED) == everything(tmp_path, 1, wanted=WANTED)


def test_errors_are_those_of_one_process(tmp_path: Path, logs: Path) -> None:
    nothing = tmp_path / "nothing.evtx"
    with pytest.raises(HvdegradedError, match="cannot be read"):
        list(read_records(nothing, workers=eager(2)))
    with pytest.raises(UnknownFormatError):
        list(read_records(logs / "e.xml", workers=eager(2)))
    with pytest.raises(HvdegradedError, match="workers is 0"):
        list(read_records(logs, workers=0))


def test_events_come_in_order(logs: Path) -> None:
    with hv.read(logs, workers=eager(2)) as two, hv.read(logs) as one:
        assert list(two) == list(one)


def test_a_triage_is_the_same(logs: Path) -> None:
    guests = hv.GuestInventory.load(ROOT / "sample_logs" / "guests.json")
    one, two = (hv.triage(logs, guests=guests, workers=eager(count)) for count in (1, 2))
    assert two == one
    assert two.findings == one.findings
    assert one.count > 1000
    assert {verdict.reason for verdict in (part.verdict for part in one.groups)} >= {
        hv.Reason.LOADED_NON_WINDOWS,
        hv.Reason.REFUSED_THEN_FAILURE,
    }


@pytest.mark.slow
def test_the_command_prints_the_same(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    large = tmp_path / "large.evtx"
    with large.open("wb") as file:
        file.truncate(64 << 20)  # of zeros, and worth several processes
    for more in ([], ["--json"]):
        printed = []
        for count in "12":
            code = main(["triage", str(logs), str(large), "--workers", count, *more])
            printed.append((code, capsys.readouterr()))
        assert printed[0] == printed[1]
        assert printed[0][1].out


def test_what_contexts_know_together_does_not_depend_on_who_saw_it() -> None:
    classifier = hv.Classifier()
    events = [classifier.normalise(record) for record in SAMPLE]
    whole = History()
    for event in events:
        classifier.observe(event, whole)
    expected = [classifier.classify(event, whole) for event in events]
    for seed in range(8):
        choice = random.Random(seed)
        parts = [History() for _ in range(4)]
        for event in events:
            classifier.observe(event, choice.choice(parts))
        merged = History()
        for part in parts:
            merged.merge(part)
        assert [classifier.classify(event, merged) for event in events] == expected


def children() -> set[int]:
    found = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "pid="], capture_output=True, text=True)
    return {int(pid) for pid in found.stdout.split()}


@pytest.mark.skipif(os.name != "posix", reason="processes of POSIX")
@pytest.mark.subprocess
def test_leaving_early_ends_the_processes(logs: Path) -> None:
    before = children()
    with hv.read(logs, workers=eager(2)) as events:
        first = list(itertools.islice(events, 3))
        assert len(children() - before) >= 2
    assert len(first) == 3
    deadline = time.monotonic() + 20
    while len(children() - before) > 1 and time.monotonic() < deadline:  # the one is `ps`
        time.sleep(0.1)
    assert len(children() - before) <= 1


@pytest.mark.skipif(os.name != "posix", reason="processes of POSIX")
def test_a_worker_that_ends_is_told_of(logs: Path) -> None:
    path = logs / "a.evtx"
    pool = workers.Workers([path], ReadJob(None, ReadOptions(workers=eager(2))))
    try:
        for child in pool._children:
            os.kill(child._process.pid, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as threads:
            reading = threads.submit(lambda: list(pool.results(path, hv.ReadReport())))
            time.sleep(0.3)  # it was asked, and does not answer
            for child in pool._children:
                os.kill(child._process.pid, signal.SIGKILL)
            with pytest.raises(SourceError, match="worker process ended"):
                reading.result(20)
    finally:
        pool.close()


def test_a_worker_that_was_killed_is_started_anew(logs: Path) -> None:
    path = logs / "a.evtx"
    pool = workers.Workers([path], ReadJob(None, ReadOptions(workers=eager(2))))
    try:
        for child in pool._children:
            child._process.kill()
            child._process.wait()
        assert list(pool.results(path, hv.ReadReport())) == list(read_records(path))
    finally:
        pool.close()


def test_small_inputs_and_streams_are_read_here(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(logs / "no interpreter"))  # whatever starts it fails
    assert len(list(read_records(logs, workers=2))) > 3000
    assert list(read_records((logs / "f.evtx").read_bytes(), workers=eager(2)))
    with pytest.raises(OSError, match="no interpreter"):
        list(read_records(logs, workers=eager(2)))


@pytest.mark.subprocess
def test_workers_run_nothing_of_the_current_folder(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("random", "struct", "queue", "pydantic", "lxml", "tempfile"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('this was run')")
    monkeypatch.chdir(tmp_path)
    assert list(read_records(logs, workers=eager(2))) == list(read_records(logs))


@pytest.mark.subprocess
def test_a_plain_script_may_use_workers(logs: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import hvdegraded as hv\n"
        "from hvdegraded.records.options import Workforce\n"
        f"print(hv.triage({str(logs)!r}, workers=Workforce(2, worth=1)).count)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) == hv.triage(logs).count
