"""One event with its verdict, as a line of JSON: the schema of streams of events."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from pydantic import TypeAdapter

from hvdegraded.events import Event
from hvdegraded.findings.groups import finding_id
from hvdegraded.schemas import schema_of
from hvdegraded.timestamps import text_from_ticks
from hvdegraded.verdicts.verdict import Verdict

__all__ = ["EventLine", "event_line", "json_schema"]


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event as its log contains it, the id of its finding, and its verdict.

    `time_created` is UTC, `time_ticks` the same in 100 ns since 1601. `data` contains pairs of name (or null)
    and text. `anomalies` say that the record may be wrong, `caveats` what its route did not keep. The schema
    ships in the package as `event.schema.json`; `schema_version` counts up when a field changes its meaning.
    """

    schema: Literal["hvdegraded.event"]
    schema_version: Literal[1]
    time_created: str | None
    time_ticks: int | None
    host: str
    provider: str
    event_id: int
    record_id: int | None
    level: int | None
    channel: str
    path: str | None
    data: tuple[tuple[str | None, str], ...]
    message: str | None
    anomalies: tuple[str, ...]
    caveats: tuple[str, ...]
    finding: str
    verdict: Verdict


def event_line(event: Event, verdict: Verdict) -> dict[str, Any]:
    """Build the line of an event, in plain JSON types."""
    record = event.record
    line = EventLine(
        schema="hvdegraded.event",
        schema_version=1,
        time_created=None if record.time_ticks is None else text_from_ticks(record.time_ticks),
        time_ticks=record.time_ticks,
        host=record.computer,
        provider=record.provider,
        event_id=record.event_id,
        record_id=record.record_id,
        level=record.level,
        channel=record.channel,
        path=record.origin.path,
        data=record.data,
        message=record.message,
        anomalies=record.origin.anomalies,
        caveats=record.origin.caveats,
        finding=finding_id(verdict, event),
        verdict=verdict,
    )
    plain: dict[str, Any] = _adapter().dump_python(line, mode="json")
    return plain


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[EventLine]:
    return TypeAdapter(EventLine)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a line."""
    return schema_of(_adapter())
