"""A worker: a process that reads shares, as seen by the process that started it, and what runs in it.

How it is started. Where this process has a single thread, it is forked: the copy has all that was imported
and loaded, and reads after a few milliseconds, where another interpreter needs a third of a second. A fork
copies one thread only, and a lock that another held stays locked in the copy for ever. So where there are
other threads, as in notebooks, and on systems other than Linux, which do not list those that a library
started, a worker is an interpreter that runs `python -m hvdegraded.reading.worker_process`; until it is
ready, the process that started it reads alone. Neither is multiprocessing's: its forks do not ask for
threads, its other ways run the user's own main module again, and none may start in a daemon of its own.

Both kinds talk pickle over two pipes.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from threading import Lock
from typing import IO, Protocol, cast

from hvdegraded.errors import SourceError
from hvdegraded.reading.child_process import environment, module_command
from hvdegraded.reading.inputs import display_path
from hvdegraded.reading.jobs import ReadJob
from hvdegraded.reading.shares import Message, PathStep
from hvdegraded.reading.step_reader import StepReader, packed, unpacked
from hvdegraded.records.report import ReadReport

__all__ = ["Worker", "WorkerEndedError"]

_TICK = 0.2  # seconds
_PAUSE = 0.005  # seconds between looks at whether a process has ended
_READY = b"ready"


class WorkerEndedError(SourceError):
    """A worker that ended before it had read its share."""

    def __init__(self, how: str, path: str) -> None:
        what = f"a worker process ended ({how})"
        super().__init__(what, path=path, hint="read it again, or with workers=1")


class _Process(Protocol):
    """What is used of a process, as `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def kill(self) -> None: ...


class Worker:
    """A worker process, which reads one share at a time; one that was killed is started anew."""

    def __init__(self, job: ReadJob, others: Sequence[Worker] = ()) -> None:
        self._job = job
        self._ended = False
        self._changing = Lock()  # of the process
        self._start(others)

    def _start(self, others: Sequence[Worker] = ()) -> None:
        self._process: _Process
        self._send: IO[bytes]
        self._answers: IO[bytes]
        if sys.platform == "linux" and _is_alone():
            pipes = [pipe.fileno() for other in others for pipe in (other._send, other._answers)]
            self._process, self._send, self._answers = _forked(self._job, pipes)
            return
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            module_command("hvdegraded.reading.worker_process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        )
        self._process = process
        self._send, self._answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        with suppress(OSError):  # one that ended at once is reported when it is asked
            pickle.dump(self._job, self._send, pickle.HIGHEST_PROTOCOL)
            self._send.flush()

    def wait_until_ready(self) -> None:
        """Wait until it can read, or has ended."""
        with suppress(OSError, ValueError):
            self._answers.read(len(_READY))

    def read(self, steps: Sequence[PathStep]) -> Iterator[Message]:
        """What the worker makes of a share. Never raises: where it ended, the last message says so."""
        with self._changing:
            is_new = self._process.poll() is not None and not self._ended
            if is_new:
                self._close_pipes()
                self._start()
        if is_new:
            self.wait_until_ready()
        to_come = len(steps)
        try:
            pickle.dump(
                [one._replace(step=one.step._replace(items=[])) for one in steps],
                self._send,
                pickle.HIGHEST_PROTOCOL,
            )
            self._send.flush()
            while to_come:
                messages: list[Message] = pickle.load(self._answers)  # noqa: S301  # from our own child
                for message in messages:
                    to_come -= message.last
                    is_packed = self._job.mapper is None
                    yield message._replace(results=unpacked(message.results)) if is_packed else message
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            path = display_path(steps[-to_come].path)
            yield Message([], ReadReport(), WorkerEndedError(self._ending(), path))

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


# -------------------------------------------------------------------- a fork


class _Fork:
    """A process that was forked."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """How it ended: its code, or the negative signal; None while it runs."""
        if self._code is None:
            try:
                ended, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # the program waits for all of its children itself
                self._code = 0
            else:
                self._code = os.waitstatus_to_exitcode(status) if ended else None
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; returns as `poll` does. Raises TimeoutExpired after so many seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired("worker", timeout or 0)
            time.sleep(_PAUSE)
        return code

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def _is_alone() -> bool:
    """Whether this process has one thread."""
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def _forked(job: ReadJob, foreign: Sequence[int]) -> tuple[_Fork, IO[bytes], IO[bytes]]:
    """Fork a worker, which closes these `foreign` descriptors; returns it and the pipes to and from it."""
    source, send = os.pipe()
    answers, target = os.pipe()
    pid = os.fork()
    if pid:
        os.close(source)
        os.close(target)
        return _Fork(pid), open(send, "wb"), open(answers, "rb")
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for descriptor in (send, answers, *foreign):
            os.close(descriptor)
        _run(lambda: job, open(source, "rb"), open(target, "wb"))  # noqa: SIM115
        code = 0
    except BaseException:  # noqa: BLE001  # nothing of the program may run in its copy
        traceback.print_exc()
    finally:
        os._exit(code)


# -------------------------------------------------------------------- what runs in it


def _run(job_of: Callable[[], ReadJob], source: IO[bytes], target: IO[bytes]) -> None:
    """Read share after share until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted too, and ends its workers
    with suppress(OSError):  # there may be no standard error
        os.dup2(2, 1)  # what is printed must not come between the results
    with suppress(BrokenPipeError), target:
        job = job_of()
        reader = StepReader(job)
        target.write(_READY)
        target.flush()
        while True:
            try:
                steps = pickle.load(source)  # noqa: S301  # from our own parent
            except EOFError:
                return
            messages = reader.messages(steps)
            for sent in map(_as_sent, messages) if job.mapper is None else [list(messages)]:
                pickle.dump(sent, target, pickle.HIGHEST_PROTOCOL)
                target.flush()


def _as_sent(message: Message) -> list[Message]:
    return [message._replace(results=packed(message.results))]


def _main() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    source = sys.stdin.buffer
    _run(lambda: cast("ReadJob", pickle.load(source)), source, answers)  # noqa: S301  # from our own parent


if __name__ == "__main__":
    # so that pickles know these classes by the name that the parent uses
    from hvdegraded.reading import worker_process

    worker_process._main()
