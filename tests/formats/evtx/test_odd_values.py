"""Issue 15.10: values that are cut, or have a size that their type never has: read as well as can be, and marked."""

from __future__ import annotations

import struct
import zlib

import pytest

import hvdegraded as hv
from hvdegraded.formats.evtx.binxml.values import (
    BadTextError,
    ValueType,
    array_texts,
    value_text,
)
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.records.record import EventRecord

SID = bytes.fromhex("010100000000000512000000")


@pytest.mark.parametrize(
    ("kind", "raw", "text"),
    [
        (ValueType.SID, SID[:-1], SID[:-1].hex().upper()),
        (ValueType.SID, SID[:5], SID[:5].hex().upper()),
        (ValueType.GUID, bytes(15), "00" * 15),
        (ValueType.FILETIME, bytes(7), "00" * 7),
        (ValueType.BOOL, bytes(3), "000000"),
        (ValueType.UINT32, bytes(3), "000000"),
        (ValueType.STRING, b"a\0b\0c", "ab\ufffd"),
        (ValueType.STRING, b"\0\xd8a\0", "\ufffda"),
    ],
)
def test_a_value_that_is_cut_is_refused_unless_leniently_read(kind: int, raw: bytes, text: str) -> None:
    with pytest.raises(BadTextError):
        value_text(kind, raw)
    assert value_text(kind, raw, lenient=True) == text


def test_arrays_of_cut_items_are_refused_unless_leniently_read() -> None:
    for kind, raw in (
        (ValueType.UINT32, bytes(7)),
        (ValueType.STRING, b"a\0\0\0b"),
        (ValueType.SID, SID + SID[:9]),
    ):
        with pytest.raises(BadTextError):
            list(array_texts(kind, raw))
        assert list(array_texts(kind, raw, lenient=True))


def patched(index: int, size: int | None = None, kind: int | None = None, count: int | None = None) -> bytes:
    """A log of three events, in the second of which a value has another size or type, or some are not there."""
    record = EventRecord(
        provider="Microsoft-Windows-Hyper-V-VMMS",
        event_id=19100,
        provider_guid="6066F867-7CA1-4418-85FD-36E3F9C0600C",
        time_ticks=134_000_000_000_000_000,
        level=2,
        channel="System",
        computer="hv1",
        user_id="S-1-5-18",
        process_id=4,
        thread_id=8,
    )
    log = bytearray(evtx_bytes([record] * 3))
    second = 4096 + 512 + struct.unpack_from("<I", log, 4096 + 512 + 4)[0]
    values = second + 24 + 14
    if count is not None:
        struct.pack_into("<I", log, values, count)
    place = values + 4 + 4 * index
    if size is not None:
        struct.pack_into("<H", log, place, size)
    if kind is not None:
        log[place + 2] = kind
    (free,) = struct.unpack_from("<I", log, 4096 + 48)
    struct.pack_into("<I", log, 4096 + 52, zlib.crc32(log[4096 + 512 : 4096 + free]))
    tables = zlib.crc32(log[4096 + 128 : 4096 + 512], zlib.crc32(log[4096 : 4096 + 120]))
    struct.pack_into("<I", log, 4096 + 124, tables)
    return bytes(log)


@pytest.mark.parametrize(
    "log",
    [
        patched(8, kind=ValueType.GUID),
        patched(8, kind=ValueType.BOOL, size=3),
        patched(6, kind=ValueType.GUID),
        patched(12, size=11),
        patched(0, count=2),
    ],
    ids=[
        "a GUID of four bytes",
        "a boolean of three",
        "a GUID for the time",
        "a cut SID",
        "values that are absent",
    ],
)
def test_such_an_event_is_delivered_with_an_anomaly(log: bytes) -> None:
    stream = hv.read_records(log)
    found = list(stream)
    assert [bool(record.origin.anomalies) for record in found] == [False, True, False]
    assert not stream.report.complete
