"""One log through every reader installed, and where they differ: a second opinion, as forensics asks.

Witnesses run in child processes with limits of time and memory, since some hang or abort on damaged logs.
`python -m hvdegraded.verify ENGINE FILE` is such a child; it writes JSON lines.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hvdegraded.errors import HvdegradedError, SourceError
from hvdegraded.formats.evtx.other_readers import installed, witness_reader
from hvdegraded.formats.evtx.reader import read_evtx
from hvdegraded.reading.child_process import environment, module_command
from hvdegraded.reading.delivery import delivered
from hvdegraded.reading.inputs import display_path
from hvdegraded.records.record import EventRecord
from hvdegraded.records.report import ReadReport
from hvdegraded.verify.known_faults import differences

__all__ = ["Difference", "Verification", "Witness", "verify"]

TIMEOUT = 120.0
"""Seconds that a witness may take."""

MEMORY = 3 << 30
"""Bytes that a witness may take, where the system can limit that."""

_FROM_OUTSIDE = ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP")  # others are of a reader that crashed itself
_SPARE = 5  # seconds of processor time beyond that
_MOST_LISTED = 20
_LONGEST_SHOWN = 200
_COMPLAINT = 4096  # bytes that are read of what a witness says before it fails


@dataclass(frozen=True)
class Difference:
    """A value that a witness reads otherwise, and no documented fault of it explains."""

    witness: str
    record_id: int | None
    field: str
    ours: str
    theirs: str


@dataclass(frozen=True)
class Witness:
    """What became of one reader: records it gave and lost, or why it gave none.

    `killed` says that it was ended from outside, and so was not compared.
    """

    name: str
    delivered: int = 0
    lost: int = 0
    failure: str | None = None
    killed: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.failure or f'{self.delivered} records, {self.lost} lost'}"


@dataclass
class Verification:
    """A log through all readers: counts of each, records that only one side has, differing fields.

    `differences` lists the first that nothing explains; `counts` counts all by (witness, field, explanation).
    """

    path: str
    report: ReadReport
    witnesses: list[Witness] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    @property
    def agreed(self) -> bool:
        """Whether a witness read the log, none was killed, and all differences are known faults of theirs."""
        read = any(witness.failure is None for witness in self.witnesses)
        killed = any(witness.killed for witness in self.witnesses)
        return read and not killed and all(known for _, _, known in self.counts)

    def __str__(self) -> str:
        report = self.report
        lines = [f"{self.path}: hvdegraded {report.delivered} records, {report.lost} lost"]
        lines += [f"  {witness}" for witness in self.witnesses]
        for (name, what, known), count in self.counts.most_common():
            why = f"{name} {known}" if known else "not explained"
            lines.append(f"  {count} × {name} differs in {what}: {why}")
        lines += [
            f"    record {one.record_id}, {one.field}: {one.ours} | {one.witness}: {one.theirs}"
            for one in self.differences
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "path": self.path,
            "agreed": self.agreed,
            "report": self.report.to_dict(),
            "witnesses": [vars(witness) for witness in self.witnesses],
            "counts": [[*key, count] for key, count in self.counts.most_common()],
            "differences": [vars(difference) for difference in self.differences],
        }


def verify(
    path: str | os.PathLike[str],
    engines: Sequence[str] | None = None,
    *,
    timeout: float = TIMEOUT,
    memory: int = MEMORY,
) -> Verification:
    """Read an .evtx log with this library and with each witness installed (or named), and compare.

    Raises SourceError where this library cannot read it at all.
    """
    report = ReadReport(path=display_path(path))
    try:
        with Path(path).open("rb") as stream:
            ours = list(delivered(read_evtx(stream, report.path), report))
    except SourceError:
        raise
    except OSError as error:
        raise SourceError(f"the file cannot be read: {error.strerror or error}", path=report.path) from None
    found = Verification(display_path(path), report)
    for engine in engines if engines is not None else installed():
        witness, theirs = _testimony(engine, Path(path), timeout, memory)
        found.witnesses.append(witness)
        if witness.failure is None:
            _compare(found, engine, ours, theirs)
    return found


def _testimony(engine: str, path: Path, timeout: float, memory: int) -> tuple[Witness, list[EventRecord]]:
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaints:
        command = [
            *module_command("hvdegraded.verify.comparison"),
            engine,
            str(path.resolve()),
            str(memory),
            str(math.ceil(timeout) + _SPARE),
        ]
        watched, held = os.pipe()  # which ends with this process, however it ends
        try:
            done = subprocess.run(  # noqa: S603  # our own interpreter and module
                command,
                stdin=watched,
                stdout=output,
                stderr=complaints,
                timeout=timeout,
                check=False,
                env=environment(),
            )
        except subprocess.TimeoutExpired:
            return Witness(engine, failure=f"stopped after {timeout:g} s"), []
        finally:
            os.close(watched)
            os.close(held)
        if done.returncode < 0:
            name = signal.Signals(-done.returncode).name
            return Witness(engine, failure=f"died of {name}", killed=name in _FROM_OUTSIDE), []
        if done.returncode:
            complaints.seek(max(0, complaints.seek(0, 2) - _COMPLAINT))
            lines = complaints.read().decode(errors="replace").strip().splitlines()
            last = lines[-1][:200] if lines else f"ended with code {done.returncode}"
            return Witness(engine, failure=f"failed: {last}"), []
        output.seek(0)
        *records, counts = [json.loads(line) for line in output]
    return Witness(engine, **counts), [EventRecord.from_dict(record) for record in records]


def _compare(
    found: Verification, engine: str, ours: Sequence[EventRecord], theirs: Sequence[EventRecord]
) -> None:
    def key(record: EventRecord) -> tuple[object, ...]:
        return record.record_id, record.provider, record.event_id

    waiting: dict[tuple[object, ...], list[EventRecord]] = {}
    for record in theirs:
        waiting.setdefault(key(record), []).append(record)
    for record in ours:
        same = waiting.get(key(record))
        if not same:
            known = "lost it" if _lost(found, engine) else ""
            found.counts[engine, "a record that it does not give", known] += 1
            continue
        for one in differences(engine, record, same.pop(0)):
            found.counts[engine, one.field, one.known or ""] += 1
            if one.known is None and len(found.differences) < _MOST_LISTED:
                where = f"{one.field} {one.name}" if one.name else one.field
                texts = one.ours[:_LONGEST_SHOWN], one.theirs[:_LONGEST_SHOWN]
                found.differences.append(Difference(engine, record.record_id, where, *texts))
    extra = sum(map(len, waiting.values()))
    if extra:
        found.counts[engine, "a record that only it gives", ""] += extra


def _lost(found: Verification, engine: str) -> bool:
    return any(witness.name == engine and witness.lost for witness in found.witnesses)


def _end_with_parent() -> None:
    """End this process when its parent, which holds the other end of its input, is gone."""
    os.read(0, 1)
    os._exit(1)


def _child(engine: str, path: str, memory: str, seconds: str) -> int:
    """Read a log with a witness and write JSON lines: its records, then counts."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))  # if the parent is killed
    except (ImportError, ValueError, OSError):
        pass  # no limits on this system
    report = ReadReport(path=path)
    write = sys.stdout.write
    try:
        with Path(path).open("rb") as stream:
            for record in delivered(witness_reader(engine)(stream, path, None), report):
                write(json.dumps(record.to_dict()) + "\n")
    except HvdegradedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    write(json.dumps({"delivered": report.delivered, "lost": report.lost}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(_child(*sys.argv[1:]))
