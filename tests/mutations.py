"""Damage logs by a seed, and count what is still read: `python -m tests.mutations [count] [seed]`.

A record counts as intact where neither its own bytes nor the definitions of its templates were touched. Each
record delivered must be equal to an original or be marked.
"""

from __future__ import annotations

import contextlib
import random
import struct
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from hvdegraded.errors import HvdegradedError
from hvdegraded.record import EventRecord, ReadReport
from hvdegraded.sources.binxml import ChunkXml, Instance, TemplateCache
from hvdegraded.sources.chunks import CHUNK_SIZE, FILE_HEADER_SIZE, Hole, Span, find_chunks, walk
from hvdegraded.sources.evtx import read_evtx
from hvdegraded.sources.layouts import PlannedTemplate
from tests.corpus import CLEAN_LOGS
from tests.make_sample_logs import FOLDER


class Original(NamedTuple):
    """A record of an intact log, and the bytes that it needs."""

    number: int
    record: EventRecord
    regions: tuple[tuple[int, int], ...]


class Base(NamedTuple):
    """An intact log."""

    name: str
    data: bytes
    originals: tuple[Original, ...]


def bases(limit: int = 6) -> list[Base]:
    """Intact logs: our samples and what the corpus has, `limit` chunks of each."""
    paths = [*sorted(FOLDER.glob("hv*/*.evtx"))]
    paths += CLEAN_LOGS
    found = []
    for path in paths:
        data = path.read_bytes()[: FILE_HEADER_SIZE + limit * CHUNK_SIZE]
        originals = tuple(_originals(data))
        if originals:
            found.append(Base(path.stem, data, originals))
    return found


def _originals(data: bytes) -> Iterator[Original]:
    report = ReadReport()
    by_offset = {record.origin.offset: record for record in read_evtx(data, report)}
    cache: TemplateCache[PlannedTemplate] = TemplateCache(PlannedTemplate)
    for chunk in find_chunks(lambda offset, count: data[offset : offset + count]):
        if isinstance(chunk, Hole):
            continue
        xml = ChunkXml(chunk.data, cache)
        for span in walk(chunk):
            record = by_offset.get(chunk.offset + span.start)
            if not isinstance(span, Span) or record is None:
                continue
            regions = [(span.start, span.end), *_definitions(xml, span.start + 24, span.end - 4)]
            yield Original(
                span.number,
                record,
                tuple((chunk.offset + start, chunk.offset + end) for start, end in regions),
            )


def _definitions(xml: ChunkXml[PlannedTemplate], start: int, end: int) -> Iterator[tuple[int, int]]:
    for part in xml.fragment(start, end):
        if not isinstance(part, Instance):
            continue
        places = {id(template): (offset, stop) for offset, (template, stop) in xml.templates.items()}
        yield places[id(part.template)]
        for value in part.values:
            if value.kind == 0x21 and value.end > value.start:
                yield from _definitions(xml, value.start, value.end)


# ---------------------------------------------------------------- kinds of damage: bytes in, touched regions out

Damage = Callable[[random.Random, bytearray], list[tuple[int, int]]]


def flip_bits(choice: random.Random, data: bytearray) -> list[tuple[int, int]]:
    places = [choice.randrange(FILE_HEADER_SIZE, len(data)) for _ in range(choice.randint(1, 20))]
    for place in places:
        data[place] ^= 1 << choice.randrange(8)
    return [(place, place + 1) for place in places]


def overwrite_block(choice: random.Random, data: bytearray) -> list[tuple[int, int]]:
    size = choice.choice((16, 512, 4096))
    start = choice.randrange(FILE_HEADER_SIZE, len(data) - size)
    data[start : start + size] = choice.choice((bytes(size), choice.randbytes(size), b"\xff" * size))
    return [(start, start + size)]


def damage_chunk_header(choice: random.Random, data: bytearray) -> list[tuple[int, int]]:
    start = FILE_HEADER_SIZE + CHUNK_SIZE * choice.randrange((len(data) - FILE_HEADER_SIZE) // CHUNK_SIZE)
    place = start + choice.randrange(0, 505)
    data[place : place + 8] = choice.randbytes(8)
    return [(place, place + 8)]


def damage_file_header(choice: random.Random, data: bytearray) -> list[tuple[int, int]]:
    place = choice.randrange(0, 120)
    data[place : place + 8] = choice.randbytes(8)
    return [(place, place + 8)]


def damage_record_header(choice: random.Random, data: bytearray) -> list[tuple[int, int]]:
    place = data.find(b"**\0\0", choice.randrange(FILE_HEADER_SIZE, len(data) - 4096))
    if place < 0:
        return []
    place += choice.choice((0, 4, 8))
    data[place : place + 4] = struct.pack(
        "<I", choice.choice((0, 1, 0xFFFFFFFF, 0x7FFFFFFF, choice.randrange(1 << 32)))
    )
    return [(place, place + 4)]


def extreme_numbers(choice: random.Random, data: bytearray) -> list[tuple[int, int]]:
    places = [choice.randrange(FILE_HEADER_SIZE, len(data) - 4) for _ in range(4)]
    for place in places:
        data[place : place + 4] = choice.choice((b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4)))
    return [(place, place + 4) for place in places]


def truncate(choice: random.Random, data: bytearray) -> list[tuple[int, int]]:
    size = len(data)
    cut = choice.randrange(FILE_HEADER_SIZE + 1024, size)
    del data[cut:]
    return [(cut, size)]


def wipe_chunk(choice: random.Random, data: bytearray) -> list[tuple[int, int]]:
    start = FILE_HEADER_SIZE + CHUNK_SIZE * choice.randrange((len(data) - FILE_HEADER_SIZE) // CHUNK_SIZE)
    data[start : start + CHUNK_SIZE] = bytes(CHUNK_SIZE)
    return [(start, start + CHUNK_SIZE)]


def insert_between_chunks(choice: random.Random, data: bytearray) -> list[tuple[int, int]]:
    start = FILE_HEADER_SIZE + CHUNK_SIZE * choice.randrange((len(data) - FILE_HEADER_SIZE) // CHUNK_SIZE)
    data[start:start] = choice.randbytes(choice.choice((8, 100, 4096)))
    return []


KINDS: tuple[Damage, ...] = (
    flip_bits,
    overwrite_block,
    damage_chunk_header,
    damage_file_header,
    damage_record_header,
    extreme_numbers,
    truncate,
    wipe_chunk,
    insert_between_chunks,
)


class Mutation(NamedTuple):
    """A damaged log and the records that are still intact in it."""

    base: Base
    kind: str
    data: bytes
    intact: frozenset[int]


def mutations(count: int, seed: int, of: list[Base]) -> Iterator[Mutation]:
    """`count` damaged logs."""
    choice = random.Random(seed)
    for number in range(count):
        base = of[number % len(of)]
        damage = KINDS[choice.randrange(len(KINDS))]
        data = bytearray(base.data)
        touched = damage(choice, data)
        intact = frozenset(
            place
            for place, original in enumerate(base.originals)
            if not any(
                start < end2 and start2 < end for start, end in touched for start2, end2 in original.regions
            )
        )
        yield Mutation(base, damage.__name__, bytes(data), intact)


class Outcome(NamedTuple):
    """What came of reading a damaged log: intact records delivered, and records that are wrong and unmarked."""

    delivered: int
    wrong: int


def judge(mutation: Mutation) -> Outcome:
    """Read a damaged log with this library. Raises whatever reading raises that is no error of ours."""
    report = ReadReport()
    records: list[EventRecord] = []
    with contextlib.suppress(HvdegradedError):
        records.extend(read_evtx(mutation.data, report))
    assert report.records_seen == report.delivered + report.filtered + report.lost
    originals = Counter(original.record for original in mutation.base.originals)
    wrong = sum(not record.origin.doubts and record not in originals for record in records)
    there = Counter(records)
    delivered = 0
    for place in mutation.intact:
        record = mutation.base.originals[place].record
        if there[record]:
            there[record] -= 1
            delivered += 1
    return Outcome(delivered, wrong)


def _peer_evtx(path: Path) -> set[int]:
    from evtx import PyEvtxParser

    found: set[int] = set()
    try:
        records = PyEvtxParser(str(path)).records()
    except (RuntimeError, OSError):
        return found
    while True:
        try:
            found.add(next(records)["event_record_id"])
        except StopIteration:
            return found
        except RuntimeError:
            continue


def _peer_libevtx(path: Path) -> set[int]:
    import pyevtx

    found: set[int] = set()
    log = pyevtx.file()
    try:
        log.open(str(path))
        for at in range(log.get_number_of_records()):
            try:
                record = log.get_record(at)
                record.get_xml_string()
                found.add(record.get_identifier())
            except (OSError, UnicodeError):
                continue
        log.close()
    except OSError:
        pass
    return found


def main(count: int = 1000, seed: int = 2026) -> None:
    """Print the share of intact records that each reader gives."""
    of = bases()
    total = delivered = wrong = 0
    peers: Counter[str] = Counter()
    kinds: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mutated.evtx"
        for mutation in mutations(count, seed, of):
            outcome = judge(mutation)
            total += len(mutation.intact)
            delivered += outcome.delivered
            wrong += outcome.wrong
            row = kinds.setdefault(mutation.kind, [0, 0])
            row[0] += len(mutation.intact)
            row[1] += outcome.delivered
            path.write_bytes(mutation.data)
            numbers = {mutation.base.originals[place].number for place in mutation.intact}
            peers["evtx, errors skipped"] += len(_peer_evtx(path) & numbers)
            peers["libevtx"] += len(_peer_libevtx(path) & numbers)
    print(f"{count} damaged logs of {len(of)} bases, seed {seed}: {total} intact records")
    print(f"  hvdegraded {delivered / total:.2%}, wrong and unmarked: {wrong}")
    for name, found in peers.items():
        print(f"  {name} {found / total:.2%} (by record number, contents not compared)")
    for kind, (there, read) in sorted(kinds.items()):
        print(f"    {kind}: {read / max(1, there):.2%} of {there}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
