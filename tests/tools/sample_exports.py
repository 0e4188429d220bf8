"""Records as event XML and as Winlogbeat ships them, and the sample inventory."""

from __future__ import annotations

import json
from xml.sax.saxutils import escape, quoteattr

from hvdegraded.records.record import EventRecord
from hvdegraded.timestamps import text_from_ticks
from tests.tools.sample_events import (
    APP08,
    BSD,
    BUILD01,
    DB02,
    DEB,
    EVENT,
    FW01,
    UBU,
    VML,
    WEB01,
    WEB22,
    WIN12,
)


def event_xml(record: EventRecord, rendering: str = "") -> str:
    """An event as Windows writes it, on one line."""

    def attribute(name: str, value: object) -> str:
        return "" if value is None else f" {name}={quoteattr(str(value))}"

    guid = f"{{{record.provider_guid.lower()}}}" if record.provider_guid else None
    parts = [f"<Provider{attribute('Name', record.provider)}{attribute('Guid', guid)}/>"]
    parts.append(f"<EventID{attribute('Qualifiers', record.qualifiers)}>{record.event_id}</EventID>")
    for tag, value in (
        ("Version", record.version),
        ("Level", record.level),
        ("Task", record.task),
        ("Opcode", record.opcode),
    ):
        if value is not None:
            parts.append(f"<{tag}>{value}</{tag}>")
    parts.append(f"<Keywords>0x{record.keywords or 0:x}</Keywords>")
    parts.append(f"<TimeCreated SystemTime='{text_from_ticks(record.time_ticks or 0)}'/>")
    parts.append(f"<EventRecordID>{record.record_id}</EventRecordID><Correlation/>")
    process = f"{attribute('ProcessID', record.process_id)}{attribute('ThreadID', record.thread_id)}"
    parts.append(
        f"<Execution{process}/><Channel>{record.channel}</Channel><Computer>{record.computer}</Computer>"
    )
    parts.append(f"<Security{attribute('UserID', record.user_id)}/>")
    if record.payload == "EventData":
        values = "".join(
            f"<Binary>{text}</Binary>"
            if name == "Binary"
            else f"<Data{attribute('Name', name)}>{escape(text)}</Data>"
            for name, text in record.data
        )
        payload = f"<EventData>{values}</EventData>"
    else:
        values = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in record.data)
        payload = f"<UserData><VmlEventLog xmlns='{VML}'>{values}</VmlEventLog></UserData>"
    return f"<Event xmlns='{EVENT}'><System>{''.join(parts)}</System>{payload}{rendering}</Event>"


def rendering_xml(culture: str, level: str, message: str) -> str:
    return f"<RenderingInfo Culture='{culture}'><Message>{escape(message)}</Message><Level>{level}</Level></RenderingInfo>"


def winlogbeat(record: EventRecord) -> dict[str, object]:
    """The record as Winlogbeat 8 ships it: empty and zero values dropped, unnamed values param1, ….."""
    levels = {1: "critical", 2: "error", 3: "warning", 4: "information"}
    data = {name or f"param{index}": text for index, (name, text) in enumerate(record.data, 1) if text}
    winlog: dict[str, object] = {
        "channel": record.channel,
        "computer_name": record.computer,
        "event_id": str(record.event_id),
        "provider_name": record.provider,
        "record_id": record.record_id,
    }
    if record.provider_guid:
        winlog["provider_guid"] = f"{{{record.provider_guid}}}"
    if record.user_id:
        winlog["user"] = {"identifier": record.user_id}
    if record.payload == "EventData":
        winlog["event_data"] = data
    else:
        winlog["user_data"] = data | {"xml_name": "VmlEventLog"}
    return {
        "@timestamp": text_from_ticks(record.time_ticks or 0),
        "event": {"code": str(record.event_id), "kind": "event", "provider": record.provider},
        "host": {"name": record.computer},
        "log": {"level": levels[record.level or 4]},
        "winlog": winlog,
    }


def guests_json() -> str:
    """What the script of `hvdegraded guests-script` writes, as far as the inventory needs it."""
    hosts = {
        "hv2012r2.example.org": (WEB01, DB02, FW01, APP08, WEB22, BUILD01),
        "hv2022.example.org": (UBU, DEB, BSD, WIN12),
    }
    rows = [
        {
            "Name": machine.name,
            "Id": machine.vm_id,
            "ComputerName": host,
            "OSName": machine.system,
            "Taken": "2026-11-10T08:00:00Z",
        }
        for host, machines in hosts.items()
        for machine in machines
    ]
    return json.dumps(rows, indent=1) + "\n"
