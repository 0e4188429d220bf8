"""Issue 15.9: a name with a flipped bit is mended by the hash that stands before it; its records stay marked."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable

import pytest

import hvdegraded as hv
from hvdegraded.formats.evtx.format import name_hash
from hvdegraded.formats.evtx.mended_names import mended_name
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.records.record import ProviderFilter
from tests.formats.evtx.test_hidden_records import HEAD, events, places, sealed
from tests.tools.sample_hosts import host_2022
from tests.tools.written_records import WORKER

RECORDS = list(hv.read_records(evtx_bytes([row.record for log in host_2022() for row in log.rows][:40])))


def test_each_flipped_bit_of_a_name_its_hash_or_length_is_found() -> None:
    for name in ("System", "EventData", "Provider", "Guid"):
        units = name.encode("utf-16-le")
        whole = struct.pack("<HH", name_hash(units), len(name)) + units
        behind = bytes(2) + "\x0cNext".encode("utf-16-le")
        for bit in range(8 * len(whole)):
            broken = bytearray(whole)
            broken[bit // 8] ^= 1 << bit % 8
            assert mended_name(b"x" + bytes(broken) + behind, 1) == name


@pytest.mark.parametrize("damage", [(0, b"\xff\xff"), (2, b"\xff\xff"), (4, b"\xff\xff"), (8, bytes(4))])
def test_of_a_name_of_every_event_its_hash_its_length_or_its_letters_may_be_gone(
    damage: tuple[int, bytes],
) -> None:
    place, broken = damage
    units = "Task".encode("utf-16-le")
    whole = struct.pack("<HH", name_hash(units), 4) + units
    assert mended_name(whole[:place] + broken + whole[place + len(broken) :] + bytes(200), 0) == "Task"


def test_of_names_that_are_as_likely_none_is_chosen() -> None:
    units = "Disk".encode("utf-16-le")
    for bit in range(16):
        whole = struct.pack("<HH", name_hash(units) ^ 1 << bit, 4) + units
        assert mended_name(whole, 0) in ("Disk", "Dis" + chr(ord("k") ^ 1 << bit), None)


def test_a_flipped_bit_in_a_name_costs_no_record() -> None:
    log = bytearray(evtx_bytes(RECORDS))
    name = "EventRecordID".encode("utf-16-le")
    log[log.index(name)] ^= 2
    found = list(hv.read_records(bytes(log)))
    assert found == RECORDS
    assert all(record.origin.anomalies for record in found)


@pytest.mark.parametrize("at", [-4, -3, -2, -1, 0])
def test_a_flipped_bit_in_the_hash_or_length_of_a_name_costs_its_own_records_at_most(at: int) -> None:
    log = bytearray(evtx_bytes(RECORDS))
    name = "EventRecordID".encode("utf-16-le")
    own = sum(name in log[start:end] for start, end in itertools.pairwise(places(log)))
    log[log.index(name) + at] ^= 4
    stream = hv.read_records(bytes(log))
    assert len(list(stream)) >= len(RECORDS) - own
    assert stream.report.with_anomalies == stream.report.delivered


def test_a_filter_reads_damaged_names_as_reading_all_does() -> None:
    log = bytearray(evtx_bytes(RECORDS))
    log[log.index("EventRecordID".encode("utf-16-le"))] ^= 2
    wanted = ProviderFilter(names=frozenset({"service control manager"}))
    expected = [record for record in RECORDS if wanted.matches(record.provider)]
    assert expected
    assert list(hv.read_records(bytes(log), wanted=wanted)) == expected


@pytest.mark.parametrize("name", ["Provider", "System", "Computer", "TimeCreated"])
def test_names_of_a_template_that_others_share_are_mended_under_a_filter_too(name: str) -> None:
    other = WORKER._replace(
        provider="Microsoft-Windows-Kernel-General", provider_guid="A68CA8B7-004F-D7B6-A698-07E2DE0F1F5D"
    )
    log = bytearray(evtx_bytes([(other, WORKER)[at % 2]._replace(record_id=at + 1) for at in range(6)]))
    log[log.index(name.encode("utf-16-le"))] ^= 2
    stream = hv.read_records(bytes(log), wanted=hv.load_knowledge().provider_filter())
    assert [one._replace(record_id=None, origin=WORKER.origin) for one in stream] == 3 * [
        WORKER._replace(record_id=None)
    ]
    assert stream.report.lost == 0


UNKNOWN_GUID = "00000000-1111-2222-3333-444444444444"


def without_provider(log: bytearray) -> None:
    """The element that has the provider's name has another one, while its hash and length are unchanged."""
    units = "Provider".encode("utf-16-le")
    log[:] = log.replace(units, units.replace(b"d", b"f"))


def with_half_a_character(log: bytearray) -> None:
    units = "Hyper-V-VMMS".encode("utf-16-le")
    log[:] = log.replace(units, units.replace(b"p\0", b"\0\xd8"))


@pytest.mark.parametrize("damage", [without_provider, with_half_a_character])
def test_a_record_whose_provider_is_lost_is_not_counted_as_of_another(
    damage: Callable[[bytearray], None],
) -> None:
    log = bytearray(evtx_bytes([one._replace(provider_guid=UNKNOWN_GUID) for one in events(30)]))
    before = bytes(log)
    damage(log)
    assert log != before
    stream = hv.read(sealed(log))
    assert not list(stream)
    assert stream.report.lost == 30
    assert not stream.report.complete


def test_a_flipped_bit_in_the_value_of_a_provider_s_name_hides_no_record_of_a_wanted_channel() -> None:
    channel = "Microsoft-Windows-Hyper-V-VMMS-Admin"
    log = bytearray(
        evtx_bytes([one._replace(channel=channel, provider_guid=UNKNOWN_GUID) for one in events(30)])
    )
    name = "Microsoft-Windows-Hyper-V-VMMS".encode("utf-16-le")
    others = channel.encode("utf-16-le")
    place = next(
        at for at in range(HEAD, len(log)) if log.startswith(name, at) and not log.startswith(others, at)
    )
    log[place + 27] ^= 1
    stream = hv.read(sealed(log))
    list(stream)
    assert stream.report.lost
    assert stream.report.records_seen == 30
    assert not stream.report.complete
