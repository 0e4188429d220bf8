"""Damaged and odd real logs: what is delivered, lost and marked, confirmed by readers of other people.

For each log: records delivered, lost, marked as doubtful, damaged chunks, and how many records `evtx` (errors
skipped) and libevtx give. What these give must be among ours. Where we give more, a plain search for record
headers with two equal sizes confirms that the records are there.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import hvdegraded as hv
from hvdegraded.formats.evtx.format import CHUNK_SIZE, FILE_HEADER_SIZE
from hvdegraded.records.record import EventRecord
from hvdegraded.records.report import ReadReport
from tests.tools.corpus import CORPUS, log, needs_corpus
from tests.tools.peers import PEERS


class Log(NamedTuple):
    """A log and what reading it must give."""

    name: str
    delivered: int
    lost: int
    marked: int
    damaged: int
    evtx: int
    libevtx: int
    told: str = ""


RDP = "2-vss_0-Microsoft-Windows-RemoteDesktopServices-RdpCoreTS%4Operational"
REMOTE = "2-vss_0-Microsoft-Windows-TerminalServices-RemoteConnectionManager%4Operational"
DAMAGE = {
    # 96 chunks and record 10548 are promised; the third chunk is cut behind 89 whole records.
    "truncated inside a chunk": Log(
        "System2", 283, 10265, 89, 1, 194, 194, "promises 96 chunks, 3 are there"
    ),
    # One chunk is overwritten behind its first records, five are gone, one has a damaged header.
    "bad chunk magic": Log(
        "sample_with_a_bad_chunk_magic", 301, 1017, 172, 12, 270, 267, "no chunk can be read"
    ),
    # Chunks with noise between those that are there, and no number that tells what they held.
    "eight bad chunks": Log("sysmon", 358, 8, 0, 8, 358, 358, "one for each chunk"),
    "bad string table": Log("security_bad_string_cache", 2261, 0, 0, 1, 2261, 2261, "header of the chunk"),
    "no checksums": Log("Application_no_crc32", 17, 0, 0, 0, 17, 17),
    # Record 104 hides a record that a tool deleted: its size reaches over it.
    "odd flags of the file header, and a deleted record": Log("post-Security", 127, 0, 2, 0, 126, 126),
    # Their second halves are of older chunks: 34 numbers each are missing, at a record that changes in its midst.
    "halves of other chunks, bad checksums": Log(RDP, 1910, 72, 191, 2, 1910, 1910, "checksum of the chunk"),
    "a bad checksum and records that lack two numbers": Log(REMOTE, 1806, 6, 198, 2, 1774, 1774, "checksum"),
    "a bad checksum, and 14 of 20 records gone": Log(
        "Microsoft-Windows-HelloForBusiness%4Operational", 6, 14, 6, 1, 6, 5, "checksum"
    ),
    "a bad checksum, and 3 of 20 records gone": Log(
        "Microsoft-Windows-LanguagePackSetup%4Operational", 17, 3, 17, 1, 17, 16, "checksum"
    ),
    "a record of no size": Log("sample-with-zero-data-size-event", 449, 1, 116, 1, 335, 335, "checksum"),
    # The live part ends with record 1155, goes on with 1418, and between them are two chunks of zeros.
    "wiped chunks": Log(
        "2-vss_7-System", 1160, 1418 - 1155 - 1, 0, 2, 1160, 1160, "by the numbers around them"
    ),
    "control characters": Log("security", 2261, 0, 0, 0, 2261, 2261),
    "half a surrogate pair": Log("issue_43", 1730, 0, 1, 0, 1730, 1729),
    "python-evtx issue 38": Log("issue_38", 1, 0, 0, 0, 1, 1),
    "python-evtx issue 39": Log("issue_39", 394, 0, 0, 0, 394, 394),
    "a malformed DNS log": Log("dns_log_malformed", 5, 0, 0, 0, 5, 5),
    "no template": Log("issue_201", 1, 0, 0, 0, 1, 1),
    "no template, forwarded": Log("MSExchange_Management_wec", 1, 0, 0, 0, 1, 1),
    "payloads without template": Log("Microsoft-Windows-CAPI2_Operational_EventID70", 1, 0, 0, 0, 1, 1),
}


def read(path: Path) -> tuple[list[EventRecord], ReadReport]:
    stream = hv.read_records(path)
    return list(stream), stream.report


def headers_in(data: bytes) -> dict[int, int]:
    """Offsets and numbers of all records of a log that a plain search finds before their chunks' ends."""
    found = {}
    for start in range(FILE_HEADER_SIZE, len(data), CHUNK_SIZE):
        chunk = data[start : start + CHUNK_SIZE]
        free = int.from_bytes(chunk[48:52], "little")
        end = min(free, len(chunk)) if chunk.startswith(b"ElfChnk\0") and free >= 512 else len(chunk)
        place = chunk.find(b"**\0\0", 512)
        while 0 <= place <= end - 32:
            size, number = struct.unpack_from("<IQ", chunk, place + 4)
            whole = (
                32 <= size <= end - place
                and chunk[place + size - 4 : place + size] == chunk[place + 4 : place + 8]
            )
            if whole:
                found[start + place] = number
            place = chunk.find(b"**\0\0", place + (size if whole else 1))
    return found


@needs_corpus
@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_delivered_lost_and_marked(damage: str) -> None:
    expected = DAMAGE[damage]
    path = log(expected.name)
    records, report = read(path)
    counted = (len(records), report.lost, report.with_anomalies, report.chunks_damaged)
    assert counted == (expected.delivered, expected.lost, expected.marked, expected.damaged)
    assert expected.told in str(report)
    data = path.read_bytes()
    whole = headers_in(data)
    numbers = set()
    unsound = 0
    for record in records:
        offset = record.origin.offset or 0
        numbers.add(struct.unpack_from("<Q", data, offset + 8)[0])
        if offset not in whole:
            # Two sizes differ, or it lies behind the end that a damaged header tells; it must say so.
            unsound += 1
            assert record.origin.anomalies
    assert len(records) - unsound <= len(whole)
    for name, count in (("evtx with skip_errors", expected.evtx), ("libevtx", expected.libevtx)):
        pytest.importorskip("evtx" if name.startswith("evtx") else "pyevtx")
        theirs: list[int] = []
        with contextlib.suppress(OSError, RuntimeError):
            theirs.extend(PEERS[name](str(path)))
        assert len(theirs) == count
        assert set(theirs) <= numbers


@needs_corpus
def test_a_damaged_table_of_names_changes_nothing() -> None:
    assert read(log("security_bad_string_cache"))[0] == read(log("security"))[0]


@needs_corpus
def test_a_record_without_provider() -> None:
    records, _ = read(log("Microsoft-Windows-HelloForBusiness%4Operational"))
    assert [record for record in records if not record.provider]


@needs_corpus
def test_all_damage_that_the_corpus_tells_of_has_a_test() -> None:
    text = (CORPUS / "README.md").read_text(encoding="utf-8")
    named: Callable[[str], bool] = lambda word: any(word in one.name for one in DAMAGE.values())  # noqa: E731
    for word in text.split("`"):
        if (CORPUS / "evtx").is_dir() and word in {path.stem for path in (CORPUS / "evtx").glob("*/*.evtx")}:
            assert named(word), word


@needs_corpus
def test_remnants_in_a_chunk_that_is_half_overwritten() -> None:
    plain, _ = read(log(RDP))
    stream = hv.read_records(log(RDP), remnants=True)
    records = list(stream)
    recovered = [record for record in records if record.origin.recovered]
    assert [record for record in records if not record.origin.recovered] == plain
    assert recovered
    assert not set(recovered) & set(plain)
