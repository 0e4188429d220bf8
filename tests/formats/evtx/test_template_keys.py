"""Issue 15.9: a template whose GUID is damaged costs no record, while all records name the same key."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

import hvdegraded as hv
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.records.record import Anomaly
from tests.formats.evtx.test_hidden_records import HEAD, WANTED, events, places, sealed

WRITTEN = events(30)


def definitions(log: bytes | bytearray) -> Iterator[int]:
    """Where the templates of the first chunk are defined."""
    for bucket in range(32):
        (place,) = struct.unpack_from("<I", log, HEAD + 384 + 4 * bucket)
        if place:
            yield HEAD + place


@pytest.mark.parametrize("which", [slice(0, 1), slice(1, 2), slice(0, 2)], ids=["one", "the other", "both"])
@pytest.mark.parametrize("guid", [b"\x07\0\0\0" + bytes(12), b"\xa5" * 16], ids=["three bits", "replaced"])
def test_a_damaged_guid_of_a_template_costs_an_anomaly(guid: bytes, which: slice) -> None:
    log = bytearray(evtx_bytes(WRITTEN))
    changed = list(definitions(log))[which]
    assert changed
    for place in changed:
        for at in range(16):
            log[place + 4 + at] ^= guid[at]
    for wanted in (None, WANTED):
        stream = hv.read_records(sealed(log), wanted=wanted)
        found = list(stream)
        assert found == WRITTEN
        assert all(Anomaly.OTHER_TEMPLATE in record.origin.anomalies for record in found)
        assert not stream.report.complete


def test_records_of_another_provider_with_such_a_template_are_not_left_out_in_silence() -> None:
    log = bytearray(evtx_bytes(events(30, "Microsoft-Windows-Kernel-Boot")))
    for place in definitions(log):
        log[place + 4 : place + 8] = b"\xa5" * 4
    stream = hv.read_records(sealed(log), wanted=WANTED)
    assert not list(stream)
    assert stream.report.lost == 30


def test_a_template_that_some_records_name_otherwise_gives_those_that_name_it() -> None:
    log = bytearray(evtx_bytes(WRITTEN))
    for place in places(log)[15:-1]:
        struct.pack_into("<I", log, place + 30, 0xDEADBEEF)
    stream = hv.read_records(sealed(log))
    assert list(stream) == WRITTEN[:15]
    assert stream.report.lost == 15


def test_a_template_that_does_not_fit_its_records_gives_none_of_them() -> None:
    log = bytearray(evtx_bytes(WRITTEN))
    _, inner = sorted(definitions(log))
    for place in places(log)[1:-1]:
        struct.pack_into("<I", log, place + 34, inner - HEAD)
    stream = hv.read_records(sealed(log))
    assert list(stream) == WRITTEN[:1]
    assert stream.report.lost == 29
