"""Compressed inputs as streams of what they hold: gzip, zip and zstd.

Expansion is bounded: an input may become 256 MB, or 256 times its own size, up to 8 GB; logs compress ten to
thirty times. What is damaged or cut off is read up to there, and reported. A block at a time is held,
whatever the method: `zipfile` itself expands blocks of bzip2, LZMA and zstd whole.
"""

from __future__ import annotations

import io
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, BinaryIO, NamedTuple, Protocol

from hvdegraded.errors import SourceError
from hvdegraded.formats.zip_members import ZIP_DAMAGE, ZipMember, packed_bytes, zip_members
from hvdegraded.records.items import Note, NoteKind

__all__ = ["CONTENT_TYPES", "Expansion", "gunzipped", "members", "unzstd"]

CONTENT_TYPES = "[Content_Types].xml"
"""The member that each document of Office has."""

MOST_EXPANDED = 8 << 30  # bytes
_MOST_MEMBERS = 100_000
_BLOCK = 1 << 20
_PACKED_BLOCK = 1 << 12  # what is damaged costs the rest of its block
_MOST_LZMA_MEMORY = 160 << 20  # bytes, for a dictionary of 128 MiB; 7-Zip takes up to 64 MiB by default
_ZIP_ZSTD = 93  # method of a member
_HAS_END_MARK = 2  # flag of an LZMA member
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
    """The readable content of a gzip stream of one or more members."""
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


class _Decompressor(Protocol):
    """A decompressor of the standard library but zlib's."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


_DAMAGE: tuple[type[Exception], ...] = (*ZIP_DAMAGE, zlib.error)  # the last by decompressors


class _Inflate:
    """A decompressor of plain deflate, as those of the other methods are."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._has_more = False  # output that waits, though all input is taken

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def needs_input(self) -> bool:
        return not (self._has_more or self._inflate.unconsumed_tail)

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
        block = self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)
        self._has_more = len(block) == max_length
        return block


class _Method(NamedTuple):
    """A compression method: what makes its decompressors, and what these raise for damaged data."""

    new: Callable[[], _Decompressor]
    damage: tuple[type[Exception], ...]


def _zstd() -> _Method:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return _Method(zstd.ZstdDecompressor, (zstd.ZstdError, *_DAMAGE))


def _bzip2() -> _Method:
    import bz2

    return _Method(bz2.BZ2Decompressor, _DAMAGE)


def _lzma(read: Callable[[int], bytes], size: int | None) -> _Method:
    """LZMA of a zip archive, whose head is read here; of an expanded `size`, or with a mark at its end."""
    import lzma

    _, length = struct.unpack("<HH", read(4))
    unpacked = (1 << 64) - 1 if size is None else size
    head = read(length)[:5] + unpacked.to_bytes(8, "little")

    def new() -> _Decompressor:
        decompressor = lzma.LZMADecompressor(lzma.FORMAT_ALONE, _MOST_LZMA_MEMORY)
        decompressor.decompress(head, 0)
        return decompressor

    return _Method(new, (lzma.LZMAError, *_DAMAGE))


def unzstd(stream: BinaryIO, notes: list[Note]) -> BinaryIO:
    """The readable content of a zstd stream of one or more frames."""
    expansion = Expansion()

    def read() -> bytes:
        block = stream.read(_PACKED_BLOCK) or b""
        expansion.packed += len(block)
        return block

    return _stream(expansion.within(_expanded(read, _zstd(), notes), notes))


def _expanded(read: Callable[[], bytes], method: _Method, notes: list[Note]) -> Iterator[bytes]:
    """What one or more frames hold, block by block."""
    try:
        decompressor = method.new()
        while True:
            packed = b""
            if decompressor.needs_input:
                packed = read()
                if not packed:
                    break
            yield decompressor.decompress(packed, _BLOCK)
            while decompressor.eof:
                packed = decompressor.unused_data or read()
                if not packed:
                    return
                decompressor = method.new()
                yield decompressor.decompress(packed, _BLOCK)
    except method.damage as error:
        notes.append(_damaged(f"the compressed data are damaged: {error}"))
        return
    notes.append(_damaged("the compressed data end early"))


Member = Callable[[str, list[Note], ExitStack], BinaryIO]
"""Opens a member of an archive for as long as the stack lasts. Raises SourceError where it cannot be read."""


def members(
    stream: BinaryIO, path: str | None, notes: list[Note], expansion: Expansion | None = None
) -> Iterator[tuple[str, Member]]:
    """Names of the files in a zip archive, with what opens them.

    Raises SourceError where the archive cannot be read.
    """
    try:
        files = [member for member in zip_members(stream, notes) if not member.is_folder]
    except _DAMAGE as error:
        raise SourceError(f"the archive cannot be read: {error}", path=path) from None
    expansion = expansion or Expansion()
    expansion.packed = stream.seek(0, 2)
    for file in files[:_MOST_MEMBERS]:

        def opened(part: str, found: list[Note], held: ExitStack, file: ZipMember = file) -> BinaryIO:
            try:
                packed = held.enter_context(packed_bytes(stream, file))
                blocks = _blocks_of(packed, file, found)
            except _DAMAGE as error:
                raise SourceError(str(error), path=part, hint="unpack it first") from None
            return _stream(expansion.within(blocks, found))

        yield file.name, opened
    if len(files) > _MOST_MEMBERS:
        notes.append(Note(NoteKind.LIMIT, f"only the first {_MOST_MEMBERS} members were read"))


def _blocks_of(packed: BinaryIO, file: ZipMember, notes: list[Note]) -> Iterator[bytes]:
    """What a member holds, block by block, though its checksum is wrong."""

    def read() -> bytes:
        return packed.read(_PACKED_BLOCK)

    if file.method == zipfile.ZIP_STORED:
        return _checked(iter(read, b""), file, notes)
    return _checked(_expanded(read, _method_of(file, packed), notes), file, notes)


def _method_of(file: ZipMember, packed: BinaryIO) -> _Method:
    """How a member is compressed. Raises NotImplementedError for a method that is not known."""
    method = file.method
    if method == zipfile.ZIP_DEFLATED:
        return _Method(_Inflate, _DAMAGE)
    if method == zipfile.ZIP_BZIP2:
        return _bzip2()
    if method == zipfile.ZIP_LZMA:
        return _lzma(packed.read, None if file.flags & _HAS_END_MARK else file.size)
    if method == _ZIP_ZSTD:
        return _zstd()
    raise NotImplementedError(f"compression method {method} is not supported")


def _checked(blocks: Iterator[bytes], file: ZipMember, notes: list[Note]) -> Iterator[bytes]:
    checksum = 0
    try:
        for block in blocks:
            checksum = zlib.crc32(block, checksum)
            yield block
    except _DAMAGE as error:
        notes.append(_damaged(f"the compressed data are damaged: {error}"))
    if checksum != file.checksum and file.checksum is not None and not notes:
        notes.append(_damaged("the compressed data are damaged: their CRC-32 does not match"))
