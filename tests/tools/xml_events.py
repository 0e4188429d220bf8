"""Event XML as the tests write it, and how they read it."""

from __future__ import annotations

import io

from hypothesis import strategies as st

from hvdegraded.formats.xml.reader import read_xml
from hvdegraded.reading.delivery import delivered
from hvdegraded.records.record import EventRecord, ProviderFilter
from hvdegraded.records.report import ReadReport

NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"
HYPER_V = ProviderFilter(frozenset({"storvsp"}), ("microsoft-windows-hyper-v-",), ("Hyper-V",))


def event(number: int = 1, provider: str = "P", data: str = "<EventData/>") -> str:
    return (
        f"<Event xmlns='{NAMESPACE}'><System><Provider Name='{provider}'/><EventID>{number}</EventID></System>"
        f"{data}</Event>"
    )


def value(text: str) -> str:
    return f"<EventData><Data Name='v'>{text}</Data></EventData>"


def read(
    data: bytes | str,
    *,
    wanted: ProviderFilter | None = None,
    block_size: int = 1 << 18,
    strict: bool = False,
) -> tuple[list[EventRecord], ReadReport]:
    report = ReadReport(path="input.xml", strict=strict)
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    records = list(delivered(read_xml(stream, report.path, wanted, block_size=block_size), report, wanted))
    assert report.delivered == len(records)
    assert report.records_seen == report.delivered + report.filtered + report.lost
    assert report.with_anomalies == sum(bool(record.origin.anomalies) for record in records)
    return records, report


def ids(data: bytes | str) -> list[int]:
    records, report = read(data)
    assert report.complete, report
    return [record.event_id for record in records]


# ------------------------------------------------------------------ forms of files

THREE = [event(1), event(2), event(3)]

# ------------------------------------------------------------------ properties
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
