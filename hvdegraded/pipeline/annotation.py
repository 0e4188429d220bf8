"""The key that a pipeline adds to a record: its verdict, or the error in place of one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from hvdegraded.errors import HvdegradedError
from hvdegraded.events import Event
from hvdegraded.knowledge.vocabulary import VersionPair
from hvdegraded.records.record import FieldSource
from hvdegraded.schemas import schema_of
from hvdegraded.timestamps import text_from_ticks
from hvdegraded.verdicts.verdict import Assumption, Basis, Label, Reason, Severity, Verdict

__all__ = [
    "KEY",
    "Annotation",
    "error_annotation",
    "json_schema",
    "json_text",
    "most_urgent",
    "times_of",
    "untimed_annotation",
]

KEY = "hvdegraded"
"""The key that is added to a record."""

_LONGEST_ERROR = 300
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_encode_ascii = json.JSONEncoder(separators=(",", ":")).encode


class Annotation(BaseModel):
    """The content of the added key: the verdict, or the error in place of one.

    The JSON Schema of it ships in the package as `annotation.schema.json`; `schema_version` counts up when a
    field changes its meaning. `guest_version` and `host_version` are those of the pair that differs, where
    `version_pairs` contains several. `anomalies` say that the record may be wrong, `caveats` what its route
    did not keep. `time_created` is UTC, `time_ticks` the same in 100 ns since 1601.

    A record that is a batch (OTLP, Event Hubs) gets the most urgent verdict in it, of equals the first;
    `batch` has an annotation for each Hyper-V event, with its `position`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    schema_version: Literal[1] = 1
    label: Label | None = None
    reason: Reason | None = None
    basis: Basis | None = None
    severity: Severity | None = None
    assumed: bool = False
    assumptions: tuple[Assumption, ...] = ()
    component: str | None = None
    guest_version: str | None = None
    host_version: str | None = None
    version_pairs: tuple[VersionPair, ...] = ()
    vm_name: str | None = None
    vm_id: str | None = None
    host: str | None = None
    provider: str | None = None
    event_id: int | None = None
    field_source: FieldSource | None = None
    summary: str | None = None
    remedy: str | None = None
    references: tuple[str, ...] = ()
    anomalies: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    error: str | None = None
    position: int | None = None
    batch: tuple[Annotation, ...] = ()
    time_created: str | None = None
    time_ticks: int | None = None


_URGENCY = {Severity.ACT: 0, Severity.CHECK: 1, None: 1, Severity.NONE: 2}


def most_urgent(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the most urgent annotation of a batch; an error in place of a verdict is to be checked."""
    return min(found, key=lambda one: (_URGENCY[one["severity"]], one["label"] == Label.IGNORABLE))


@lru_cache(maxsize=1)
def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the added key."""
    return schema_of(TypeAdapter(Annotation))


def untimed_annotation(event: Event, verdict: Verdict) -> dict[str, Any]:
    """Build the annotation of an event and its verdict as plain JSON types, without the times."""
    record = event.record
    guest, host = verdict.versions.guest, verdict.versions.host
    found = _empty() | {
        "label": verdict.label.value,
        "reason": verdict.reason.value,
        "basis": verdict.basis.value,
        "severity": verdict.severity.value,
        "assumed": verdict.assumed,
        "assumptions": _texts(verdict.assumptions),
        "component": _text(verdict.component),
        "guest_version": _text(guest),
        "host_version": _text(host),
        "version_pairs": [
            {name: _text(value) for name, value in pair.__dict__.items()} for pair in verdict.version_pairs
        ],
        "vm_name": verdict.vm_name,
        "vm_id": verdict.vm_id,
        "host": verdict.host,
        "provider": record.provider,
        "event_id": record.event_id,
        "field_source": record.field_source.value,
        "summary": verdict.summary,
        "remedy": verdict.remedy,
        "references": _texts(verdict.references),
        "anomalies": _texts(record.origin.anomalies),
        "caveats": _texts(record.origin.caveats),
    }
    del found["time_created"], found["time_ticks"]
    return found


def _empty() -> dict[str, Any]:
    """The JSON of an annotation of which nothing is known; the model itself takes 20 ms to build."""
    fields = Annotation.model_fields.items()
    return {name: [] if field.default == () else field.default for name, field in fields}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _texts(values: Iterable[str]) -> list[str]:
    return list(map(str, values))


def times_of(ticks: int | None) -> dict[str, Any]:
    """Build the two times of an annotation; None where the time is unknown."""
    return {"time_created": None if ticks is None else text_from_ticks(ticks), "time_ticks": ticks}


def error_annotation(error: Exception | str) -> dict[str, Any]:
    """Build the annotation of a record that got no verdict."""
    ours = isinstance(error, (str, HvdegradedError))
    text = str(error) if ours else f"{type(error).__name__}: {error}"
    return _empty() | {"error": text[:_LONGEST_ERROR]}


def json_text(value: Any) -> str:
    """Encode a value as JSON that UTF-8 can hold: halves of surrogate pairs stay escapes."""
    text = _encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return _encode_ascii(value)
    return text
