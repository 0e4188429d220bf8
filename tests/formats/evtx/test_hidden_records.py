"""Issue 15.8: records that bytes hide while all checksums are right are delivered with an anomaly, or counted.

Never is such a reading `complete`. What a log reports of itself (it was cleared, its clock was set) is a fact.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.records.record import EventRecord
from tests.tools.corpus import CLEAN_LOGS, needs_corpus

HEAD, CHUNK, FIRST = 4096, 65536, 512
WANTED = hv.load_knowledge().provider_filter()


_GUIDS = {
    "Microsoft-Windows-Hyper-V-VMMS": "6066F867-7CA1-4418-85FD-36E3F9C0600C",
    "Microsoft-Windows-Kernel-Boot": "15CA44FF-4D7A-4BAA-BBA5-0998955E531E",
}


def events(count: int, provider: str = "Microsoft-Windows-Hyper-V-VMMS") -> list[EventRecord]:
    return [
        EventRecord(
            provider=provider,
            event_id=13002,
            provider_guid=_GUIDS[provider],
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


def numbered(log: bytearray, first: int, last: int) -> None:
    for place, number in ((8, first), (24, first), (16, last), (32, last)):
        struct.pack_into("<Q", log, HEAD + place, number)


def stretched(log: bytearray, first: int, last: int) -> None:
    """A record's size reaches over those up to another."""
    at = places(log)
    for place in (at[first] + 4, at[last + 1] - 4):
        struct.pack_into("<I", log, place, at[last + 1] - at[first])


def last_swallowed(log: bytearray) -> bytes:
    struct.pack_into("<I", log, HEAD + 44, places(log)[28] - HEAD)
    stretched(log, 28, 29)
    numbered(log, 1, 29)
    return sealed(log)


def all_swallowed(log: bytearray) -> bytes:
    struct.pack_into("<I", log, HEAD + 44, FIRST)
    stretched(log, 0, 29)
    numbered(log, 1, 1)
    return sealed(log)


def swallowed_and_counted_absurdly(log: bytearray) -> bytes:
    stretched(log, 9, 10)
    numbered(log, 30, 1)
    return sealed(log)


@pytest.mark.parametrize(
    "hide", [last_swallowed, all_swallowed, swallowed_and_counted_absurdly], ids=lambda one: one.__name__
)
def test_what_a_size_hides_is_delivered_though_all_numbers_agree(hide: Callable[[bytearray], bytes]) -> None:
    expected = events(30)
    log = hide(bytearray(evtx_bytes(expected)))
    for wanted in (None, WANTED):
        stream = hv.read_records(log, wanted=wanted)
        found = list(stream)
        assert sorted(found, key=lambda record: record.record_id or 0) == expected
        assert not stream.report.complete
        assert not stream.report.lost


@pytest.mark.parametrize("numbers", [(1, 20), (5, 20), (30, 1), (1, 10_000), (11, 40)])
def test_numbers_that_a_chunk_header_cannot_count_are_told_and_cost_nothing(numbers: tuple[int, int]) -> None:
    log = bytearray(evtx_bytes(events(30)))
    numbered(log, *numbers)
    stream = hv.read_records(sealed(log))
    assert list(stream) == events(30)
    assert not stream.report.lost
    assert not stream.report.complete


@pytest.mark.parametrize(("place", "number"), [(44, 0), (44, 60_000), (48, 65_536)])
def test_a_chunk_header_that_names_another_end_is_told(place: int, number: int) -> None:
    log = bytearray(evtx_bytes(events(30)))
    struct.pack_into("<I", log, HEAD + place, number)
    stream = hv.read_records(sealed(log))
    assert list(stream) == events(30)
    assert "another last record" in str(stream.report)


def test_a_next_record_number_above_what_is_there_is_told() -> None:
    log = bytearray(evtx_bytes(events(30)))
    struct.pack_into("<Q", log, 24, 50)
    struct.pack_into("<I", log, 124, zlib.crc32(log[:120]))
    stream = hv.read_records(bytes(log))
    assert len(list(stream)) == 30
    assert "next record number is 50, the last record is 30" in str(stream.report)


def test_chunks_in_another_order_lose_nothing() -> None:
    log = bytearray(evtx_bytes(events(700)))
    first, second = log[HEAD : HEAD + CHUNK], log[HEAD + CHUNK : HEAD + 2 * CHUNK]
    log[HEAD : HEAD + 2 * CHUNK] = second + first
    stream = hv.read_records(bytes(log))
    assert len(list(stream)) == 700
    assert not stream.report.lost


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
    # Of two records, one of which hides the other, both have wrong sizes.
    for hide, count in ((swallowed, 2), (less_free_space, 10), (no_record_left, 30), (older_header, 10)):
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


def with_copy(log: bytearray, change: Callable[[bytearray], bytes] | None = None) -> bytes:
    """The log, whose first chunk stands at its end again, changed or not, as its file header counts."""
    copy = bytearray(log[: HEAD + CHUNK])
    copied = (change(copy) if change is not None else bytes(copy))[HEAD:]
    (chunks,) = struct.unpack_from("<H", log, 42)
    struct.pack_into("<H", log, 42, chunks + 1)
    struct.pack_into("<Q", log, 16, chunks)
    struct.pack_into("<I", log, 124, zlib.crc32(log[:120]))
    return bytes(log) + copied


def another_name(log: bytearray) -> bytes:
    place = log.index("web0".encode("utf-16-le"), HEAD)
    log[place : place + 2] = "W".encode("utf-16-le")
    return sealed(log)


def without_its_last(log: bytearray) -> bytes:
    struct.pack_into("<I", log, HEAD + 48, places(log)[-2] - HEAD)
    for number, place in ((places(log)[-1], HEAD + 44), (0, 0)):
        if place:
            struct.pack_into("<I", log, place, number - HEAD)
    (last,) = struct.unpack_from("<Q", log, HEAD + 32)
    struct.pack_into("<Q", log, HEAD + 16, last - 1)
    struct.pack_into("<Q", log, HEAD + 32, last - 1)
    return sealed(log)


@pytest.mark.parametrize("wanted", [None, WANTED])
def test_a_chunk_that_is_there_twice_counts_once_and_is_told(wanted: Any) -> None:
    whole = list(hv.read_records(evtx_bytes(events(700))))
    stream = hv.read_records(with_copy(bytearray(evtx_bytes(events(700)))), wanted=wanted)
    assert list(stream) == whole
    assert not stream.report.with_anomalies
    assert stream.report.records_seen == 700
    assert not stream.report.complete
    assert "is a copy of the one at offset 0x1000" in str(stream.report)


@pytest.mark.parametrize("change", [another_name, without_its_last], ids=lambda one: one.__name__)
def test_chunks_of_the_same_numbers_with_other_records_are_all_delivered_and_marked(
    change: Callable[[bytearray], bytes],
) -> None:
    log = bytearray(evtx_bytes(events(700)))
    (last,) = struct.unpack_from("<Q", log, HEAD + 32)
    stream = hv.read_records(with_copy(log, change))
    found = list(stream)
    assert len(found) == 700 + last  # what a header leaves out is found behind its free-space offset
    assert {one.record_id for one in found if one.origin.anomalies} == set(range(1, last + 1))
    assert not stream.report.complete


def test_a_copy_at_a_place_where_no_chunk_belongs_counts_once() -> None:
    log = evtx_bytes(events(700))
    stream = hv.read_records(log + b"\x5a" * 100 + log[HEAD : HEAD + CHUNK])
    assert len(list(stream)) == 700
    assert "is a copy" in str(stream.report)


def cleared(channel: str, event_id: int = 104) -> EventRecord:
    return EventRecord(
        provider="Microsoft-Windows-Eventlog",
        event_id=event_id,
        time_ticks=134_000_000_500_000_000,
        level=4,
        record_id=31,
        channel="System" if event_id == 104 else "Security",
        computer="hv1",
        payload="UserData/LogFileCleared",
        data=(("SubjectUserName", "eve"), ("SubjectDomainName", "LAB"), ("Channel", channel)),
    )


@pytest.mark.parametrize("wanted", [None, WANTED])
@pytest.mark.parametrize("event_id", [104, 1102])
def test_a_cleared_log_is_told_as_a_fact(event_id: int, wanted: Any) -> None:
    stream = hv.read_records(evtx_bytes([*events(30), cleared("Admin", event_id)]), wanted=wanted)
    assert len(list(stream)) == (31 if wanted is None else 30)
    assert stream.report.records_seen == 31
    told = [text for _, text in stream.report.items()]
    assert len(told) == 1
    assert "the log Admin was cleared at" in told[0]
    assert "by LAB\\eve on hv1" in told[0]
    assert stream.report.complete


def test_a_cleared_log_is_told_though_its_log_has_no_event_of_hyper_v() -> None:
    log = evtx_bytes(
        [*events(2000, "Microsoft-Windows-Kernel-Boot"), cleared("Admin")._replace(record_id=2001)]
    )
    stream = hv.read_records(log, wanted=WANTED)
    assert not list(stream)
    assert stream.report.chunks_skipped
    assert "the log Admin was cleared" in str(stream.report)
    assert "the log Admin was cleared" in json.dumps(hv.triage(log).to_dict())


def test_an_export_tells_of_a_cleared_log_too() -> None:
    line = json.dumps({"winlog": {"provider_name": "Microsoft-Windows-Eventlog", "event_id": "104",
                                  "user_data": {"Channel": "Admin", "SubjectUserName": "eve"}}})  # fmt: skip
    stream = hv.read_records(line.encode(), wanted=WANTED)
    assert not list(stream)
    assert "the log Admin was cleared by eve" in str(stream.report)


def test_times_that_run_backwards_inside_a_chunk_are_told_as_a_fact() -> None:
    listed = events(30)
    listed[20] = listed[20]._replace(time_ticks=(listed[20].time_ticks or 0) - 3600 * 10_000_000)
    for log, places in ((evtx_bytes(listed), 1), (evtx_bytes(events(30)), 0)):
        stream = hv.read_records(log)
        assert len(list(stream)) == 30
        assert stream.report.complete
        assert stream.report.set_back == places
        assert ("times run backwards at one place by 0:59:59" in str(stream.report)) is bool(places)
        assert hv.triage(log).to_dict()["report"]["set_back"] == places


@needs_corpus
@pytest.mark.slow
def test_no_log_of_the_corpus_has_a_chunk_whose_numbers_repeat() -> None:
    for path in CLEAN_LOGS:
        stream = hv.read_records(path)
        assert list(stream)
        assert not [
            text for _, text in stream.report.items() if "is a copy of" in text or "numbers of" in text
        ]


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
