"""One shipped record in, the same with a verdict out: a pure function for pipelines, which never raises."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from hvdegraded.errors import HvdegradedError
from hvdegraded.events import HyperVEvent, IntegrationVersionEvent, UnrelatedEvent
from hvdegraded.formats.shippers.envelopes import parts_of
from hvdegraded.formats.shippers.mapping import dialects, record_from_mapping
from hvdegraded.formats.xml.reader import parse_event
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.records.record import EventRecord, FieldSource, Origin
from hvdegraded.tabular.json_keys import decoded
from hvdegraded.timestamps import text_from_ticks
from hvdegraded.verdicts.classifier import Classifier, default_classifier
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.verdict import Basis, Label, Reason, Verdict

__all__ = ["KEY", "Annotated", "Annotation", "Annotator", "annotate", "json_text"]

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
_MAX_REMEMBERED = 4096
_LONGEST_REMEMBERED = 2048  # characters of values
_BEHIND_ID = EventRecord._fields.index("record_id") + 1
_NO_TIMES: dict[str, Any] = {"time": None, "time_ticks": None}
_ORIGIN = Origin("json")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_encode_ascii = json.JSONEncoder(separators=(",", ":")).encode


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
    evidence: FieldSource | None = None
    summary: str | None = None
    remedy: str | None = None
    references: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    error: str | None = None
    position: int | None = None
    batch: tuple[Annotation, ...] = ()
    time: str | None = None
    time_ticks: int | None = None


class Annotated(NamedTuple):
    """What was made of a mapping: the key's content; whether any event was found; whether that was all.

    `added` is None where no Hyper-V event was found. `whole` means that nothing but Hyper-V events is in it.
    `text` is `added` as JSON, where that was at hand.
    """

    added: dict[str, Any] | None = None
    read: bool = False
    whole: bool = False
    text: str | None = None


class _Known(NamedTuple):
    """What is added to records that differ in their times and record ids alone, but for the times."""

    untimed: dict[str, Any] | None
    text: str
    read: bool


class Annotator:
    """Tells what is to be added to mappings, by a classifier; remembers records that repeat."""

    def __init__(self, classifier: Classifier | None = None, dialect: str | None = None) -> None:
        if dialect is not None and dialect not in dialects():
            raise HvdegradedError(f"no dialect {dialect!r}", hint=f"one of {', '.join(dialects())}")
        self._judge = classifier or default_classifier()
        self._dialect = dialect
        self._known: dict[tuple[object, ...], _Known] = {}

    def __call__(self, mapping: dict[str, Any], doubts: tuple[str, ...] = ()) -> Annotated:
        """What is to be added to a mapping. Never raises: what goes wrong is told under `error`.

        `doubts` are those about the JSON that it was read from: with them nothing is called ignorable.
        """
        try:
            return self._of_mapping(mapping, _ORIGIN._replace(anomalies=doubts) if doubts else _ORIGIN)
        except Exception as error:  # noqa: BLE001  # a stream of logs must go on whatever a record holds
            return Annotated(_error(error), True)

    def _of_mapping(self, mapping: dict[str, Any], origin: Origin) -> Annotated:
        parts = parts_of(mapping)
        if parts is None:
            return self.of_record(record_from_mapping(mapping, dialect=self._dialect, origin=origin))
        return _of_batch(
            [
                self.of_record(record_from_mapping(part, dialect=self._dialect, origin=origin))
                for part in parts
            ]
        )

    def of_record(self, record: EventRecord | None) -> Annotated:
        """What is to be added to the mapping of a record."""
        if record is None:
            return Annotated()
        key = (record.provider, record.event_id, record.level, record[_BEHIND_ID:])
        known = self._known.get(key)
        if known is None:
            known = self._judged(record)
            if _is_short(record):
                if len(self._known) >= _MAX_REMEMBERED:
                    self._known.clear()
                self._known[key] = known
        untimed, text, read = known
        if untimed is None:
            return Annotated(None, read)
        ticks = record.time_ticks
        if ticks is None:
            return Annotated(untimed | _NO_TIMES, read, True, text + '"time":null,"time_ticks":null}')
        time = text_from_ticks(ticks)
        return Annotated(
            untimed | {"time": time, "time_ticks": ticks},
            read,
            True,
            f'{text}"time":"{time}","time_ticks":{ticks}}}',
        )

    def _judged(self, record: EventRecord) -> _Known:
        event = self._judge.normalise(record)
        if isinstance(event, UnrelatedEvent):
            # Without a provider, or where one may have been lost, nothing is sure.
            return _Known(None, "", bool(record.provider) and not record.origin.anomalies)
        untimed = _untimed(event, self._judge.classify(event))
        return _Known(untimed, json_text(untimed)[:-1] + ",", True)


def json_text(value: Any) -> str:
    """A value as JSON that UTF-8 can hold: halves of surrogate pairs stay escapes."""
    text = _encode(value)
    return text if _is_encodable(text) else _encode_ascii(value)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_short(record: EventRecord) -> bool:
    """Whether a record is worth remembering: what repeats is short."""
    return sum(len(text) for _, text in record.data + record.rendering + record.extra) <= _LONGEST_REMEMBERED


def _untimed(event: HyperVEvent, verdict: Verdict) -> dict[str, Any]:
    """The added key's content for an event and its verdict, as plain JSON types, but for the times."""
    record = event.record
    server, client = verdict.server_version, verdict.client_version
    is_service = isinstance(event, IntegrationVersionEvent)
    service = [getattr(event, name) if is_service else None for name in _SERVICE_VERSIONS]
    return Annotation(
        label=verdict.label,
        reason=verdict.reason,
        basis=verdict.basis,
        assumed=verdict.assumed,
        component=verdict.component.value if verdict.component else None,
        server_version=str(server) if server else None,
        client_version=str(client) if client else None,
        **{name: str(one) if one else None for name, one in zip(_SERVICE_VERSIONS, service, strict=True)},
        vm_name=verdict.vm_name,
        vm_id=verdict.vm_id,
        host=verdict.host,
        provider=record.provider,
        event_id=record.event_id,
        evidence=record.field_source,
        summary=verdict.summary,
        remedy=verdict.remedy,
        references=verdict.references,
        doubts=record.origin.remarks,
    ).model_dump(mode="json", exclude=set(_NO_TIMES))


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
    `hvdegraded.error`. For many records give a `classifier`, which remembers, not `guests` and `policy`.
    `dialect` names the shipper, where it is not to be guessed.
    """
    mapping: dict[str, Any] = {}
    try:
        mapping = dict(record) if isinstance(record, Mapping) else _raw(record)
        judge = classifier or (Classifier(guests, policy) if guests or policy else None)
        annotator = Annotator(judge, dialect)
        if not isinstance(record, Mapping):
            return _of_text(record, mapping, annotator)
    except Exception as error:  # noqa: BLE001  # a stream of logs must go on whatever a record is
        return mapping | {KEY: _error(error)}
    return _with(mapping, annotator(mapping).added)


def _with(mapping: dict[str, Any], added: dict[str, Any] | None) -> dict[str, Any]:
    return mapping if added is None else {**mapping, KEY: added}


def _error(error: Exception | str) -> dict[str, Any]:
    ours = isinstance(error, (str, HvdegradedError))
    text = str(error) if ours else f"{type(error).__name__}: {error}"
    return Annotation(error=text[:_LONGEST_ERROR]).model_dump(mode="json")


def _raw(record: object) -> dict[str, Any]:
    """What keeps a record that is no mapping."""
    if isinstance(record, (bytes, bytearray, memoryview)):
        data = bytes(record)
        return {"_raw": data.decode(_encoding(data), "replace")}
    return {"_raw": record if isinstance(record, str) else repr(record)[:1000]}


def _of_text(record: str | bytes, raw: dict[str, Any], annotator: Annotator) -> dict[str, Any]:
    if isinstance(record, (bytearray, memoryview)):
        record = bytes(record)
    if not isinstance(record, (str, bytes)):
        return raw | {KEY: _error(f"{type(record).__name__} is no record")}
    text: str = raw["_raw"]
    if len(text) > _LONGEST:
        return raw | {KEY: _error(f"the record is longer than {_LONGEST} characters")}
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        try:
            return _with(raw, annotator.of_record(parse_event(record)).added)
        except HvdegradedError as error:
            return raw | {KEY: _error(error)}
    text = text.lstrip("\ufeff")
    try:
        value, doubts = decoded(text)
    except (ValueError, RecursionError) as error:
        return raw | {KEY: _error(f"the record is no JSON: {error}")}
    if not isinstance(value, dict):
        return raw | {KEY: _error("the record is no JSON object")}
    return _with(value, annotator(value, doubts).added)


def _encoding(data: bytes) -> str:
    return "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
