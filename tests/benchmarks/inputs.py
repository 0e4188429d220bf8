"""What the contenders read, built once in a folder."""

from __future__ import annotations

import json
from pathlib import Path

from hvdegraded.evtx_writer import evtx_bytes
from hvdegraded.record import EventRecord
from hvdegraded.sources.chunks import FILE_HEADER_SIZE
from tests.corpus import CLEAN_LOGS
from tests.make_sample_logs import GUIDS, PREFIX, VML, event_xml, host_2012r2, host_2022, winlogbeat


def _hyper_v(count: int) -> list[EventRecord]:
    """Events of the sample hosts, over and over."""
    rows = [row.record for log in (*host_2012r2(), *host_2022()) for row in log.rows]
    rows = [row for row in rows if row.provider.startswith(PREFIX) or row.provider == "storvsp"]
    return [rows[at % len(rows)]._replace(record_id=at + 1) for at in range(count)]


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


def build(folder: Path, scale: float) -> dict[str, Path]:
    """The inputs of all jobs; `scale` 1 is full size."""
    made = {name: folder / name for name in ("dense.evtx", "small.evtx", "sparse.evtx", "export.xml")}
    made |= {name: folder / name for name in ("shipping2.jsonl", "shipping100.jsonl")}
    dense = _hyper_v(max(2000, int(120_000 * scale)))
    made["dense.evtx"].write_bytes(evtx_bytes(dense))
    made["small.evtx"].write_bytes(evtx_bytes(small(max(2000, int(150_000 * scale)))))
    noise = [path.read_bytes() for path in CLEAN_LOGS]
    chunks = b"".join(data[FILE_HEADER_SIZE:] for data in noise) or evtx_bytes(small(5000))[FILE_HEADER_SIZE:]
    needles = evtx_bytes(dense[:60])[FILE_HEADER_SIZE:]
    wanted = int((512 << 20) * scale)
    with made["sparse.evtx"].open("wb") as target:
        target.write(evtx_bytes(dense[:1])[:FILE_HEADER_SIZE])
        while target.tell() < wanted:
            target.write(chunks)
            target.write(needles)
    size = int((200 << 20) * scale)
    with made["export.xml"].open("w", encoding="utf-8") as text:
        while text.tell() < size:
            text.writelines(event_xml(record) + "\n" for record in dense[:2000])
    other = json.dumps(
        {
            "winlog": {"provider_name": "Disk", "event_data": {f"p{at}": "x" * 30 for at in range(12)}},
            "message": "y" * 200,
        }
    )
    lines = [json.dumps(winlogbeat(record)) for record in dense[:2000]]
    count = int(200_000 * scale)
    made["shipping2.jsonl"].write_text(
        "".join((lines[at // 50 % len(lines)] if at % 50 == 0 else other) + "\n" for at in range(count))
    )
    made["shipping100.jsonl"].write_text("".join(lines[at % len(lines)] + "\n" for at in range(count // 4)))
    return made
