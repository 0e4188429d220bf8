"""One shipped record in, the same with a verdict out: a pure function for pipelines, which never raises."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import tzinfo
from typing import Any, NamedTuple

from hvdegraded.bounded import BoundedCache
from hvdegraded.errors import HvdegradedError, WrongTypeError, WrongValueError
from hvdegraded.events import Event, UnrelatedEvent, VersionEvent
from hvdegraded.formats.shippers.envelopes import parts_of
from hvdegraded.formats.shippers.mapping import dialects, record_from_mapping
from hvdegraded.formats.text.syslog import event_of_line
from hvdegraded.pipeline.annotation import (
    KEY,
    error_annotation,
    json_text,
    most_urgent,
    times_of,
    untimed_annotation,
)
from hvdegraded.pipeline.stream_history import StreamHistory, seen_alone
from hvdegraded.records.local_times import in_zone, zone_of
from hvdegraded.records.record import EventRecord, Origin
from hvdegraded.tabular.encodings import encoding_by_mark
from hvdegraded.tabular.json_keys import decoded
from hvdegraded.timestamps import text_from_ticks
from hvdegraded.verdicts.classifier import Classifier, default_classifier
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.verdict import Verdict

__all__ = ["SYSLOG", "Annotated", "Annotator", "Reading", "annotate", "annotate_many", "classifier_of"]

SYSLOG = "syslog"
"""The dialect of lines that carry an event as agents for syslog write it, and of JSON."""


_LONGEST = 16 << 20
_LONGEST_SHOWN = 1000
_MAX_REMEMBERED = 4096
_MOST_TEXTS = 64  # verdicts on one event, which differ by the history of its VM
_LONGEST_REMEMBERED = 2048  # characters of values
_TIME = EventRecord._fields.index("time_ticks")
_ORIGIN = Origin("json")
_POSITIONAL = re.compile(r"[Pp]aram(eter)?\d+$")
_XML_START = re.compile(r"[\ufeff \t\r\n]*<\D")  # a line of syslog can begin with <13>


class Annotated(NamedTuple):
    """The result for a mapping.

    `untimed` is the key's content, but for the times of a single event; None if no Hyper-V event was found.
    `json` is the same as JSON, if at hand. `read` says that an event was found, of any provider; `whole`
    that every event found is of Hyper-V, and each of its values was understood. `reading` is that of a
    mapping of one event.
    """

    untimed: dict[str, Any] | None = None
    read: bool = False
    whole: bool = False
    json: str | None = None
    ticks: int | None = None
    reading: Reading | None = None

    @property
    def added(self) -> dict[str, Any] | None:
        """The key's content."""
        if self.untimed is None or "time_created" in self.untimed:
            return self.untimed
        return self.untimed | times_of(self.ticks)

    @property
    def text(self) -> str:
        """The key's content as JSON."""
        if self.json is None:
            return json_text(self.added)
        if self.ticks is None:
            return f'{self.json[:-1]},"time_created":null,"time_ticks":null}}'
        return f'{self.json[:-1]},"time_created":"{text_from_ticks(self.ticks)}","time_ticks":{self.ticks}}}'


class _Text(NamedTuple):
    """The annotation of an event with a verdict, but for its times."""

    verdict: Verdict
    untimed: dict[str, Any]
    text: str


class Reading(NamedTuple):
    """What a record is, but for its time: its Hyper-V event, if it is one, and as in `Annotated`."""

    record: EventRecord
    event: Event | None
    read: bool
    whole: bool
    texts: BoundedCache[int, _Text]


class Annotator:
    """Annotations of mappings, by a classifier; what repeats is remembered.

    With a `history` the records before one count; without, each is seen alone, or with those of its batch.
    """

    def __init__(
        self,
        classifier: Classifier | None = None,
        dialect: str | None = None,
        history: StreamHistory | None = None,
        timezone: tzinfo | str | None = None,
    ) -> None:
        if dialect not in (None, SYSLOG, *dialects()):
            hint = f"one of {', '.join((*dialects(), SYSLOG))}"
            raise WrongValueError(f"there is no dialect {dialect!r}", hint=hint)
        self._classifier = classifier or default_classifier()
        self._dialect = None if dialect == SYSLOG else dialect
        self._zone = zone_of(timezone)
        self._history = history
        self._readings: BoundedCache[tuple[object, ...], Reading] = BoundedCache(_MAX_REMEMBERED)

    def __call__(self, mapping: dict[str, Any], anomalies: tuple[str, ...] = ()) -> Annotated:
        """Annotate a mapping. Never raises: an error becomes the annotation's `error`.

        `anomalies` are those of the JSON text of the mapping: with them nothing is called ignorable.
        """
        try:
            return self._of_mapping(mapping, _origin(anomalies))
        except Exception as error:  # noqa: BLE001  # one record must not end a stream of them
            return Annotated(error_annotation(error), True)

    def of_line(self, line: str) -> Annotated:
        """Annotate a line that carries an event as agents for syslog write it. Never raises either."""
        try:
            values = event_of_line(line)
            return Annotated() if values is None else self._of_mapping(values, Origin("text"))
        except Exception as error:  # noqa: BLE001  # one record must not end a stream of them
            return Annotated(error_annotation(error), True)

    def of_record(self, record: EventRecord | None) -> Annotated:
        """Annotate the record that a mapping or a text contains."""
        return self.of_reading(self.read(record), record.time_ticks) if record is not None else Annotated()

    def read(self, record: EventRecord) -> Reading:
        """Read a record, or remember what one was that differs in its time and record id alone."""
        key = record._replace(time_ticks=None, record_id=None)[:]
        reading = self._readings.get(key)
        if reading is None:
            reading = self._read(record)
            if _is_short(record):
                self._readings[key] = reading
        return reading

    def of_reading(self, reading: Reading, ticks: int | None) -> Annotated:
        """Annotate a record that was read, at another time. Never raises either."""
        try:
            event = reading.event
            if event is None:
                return Annotated(None, reading.read, reading=reading)
            if self._history is not None:
                self._history.observe(event, self._classifier, ticks)
            return self._annotated(reading, event, ticks, self._history)
        except Exception as error:  # noqa: BLE001  # one record must not end a stream of them
            return Annotated(error_annotation(error), True)

    def record_of(self, mapping: dict[str, Any], anomalies: tuple[str, ...] = ()) -> EventRecord | None:
        """The record of a mapping of one event; None if it is another mapping."""
        if parts_of(mapping) is not None:
            return None
        return self._record_of(mapping, _origin(anomalies))

    def _record_of(self, mapping: Mapping[str, Any], origin: Origin) -> EventRecord | None:
        record = record_from_mapping(mapping, dialect=self._dialect, origin=origin)
        return record if record is None or self._zone is None else in_zone(record, self._zone)

    def _of_mapping(self, mapping: dict[str, Any], origin: Origin) -> Annotated:
        parts = parts_of(mapping)
        if parts is None:
            return self.of_record(self._record_of(mapping, origin))
        records = [self._record_of(part, origin) for part in parts]
        readings = [None if record is None else (self.read(record), record.time_ticks) for record in records]
        history = self._history or StreamHistory()
        for reading, ticks in filter(None, readings):
            if reading.event is not None:
                history.observe(reading.event, self._classifier, ticks)
        return _of_batch([self._of_part(one, history) for one in readings])

    def _of_part(self, read: tuple[Reading, int | None] | None, history: StreamHistory) -> Annotated:
        if read is None:
            return Annotated()
        reading, ticks = read
        if reading.event is None:
            return Annotated(None, reading.read)
        return self._annotated(reading, reading.event, ticks, history)

    def _annotated(
        self, reading: Reading, event: Event, ticks: int | None, history: StreamHistory | None
    ) -> Annotated:
        if history is not None:
            verdict = history.verdict(event, self._classifier, ticks)
        else:
            verdict = seen_alone(self._classifier.over_time(event)(ticks), event, self._classifier)
        known = reading.texts.get(id(verdict))
        if known is None or known.verdict is not verdict:
            untimed = untimed_annotation(event, verdict)
            known = reading.texts.remember(id(verdict), _Text(verdict, untimed, json_text(untimed)))
        return Annotated(known.untimed, reading.read, reading.whole, known.text, ticks, reading)

    def _read(self, record: EventRecord) -> Reading:
        event = self._classifier.normalise(record)
        if isinstance(event, UnrelatedEvent):
            # Without a provider, or with damage that may have cost it, the event may be of Hyper-V.
            return Reading(
                record, None, bool(record.provider) and not record.origin.anomalies, False, BoundedCache(1)
            )
        return Reading(record, event, True, _is_understood(event), BoundedCache(_MOST_TEXTS))


def _origin(anomalies: tuple[str, ...]) -> Origin:
    return _ORIGIN._replace(anomalies=anomalies) if anomalies else _ORIGIN


def _is_understood(event: Event) -> bool:
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
    batch = [added | {"position": at} for at, one in enumerate(found) if (added := one.added) is not None]
    read, whole = all(one.read for one in found), all(one.whole for one in found)
    if not batch:
        return Annotated(None, read)
    assumed = any(one["assumed"] for one in batch)
    return Annotated(most_urgent(batch) | {"position": None, "assumed": assumed, "batch": batch}, True, whole)


def annotate(
    record: Mapping[str, Any] | str | bytes,
    *,
    guests: object = None,
    policy: Policy | None = None,
    classifier: Classifier | None = None,
    dialect: str | None = None,
    timezone: tzinfo | str | None = None,
) -> dict[str, Any]:
    """Return the record as a new mapping with a verdict under `hvdegraded`.

    Takes a log shipper's mapping, its JSON text, or the XML or the syslog line of one event (which come back
    under `_raw`). A record that is not a Hyper-V event comes back unchanged. Never raises: an error is the
    content of `hvdegraded.error`; so is an argument that cannot be used. For many records give a
    `classifier`, which remembers, not `guests` and `policy`, or use `annotate_many`. `dialect` names the
    shipper, if not to be guessed; `timezone` is that of times without one.

    >>> import hvdegraded as hv
    >>> record = {"winlog": {"provider_name": "Microsoft-Windows-Hyper-V-VMMS", "event_id": 19100}}
    >>> hv.annotate(record)["hvdegraded"]["severity"]
    'act'
    """
    try:
        annotator = Annotator(classifier_of(guests, policy, classifier), dialect, timezone=timezone)
    except Exception as error:  # noqa: BLE001  # one record must not end a pipeline
        return (dict(record) if isinstance(record, Mapping) else _raw(record)) | {
            KEY: error_annotation(error)
        }
    return _annotated(record, annotator)


def annotate_many(
    records: Iterable[Mapping[str, Any] | str | bytes],
    *,
    guests: object = None,
    policy: Policy | None = None,
    classifier: Classifier | None = None,
    dialect: str | None = None,
    timezone: tzinfo | str | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield what `annotate` returns for each record, in their order, one by one as they come.

    Earlier records count as history: a failure, or an old version, decides about what comes after it. Raises
    InventoryError, KnowledgeError or WrongValueError for arguments that cannot be used, at the call.

    >>> import hvdegraded as hv
    >>> from pathlib import Path
    >>> lines = Path("sample_logs/exports/winlogbeat.jsonl").read_text().splitlines()[:3]
    >>> ["hvdegraded" in record for record in hv.annotate_many(lines)]
    [True, True, True]
    """
    if isinstance(records, (Mapping, str, bytes)) or not isinstance(records, Iterable):
        raise WrongTypeError("records must be several, not one", hint="annotate takes one record")
    judge = classifier_of(guests, policy, classifier)
    annotator = Annotator(judge, dialect, StreamHistory(), timezone)
    return (_annotated(record, annotator) for record in records)


def classifier_of(guests: object, policy: Policy | None, classifier: Classifier | None) -> Classifier:
    """Return the classifier, or one of an inventory and a policy. Raises WrongTypeError if both are given."""
    if classifier is None:
        return default_classifier() if guests is None and policy is None else Classifier(guests, policy)
    if guests is not None or policy is not None:
        raise WrongTypeError("classifier is given, and guests or policy too", hint="a classifier has both")
    return classifier


def _annotated(record: object, annotator: Annotator) -> dict[str, Any]:
    """Annotate a mapping or a text. Never raises."""
    mapping: dict[str, Any] = {}
    try:
        mapping = dict(record) if isinstance(record, Mapping) else _raw(record)
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
        if _XML_START.match(text) is not None:
            from hvdegraded.formats.xml.reader import parse_event

            return _with(raw, annotator.of_record(parse_event(record)).added)
        value, anomalies = decoded(text.lstrip("\ufeff"))
    except HvdegradedError as error:
        return raw | {KEY: error_annotation(error)}
    except (ValueError, RecursionError) as error:
        found = annotator.of_line(text.strip())
        if found.untimed is not None:
            return _with(raw, found.added)
        return raw | {KEY: error_annotation(f"the record is not JSON: {error}")}
    if not isinstance(value, dict):
        return raw | {KEY: error_annotation("the record is not a JSON object")}
    return _with(value, annotator(value, anomalies).added)


def _encoding(data: bytes) -> str:
    marked = encoding_by_mark(data)
    return "utf-16" if marked is not None and marked.is_utf16 else "utf-8"
