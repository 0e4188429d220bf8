"""One shipped record in, the same with a verdict out: a pure function for pipelines, which never raises."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from hvdegraded.classify import Classifier, default_classifier
from hvdegraded.errors import HvdegradedError
from hvdegraded.events import HyperVEvent, IntegrationVersionEvent, UnrelatedEvent
from hvdegraded.guests import GuestInventory
from hvdegraded.policy import Policy
from hvdegraded.record import EventRecord, Evidence, Origin
from hvdegraded.sources.batches import parts_of
from hvdegraded.sources.jsonkeys import REPEATED_KEYS, repeats_keys
from hvdegraded.sources.shippers import record_from_mapping
from hvdegraded.sources.xml import parse_event
from hvdegraded.times import text_from_ticks
from hvdegraded.verdict import Basis, Label, Reason, Verdict

__all__ = ["KEY", "Annotated", "Annotation", "annotate", "annotated"]

KEY = "hvdegraded"
"""The key that is added to a record."""

_SERVICE_VERSIONS = (
    "framework_negotiated",
    "framework_expected",
    "message_negotiated",
    "message_expected",
)
_LONGEST = 16 << 20
_LONGEST_ERROR = 300


class Annotation(BaseModel):
    """What is added to a record: the verdict, or the error that kept it from one.

    The JSON Schema of it ships in the package as `annotation.schema.json`; `schema_version` counts up when a
    field changes its meaning. `time` is UTC, `time_ticks` the same in 100 ns since 1601.

    A record that is a batch (OTLP, Event Hubs) gets the first actionable verdict in it, or else the first;
    `batch` has an annotation for each Hyper-V event, with its `position`.
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
    framework_negotiated: str | None = None
    framework_expected: str | None = None
    message_negotiated: str | None = None
    message_expected: str | None = None
    vm_name: str | None = None
    vm_id: str | None = None
    host: str | None = None
    provider: str | None = None
    event_id: int | None = None
    time: str | None = None
    time_ticks: int | None = None
    evidence: Evidence | None = None
    summary: str | None = None
    remedy: str | None = None
    references: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    error: str | None = None
    position: int | None = None
    batch: tuple[Annotation, ...] = ()


class Annotated(NamedTuple):
    """What was made of a mapping: the key's content; whether any event was found; whether that was all.

    `added` is None where no Hyper-V event was found. `whole` means that nothing but Hyper-V events is in it.
    """

    added: dict[str, Any] | None = None
    read: bool = False
    whole: bool = False


def _annotation_of(event: HyperVEvent, verdict: Verdict) -> dict[str, Any]:
    """The added key's content for an event and its verdict, as plain JSON types."""
    record = event.record
    server, client = verdict.server_version, verdict.client_version
    is_service = isinstance(event, IntegrationVersionEvent)
    service = [getattr(event, name) if is_service else None for name in _SERVICE_VERSIONS]
    ticks = record.time_ticks
    return {  # an Annotation, made by hand: this is done for each line of a stream
        "schema_version": 1,
        "label": verdict.label.value,
        "reason": verdict.reason.value,
        "basis": verdict.basis.value,
        "assumed": verdict.assumed,
        "component": verdict.component.value if verdict.component else None,
        "server_version": str(server) if server else None,
        "client_version": str(client) if client else None,
        **{name: str(one) if one else None for name, one in zip(_SERVICE_VERSIONS, service, strict=True)},
        "vm_name": verdict.vm_name,
        "vm_id": verdict.vm_id,
        "host": verdict.host,
        "provider": record.provider,
        "event_id": record.event_id,
        "time": text_from_ticks(ticks) if ticks is not None else None,
        "time_ticks": ticks,
        "evidence": record.evidence.value,
        "summary": verdict.summary,
        "remedy": verdict.remedy,
        "references": list(verdict.references),
        "doubts": list(record.origin.remarks),
        "error": None,
        "position": None,
        "batch": [],
    }


def annotated(
    mapping: dict[str, Any],
    classifier: Classifier | None = None,
    dialect: str | None = None,
    text: str | None = None,
) -> Annotated:
    """What is to be added to a mapping. Never raises: what goes wrong is told under `error`.

    `text` is the JSON that it was read from: where keys stand twice in it, one of two values was lost, and
    nothing in it is called ignorable.
    """
    try:
        judge = classifier or default_classifier()
        found = _annotated(mapping, judge, dialect, Origin("json"))
        if (
            text is not None
            and found.added
            and found.added["label"] == Label.IGNORABLE
            and repeats_keys(text)
        ):
            found = _annotated(mapping, judge, dialect, Origin("json", doubts=(REPEATED_KEYS,)))
        return found
    except Exception as error:  # noqa: BLE001  # a stream of logs must go on whatever a record holds
        return Annotated(_error(error), True)


def _annotated(mapping: dict[str, Any], judge: Classifier, dialect: str | None, origin: Origin) -> Annotated:
    parts = parts_of(mapping)
    if parts is None:
        return _one(record_from_mapping(mapping, dialect=dialect, origin=origin), judge)
    return _of_batch(
        [_one(record_from_mapping(part, dialect=dialect, origin=origin), judge) for part in parts]
    )


def _one(record: EventRecord | None, judge: Classifier) -> Annotated:
    if record is None:
        return Annotated()
    event = judge.normalise(record)
    if isinstance(event, UnrelatedEvent):
        return Annotated(None, bool(record.provider))  # without a provider nothing is sure
    return Annotated(_annotation_of(event, judge.classify(event)), True, True)


def _of_batch(found: list[Annotated]) -> Annotated:
    batch = [one.added | {"position": at} for at, one in enumerate(found) if one.added is not None]
    read, whole = all(one.read for one in found), all(one.whole for one in found)
    if not batch:
        return Annotated(None, read)
    first = next((one for one in batch if one["label"] != Label.IGNORABLE), batch[0])
    assumed = any(one["assumed"] for one in batch)
    return Annotated(first | {"position": None, "assumed": assumed, "batch": batch}, True, whole)


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
    try:
        judge = classifier or (Classifier(guests, policy) if guests or policy else None)
        if not isinstance(record, Mapping):
            return _of_text(record, judge, dialect)
        mapping = dict(record)
    except Exception as error:  # noqa: BLE001  # a stream of logs must go on whatever a record is
        return {KEY: _error(error)}
    return _with(mapping, annotated(mapping, judge, dialect).added)


def _with(mapping: dict[str, Any], added: dict[str, Any] | None) -> dict[str, Any]:
    return mapping if added is None else {**mapping, KEY: added}


def _error(error: Exception | str) -> dict[str, Any]:
    ours = isinstance(error, (str, HvdegradedError))
    text = str(error) if ours else f"{type(error).__name__}: {error}"
    return Annotation(error=text[:_LONGEST_ERROR]).model_dump(mode="json")


def _of_text(record: str | bytes, judge: Classifier | None, dialect: str | None) -> dict[str, Any]:
    if isinstance(record, (bytearray, memoryview)):
        record = bytes(record)
    if not isinstance(record, (str, bytes)):
        return {"_raw": repr(record)[:1000], KEY: _error(f"{type(record).__name__} is no record")}
    text = record if isinstance(record, str) else record.decode(_encoding(record), "replace")
    raw: dict[str, Any] = {"_raw": text}
    if len(text) > _LONGEST:
        return raw | {KEY: _error(f"the record is longer than {_LONGEST} characters")}
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        try:
            return _with(raw, _one(parse_event(record), judge or default_classifier()).added)
        except HvdegradedError as error:
            return raw | {KEY: _error(error)}
    text = text.lstrip("\ufeff")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return raw | {KEY: _error(f"the record is no JSON: {error}")}
    if not isinstance(value, dict):
        return raw | {KEY: _error("the record is no JSON object")}
    return _with(value, annotated(value, judge, dialect, text).added)


def _encoding(data: bytes) -> str:
    return "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
