"""Arbitrary, cut and spliced inputs through every entrance: our errors, balanced accounts, bounded memory.

HVDEGRADED_INPUTS sets how many; 10,000 is the full run.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.formats.xml.reader import parse_event, read_xml
from hvdegraded.reading.delivery import delivered
from hvdegraded.records.report import ReadReport
from tests.tools.corpus import ROOT
from tests.tools.sample_logs import FOLDER
from tests.tools.text_attacks import lines, xml

COUNT = int(os.environ.get("HVDEGRADED_INPUTS", "200"))
PEAK_MB = 150
"""Peak memory of the process that takes all inputs, in MB, the interpreter and the library included."""


def seeds() -> list[bytes]:
    """What is cut, spliced and repeated: logs, their XML and JSON, and archives of them."""
    files = [path.read_bytes()[:150_000] for path in sorted(FOLDER.rglob("*")) if path.is_file()]
    texts = [xml("<Event/>"), lines("[]")]
    utf16 = texts[0].decode().encode("utf-16")
    document = json.dumps([json.loads(line) for line in texts[1].splitlines()], indent=1).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.evtx", files[0][:70_000])
        archive.writestr("b.xml", texts[0])
    return [*files, *texts, utf16, document, packed.getvalue(), gzip.compress(files[0][:70_000])]


def inputs(count: int, seed: int) -> Iterator[bytes]:
    """Truncated, spliced, repeated, flipped and random bytes."""
    choice = random.Random(seed)
    of = seeds()
    for _ in range(count):
        one, two = choice.choice(of), choice.choice(of)
        cut = choice.randrange(len(one))
        kind = choice.randrange(6)
        if kind == 0:
            yield one[:cut]
        elif kind == 1:
            yield one[:cut] + two[choice.randrange(len(two)) :]
        elif kind == 2:
            yield one[cut : cut + choice.randrange(1, 200)] * choice.randrange(1, 50)
        elif kind == 3:
            yield one[: choice.choice((4, 8, 128, 4096))] + choice.randbytes(choice.randrange(2000))
        elif kind == 4:
            flipped = bytearray(one)
            for _ in range(choice.randint(1, 30)):
                flipped[choice.randrange(len(one))] = choice.randrange(256)
            yield bytes(flipped)
        else:
            yield choice.randbytes(choice.randrange(400))


def check(report: ReadReport, delivered: int) -> None:
    assert report.records_seen == report.delivered + report.filtered + report.lost
    assert report.delivered == delivered


def through_read(data: bytes) -> None:
    every: list[dict[str, Any]] = [{"everything": True}, {}, {"everything": True, "remnants": True}]
    for options in every:
        stream = hv.read(data, **options)
        delivered = 0
        with contextlib.suppress(hv.HvdegradedError):
            for event in stream:
                delivered += 1
                hv.classify(event)
        check(stream.report, delivered)


def through_xml(data: bytes) -> None:
    report = ReadReport()
    count = 0
    with contextlib.suppress(hv.HvdegradedError):
        for _ in delivered(read_xml(io.BytesIO(data)), report):
            count += 1
    check(report, count)
    with contextlib.suppress(hv.HvdegradedError):
        parse_event(data)


def through_the_command_line(data: bytes, path: Path, number: int) -> None:
    path.write_bytes(data)
    options = ([], ["--json"], ["--carve"], ["--strict"])[number % 4]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as err:
        code = main(["triage", *options, str(path)])
    assert code in (0, 1, 3, 4)
    assert "Traceback" not in err.getvalue()


def run(count: int) -> None:
    """Take all inputs; prints the peak memory in MB."""
    path = Path(f"arbitrary-{os.getpid()}.tmp")
    try:
        for number, data in enumerate(inputs(count, 3)):
            try:
                through_read(data)
                through_xml(data)
                through_the_command_line(data, path, number)
            except Exception as error:
                raise AssertionError(f"input {number} of {count}") from error
    finally:
        path.unlink(missing_ok=True)
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        print(int(peak.split()[1]) // 1024)


@pytest.mark.subprocess
@pytest.mark.slow
def test_whatever_comes_in(tmp_path: Path) -> None:
    command = [sys.executable, "-c", f"from tests.formats.test_arbitrary_input import run; run({COUNT})"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    if done.stdout:
        assert int(done.stdout) < PEAK_MB
