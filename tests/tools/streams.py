"""The command `label` on pipes: fed, read and disturbed by tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

LABEL = [sys.executable, "-m", "hvdegraded", "label"]


def numbered(count: int, size: int = 20) -> list[bytes]:
    """Lines that are not of Hyper-V, each with its number."""
    return [b'{"seq":%d,"x":"%s"}\n' % (number, b"y" * size) for number in range(count)]


def start(*arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
    """Start `label` on pipes."""
    pipe = subprocess.PIPE
    given: dict[str, Any] = {"stdin": pipe, "stdout": pipe, "stderr": pipe, "bufsize": 0} | options
    environment = dict(os.environ) | given.pop("environment", {})
    return subprocess.Popen([*LABEL, *map(str, arguments)], env=environment, **given)


def feed(process: subprocess.Popen[bytes], pieces: Iterable[bytes], pause: float = 0.0) -> threading.Thread:
    """Write to a process in a thread, then close its input; a reader that is gone ends it."""
    target = process.stdin
    assert target is not None

    def run() -> None:
        try:
            for piece in pieces:
                rest = memoryview(piece)
                while rest:
                    rest = rest[target.write(rest) :]
                if pause:
                    time.sleep(pause)
            target.close()
        except (OSError, ValueError):  # its reader is gone, or the test is over
            pass

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def read_slowly(
    descriptor: int, into: list[bytes], size: int = 8192, pause: float = 0.001
) -> threading.Thread:
    """Read a descriptor to its end in a thread, a little at a time."""

    def run() -> None:
        while data := os.read(descriptor, size):
            into.append(data)
            if pause:
                time.sleep(pause)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def until_full(pipe: IO[bytes]) -> None:
    """Wait until a pipe that is not read holds so much that its writer is within a line."""
    import fcntl
    import termios

    def held() -> int:
        return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)

    until(lambda: held() > 1 << 15)


def sequence(data: bytes) -> list[int]:
    """The numbers of lines that came out; a torn line is not JSON."""
    return [json.loads(line)["seq"] for line in data.splitlines()]
