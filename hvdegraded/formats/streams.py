"""Streams of inputs: their first bytes, which are put back, and copies of those that cannot seek."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any, BinaryIO, cast

from hvdegraded.errors import SourceError
from hvdegraded.records.items import Note, NoteKind
from hvdegraded.records.temporary import writing_temporarily

__all__ = ["HEAD", "peeked", "seekable"]

HEAD = 8192
"""Bytes that show what an input is."""

_IN_MEMORY = 64 << 20
_BLOCK = 1 << 20
_MOST_COPIED = 8 << 30  # bytes of a stream that cannot seek


def peeked(stream: BinaryIO, path: str | None) -> tuple[BinaryIO, bytes]:
    """The stream at its start, and its first bytes."""
    start = stream.tell() if stream.seekable() else None
    head = stream.read(HEAD) or b""
    if isinstance(head, str):
        raise SourceError("the stream gives text", path=path, hint="open it in binary mode")
    while len(head) < HEAD and (more := stream.read(HEAD - len(head))):
        head += more
    if start is None:
        is_whole = len(head) < HEAD
        return io.BytesIO(head) if is_whole else io.BufferedReader(_Unread(head, stream)), head
    stream.seek(start)
    return stream, head


class _Unread(io.RawIOBase):
    """A stream that cannot seek, with its first bytes put back; closing it leaves the stream open."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._head[: len(buffer)] or self._stream.read(len(buffer)) or b""
        self._head = self._head[len(buffer) :]
        buffer[: len(block)] = block
        return len(block)


def seekable(stream: BinaryIO, notes: list[Note], held: ExitStack) -> BinaryIO:
    """The stream, or a temporary copy of one that cannot seek."""
    if stream.seekable():
        return stream
    read = getattr(stream, "read1", stream.read)  # which gives what came before a fault
    return _copied(iter(lambda: read(_BLOCK), b""), notes, held)


def _up_to_a_fault(blocks: Iterable[bytes], notes: list[Note]) -> Iterator[bytes]:
    """The blocks that a stream gives before it breaks off. Raises SourceError where there are none."""
    size = 0
    try:
        for block in blocks:
            size += len(block)
            yield block
    except SourceError as error:
        if not size:
            raise
        notes.append(Note(NoteKind.TRUNCATED, f"behind {size} bytes {error.message}", incomplete=True))


def _copied(blocks: Iterable[bytes], notes: list[Note], held: ExitStack) -> BinaryIO:
    from tempfile import SpooledTemporaryFile

    spool = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed by `held`
    held.enter_context(spool)
    size = 0
    for block in _up_to_a_fault(blocks, notes):
        size += len(block)
        if size > _MOST_COPIED:
            text = f"only the first {_MOST_COPIED} bytes of the stream were read"
            notes.append(Note(NoteKind.LIMIT, text, incomplete=True))
            break
        with writing_temporarily():
            spool.write(block)
    with writing_temporarily():
        spool.seek(0)
    return cast("BinaryIO", spool)
