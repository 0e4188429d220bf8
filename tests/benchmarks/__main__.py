"""`python -m tests.benchmarks [--scale 0.1] [--rounds 3] [--only JOB …] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.contenders import JOBS, SLICED, run
from tests.benchmarks.inputs import build


def measure(job: str, contender: str, path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks", "--run", job, contender, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{job}, {contender}: {done.stderr.strip().splitlines()[-1]}")
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is full size: 512 MB of mixed logs, …")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=JOBS, default=list(JOBS))
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(run(*options.run)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        inputs = build(Path(folder), options.scale)
        for job in options.only:
            name, contenders = JOBS[job]
            size = inputs[name].stat().st_size
            rounds: dict[str, list[dict[str, float]]] = {contender: [] for contender in contenders}
            for _ in range(options.rounds):
                for contender in contenders:
                    rounds[contender].append(measure(job, contender, inputs[name]))
            base = 0.0
            for contender, measured in rounds.items():
                read = SLICED.get(contender, size)
                seconds = statistics.median(one["seconds"] for one in measured) * size / read
                base = base or seconds
                rows.append(
                    {
                        "job": job,
                        "contender": contender + (" (extrapolated)" if contender in SLICED else ""),
                        "mb": round(size / 1e6, 1),
                        "seconds": round(seconds, 3),
                        "ratio": round(seconds / base, 2),
                        "found": measured[0]["found"],
                        "peak_mb": round(max(one["peak_mb"] for one in measured), 1),
                    }
                )
                print(
                    "{job:15} {contender:36} {mb:8} MB {seconds:9} s {ratio:8} x {found:9} found {peak_mb:8} MB peak".format(
                        **rows[-1]
                    )
                )
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
