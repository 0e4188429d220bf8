"""Signals that end a command: at any moment, without a traceback, without leaving a process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.tools.attacks import ATTACKS
from tests.tools.corpus import ROOT
from tests.tools.sample_logs import FOLDER
from tests.tools.streams import until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

SYSTEM = FOLDER / "hv2022" / "System.evtx"
INTERRUPTED_WHILE_LOADING = """
import os, runpy, signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == wanted:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
wanted = sys.argv.pop(1)
runpy.run_module("hvdegraded", run_name="__main__")
"""


@pytest.mark.subprocess
@pytest.mark.parametrize(
    "module",
    ["hvdegraded.cli", "hvdegraded.cli.main", "hvdegraded.errors", "argparse", "hvdegraded.verdicts.classifier", "pydantic", "hvdegraded.findings.builder"],
)  # fmt: skip
def test_an_interruption_while_modules_are_loaded(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_WHILE_LOADING, module, "triage", str(SYSTEM)],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 130
    assert b"Traceback" not in done.stderr


def test_next_to_nothing_is_loaded_before_an_interruption_is_caught() -> None:
    """Issue 15.16: what `hvdegraded.__main__` imports ahead of its own `try` ends in a traceback."""
    code = "import sys; before = set(sys.modules); import hvdegraded.__main__; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert set(done.stdout.split()) <= {
        "__future__",
        "hvdegraded",
        "hvdegraded.__main__",
        "hvdegraded.version",
    }


@pytest.mark.subprocess
@pytest.mark.parametrize("command", [["triage", str(SYSTEM)], ["label"], ["guests-script"], ["--help"]])
def test_an_interruption_at_any_moment(command: list[str]) -> None:
    """Before its first 50 ms Python itself is loaded, whose tracebacks are not ours."""
    for milliseconds in (60, 90, 130, 200):
        with subprocess.Popen(
            [sys.executable, "-m", "hvdegraded", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process:
            time.sleep(milliseconds / 1000)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
        assert process.returncode in (0, 1, 130, -signal.SIGINT)
        if process.returncode == 130:
            assert b"Traceback" not in err


@pytest.mark.subprocess
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_file_that_is_labelled_in_part_replaces_no_other(tmp_path: Path, number: int) -> None:
    """Issue 15.2: neither the draft nor a part of it is left, and the exit code is that of the signal."""
    given, written = tmp_path / "given.jsonl", tmp_path / "written.jsonl"
    os.mkfifo(given)
    written.write_text("old")
    command = [sys.executable, "-m", "hvdegraded", "label", str(given), "-o", str(written)]
    with (
        subprocess.Popen(command, stderr=subprocess.PIPE) as process,
        given.open("wb", buffering=0) as stream,
    ):
        stream.write(b'{"seq":0}\n{"seq":1}\n')
        until(lambda: len(list(tmp_path.iterdir())) == 3)
        time.sleep(0.1)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert f"given.jsonl was not read to its end: {signal.Signals(number).name}" in err.decode()
    assert written.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"given.jsonl", "written.jsonl"}


@pytest.mark.subprocess
def test_a_file_that_is_labelled_in_part_is_reported(tmp_path: Path) -> None:
    given = tmp_path / "given.jsonl"
    given.write_bytes(b'{"seq":0}\n' * 2_000_000)
    command = [sys.executable, "-m", "hvdegraded", "label", str(given)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, bufsize=0) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b'{"seq":0}\n'
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert b"was not read to its end: SIGTERM" in err
    assert set(out.splitlines()) == {b'{"seq":0}'}


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.subprocess
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for children in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_an_ended_verify_leaves_no_child(tmp_path: Path, number: int) -> None:
    path = tmp_path / "loop.evtx"
    path.write_bytes(ATTACKS["loop in the template table"]().data)
    with subprocess.Popen(
        [sys.executable, "-m", "hvdegraded", "verify", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        until(lambda: bool(children(process.pid)))
        time.sleep(0.5)
        before = children(process.pid)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert b"Traceback" not in err
    assert before
    until(lambda: not any(map(is_running, before)), 5)


@pytest.mark.subprocess
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for children in /proc")
def test_a_verify_whose_readers_were_killed_is_not_agreement(tmp_path: Path) -> None:
    """As the system does when memory is short."""
    path = tmp_path / "loop.evtx"
    path.write_bytes(ATTACKS["loop in the template table"]().data)
    command = [sys.executable, "-m", "hvdegraded", "verify", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while process.poll() is None:
            with contextlib.suppress(OSError):  # it has ended
                for child in children(process.pid):
                    os.kill(child, signal.SIGKILL)
            time.sleep(0.02)
        assert process.stdout is not None
        assert b"died of SIGKILL" in process.stdout.read()
    assert process.returncode == 3
