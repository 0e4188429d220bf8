"""Constants of the EVTX format that reading and writing share. Source: libyal, "EVTX format"."""

from __future__ import annotations

import struct

__all__ = [
    "CHUNK_HEADER",
    "CHUNK_HEADER_SIZE",
    "CHUNK_MAGIC",
    "CHUNK_SIZE",
    "DEFINITION_HEAD",
    "EVENT_NAMESPACE",
    "FILE_HEADER",
    "FILE_HEADER_SIZE",
    "FILE_MAGIC",
    "FIRST_RECORD",
    "FRAGMENT_HEADER",
    "INSTANCE_HEAD",
    "INSTANCE_TOKEN",
    "NAME_BUCKETS",
    "POLYNOMIAL",
    "RECORD_HEADER",
    "RECORD_MAGIC",
    "RECORD_START",
    "SMALLEST_RECORD",
    "TEMPLATE_BUCKETS",
    "name_hash",
    "spelled_name",
]

FILE_MAGIC = b"ElfFile\0"
CHUNK_MAGIC = b"ElfChnk\0"
RECORD_MAGIC = b"**\0\0"
FILE_HEADER_SIZE = 4096
CHUNK_SIZE = 65536
FIRST_RECORD = 512
"""Where a chunk's records begin."""

FILE_HEADER = struct.Struct("<8sQQQIHHHH76sII")
"""Magic, first and last chunk, next record's number, size, version (minor, major), size of the block, count
of chunks, nothing, flags, checksum of the first 120 bytes."""

CHUNK_HEADER_SIZE = 128
CHUNK_HEADER = struct.Struct("<8sQQQQIIII64sII")
"""Magic, numbers and ids of the first and last record, size, last record, free space, checksum of the
records, nothing, flags, checksum of the header but these two and of the tables."""

NAME_BUCKETS, TEMPLATE_BUCKETS = 64, 32
"""Lengths of the tables behind a chunk's header: offsets of names and of template definitions, by hash."""

RECORD_START = struct.Struct("<4sIQQ")
"""Magic, size, record number, time written; the size is repeated at the record's end."""

RECORD_HEADER = RECORD_START.size
SMALLEST_RECORD = RECORD_HEADER + 8
"""Bytes of a record with nothing but a fragment header and its size again."""

FRAGMENT_HEADER = 0x0001010F
"""Token and version that open a fragment of binary XML, as one little-endian number."""

FRAGMENT_TOKEN = 0x0F
INSTANCE_TOKEN = 0x0C
INSTANCE_HEAD = struct.Struct("<IBBII")
"""How a record's content begins: fragment header, token, version, key and offset of its template."""

DEFINITION_HEAD = 24
"""Bytes of a template definition's head: the next one's offset, GUID, size of what follows."""

EVENT_NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"

POLYNOMIAL = 65599
"""By which names are hashed."""


def name_hash(units: bytes | bytearray) -> int:
    """The hash of a name in UTF-16 that stands before it: a polynomial of which 16 bits are kept."""
    number = 0
    for (unit,) in struct.iter_unpack("<H", units):
        number = number * POLYNOMIAL + unit & 0xFFFF
    return number


def spelled_name(name: str) -> bytes:
    """A name as a chunk spells it out, from its hash on: its length and its letters follow."""
    units = name.encode("utf-16-le")
    return struct.pack("<HH", name_hash(units), len(units) // 2) + units
