"""Standard streams: text out with escapes, bytes in and out."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import select
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, cast

from hvdegraded.errors import HvdegradedError, SourceError
from hvdegraded.formats.drafts import check_output, drafted
from hvdegraded.printable import printable

__all__ = [
    "announce_typing",
    "check_standard_output",
    "escapes_name",
    "opened",
    "print_lines",
    "print_wrapped",
    "printed_to",
    "standard_input",
    "standard_output",
    "tell",
]

_ESCAPES = "hvdegraded.signs"
_SIGNS = {"×": "x", "…": "...", "→": "->"}
_NARROWEST = 20
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


def print_wrapped(text: str) -> None:
    """Print a text to stdout in lines as wide as the terminal, or as COLUMNS says; else as they are."""
    import shutil
    import textwrap

    wraps = os.environ.get("COLUMNS", "").isdecimal() or sys.stdout.isatty()
    width = max(shutil.get_terminal_size().columns, _NARROWEST)
    for line in map(printable, text.split("\n")):
        indent = " " * (len(line) - len(line.lstrip(" ")))
        if wraps and len(line) > width > 2 * len(indent):
            wrap = textwrap.TextWrapper(width, subsequent_indent=indent)
            wrap.break_long_words = wrap.break_on_hyphens = False
            line = wrap.fill(line)
        print(line)


def escapes_name() -> str:
    """Return the name of the way to show what an encoding lacks: our own signs in ASCII, the rest as escapes.

    A console of code page 437 has no ×, one of 850 no …; what logs contain must not be changed like that.
    """
    codecs.register_error(_ESCAPES, _escaped)
    return _ESCAPES


def _escaped(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeEncodeError):
        sign = _SIGNS.get(error.object[error.start])
        if sign is not None:
            return sign, error.start + 1
    return codecs.backslashreplace_errors(error)


@contextlib.contextmanager
def printed_to(
    path: str, inputs: Iterable[str | int | os.PathLike[str]], encoding: str = "utf-8"
) -> Iterator[None]:
    """Write what such a block prints to a file; nothing is written if the block raises.

    The file is opened when something is printed, so that a reading of its folder does not meet a draft.
    Raises OutputError at once if the path is an input or cannot be written.
    """
    protected = list(inputs)
    check_output(path, protected)
    with contextlib.ExitStack() as stack:
        late = _LateFile(lambda: stack.enter_context(drafted(path, protected)))
        target = io.TextIOWrapper(cast("BinaryIO", late), encoding, errors="backslashreplace", newline="\n")
        try:
            with contextlib.redirect_stdout(target):
                yield
            target.flush()
            late.write(b"")
        finally:
            target.detach()


class _LateFile(io.RawIOBase):
    """A stream that is opened when it is first written to."""

    def __init__(self, opened: Callable[[], BinaryIO]) -> None:
        self._opened = opened
        self._stream: BinaryIO | None = None

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def write(self, data: Any, /) -> int:
        """Write bytes."""
        self._stream = self._stream or self._opened()
        return self._stream.write(data)


def standard_input() -> BinaryIO:
    """Standard input, as bytes."""
    announce_typing()
    return sys.stdin.buffer


def opened(path: str) -> BinaryIO:
    """Open a file to read. Raises SourceError where it cannot be."""
    try:
        return cast("BinaryIO", io.FileIO(path, "rb"))
    except OSError as error:
        wrong = f"the file cannot be read: {error.strerror}"
        raise SourceError(wrong, path=path, hint="check path and rights") from None


def announce_typing() -> None:
    """Say on a terminal that input is expected. Raises SourceError if standard input is closed."""
    if sys.stdin is None:
        raise SourceError("standard input is closed")
    if sys.stdin.buffer.isatty():
        tell("reading what you type; Ctrl-D ends it (on Windows: Ctrl-Z, Enter)")


def check_standard_output() -> None:
    """Raise HvdegradedError if standard output is closed: what is printed there is lost."""
    if sys.stdout is None:
        raise HvdegradedError("standard output is closed", hint="name a file to write to, as -o report.txt")


def standard_output() -> BinaryIO:
    """Standard output, as bytes without a buffer."""
    return cast("BinaryIO", io.FileIO(sys.stdout.fileno(), "wb", closefd=False))
