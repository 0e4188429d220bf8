"""Issue 15.8: numbers in chunk headers and records that cannot be hide no record and are told."""

from __future__ import annotations

import struct

import pytest

import hvdegraded as hv
from hvdegraded.formats.evtx.writer import evtx_bytes
from tests.formats.evtx.test_hidden_records import HEAD, WANTED, events, numbered, places, sealed, stretched


@pytest.mark.parametrize(("first", "last"), [(28, 29), (0, 29), (9, 11)])
def test_what_a_record_swallows_is_delivered_where_the_numbers_are_unchanged(first: int, last: int) -> None:
    log = bytearray(evtx_bytes(events(30)))
    stretched(log, first, last)
    stream = hv.read_records(sealed(log))
    assert sorted(stream, key=lambda record: record.record_id or 0) == events(30)
    assert not stream.report.lost
    assert not stream.report.complete


@pytest.mark.parametrize("numbers", [(0, 0), (1, 0), (1, (1 << 64) - 1), ((1 << 64) - 1, (1 << 64) - 1)])
def test_a_chunk_that_claims_to_be_empty_hides_nothing(numbers: tuple[int, int]) -> None:
    log = bytearray(evtx_bytes(events(30)))
    numbered(log, *numbers)
    struct.pack_into("<I", log, HEAD + 48, 512)
    stream = hv.read_records(sealed(log))
    assert list(stream) == events(30)
    assert not stream.report.complete


def test_record_numbers_that_go_back_in_a_chunk_are_told() -> None:
    log = bytearray(evtx_bytes(events(30)))
    struct.pack_into("<Q", log, places(log)[15] + 8, 5)
    stream = hv.read_records(sealed(log))
    assert len(list(stream)) == 30
    assert "go back" in str(stream.report)


@pytest.mark.parametrize(("one", "other"), [(20, 21), (12, 28), (11, 29), (10, 12)])
@pytest.mark.parametrize("cut", [0, 3])
def test_records_in_another_order_lose_none_but_those_that_are_missing(
    one: int, other: int, cut: int
) -> None:
    expected = events(40)
    log = bytearray(evtx_bytes(expected))
    at = places(log)
    size = at[one + 1] - at[one]
    assert size == at[other + 1] - at[other]
    records = [bytes(log[start : start + size]) for start in (at[one], at[other])]
    log[at[other] : at[other] + size], log[at[one] : at[one] + size] = records
    gone = set(range(33, 33 + cut))
    if cut:
        log[at[32] : at[32 + cut]] = bytes(at[32 + cut] - at[32])
    for wanted in (None, WANTED):
        stream = hv.read_records(sealed(log), wanted=wanted)
        found = sorted(stream, key=lambda record: record.record_id or 0)
        assert found == [record for record in expected if record.record_id not in gone]
        assert stream.report.lost == cut
        assert "go back" in str(stream.report)


@pytest.mark.parametrize("number", [11, 1 << 32, (1 << 32) + 11, 0x1_0000_2A2A, 0x120_0000_2A2A, 1 << 63])
def test_a_wanted_record_inside_of_one_of_another_provider_is_found(number: int) -> None:
    listed = events(30, "Microsoft-Windows-Kernel-Boot")
    listed[10] = events(30)[10]._replace(record_id=number)
    log = bytearray(evtx_bytes(listed))
    struct.pack_into("<Q", log, places(log)[10] + 8, number)
    stretched(log, 9, 10)
    for place, behind in enumerate(places(log)[10:-1], 11):
        struct.pack_into("<Q", log, behind + 8, place)
    numbered(log, 1, 29)
    stream = hv.read_records(sealed(log), wanted=hv.load_knowledge().provider_filter())
    assert [record.record_id for record in stream] == [number]
    assert stream.report.records_seen == 30


@pytest.mark.parametrize("number", [5, 1000, 1 << 40])
def test_a_forged_number_is_told_though_no_record_of_its_chunk_is_wanted(number: int) -> None:
    log = bytearray(evtx_bytes(events(30, "Microsoft-Windows-Kernel-Boot")))
    struct.pack_into("<Q", log, places(log)[15] + 8, number)
    for wanted in (None, WANTED):
        stream = hv.read_records(sealed(log), wanted=wanted)
        list(stream)
        assert stream.report.records_seen == 30
        assert not stream.report.complete
