"""Compressed inputs as streams of what they hold: gzip, zip and zstd.

Expansion is bounded: an input may become 256 MB, or 256 times its own size, up to 8 GB; logs compress ten to
thirty times. What is damaged or cut off is read as far as it goes, and told.
"""

from __future__ import annotations

import io
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import IO, Any, BinaryIO

from hvdegraded.errors import SourceError
from hvdegraded.records.items import Note, NoteKind

__all__ = ["Expansion", "gunzipped", "members", "unzstd"]

MOST_EXPANDED = 8 << 30  # bytes
_MOST_MEMBERS = 100_000
_BLOCK = 1 << 20
_PACKED_BLOCK = 1 << 12  # what is damaged costs the rest of its block
_GZIP_WINDOW = 31  # what zlib calls a gzip header and the largest window


class Expansion:
    """What a compressed input has become, and may: `packed` are its own bytes, as far as they were read.

    It may become `freely` so many bytes, or so many `times` its own.
    """

    def __init__(self, packed: int = 0, *, freely: int = 256 << 20, times: int = 256) -> None:
        self.packed = packed
        self._freely, self._times = freely, times
        self._made = 0

    @property
    def allowed(self) -> int:
        """Bytes that the input may become in all."""
        return min(MOST_EXPANDED, max(self._freely, self._times * self.packed))

    def within(self, blocks: Iterator[bytes], notes: list[Note]) -> Iterator[bytes]:
        """The blocks, until they are too many."""
        for block in blocks:
            self._made += len(block)
            if self._made > self.allowed:
                text = f"only {self.allowed} bytes of what is compressed were read; logs give far less"
                notes.append(Note(NoteKind.LIMIT, text, incomplete=True))
                return
            yield block


def _damaged(what: str) -> Note:
    return Note(NoteKind.TRUNCATED, what, incomplete=True)


class Blocks(io.RawIOBase):
    """Blocks of bytes as a stream that cannot seek."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _stream(blocks: Iterator[bytes]) -> BinaryIO:
    return io.BufferedReader(Blocks(blocks), _BLOCK)


def gunzipped(stream: BinaryIO, notes: list[Note], expansion: Expansion | None = None) -> BinaryIO:
    """What a gzip stream of one or more members holds, as far as it can be read."""
    expansion = expansion or Expansion()

    def inflated() -> Iterator[bytes]:
        inflate = zlib.decompressobj(_GZIP_WINDOW)
        pending = b""
        try:
            while block := pending or read():
                yield inflate.decompress(block, _BLOCK)
                pending = inflate.unconsumed_tail
                if inflate.eof:
                    pending = inflate.unused_data.lstrip(b"\0") or read().lstrip(b"\0")
                    if not pending:
                        return
                    inflate = zlib.decompressobj(_GZIP_WINDOW)
        except zlib.error as error:
            notes.append(_damaged(f"the compressed data are damaged: {error}"))
            return
        notes.append(_damaged("the compressed data end early"))

    def read() -> bytes:
        block = stream.read(_PACKED_BLOCK) or b""
        expansion.packed += len(block)
        return block

    return _stream(expansion.within(inflated(), notes))


def unzstd(stream: BinaryIO, notes: list[Note]) -> BinaryIO:
    """What a zstd stream of one or more frames holds, as far as it can be read."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    expansion = Expansion()

    def inflated() -> Iterator[bytes]:
        inflate = zstd.ZstdDecompressor()
        try:
            while True:
                block = b""
                if inflate.needs_input:
                    block = stream.read(_PACKED_BLOCK) or b""
                    expansion.packed += len(block)
                    if not block:
                        break
                yield inflate.decompress(block, _BLOCK)
                while inflate.eof:
                    block = inflate.unused_data or stream.read(_PACKED_BLOCK) or b""
                    if not block:
                        return
                    inflate = zstd.ZstdDecompressor()
                    yield inflate.decompress(block, _BLOCK)
        except zstd.ZstdError as error:
            notes.append(_damaged(f"the compressed data are damaged: {error}"))
            return
        notes.append(_damaged("the compressed data end early"))

    return _stream(expansion.within(inflated(), notes))


# What zipfile, and the decompressors under it, raise for damaged archives.
_DAMAGE: tuple[type[Exception], ...] = (
    EOFError,
    LookupError,
    OSError,
    OverflowError,
    RuntimeError,  # encrypted, or compressed in a way that Python does not know
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
try:
    import lzma
except ImportError:  # Python can be built without
    pass
else:
    _DAMAGE += (lzma.LZMAError,)

Member = Callable[[str, list[Note], ExitStack], BinaryIO]
"""Opens a member of an archive for as long as the stack lasts. Raises SourceError where it cannot be read."""


def members(
    stream: BinaryIO, path: str | None, notes: list[Note], expansion: Expansion | None = None
) -> Iterator[tuple[str, Member]]:
    """Names of the files in a zip archive, with what opens them.

    Raises SourceError where the archive cannot be read.
    """
    try:
        archive = zipfile.ZipFile(stream)
    except _DAMAGE as error:
        raise SourceError(f"the archive cannot be read: {error}", path=path) from None
    expansion = expansion or Expansion()
    expansion.packed = stream.seek(0, 2)
    with archive:
        files = [member for member in archive.infolist() if not member.is_dir()]
        for file in files[:_MOST_MEMBERS]:

            def opened(
                part: str, found: list[Note], held: ExitStack, file: zipfile.ZipInfo = file
            ) -> BinaryIO:
                try:
                    packed = held.enter_context(archive.open(file))
                except _DAMAGE as error:
                    raise SourceError(str(error), path=part, hint="unpack it first") from None
                return _stream(expansion.within(_unpacked(packed, found), found))

            yield file.filename, opened
    if len(files) > _MOST_MEMBERS:
        notes.append(Note(NoteKind.LIMIT, f"only the first {_MOST_MEMBERS} members were read"))


def _unpacked(packed: IO[bytes], notes: list[Note]) -> Iterator[bytes]:
    try:
        while block := packed.read(_BLOCK):
            yield block
    except _DAMAGE as error:
        notes.append(_damaged(f"the compressed data are damaged: {error}"))
