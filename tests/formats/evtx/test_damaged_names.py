"""A name with a flipped bit is mended by the hash that stands before it; its records stay marked."""

from __future__ import annotations

import hvdegraded as hv
from hvdegraded.formats.evtx.format import mended_name, name_hash
from hvdegraded.formats.evtx.writer import evtx_bytes
from tests.tools.sample_hosts import host_2022

RECORDS = list(hv.read_records(evtx_bytes([row.record for log in host_2022() for row in log.rows][:40])))


def test_each_flipped_bit_of_a_name_is_found_by_its_hash() -> None:
    for name in ("System", "EventData", "Provider"):
        units = name.encode("utf-16-le")
        for bit in range(8 * len(units)):
            broken = bytearray(units)
            broken[bit // 8] ^= 1 << bit % 8
            assert mended_name(bytes(broken), name_hash(units)) in (name, None)


def test_a_flipped_bit_in_a_name_costs_no_record() -> None:
    log = bytearray(evtx_bytes(RECORDS))
    name = "EventRecordID".encode("utf-16-le")
    log[log.index(name)] ^= 2
    found = list(hv.read_records(bytes(log)))
    assert found == RECORDS
    assert all(record.origin.anomalies for record in found)
