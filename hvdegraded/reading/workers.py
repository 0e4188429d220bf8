"""Inputs read by several processes at once, with the results and the account that one process gives.

How it works. The paths become *shares* in the order of reading (`shares`). Chunks of an .evtx log stand
alone, and what lies between them is counted from their headers, here. Shares are handed out ahead of their
turn, a few for each process, and their results are taken in order, so memory is bounded by shares, not by
inputs. This process reads too: a share whose turn has come if no worker has begun it, others while it waits.

A worker is a process of its own (`worker_process`). One that is killed in the midst of a share costs nothing
but time: the share is read here, unless records of it are given already.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import Empty, Full, SimpleQueue
from typing import Any

from hvdegraded.reading.delivery import delivered
from hvdegraded.reading.jobs import ReadJob
from hvdegraded.reading.shares import Message, PathStep, Share, plan_shares
from hvdegraded.reading.step_reader import StepReader
from hvdegraded.reading.worker_process import Worker, WorkerEndedError
from hvdegraded.records.options import Workforce
from hvdegraded.records.recurrence import Recurrence
from hvdegraded.records.report import ReadReport

__all__ = ["Workers", "worth_starting"]

_AHEAD = 3  # shares handed out for each process
_TICK = 0.2  # seconds between looks at whether all is over


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
        self._job = job
        self._over = False
        self._reader = StepReader(job)
        self._ahead: deque[Share] = deque()
        self._steps = self._in_order(plan_shares(paths, job))
        self._idle: SimpleQueue[Worker] = SimpleQueue()
        self._workers: list[Worker] = []
        for _ in range(job.options.workers.count - 1):
            self._workers.append(Worker(job, self._workers))
        self._threads = ThreadPoolExecutor(len(self._workers), "hvdegraded")  # each waits for a worker
        for worker in self._workers:
            self._threads.submit(self._admit, worker)

    def close(self) -> None:
        """End the processes at once."""
        self._over = True
        for worker in self._workers:
            worker.end()
        self._threads.shutdown(cancel_futures=True)

    def results(self, path: Path, report: ReadReport) -> Iterator[Any]:
        """The results of a path: one of those given, and not before one that was asked for already.

        The report grows step by step. Raises what the reading raises, WorkerEndedError where a worker ended.
        """
        for share, (own, step) in self._steps:
            if own != path:
                if step.is_read:
                    self._pass_over(share)
                continue
            yield from delivered(step.items, report)  # which are not records
            if step.error is not None:
                raise step.error
            if step.is_read:
                yield from self._received(share, report)
            if step.last:
                return

    def _in_order(self, planned: Iterator[Share]) -> Iterator[tuple[Share, PathStep]]:
        """All steps with their shares, of which some are handed out ahead."""
        for share in planned:
            self._ahead.append(share)
            if share.is_read and len(self._ahead) > 1:  # the first is read here: it may be the only one
                self._threads.submit(self._ask, share)
            if len(self._ahead) >= _AHEAD * (1 + len(self._workers)):
                share = self._ahead.popleft()
                yield from ((share, one) for one in share.steps)
        while self._ahead:
            share = self._ahead.popleft()
            yield from ((share, one) for one in share.steps)

    # ---------------------------------------------------------------- in threads, one for each worker

    def _admit(self, worker: Worker) -> None:
        """Take a worker that is ready; until then this process reads alone."""
        worker.wait_until_ready()
        self._idle.put(worker)

    def _ask(self, share: Share) -> None:
        """Have a worker read a share, if that was not begun here, and put its messages where they wait."""
        worker = self._idle.get()
        try:
            for message in worker.read(share.steps) if share.claim() else ():
                while not self._over:
                    with suppress(Full):
                        share.messages.put(message, timeout=_TICK)
                        break
        finally:
            self._idle.put(worker)

    # ---------------------------------------------------------------- in this process

    def _received(self, share: Share, report: ReadReport) -> Iterator[Any]:
        """The results of the next step of a share."""
        last = False
        while not last:
            message = self._next_of(share)
            report.absorb(message.report)
            results, share.late = [*share.late, *message.results], []
            yield from results if self._job.mapper else map(_whole, results)
            if message.error is not None:
                raise message.error
            last = message.last

    def _pass_over(self, share: Share) -> None:
        """Pass over the next step of a share, of a path that cannot be read, or not to its end."""
        if len(share.steps) == 1 and share.claim():
            return
        while True:
            message = self._next_of(share)
            if self._job.mapper is not None:
                share.late += message.results  # which contain those of later steps
            if message.last or message.error is not None:
                return

    def _next_of(self, share: Share) -> Message:
        """The next message of a share, which is read here if no worker has begun it, or one has ended."""
        if share.own is None and share.claim():
            share.own = self._reader.messages(share.steps)
        while share.own is None:
            message = self._waited_for(share)
            if message is None:
                continue
            if share.is_begun or not isinstance(message.error, WorkerEndedError):
                share.is_begun = True
                return message
            share.own = self._reader.messages(share.steps)
        return next(share.own)

    def _waited_for(self, share: Share) -> Message | None:
        """The next message from a worker; None if it is not there after a while, in which others are read."""
        with suppress(Empty):
            return share.messages.get_nowait()
        for other in self._ahead:
            if other.is_read and (self._job.mapper is not None or other.is_bounded) and other.claim():
                other.own = iter(list(self._reader.messages(other.steps)))
                return None
        with suppress(Empty):
            return share.messages.get(timeout=_TICK)  # on Windows only a wait that ends can be interrupted
        return None


def _whole(record: Any) -> Any:
    return record.record() if isinstance(record, Recurrence) else record
