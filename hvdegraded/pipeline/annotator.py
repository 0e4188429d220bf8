"""One shipped record in, the same with a verdict out: a pure function for pipelines, which never raises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from hvdegraded.bounded import BoundedCache
from hvdegraded.errors import HvdegradedError
from hvdegraded.events import HyperVEvent, UnrelatedEvent, VersionEvent
from hvdegraded.formats.shippers.envelopes import parts_of
from hvdegraded.formats.shippers.mapping import dialects, record_from_mapping
from hvdegraded.formats.xml.reader import parse_event
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.pipeline.annotation import KEY, error_annotation, json_text, times_of, untimed_annotation
from hvdegraded.records.record import EventRecord, Origin
from hvdegraded.tabular.encodings import encoding_by_mark
from hvdegraded.tabular.json_keys import decoded
from hvdegraded.verdicts.classifier import Classifier, default_classifier
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.verdict import Label

__all__ = ["Annotated", "Annotator", "annotate"]

_LONGEST = 16 << 20
_LONGEST_SHOWN = 1000
_MAX_REMEMBERED = 4096
_LONGEST_REMEMBERED = 2048  # characters of values
_ORIGIN = Origin("json")
_POSITIONAL = re.compile(r"[Pp]aram(eter)?\d+$")
_WHITE_SPACE = "\ufeff \t\r\n"


class Annotated(NamedTuple):
    """The result for a mapping.

    `added` is the key's content, None if no Hyper-V event was found, `text` the same as JSON, if at hand.
    `read` says that an event was found, of whatever provider; `whole` that every event found is of Hyper-V,
    and each of its values was understood.
    """

    added: dict[str, Any] | None = None
    read: bool = False
    whole: bool = False
    text: str | None = None


class _Remembered(NamedTuple):
    """The annotation, without its times, of records that differ in time and record id alone."""

    untimed: dict[str, Any] | None
    text: str
    read: bool
    whole: bool = False


class Annotator:
    """Annotations of mappings, by a classifier; those of records that repeat are remembered."""

    def __init__(self, classifier: Classifier | None = None, dialect: str | None = None) -> None:
        if dialect is not None and dialect not in dialects():
            raise HvdegradedError(f"no dialect {dialect!r}", hint=f"one of {', '.join(dialects())}")
        self._classifier = classifier or default_classifier()
        self._dialect = dialect
        self._remembered: BoundedCache[tuple[object, ...], _Remembered] = BoundedCache(_MAX_REMEMBERED)

    def __call__(self, mapping: dict[str, Any], anomalies: tuple[str, ...] = ()) -> Annotated:
        """Annotate a mapping. Never raises: an error becomes the annotation's `error`.

        `anomalies` are those of the JSON text of the mapping: with them nothing is called ignorable.
        """
        try:
            return self._of_mapping(mapping, _ORIGIN._replace(anomalies=anomalies) if anomalies else _ORIGIN)
        except Exception as error:  # noqa: BLE001  # one record must not end a stream of them
            return Annotated(error_annotation(error), True)

    def of_record(self, record: EventRecord | None) -> Annotated:
        """Annotate the record that a mapping or a text contains."""
        if record is None:
            return Annotated()
        remembered = self._recall(record)
        if remembered.untimed is None:
            return Annotated(None, remembered.read)
        times = times_of(record.time_ticks)
        text = f"{remembered.text[:-1]},{json_text(times)[1:]}"
        return Annotated(remembered.untimed | times, remembered.read, remembered.whole, text)

    def _of_mapping(self, mapping: dict[str, Any], origin: Origin) -> Annotated:
        parts = parts_of(mapping)
        if parts is None:
            return self._of_part(mapping, origin)
        return _of_batch([self._of_part(part, origin) for part in parts])

    def _of_part(self, mapping: Mapping[str, Any], origin: Origin) -> Annotated:
        return self.of_record(record_from_mapping(mapping, dialect=self._dialect, origin=origin))

    def _recall(self, record: EventRecord) -> _Remembered:
        key = record._replace(time_ticks=None, record_id=None)[:]
        remembered = self._remembered.get(key)
        if remembered is None:
            remembered = self._judge(record)
            if _is_short(record):
                self._remembered[key] = remembered
        return remembered

    def _judge(self, record: EventRecord) -> _Remembered:
        event = self._classifier.normalise(record)
        if isinstance(event, UnrelatedEvent):
            # Without a provider, or with damage that may have cost it, the event may be of Hyper-V.
            return _Remembered(None, "", bool(record.provider) and not record.origin.anomalies)
        untimed = untimed_annotation(event, self._classifier.classify(event))
        return _Remembered(untimed, json_text(untimed), True, _is_understood(event))


def _is_understood(event: HyperVEvent) -> bool:
    """Whether all values of an event have their place, and its text is about its VM."""
    record = event.record
    message = record.message
    if not isinstance(event, VersionEvent) or event.unplaced:
        return False
    if message and event.vm_name and event.vm_name.lower() not in message.lower():
        return False
    named = [not _POSITIONAL.match(name or "Param0") for name, _ in record.data if name != "Binary"]
    return all(named) or not any(named)


def _is_short(record: EventRecord) -> bool:
    """Whether a record is worth remembering: what repeats is short."""
    return sum(len(text) for _, text in record.data + record.rendering + record.extra) <= _LONGEST_REMEMBERED


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
    """Return the record as a new mapping with a verdict under `hvdegraded`.

    Takes a log shipper's mapping, its JSON text, or the XML of one event (which comes back under `_raw`). A
    record that is not a Hyper-V event comes back unchanged. Never raises: an error is the content of
    `hvdegraded.error`. For many records give a `classifier`, which remembers, not `guests` and `policy`.
    `dialect` names the shipper, if it is not to be guessed.
    """
    mapping: dict[str, Any] = {}
    try:
        mapping = dict(record) if isinstance(record, Mapping) else _raw(record)
        judge = classifier or (Classifier(guests, policy) if guests or policy else None)
        annotator = Annotator(judge, dialect)
        if not isinstance(record, Mapping):
            return _of_text(record, mapping, annotator)
    except Exception as error:  # noqa: BLE001  # one record must not end a pipeline
        return mapping | {KEY: error_annotation(error)}
    return _with(mapping, annotator(mapping).added)


def _with(mapping: dict[str, Any], added: dict[str, Any] | None) -> dict[str, Any]:
    return mapping if added is None else {**mapping, KEY: added}


def _raw(record: object) -> dict[str, Any]:
    """Build the mapping that stands for a record that is not a mapping."""
    if isinstance(record, (bytes, bytearray, memoryview)):
        data = bytes(record)
        return {"_raw": data.decode(_encoding(data), "replace")}
    return {"_raw": record if isinstance(record, str) else repr(record)[:_LONGEST_SHOWN]}


def _of_text(record: object, raw: dict[str, Any], annotator: Annotator) -> dict[str, Any]:
    if isinstance(record, (bytearray, memoryview)):
        record = bytes(record)
    if not isinstance(record, (str, bytes)):
        return raw | {
            KEY: error_annotation(f"the record must be a mapping or text, not {type(record).__name__}")
        }
    text: str = raw["_raw"]
    if len(text) > _LONGEST:
        return raw | {KEY: error_annotation(f"the record is longer than {_LONGEST} characters")}
    try:
        if text.lstrip(_WHITE_SPACE).startswith("<"):
            return _with(raw, annotator.of_record(parse_event(record)).added)
        value, anomalies = decoded(text.lstrip("\ufeff"))
    except HvdegradedError as error:
        return raw | {KEY: error_annotation(error)}
    except (ValueError, RecursionError) as error:
        return raw | {KEY: error_annotation(f"the record is not JSON: {error}")}
    if not isinstance(value, dict):
        return raw | {KEY: error_annotation("the record is not a JSON object")}
    return _with(value, annotator(value, anomalies).added)


def _encoding(data: bytes) -> str:
    marked = encoding_by_mark(data)
    return "utf-16" if marked is not None and marked.is_utf16 else "utf-8"
