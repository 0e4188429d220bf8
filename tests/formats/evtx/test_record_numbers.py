"""What is missing is counted: records seen = delivered + filtered + lost, at any moment, on every way."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.errors import LossError
from hvdegraded.formats.evtx.format import CHUNK_SIZE, FILE_HEADER_SIZE
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.records.items import Loss, LossReason, NoteKind
from hvdegraded.records.record import EventRecord
from hvdegraded.records.report import ReadReport
from tests.formats.test_archives import zipped
from tests.tools.crafted import FIRST
from tests.tools.mutations import bases, mutations
from tests.tools.sample_logs import FOLDER
from tests.tools.written_records import vmms

HYPER_V = load_knowledge().provider_filter()
WRITTEN = [vmms(number, f"vm{number}") for number in range(1, 700)]
LOG = evtx_bytes(WRITTEN)
CHUNKS = (len(LOG) - FILE_HEADER_SIZE) // CHUNK_SIZE


def start_of(chunk: int) -> int:
    return FILE_HEADER_SIZE + chunk * CHUNK_SIZE


def numbers_of(chunk: int) -> range:
    """The numbers of a chunk's records, as its header says."""
    first, last = struct.unpack_from("<QQ", LOG, start_of(chunk) + 8)
    return range(first, last + 1)


def read(data: bytes, **options: object) -> tuple[list[EventRecord], ReadReport]:
    stream = hv.read_records(data, **options)  # type: ignore[arg-type]
    records = list(stream)
    report = stream.report
    assert report.delivered == len(records)
    assert report.records_seen == report.delivered + report.filtered + report.lost
    return records, report


def noise(size: int) -> bytes:
    return random.Random(1).randbytes(size)


def test_the_log_of_these_tests() -> None:
    assert CHUNKS >= 4
    assert read(LOG)[0] == WRITTEN


# ------------------------------------------------------------------ damage to whole chunks, counted by numbers

DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "zeros": lambda chunk: bytes(CHUNK_SIZE),
    "noise": lambda chunk: noise(CHUNK_SIZE),
    "noise behind the mark": lambda chunk: chunk[:8] + noise(CHUNK_SIZE - 8),
    "noise behind an intact header": lambda chunk: chunk[:512] + noise(CHUNK_SIZE - 512),
}


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_chunk_that_is_gone_is_counted_exactly(damage: str, chunk: int) -> None:
    start, end = start_of(chunk), start_of(chunk + 1)
    data = LOG[:start] + DAMAGED[damage](LOG[start:end]) + LOG[end:]
    gone = numbers_of(chunk)
    records, report = read(data)
    assert records == [record for record in WRITTEN if record.record_id not in gone]
    # Before the first chunk no number tells what there was.
    assert report.lost == (len(gone) if chunk or "intact" in damage else 1)
    with pytest.raises(LossError):
        read(data, strict=True)


@pytest.mark.parametrize("kept", range(1, CHUNKS))
def test_chunks_that_are_cut_off_are_counted_by_the_next_number(kept: int) -> None:
    data = LOG[: start_of(kept)]
    records, report = read(data)
    assert records == WRITTEN[: len(records)]
    assert report.records_seen == len(WRITTEN)
    assert f"the header promises {CHUNKS} chunks, {kept} are there" in str(report)
    with pytest.raises(LossError):
        read(data, strict=True)


def test_a_cut_inside_a_chunk_is_counted_too() -> None:
    for cut in (start_of(1) + 100, start_of(1) + 600, start_of(2) - 20_000, len(LOG) - CHUNK_SIZE + 700):
        records, report = read(LOG[:cut])
        assert records == WRITTEN[: len(records)]
        assert report.records_seen == len(WRITTEN), cut


def test_what_is_between_chunks_and_no_chunk_costs_nothing() -> None:
    records, report = read(LOG[: start_of(1)] + noise(CHUNK_SIZE) + LOG[start_of(1) :])
    assert records == WRITTEN
    assert report.lost == 0
    assert any("no record is missing" in note.text for note in report.notes)


def test_a_text_that_looks_like_a_chunk_is_a_text() -> None:
    fake = b"ElfChnk\0" + bytes(504) + struct.pack("<4sIQQ", b"**\0\0", 64, 2, 1) + bytes(36)
    fake += struct.pack("<I", 64) + b"x\0"
    written = [vmms(number) for number in range(1, 30)]
    written[10] = written[10]._replace(data=(("VmName", fake.decode("utf-16-le", "surrogatepass")),))
    data = evtx_bytes(written)
    assert fake in data
    assert read(data)[0] == written


def record_at(number: int) -> int:
    """Where the record of that number starts in the log."""
    place = next(start_of(at) for at in range(CHUNKS) if number in numbers_of(at)) + FIRST
    while struct.unpack_from("<Q", LOG, place + 8)[0] != number:
        place += struct.unpack_from("<I", LOG, place + 4)[0]
    return place


@pytest.mark.parametrize("number", [numbers_of(1)[0], numbers_of(1)[3], numbers_of(1)[-1]])
@pytest.mark.parametrize("wrong", [0, 1, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF])
def test_a_wrong_number_in_a_chunk_with_a_damaged_header_costs_nothing(number: int, wrong: int) -> None:
    data = bytearray(LOG)
    data[start_of(1) + 20] ^= 0xFF
    struct.pack_into("<Q", data, record_at(number) + 8, wrong)
    records, report = read(bytes(data))
    assert records == WRITTEN
    assert report.with_anomalies == len(numbers_of(1))


def test_a_damaged_name_costs_no_record_where_its_template_was_seen_before() -> None:
    """Templates of a chunk share names, which stand where they are first used."""
    data = bytearray(LOG)
    name = "SystemTime".encode("utf-16-le")
    place = data.index(name, start_of(1))
    data[place : place + 4] = b"\x41\x42\x43\x44"
    records, report = read(bytes(data))
    assert [record for record in records if record not in WRITTEN] == []
    assert len(records) + report.lost == len(WRITTEN)


# ------------------------------------------------------------------ what the prefilter passes over


def other(number: int) -> EventRecord:
    return vmms(number, provider="Other")._replace(
        payload="EventData", payload_namespace=None, data=(("a", f"value {number}"),)
    )


def test_what_is_passed_over_is_counted_exactly() -> None:
    mixed = [other(number) for number in range(1, 900)] + [vmms(900)] + [other(n) for n in range(901, 1500)]
    records, report = read(evtx_bytes(mixed), wanted=HYPER_V)
    assert records == [vmms(900)]
    assert (report.filtered, report.lost) == (len(mixed) - 1, 0)
    assert report.chunks_skipped


@pytest.mark.parametrize("place", [30, 600, 5000, 9000])
def test_a_damaged_chunk_is_never_passed_over_untold(place: int) -> None:
    data = bytearray(evtx_bytes([other(number) for number in range(1, 100)]))
    data[FILE_HEADER_SIZE + place] ^= 0x10
    _, report = read(bytes(data), wanted=HYPER_V)
    assert report.chunks_skipped == 0
    assert report.chunks_damaged == 1
    assert not report.complete
    assert report.records_seen == 99


def test_a_wanted_name_that_is_damaged_is_not_filtered_in_silence() -> None:
    data = evtx_bytes([other(1), vmms(2), other(3)])
    name = "Hyper-V".encode("utf-16-le")
    _, report = read(data.replace(name, "Hypes-V".encode("utf-16-le")), wanted=HYPER_V)
    assert not report.complete
    assert report.chunks_damaged == 1


def test_flags_that_deny_checksums_are_not_believed() -> None:
    """No checksum covers a chunk's flags: one bit there must not make damage pass for sound."""
    data = bytearray(LOG)
    data[start_of(0) + 120] |= 4
    assert read(bytes(data))[0] == WRITTEN
    place = data.index("vm55".encode("utf-16-le"))
    data[place] ^= 1
    records, _ = read(bytes(data))
    changed = [record for record in records if record not in WRITTEN]
    assert len(changed) == 1
    assert changed[0].origin.anomalies


# ------------------------------------------------------------------ at any moment, on every way


def some_logs() -> list[bytes]:
    made = [mutation.data for mutation in mutations(30, 77, bases(2))]
    made += [zipped(("a.evtx", one), ("b.evtx", two)) for one, two in zip(made[:4], made[4:8], strict=True)]
    made.append((FOLDER / "hv2012r2" / "System.evtx").read_bytes())
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"carve": True},
        {"remnants": True},
        {"wanted": HYPER_V},
        {"wanted": HYPER_V, "remnants": True},
        {"engine": "evtx"},
        {"engine": "libevtx"},
        {"strict": True},
    ],
    ids=lambda options: " ".join(options),
)
def test_the_account_balances_at_any_moment(options: dict[str, object]) -> None:
    if options.get("engine"):
        pytest.importorskip("evtx")
        pytest.importorskip("pyevtx")
    for data in some_logs():
        for stop in (None, 3):
            stream = hv.read_records(data, **options)  # type: ignore[arg-type]
            report = stream.report
            taken = 0
            try:
                for _ in stream:
                    taken += 1
                    assert report.records_seen == report.delivered + report.filtered + report.lost
                    if taken == stop:
                        break
            except hv.HvdegradedError:
                pass
            stream.close()
            assert report.delivered == taken
            assert report.records_seen == report.delivered + report.filtered + report.lost
            assert report.lost == sum(part.lost for part in report.parts) or not report.parts


# ------------------------------------------------------------------ files that change while they are read


@pytest.mark.subprocess
def test_a_file_that_is_cut_while_it_is_read(tmp_path: Path) -> None:
    """In a process of its own, which a mapped file that was cut would kill."""
    path = tmp_path / "live.evtx"
    path.write_bytes(LOG)
    code = """
import os, sys
import hvdegraded as hv
stream = hv.read_records(sys.argv[1])
count = 0
for record in stream:
    count += 1
    if count == 10:
        os.truncate(sys.argv[1], int(sys.argv[2]))
print(count, stream.report.records_seen, [note.kind.value for note in stream.report.notes])
"""
    for size in (0, 5000, start_of(1), start_of(2) + 10_000):
        path.write_bytes(LOG)
        done = subprocess.run(
            [sys.executable, "-c", code, str(path), str(size)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (size, done.stderr)
        count, seen, *_ = done.stdout.split()
        assert int(count) >= 10
        assert int(seen) == len(WRITTEN)
        assert "changed while read" in done.stdout


def test_a_file_that_grows_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "live.evtx"
    path.write_bytes(LOG[: start_of(2)])
    stream = hv.read_records(path)
    records = [next(stream)]
    with path.open("ab") as file:
        file.write(LOG[start_of(2) :])
    records += stream
    assert records == WRITTEN[: len(records)]
    assert len(records) >= numbers_of(1)[-1]
    assert any(note.kind is NoteKind.CHANGED for note in stream.report.notes)


def test_a_file_that_is_written_to_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "live.evtx"
    path.write_bytes(LOG)
    stream = hv.read_records(path)
    next(stream)
    with path.open("r+b") as file:
        file.seek(start_of(CHUNKS - 1))
        file.write(bytes(CHUNK_SIZE))
    list(stream)
    assert any("written to" in note.text for note in stream.report.notes)
    assert stream.report.lost == len(numbers_of(CHUNKS - 1))


# ------------------------------------------------------------------ in words


def test_a_log_that_ends_within_its_last_chunk() -> None:
    _, report = read(LOG[: start_of(CHUNKS) - 100])
    assert f"the header promises {CHUNKS} chunks, {CHUNKS} are there, the last in part" in str(report)


def test_the_report_says_what_to_know() -> None:
    data = bytearray(LOG[: start_of(3)])
    place = start_of(0) + FIRST
    for _ in range(4):
        place += struct.unpack_from("<I", data, place + 4)[0]
    struct.pack_into("<I", data, place + 24 + 10, 0xFFFFFF)  # where its template is
    struct.pack_into("<I", data, 120, 1)  # dirty
    _, report = read(bytes(data))
    text = str(report)
    assert f"truncated: the header promises {CHUNKS} chunks, 3 are there" in text
    assert "dirty:" in text
    assert "newest may be missing" in text
    assert f"record 5 at offset 0x{place:X} malformed" in text
    plain = report.to_dict()
    assert plain["records_seen"] == len(WRITTEN)
    assert {note["kind"] for note in plain["notes"]} >= {"truncated", "dirty"}


def test_the_report_of_several_tells_which(tmp_path: Path) -> None:
    (tmp_path / "a.evtx").write_bytes(LOG)
    (tmp_path / "b.evtx").write_bytes(LOG[: start_of(1)])
    stream = hv.read_records(tmp_path)
    list(stream)
    lines = str(stream.report).splitlines()
    (told,) = [line for line in lines if "truncated" in line]
    assert "b.evtx" in told


def test_a_list_that_is_not_whole_says_so() -> None:
    report = ReadReport()
    for _ in range(ReadReport.MAX_LISTED + 7):
        report.lose(Loss(LossReason.MALFORMED, "x"))
    assert "7 more records lost" in str(report)


def test_crc_of_the_header_is_as_written() -> None:
    assert struct.unpack_from("<I", LOG, 124)[0] == zlib.crc32(LOG[:120])
