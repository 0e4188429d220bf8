"""Standard streams: text out with escapes, bytes in and out."""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys
from typing import BinaryIO, cast

from hvdegraded.errors import HvdegradedError, SourceError
from hvdegraded.printable import printable

__all__ = ["announce_typing", "print_lines", "standard_input", "standard_output", "tell"]

_LONGEST_MESSAGE = 4000  # bytes; a pipe that takes any takes so many at once


def tell(what: object, *, wait: float | None = None) -> None:
    """Print a message to stderr, if there is one and it works; give up after `wait` seconds, if given."""
    if sys.stderr is None:  # print would take stdout in its place
        return
    text = f"hvdegraded: {printable(str(what))}"
    with contextlib.suppress(OSError, ValueError):  # closed, full, or its reader is gone
        if wait is not None:
            text = text[:_LONGEST_MESSAGE]
            if os.name == "posix" and not select.select([], [sys.stderr.fileno()], [], wait)[1]:
                return
        print(text, file=sys.stderr, flush=True)


def print_lines(text: str) -> None:
    """Print a text to stdout, line by line."""
    for line in text.split("\n"):
        print(printable(line))


def standard_input() -> BinaryIO:
    """Standard input, as bytes."""
    announce_typing()
    return sys.stdin.buffer


def announce_typing() -> None:
    """Say on a terminal that input is expected. Raises SourceError if standard input is closed."""
    if sys.stdin is None:
        raise SourceError("standard input is closed")
    if sys.stdin.buffer.isatty():
        tell("reading what you type; Ctrl-D ends it (on Windows: Ctrl-Z, Enter)")


def standard_output() -> BinaryIO:
    """Standard output, as bytes without a buffer."""
    if sys.stdout is None:
        raise HvdegradedError("standard output is closed")
    return cast("BinaryIO", io.FileIO(sys.stdout.fileno(), "wb", closefd=False))
