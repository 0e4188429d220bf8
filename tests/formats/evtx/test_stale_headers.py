"""Issue 15.8: records behind a stale header that do not follow on are delivered where the log counts them.

In exports of Windows newer records of other logs stand there: what the log's own numbers do not count is told
of at most.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.reading.steps import log_steps
from hvdegraded.records.record import EventRecord
from tests.formats.evtx.test_hidden_records import CHUNK, HEAD, WANTED, events, places, sealed
from tests.tools.corpus import log, needs_corpus


def stale(data: bytearray, start: int, kept: int, *, broken: int) -> list[int]:
    """The header of a chunk knows its first records only, and the next ones are broken; gives the numbers."""
    at = places(data, start)
    (first,) = struct.unpack_from("<Q", data, start + 24)
    for place in at[kept : kept + broken]:
        struct.pack_into("<I", data, place + 4, 1 << 20)
    struct.pack_into("<II", data, start + 44, at[kept - 1] - start, at[kept] - start)
    for place in (16, 32):
        struct.pack_into("<Q", data, start + place, first + kept - 1)
    sealed(data, start)
    return list(range(first + kept, first + kept + broken))


def check(data: bytes, written: list[EventRecord], gone: list[int], hidden: int) -> None:
    for wanted in (None, WANTED):
        stream = hv.read_records(data, wanted=wanted)
        found = list(stream)
        assert found == [record for record in written if record.record_id not in gone]
        assert sum(1 for record in found if record.origin.anomalies) == hidden
        assert stream.report.lost == len(gone)
        assert not stream.report.complete


@pytest.mark.parametrize("broken", [1, 3])
def test_records_behind_broken_ones_behind_a_stale_header_are_delivered(broken: int) -> None:
    data = bytearray(evtx_bytes(events(30)))
    gone = stale(data, HEAD, 20, broken=broken)
    check(bytes(data), events(30), gone, 10 - broken)


def test_zeros_behind_a_stale_header_hide_nothing() -> None:
    data = bytearray(evtx_bytes(events(30)))
    at = places(data)
    stale(data, HEAD, 20, broken=0)
    data[at[20] : at[30] + 8] = bytes(8) + data[at[20] : at[30]]
    check(bytes(data), events(30), [], 10)


@pytest.mark.parametrize("chunk", [0, 1, 2])
def test_a_stale_header_between_other_chunks_hides_nothing(chunk: int) -> None:
    data = bytearray(evtx_bytes(events(700)))
    count = len(places(data, HEAD + chunk * CHUNK)) - 1
    gone = stale(data, HEAD + chunk * CHUNK, 50, broken=2)
    check(bytes(data), events(700), gone, count - 52)


def test_workers_are_given_no_chunk_with_such_records(tmp_path: Path) -> None:
    data = bytearray(evtx_bytes(events(700)))
    stale(data, HEAD, 50, broken=2)
    path = tmp_path / "a.evtx"
    path.write_bytes(data)
    with path.open("rb") as stream:
        steps = list(log_steps(stream, "a.evtx", lambda _: 10))
    (here,) = [step.here for step in steps if step.here is not None and step.here[0].offset == HEAD]
    assert here[0].data


def swallow_the_next(data: bytearray, at: list[int]) -> None:
    for place in (at[9] + 4, at[11] - 4):
        struct.pack_into("<I", data, place, at[11] - at[9])


def break_size(data: bytearray, at: list[int]) -> None:
    struct.pack_into("<I", data, at[9] + 4, 1 << 24)


def break_mark(data: bytearray, at: list[int]) -> None:
    data[at[9]] ^= 1


def break_size_behind(data: bytearray, at: list[int]) -> None:
    struct.pack_into("<I", data, at[10] - 4, 1 << 24)


def zero_three(data: bytearray, at: list[int]) -> None:
    data[at[9] : at[12]] = bytes(at[12] - at[9])


@pytest.mark.parametrize("kept", [0, 4, 9])
@pytest.mark.parametrize(
    ("damage", "gone"),
    [
        (swallow_the_next, []),
        (break_size, [10]),
        (break_mark, [10]),
        (break_size_behind, []),
        (zero_three, [10, 11, 12]),
    ],
)
@pytest.mark.parametrize("count", [30, 400])
def test_one_broken_record_behind_a_free_offset_that_is_too_low_hides_no_other(
    count: int, damage: Callable[[bytearray, list[int]], None], gone: list[int], kept: int
) -> None:
    data = bytearray(evtx_bytes(events(count)))
    at = places(data)
    damage(data, at)
    struct.pack_into("<I", data, HEAD + 48, at[kept] - HEAD)
    check(sealed(data), events(count), gone, len(at) - 1 - kept - len(gone))


@pytest.mark.parametrize("following", [21, 25])
def test_newer_records_that_the_log_does_not_count_are_not_its_own(following: int) -> None:
    data = bytearray(evtx_bytes(events(30)))
    stale(data, HEAD, 20, broken=1)
    struct.pack_into("<Q", data, 24, following)
    struct.pack_into("<I", data, 124, zlib.crc32(data[:120]))
    found = [record.record_id for record in hv.read_records(bytes(data))]
    assert found == [number for number in range(1, following) if number != 21]


@needs_corpus
@pytest.mark.parametrize("name", ["Security_Single4624", "Security_short_selected"])
def test_newer_records_of_other_logs_in_an_export_are_not_delivered(name: str) -> None:
    path = log(name)
    data = path.read_bytes()
    (free,) = struct.unpack_from("<I", data, HEAD + 48)
    (following,) = struct.unpack_from("<Q", data, 24)
    assert data.find(b"**\0\0", HEAD + free) > 0
    stream = hv.read_records(path)
    assert len(list(stream)) == following - 1
    assert stream.report.complete
