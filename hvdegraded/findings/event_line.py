"""One event with its verdict, as a line of JSON: the schema of streams of events, which is not stable yet."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from hvdegraded.events import HyperVEvent
from hvdegraded.findings.groups import finding_id
from hvdegraded.verdicts.verdict import Verdict

__all__ = ["SCHEMA", "SCHEMA_VERSION", "EventLine", "event_line", "json_schema"]

SCHEMA = "hvdegraded.event"
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event as it stands in the log, the id of its finding, and its verdict in plain JSON types.

    `time` is UTC, `time_ticks` the same in 100 ns since 1601. `data` holds pairs of name (or null) and text.
    """

    schema: str
    schema_version: int
    stable: bool
    time: str | None
    time_ticks: int | None
    host: str
    provider: str
    event_id: int
    record_id: int | None
    level: int | None
    channel: str
    path: str | None
    data: list[list[str | None]]
    remarks: list[str]
    finding: str
    verdict: dict[str, Any]


def event_line(event: HyperVEvent, verdict: Verdict) -> dict[str, Any]:
    """The line of an event, in plain JSON types."""
    record = event.record
    return asdict(
        EventLine(
            schema=SCHEMA,
            schema_version=SCHEMA_VERSION,
            stable=False,
            time=record.time_created.isoformat() if record.time_created else None,
            time_ticks=record.time_ticks,
            host=record.computer,
            provider=record.provider,
            event_id=record.event_id,
            record_id=record.record_id,
            level=record.level,
            channel=record.channel,
            path=record.origin.path,
            data=[list(pair) for pair in record.data],
            remarks=list(record.origin.remarks),
            finding=finding_id(verdict, event),
            verdict=verdict.model_dump(mode="json", exclude={"problem"}),
        )
    )


@lru_cache(maxsize=1)
def json_schema() -> dict[str, Any]:
    """The JSON Schema of a line."""
    return TypeAdapter(EventLine).json_schema(mode="serialization")
