"""Arbitrary, cut and spliced inputs through every entrance: our errors, balanced accounts, bounded memory.

HVDEGRADED_INPUTS sets how many; 10,000 is the full run.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hvdegraded as hv
from hvdegraded.cli import main
from tests.make_sample_logs import FOLDER

COUNT = int(os.environ.get("HVDEGRADED_INPUTS", "300"))
PEAK_MB = 300
"""Peak memory of the process that takes all inputs, in MB, the interpreter and the library included."""

SEEDS = [path.read_bytes()[:150_000] for path in sorted(FOLDER.rglob("*")) if path.is_file()]


def inputs(count: int, seed: int) -> Iterator[bytes]:
    """Truncated, spliced, repeated and random bytes."""
    choice = random.Random(seed)
    for _ in range(count):
        one, two = choice.choice(SEEDS), choice.choice(SEEDS)
        cut = choice.randrange(len(one))
        kind = choice.randrange(5)
        if kind == 0:
            yield one[:cut]
        elif kind == 1:
            yield one[:cut] + two[choice.randrange(len(two)) :]
        elif kind == 2:
            yield one[cut : cut + choice.randrange(1, 200)] * choice.randrange(1, 50)
        elif kind == 3:
            yield one[: choice.choice((4, 8, 128, 4096))] + choice.randbytes(choice.randrange(2000))
        else:
            yield choice.randbytes(choice.randrange(400))


def read_all(data: bytes) -> None:
    for carve in (False, True):
        stream = hv.read(data, everything=True, carve=carve)
        with contextlib.suppress(hv.HvdegradedError):
            for event in stream:
                hv.classify(event)
        report = stream.report
        assert report.records_seen == report.delivered + report.filtered + report.lost


def run(count: int) -> None:
    """Take all inputs; prints the peak memory in MB."""
    path = Path(f"arbitrary-{os.getpid()}.tmp")
    try:
        for number, data in enumerate(inputs(count, 3)):
            read_all(data)
            if number % 10 == 0:
                path.write_bytes(data)
                with (
                    contextlib.redirect_stdout(io.StringIO()),
                    contextlib.redirect_stderr(io.StringIO()) as err,
                ):
                    code = main(["triage", str(path)])
                assert code in (0, 1, 3), data
                assert "Traceback" not in err.getvalue()
    finally:
        path.unlink(missing_ok=True)
    status = Path("/proc/self/status")
    if status.exists():
        print(
            next(
                int(line.split()[1]) // 1024
                for line in status.read_text().splitlines()
                if line.startswith("VmHWM")
            )
        )


def test_whatever_comes_in(tmp_path: Path) -> None:
    command = [sys.executable, "-c", f"from tests.test_arbitrary_input import run; run({COUNT})"]
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    if done.stdout:
        assert int(done.stdout) < PEAK_MB
