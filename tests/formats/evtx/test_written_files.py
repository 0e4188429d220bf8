"""Files that the writer makes: chunks, sizes, what a log cannot hold."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from hvdegraded.errors import EvtxWriteError, HvdegradedError
from hvdegraded.formats.evtx.writer import Writable, evtx_bytes, write_evtx
from hvdegraded.records.record import EventRecord
from tests.tools.written_logs import check_all, with_evtx, with_libevtx
from tests.tools.written_records import SERVICES, STORAGE, STORVSP, TICKS, WORKER


@pytest.mark.slow
def test_many_chunks(tmp_path: Path) -> None:
    kinds = (WORKER, STORVSP, SERVICES, STORAGE)
    records = [
        kinds[index % 4]._replace(record_id=index + 1, time_ticks=TICKS + index * 600_000_000)
        for index in range(3000)
    ]
    data = check_all(records, tmp_path, every=37)
    assert len(data) > 4096 + 10 * 65536


def test_record_headers_count_on_and_event_ids_are_kept() -> None:
    """As in a filtered export, where EventRecordID differs from the header's number."""
    data = evtx_bytes([WORKER, STORVSP._replace(record_id=None)], first_record_id=900)
    headers = struct.unpack_from("<QQQQ", data, 4096 + 8)
    assert headers == (1, 2, 900, 901)
    assert [record.record_id for record in with_evtx(data)] == [4711, 901]


def test_an_empty_log_is_a_log(tmp_path: Path) -> None:
    check_all([], tmp_path)


def test_the_same_events_give_the_same_bytes() -> None:
    records = [WORKER, STORVSP, SERVICES, STORAGE] * 100
    assert evtx_bytes(records) == evtx_bytes(iter(records))


def test_paths_and_streams(tmp_path: Path) -> None:
    expected = evtx_bytes([WORKER, STORVSP])
    path = tmp_path / "new.evtx"
    path.write_bytes(b"old")
    assert write_evtx(path, [WORKER, STORVSP]) == 2
    assert path.read_bytes() == expected
    assert write_evtx(str(path), [WORKER, STORVSP]) == 2

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    pipe = Pipe()
    assert write_evtx(pipe, [WORKER, STORVSP]) == 2
    assert pipe.getvalue() == expected
    later = io.BytesIO(b"head")
    later.seek(4)
    write_evtx(later, [WORKER, STORVSP])
    assert later.getvalue() == b"head" + expected
    assert later.tell() == 4 + len(expected)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "log.evtx"
    path.write_bytes(b"old")
    with pytest.raises(EvtxWriteError):
        write_evtx(path, [WORKER, WORKER._replace(time_ticks=None)])
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_largest_record_fills_a_chunk_and_one_more_is_refused(tmp_path: Path) -> None:
    def sized(length: int) -> EventRecord:
        return STORAGE._replace(data=(("Text", "x" * length),))

    low, high = 30_000, 32_767
    while low + 1 < high:
        middle = (low + high) // 2
        try:
            evtx_bytes([sized(middle)])
            low = middle
        except EvtxWriteError:
            high = middle
    data = check_all([WORKER, sized(low), WORKER], tmp_path)
    assert len(data) == 4096 + 3 * 65536
    (free,) = struct.unpack_from("<I", data, 4096 + 65536 + 48)
    assert free == 65528
    with pytest.raises(EvtxWriteError, match=r"event 2 .*StorageVSP 3.* takes 65,024 bytes.* 65,016"):
        evtx_bytes([WORKER, sized(high)])


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (WORKER._replace(time_ticks=None), "event 1 .*Hyper-V-Worker 23014.* has no time"),
        (WORKER._replace(time_ticks=-1), "time_ticks -1"),
        (WORKER._replace(event_id=65536), "event_id 65536.* 65,535"),
        (WORKER._replace(level=256), "level 256"),
        (WORKER._replace(keywords=-1), "keywords -1"),
        (WORKER._replace(data=(("no name", ""),)), "'no name'"),
        (WORKER._replace(data=(("a><b", ""),)), "no XML element"),
        (WORKER._replace(data=(("", ""),)), "no XML element"),
        (WORKER._replace(data=((None, "x"),)), "without a name"),
        (WORKER._replace(data=(("VmName", 5),)), "5 for VmName, which is not text"),  # type: ignore[arg-type]
        (5, "event 1 is a int"),
        ("<x/>", "event 1 is not event XML: there is no <Event>"),
        (b"\xff", "event 1 is not event XML"),
        ("", "event 1 is not event XML"),
        (WORKER._replace(data=(("@a", "1"), ("@a", "2"))), "'@a' twice"),
        (WORKER._replace(data=(("a/" * 100 + "a", "1"),)), "deeper"),
        (WORKER._replace(payload="UserData/a/b"), "UserData/a/b"),
        (WORKER._replace(payload="User Data/a"), "'User Data'"),
        (WORKER._replace(extra=(("Execution/@ThreadID", "1"),)), "'Execution/@ThreadID' twice"),
        (WORKER._replace(extra=(("@a", "1"),)), "'a' of <System>"),
        (WORKER._replace(computer="x" * 70_000), "65,535"),
        (STORAGE._replace(data=(("x" * 70_000, ""),)), "65,535"),
    ],
)
def test_what_a_log_cannot_hold_is_refused(record: Writable, message: str) -> None:
    with pytest.raises(EvtxWriteError, match=message):
        evtx_bytes([record])


def test_first_record_id_out_of_range() -> None:
    with pytest.raises(HvdegradedError, match="first_record_id"):
        evtx_bytes([], first_record_id=-1)


def test_ids_that_are_none_stay_text() -> None:
    record = STORAGE._replace(user_id="CORP\\admin", activity_id="NOT A GUID")
    assert with_libevtx(evtx_bytes([record])) == [record]
