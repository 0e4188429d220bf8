"""The .evtx reader: survives damage and odd values, accounts for everything; `test_differences` has other readers."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.errors import EmptySourceError, HvdegradedError, LegacyEvtError, LossError, UnknownFormatError
from hvdegraded.formats.evtx.decoder import EvtxDecoder
from hvdegraded.formats.evtx.format import CHUNK_SIZE, EVENT_NAMESPACE, FILE_HEADER_SIZE
from hvdegraded.formats.evtx.reader import read_evtx
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.reading.delivery import delivered
from hvdegraded.records.items import NoteKind
from hvdegraded.records.record import EventRecord, ProviderFilter
from hvdegraded.records.report import ReadReport
from tests.tools.corpus import LOGS, log, needs_corpus
from tests.tools.crafted import BODY, Binary, again, chunk_of, instance, typed_value
from tests.tools.written_records import vmms

HYPER_V = load_knowledge().provider_filter()


def read(data: bytes, wanted: ProviderFilter | None = None) -> tuple[list[EventRecord], ReadReport]:
    report = ReadReport(path="test.evtx")
    records = list(delivered(read_evtx(data, report.path, wanted), report, wanted))
    assert report.delivered == len(records)
    assert report.records_seen == report.delivered + report.filtered + report.lost
    assert report.with_anomalies == sum(bool(record.origin.anomalies) for record in records)
    return records, report


def classic(number: int, provider: str = "storvsp") -> EventRecord:
    return EventRecord(
        provider=provider,
        event_id=6,
        qualifiers=0x8004,
        time_ticks=133_000_000_000_000_000 + number,
        level=3,
        record_id=number,
        channel="System",
        computer="hv1",
        payload="EventData",
        data=((None, ""), (None, "web01"), (None, "6.0"), (None, "5.1"), ("Binary", "00AA")),
    )


# ------------------------------------------------------------------ real logs


@pytest.mark.slow
@needs_corpus
@pytest.mark.parametrize("path", LOGS[::3], ids=lambda path: path.stem)
def test_the_fast_way_and_the_slow_way_give_the_same_records(path: Path) -> None:
    data = path.read_bytes()[: FILE_HEADER_SIZE + 6 * CHUNK_SIZE]
    fast, _ = read(data)
    slow = list(delivered(read_evtx(data, "test.evtx", decoder=EvtxDecoder(fast=False)), ReadReport()))
    assert slow == fast
    assert [record.origin for record in slow] == [record.origin for record in fast]


# ------------------------------------------------------------------ what is no log


def test_what_is_no_log_is_refused() -> None:
    for data, error in (
        (b"", EmptySourceError),
        (b"\x30\0\0\0LfLe" + bytes(100), LegacyEvtError),
        (b"hello", UnknownFormatError),
        (bytes(200_000), UnknownFormatError),
    ):
        with pytest.raises(error):
            read(data)


def test_strict_reading_stops_at_the_first_loss() -> None:
    data = bytearray(evtx_bytes([vmms(number) for number in range(1, 6)]))
    place = data.index(b"**\0\0", data.index(b"**\0\0") + 4)
    data[place : place + 4] = b"oops"
    with pytest.raises(LossError):
        list(delivered(read_evtx(bytes(data)), ReadReport(strict=True)))


# ------------------------------------------------------------------ prefilter

MANIFEST = (
    "Microsoft-Windows-Hyper-V-VMMS",
    "Microsoft-Windows-Hyper-V-StorVSP",
    "Microsoft-Windows-Kernel-General",
)
CLASSIC = (
    *sorted(HYPER_V.names),
    "Microsoft-Windows-Hyper-V-StorVSP",
    "Disk",
    "Service Control Manager",
    "stor",
    "vm",
)


@st.composite
def a_name_in_any_case(draw: st.DrawFn, names: tuple[str, ...]) -> str:
    name = draw(st.sampled_from(names))
    return "".join(letter.swapcase() if draw(st.booleans()) else letter for letter in name)


@st.composite
def events_of(draw: st.DrawFn) -> tuple[EventRecord, ...]:
    """Events of one chunk or several, of providers in any letter case, wanted or not."""
    # A driver's name stands in a template, as in all of 10,490 real classic records; others stand anywhere.
    a_maker = st.one_of(
        a_name_in_any_case(CLASSIC).map(lambda name: (classic, name)),
        a_name_in_any_case(MANIFEST).map(lambda name: (vmms, name)),
    )
    makers = draw(st.lists(a_maker, min_size=1, max_size=3))
    filler = draw(st.integers(0, 200))
    made = [classic(number, "Disk") for number in range(1, filler + 1)]
    return (*made, *(make(number, provider=name) for number, (make, name) in enumerate(makers, filler + 1)))


@given(events_of(), st.booleans(), st.integers(0, 20))
def test_skipping_chunks_never_drops_a_wanted_record(
    written: tuple[EventRecord, ...], bad_header: bool, damaged_bytes: int
) -> None:
    data = bytearray(evtx_bytes(written))
    if bad_header:
        data[FILE_HEADER_SIZE + 124] ^= 0xFF  # the checksum of the chunk's header
    records, report = read(bytes(data), HYPER_V)
    assert records == [record for record in written if HYPER_V.matches(record.provider)]
    assert report.records_seen == len(written)
    # Whatever the damage, what is wanted comes as it comes without the filter.
    for place in random.Random(damaged_bytes).sample(range(FILE_HEADER_SIZE, len(data)), damaged_bytes):
        data[place] ^= 0x20
    everything, whole = read(bytes(data))
    records, report = read(bytes(data), HYPER_V)
    named = [record for record in records if HYPER_V.matches(record.provider)]
    assert named == [record for record in everything if HYPER_V.matches(record.provider)]
    by_guid = [record.origin.offset for record in everything if record.provider_guid in HYPER_V.guids]
    assert {record.origin.offset for record in records} == {one.origin.offset for one in named} | {*by_guid}
    assert report.records_seen == whole.records_seen
    # Damage behind the name of an unwanted provider is filtered; damage that may hide a wanted one is lost.
    assert report.lost <= whole.lost + whole.with_anomalies
    assert report.notes == whole.notes


@given(a_name_in_any_case(CLASSIC), st.integers(0, 3))
def test_a_record_without_template_is_found_by_its_name(provider: str, beside: int) -> None:
    def plain(made: Binary) -> None:
        made.open("Event", ("xmlns", EVENT_NAMESPACE)).open("System")
        made.open("Provider", ("Name", "Disk")).close().open("EventID").text("7").close(3)

    first = instance(plain)
    place = BODY + 24 + len(first) + 4 + -(24 + len(first) + 4) % 8
    alone = Binary(place)
    alone.open("Event", raw=True).open("System", raw=True).open(
        "Provider", ("Name", provider), raw=True
    ).close()
    alone.open("EventID", raw=True).text("6").close(3)
    records, report = read(chunk_of(first, bytes(alone.data), *[again()] * beside), HYPER_V)
    assert [record.provider for record in records] == [provider] * HYPER_V.matches(provider)
    assert report.records_seen == 2 + beside
    assert report.chunks_skipped == (not records)


@needs_corpus
def test_chunks_without_hyper_v_are_skipped() -> None:
    data = log("System").read_bytes()
    records, report = read(data, HYPER_V)
    assert report.chunks_skipped == report.chunks_seen > 0
    assert report.filtered == len(read(data)[0])
    assert not records


@needs_corpus
def test_real_netvsc_records_are_found() -> None:
    records, _ = read(log("sample-with-zero-data-size-event").read_bytes(), HYPER_V)
    assert {record.event_id for record in records} == {1, 3, 10, 11, 12, 13}


# ------------------------------------------------------------------ damage to logs of ours


def sample(chunks: int = 3) -> tuple[bytes, list[EventRecord]]:
    written = [(classic if number % 5 == 0 else vmms)(number) for number in range(1, 150 * chunks)]
    return evtx_bytes(written), written


def test_one_bad_record_costs_only_itself() -> None:
    data, written = sample(1)
    for number in (2, 70, 140):
        damaged = bytearray(data)
        place = FILE_HEADER_SIZE + 512
        for _ in range(number - 1):
            place += struct.unpack_from("<I", damaged, place + 4)[0]
        damaged[place : place + 28] = bytes(28)
        records, report = read(bytes(damaged))
        expected = [record for record in written if record.record_id != number]
        assert [record for record in records if record.record_id != number] == expected
        assert report.lost == 1
        assert all(record.origin.anomalies for record in records if record.origin.chunk == 0)


def test_a_damaged_file_header_is_told_and_nothing_is_lost() -> None:
    data, written = sample()
    records, report = read(b"\xff" * 64 + data[64:])
    assert records == written
    assert any(note.kind is NoteKind.HEADER for note in report.notes)


def test_a_damaged_chunk_header_is_told_and_nothing_is_lost() -> None:
    data, written = sample()
    damaged = bytearray(data)
    damaged[FILE_HEADER_SIZE : FILE_HEADER_SIZE + 100] = b"\xff" * 100
    records, report = read(bytes(damaged))
    assert records == written
    assert report.chunks_damaged == 1


@pytest.mark.parametrize("shift", [8, 100, 4096, 30000])
def test_bytes_between_chunks_shift_the_next_ones(shift: int) -> None:
    data, written = sample()
    cut = FILE_HEADER_SIZE + CHUNK_SIZE
    records, _ = read(data[:cut] + b"\x55" * shift + data[cut:])
    assert records == written


def test_bytes_missing_at_the_end_of_a_chunk() -> None:
    data, written = sample()
    cut = FILE_HEADER_SIZE + CHUNK_SIZE
    records, _ = read(data[: cut - 8] + data[cut:])
    assert records == written


@given(st.data())
def test_a_log_cut_anywhere_gives_all_whole_records(draw: st.DataObject) -> None:
    data, written = SAMPLE
    size = draw.draw(st.integers(FILE_HEADER_SIZE + 1200, len(data)))
    records, _ = read(data[:size])
    whole = [record for record in written if ENDS[record.record_id or 0] <= size]
    assert records == whole


SAMPLE = sample()
ENDS: dict[int, int] = {}
for record_ in read(SAMPLE[0])[0]:
    offset_ = record_.origin.offset or 0
    ENDS[record_.record_id or 0] = offset_ + struct.unpack_from("<I", SAMPLE[0], offset_ + 4)[0]


@given(st.binary(max_size=600), st.integers(0, 4))
def test_any_bytes_end_in_our_error_or_a_balanced_report(noise: bytes, form: int) -> None:
    data, _ = SAMPLE
    head = [b"", data[:128], data[:4096], data[:4608], data[:6000]][form]
    try:
        read(head + noise)
        read(head + noise, HYPER_V)
    except HvdegradedError:
        pass


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(4096, 4096 + 20000), st.binary(min_size=1, max_size=8)), max_size=30))
def test_flipped_bytes_never_change_a_record_unmarked(changes: list[tuple[int, bytes]]) -> None:
    data, written = SAMPLE
    damaged = bytearray(data)
    for place, noise in changes:
        damaged[place : place + len(noise)] = noise
    records, _ = read(bytes(damaged))
    intact = {record.record_id: record for record in written}
    for record in records:
        assert record.origin.anomalies or intact.get(record.record_id) == record


# ------------------------------------------------------------------ values


@pytest.mark.parametrize("kind", [*range(0x24), *range(0x80, 0xA4)])
def test_every_type_of_value_is_read_or_lost(kind: int) -> None:
    for size in (0, 1, 2, 4, 8, 16, 17, 100):
        value = bytes(range(size))
        data = typed_value(kind, value)
        records, report = read(data)
        assert len(records) + report.lost == 1


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (0x01, "a\0b\0".encode("utf-16-le"), "a\0b"),
        (0x03, b"\xfe", "-2"),
        (0x05, b"\xfe\xff", "-2"),
        (0x0C, struct.pack("<d", 0.5), "0.5"),
        (0x0D, b"\x10\0\0\0", "true"),
        (0x0F, bytes.fromhex("25989E5D7319274B9AF1BA77940A4066"), "{5D9E9825-1973-4B27-9AF1-BA77940A4066}"),
        (0x11, struct.pack("<Q", 133782174832356205), "2024-12-09T11:31:23.2356205Z"),
        (0x13, bytes.fromhex("010100000000000512000000"), "S-1-5-18"),
        (0x14, b"\x20\0\x07\x80", "0x80070020"),
        (0x10, b"\xff\0\0\0\0\0\0\0", "0xff"),
    ],
)
def test_values_read_as_windows_shows_them(kind: int, value: bytes, text: str) -> None:
    records, _ = read(typed_value(kind, value))
    assert records[0].data == ((None, text),)


def test_half_a_character_is_told() -> None:
    records, _ = read(typed_value(0x01, "a\ud800b".encode("utf-16-le", "surrogatepass")))
    assert records[0].data == ((None, "a\ufffdb"),)
    assert records[0].origin.anomalies


def test_an_array_gives_one_value_for_each_item() -> None:
    records, _ = read(typed_value(0x81, "one\0\0three\0".encode("utf-16-le")))
    assert records[0].data == ((None, "one"), (None, ""), (None, "three"))


def test_a_stream_that_shrinks_while_it_is_read_gives_what_is_there() -> None:
    data, written = SAMPLE

    class Shrinking(io.BytesIO):
        reads = 0

        def read(self, size: int | None = -1) -> bytes:
            self.reads += 1
            if self.reads == 3:
                self.truncate(FILE_HEADER_SIZE + CHUNK_SIZE + 40_000)
            return super().read(size)

    report = ReadReport()
    records = list(delivered(read_evtx(Shrinking(data)), report))
    assert records == written[: len(records)]
    assert report.lost
    assert len(records) > 150


def test_written_logs_are_read_exactly() -> None:
    texts = ["", " ", "\n", "a & <b> \"c\" 'd'", "猫 🐈", "x" * 30_000, "\x01"]
    written = [vmms(number, text) for number, text in enumerate(texts, 1)]
    records, report = read(evtx_bytes(written))
    assert records == written
    assert report.complete


def test_random_order_of_chunks_is_no_damage() -> None:
    data, written = sample(4)
    chunks = [data[at : at + CHUNK_SIZE] for at in range(FILE_HEADER_SIZE, len(data), CHUNK_SIZE)]
    random.Random(1).shuffle(chunks)
    records, report = read(data[:FILE_HEADER_SIZE] + b"".join(chunks))
    assert sorted(records, key=lambda record: record.record_id or 0) == written
    assert report.lost == 0
