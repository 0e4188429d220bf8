"""Compressed logs: read as far as they go, within bounds; whatever is damaged, cut or too much is told."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import random
import struct
import sys
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.errors import LossError, SourceError, UnknownFormatError
from hvdegraded.formats.archives import Expansion, gunzipped, members
from hvdegraded.reading.delivery import delivered
from hvdegraded.reading.jobs import InputReader, ReadJob
from hvdegraded.records.items import Item, Note, NoteKind
from hvdegraded.records.record import EventRecord
from hvdegraded.records.report import ReadReport
from tests.tools.sample_logs import FOLDER

WORKER = FOLDER / "hv2012r2" / "Microsoft-Windows-Hyper-V-Worker-Admin.evtx"
VMMS = FOLDER / "hv2012r2" / "Microsoft-Windows-Hyper-V-VMMS-Admin.evtx"
PLAIN = list(hv.read_records(WORKER))
XML = b"<Event><System><Provider Name='storvsp'/><EventID>%d</EventID></System></Event>"
JSON = b'{"winlog": {"provider_name": "storvsp", "event_id": "%d"}}\n'


def read(data: bytes, **options: Any) -> tuple[list[EventRecord], ReadReport]:
    stream = hv.read_records(data, **options)
    records = list(stream)
    assert stream.report.records_seen == stream.report.delivered + stream.report.filtered + stream.report.lost
    assert stream.report.delivered == len(records)
    return records, stream.report


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return made.getvalue()


def kinds(report: ReadReport) -> set[NoteKind]:
    return {note.kind for note in report.notes}


@pytest.mark.parametrize("plain", [WORKER.read_bytes(), XML % 1 + XML % 2, JSON % 5 + JSON % 6])
def test_gzip_and_zip_give_what_they_hold(plain: bytes) -> None:
    expected, _ = read(plain)
    assert expected
    for packed in (gzip.compress(plain), zipped(("a", plain)), zipped(("a", plain), method=zipfile.ZIP_LZMA)):
        records, report = read(packed)
        assert records == expected
        assert not report.notes


def zstd_member(name: str, data: bytes) -> bytes:
    """A zip archive whose only member is compressed by zstd, which `zipfile` writes from Python 3.14 on."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    made = bytearray(zipped((name, zstd.compress(data)), method=zipfile.ZIP_STORED))
    for method, checksum in ((8, 14), (made.index(b"PK\x01\x02") + 10, made.index(b"PK\x01\x02") + 16)):
        struct.pack_into("<H", made, method, 93)
        struct.pack_into("<I", made, checksum, zlib.crc32(data))
        struct.pack_into("<I", made, checksum + 8, len(data))
    return bytes(made)


MEMBERS = {
    "stored": lambda data: zipped(("w.jsonl", data), method=zipfile.ZIP_STORED),
    "deflate": lambda data: zipped(("w.jsonl", data)),
    "bzip2": lambda data: zipped(("w.jsonl", data), method=zipfile.ZIP_BZIP2),
    "LZMA": lambda data: zipped(("w.jsonl", data), method=zipfile.ZIP_LZMA),
    "zstd": lambda data: zstd_member("w.jsonl", data),
}


@pytest.mark.parametrize("method", MEMBERS)
def test_a_member_of_any_method_is_read_whole_and_checked(method: str) -> None:
    lines = b"".join(JSON % number for number in range(3000))
    packed = bytearray(MEMBERS[method](lines))
    records, report = read(bytes(packed))
    assert len(records) == 3000
    assert report.complete
    for checksum in (14, packed.index(b"PK\x01\x02") + 16):
        packed[checksum] ^= 1
    records, report = read(bytes(packed))
    assert len(records) == 3000
    assert kinds(report) == {NoteKind.TRUNCATED}


@pytest.mark.parametrize("method", MEMBERS)
def test_a_member_of_any_method_is_expanded_in_bounded_memory(method: str) -> None:
    """Issue 15.12: `zipfile` expands what it reads of bzip2, LZMA and zstd at once."""
    packed = io.BytesIO(MEMBERS[method](bytes(24 << 20)))
    notes: list[Note] = []
    tracemalloc.start()
    with contextlib.ExitStack() as held:
        for name, member in members(packed, None, notes):
            stream = member(name, notes, held)
            assert sum(map(len, iter(lambda: stream.read(1 << 16), b""))) == 24 << 20  # noqa: B023
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not notes
    assert peak < 16 << 20


def test_an_lzma_member_that_asks_for_too_much_memory_is_reported() -> None:
    packed = bytearray(zipped(("w.jsonl", JSON % 1), method=zipfile.ZIP_LZMA))
    head = 30 + len("w.jsonl") + 4
    struct.pack_into("<I", packed, head + 1, 0xFFFFFFFF)  # bytes of its dictionary
    records, report = read(bytes(packed))
    assert not records
    assert "memory" in " ".join(note.text.lower() for note in report.notes)


def test_gzip_of_several_members_and_padding() -> None:
    parts = [gzip.compress(JSON % number) for number in range(3)]
    records, report = read(b"".join(parts) + bytes(512))
    assert [record.event_id for record in records] == [0, 1, 2]
    assert not report.notes


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_cut_gzip_gives_what_is_there(share: float) -> None:
    packed = gzip.compress(WORKER.read_bytes())
    records, report = read(packed[: int(len(packed) * share)])
    assert records == PLAIN[: len(records)]
    assert len(records) > len(PLAIN) * share / 3
    # The log's header says how many records there were.
    assert report.records_seen == len(PLAIN)
    assert NoteKind.TRUNCATED in kinds(report)


def test_a_damaged_gzip_says_so_and_strict_raises() -> None:
    packed = bytearray(gzip.compress(JSON * 2000))
    packed[len(packed) // 2] ^= 0xFF
    _, report = read(bytes(packed))
    assert NoteKind.TRUNCATED in kinds(report)
    with pytest.raises(LossError):
        read(bytes(packed), strict=True)


def test_a_zip_of_several_logs_has_an_account_of_each() -> None:
    records, report = read(
        zipped(
            ("a/w.evtx", WORKER.read_bytes()), ("b.jsonl", JSON % 6 + b"no JSON\n"), ("readme.txt", b"hello")
        )
    )
    assert len(records) == len(PLAIN) + 1
    assert [(part.path, part.delivered, part.lost) for part in report.parts] == [
        ("archive/a/w.evtx", len(PLAIN), 0),
        ("archive/b.jsonl", 1, 1),
    ]
    assert [str(note) for note in report.notes] == ["passed over: 1 members are not logs: readme.txt"]


def test_a_zip_without_logs_is_refused() -> None:
    for packed in (zipped(("readme.txt", b"hello")), zipped(("folder/", b""))):
        with pytest.raises(SourceError, match="holds no logs"):
            read(packed)


def test_a_zip_in_a_zip_is_told_not_read() -> None:
    inner = zipped(("w.evtx", WORKER.read_bytes()))
    records, report = read(zipped(("inner.zip", inner), ("x.jsonl", JSON % 1)))
    assert len(records) == 1
    assert "an archive in an archive is not read" in report.unreadable[0].text


def test_what_cannot_be_unpacked_is_told_and_costs_no_other_member() -> None:
    good = ("good.jsonl", JSON % 1)
    packed = bytearray(zipped(("bad.evtx", WORKER.read_bytes()), good))
    directory = packed.index(b"PK\x01\x02")
    for place, value, reason in (
        (8, 1, "encrypted"),  # flags
        (10, 99, "compression"),  # method
        (42, 0x7FFFFFFF, ""),  # where the member begins
        (20, 10, ""),  # its packed size
        (16, 1, "CRC"),  # its checksum
    ):
        changed = bytearray(packed)
        struct.pack_into("<H" if place < 12 else "<I", changed, directory + place, value)
        if place < 12:
            struct.pack_into("<H", changed, place - 2, value)
        records, report = read(bytes(changed))
        assert [record for record in records if record.provider == "storvsp"], place
        told = " ".join(note.text for note in report.notes)
        assert reason in told
        assert told


def test_sizes_that_lie_do_not_matter() -> None:
    packed = bytearray(zipped(("w.jsonl", JSON % 1 * 50)))
    directory = packed.index(b"PK\x01\x02")
    struct.pack_into("<I", packed, directory + 24, 0xFFFFFFF0)  # its unpacked size
    records, _ = read(bytes(packed))
    assert len(records) == 50


def bomb(size: int) -> Iterator[bytes]:
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    yield pack.compress(WORKER.read_bytes())
    for _ in range(size >> 20):
        yield pack.compress(bytes(1 << 20))
    yield pack.flush()


def test_a_bomb_is_stopped_and_the_log_before_it_read() -> None:
    packed = b"".join(bomb(64 << 20))

    def read_bomb(report: ReadReport) -> list[EventRecord]:
        notes: list[Note] = []
        stream = gunzipped(io.BytesIO(packed), notes, Expansion(freely=8 << 20))

        def items() -> Iterator[Item]:
            yield from InputReader(ReadJob(None)).items(stream, None)
            yield from notes

        return list(delivered(items(), report))

    report = ReadReport()
    assert read_bomb(report) == PLAIN
    assert NoteKind.LIMIT in kinds(report)
    assert report.size is not None
    assert report.size <= max(8 << 20, 256 * len(packed))
    with pytest.raises(LossError):
        read_bomb(ReadReport(strict=True))


def test_members_of_a_zip_share_one_bound() -> None:
    log = WORKER.read_bytes() + bytes(3 << 20)
    archive = io.BytesIO(zipped(*((f"{number}.evtx", log) for number in range(20))))
    notes: list[Note] = []
    size = 0
    for name, member in members(archive, None, notes, Expansion(freely=8 << 20, times=1)):
        with contextlib.ExitStack() as held:
            size += len(member(name, notes, held).read())
    assert len(log) < size <= 8 << 20
    assert NoteKind.LIMIT in [note.kind for note in notes]


@pytest.mark.slow
def test_damaged_archives_end_in_our_errors() -> None:
    choice = random.Random(11)
    seeds = [
        zipped(("w.evtx", WORKER.read_bytes()[:30_000]), ("x.xml", XML % 1), method=method)
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    ]
    seeds.append(gzip.compress(WORKER.read_bytes()[:30_000]))
    for number in range(400):
        data = bytearray(choice.choice(seeds))
        for _ in range(choice.randint(1, 12)):
            place = choice.randrange(len(data)) if number % 2 else len(data) - choice.randrange(1, 200)
            data[place] = choice.randrange(256)
        with contextlib.suppress(hv.HvdegradedError):
            read(bytes(data))


def test_damaged_zstd_says_so() -> None:
    with pytest.raises(SourceError, match="compressed data are damaged"):
        read(b"\x28\xb5\x2f\xfd" + b"\xff" * 50)


def test_zstd_gives_what_it_holds() -> None:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    packed = zstd.compress(WORKER.read_bytes())
    assert read(packed)[0] == PLAIN
    assert read(packed + zstd.compress(b""))[0] == PLAIN
    choice = random.Random(4)
    lines = b"".join(JSON % choice.randrange(60_000) for _ in range(20_000))
    expected, _ = read(lines)
    packed = zstd.compress(lines)
    records, report = read(packed[: len(packed) // 2])
    assert records == expected[: len(records)]
    assert len(records) > 5000
    assert NoteKind.TRUNCATED in kinds(report)


def test_what_is_cut_before_its_first_byte_says_so() -> None:
    with pytest.raises(SourceError, match="the compressed data end early"):
        read(gzip.compress(WORKER.read_bytes())[:12])


def test_other_compression_is_no_log() -> None:
    with pytest.raises(UnknownFormatError):
        read(bz2.compress(b"x"))


def test_compressed_images_can_be_carved(tmp_path: Path) -> None:
    image = b"noise" * 1001 + WORKER.read_bytes()[4096:]
    records, _ = read(gzip.compress(image), carve=True)
    assert records == PLAIN
    with gzip.open(tmp_path / "disk.img.gz", "wb") as file:
        file.write(image)
    assert list(hv.read_records(tmp_path / "disk.img.gz", carve=True)) == PLAIN


@pytest.mark.parametrize("size", [8, 4096, 8192, 70_000])
def test_a_log_whose_beginning_is_wiped_is_still_one(size: int) -> None:
    data = WORKER.read_bytes()
    for fill in (b"\0", b"\xff"):
        records, report = read(fill * size + data[size:])
        assert records == PLAIN[-len(records) :]
        assert records
        assert NoteKind.HEADER in kinds(report)
