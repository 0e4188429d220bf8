"""Inputs read by several processes at once, with the results and the account that one process gives.

How it works. The paths become *steps* in the order of reading. A step is a whole input, or a run of chunks
of a large .evtx log: chunks stand alone, and what lies between them is counted from their headers, here,
while workers decode them. So only chunks in good order go to workers; a damaged one is read here when its
turn comes. Steps are handed out ahead of their turn, a few for each worker, and taken in order, so memory
is bounded by steps, not by inputs.

Workers are child processes that run `python -m hvdegraded.reading.workers`. They are not multiprocessing's,
which would run the user's own main module again. They talk pickle over pipes of their own.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Full, Queue, SimpleQueue
from threading import Lock
from typing import IO, Any, NamedTuple, cast

from hvdegraded.errors import HvdegradedError, SourceError
from hvdegraded.formats.evtx.chunks import Chunk
from hvdegraded.formats.evtx.decoder import EvtxDecoder
from hvdegraded.formats.evtx.format import CHUNK_SIZE, FILE_MAGIC
from hvdegraded.formats.evtx.reader import ChunkReader
from hvdegraded.formats.evtx.record_headers import Gap, Span
from hvdegraded.reading.child_process import environment, module_command
from hvdegraded.reading.delivery import delivered
from hvdegraded.reading.inputs import display_path
from hvdegraded.reading.jobs import InputReader, ReadJob
from hvdegraded.reading.steps import chunk_items, log_steps
from hvdegraded.records.items import Item
from hvdegraded.records.options import Engine, ReadOptions, Workforce
from hvdegraded.records.record import EventRecord, Origin
from hvdegraded.records.report import ReadReport

__all__ = ["Workers", "worth_starting"]

_AHEAD = 3  # steps handed out for each worker
_BATCH = 4096  # results of a message
_WAITING = 4  # messages of a step that wait to be taken
_TICK = 0.2  # seconds between looks at whether all is over
_new_tuple: Any = tuple.__new__


class _Message(NamedTuple):
    """Results of a step, the account of what was read since its last message, and how it continues."""

    results: list[Any]
    report: ReadReport
    error: Exception | None = None
    last: bool = True


@dataclass
class _Step:
    """A `ReadStep` of a path; one chunk that comes with its bytes is read here."""

    path: Path
    items: list[Item] = field(default_factory=list)
    chunks: Sequence[Chunk] | None = None
    here: tuple[Chunk, Sequence[Span | Gap] | None] | None = None
    error: Exception | None = None
    last: bool = False
    passed_over: bool = False  # since a step of its path before it failed
    messages: Queue[_Message] = field(default_factory=lambda: Queue(_WAITING))

    @property
    def remote(self) -> bool:
        """Whether a worker reads it."""
        return self.error is None and self.here is None and self.chunks != ()


def worth_starting(paths: Iterable[Path], workforce: Workforce) -> bool:
    """Whether several processes are worth their start."""
    if workforce.count < 2 or not sys.executable:
        return False
    size = 0
    for path in paths:
        with suppress(OSError):
            size += path.stat().st_size
    return size >= workforce.worth


class Workers:
    """Processes that read these paths ahead; `results` gives what they made of each, in the same order."""

    def __init__(self, paths: Sequence[Path], job: ReadJob) -> None:
        count = job.options.workers.count
        self._job = job
        self._decoder = EvtxDecoder()
        self._planned = _steps(paths, job.options)
        self._ahead: deque[_Step] = deque()
        self._over = False
        self._idle: SimpleQueue[_Child] = SimpleQueue()
        self._children = [_Child(job) for _ in range(count)]
        for child in self._children:
            self._idle.put(child)
        self._threads = ThreadPoolExecutor(count, "hvdegraded")  # each waits for a worker

    def close(self) -> None:
        """End the processes at once."""
        self._over = True
        for child in self._children:
            child.end()
        self._threads.shutdown(cancel_futures=True)

    def results(self, path: Path, report: ReadReport) -> Iterator[Any]:
        """The results of a path: one of those given, and not before one that was asked for already.

        The report grows step by step. Raises what the reading raises, SourceError where a worker ended.
        """
        step = self._next()
        while step.path != path:
            step.passed_over = True
            step = self._next()
        while True:
            yield from delivered(step.items, report)  # which are not records
            if step.error is not None:
                raise step.error
            if step.here is not None:
                chunks = ChunkReader(report.path, self._job.wanted, self._decoder)
                items = chunks.items(*step.here)
                yield from self._job.results(items, report)
            elif step.remote:
                yield from self._received(step, report)
            if step.last:
                return
            step = self._next()

    def _next(self) -> _Step:
        while len(self._ahead) < _AHEAD * len(self._children):
            step = next(self._planned, None)
            if step is None:
                break
            self._ahead.append(step)
            if step.remote:
                self._threads.submit(self._ask, step)
        return self._ahead.popleft()

    def _ask(self, step: _Step) -> None:
        """Have a worker read a step, and put its messages where they wait for their turn."""
        child = self._idle.get()
        try:
            for message in child.read(step.path, step.chunks):
                while not (self._over or step.passed_over):
                    with suppress(Full):
                        step.messages.put(message, timeout=_TICK)
                        break
        finally:
            self._idle.put(child)

    def _received(self, step: _Step, report: ReadReport) -> Iterator[Any]:
        message = None
        while message is None or not message.last:
            try:
                message = step.messages.get(
                    timeout=_TICK
                )  # on Windows only a wait that ends can be interrupted
            except Empty:
                continue
            report.absorb(message.report)
            yield from message.results if self._job.mapper else map(_record, message.results)
            if message.error is not None:
                raise message.error


# -------------------------------------------------------------------- steps


def _steps(paths: Iterable[Path], options: ReadOptions) -> Iterator[_Step]:
    own = options.engine is Engine.HVDEGRADED and not options.carves
    run = options.workers.run
    for path in paths:
        if own and _is_large_log(path, run):
            try:
                with path.open("rb") as stream:
                    for step in log_steps(stream, display_path(path), run):
                        yield _Step(path, *step)
            except OSError as error:
                yield _Step(path, error=error, last=True)
        else:
            yield _Step(path, last=True)


def _is_large_log(path: Path, run: int) -> bool:
    try:
        if not path.is_file() or path.stat().st_size <= 2 * run * CHUNK_SIZE:
            return False
        with path.open("rb") as stream:
            return stream.read(len(FILE_MAGIC)) == FILE_MAGIC
    except OSError:
        return False


# -------------------------------------------------------------------- a worker, seen from here


class _Child:
    """A worker process, which reads one step at a time; one that was killed is started anew."""

    def __init__(self, job: ReadJob) -> None:
        self._job = job
        self._ended = False
        self._changing = Lock()  # of the process
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            module_command("hvdegraded.reading.workers"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        )
        self._send, self._answers = (
            cast("IO[bytes]", self._process.stdin),
            cast("IO[bytes]", self._process.stdout),
        )
        with suppress(OSError):  # one that ended at once is reported when it is asked
            pickle.dump(self._job, self._send, pickle.HIGHEST_PROTOCOL)

    def read(self, path: Path, chunks: Sequence[Chunk] | None) -> Iterator[_Message]:
        """What the worker makes of a step. Never raises: a worker that ended gives an error in its place."""
        with self._changing:
            if self._process.poll() is not None and not self._ended:
                self._close_pipes()
                self._start()
        try:
            pickle.dump((path, chunks), self._send, pickle.HIGHEST_PROTOCOL)
            self._send.flush()
            while True:
                message: _Message = pickle.load(self._answers)  # noqa: S301  # from our own child
                yield message
                if message.last:
                    return
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            what = f"a worker process ended ({self._ending()})"
            error = SourceError(what, path=display_path(path), hint="read it again, or with workers=1")
            yield _Message([], ReadReport(), error)

    def _ending(self) -> str:
        """How the process ended."""
        try:
            code = self._process.wait(_TICK)
        except subprocess.TimeoutExpired:
            return "its answers cannot be read"
        return f"code {code}" if code >= 0 else f"signal {-code}"

    def end(self) -> None:
        """Kill it, and wait for that."""
        with self._changing:
            self._ended = True
            self._process.kill()
        self._process.wait()
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in (self._send, self._answers):
            with suppress(OSError):
                pipe.close()


def _record(plain: tuple[Any, ...]) -> EventRecord:
    record: EventRecord = _new_tuple(EventRecord, (*plain[:-1], _new_tuple(Origin, plain[-1])))
    return record


# -------------------------------------------------------------------- a worker


def _messages(job: ReadJob, items: Iterator[Item], report: ReadReport) -> Iterator[_Message]:
    results: list[Any] = []
    error: Exception | None = None
    try:
        for result in job.results(items, report):
            # A record goes as a plain tuple, which takes a fourth of the time.
            results.append(result if job.mapper else (*result[:-1], tuple(result[-1])))
            if len(results) == _BATCH:
                yield _Message(results, report.take(), last=False)
                results = []
    except (HvdegradedError, OSError) as problem:
        error = problem
    yield _Message(results, report.take(), error)


def _serve(source: IO[bytes], target: IO[bytes]) -> None:
    """Read step after step until there are no more."""
    job: ReadJob = pickle.load(source)  # noqa: S301  # from our own parent
    reader = InputReader(job)
    decoder = EvtxDecoder()

    def items(path: Path, chunks: Sequence[Chunk] | None) -> Iterator[Item]:
        with path.open("rb") as stream:
            if chunks is None:
                yield from reader.items(stream, display_path(path))
                return
            yield from chunk_items(stream, display_path(path), chunks, job.wanted, decoder)

    while True:
        try:
            path, chunks = pickle.load(source)  # noqa: S301
        except EOFError:
            return
        report = ReadReport(path=display_path(path))
        for message in _messages(job, items(path, chunks), report):
            pickle.dump(message, target, pickle.HIGHEST_PROTOCOL)
            target.flush()


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted too, and ends its workers
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what is printed must not disturb the answers
    with suppress(BrokenPipeError):
        _serve(sys.stdin.buffer, answers)
        answers.close()


if __name__ == "__main__":
    # so that pickles know these classes by the name that the parent uses
    from hvdegraded.reading import workers

    workers._main()
