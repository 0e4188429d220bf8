"""What processes read at a time: a run of chunks of a large .evtx log, an input, or several small ones.

Each share costs some milliseconds, in which the events that fill it are learnt anew, and at the end one
process waits for the last share of another. So the runs of a log are long at first and short in the end, and
small inputs are read together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from threading import Lock
from typing import Any, NamedTuple

from hvdegraded.formats.evtx.format import CHUNK_SIZE, FILE_MAGIC
from hvdegraded.reading.inputs import display_path
from hvdegraded.reading.jobs import ReadJob
from hvdegraded.reading.steps import ReadStep, log_steps
from hvdegraded.records.options import Engine
from hvdegraded.records.report import ReadReport

__all__ = ["Message", "PathStep", "Share", "plan_shares"]

_LONG_RUN = 8  # times the usual one: what is given up by an interruption, and jumps of a progress bar
_TOGETHER = 256  # inputs
_WAITING = 4  # messages of a share that wait to be taken


class PathStep(NamedTuple):
    """A step of a path."""

    path: Path
    step: ReadStep


class Message(NamedTuple):
    """Results of a step, the account of what was read since its last message, and how it continues."""

    results: list[Any]
    report: ReadReport
    error: Exception | None = None
    last: bool = True


@dataclass
class Share:
    """Steps that one process reads together, in this order: the one that claims it first."""

    steps: list[PathStep]
    messages: Queue[Message] = field(default_factory=lambda: Queue(_WAITING))
    """What another process gives, step by step."""
    own: Iterator[Message] | None = None
    """What this process reads itself."""
    is_begun: bool = False
    """Whether messages of another process were taken."""
    late: list[Any] = field(default_factory=list)
    """Results of steps that are passed over, which contain those of later ones."""
    _claimed: Lock = field(default_factory=Lock)

    def claim(self) -> bool:
        """Whether it was not claimed before."""
        return self._claimed.acquire(blocking=False)

    @property
    def is_read(self) -> bool:
        """Whether there is anything to read, not to report alone."""
        return any(step.is_read for _, step in self.steps)

    @property
    def is_bounded(self) -> bool:
        """Whether its size is that of a few chunks."""
        return all(step.chunks is not None or step.here is not None for _, step in self.steps)


def plan_shares(paths: Iterable[Path], job: ReadJob) -> Iterator[Share]:
    """Plan the shares of all paths, in order.

    What a mapper makes is small, so that long runs of chunks can be read at a time, and several inputs.
    """
    options = job.options
    own = options.engine is Engine.HVDEGRADED and not options.carves
    run = options.workers.run
    together: list[PathStep] = []
    size = 0
    for path in paths:
        length = _size(path)
        is_large = own and length > 2 * run * CHUNK_SIZE and _is_log(path)
        if together and (is_large or size + length > run * CHUNK_SIZE or len(together) == _TOGETHER):
            yield Share(together)
            together, size = [], 0
        if is_large:
            yield from _shares_of_log(path, length // CHUNK_SIZE, job)
            continue
        together.append(PathStep(path, ReadStep([], last=True)))
        size += length
        if job.mapper is None:
            yield Share(together)
            together, size = [], 0
    if together:
        yield Share(together)


def _shares_of_log(path: Path, chunks: int, job: ReadJob) -> Iterator[Share]:
    workforce = job.options.workers
    longest = workforce.run * (1 if job.mapper is None else _LONG_RUN)

    def size(first: int) -> int:
        return max(workforce.run, min(longest, (chunks - first) // (2 * workforce.count)))

    try:
        with path.open("rb") as stream:
            for step in log_steps(stream, display_path(path), size):
                yield Share([PathStep(path, step)])
    except OSError as error:
        yield Share([PathStep(path, ReadStep([], error=error, last=True))])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def _is_log(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(FILE_MAGIC)) == FILE_MAGIC
    except OSError:
        return False
