"""One log through every reader installed, and where they differ: a second opinion, as forensics asks.

Witnesses run in child processes with limits of time and memory, since some hang or abort on damaged logs.
`python -m hvdegraded.verify ENGINE FILE` is such a child; it writes JSON lines.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hvdegraded.errors import HvdegradedError
from hvdegraded.record import EventRecord, ReadReport
from hvdegraded.sources import read_stream
from hvdegraded.sources.witnesses import installed, witness_reader
from hvdegraded.times import ticks_from_text

__all__ = ["Difference", "Verification", "Witness", "verify"]

TIMEOUT = 120.0
"""Seconds that a witness may take."""

MEMORY = 3 << 30
"""Bytes that a witness may take, where the system can limit that."""

_MOST_LISTED = 100
_COMPLAINT = 4096  # bytes that are read of what a witness says before it fails


@dataclass(frozen=True)
class Difference:
    """A field that a witness reads otherwise; `known` explains it where the fault is a documented one."""

    witness: str
    record_id: int | None
    field: str
    ours: str
    theirs: str
    known: str | None = None


@dataclass(frozen=True)
class Witness:
    """What became of one reader: records it gave and lost, or why it gave none."""

    name: str
    delivered: int = 0
    lost: int = 0
    failure: str | None = None

    def __str__(self) -> str:
        return f"{self.name}: {self.failure or f'{self.delivered} records, {self.lost} lost'}"


@dataclass
class Verification:
    """A log through all readers: counts of each, records that only one side has, differing fields.

    `differences` lists the first of them; `counts` counts all by (witness, field, explanation).
    """

    path: str
    report: ReadReport
    witnesses: list[Witness] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    @property
    def agreed(self) -> bool:
        """Whether every difference is a known fault of a witness."""
        return all(known for _, _, known in self.counts)

    def __str__(self) -> str:
        report = self.report
        lines = [f"{self.path}: hvdegraded {report.delivered} records, {report.lost} lost"]
        lines += [f"  {witness}" for witness in self.witnesses]
        for (name, what, known), count in self.counts.most_common():
            lines.append(f"  {count} × {name} differs in {what}: {known or 'not explained'}")
        for one in self.differences:
            if one.known is None:
                lines.append(
                    f"    record {one.record_id}, {one.field}: {one.ours} | {one.witness}: {one.theirs}"
                )
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
    report = ReadReport(path=str(path))
    with Path(path).open("rb") as stream:
        ours = list(read_stream(stream, report))
    found = Verification(str(path), report)
    for engine in engines if engines is not None else installed():
        witness, theirs = _testimony(engine, Path(path), timeout, memory)
        found.witnesses.append(witness)
        if witness.failure is None:
            _compare(found, engine, ours, theirs)
    return found


def _testimony(engine: str, path: Path, timeout: float, memory: int) -> tuple[Witness, list[EventRecord]]:
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaints:
        command = [sys.executable, "-m", "hvdegraded.verify", engine, str(path.resolve()), str(memory)]
        try:
            done = subprocess.run(  # noqa: S603  # our own interpreter and module
                command, stdout=output, stderr=complaints, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            return Witness(engine, failure=f"stopped after {timeout:g} s"), []
        if done.returncode < 0:
            return Witness(engine, failure=f"died of {signal.Signals(-done.returncode).name}"), []
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
            known = "the witness lost it" if _lost(found, engine) else ""
            found.counts[engine, "a record that it does not give", known] += 1
            continue
        other = same.pop(0)
        for name, one, two in zip(EventRecord._fields, record, other, strict=True):
            if name == "origin" or one == two:
                continue
            known = _explanation(engine, name, one, two) or ""
            found.counts[engine, name, known] += 1
            if not known and len(found.differences) < _MOST_LISTED:
                found.differences.append(
                    Difference(
                        engine, record.record_id, name, repr(one)[:200], repr(two)[:200], known or None
                    )
                )
    extra = sum(map(len, waiting.values()))
    if extra:
        found.counts[engine, "a record that only it gives", ""] += extra


def _lost(found: Verification, engine: str) -> bool:
    return any(witness.name == engine and witness.lost for witness in found.witnesses)


def _explanation(engine: str, name: str, ours: Any, theirs: Any) -> str | None:
    """The documented fault of a witness that a difference is; None where it is none."""
    if name == "time_ticks" and isinstance(ours, int) and isinstance(theirs, int):
        if engine == "evtx" and ours // 10 == theirs // 10:
            return "evtx cuts times to microseconds"
        if engine == "python-evtx" and abs(ours - theirs) < 30:
            return "python-evtx is off by up to 2 µs"
    if name in ("data", "extra", "rendering"):
        if name == "rendering" and not theirs:
            return f"{engine} does not show a second template"
        if _even(ours) == _even(theirs):
            return "line ends, GUID braces, times or hexadecimal digits are written otherwise in XML"
        if _even(_filled(ours)) == _even(_filled(theirs)):
            return f"{engine} shows empty elements that Windows leaves out, or drops empty ones"
    return None


def _filled(fields: Any) -> list[tuple[str | None, str]]:
    return [(name, text) for name, text in fields if text]


def _even(fields: Any) -> list[tuple[str | None, str]]:
    """The fields without what XML and the witnesses write in other ways."""
    return [(name, _even_text(text)) for name, text in fields]


def _even_text(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("{} \n\t").lower()
    if text.startswith("0x"):
        text = "0x" + (text[2:].lstrip("0") or "0")
    ticks = ticks_from_text(text) if text[4:5] == "-" else None
    return text if ticks is None else f"time {ticks // 10}"


def _child(engine: str, path: str, memory: str) -> int:
    """Read a log with a witness and write JSON lines: its records, then counts."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    except (ImportError, ValueError, OSError):
        pass  # no limits on this system
    report = ReadReport(path=path)
    write = sys.stdout.write
    try:
        with Path(path).open("rb") as stream:
            for record in witness_reader(engine)(stream, report, None):
                write(json.dumps(record.to_dict()) + "\n")
    except HvdegradedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    write(json.dumps({"delivered": report.delivered, "lost": report.lost}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(_child(*sys.argv[1:]))
