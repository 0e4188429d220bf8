"""Several processes read what one reads: the same records in the same order, the same account, the same verdicts."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.errors import HvdegradedError, SourceError, UnknownFormatError
from hvdegraded.findings.bounds import Bounds
from hvdegraded.findings.builder import RecordMapper, TriageBuilder, TriagePart
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.reading import step_reader, worker_process
from hvdegraded.reading.jobs import ReadJob
from hvdegraded.reading.reader import read_records
from hvdegraded.reading.shares import Share, plan_shares
from hvdegraded.reading.workers import Workers
from hvdegraded.records.options import ReadOptions, Workforce
from hvdegraded.records.record import EventRecord
from hvdegraded.verdicts.history import History
from tests.tools.corpus import ROOT
from tests.tools.mutations import Base, _originals, mutations
from tests.tools.sample_exports import event_xml, winlogbeat
from tests.tools.sample_hosts import host_2012r2, host_2022
from tests.tools.streams import until

WANTED = hv.load_knowledge().provider_filter()
SAMPLE = [row.record for log in (*host_2012r2(), *host_2022()) for row in log.rows]


HERE = {**os.environ, "PYTHONPATH": str(ROOT)}


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
    (folder / "g.evtx.gz").write_bytes(gzip.compress(evtx_bytes(records[:300])))
    with zipfile.ZipFile(folder / "h.zip", "w") as archive:
        for number in range(3):
            archive.writestr(f"{number}.evtx", evtx_bytes(records[300 * number : 400 * number + 400]))
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


@pytest.fixture(params=["forked", "started"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How a worker comes to be: as a fork of this process, or as an interpreter of its own."""
    if request.param == "started":
        monkeypatch.setattr(worker_process, "_is_alone", lambda: False)
    elif not worker_process._is_alone():
        pytest.skip("this process has threads, or is not one of Linux")
    return str(request.param)


TRIAGE = RecordMapper(hv.Classifier(), Bounds())


def ready(pool: Workers) -> worker_process.Worker:
    """The only worker, when it can read."""
    (worker,) = pool._workers
    until(lambda: pool._idle.qsize() == 1)
    return worker


def taken(parts: Iterable[TriagePart]) -> int:
    """How many events are in these parts, excluded ones too."""
    return sum(part.excluded.total() + sum(one.count for one in part.groups.values()) for part in parts)


@pytest.mark.usefixtures("kind")
def test_however_workers_are_started(logs: Path) -> None:
    assert everything(logs, 3, wanted=WANTED) == everything(logs, 1, wanted=WANTED)
    one, three = (hv.triage(logs, workers=eager(count)) for count in (1, 3))
    assert three == one
    assert three.report == one.report


@pytest.mark.usefixtures("kind")
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("mapper", [None, TRIAGE])
def test_what_a_killed_worker_was_reading_is_read_here(logs: Path, mapper: RecordMapper | None) -> None:
    path = logs / "a.evtx"
    alone, report = read_records(path, wanted=WANTED), hv.ReadReport()
    records = list(alone)
    job = ReadJob(WANTED, ReadOptions(workers=eager(2)), mapper)
    with closing(Workers([path], job)) as pool, ThreadPoolExecutor(1) as threads:
        worker = ready(pool)
        os.kill(worker._process.pid, signal.SIGSTOP)
        reading = threads.submit(lambda: list(pool.results(path, report)))
        time.sleep(0.3)  # it was asked, and does not answer
        os.kill(worker._process.pid, signal.SIGKILL)
        found = reading.result(20)
    assert (taken(found) if mapper else found) == (len(records) if mapper else records)
    assert (report.delivered, report.filtered) == (alone.report.delivered, alone.report.filtered)


@pytest.mark.skipif(not worker_process._is_alone(), reason="this process has threads, or is not one of Linux")
def test_a_forked_worker_that_ends_when_some_of_its_records_are_given_is_reported(
    logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = logs / "a.evtx"
    claim, here = Share.claim, threading.current_thread()
    monkeypatch.setattr(step_reader, "_BATCH", 50)
    monkeypatch.setattr(
        Share,
        "claim",
        lambda one: (threading.current_thread() != here or one.steps[0].path != path) and claim(one),
    )
    job = ReadJob(None, ReadOptions(workers=Workforce(2)))
    with closing(Workers([logs / "f.evtx", path], job)) as pool:
        assert list(pool.results(logs / "f.evtx", hv.ReadReport()))
        records = pool.results(path, hv.ReadReport())
        assert next(records) == next(read_records(path))
        os.kill(pool._workers[0]._process.pid, signal.SIGKILL)
        with pytest.raises(SourceError, match="worker process ended"):
            list(records)


def test_a_worker_that_was_killed_is_started_anew(logs: Path) -> None:
    path = logs / "a.evtx"
    with closing(Workers([path], ReadJob(None, ReadOptions(workers=eager(2))))) as pool:
        for worker in pool._workers:
            worker._process.kill()
            worker._process.wait()
        assert list(pool.results(path, hv.ReadReport())) == list(read_records(path))


def test_inputs_that_are_read_together_keep_their_accounts(logs: Path) -> None:
    """Also when one of them cannot be opened any more, of which a worker has read what it holds."""
    paths = [logs / "f.evtx", logs / "e.xml", logs / "d.evtx", logs / "b.xml"]
    job = ReadJob(WANTED, ReadOptions(workers=Workforce(2)), TRIAGE)
    (share,) = plan_shares(paths, job)
    assert [path for path, _ in share.steps] == paths
    found: list[TriagePart] = []
    report = hv.ReadReport()
    with closing(Workers(paths, job)) as pool:
        with pytest.raises(UnknownFormatError):
            found += pool.results(paths[1], hv.ReadReport())
        found += pool.results(paths[3], report)
    first, last = (read_records(paths[at], wanted=WANTED) for at in (0, 3))
    assert taken(found) == len(list(first)) + len(list(last))
    assert report.delivered == last.report.delivered > 0


def test_runs_of_a_large_log_are_long_at_first_and_short_in_the_end(logs: Path) -> None:
    def sizes(mapper: RecordMapper | None) -> list[int]:
        job = ReadJob(WANTED, ReadOptions(workers=Workforce(2, run=1)), mapper)
        shares = plan_shares([logs / "a.evtx"], job)
        return [len(step.chunks) for share in shares for _, step in share.steps if step.chunks]

    assert set(sizes(None)) == {1}  # records wait in memory
    assert sizes(TRIAGE)[0] > sizes(TRIAGE)[2] > sizes(TRIAGE)[-1] == 1
    assert sum(sizes(TRIAGE)) == sum(sizes(None))


def test_an_interruption_leaves_what_was_read(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, merge, before = logs / "a.evtx", TriageBuilder.merge, children()
    merged = itertools.count(1)

    def interrupted(builder: TriageBuilder, part: TriagePart) -> None:
        merge(builder, part)
        if next(merged) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(TriageBuilder, "merge", interrupted)
    found = hv.triage(path, workers=eager(2), min_level=hv.Level.VERBOSE)
    assert found.report.interrupted
    assert 0 < found.count == found.report.delivered < 1500
    until(lambda: len(children() - before) <= 1)  # the one is `ps`


def test_small_inputs_and_streams_are_read_here(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(logs / "no interpreter"))  # whatever starts it fails
    assert len(list(read_records(logs, workers=2))) > 3000
    assert list(read_records((logs / "f.evtx").read_bytes(), workers=eager(2)))
    monkeypatch.setattr(worker_process, "_is_alone", lambda: False)
    with pytest.raises(OSError, match="no interpreter"):
        list(read_records(logs, workers=eager(2)))


@pytest.mark.slow
@pytest.mark.subprocess
@pytest.mark.skipif(sys.platform != "linux", reason="forked on Linux alone")
def test_forks_are_tested_where_there_are_no_threads() -> None:
    """Which those have that share the tests among processes."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-k", "forked", __file__]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1].startswith("5 passed, ")
    assert " skipped" not in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="forked on Linux alone")
@pytest.mark.subprocess
def test_a_process_with_threads_is_not_forked(logs: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, threading, hvdegraded as hv\n"
        "from hvdegraded.records.options import Workforce\n"
        "sys.executable = '/no interpreter'\n"
        f"triage = lambda: hv.triage({str(logs)!r}, workers=Workforce(2, worth=1)).count\n"
        "print(triage())\n"
        "over = threading.Event()\n"
        "threading.Thread(target=over.wait).start()\n"
        "try: triage()\n"
        "except OSError as error: print(error.filename)\n"
        "over.set()\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=HERE, check=True)
    assert done.stdout.split("\n") == [str(hv.triage(logs).count), "/no interpreter", ""]


@pytest.mark.subprocess
def test_workers_run_nothing_of_the_current_folder(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("random", "struct", "queue", "pydantic", "lxml", "tempfile"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('this was run')")
    monkeypatch.chdir(tmp_path)
    assert list(read_records(logs, workers=eager(2))) == list(read_records(logs))


@pytest.mark.subprocess
def test_workers_need_no_standard_error(logs: Path) -> None:
    code = (
        "import hvdegraded as hv\n"
        "from hvdegraded.records.options import Workforce\n"
        f"print(hv.triage({str(logs)!r}, workers=Workforce(2, worth=1), progress=False).count)\n"
    )
    shell = ["sh", "-c", f"exec {sys.executable} -u -P -c {shlex.quote(code)} 2>&-"]
    done = subprocess.run(shell, capture_output=True, text=True, env=HERE, check=False)
    assert done.stdout == f"{hv.triage(logs).count}\n"


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
        env=HERE,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) == hv.triage(logs).count
