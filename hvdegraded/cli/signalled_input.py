"""Standard input that a signal ends: what was read is still labelled, and the line under way completed."""

from __future__ import annotations

import contextlib
import io
import os
import select
import signal
import time
from collections.abc import Iterator
from types import FrameType

from hvdegraded.errors import SourceError

__all__ = ["SignalledInput", "ended_by_signals"]

_QUIET = 1.0  # seconds without a byte after which the rest of a line is given up
_LONGEST_WAIT = 5.0  # seconds for the rest of a line in all
_LONG, _PIECE = 1 << 16, 1 << 12  # a line is completed byte by byte, a long one faster
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")  # the last when a terminal or its connection goes
_WAKE_BYTES = 64  # at a time; each is a signal


class SignalledInput(io.RawIOBase):
    """A file descriptor as a stream that ends where a signal comes, at the end of the line under way.

    `signals` lists those that came; `stopped` says that one did. A second one gives up the rest of a line, or
    raises KeyboardInterrupt while nothing is read.
    """

    def __init__(self, descriptor: int, wake: int | None = None) -> None:
        self.signals: list[int] = []
        self._descriptor = descriptor
        self._wake = wake
        self._within = False
        self._reads = False
        self._deadline = 0.0
        self._taken = 0  # pieces since a signal came

    @property
    def stopped(self) -> bool:
        """Whether a signal ended the stream."""
        return bool(self.signals)

    def stop(self, number: int, _: FrameType | None = None) -> None:
        """End the stream; a handler of signals."""
        self.signals.append(number)
        if len(self.signals) > 1 and not self._reads:
            raise KeyboardInterrupt

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Read what is there, waiting for it; empty at the end, and where a signal came between two lines."""
        self._reads = True
        try:
            data = self._read(1 << 16 if size < 0 else size)
        finally:
            self._reads = False
        if data:
            self._within = not data.endswith(b"\n")
        return data

    def _read(self, size: int) -> bytes:
        while True:
            if self.stopped:
                if not self._within or not self._gets_more():
                    return b""
                size = _PIECE if self._taken > _LONG else 1  # of the next line nothing is taken, or little
            elif self._wake is not None:
                ready, _, _ = select.select([self._descriptor, self._wake], [], [])
                if self._wake in ready:
                    os.read(self._wake, _WAKE_BYTES)
                    continue
            with contextlib.suppress(BlockingIOError):  # O_NONBLOCK, and another reader was faster
                try:
                    data = os.read(self._descriptor, size)
                except OSError as error:
                    if isinstance(error, BlockingIOError):
                        raise
                    if self.stopped:  # the terminal is gone
                        return b""
                    raise SourceError(f"the input cannot be read: {error.strerror}") from error
                self._taken += self.stopped
                return data

    def _gets_more(self) -> bool:
        """Wait for more of the line under way; returns whether there is any."""
        if self._wake is None:
            return True
        while len(self.signals) == 1:
            now = time.monotonic()
            self._deadline = self._deadline or now + _LONGEST_WAIT
            patience = min(_QUIET, self._deadline - now)
            if patience <= 0:
                return False
            ready, _, _ = select.select([self._descriptor, self._wake], [], [], patience)
            if self._wake not in ready:
                return bool(ready)
            os.read(self._wake, _WAKE_BYTES)
        return False


@contextlib.contextmanager
def ended_by_signals(descriptor: int) -> Iterator[SignalledInput]:
    """Give a descriptor as a stream that SIGINT, SIGTERM and SIGHUP end, as long as the block runs.

    A signal that is ignored, as `nohup` has it, stays so.
    """
    wake = sleeper = None
    if os.name == "posix":
        sleeper, wake = os.pipe()
        os.set_blocking(wake, False)
    source = SignalledInput(descriptor, sleeper)
    before = {}
    old_wake = -1
    with contextlib.suppress(ValueError):  # another thread than the main one
        if wake is not None:
            old_wake = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for name in _ENDING:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, source.stop)
    try:
        yield source
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if before and wake is not None:
            signal.set_wakeup_fd(old_wake)
        for one in (wake, sleeper):
            if one is not None:
                os.close(one)
