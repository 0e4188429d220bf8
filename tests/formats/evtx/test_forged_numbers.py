"""Issue 15.8: numbers in chunk headers and records that cannot be hide no record and are told."""

from __future__ import annotations

import struct

import pytest

import hvdegraded as hv
from hvdegraded.formats.evtx.writer import evtx_bytes
from tests.formats.evtx.test_hidden_records import HEAD, events, numbered, places, sealed, stretched


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
