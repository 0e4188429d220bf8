"""Zip archives that are cut, lack their directory or stand among other data: what is whole is read, the rest told."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from hvdegraded.records.items import NoteKind
from hvdegraded.records.report import ReadReport
from tests.formats.test_archives import JSON, PLAIN, WORKER, kinds, read, zipped

PARTS = (
    ("w.evtx", WORKER.read_bytes()),
    ("a.jsonl", JSON % 1),
    ("folder/", b""),
    ("folder/b.jsonl", JSON % 2 * 2),
)
PACKED = zipped(*PARTS)
COUNT = len(PLAIN) + 3
DIRECTORY, END = PACKED.index(b"PK\x01\x02"), PACKED.rindex(b"PK\x05\x06")


class Unseekable(io.BytesIO):
    """A stream as a pipe is: sizes and checksums go behind what they are of."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError

    def seek(self, *_: int) -> int:
        raise OSError


def streamed(method: int) -> bytes:
    made = Unseekable()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in PARTS:
            archive.writestr(name, data)
    return made.getvalue()


def told(report: ReadReport) -> str:
    return " ".join(note.text for note in report.notes)


@pytest.mark.parametrize(
    ("packed", "text"),
    [
        (PACKED + bytes(100_000), "100000 bytes behind the end"),
        (PACKED + b"noise" * 30_000, "150000 bytes behind the end"),
        (PACKED + b"short", ""),
        (b"MZ" + bytes(5000) + PACKED, ""),
        (b"#!/bin/sh\nunzip $0\nexit\n" + PACKED, ""),
        (b"PK\x03\x04" + bytes(9000) + PACKED + bytes(100_000), "100000 bytes behind the end"),
    ],
    ids=[
        "zeros behind",
        "noise behind",
        "a little behind",
        "a program in front",
        "a script in front",
        "both",
    ],
)
def test_an_archive_among_other_data_is_read_whole(packed: bytes, text: str) -> None:
    records, report = read(packed)
    assert len(records) == COUNT
    assert not report.unreadable
    assert kinds(report) == ({NoteKind.PASSED_OVER} if text else set())
    assert text in told(report)


@pytest.mark.parametrize(
    "packed",
    [
        PACKED[:END],
        PACKED[: END + 10],
        PACKED[:DIRECTORY],
        PACKED[: DIRECTORY + 20],
        PACKED[:DIRECTORY] + bytes(len(PACKED) - DIRECTORY),
        PACKED[:DIRECTORY] + b"XX" + PACKED[DIRECTORY + 2 :],
        PACKED[:DIRECTORY] + bytes(200_000),
        streamed(zipfile.ZIP_DEFLATED).partition(b"PK\x01\x02")[0],
        streamed(zipfile.ZIP_BZIP2).partition(b"PK\x01\x02")[0],
    ],
)
def test_an_archive_without_its_directory_is_read_and_reported(packed: bytes) -> None:
    records, report = read(packed)
    assert len(records) == COUNT
    assert NoteKind.TRUNCATED in kinds(report)
    assert "found without it" in told(report)
    assert not report.complete


def test_a_stored_member_whose_size_stands_behind_it_is_read() -> None:
    records, report = read(streamed(zipfile.ZIP_STORED).partition(b"PK\x01\x02")[0])
    assert len(records) == COUNT
    assert [note.kind for note in report.notes] == [NoteKind.TRUNCATED]


def test_a_member_of_four_gigabytes_by_its_header_is_read_without_a_directory() -> None:
    """The sizes of zip64 stand behind the name; here they are small."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.jsonl", "w", force_zip64=True) as file,
    ):
        file.write(JSON % 1 * 3)
    packed = made.getvalue()
    assert struct.unpack_from("<I", packed, 18)[0] == 0xFFFFFFFF
    assert len(read(packed.partition(b"PK\x01\x02")[0])[0]) == 3


@pytest.mark.parametrize("length", range(60, len(PACKED), 997))
def test_a_cut_archive_gives_every_member_that_is_whole(length: int) -> None:
    records, report = read(PACKED[:length])
    second = PACKED.index(b"PK\x03\x04", 4)
    if length >= second:
        assert records[: len(PLAIN)] == PLAIN
    assert records == [*PLAIN, *(one for one in records if one.provider == "storvsp")][: len(records)]
    assert not report.complete


def test_a_member_that_is_cut_is_read_as_far_as_it_goes() -> None:
    lines = b"".join(JSON % number for number in range(20_000))
    packed = zipped(("a.jsonl", JSON % 7), ("b.jsonl", lines))
    records, report = read(packed[: len(packed) // 2])
    assert records[0].event_id == 7
    assert [one.event_id for one in records[1:]] == list(range(len(records) - 1))
    assert len(records) > 5000
    assert "end early" in told(report)


def test_a_member_that_the_directory_names_again_is_read_once() -> None:
    packed = zipped(("w.evtx", WORKER.read_bytes()))
    start, end = packed.index(b"PK\x01\x02"), packed.rindex(b"PK\x05\x06")
    entry = packed[start:end]
    close = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 3000, 3000, len(entry) * 3000, start, 0)
    records, report = read(packed[:start] + entry * 3000 + close)
    assert records == PLAIN
    assert [(note.kind, "2999 times" in note.text) for note in report.notes] == [(NoteKind.REPEATED, True)]


def test_a_member_that_the_directory_leaves_out_is_read_and_reported() -> None:
    """As behind a tool that hides one, or where a second archive was written behind a first."""
    hidden = zipped(("hidden.jsonl", JSON % 9))
    inside = hidden[: hidden.index(b"PK\x01\x02")]
    for packed in (inside + PACKED, hidden + PACKED, PACKED + inside + bytes(70_000)):
        records, report = read(packed)
        assert len(records) == COUNT + 1
        assert "1 members are not in the archive's directory" in told(report)


def test_archives_in_archives_do_not_become_members_of_the_outer_one() -> None:
    inner = zipped(("a.jsonl", JSON % 1))
    outer = zipped(("inner.zip", inner), ("b.jsonl", JSON % 2), method=zipfile.ZIP_STORED)
    for packed in (outer, outer[: outer.rindex(b"PK\x05\x06")]):
        records, report = read(packed)
        assert [one.event_id for one in records] == [2]
        assert "an archive in an archive is not read" in told(report)


def test_what_only_looks_like_headers_of_members_costs_no_time_and_gives_nothing() -> None:
    noise = zipped(("a.jsonl", JSON % 1)) + b"PK\x03\x04" * 50_000
    records, report = read(noise)
    assert len(records) == 1
    assert [note.kind for note in report.notes] == [NoteKind.PASSED_OVER]
