"""A binary stream that the caller gave: it reads like a file, or fails with an error of ours."""

from __future__ import annotations

from typing import Any

from hvdegraded.errors import SourceError

__all__ = ["GivenStream"]

_FAULTS = (OSError, ValueError, TypeError, AttributeError, NotImplementedError)
"""What streams raise that are closed, not readable, or objects of another kind."""


class GivenStream:
    """A stream of the caller's, which stays open; where it cannot seek, `seekable` is false.

    Raises SourceError where it cannot be read.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._seekable = _can_seek(stream)

    def seekable(self) -> bool:
        """Return whether `seek` and `tell` work."""
        return self._seekable

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, fewer than `size` only as the stream itself gives fewer."""
        try:
            block = self._stream.read(size)
        except _FAULTS as error:
            raise _unreadable(str(error) or type(error).__name__) from error
        if isinstance(block, bytes):
            return block
        if isinstance(block, (bytearray, memoryview)):
            return bytes(block)
        if isinstance(block, str):
            raise SourceError("the stream gives text", hint="open it in binary mode")
        if block is None:
            raise _unreadable("it does not block, and has nothing to read now")
        raise _unreadable(f"it gives {type(block).__name__}, not bytes")

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, and return it."""
        try:
            return int(self._stream.seek(offset, whence))
        except _FAULTS as error:
            raise _unreadable(str(error) or type(error).__name__) from error

    def tell(self) -> int:
        """Return the place in the stream."""
        try:
            return int(self._stream.tell())
        except _FAULTS as error:
            raise _unreadable(str(error) or type(error).__name__) from error


def _can_seek(stream: Any) -> bool:
    try:
        return bool(stream.seekable()) and stream.seek(stream.tell()) is not None
    except _FAULTS:
        return False


def _unreadable(why: str) -> SourceError:
    return SourceError(f"the stream cannot be read: {why}", hint="give an open, blocking binary stream")
