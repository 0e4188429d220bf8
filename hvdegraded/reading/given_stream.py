"""A binary stream that the caller gave: it reads like a file, or fails with an error of ours."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

from hvdegraded.errors import SourceError

__all__ = ["given_stream"]

_FAULTS = (OSError, ValueError, TypeError, AttributeError)
"""What streams raise that are closed, not readable, or objects of another kind."""


def given_stream(stream: Any) -> BinaryIO:
    """A stream of the caller's, which stays open; it can seek where the given one really can.

    Reading raises SourceError where the given one fails.
    """
    return io.BufferedReader(_Given(stream))


class _Given(io.RawIOBase):
    """The given stream, in bytes and with errors of ours."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._seekable = _can_seek(stream)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._seekable

    def readinto(self, buffer: Any) -> int:
        try:
            block = self._stream.read(len(buffer))
        except _FAULTS as error:
            raise _unreadable(error) from error
        if isinstance(block, str):
            raise SourceError("the stream gives text", hint="open it in binary mode")
        if block is None:
            raise _unreadable("it does not block, and has nothing to read now")
        if not isinstance(block, (bytes, bytearray, memoryview)):
            raise _unreadable(f"it gives {type(block).__name__}, not bytes")
        if len(block) > len(buffer):
            raise _unreadable(f"it gives {len(block)} bytes where {len(buffer)} were asked for")
        buffer[: len(block)] = block
        return len(block)

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return int(self._stream.seek(offset, whence))
        except _FAULTS as error:
            raise _unreadable(error) from error

    def tell(self) -> int:
        try:
            return int(self._stream.tell())
        except _FAULTS as error:
            raise _unreadable(error) from error


def _can_seek(stream: Any) -> bool:
    try:
        return bool(stream.seekable()) and stream.seek(stream.tell()) is not None
    except _FAULTS:
        return False


def _unreadable(why: Exception | str) -> SourceError:
    what = why if isinstance(why, str) else str(why) or type(why).__name__
    return SourceError(f"the stream cannot be read: {what}", hint="give an open, blocking binary stream")
