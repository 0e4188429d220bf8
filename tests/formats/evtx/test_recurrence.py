"""Records that are alike are decoded once, and never taken for one another."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.formats.evtx.chunks import Chunk, find_chunks
from hvdegraded.formats.evtx.decoder import EvtxDecoder
from hvdegraded.formats.evtx.format import FIRST_RECORD, INSTANCE_TOKEN, RECORD_HEADER
from hvdegraded.formats.evtx.reader import read_evtx
from hvdegraded.formats.evtx.record_headers import Span
from hvdegraded.formats.evtx.walk import walk
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.reading.delivery import delivered, delivered_in_runs
from hvdegraded.records.record import EventRecord, ProviderFilter
from hvdegraded.records.report import ReadReport
from tests.tools.mutations import seal
from tests.tools.written_records import WORKER, guids, records, sids


def read(data: bytes, decoder: EvtxDecoder) -> list[EventRecord]:
    return list(delivered(read_evtx(data, "test.evtx", decoder=decoder), ReadReport()))


NUMBERS = (
    "event_id", "level", "version", "task", "opcode", "keywords", "qualifiers", "process_id", "thread_id",
    "time_ticks",
)  # fmt: skip
changes: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.dictionaries(st.sampled_from(NUMBERS), st.integers(0, 255), max_size=2),
    st.fixed_dictionaries({"computer": st.sampled_from(["hv1", "hv2", "HV1"])}),
    st.fixed_dictionaries({"user_id": st.none() | sids}),
    st.fixed_dictionaries({"activity_id": st.none() | guids, "related_activity_id": st.none() | guids}),
)


@st.composite
def alike(draw: st.DrawFn) -> list[EventRecord]:
    """A few records, over and over, each time with one thing changed, or nothing, or a value of its data."""
    few = draw(st.lists(records, min_size=1, max_size=3))
    found = []
    for number in range(draw(st.integers(2, 12))):
        record = draw(st.sampled_from(few))._replace(**draw(changes), record_id=number + 1)
        if record.data and draw(st.booleans()):
            *first, (name, text) = record.data
            if name != "Binary":
                record = record._replace(data=(*first, (name, text[:-1] + draw(st.sampled_from("ab")))))
        found.append(record)
    return found


@given(alike())
def test_what_is_remembered_is_what_would_be_decoded(written: list[EventRecord]) -> None:
    data = evtx_bytes(written)
    decoder = EvtxDecoder()
    alone = read(data, EvtxDecoder(fast=False))
    first, again = read(data, decoder), read(data, decoder)
    assert first == again == alone
    assert [one.origin for one in again] == [one.origin for one in alone]


@given(alike(), st.data())
def test_a_record_of_which_a_byte_differs_is_not_taken_for_one_that_is_known(
    written: list[EventRecord], data: st.DataObject
) -> None:
    """All checksums are right, so that the damage shows in the values alone."""
    several = [record._replace(record_id=at) for at, record in enumerate(written * 3, 1)]
    log = bytearray(evtx_bytes(several))
    knows = EvtxDecoder()
    read(bytes(log), knows)
    chunk = next(find_chunks(lambda at, count: bytes(log[at : at + count])))
    assert isinstance(chunk, Chunk)
    spans = [span for span in walk(chunk) if isinstance(span, Span)]
    for span in data.draw(st.lists(st.sampled_from(spans), max_size=4)):
        place = data.draw(st.integers(span.start + RECORD_HEADER, span.end - 5))
        log[chunk.offset + place] ^= data.draw(st.integers(1, 255))
    seal(log, chunk.offset)
    alone = read(bytes(log), EvtxDecoder(fast=False))
    assert read(bytes(log), EvtxDecoder()) == read(bytes(log), knows) == alone


def test_content_of_another_template_is_not_taken_for_its_own() -> None:
    """A record names the key of one template and the place of another, for which its content is known."""
    record = WORKER._replace(user_id=None)
    several = [record._replace(record_id=at, data=((name, "x"),)) for at, name in enumerate("ab" * 4, 1)]
    log = bytearray(evtx_bytes(several))
    chunk = next(find_chunks(lambda at, count: bytes(log[at : at + count])))
    assert isinstance(chunk, Chunk)
    spans = [span for span in walk(chunk) if isinstance(span, Span)][-2:]
    first, second = (chunk.data[span.start : span.end] for span in spans)
    (at,) = [at for at in range(RECORD_HEADER + 30, len(first) - 8) if first[at : at + 4] != second[at : at + 4]
             and first[at - 6] == INSTANCE_TOKEN]  # fmt: skip
    place = chunk.offset + spans[0].start + at
    log[place : place + 4] = second[at : at + 4]
    seal(log, chunk.offset)
    assert read(bytes(log), EvtxDecoder()) == read(bytes(log), EvtxDecoder(fast=False)) != several


@given(alike(), st.lists(st.integers(0, 30), max_size=3))
def test_records_that_are_found_together_stay_in_their_order(
    written: list[EventRecord], places: list[int]
) -> None:
    """Records that are not remembered stand between them, and are given as they are come upon."""
    large = WORKER._replace(data=(("a", "x" * 3000),))
    several = written * 3
    for place in places:
        several.insert(place, large)
    several = [record._replace(record_id=at) for at, record in enumerate(several, 1)]
    found = read(evtx_bytes(several), EvtxDecoder())
    assert [record.record_id for record in found] == [record.record_id for record in several]
    assert found == read(evtx_bytes(several), EvtxDecoder(fast=False))


@given(alike())
def test_runs_come_in_the_order_of_their_first_records(written: list[EventRecord]) -> None:
    found = list(delivered_in_runs(read_evtx(evtx_bytes(written * 3)), ReadReport()))
    runs = [run for run in found if not isinstance(run, EventRecord)]
    assert [list(run.starts) for run in runs] == [sorted(run.starts) for run in runs]
    if len(runs) == len(found):  # none of another form came between them
        assert len({id(run.like) for run in runs}) == len(runs)
        assert [run.starts[0] for run in runs] == sorted(run.starts[0] for run in runs)


def without(data: bytes, numbers: Iterable[int]) -> bytes:
    """A log of one chunk without these records, whose first spells its templates out; checksums are right."""
    log, (at,) = bytearray(data), find_chunks(lambda at, count: data[at : at + count])
    assert isinstance(at, Chunk)
    spans = [span for span in walk(at) if isinstance(span, Span)]
    kept = [span for span in spans if span.number not in numbers]
    body = b"".join(at.data[span.start : span.end] for span in kept)
    free, last = FIRST_RECORD + len(body), FIRST_RECORD + len(body) - (kept[-1].end - kept[-1].start)
    start = at.offset + FIRST_RECORD
    log[start : at.offset + len(at.data)] = body + bytes(len(at.data) - free)
    struct.pack_into("<II", log, at.offset + 44, last, free)
    seal(log, at.offset)
    return bytes(log)


@given(st.sets(st.integers(2, 11), max_size=4), st.booleans())
def test_a_record_that_is_missing_between_records_that_are_alike_is_a_loss(
    numbers: set[int], filtered: bool
) -> None:
    several = [WORKER._replace(record_id=at, time_ticks=at) for at in range(1, 13)]
    log = without(evtx_bytes(several), numbers)
    wanted = ProviderFilter(frozenset({"other"})) if filtered else None
    reports = []
    for fast in (True, False):
        report = ReadReport()
        found = delivered(read_evtx(log, "test.evtx", wanted, decoder=EvtxDecoder(fast=fast)), report, wanted)
        assert [one.record_id for one in found] == [
            at for at in range(1, 13) if at not in numbers and not filtered
        ]
        assert report.delivered + report.filtered == 12 - len(numbers)
        assert report.lost == len(numbers)
        reports.append((report.losses, report.notes, report.times.pairs))
    assert reports[0] == reports[1]


def test_records_that_repeat_are_decoded_once_in_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    one_by_one = EvtxDecoder._taken_fast

    def counted(self: EvtxDecoder, work: Any, span: Span) -> Any:
        decoded.append(span.number)
        return one_by_one(self, work, span)

    monkeypatch.setattr(EvtxDecoder, "_taken_fast", counted)
    several = [WORKER._replace(record_id=at, time_ticks=at) for at in range(1, 31)]
    assert [record.time_ticks for record in read(evtx_bytes(several), EvtxDecoder())] == list(range(1, 31))
    assert decoded == [2, 1]  # the first spells its templates out


def test_of_records_that_are_not_usual_each_is_decoded_once() -> None:
    """What a chunk may cost is bounded: one that is decoded for others must not be decoded again."""
    odd = WORKER._replace(data=tuple((f"n{at}", "x") for at in range(260)))
    several = [odd._replace(record_id=at, time_ticks=at) for at in range(1, 40)]
    reports = []
    for fast in (True, False):
        report = ReadReport()
        found = list(delivered(read_evtx(evtx_bytes(several), decoder=EvtxDecoder(fast=fast)), report))
        reports.append((found, report.lost))
    assert reports[0] == reports[1]


def test_a_copy_of_a_record_that_spells_its_template_out_is_not_like_it() -> None:
    """In the copy, the bytes of the template are values, and the record before both has their shape."""
    record = WORKER._replace(payload="EventData", payload_namespace=None)
    spelled = record._replace(data=(*record.data[:-1], ("Parameter4", "3.2")))
    other = record._replace(data=(("a", "b"),))
    several = [other, record._replace(data=(("a", "b" * 198),)), spelled, other, spelled]
    data = evtx_bytes([one._replace(record_id=at, time_ticks=at) for at, one in enumerate(several, 1)])
    log, (chunk,) = bytearray(data), find_chunks(lambda at, count: data[at : at + count])
    assert isinstance(chunk, Chunk)
    spans = [span for span in walk(chunk) if isinstance(span, Span)]
    start, end, *_ = spans[2]
    assert end - start == spans[1].end - spans[1].start
    place, last = chunk.offset + chunk.free, 6
    log[place : place + end - start] = chunk.data[start:end]
    struct.pack_into("<Q", log, place + 8, last)
    for at in (16, 32):
        struct.pack_into("<Q", log, chunk.offset + at, last)
    struct.pack_into("<II", log, chunk.offset + 44, chunk.free, chunk.free + end - start)
    struct.pack_into("<Q", log, 24, last + 1)
    seal(log, chunk.offset)
    fast, general = (list(found(bytes(log), EvtxDecoder(fast=one))) for one in (True, False))
    assert fast == general
    assert fast[-1][-1].anomalies


def found(data: bytes, decoder: EvtxDecoder) -> list[tuple[Any, ...]]:
    """Records with their origins, which do not count where records are compared."""
    return [tuple(record) for record in read(data, decoder)]


def likes(written: Iterable[EventRecord]) -> list[EventRecord | None]:
    """What each is like, of those that are remembered."""
    found: dict[int | None, EventRecord | None] = {}
    for item in delivered_in_runs(read_evtx(evtx_bytes(list(written))), ReadReport()):
        if isinstance(item, EventRecord):
            found[item.record_id] = None
        else:
            found |= dict.fromkeys(item.changing.record_id, item.like)
    return [found[number] for number in sorted(found, key=lambda one: one or 0)]


def test_large_records_are_not_remembered() -> None:
    """What is remembered of a log is bounded in number, so it must be small."""
    record = EventRecord(provider="p", event_id=1, time_ticks=1, record_id=1, channel="c", computer="h")
    small = record._replace(payload="EventData", data=(("a", "x" * 20),))
    for large in (
        small._replace(data=(("a", "x" * 4000),)),
        small._replace(provider="p" * 4000, provider_guid="6066F867-7CA1-4418-85FD-36E3F9C0600C"),
    ):
        assert likes([large, large._replace(record_id=2)]) == [None, None]
    _, second, third = likes(  # the first spells its templates out
        small._replace(record_id=at, time_ticks=at, thread_id=at, process_id=4) for at in (1, 2, 3)
    )
    assert second is third is not None
