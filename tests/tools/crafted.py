"""Crafted .evtx logs, byte by byte: binary XML, records, chunks, with correct checksums whatever is in them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable

from hvdegraded.formats.evtx.format import CHUNK_SIZE, FILE_HEADER_SIZE, name_hash

FIRST = 512
BODY = FIRST + 24
"""Where the binary XML of a chunk's first record stands."""


def chunk_of(*bodies: bytes, header: bytes = b"") -> bytes:
    """A log of one chunk whose records have these bodies, with correct checksums; `header` fills its tables."""
    return file_of([chunk(bodies, tables=header)])


def chunk(bodies: Iterable[bytes], first: int = 1, tables: bytes = b"") -> bytes:
    """A chunk whose records have these bodies, numbered from `first`."""
    records = b""
    number, last = first - 1, FIRST
    for number, body in enumerate(bodies, first):
        size = 24 + len(body) + 4
        padding = -size % 8
        size += padding
        last = FIRST + len(records)
        records += struct.pack("<4sIQQ", b"**\0\0", size, number, 1) + body + bytes(padding)
        records += struct.pack("<I", size)
    made = bytearray(CHUNK_SIZE)
    free = FIRST + len(records)
    assert free <= CHUNK_SIZE, free
    struct.pack_into("<8sQQQQIII", made, 0, b"ElfChnk\0", first, number, first, number, 128, last, free)
    made[128 : 128 + len(tables)] = tables
    made[FIRST:free] = records
    struct.pack_into("<II", made, 48, free, zlib.crc32(made[FIRST:free]))
    struct.pack_into("<II", made, 120, 1, zlib.crc32(made[128:512], zlib.crc32(made[:120])))
    return bytes(made)


def file_of(chunks: list[bytes], following: int = 1 << 40) -> bytes:
    """A log of these chunks."""
    head = bytearray(FILE_HEADER_SIZE)
    struct.pack_into(
        "<8sQQQIHHHH", head, 0, b"ElfFile\0", 0, len(chunks) - 1, following, 128, 1, 3, 4096, len(chunks)
    )
    struct.pack_into("<I", head, 124, zlib.crc32(head[:120]))
    return bytes(head) + b"".join(chunks)


class Binary:
    """Binary XML at a place of its chunk, token by token."""

    def __init__(self, place: int = BODY, start: bytes = b"\x0f\x01\x01\x00") -> None:
        self.data = bytearray(start)
        self._place = place

    @property
    def here(self) -> int:
        """The place in the chunk that comes next."""
        return self._place + len(self.data)

    def add(self, data: bytes) -> Binary:
        self.data += data
        return self

    def name(self, name: str | bytes | int) -> Binary:
        """A name spelled out here, or the offset of one that is spelled out elsewhere."""
        if isinstance(name, int):
            return self.add(struct.pack("<I", name))
        raw = name if isinstance(name, bytes) else name.encode("utf-16-le", "surrogatepass")
        head = struct.pack("<IIHH", self.here + 4, 0, name_hash(raw[: len(raw) // 2 * 2]), len(raw) // 2)
        return self.add(head + raw + b"\0\0")

    def open(self, name: str | bytes | int, *attributes: tuple[str, str | int], raw: bool = False) -> Binary:
        """A start tag; an attribute's value is a text or the index of a slot."""
        self.add(struct.pack("<B", 0x41 if attributes else 0x01) + (b"" if raw else b"\xff\xff") + bytes(4))
        self.name(name)
        if attributes:
            self.add(bytes(4))
        for place, (key, value) in enumerate(attributes, 1):
            self.add(b"\x46" if place < len(attributes) else b"\x06").name(key)
            if isinstance(value, int):
                self.slot(value, 0x01)
            else:
                self.text(value)
        return self.add(b"\x02")

    def text(self, text: str) -> Binary:
        raw = text.encode("utf-16-le", "surrogatepass")
        return self.add(struct.pack("<BBH", 0x05, 0x01, len(raw) // 2) + raw)

    def slot(self, index: int, kind: int, *, optional: bool = False) -> Binary:
        return self.add(struct.pack("<BHB", 0x0E if optional else 0x0D, index, kind))

    def close(self, count: int = 1) -> Binary:
        return self.add(b"\x04" * count)


def instance(
    content: Callable[[Binary], object],
    *values: tuple[int, bytes],
    place: int = BODY,
    guid: bytes = bytes(16),
) -> bytes:
    """The body of a record: an instance of a template defined in it, and (type, bytes) of its values."""
    definition = place + 4 + 10
    made = Binary(definition + 24)
    content(made)
    template = struct.pack("<I16sI", 0, guid, len(made.data) + 1) + made.data + b"\0"
    head = b"\x0f\x01\x01\x00" + struct.pack("<BB4sI", 0x0C, 1, guid[:4], definition)
    return head + template + filled(*values)


def again(*values: tuple[int, bytes], definition: int = BODY + 14, key: bytes = bytes(4)) -> bytes:
    """The body of a record that is an instance of a template defined elsewhere."""
    return b"\x0f\x01\x01\x00" + struct.pack("<BB4sI", 0x0C, 1, key, definition) + filled(*values)


def filled(*values: tuple[int, bytes]) -> bytes:
    """The values of an instance."""
    described = b"".join(struct.pack("<HBB", len(value), kind, 0) for kind, value in values)
    return struct.pack("<I", len(values)) + described + b"".join(value for _, value in values)


def event(made: Binary, inside: Callable[[Binary], object]) -> None:
    """`<Event><EventData>…</EventData></Event>`."""
    made.open("Event").open("EventData")
    inside(made)
    made.close(2)


def typed_value(kind: int, value: bytes) -> bytes:
    """A log whose one record is <Event><EventData><Data>…</Data></EventData></Event> with that value."""
    return chunk_of(typed_body(kind, value))


def typed_body(kind: int, value: bytes) -> bytes:
    return instance(
        lambda made: event(made, lambda one: one.open("Data").slot(0, kind).close()), (kind, value)
    )
