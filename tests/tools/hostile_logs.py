"""Parts of hostile logs, and the register that each attack is put into under its name."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from hvdegraded.formats.evtx.format import CHUNK_SIZE, FILE_HEADER_SIZE
from hvdegraded.formats.evtx.writer import evtx_bytes
from tests.tools.crafted import (
    BODY,
    FIRST,
    Binary,
    chunk,
    file_of,
    filled,
    instance,
    typed_body,
)
from tests.tools.written_records import vmms

ROOM = CHUNK_SIZE - FIRST - 64  # bytes of one record that fills a chunk


def nested(levels: int, branches: int) -> bytes:
    """A record whose template's slots hold an instance of the same template, level below level."""
    definition = BODY + 14
    inner = b""
    for level in range(levels):
        values = [(0x21, inner)] + [(0x21, b"")] * (branches - 1) if level else []
        inner = struct.pack("<BBII", 0x0C, 1, 0, definition) + filled(*values)

    def content(made: Binary) -> None:
        made.open("E")
        for index in range(branches):
            made.slot(index, 0x21)
        made.close()

    body = instance(content)
    return body[:-4] + inner[10:]


def multiplied(levels: int, branches: int) -> bytes:
    """A record whose every level shows the next one `branches` times: branches ** levels outputs."""
    definition = BODY + 14
    head = struct.pack("<BBII", 0x0C, 1, 0, definition)
    deep = head + filled((0x21, b""))
    for _ in range(levels - 1):
        deep = head + filled((0x21, deep))

    def content(made: Binary) -> None:
        made.open("E")
        for _ in range(branches):
            made.slot(0, 0x21)
        made.close()

    return instance(content, (0x21, deep))


GOOD = 40  # records of each good chunk


def good_chunk(first: int) -> bytes:
    data = evtx_bytes([vmms(number, f"vm{number}") for number in range(first, first + GOOD)])
    assert len(data) == FILE_HEADER_SIZE + CHUNK_SIZE
    return data[FILE_HEADER_SIZE:]


def between(*chunks: bytes) -> bytes:
    """A log with these chunks between two good ones."""
    return file_of([good_chunk(1), *chunks, good_chunk(1 << 30)])


class Attack(NamedTuple):
    """A hostile log, whether it is to be carved, and whether it is to be refused as a whole."""

    data: bytes
    carve: bool = False
    refused: bool = False


ATTACKS: dict[str, Callable[[], Attack]] = {}
"""What makes each attack, by name."""


def attack(name: str, **options: bool) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    def register(make: Callable[[], bytes]) -> Callable[[], bytes]:
        ATTACKS[name] = lambda: Attack(make(), **options)
        return make

    return register


def one_record(name: str, make: Callable[[], bytes]) -> None:
    """Register the attack that is one record."""
    ATTACKS[name] = lambda: Attack(between(chunk([make()], first=1000)))


def data_element(text: str) -> Callable[[], bytes]:
    return lambda: typed_body(0x01, text.encode("utf-16-le", "surrogatepass"))


# Loops.
