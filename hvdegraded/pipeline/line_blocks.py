"""Lines in and out of pipes: whole and in order, however few bytes a pipe takes or gives at a time."""

from __future__ import annotations

import codecs
import io
import os
import select
import time
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

from hvdegraded.tabular.encodings import encoding_by_mark

__all__ = ["LineBlock", "LineReader", "write_whole"]

_BLOCK = 1 << 16  # with its digest and its copies, it stays in the cache of a core
_LONGEST_MARK = 4  # bytes of a byte-order mark
_MARK_BEGINS = b"\xff\xfe\0"  # with one of these, that of an encoding other than UTF-8
_PAUSE = 0.05  # seconds, where the system cannot say when a stream is ready


class LineBlock(NamedTuple):
    """Whole lines, of which the stream's last may lack its end; or a part of a line that is too long.

    `first` marks the first part of such a line.
    """

    data: bytes
    is_part: bool = False
    first: bool = False


class LineReader:
    """A stream in blocks of whole lines, each given as soon as it is there.

    A line of more than `longest` bytes comes in parts, unless it arrived in one piece. `head` is what was
    read first, before it was cut into lines. If the stream is `stopped` within a line, `cut` counts the bytes
    of it that were read and not given, and `torn` says that parts of it were.
    """

    def __init__(self, source: BinaryIO, longest: int) -> None:
        self.encoding = "utf-8"
        self.head = b""
        self.cut = 0
        self.torn = False
        self._source = source
        self._read = _reading(source)
        self._longest = longest

    def blocks(self) -> Iterator[LineBlock]:
        """Give the blocks; in UTF-8, if a byte-order mark names another `encoding` too."""
        pending: list[bytes] = []
        size, within = 0, False
        data = self._begin()
        while data:
            if within:
                end = data.find(b"\n") + 1
                yield LineBlock(data[: end or len(data)], is_part=True)
                within, data = not end, data[end:] if end else b""
            end = data.rfind(b"\n") + 1
            if end:
                yield LineBlock(b"".join((*pending, memoryview(data)[:end])))
                pending, size, data = [], 0, data[end:]
            if data:
                pending.append(data)
                size += len(data)
            if size > self._longest:
                yield LineBlock(b"".join(pending), is_part=True, first=True)
                pending, size, within = [], 0, True
            data = self._read(_BLOCK)
        if getattr(self._source, "stopped", False):
            self.cut, self.torn = size, within
        elif size:
            yield LineBlock(b"".join(pending))

    def _begin(self) -> bytes:
        head = self._read(_BLOCK)
        while 0 < len(head) < _LONGEST_MARK and head[0] in _MARK_BEGINS and (more := self._read(_BLOCK)):
            head += more
        self.head = head
        marked = encoding_by_mark(head)
        if marked is None or marked.codec == "utf-8":
            return head
        self.encoding = marked.codec
        self._read = _as_utf8(marked.codec, head[marked.mark :], self._read)
        return self._read(_BLOCK)


def write_whole(target: BinaryIO, data: bytes) -> None:
    """Write all of the bytes and flush them, waiting where the target takes none at the moment."""
    rest: bytes | memoryview = data
    while len(rest):
        try:
            count = target.write(rest)
        except BlockingIOError as error:
            count = error.characters_written
            _wait(target, for_reading=False)
        if count is None and isinstance(target, io.RawIOBase):
            _wait(target, for_reading=False)
        else:
            rest = memoryview(rest)[len(rest) if count is None else count :]
    while True:
        try:
            target.flush()
        except BlockingIOError:
            _wait(target, for_reading=False)
        else:
            return


def _as_utf8(codec: str, head: bytes, read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """The way to read a text, of which `head` was read, as UTF-8."""
    decode = codecs.getincrementaldecoder(codec)("replace").decode

    def texts() -> Iterator[str]:
        yield decode(head)
        while data := read(_BLOCK):
            yield decode(data)
        yield decode(b"", final=True)

    pieces = (text.encode("utf-8", "replace") for text in texts() if text)
    return lambda _: next(pieces, b"")


def _reading(source: Any) -> Callable[[int], bytes]:
    """The way to read what is there, waiting only where nothing is."""
    read: Callable[[int], bytes | None] = getattr(source, "read1", None) or source.read
    if isinstance(source, io.BufferedReader):
        return lambda size: read(size) or (_read_raw(source.raw, size) if _never_waits(source) else b"")
    if isinstance(source, io.RawIOBase):
        return lambda size: _read_raw(source, size)
    return read  # type: ignore[return-value]  # only raw streams give None


def _never_waits(source: io.BufferedReader) -> bool:
    """Whether the input of a buffered stream is O_NONBLOCK: it gives nothing where it would have to wait."""
    try:
        return not os.get_blocking(source.fileno())
    except (OSError, AttributeError):
        return False


def _read_raw(source: Any, size: int) -> bytes:
    """Read a raw stream, which gives None where it would have to wait (O_NONBLOCK)."""
    while (data := source.read(size)) is None:
        _wait(source, for_reading=True)
    return bytes(data)


def _wait(stream: Any, *, for_reading: bool) -> None:
    """Wait until a stream takes or gives bytes."""
    try:
        descriptor = stream.fileno()
    except (OSError, AttributeError):
        time.sleep(_PAUSE)
        return
    if os.name != "posix":
        time.sleep(_PAUSE)
        return
    readers, writers = ([descriptor], []) if for_reading else ([], [descriptor])
    select.select(readers, writers, [])
