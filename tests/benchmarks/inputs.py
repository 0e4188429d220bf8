"""What the contenders read, built once in a folder."""

from __future__ import annotations

import json
import random
import struct
import uuid
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from hvdegraded.formats.evtx.chunks import Chunk, find_chunks
from hvdegraded.formats.evtx.format import CHUNK_SIZE, FILE_HEADER_SIZE, FIRST_RECORD
from hvdegraded.formats.evtx.record_headers import Span
from hvdegraded.formats.evtx.walk import walk
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.reading.reader import read_records
from hvdegraded.records.record import EventRecord
from tests.tools.corpus import CLEAN_LOGS
from tests.tools.sample_events import GUIDS, PREFIX, VML
from tests.tools.sample_exports import event_xml, winlogbeat
from tests.tools.sample_hosts import host_2012r2, host_2022

BURST = 3
"""Hyper-V events beside one another in the mixed log: one burst for each 1,000 records."""


def hyper_v(count: int) -> list[EventRecord]:
    """Events of the sample hosts, over and over."""
    rows = [row.record for log in (*host_2012r2(), *host_2022()) for row in log.rows]
    rows = [row for row in rows if row.provider.startswith(PREFIX) or row.provider == "storvsp"]
    return [rows[at % len(rows)]._replace(record_id=at + 1) for at in range(count)]


def streamed(count: int) -> Iterator[EventRecord]:
    """The same as a stream has them: each round of them a day after the one before."""
    rows = hyper_v(1100)
    for at in range(count):
        record, day = rows[at % len(rows)], at // len(rows)
        yield record._replace(record_id=at + 1, time_ticks=(record.time_ticks or 0) + day * 864_000_000_000)


def small(count: int) -> list[EventRecord]:
    """Small VmlEventLog events of the management service."""
    return [
        EventRecord(
            provider=PREFIX + "VMMS",
            event_id=13002 + at % 2,
            time_ticks=134_000_000_000_000_000 + at * 10_000_000,
            level=4,
            record_id=at + 1,
            channel=PREFIX + "VMMS-Admin",
            computer="hv1.example.org",
            provider_guid=GUIDS["VMMS"],
            version=0,
            task=0,
            opcode=0,
            keywords=1 << 63,
            process_id=2000,
            thread_id=at % 60,
            user_id="S-1-5-18",
            payload="UserData/VmlEventLog",
            payload_namespace=VML,
            data=(("VmName", f"vm{at % 97}"), ("VmId", "9FC171E7-B2C6-4BD2-9FF0-253209B2A69D")),
        )
        for at in range(count)
    ]


# -------------------------------------------------------------------- a mixed log


def noise() -> list[EventRecord]:
    """Events of other providers, as a system log holds them."""
    rows = [row.record for log in (*host_2012r2(), *host_2022()) for row in log.rows]
    return [
        row for row in rows if not row.provider.startswith(PREFIX) and row.provider.lower() not in DRIVERS
    ]


DRIVERS = frozenset({"storvsp", "vmsmp", "vmbus", "vmbusr", "netvsc"})


def chunks_of(data: bytes) -> Iterator[Chunk]:
    """The chunks in good order of a log."""
    for chunk in find_chunks(lambda at, count: data[at : at + count]):
        if isinstance(chunk, Chunk) and chunk.proven and len(chunk.data) == CHUNK_SIZE:
            yield chunk


def mixed_log(path: Path, size: int) -> int:
    """Write a log of real chunks, full ones, and for each 1,000 of their records one that has a burst in it.

    Returns how many Hyper-V events it holds. Record numbers run on, and all checksums are right.
    """
    needles = hyper_v(300)
    plain = noise()
    real = [chunk for log in CLEAN_LOGS for chunk in chunks_of(log.read_bytes())]
    real = real or list(chunks_of(evtx_bytes(plain * 20)))
    number, found, chunks, waiting = 1, 0, 0, 0
    with path.open("wb") as target:
        target.write(bytes(FILE_HEADER_SIZE))
        while target.tell() < size:
            for chunk in real:
                data, number, records = _renumbered(chunk, number)
                target.write(data)
                chunks += 1
                waiting += records
                while waiting >= 1000:
                    waiting -= 1000
                    events = [needles[(found + at) % len(needles)] for at in range(BURST)]
                    (burst,) = chunks_of(evtx_bytes([*plain[:60], *events]))
                    data, number, _ = _renumbered(burst, number)
                    target.write(data)
                    chunks += 1
                    found += BURST
                if target.tell() >= size:
                    break
        head = bytearray(evtx_bytes(plain[:1])[:FILE_HEADER_SIZE])
        struct.pack_into("<QQ", head, 16, chunks - 1, number)
        struct.pack_into("<H", head, 42, chunks)
        struct.pack_into("<I", head, 124, zlib.crc32(head[:120]))
        target.seek(0)
        target.write(head)
    return found


def _renumbered(chunk: Chunk, first: int) -> tuple[bytes, int, int]:
    """A chunk with record numbers from `first` on, as in a log that goes on; the next number; its records."""
    data = bytearray(chunk.data)
    number = first
    for span in walk(chunk):
        assert isinstance(span, Span)
        struct.pack_into("<Q", data, span.start + 8, number)
        number += 1
    struct.pack_into("<QQQQ", data, 8, first, number - 1, first, number - 1)
    struct.pack_into("<I", data, 52, zlib.crc32(data[FIRST_RECORD : chunk.free]))
    struct.pack_into("<I", data, 124, zlib.crc32(data[128:FIRST_RECORD], zlib.crc32(data[:120])))
    return bytes(data), number, number - first


def with_room(path: Path, source: Path) -> None:
    """Write a log again with empty chunks behind, a third of its size, as Windows allocates ahead."""
    with path.open("wb") as target, source.open("rb") as log:
        while block := log.read(1 << 24):
            target.write(block)
        for _ in range(source.stat().st_size // CHUNK_SIZE // 3):
            target.write(bytes(CHUNK_SIZE))


# -------------------------------------------------------------------- shipped lines


def _shipped_noise() -> list[str]:
    """Lines that a shipper makes of real events of other providers."""
    found = []
    for path in CLEAN_LOGS[:20]:
        for record in read_records(path):
            if record.level in (1, 2, 3, 4):
                found.append(json.dumps(winlogbeat(record)))
            if len(found) % 200 == 0:
                break
    return found or [json.dumps(winlogbeat(record)) for record in noise()]


def unknown_line(record: EventRecord) -> str:
    """A line of a shipper that no table knows, whose keys are named as Windows names them."""
    return json.dumps(
        {
            "collector": "site-a/17",
            "received": "2026-09-01T02:00:14Z",
            "body": {
                "ProviderName": record.provider,
                "EventID": record.event_id,
                "TimeCreated": record.time_created.isoformat() if record.time_created else None,
                "Level": record.level,
                "EventRecordID": record.record_id,
                "Channel": record.channel,
                "Computer": record.computer,
                "EventData": {name or f"Data{at}": text for at, (name, text) in enumerate(record.data)},
            },
        }
    )


# -------------------------------------------------------------------- many machines


def _of_machine(record: EventRecord, number: int) -> EventRecord:
    """The event of another VM, by name, id and account."""
    vm_id = str(uuid.UUID(int=random.Random(number).getrandbits(128))).upper()
    names = [text for _, text in record.data if text[:1].isalpha() and text.isascii() and len(text) < 20]
    name = names[0] if names else None
    data = tuple(
        (key, f"vm{number:06}" if text == name else vm_id if len(text) == 36 else text)
        for key, text in record.data
    )
    return record._replace(data=data, user_id="S-1-5-18" if record.user_id else None)


def distinct(count: int) -> list[EventRecord]:
    """Events of the sample hosts, a second apart, five for each of many VMs: no two have the same payload."""
    start = 134_000_000_000_000_000
    rows = [row for row in hyper_v(1100) if any(len(text) == 36 for _, text in row.data)]
    return [
        _of_machine(rows[at * 7 % len(rows)], at // 5)._replace(
            record_id=at + 1, time_ticks=start + at * 10_000_000
        )
        for at in range(count)
    ]


def machines(count: int) -> list[EventRecord]:
    """Events of so many VMs, one each: mismatches of storage, of a device and of an integration service."""
    wanted = (("storvsp", 6), (f"{PREFIX}Worker", 23014), (f"{PREFIX}Integration", 4010))
    rows = hyper_v(1100)
    kinds = [next(row for row in rows if (row.provider, row.event_id) == one) for one in wanted]
    start = 134_000_000_000_000_000
    return [
        _of_machine(kinds[at % len(kinds)], at)._replace(record_id=at + 1, time_ticks=start + at * 100_000)
        for at in range(count)
    ]


def build(folder: Path, scale: float, names: Collection[str]) -> dict[str, Path]:
    """The inputs of these names; `scale` 1 is full size."""

    def lines(shown: Callable[[EventRecord], str], count: int) -> bytes:
        return "".join(shown(record) + "\n" for record in streamed(count)).encode()

    def few_lines(count: int) -> bytes:
        events, others = map(winlogbeat, streamed(count // 50 + 1)), _shipped_noise()
        return "".join(
            (json.dumps(next(events)) if at % 50 == 0 else others[at % len(others)]) + "\n"
            for at in range(count)
        ).encode()

    def sized(full: int) -> int:
        return max(2000, int(full * scale))

    def export(size: int) -> bytes:
        events = "".join(event_xml(record) + "\n" for record in hyper_v(2000)).encode()
        return events * max(1, size // len(events))

    makers: dict[str, Callable[[], bytes]] = {
        "dense.evtx": lambda: evtx_bytes(hyper_v(sized(150_000))),
        "large.evtx": lambda: evtx_bytes(hyper_v(sized(480_000))),
        "distinct.evtx": lambda: evtx_bytes(distinct(sized(150_000))),
        "small.evtx": lambda: evtx_bytes(small(sized(150_000))),
        "vms.evtx": lambda: evtx_bytes(machines(sized(100_000))),
        "findings.evtx": lambda: evtx_bytes(machines(sized(10_000))),
        "export.xml": lambda: export(sized(200 << 20)),
        "2.jsonl": lambda: few_lines(sized(200_000)),
        "100.jsonl": lambda: lines(lambda record: json.dumps(winlogbeat(record)), sized(200_000)),
        "few.jsonl": lambda: lines(lambda record: json.dumps(winlogbeat(record)), sized(20_000)),
        "unknown.jsonl": lambda: lines(unknown_line, sized(50_000)),
    }
    made = {name: folder / name for name in names}
    for name, path in made.items():
        if name in makers:
            path.write_bytes(makers[name]())
    sparse = folder / "sparse.evtx"
    if {"sparse.evtx", "room.evtx"} & set(names):
        mixed_log(sparse, int((512 << 20) * scale))
    if "mixed.evtx" in names:
        mixed_log(folder / "mixed.evtx", int(1_000_000_000 * scale))
    if "room.evtx" in names:
        with_room(folder / "room.evtx", sparse)
    return made
