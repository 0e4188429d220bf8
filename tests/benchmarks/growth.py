"""`python -m tests.benchmarks.growth [--svg FILE] [--most-mb 1000] [--most-vms 100000]`: how the cost grows.

Triage, whole processes, start included: seconds of CPU and peak memory by the size of a log that contains only
Hyper-V events, of one that contains few, and by the number of VMs. Both axes are logarithmic, so that a line of
slope 1 is linear growth. Needs matplotlib (extra `notebook`).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hvdegraded.formats.evtx.writer import evtx_bytes
from tests.benchmarks.__main__ import measure
from tests.benchmarks.contenders import JOBS
from tests.benchmarks.inputs import hyper_v, machines, mixed_log

EVENTS_OF_A_MB = 2300
JOB = next(job for job in JOBS if job.name == "dense repeated")


class Point(NamedTuple):
    """A measurement: what it is of, how large that is, seconds of CPU, and peak memory in MB."""

    series: str
    size: int
    seconds: float
    peak_mb: float


def points(folder: Path, most_mb: int, most_vms: int) -> Iterator[Point]:
    path = folder / "log.evtx"
    for size in (1, 10, 100, 1000):
        if size <= most_mb:
            path.write_bytes(evtx_bytes(hyper_v(min(size * EVENTS_OF_A_MB, 2_300_000))))
            yield _measured("MB of Hyper-V events", size, path)
            mixed_log(path, size << 20)
            yield _measured("MB with few Hyper-V events", size, path)
    for count in (1, 100, 10_000, 100_000):
        if count <= most_vms:
            path.write_bytes(evtx_bytes(machines(count)))
            yield _measured("VMs, one event each", count, path)


def _measured(series: str, size: int, path: Path) -> Point:
    found = measure(JOB, JOB.contenders[0], path)
    return Point(series, size, found["seconds"], found["peak_mb"])


def draw(found: list[Point], target: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "growth"
    from matplotlib import pyplot

    figure, panes = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    shown: dict[str, Any] = {"seconds": "seconds of CPU", "peak_mb": "peak memory, MB"}
    for pane, (what, title) in zip(panes, shown.items(), strict=True):
        for series in dict.fromkeys(point.series for point in found):
            of_it = [point for point in found if point.series == series]
            pane.plot(
                [point.size for point in of_it], [getattr(point, what) for point in of_it], "o-", label=series
            )
        pane.set(xscale="log", yscale="log", title=title, xlabel="MB, or VMs")
        pane.grid(alpha=0.3)
    panes[0].legend()
    figure.savefig(target, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.growth")
    parser.add_argument("--svg", type=Path, default=Path("hvdegraded/docs/growth.svg"))
    parser.add_argument("--most-mb", type=int, default=1000)
    parser.add_argument("--most-vms", type=int, default=100_000)
    options = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for point in points(Path(folder), options.most_mb, options.most_vms):
            print(
                f"{point.series:28} {point.size:8,} {point.seconds:8.2f} s {point.peak_mb:8.1f} MB",
                flush=True,
            )
            found.append(point)
    draw(found, options.svg)


if __name__ == "__main__":
    main()
