"""Issue 15.9: a chunk that lies displaced, or whose header is cut, is found by its records, and that is told."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import pytest

import hvdegraded as hv
from hvdegraded.formats.evtx.chunks import Chunk, find_chunks, scan_chunks
from hvdegraded.formats.evtx.writer import evtx_bytes
from tests.formats.evtx.test_hidden_records import CHUNK, FIRST, HEAD, WANTED, events, places
from tests.tools.crafted import BODY, Binary, chunk_of

WRITTEN = events(700)
LOG = evtx_bytes(WRITTEN)
CHUNKS = (len(LOG) - HEAD) // CHUNK
assert CHUNKS >= 3


def check(log: bytes, *, unmarked: int = 0) -> str:
    """All records are there, in order, at their places; `unmarked` at least have no anomaly. Gives the report."""
    stream = hv.read_records(log)
    records = list(stream)
    assert records == WRITTEN
    for record in records:
        place = record.origin.offset or 0
        assert struct.unpack_from("<4s4xQ", log, place) == (b"**\0\0", record.record_id)
    assert sum(1 for record in records if not record.origin.anomalies) >= unmarked
    assert not stream.report.lost
    assert not stream.report.complete
    wanted = hv.read_records(log, wanted=WANTED)
    assert list(wanted) == WRITTEN
    assert not wanted.report.complete
    return str(stream.report)


def cut(log: bytes, place: int, size: int) -> bytes:
    return log[:place] + log[place + size :]


def filled(log: bytes, place: int, size: int) -> bytes:
    return log[:place] + b"\xa5" * size + log[place:]


@pytest.mark.parametrize("change", [cut, filled])
@pytest.mark.parametrize(("at", "size"), [(0, 1), (0, FIRST), (50, 33), (200, 100), (FIRST - 8, 8)])
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_header_that_is_cut_or_has_grown_costs_no_record(
    chunk: int, at: int, size: int, change: Callable[[bytes, int, int], bytes]
) -> None:
    told = check(change(LOG, HEAD + chunk * CHUNK + at, size))
    assert "lies where none belongs" in told or (not chunk and "file header is cut" in told)


@pytest.mark.parametrize("size", [8, 24, 400])
def test_bytes_between_a_header_and_its_records_cost_a_note(size: int) -> None:
    assert "lies where none belongs" in check(filled(LOG, HEAD + CHUNK + FIRST, size), unmarked=700)


@pytest.mark.parametrize("size", [1, 100, 511, 4095])
def test_a_displaced_chunk_is_told(size: int) -> None:
    assert "lies where none belongs" in check(filled(LOG, HEAD + CHUNK, size), unmarked=700)


def test_chunks_without_any_header_are_read() -> None:
    bare = b"".join(LOG[start + FIRST : start + CHUNK] for start in range(HEAD, len(LOG), CHUNK))
    check(LOG[:HEAD] + bare)
    check(bare)


def test_records_without_anything_between_them_are_read() -> None:
    bare = b""
    for start in range(HEAD, len(LOG), CHUNK):
        (free,) = struct.unpack_from("<I", LOG, start + 48)
        bare += LOG[start + FIRST : start + free]
    check(bare)


@pytest.mark.parametrize("size", [1, 100, HEAD - 1, HEAD, HEAD + 1, HEAD + 100, HEAD + FIRST])
def test_chunks_without_file_header_are_read(size: int) -> None:
    assert "the file header is cut or missing" in check(LOG[size:])


def test_a_log_that_begins_in_a_chunk_gives_the_others() -> None:
    first = len(list(hv.read_records(LOG[: HEAD + CHUNK])))
    stream = hv.read_records(LOG[HEAD + 40_000 :])
    assert list(stream)[-(700 - first) :] == WRITTEN[first:]
    assert not stream.report.complete


@pytest.mark.parametrize("change", [cut, filled])
def test_a_file_header_that_is_cut_or_has_grown_costs_no_record(
    change: Callable[[bytes, int, int], bytes],
) -> None:
    check(change(LOG, 200, 100), unmarked=700)


def test_a_damaged_chunk_before_one_without_header_costs_no_record() -> None:
    log = bytearray(cut(LOG, HEAD + CHUNK, FIRST))
    log[HEAD + 60] ^= 1
    check(bytes(log))
    log[HEAD : HEAD + 8] = bytes(8)
    check(bytes(log))


def test_records_without_template_show_where_their_chunk_begins() -> None:
    alone = Binary(BODY)
    alone.open("Event", raw=True).open("System", raw=True)
    alone.open("Provider", ("Name", "storvsp"), raw=True).close()
    alone.open("EventID", raw=True).text("6").close(3)
    log = chunk_of(bytes(alone.data))
    (record,) = hv.read_records(cut(log, HEAD, FIRST))
    assert (record.provider, record.event_id) == ("storvsp", 6)
    assert record.origin.anomalies


def test_a_stream_that_cannot_seek_may_begin_with_a_chunk() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    assert list(hv.read_records(Pipe(LOG[HEAD:]))) == WRITTEN


def test_what_is_cut_is_planned_for_workers_as_it_is_read() -> None:
    for log in (cut(LOG, HEAD + CHUNK, FIRST), filled(LOG, HEAD + CHUNK + FIRST, 24), LOG[HEAD:]):
        read_at = lambda offset, count, log=log: log[offset : offset + count]  # noqa: E731
        start = HEAD if log[:8] == LOG[:8] else 0
        planned, read = (
            [(one.offset, one.first, one.last) for one in find(read_at, start) if isinstance(one, Chunk)]
            for find in (scan_chunks, find_chunks)
        )
        assert planned == read


@pytest.mark.parametrize("size", [8, 100, 512, 4096])
def test_bytes_between_records_cost_none_of_them_also_at_the_end_of_a_log(size: int) -> None:
    log = LOG[: HEAD + 2 * CHUNK]
    whole = list(hv.read_records(log))
    damaged = filled(log, places(log, HEAD + CHUNK)[20], size)
    assert list(hv.read_records(damaged)) == whole
