"""Hostile event logs, each written down as what makes it: `python -m tests.tools.attacks [NAME…]` reads them all.

Every attack on other readers that the project knows of, and those that its own design invites. A hostile
chunk stands between two good ones, whose records must all come; CPU time and memory are the child's own.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from tests.tools import hostile_chunks, hostile_records  # noqa: F401  # they register their attacks
from tests.tools.hostile_logs import ATTACKS, GOOD, Attack, between
from tests.tools.text_attacks import REFUSED, TEXTS

ATTACKS |= {name: (lambda make=make: Attack(make())) for name, make in TEXTS.items()}  # type: ignore[misc]
ATTACKS |= {
    name: (lambda make=make: Attack(make(), refused=True))  # type: ignore[misc]
    for name, make in REFUSED.items()
}

__all__ = ["ATTACKS", "GOOD", "Result", "run"]

CPU_LIMIT = 10  # seconds; what is bounded takes a fraction, what is not would take hours


class Result(NamedTuple):
    """What reading an attack took, and what came of it; `ended` is "" where it ended as it should."""

    name: str
    seconds: float
    megabytes: int
    size: int
    good: int
    delivered: int
    lost: int
    ended: str


def _read(name: str, attack: Attack, path: str) -> Result:
    import hvdegraded as hv

    before = resource.getrusage(resource.RUSAGE_SELF)
    stream = hv.read_records(path, carve=attack.carve)
    good = delivered = 0
    try:
        for record in stream:
            delivered += 1
            good += record.provider == "Microsoft-Windows-Hyper-V-VMMS" and not (
                1000 <= (record.record_id or 0) < 1 << 30
            )
        ended = "it was not refused" if attack.refused else ""
    except hv.HvdegradedError as error:
        ended = "" if attack.refused else f"{type(error).__name__}: {error}"[:200]
        good = 2 * GOOD if attack.refused else good
    report = stream.report
    after = resource.getrusage(resource.RUSAGE_SELF)
    if (
        report.records_seen != report.delivered + report.filtered + report.lost
        or report.delivered != delivered
    ):
        ended = "the account does not balance"
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = after.ru_maxrss // 1024
    size = os.path.getsize(path)
    return Result(name, round(seconds, 2), peak, size, good, report.delivered, report.lost, ended)


def _in_child(job: Callable[[], str]) -> str:
    """What a job gives in a forked child with a limit of CPU time; a text without `{` where it died."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT, CPU_LIMIT))
            os.write(writing, job().encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        text = stream.read().decode()
    _, status = os.waitpid(child, 0)
    return text or f"ended with status {status}"


def run(names: Iterable[str]) -> Iterator[Result]:
    """Make and read attacks, each in children of its own: peak memory is that of reading."""
    import hvdegraded as hv

    list(hv.read_records(between()))  # imports and tables, once for all children
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "attack")

        def make(name: str) -> str:
            made = ATTACKS[name]()
            with open(path, "wb") as file:
                file.write(made.data)
            return json.dumps([made.carve, made.refused])

        for name in names:
            options = _in_child(lambda name=name: make(name))  # type: ignore[misc]
            attack = Attack(b"", *json.loads(options))
            text = _in_child(lambda name=name, attack=attack: json.dumps(_read(name, attack, path)))  # type: ignore[misc]
            if text.startswith("["):
                yield Result(*json.loads(text))
            else:
                yield Result(name, 0, 0, 0, 0, 0, 0, text)


def main(names: list[str], *, as_json: bool) -> None:
    for result in run(names or ATTACKS):
        if as_json:
            print(json.dumps(result), flush=True)
        else:
            print(
                f"{result.seconds:6.2f} s {result.megabytes:5} MB {result.size / 1e6:7.2f} MB read"
                f" {result.good:3} good {result.delivered:6} delivered {result.lost:6} lost"
                f"  {result.name}  {result.ended}",
                flush=True,
            )


if __name__ == "__main__":
    main([name for name in sys.argv[1:] if name != "--json"], as_json="--json" in sys.argv)
