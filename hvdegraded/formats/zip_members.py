"""Where the members of a zip archive stand: by its directory, and by their own headers where it has none.

An archive can be cut, have lost its directory, or stand among other data: behind a program that unpacks it,
in front of zeros that a disk or a download added. Then `zipfile` finds no directory, or not all of it. What
stands there whole is found by the header in front of each member, and so is a member that the directory
leaves out. One that it names several times is given once.

Source: APPNOTE.TXT 6.3.10 of PKWARE, sections 4.3.7 (local file header), 4.3.9 (data descriptor) and 4.5.3.
"""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any, BinaryIO, NamedTuple

from hvdegraded.records.items import Note, NoteKind

__all__ = ["ZIP_DAMAGE", "ZipMember", "is_zip", "packed_bytes", "zip_members"]

ZIP_DAMAGE: tuple[type[Exception], ...] = (
    EOFError,
    LookupError,
    OSError,
    OverflowError,
    RuntimeError,  # encrypted, or compressed in a way that Python does not know
    ValueError,
    struct.error,
    zipfile.BadZipFile,
)
"""What `zipfile` raises for damaged archives."""

_HEADER, _DESCRIPTOR = b"PK\x03\x04", b"PK\x07\x08"
_MARKS = (_HEADER, b"PK\x01\x02", b"PK\x05\x06")  # one of them stands behind a member
_LOCAL = struct.Struct("<4s5H3I2H")
_END = struct.Struct("<4s4H2IH")
_SIZES = struct.Struct("<3I")  # of a descriptor: checksum, packed size, size
_LONG_SIZES = struct.Struct("<2H2Q")
_METHODS = frozenset((0, 8, 9, 12, 14, 93, 95, 98))
_HIGHEST_VERSION = 63
_ENCRYPTED, _HAS_DESCRIPTOR, _UTF8 = 1 << 0, 1 << 3, 1 << 11
_LONG, _ZIP64 = 0xFFFFFFFF, 1
_BLOCK = 1 << 18
_MOST_HEADERS = 200_000


class ZipMember(NamedTuple):
    """A member: where its header stands, how its bytes are packed, and what they become.

    `checksum` is None where the archive does not name it.
    """

    name: str
    offset: int
    flags: int
    method: int
    packed: int
    size: int
    checksum: int | None

    @property
    def is_folder(self) -> bool:
        """Whether the member stands for a folder."""
        return self.name.endswith("/")


def is_zip(stream: BinaryIO) -> bool:
    """Whether a stream that can seek, and keeps its place, ends with the directory of an archive."""
    place = stream.tell()
    try:
        return zipfile.is_zipfile(stream)
    finally:
        stream.seek(place)


def zip_members(stream: BinaryIO, notes: list[Note]) -> list[ZipMember]:
    """Find the members of an archive, in the order of its directory, then those that it does not name.

    Raises one of `ZIP_DAMAGE` for an archive without a directory, if it has no member either.
    """
    size = stream.seek(0, io.SEEK_END)
    damage: Exception | None = None
    listed: list[ZipMember] = []
    try:
        listed = _listed(stream, size, notes)
    except ZIP_DAMAGE as error:
        damage = error
    others = _unlisted(stream, size, {one.offset: one for one in listed}, notes)
    if listed and _is_inside(stream, listed, others):
        damage, listed = zipfile.BadZipFile("the directory is that of an archive within it"), []
    if damage is not None:
        if not others:
            raise damage
        text = f"the archive's directory is missing or damaged; {len(others)} members were found without it"
        notes.append(Note(NoteKind.TRUNCATED, text, incomplete=True))
    elif others:
        text = f"{len(others)} members are not in the archive's directory, and were found without it"
        notes.append(Note(NoteKind.HEADER, text))
    return listed + others


def packed_bytes(stream: BinaryIO, member: ZipMember) -> BinaryIO:
    """Give the bytes of a member as they are packed. Raises BadZipFile, or RuntimeError if encrypted."""
    if member.flags & _ENCRYPTED:
        raise RuntimeError("the member is encrypted")
    start = _start(stream, member.offset)
    if start is None:
        raise zipfile.BadZipFile("there is no member where the archive's directory names one")
    return io.BufferedReader(_Part(stream, start, start + member.packed))


class _Part(io.RawIOBase):
    """Some bytes of a stream, as a stream; others may seek in it meanwhile."""

    def __init__(self, stream: BinaryIO, start: int, end: int) -> None:
        self._stream = stream
        self._start, self._end = start, end
        self._place = start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = _read(self._stream, self._place, max(0, min(len(buffer), self._end - self._place)))
        buffer[: len(block)] = block
        self._place += len(block)
        return len(block)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = (self._start, self._place, self._end)[whence]
        if base + offset < self._start:
            raise ValueError("a place before the start")
        self._place = base + offset
        return self._place - self._start


def _listed(stream: BinaryIO, size: int, notes: list[Note]) -> list[ZipMember]:
    """The files that the directory names, each once."""
    try:
        archive = zipfile.ZipFile(stream)
    except zipfile.BadZipFile:
        end = _end(stream, size)
        if not 0 < end < size:
            raise
        archive = zipfile.ZipFile(io.BufferedReader(_Part(stream, 0, end)))
        notes.append(Note(NoteKind.PASSED_OVER, f"{size - end} bytes behind the end of the archive"))
    members = [
        ZipMember(
            one.filename,
            one.header_offset,
            one.flag_bits,
            one.compress_type,
            one.compress_size,
            one.file_size,
            one.CRC,
        )
        for one in archive.infolist()
    ]
    once = {one.offset: one for one in reversed(members)}
    again = len(members) - len(once)
    if again:
        text = f"the archive's directory names members a second time, {again} times; each is read once"
        notes.append(Note(NoteKind.REPEATED, text))
    return list(reversed(once.values()))


def _unlisted(
    stream: BinaryIO, size: int, listed: dict[int, ZipMember], notes: list[Note]
) -> list[ZipMember]:
    """The files that stand in no directory, by the headers in front of them."""
    found: list[ZipMember] = []
    place = 0
    for _ in range(_MOST_HEADERS):
        place = _next(stream, place, size, (_HEADER,))
        start = _start(stream, place)
        if start is None:
            return found
        member = listed.get(place) or _member(stream, place, start, size)
        place = place + len(_HEADER) if member is None else start + member.packed
        if member is not None and member.offset not in listed and not member.is_folder:
            found.append(member)
    text = f"only the first {_MOST_HEADERS} members were looked for in the archive"
    notes.append(Note(NoteKind.LIMIT, text, incomplete=True))
    return found


def _is_inside(stream: BinaryIO, listed: list[ZipMember], others: list[ZipMember]) -> bool:
    """Whether the members listed are those of an archive that stands, stored, in a member of this one."""
    first, last = min(one.offset for one in listed), max(one.offset for one in listed)
    return any(
        one.offset < first and last < start + one.packed and _read(stream, start, 4) == _HEADER
        for one in others
        if one.method == zipfile.ZIP_STORED and (start := _start(stream, one.offset)) is not None
    )


def _start(stream: BinaryIO, place: int) -> int | None:
    """Where the bytes of a member begin, by the header at a place; None where no header stands."""
    head = _read(stream, place, _LOCAL.size)
    if len(head) < _LOCAL.size or not head.startswith(_HEADER):
        return None
    *_, name_length, more_length = _LOCAL.unpack(head)
    return place + _LOCAL.size + int(name_length) + int(more_length)


def _member(stream: BinaryIO, place: int, start: int, size: int) -> ZipMember | None:
    """The member that a header describes, if it can be one, as far as its bytes are there."""
    head = _read(stream, place, start - place)
    _, version, flags, method, _, _, checksum, packed, unpacked, length, _ = _LOCAL.unpack_from(head)
    name = head[_LOCAL.size : _LOCAL.size + length]
    if method not in _METHODS or version & 0xFF > _HIGHEST_VERSION or not name or min(name) < ord(" "):
        return None
    if _LONG in (packed, unpacked):
        unpacked, packed = _long_sizes(head[_LOCAL.size + length :]) or (unpacked, packed)
    if flags & _HAS_DESCRIPTOR and not packed:
        checksum, packed, unpacked = _described(stream, start, size)
    text = name.decode("utf-8" if flags & _UTF8 else "cp437", "replace")
    return ZipMember(text, place, flags, method, max(0, min(packed, size - start)), unpacked, checksum)


def _long_sizes(more: bytes) -> tuple[int, int] | None:
    """The sizes of a member of 4 GiB or more, unpacked and packed, from what stands behind its name."""
    place = 0
    while place + _LONG_SIZES.size <= len(more):
        kind, length, unpacked, packed = _LONG_SIZES.unpack_from(more, place)
        if kind == _ZIP64:
            return unpacked, packed
        place += 4 + length
    return None


def _described(stream: BinaryIO, start: int, size: int) -> tuple[int | None, int, int]:
    """Checksum and sizes of a member that was written before they were known: they stand behind it."""
    end = _next(stream, start, size, _MARKS)
    length = len(_DESCRIPTOR) + _SIZES.size
    behind = _read(stream, max(start, end - length), min(length, end - start))
    checksum, packed, unpacked = _SIZES.unpack(behind[-_SIZES.size :].rjust(_SIZES.size, b"\0"))
    for mark in (_DESCRIPTOR, b""):
        if behind.endswith(mark + behind[-_SIZES.size :]) and packed == end - start - len(mark) - _SIZES.size:
            return checksum, packed, unpacked
    return None, end - start, 0


def _next(stream: BinaryIO, place: int, size: int, marks: tuple[bytes, ...]) -> int:
    """Where one of the marks, of four bytes each, stands next; the end of the stream if nowhere."""
    if _read(stream, place, 4) in marks:
        return place
    while place < size:
        block = _read(stream, place, _BLOCK)
        found = [at for mark in marks if (at := block.find(mark)) >= 0]
        if found:
            return place + min(found)
        place += max(1, len(block) - 3)
    return size


def _end(stream: BinaryIO, size: int) -> int:
    """Where the last archive in a stream ends, by the record at its end; 0 if there is none."""
    place = size
    while place > 0:
        start = max(0, place - _BLOCK)
        found = _read(stream, start, place - start + 3).rfind(_MARKS[-1])
        if found >= 0:
            record = _read(stream, start + found, _END.size)
            return start + found + _END.size + int(_END.unpack(record)[-1]) if len(record) == _END.size else 0
        place = start
    return 0


def _read(stream: BinaryIO, place: int, count: int) -> bytes:
    stream.seek(place)
    return stream.read(count) or b""
