"""Attacks by chunks: what a decoder keeps from one to the next, sizes, marks, numbers."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from hvdegraded.formats.evtx.format import CHUNK_SIZE
from tests.tools.crafted import (
    BODY,
    FIRST,
    Binary,
    again,
    chunk,
    instance,
)
from tests.tools.hostile_logs import (
    attack,
    between,
    good_chunk,
    multiplied,
)

# Memory of the decoder, from chunk to chunk.


@attack("new templates in every record, all of one GUID")
def _() -> bytes:
    def with_text(text: str) -> Callable[[Binary], object]:
        return lambda made: made.open("Event").text(text).close()

    chunks = []
    for place in range(1, 17):
        bodies: list[bytes] = []
        at = FIRST
        while at < CHUNK_SIZE - 400:
            bodies.append(instance(with_text(f"{place:04}{len(bodies):04}"), place=at + 24))
            at += (24 + len(bodies[-1]) + 4 + 7) // 8 * 8
        chunks.append(chunk(bodies, 1000 * place))
    return between(*chunks)


@attack("definitions over one another")
def _() -> bytes:
    bodies = [b"\x0f\x01\x01\x00" + b"\x0d\x40\0\0" * 9_000]  # each a slot, and the size of a definition
    bodies += [again(definition=BODY + 4 + 4 * place, key=b"\x0d\x40\0\0") for place in range(600)]
    return between(*[chunk(bodies, 1000 * place) for place in range(1, 5)])


@attack("templates as large as a chunk, all different")
def _() -> bytes:
    def content(number: int) -> Callable[[Binary], object]:
        def add(made: Binary) -> None:
            made.open("Event").text(f"{number:04}")
            for index in range(7900):
                made.slot(index % 4000, 0x01)
            made.close()

        return add

    return between(*[chunk([instance(content(place))], 1000 * place) for place in range(1, 97)])


def system_event(made: Binary, *, channel: bool = False) -> None:
    made.open("Event", ("xmlns", "http://schemas.microsoft.com/win/2004/08/events/event")).open("System")
    made.open("EventID").slot(0, 0x06).close()
    made.open("Channel").slot(1, 0x01).close(2).slot(2, 0x21).close()


@attack("a new shape of values in every record, in many templates")
def _() -> bytes:
    chunks = []
    size = 0
    for place in range(1, 65):
        guid = struct.pack("<I", place) + bytes(12)
        bodies = [instance(system_event, (6, b"\x06\0"), (1, b""), (0, b""), guid=guid)]
        used = FIRST + len(bodies[0]) + 40
        while True:
            size = (size + 2) % 120
            extra = [(0, bytes(len(bodies) % 50))] * (1 + len(bodies) // 50)
            body = again((6, b"\x06\0"), (1, bytes(size)), (0, b""), *extra, key=guid[:4])
            used += len(body) + 40
            if used > CHUNK_SIZE:
                break
            bodies.append(body)
        chunks.append(chunk(bodies, 10_000 * place))
    return between(*chunks)


@attack("a new long channel in every record")
def _() -> bytes:
    chunks = []
    for place in range(1, 513):
        text = f"{place:06}".encode("utf-16-le") + b"c\0" * 31_000
        chunks.append(chunk([instance(system_event, (6, b"\x06\0"), (1, text), (0, b""))], 1000 * place))
    return between(*chunks)


# The container.


@attack("record sizes of all kinds")
def _() -> bytes:
    made = bytearray(good_chunk(1000))
    place = FIRST
    for size in (0, 1, 23, 24, 0x7FFFFFFF, 0xFFFFFFFF, 0x10000):
        length = struct.unpack_from("<I", made, place + 4)[0]
        struct.pack_into("<I", made, place + 4, size)
        place += length
    return between(bytes(made))


@attack("a chunk full of record marks")
def _() -> bytes:
    made = bytearray(good_chunk(1000))
    made[FIRST:] = (b"**\0\0" * CHUNK_SIZE)[: CHUNK_SIZE - FIRST]
    return between(bytes(made))


@attack("a chunk full of records in one another")
def _() -> bytes:
    made = bytearray(good_chunk(1000))
    for place in range(FIRST, CHUNK_SIZE - 40, 32):
        struct.pack_into("<4sIQQ", made, place, b"**\0\0", 32, 1000, 1)
        struct.pack_into("<I", made, place + 28, 32)
    return between(bytes(made))


@attack("a chunk full of chunk marks")
def _() -> bytes:
    return between(*[b"ElfChnk\0" * (CHUNK_SIZE // 8)] * 16)


@attack("chunks that claim all record numbers there are")
def _() -> bytes:
    made = bytearray(good_chunk(1000))
    struct.pack_into("<QQQQ", made, 8, 0, (1 << 64) - 1, 0, (1 << 64) - 1)
    struct.pack_into("<I", made, 124, zlib.crc32(made[128:512], zlib.crc32(made[:120])))
    return between(bytes(made), bytes(CHUNK_SIZE), bytes(made))


@attack("a truncated last chunk")
def _() -> bytes:
    return between() + good_chunk(5000)[:9_000]


@attack("one record without template in a big log")
def _() -> bytes:
    bare = Binary(BODY)
    bare.open("Event", raw=True).open("EventData", raw=True).text("x").close(2)
    return between(*[good_chunk(1000)] * 200, chunk([bytes(bare.data)], 9000))


@attack("marks of chunks over chunks, carved", carve=True)
def _() -> bytes:
    made = bytearray(FIRST)
    made[:8] = b"ElfChnk\0"
    record = struct.pack("<4sIQQ", b"**\0\0", 128, 7, 1) + bytes(100) + struct.pack("<I", 128)
    return good_chunk(1) + (bytes(made) + record) * 1600 + good_chunk(1 << 30)


@attack("200 MB of marks of chunks, carved", carve=True)
def _only_marks() -> bytes:
    return between() + b"ElfChnk\0" * (25 << 20)


@attack("marks of chunks at places where none belongs")
def _marks_out_of_place() -> bytes:
    return between() + b"ElfChnk\0x" * (22 << 20)


@attack("intact empty chunks over chunks, carved", carve=True)
def _() -> bytes:
    empty = chunk([])[:FIRST]
    return good_chunk(1) + (empty + multiplied(10, 4)[:128]) * 1600 + good_chunk(1 << 30)
