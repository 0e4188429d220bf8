"""`python -m tests.benchmarks [--scale 0.1] [--rounds 3] [--only JOB …] [--json FILE]`.

Each measurement is of a whole process, start included, in seconds of CPU (of the clock, where two processes
work); contenders take turns, and medians count. A contender that finds other events than the first one, or calls
others ignorable, ends the run. The table for docs/performance.md comes last.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from ast import literal_eval
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hvdegraded.formats.evtx.format import CHUNK_SIZE, FILE_HEADER_SIZE
from tests.benchmarks.contenders import JOBS, Contender, Job, our_report, our_triage
from tests.benchmarks.inputs import build

LINES = ("2.jsonl", "100.jsonl", "few.jsonl", "unknown.jsonl")


def measure(job: Job, contender: Contender, path: Path) -> dict[str, Any]:
    """One measurement of a whole process: CPU seconds with those of its children, or what the clock says."""
    arguments = contender.work
    if callable(arguments):
        arguments = ("-m", "tests.benchmarks.contenders", job.name, contender.name, str(path))
    before, begun = os.times(), time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    elapsed, after = time.perf_counter() - begun, os.times()
    if done.returncode:
        raise SystemExit(f"{job.name}, {contender.name}: {done.stderr.strip().splitlines()[-1]}")
    measured: dict[str, Any] = {"count": 0, "peak_mb": None}
    if callable(contender.work):
        measured = literal_eval(done.stdout.splitlines()[-1])
    cpu = sum(after[2:4]) - sum(before[2:4])
    return measured | {"seconds": elapsed if job.elapsed else cpu}


def sliced(path: Path, chunks: int, folder: Path) -> Path:
    """The first chunks of a log, as a log."""
    part = folder / f"{path.stem}-{chunks}.evtx"
    if not part.exists():
        with path.open("rb") as stream:
            part.write_bytes(stream.read(FILE_HEADER_SIZE + chunks * CHUNK_SIZE))
    return part


def check(job: Job, contender: Contender, path: Path, found: dict[str, Any]) -> None:
    """See that a contender found what the first one finds in the same bytes."""
    first = measure(job, job.contenders[0], path)
    for what in ("count", "which", "ignorable"):
        # What dissect and python-evtx make of classic records' data decides on verdicts, not on what was found.
        if what == "ignorable" and contender.chunks is not None:
            continue
        if found[what] != first[what]:
            raise SystemExit(
                f"{job.name}, {contender.name}: {what} is {found[what]}, and {first[what]} with the first"
            )


def bench(job: Job, path: Path, rounds: int, folder: Path) -> list[dict[str, Any]]:
    """The rows of a job."""
    size = path.stat().st_size
    lines = sum(1 for _ in path.open("rb")) if path.name in LINES else None
    contenders = [one for one in job.contenders if one.needs is None or _is_installed(one.needs)]
    for one in job.contenders:
        if one not in contenders:
            print(f"{job.name}: {one.name} is left out, since {one.needs} is not installed", file=sys.stderr)
    inputs = {one: path if one.chunks is None else sliced(path, one.chunks, folder) for one in contenders}
    measured: dict[Contender, list[dict[str, Any]]] = {one: [] for one in contenders}
    for number in range(rounds):
        for one in contenders:
            measured[one].append(measure(job, one, inputs[one]))
            if (
                number == 0
                and one is not contenders[0]
                and not one.floor
                and one.work not in (our_report, our_triage)
            ):
                check(job, one, inputs[one], measured[one][0])
    rows: list[dict[str, Any]] = []
    for one in contenders:
        seconds = statistics.median(each["seconds"] for each in measured[one])
        seconds *= size / inputs[one].stat().st_size
        row = {
            "job": job.name,
            "contender": one.name + (" (extrapolated)" if one.chunks is not None else ""),
            "mb": round(size / 1e6, 1),
            "seconds": round(seconds, 3),
            "ratio": round(seconds / rows[0]["seconds"], 2) if rows else 1.0,
            "found": measured[one][0]["count"],
            "peak_mb": round(max(each["peak_mb"] or 0 for each in measured[one]), 1),
            "lines_per_second": round(lines / seconds) if lines else None,
        }
        rows.append(row)
        print(
            "{job:20} {contender:46} {mb:7} MB {seconds:9} s {ratio:8} x {found:9} found {peak_mb:7} MB peak".format(
                **row
            ),
            f"{row['lines_per_second']} lines/s" if lines else "",
            flush=True,
        )
    return rows


def markdown(rows: list[dict[str, Any]]) -> str:
    """The rows as the table of the README: a line for each job, the first contender beside all others."""
    lines = ["| job | first contender | others, as a multiple of that time |", "|---|---|---|"]
    for job in dict.fromkeys(row["job"] for row in rows):
        first, *others = (row for row in rows if row["job"] == job)
        done = f"{first['contender']}: {first['seconds']:.2f} s"
        if first["lines_per_second"]:
            done += f", {first['lines_per_second']:,} lines/s"
        elif first["found"]:
            done += f", {first['found']:,} found"
        named = ", ".join(f"{row['contender']} {row['ratio']:g}" for row in others)
        lines.append(f"| {job}, {first['mb']:g} MB | {done} | {named} |")
    return "\n".join(lines)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def main() -> None:
    names = [job.name for job in JOBS]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is full size: 512 MB of mixed logs, …")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=names,
        default=names,
        metavar="JOB",
        help=", ".join(names).replace("%", "%%"),
    )
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        jobs = [job for job in JOBS if job.name in options.only]
        inputs = build(Path(folder), options.scale, {job.input for job in jobs})
        for job in jobs:
            rows += bench(job, inputs[job.input], options.rounds, Path(folder))
    print("\n" + markdown(rows))
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
