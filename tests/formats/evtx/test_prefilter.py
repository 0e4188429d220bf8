"""Issue 15.11: reading with a filter of providers gives what reading all and filtering gives."""

from __future__ import annotations

import random
import struct
from functools import lru_cache
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.formats.evtx.format import RECORD_MAGIC
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.records.misplaced import may_be_wanted
from hvdegraded.records.record import EventRecord, ProviderFilter
from hvdegraded.records.report import ReadReport
from tests.tools.corpus import LOGS, needs_corpus
from tests.tools.mutations import seal
from tests.tools.sample_logs import FOLDER

SAMPLES = sorted(FOLDER.glob("hv*/*.evtx"))


def named(*names: str) -> ProviderFilter:
    return ProviderFilter(names=frozenset(name.lower() for name in names))


@lru_cache(maxsize=1)
def everything(data: bytes) -> tuple[list[EventRecord], ReadReport]:
    stream = hv.read_records(data)
    return list(stream), stream.report


def check(data: bytes, wanted: ProviderFilter) -> None:
    records, report = everything(data)
    expected: list[EventRecord] = []
    left: list[EventRecord] = []
    for record in records:
        (expected if wanted.matches(record.provider or record.channel) else left).append(record)
    stream = hv.read_records(data, wanted=wanted)
    assert list(stream) == expected
    assert stream.report.records_seen == report.records_seen
    unsure = [one for one in left if may_be_wanted(one, wanted)]
    assert stream.report.lost == report.lost + len(unsure)


@needs_corpus
@pytest.mark.parametrize("chunks", [2, pytest.param(8, marks=pytest.mark.slow)])
@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_each_provider_of_a_real_log_is_found_alone(path: Path, chunks: int) -> None:
    data = path.read_bytes()[: 4096 + chunks * 65536]
    providers = sorted({record.provider for record in everything(data)[0]})
    for provider in providers[:12]:
        check(data, named(provider.swapcase()))
    for start in {provider.lower()[:9] for provider in providers[:12]}:
        check(data, ProviderFilter(prefixes=(start,)))
    check(data, named("not there"))


@needs_corpus
@pytest.mark.slow
@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_filtered_reading_is_reading_all_and_filtering_for_every_provider_of_the_corpus(path: Path) -> None:
    data = path.read_bytes()
    for provider in {record.provider for record in everything(data)[0]}:
        check(data, named(provider))
        check(data, named(provider.swapcase()))
        check(data, ProviderFilter(prefixes=(provider.lower()[: max(1, len(provider) // 2)],)))


def kind_of(record: EventRecord, before: bytes, own: bytes) -> str:
    """How a record has its provider's name; `before` are its chunk's bytes up to it, `own` its own."""
    name = record.provider.encode("utf-16-le")
    if record.provider_guid is None:
        return "classic"
    if not record.provider.startswith("Microsoft-"):
        return "short name with GUID"
    return "by value" if name in own and name in before else "manifest"


@needs_corpus
@pytest.mark.slow
def test_the_corpus_has_every_kind_of_provider() -> None:
    kinds = set()
    for path in LOGS:
        data = path.read_bytes()
        for record in hv.read_records(data):
            start = record.origin.offset or 0
            first = start - (start - 4096) % 65536
            size = int.from_bytes(data[start + 4 : start + 8], "little")
            kinds.add(kind_of(record, data[first:start], data[start : start + size]))
    assert kinds == {"classic", "short name with GUID", "by value", "manifest"}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_each_provider_of_a_sample_log_is_found_alone(path: Path) -> None:
    data = path.read_bytes()
    for provider in {record.provider for record in everything(data)[0]}:
        check(data, named(provider))


def event(provider: str, number: int, *, manifest: bool) -> EventRecord:
    return EventRecord(
        provider=provider,
        event_id=22,
        time_ticks=133_000_000_000_000_000 + number,
        level=2,
        record_id=number,
        channel="System",
        computer="hv1",
        provider_guid="E2816346-87F4-4F85-95C3-0C79409AA89D" if manifest else None,
        payload="EventData",
        data=(("VhdFile", "a.vhdx"),) if manifest else ((None, ""), (None, "Microsoft-Windows-VHDMP")),
    )


@pytest.mark.parametrize("manifest", [True, False], ids=["by value", "in the template"])
@pytest.mark.parametrize("name", ["Microsoft-Windows-VHDMP", "storvsp", "Ereignisanbieter ÄÖ", "x"])
def test_a_name_is_found_as_value_and_in_a_template(name: str, manifest: bool) -> None:
    others = [event("Microsoft-Windows-Kernel-Boot", at, manifest=at % 2 == 0) for at in range(1, 400)]
    log = evtx_bytes([*others, event(name, 400, manifest=manifest), *others])
    assert len(log) > 4096 + 2 * 65536
    check(log, named(name.upper()))
    stream = hv.read_records(log, wanted=named(name))
    assert len(list(stream)) == 1
    assert stream.report.chunks_skipped, "the other chunks need not be decoded"


def test_an_event_without_provider_is_wanted_by_its_channel() -> None:
    log = evtx_bytes([event("", at, manifest=True)._replace(channel="Hyper-V") for at in range(3)])
    assert len(list(hv.read_records(log, wanted=named("hyper-v")))) == 3


@pytest.mark.parametrize("path", SAMPLES[:3], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_forged_bytes_of_a_record_hide_no_wanted_one(path: Path) -> None:
    choice = random.Random(path.stem)
    log = path.read_bytes()[: 4096 + 65536]
    records = [at for at in range(4096 + 512, len(log) - 150, 8) if log.startswith(RECORD_MAGIC, at)]
    for _ in range(6):
        forged = bytearray(log)
        for at in choice.choices(records, k=2):
            forged[at + choice.randrange(4, 134)] ^= 1 << choice.randrange(8)
        seal(forged, 4096)
        found, _ = everything(bytes(forged))
        for provider in {record.provider for record in found}:
            expected = [record for record in found if (record.provider or record.channel) == provider]
            assert list(hv.read_records(bytes(forged), wanted=named(provider))) == expected


def test_a_record_whose_name_would_stand_behind_its_chunk_is_not_passed_over() -> None:
    log = bytearray(evtx_bytes([event("Service Control Manager", at, manifest=True) for at in range(1, 9)]))
    second = log.index(RECORD_MAGIC, log.index(RECORD_MAGIC, 4096 + 512) + 4)
    struct.pack_into("<H", log, second + 24 + 18 + 4 + 4 * 5, 0xFFFF)  # the size of a value before the name
    seal(log, 4096)
    stream = hv.read_records(bytes(log), wanted=named("storvsp"))
    assert list(stream) == []
    assert (stream.report.records_seen, stream.report.lost) == (8, 1)


@pytest.mark.parametrize("left", [8, 4])
@pytest.mark.parametrize("right", [True, False])
def test_values_that_a_damaged_template_puts_at_the_end_of_a_chunk_end_no_reading(
    left: int, right: bool
) -> None:
    log = bytearray(evtx_bytes([event("Service Control Manager", at, manifest=True) for at in range(1, 4)]))
    (template,) = struct.unpack_from("<I", log, 4096 + 512 + 24 + 10)
    struct.pack_into("<I", log, 4096 + template + 20, 65536 - left - template - 24)
    if right:
        seal(log, 4096)
    stream = hv.read_records(bytes(log), wanted=named("storvsp"))
    assert list(stream) == []
    assert (stream.report.records_seen, stream.report.lost) == (3, 1)
