"""Standard streams: text out with escapes, bytes in and out."""

from __future__ import annotations

import sys
from typing import BinaryIO

from hvdegraded.errors import HvdegradedError, SourceError
from hvdegraded.printable import printable

__all__ = ["print_lines", "standard_input", "standard_output", "tell"]


def tell(what: object) -> None:
    """Print a message to stderr."""
    print(f"hvdegraded: {printable(str(what))}", file=sys.stderr)


def print_lines(text: str) -> None:
    """Print a text to stdout, line by line."""
    for line in text.split("\n"):
        print(printable(line))


def standard_input() -> BinaryIO:
    """Standard input, as bytes."""
    if sys.stdin is None:
        raise SourceError("standard input is closed")
    if sys.stdin.buffer.isatty():
        tell("reading what you type; Ctrl-D ends it (on Windows: Ctrl-Z, Enter)")
    return sys.stdin.buffer


def standard_output() -> BinaryIO:
    """Standard output, as bytes."""
    if sys.stdout is None:
        raise HvdegradedError("standard output is closed")
    return sys.stdout.buffer
