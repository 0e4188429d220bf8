"""One shipped record in, the same with a verdict out: a pure function for pipelines, which never raises."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from hvdegraded.classify import Classifier
from hvdegraded.errors import HvdegradedError
from hvdegraded.events import HyperVEvent, UnrelatedEvent
from hvdegraded.guests import GuestInventory
from hvdegraded.policy import Policy
from hvdegraded.record import EventRecord, Evidence
from hvdegraded.sources.shippers import record_from_mapping
from hvdegraded.sources.xml import parse_event
from hvdegraded.verdict import Basis, Label, Reason, Verdict

__all__ = ["KEY", "Annotation", "annotate", "annotation_of"]

KEY = "hvdegraded"
"""The key that is added to a record."""

_LONGEST = 16 << 20


class Annotation(BaseModel):
    """What is added to a record: the verdict, or the error that kept it from one.

    The JSON Schema of it ships in the package as `annotation.schema.json`; `schema_version` counts up when a
    field changes its meaning.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    schema_version: Literal[1] = 1
    label: Label | None = None
    reason: Reason | None = None
    basis: Basis | None = None
    assumed: bool = False
    component: str | None = None
    server_version: str | None = None
    client_version: str | None = None
    vm_name: str | None = None
    vm_id: str | None = None
    host: str | None = None
    provider: str | None = None
    event_id: int | None = None
    time_ticks: int | None = None
    evidence: Evidence | None = None
    summary: str | None = None
    remedy: str | None = None
    references: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    error: str | None = None


def annotation_of(event: HyperVEvent, verdict: Verdict) -> dict[str, Any]:
    """The added key's content for an event and its verdict, as plain JSON types."""
    record = event.record
    server, client = verdict.server_version, verdict.client_version
    return {  # an Annotation, made by hand: this is done for each line of a stream
        "schema_version": 1,
        "label": verdict.label.value,
        "reason": verdict.reason.value,
        "basis": verdict.basis.value,
        "assumed": verdict.assumed,
        "component": verdict.component.value if verdict.component else None,
        "server_version": str(server) if server else None,
        "client_version": str(client) if client else None,
        "vm_name": verdict.vm_name,
        "vm_id": verdict.vm_id,
        "host": verdict.host,
        "provider": record.provider,
        "event_id": record.event_id,
        "time_ticks": record.time_ticks,
        "evidence": record.evidence.value,
        "summary": verdict.summary,
        "remedy": verdict.remedy,
        "references": list(verdict.references),
        "doubts": list(record.origin.remarks),
        "error": None,
    }


def annotate(
    record: Mapping[str, Any] | str | bytes,
    *,
    guests: GuestInventory | None = None,
    policy: Policy | None = None,
    classifier: Classifier | None = None,
    dialect: str | None = None,
) -> dict[str, Any]:
    """The record as a new mapping with a verdict under `hvdegraded`.

    Takes a log shipper's mapping, its JSON text, or the XML of one event (which comes back under `_raw`). A
    record that is no Hyper-V event comes back as it was. Never raises: what goes wrong is told under
    `hvdegraded.error`. For many records give a `classifier`, which remembers.
    """
    mapping: dict[str, Any] = {}
    try:
        parsed: EventRecord | None
        if isinstance(record, Mapping):
            mapping = dict(record)
            parsed = record_from_mapping(mapping, dialect=dialect)
        else:
            mapping, parsed = _from_text(record, dialect)
        if parsed is None:
            return mapping
        judge = classifier or (Classifier(guests, policy) if guests or policy else _default())
        event = judge.normalise(parsed)
        if isinstance(event, UnrelatedEvent):
            return mapping
        mapping[KEY] = annotation_of(event, judge.classify(event))
    except HvdegradedError as error:
        mapping[KEY] = _error(str(error))
    except Exception as error:  # noqa: BLE001  # a stream of logs must go on whatever a record holds
        mapping[KEY] = _error(f"{type(error).__name__}: {error}"[:300])
    return mapping


def _error(text: str) -> dict[str, Any]:
    return Annotation(error=text).model_dump(mode="json")


def _from_text(record: str | bytes, dialect: str | None) -> tuple[dict[str, Any], EventRecord | None]:
    if not isinstance(record, (str, bytes)):
        return {"_raw": repr(record)[:1000], KEY: _error(f"{type(record).__name__} is no record")}, None
    text = record if isinstance(record, str) else record.decode(_encoding(record), "replace")
    raw: dict[str, Any] = {"_raw": text}
    if len(text) > _LONGEST:
        return raw | {KEY: _error(f"the record is longer than {_LONGEST} characters")}, None
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if start == "<":
        try:
            return raw, parse_event(record)
        except HvdegradedError as error:
            return raw | {KEY: _error(str(error))}, None
    try:
        value = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        return raw | {KEY: _error(f"the record is no JSON: {error}"[:300])}, None
    if not isinstance(value, dict):
        return raw | {KEY: _error("the record is no JSON object")}, None
    return value, record_from_mapping(value, dialect=dialect)


def _encoding(data: bytes) -> str:
    return "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"


@lru_cache(maxsize=1)
def _default() -> Classifier:
    return Classifier()
