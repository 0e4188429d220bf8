"""Records that bytes hide while all checksums are right: delivered with an anomaly, or counted; never `complete`."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest

import hvdegraded as hv
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.records.record import EventRecord

HEAD, CHUNK = 4096, 65536
WANTED = hv.load_knowledge().provider_filter()


def events(count: int, provider: str = "Microsoft-Windows-Hyper-V-VMMS") -> list[EventRecord]:
    return [
        EventRecord(
            provider=provider,
            event_id=13002,
            provider_guid="6066F867-7CA1-4418-85FD-36E3F9C0600C",
            time_ticks=134_000_000_000_000_000 + at * 10_000_000,
            level=2,
            record_id=at + 1,
            channel="System",
            computer="hv1",
            payload="UserData/VmlEventLog",
            data=(("VmName", f"web{at}"),),
        )
        for at in range(count)
    ]


def sealed(log: bytearray, start: int = HEAD) -> bytes:
    """The log with right checksums of a chunk."""
    (free,) = struct.unpack_from("<I", log, start + 48)
    struct.pack_into("<I", log, start + 52, zlib.crc32(log[start + 512 : start + free]))
    tables = zlib.crc32(log[start + 128 : start + 512], zlib.crc32(log[start : start + 120]))
    struct.pack_into("<I", log, start + 124, tables)
    return bytes(log)


def places(log: bytes | bytearray, start: int = HEAD) -> list[int]:
    (free,) = struct.unpack_from("<I", log, start + 48)
    found, place = [], start + 512
    while place < start + free:
        found.append(place)
        place += struct.unpack_from("<I", log, place + 4)[0]
    return [*found, place]


def swallowed(log: bytearray) -> bytes:
    """Record 10 says that it reaches to the end of record 11."""
    at = places(log)
    struct.pack_into("<I", log, at[9] + 4, at[11] - at[9])
    struct.pack_into("<I", log, at[11] - 4, at[11] - at[9])
    return sealed(log)


def less_free_space(log: bytearray) -> bytes:
    struct.pack_into("<I", log, HEAD + 48, places(log)[20] - HEAD)
    return sealed(log)


def no_record_left(log: bytearray) -> bytes:
    struct.pack_into("<I", log, HEAD + 48, 512)
    return sealed(log)


def older_header(log: bytearray) -> bytes:
    struct.pack_into("<I", log, HEAD + 48, places(log)[20] - HEAD)
    struct.pack_into("<Q", log, HEAD + 16, 20)
    struct.pack_into("<Q", log, HEAD + 32, 20)
    return sealed(log)


def fewer_counted(log: bytearray) -> bytes:
    struct.pack_into("<Q", log, HEAD + 32, 20)
    return sealed(log)


@pytest.mark.parametrize("provider", ["Microsoft-Windows-Hyper-V-VMMS", "Microsoft-Windows-Kernel-Boot"])
@pytest.mark.parametrize(
    "hide",
    [swallowed, less_free_space, no_record_left, older_header, fewer_counted],
    ids=lambda one: one.__name__,
)
def test_what_sizes_and_headers_hide_is_delivered_and_marked(
    hide: Callable[[bytearray], bytes], provider: str
) -> None:
    expected = events(30, provider)
    log = hide(bytearray(evtx_bytes(expected)))
    stream = hv.read_records(log)
    found = list(stream)
    assert sorted(found, key=lambda record: record.record_id or 0) == expected
    assert not stream.report.complete
    filtered = hv.read_records(log, wanted=WANTED)
    assert len(list(filtered)) + filtered.report.filtered == 30
    assert not filtered.report.complete


def test_hidden_records_have_an_anomaly_and_the_others_none() -> None:
    for hide, count in ((swallowed, 1), (less_free_space, 10), (no_record_left, 30), (older_header, 10)):
        found = list(hv.read_records(hide(bytearray(evtx_bytes(events(30))))))
        assert sum(1 for record in found if record.origin.anomalies) == count, hide.__name__


def test_numbers_that_jump_inside_a_chunk_are_a_loss() -> None:
    log = bytearray(evtx_bytes(events(30)))
    for place in places(log)[10:-1]:
        struct.pack_into("<Q", log, place + 8, struct.unpack_from("<Q", log, place + 8)[0] + 7)
    struct.pack_into("<Q", log, HEAD + 32, 37)
    stream = hv.read_records(sealed(log))
    assert len(list(stream)) == 30
    assert stream.report.lost == 7
    ticks = 134_000_000_000_000_000
    assert not stream.report.coverage.covers("hv1", "System", ticks, ticks + 290_000_000)
    assert stream.report.coverage.covers("hv1", "System", ticks, ticks + 80_000_000)


def test_a_chunk_that_was_cut_out_is_a_loss_though_the_file_header_agrees() -> None:
    log = bytearray(evtx_bytes(events(2000)))
    whole = list(hv.read_records(bytes(log)))
    del log[HEAD + CHUNK : HEAD + 2 * CHUNK]
    (chunks,) = struct.unpack_from("<H", log, 42)
    struct.pack_into("<H", log, 42, chunks - 1)
    struct.pack_into("<Q", log, 16, chunks - 2)
    struct.pack_into("<I", log, 124, zlib.crc32(log[:120]))
    stream = hv.read_records(bytes(log))
    left = list(stream)
    assert stream.report.lost == len(whole) - len(left) > 100
    assert not stream.report.complete


def test_a_next_record_number_below_what_is_there_is_told() -> None:
    log = bytearray(evtx_bytes(events(30)))
    struct.pack_into("<Q", log, 24, 12)
    struct.pack_into("<I", log, 124, zlib.crc32(log[:120]))
    stream = hv.read_records(bytes(log))
    assert len(list(stream)) == 30
    assert any("next record number is 12" in note.text for note in stream.report.notes)


@pytest.mark.parametrize("bit", range(0, 32, 5))
def test_a_flipped_bit_in_the_guid_of_a_template_costs_a_caveat(bit: int) -> None:
    expected = events(30)
    log = bytearray(evtx_bytes(expected))
    for bucket in range(32):
        (definition,) = struct.unpack_from("<I", log, HEAD + 384 + 4 * bucket)
        if definition:
            log[HEAD + definition + 4 + bit // 8] ^= 1 << bit % 8
    stream = hv.read_records(sealed(log))
    found = list(stream)
    assert found == expected
    assert not any(record.origin.anomalies for record in found)
    assert any(record.origin.caveats for record in found)


@pytest.mark.parametrize("junk", [0, 8, 100, 4096])
@pytest.mark.parametrize("chunk", [0, 1, 2])
def test_a_chunk_without_mark_at_any_place_is_found_by_its_records(chunk: int, junk: int) -> None:
    log = bytearray(evtx_bytes(events(700)))
    start = HEAD + chunk * CHUNK
    assert len(log) >= start + CHUNK
    log[start : start + 8] = bytes(8)
    log[start:start] = b"\x5a" * junk
    assert len(list(hv.read_records(bytes(log)))) == 700


def test_a_free_space_offset_beyond_the_records_is_not_a_wrong_checksum() -> None:
    log = bytearray(evtx_bytes(events(3)))
    (free,) = struct.unpack_from("<I", log, HEAD + 48)
    struct.pack_into("<I", log, HEAD + 48, free + 64)
    found = list(hv.read_records(sealed(log)))
    assert len(found) == 3
    assert not any(record.origin.anomalies for record in found)
