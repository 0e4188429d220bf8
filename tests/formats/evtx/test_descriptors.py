"""Issue 15.10: descriptors that cut, retype or drop a value leave no false field unmarked, whatever the checksums say."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.records.record import Anomaly
from tests.formats.evtx.test_hidden_records import HEAD, events, places, sealed
from tests.tools.corpus import ROOT
from tests.tools.written_records import KERNEL_GENERAL_GUID

FOLDER = ROOT / "sample_logs" / "hv2012r2"
LOGS = [FOLDER / "Microsoft-Windows-Hyper-V-Worker-Admin.evtx", FOLDER / "System.evtx"]
_INSTANCE = struct.Struct("<IBBIII").unpack_from
NULL, STRING, UINT16, BOOL, GUID, FILETIME, SID, UNKNOWN, ARRAY = 0, 1, 6, 13, 15, 17, 19, 0x33, 0x80
KEPT_FROM_NULL = (UINT16, GUID)
"""Types that real logs have as NULL with bytes: such a field is not there, which is not told."""


def descriptors(log: bytes, start: int) -> Iterator[int]:
    """Where the sizes and types of a record's outer values stand."""
    _, _, _, _, offset, count = _INSTANCE(log, start + 24)
    here = start + 42
    if HEAD + offset == start + 38:  # the template is defined here
        (length,) = struct.unpack_from("<I", log, start + 38 + 20)
        here = start + 38 + 24 + length
        (count,) = struct.unpack_from("<I", log, here)
        here += 4
    yield from range(here, here + 4 * count, 4)


def changes(size: int, kind: int) -> Iterator[tuple[int, int]]:
    yield from ((size - 1, kind), (size + 1, kind), (0, kind))
    yield from ((size, other) for other in (NULL, STRING, BOOL, GUID, FILETIME, SID, UNKNOWN, kind | ARRAY))


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
@pytest.mark.parametrize("record", [0, 1, 5])
def test_a_wrong_descriptor_costs_nothing_but_its_own_record_and_no_false_field(
    path: Path, record: int
) -> None:
    data = evtx_bytes(list(hv.read_records(path))[:8])
    expected = list(hv.read_records(data))
    start = places(data)[record]
    tried = 0
    listed = list(descriptors(data, start))
    value = listed[-1] + 4
    for place in listed:
        size, kind = struct.unpack_from("<HB", data, place)
        is_zero = not data[value : value + size].strip(b"\0")
        value += size
        for new in changes(size, kind):
            if new == (size, kind) or new[0] < 0 or (new[1] == NULL and (kind in KEPT_FROM_NULL or is_zero)):
                continue
            log = bytearray(data)
            struct.pack_into("<HB", log, place, *new)
            found = {one.origin.offset: one for one in hv.read_records(sealed(log))}
            tried += 1
            for one in expected:
                read = found.get(one.origin.offset)
                assert read == one or (
                    one.origin.offset == start and (read is None or read.origin.anomalies)
                ), new
            if len(found) < len(expected):
                stream = hv.read_records(sealed(log))
                list(stream)
                assert stream.report.lost == 1
    assert tried > 150


@pytest.mark.parametrize(("slot", "size", "kind"), [(0, 0, 4), (1, 0, 4), (11, 0, 4), (14, None, UNKNOWN)])
def test_a_record_whose_provider_is_misplaced_is_not_counted_as_of_another(
    slot: int, size: int | None, kind: int
) -> None:
    """A filter by providers must not hide what it cannot read: such a record is delivered or lost."""
    data = LOGS[0].read_bytes()
    place = list(descriptors(data, places(data)[0]))[slot]
    log = bytearray(data)
    struct.pack_into(
        "<HB", log, place, struct.unpack_from("<H", data, place)[0] if size is None else size, kind
    )
    stream = hv.read(sealed(log))
    delivered = len(list(stream))
    assert delivered + stream.report.lost == len(list(hv.read(data)))
    assert not stream.report.complete


def test_a_chunk_whose_only_wanted_record_is_misplaced_is_not_skipped() -> None:
    record = next(iter(hv.read_records(LOGS[0])))
    other = record._replace(provider="Microsoft-Windows-Kernel-General", provider_guid=KERNEL_GENERAL_GUID)
    others = [other._replace(record_id=at) for at in range(2, 30)]
    data = evtx_bytes([record._replace(record_id=1), *others])
    listed = list(descriptors(data, places(data)[0]))
    for place in listed:
        size, kind = struct.unpack_from("<HB", data, place)
        if size in (1, 2) and kind != STRING:
            log = bytearray(data)
            struct.pack_into("<HB", log, place, 0, kind)
            stream = hv.read(sealed(log))
            assert len(list(stream)) + stream.report.lost == 1, place


@pytest.mark.parametrize("bit", [1, 4, 6, 8, 9, 18])
@pytest.mark.parametrize("place", [0, 3])
def test_a_flipped_bit_in_a_descriptor_hides_no_wanted_record(bit: int, place: int) -> None:
    """A size that is too large moves the name: it is read from the payload, or from the next record."""
    record = next(iter(hv.read_records(LOGS[0], wanted=load_knowledge().provider_filter())))
    listed = [
        record._replace(provider="Microsoft-Windows-Kernel-General", provider_guid=KERNEL_GENERAL_GUID)
    ] * 6
    listed[place] = record
    data = evtx_bytes([one._replace(record_id=at) for at, one in enumerate(listed, 1)])
    for at in descriptors(data, places(data)[place]):
        log = bytearray(data)
        log[at + bit // 8] ^= 1 << bit % 8
        stream = hv.read(sealed(log))
        assert len(list(stream)) + stream.report.lost >= 1, at


def test_a_payload_that_a_record_does_not_have_is_an_anomaly_and_no_crash() -> None:
    log = bytearray(evtx_bytes(events(3)))
    slot = log.index(b"\x0e\x11\0\x21", HEAD)
    struct.pack_into("<H", log, slot + 1, 500)
    found = list(hv.read_records(sealed(log)))
    assert [record.data for record in found] == [()] * 3
    assert all(Anomaly.ABSENT_VALUE in record.origin.anomalies for record in found)
