"""Damage logs by a seed, and count what is still read: `python -m tests.tools.mutations [count] [seed] [chunks] [python-evtx every]`.

A record counts as intact where neither its own bytes nor those of a template definition that it points to were
touched or moved. Both are found by their bytes alone, not by this library's decoder: a record lies between two
equal sizes; a template instance is the token 0C 01, then a GUID's first word, then the offset of a definition
with that GUID. What the undamaged log holds is this library's reading of it, which `test_differences` compares
with other readers record by record. Each record delivered must be equal to an undamaged one, once for each time
that one is there, or be marked. Other readers are judged by record numbers alone, without looking at contents.
"""

from __future__ import annotations

import itertools
import random
import re
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import hvdegraded as hv
from hvdegraded.formats.evtx.format import CHUNK_SIZE, FILE_HEADER_SIZE, FIRST_RECORD
from hvdegraded.records.record import EventRecord
from tests.tools.corpus import CLEAN_LOGS
from tests.tools.sample_logs import FOLDER

Region = tuple[int, int]
_INSTANCE = re.compile(rb"\x0c\x01(....)(....)", re.DOTALL)


class Original(NamedTuple):
    """A record of an intact log: its number, its bytes, and the definitions that it points to."""

    number: int
    record: EventRecord
    own: Region
    definitions: tuple[Region, ...]

    def touched_by(self, regions: list[Region]) -> bool:
        return any(
            start < end and begin < stop
            for begin, end in regions
            for start, stop in (self.own, *self.definitions)
        )


class Base(NamedTuple):
    """An intact log."""

    name: str
    data: bytes
    originals: tuple[Original, ...]


def bases(limit: int = 6) -> list[Base]:
    """Intact logs: our samples and what the corpus has, `limit` chunks of each."""
    found = []
    for path in [*sorted(FOLDER.glob("hv*/*.evtx")), *CLEAN_LOGS]:
        data = path.read_bytes()[: FILE_HEADER_SIZE + limit * CHUNK_SIZE]
        originals = tuple(_originals(data))
        if originals:
            found.append(Base(path.stem, data, originals))
    return found


def _originals(data: bytes) -> Iterator[Original]:
    by_offset = {record.origin.offset: record for record in hv.read_records(data)}
    for start in range(FILE_HEADER_SIZE, len(data), CHUNK_SIZE):
        chunk = data[start : start + CHUNK_SIZE]
        place = 512
        while chunk[place : place + 4] == b"**\0\0":
            size, number = struct.unpack_from("<IQ", chunk, place + 4)
            record = by_offset.get(start + place)
            if record is None:
                break
            definitions = {
                (start + first, start + last) for first, last in _definitions(chunk, place, place + size)
            }
            yield Original(number, record, (start + place, start + place + size), tuple(definitions))
            place += size


def _definitions(chunk: bytes, start: int, end: int) -> Iterator[Region]:
    for match in _INSTANCE.finditer(chunk, start, end):
        (offset,) = struct.unpack("<I", match[2])
        if chunk[offset + 4 : offset + 8] == match[1] and offset + 24 <= len(chunk):
            yield offset, offset + 24 + int.from_bytes(chunk[offset + 20 : offset + 24], "little")


# ---------------------------------------------------------------- kinds of damage: bytes in, touched regions out

Damage = Callable[[random.Random, Base, bytearray], list[Region]]


def _chunk_start(choice: random.Random, data: bytearray) -> int:
    return FILE_HEADER_SIZE + CHUNK_SIZE * choice.randrange((len(data) - FILE_HEADER_SIZE) // CHUNK_SIZE)


def flip_bits(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    places = [choice.randrange(FILE_HEADER_SIZE, len(data)) for _ in range(choice.randint(1, 20))]
    for place in places:
        data[place] ^= 1 << choice.randrange(8)
    return [(place, place + 1) for place in places]


def overwrite_block(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    size = choice.choice((16, 512, 4096))
    start = choice.randrange(0, len(data) - size)
    data[start : start + size] = choice.choice((bytes(size), choice.randbytes(size), b"\xff" * size))
    return [(start, start + size)]


def damage_chunk_header(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    place = _chunk_start(choice, data) + choice.randrange(0, 505)
    data[place : place + 8] = choice.randbytes(8)
    return [(place, place + 8)]


def damage_tables(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    """The tables of names and templates point to anything."""
    start = _chunk_start(choice, data)
    for place in range(start + 128, start + 512, 4):
        struct.pack_into("<I", data, place, choice.choice((0, 0xFFFFFFFF, choice.randrange(CHUNK_SIZE))))
    return [(start + 128, start + 512)]


def damage_file_header(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    place = choice.randrange(0, 120)
    data[place : place + 8] = choice.randbytes(8)
    return [(place, place + 8)]


def damage_record_header(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    place = choice.choice(base.originals).own[0] + choice.choice((0, 4, 8))
    value = choice.choice((0, 1, 0xFFFFFFFF, 0x7FFFFFFF, choice.randrange(1 << 32)))
    data[place : place + 4] = struct.pack("<I", value)
    return [(place, place + 4)]


def extreme_numbers(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    places = [choice.randrange(FILE_HEADER_SIZE, len(data) - 4) for _ in range(4)]
    for place in places:
        data[place : place + 4] = choice.choice((b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4)))
    return [(place, place + 4) for place in places]


def truncate(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    size = len(data)
    cut = choice.randrange(FILE_HEADER_SIZE + 1024, size)
    del data[cut:]
    return [(cut, size)]


def wipe_chunk(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    start = _chunk_start(choice, data)
    fill = choice.choice((bytes(CHUNK_SIZE), choice.randbytes(CHUNK_SIZE)))
    data[start : start + CHUNK_SIZE] = fill
    return [(start, start + CHUNK_SIZE)]


def insert_between_chunks(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    start = _chunk_start(choice, data)
    data[start:start] = choice.randbytes(choice.choice((8, 100, 4096, CHUNK_SIZE)))
    return []


def insert_in_chunk(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    """Records behind the place move, and definitions there are no longer where they are pointed to."""
    place = choice.choice(base.originals).own[choice.randrange(2)] + choice.choice((0, 10))
    end = place + CHUNK_SIZE - (place - FILE_HEADER_SIZE) % CHUNK_SIZE
    data[place:place] = choice.randbytes(choice.choice((8, 64, 512)))
    moved = {
        region for original in base.originals for region in original.definitions if place < region[1] <= end
    }
    return [(place - 1, place + 1), *moved]


def take_chunk_out(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    start = _chunk_start(choice, data)
    del data[start : start + CHUNK_SIZE]
    return [(start, start + CHUNK_SIZE)]


def splice(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    """A stretch of the log stands at another place of it, over what was there."""
    size = choice.choice((200, 3000, CHUNK_SIZE))
    source = choice.randrange(FILE_HEADER_SIZE, len(data) - size + 1)
    target = choice.randrange(FILE_HEADER_SIZE, len(data) - size + 1)
    if size == CHUNK_SIZE:
        source, target = _chunk_start(choice, data), _chunk_start(choice, data)
    data[target : target + size] = data[source : source + size]
    return [(target, target + size)] if target != source else []


def several(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    """Kinds that leave everything at its place, after one another."""
    staying = (
        flip_bits,
        overwrite_block,
        damage_chunk_header,
        damage_tables,
        damage_record_header,
        extreme_numbers,
    )
    return [region for _ in range(3) for region in choice.choice(staying)(choice, base, data)]


# ---------------------------------------------------------------- forged: checksums are right again


def seal(data: bytearray, start: int) -> None:
    """Make the checksums of a chunk right."""
    free = min(max(512, struct.unpack_from("<I", data, start + 48)[0]), CHUNK_SIZE)
    struct.pack_into("<I", data, start + 52, zlib.crc32(data[start + 512 : start + free]))
    head = zlib.crc32(data[start + 128 : start + 512], zlib.crc32(data[start : start + 120]))
    struct.pack_into("<I", data, start + 124, head)


def swallow_record(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    """A record's size covers the next one too."""
    pairs = [
        (one.own, two.own)
        for one, two in itertools.pairwise(base.originals)
        if one.own[1] == two.own[0]
        and (one.own[0] - FILE_HEADER_SIZE) // CHUNK_SIZE == (two.own[0] - FILE_HEADER_SIZE) // CHUNK_SIZE
    ]
    if not pairs:
        return []
    (start, _), (_, end) = choice.choice(pairs)
    struct.pack_into("<I", data, start + 4, end - start)
    struct.pack_into("<I", data, end - 4, end - start)
    seal(data, start - (start - FILE_HEADER_SIZE) % CHUNK_SIZE)
    return [(start, start + 8), (end - 4, end)]


def forge_chunk_header(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    """The free space or the count of records leaves some out."""
    start = _chunk_start(choice, data)
    own = [one.own for one in base.originals if start <= one.own[0] < start + CHUNK_SIZE]
    if len(own) < 2:
        return []
    keep = choice.randrange(1, len(own))
    kind = choice.randrange(3)
    if kind != 1:
        struct.pack_into("<I", data, start + 48, own[keep][0] - start)
    if kind != 0:
        (first,) = struct.unpack_from("<Q", data, start + 24)
        struct.pack_into("<Q", data, start + 32, first + keep - 1)
    seal(data, start)
    return [(start + 32, start + 56), (start + 124, start + 128)]


def template_bit(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    """A bit of the word by which records name a template is flipped; the content of records is untouched."""
    definitions = [region for one in base.originals for region in one.definitions]
    if not definitions:
        return []
    place = choice.choice(definitions)[0] + 4 + choice.randrange(4)
    data[place] ^= 1 << choice.randrange(8)
    if choice.randrange(2):
        seal(data, place - (place - FILE_HEADER_SIZE) % CHUNK_SIZE)
    return []


def replace_template_guid(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    """A template has another GUID than all its records name."""
    definitions = [region for one in base.originals for region in one.definitions]
    if not definitions:
        return []
    place = choice.choice(definitions)[0] + 4
    data[place : place + 16] = choice.randbytes(16)
    if choice.randrange(2):
        seal(data, place - (place - FILE_HEADER_SIZE) % CHUNK_SIZE)
    return []


def displace_chunk(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    """A chunk without mark lies where none belongs."""
    start = _chunk_start(choice, data)
    data[start : start + 8] = choice.choice((bytes(8), choice.randbytes(8)))
    if choice.randrange(2):
        data[start:start] = choice.randbytes(choice.choice((8, 100, 4096)))
    return [(start, start + 8)]


def cut_or_fill_header(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    """Bytes of a chunk's header are cut out, or others put into it; its records move, and stay whole."""
    start = _chunk_start(choice, data)
    size = choice.choice((1, 8, 100, FIRST_RECORD))
    place = start + choice.choice((0, 40, FIRST_RECORD - size))
    if place + size > start + FIRST_RECORD:
        place = start
    if choice.randrange(2):
        del data[place : place + size]
    else:
        data[place:place] = choice.randbytes(size)
    return [(start, start + FIRST_RECORD)]


def cut_front(choice: random.Random, base: Base, data: bytearray) -> list[Region]:
    """The file header is missing, or a part of it, or all up to a chunk's header, or a part of that, too."""
    chunk = _chunk_start(choice, data)
    size = choice.choice((1, 1000, FILE_HEADER_SIZE, chunk, chunk + 100, chunk + FIRST_RECORD))
    del data[:size]
    return [(0, size)]


KINDS: tuple[Damage, ...] = (
    flip_bits,
    overwrite_block,
    damage_chunk_header,
    damage_tables,
    damage_file_header,
    damage_record_header,
    extreme_numbers,
    truncate,
    wipe_chunk,
    insert_between_chunks,
    insert_in_chunk,
    take_chunk_out,
    splice,
    several,
    swallow_record,
    forge_chunk_header,
    template_bit,
    displace_chunk,
    cut_or_fill_header,
    cut_front,
    replace_template_guid,
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
        touched = damage(choice, base, data)
        intact = frozenset(
            place for place, original in enumerate(base.originals) if not original.touched_by(touched)
        )
        yield Mutation(base, damage.__name__, bytes(data), intact)


class Outcome(NamedTuple):
    """What came of reading a damaged log: intact records delivered, and those that are wrong and unmarked."""

    delivered: int
    wrong: int
    hidden: int
    """Records that are missing from a reading that calls itself complete."""


def judge(mutation: Mutation) -> Outcome:
    """Read a damaged log with this library. Raises whatever reading raises that is no error of ours."""
    stream = hv.read_records(mutation.data)
    records: list[EventRecord] = []
    refused = False
    try:
        records.extend(stream)
    except hv.HvdegradedError:
        refused = True
    report = stream.report
    assert report.records_seen == report.delivered + report.filtered + report.lost
    assert report.delivered == len(records)
    originals = Counter(original.record for original in mutation.base.originals)
    unmarked = Counter(record for record in records if not record.origin.anomalies)
    wrong = sum(
        count for record, count in unmarked.items() if record not in originals or count > originals[record]
    )
    there = Counter(records)
    delivered = 0
    for place in mutation.intact:
        record = mutation.base.originals[place].record
        if there[record]:
            there[record] -= 1
            delivered += 1
    missing = sum((originals - Counter(records)).values())
    return Outcome(delivered, wrong, missing if report.complete and not refused else 0)


def main(count: int = 1000, seed: int = 2026, chunks: int = 2, every: int = 1) -> None:
    """Print the share of intact records that each reader gives; python-evtx reads each `every`th log."""
    from tests.tools.peers import PEERS, Peer

    of = bases(chunks)
    peers = {name: Peer(name) for name in PEERS}
    shares: dict[str, Counter[object]] = {name: Counter() for name in ("hvdegraded", *peers)}
    wrong = hidden = 0
    for number, mutation in enumerate(mutations(count, seed, of)):
        outcome = judge(mutation)
        wrong += outcome.wrong
        hidden += outcome.hidden
        shares["hvdegraded"] += Counter({mutation.kind: outcome.delivered})
        shares["hvdegraded"]["intact", mutation.kind] += len(mutation.intact)
        numbers = {mutation.base.originals[place].number for place in mutation.intact}
        for name, peer in peers.items():
            if name != "python-evtx" or number % every == 0:
                shares[name]["delivered"] += len(peer.numbers(mutation.data) & numbers)
                shares[name]["intact"] += len(numbers)
    total = shares["hvdegraded"]
    kinds = sorted({kind for kind in total if isinstance(kind, str)})
    intact = sum(total["intact", kind] for kind in kinds)
    print(
        f"{count} damaged logs of {len(of)} bases, {chunks} chunks each, seed {seed}: {intact} intact records"
    )
    print(
        f"  hvdegraded {sum(total[kind] for kind in kinds) / intact:.2%}, wrong and unmarked: {wrong}, hidden: {hidden}"
    )
    for name, peer in peers.items():
        share = shares[name]["delivered"] / max(1, shares[name]["intact"])
        print(
            f"  {name} {share:.2%} of {shares[name]['intact']} (by record number, contents not compared),"
            f" {peer.hung} hung, {peer.died} died"
        )
    for kind in kinds:
        print(f"    {kind}: {total[kind] / max(1, total['intact', kind]):.2%} of {total['intact', kind]}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
