"""One mapping of a log shipper or tool → EventRecord; dialects as tables (`dialects.toml`).

How it works. The shipper's own structure tells which event it is: a table of `dialects.toml`, or the
structure of evtx_dump and its kin; where the mapping itself shows nothing, what its wrappers hold is looked
at (`payload` of Kafka Connect, `log` of Docker …). The event's own XML, wherever it stands, is better
evidence than the projection of a shipper, and wins. But values of an event can hold anything, the text of
another event's XML too:

1. XML among the values of an event's payload, or in its rendered message, is not evidence.
2. XML that contradicts the projection (provider, event id, record id), or other XML beside it, is an anomaly.
3. XML that cannot be read is a caveat; the projection counts.

Of the rest, what was lost on the way stays lost: names that are gone are None, which is a caveat.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hvdegraded.errors import SourceError
from hvdegraded.formats.shippers.by_names import names_a_provider, record_by_names
from hvdegraded.formats.shippers.coercion import (
    CONVERTERS,
    event_id_of,
    level_of,
    names_no_zone,
    ticks_of,
)
from hvdegraded.formats.shippers.dates import DateOrder, order_unknown, with_iso_times
from hvdegraded.formats.shippers.dialects import Dialect, PathTrie, tables
from hvdegraded.formats.shippers.evtx_dump import MAX_FIELDS, record_from_evtx_json
from hvdegraded.formats.shippers.payloads import FORMS
from hvdegraded.formats.shippers.xml_values import is_event_xml, xml_texts
from hvdegraded.records.record import Anomaly, Caveat, EventRecord, Field, Origin
from hvdegraded.tabular.json_keys import decoded

__all__ = ["detected_dialects", "dialects", "record_from_mapping"]

_OWN, _NESTED, _XML = "hvdegraded", "evtx json", "event xml"
_MAX_XML = 8
_MAX_LAYERS = 12
_MOST_REPORTED = 100
_LONGEST_JSON = 1 << 20
_LONGEST_HEAD = 4096  # characters in which a text shows that it is lines of Name=value
_OWN_LINES = (("schema", "hvdegraded.event"),)
_TARGETS = {"entry_type": "level", "instance_id": "qualifiers"}
_WHITE_SPACE = "\ufeff \t\r\n"
_BLANK: tuple[Any, ...] = (None, "", {})
_ORIGIN = Origin("json")


def dialects() -> tuple[str, ...]:
    """Names of the dialects, for `dialect`.

    The tools that write nested JSON count as "evtx json"; what carries the event's XML and nothing else to go
    by (Splunk, Cribl, OpenWEC …) as "event xml".
    """
    return (_OWN, _NESTED, _XML, *(dialect.name for dialect in tables().dialects))


def detected_dialects(mapping: Mapping[str, Any]) -> list[Dialect]:
    """Return the tables of all shippers whose marks a mapping has."""
    flat = _flat(dict(mapping))
    return [table for table in tables().dialects if _detected(flat, table)]


def record_from_mapping(
    mapping: Mapping[str, Any],
    *,
    dialect: str | None = None,
    origin: Origin | None = None,
    dates: Callable[[], DateOrder] = order_unknown,
) -> EventRecord | None:
    """The record that a mapping holds; None where it is no Windows event.

    `dialect` names one of `dialects()` in place of guessing; `dates` is asked for the order of dates if
    one can be two. Never raises on any mapping.
    """
    mapping = mapping if isinstance(mapping, dict) else dict(mapping)
    record = _record(mapping, dialect, origin or _ORIGIN)
    is_named = record is None or record.provider or record.provider_guid or record.event_source
    if dialect is None and record is not None and not is_named:
        record = _named(mapping, record, origin or _ORIGIN)
    if record is None:
        return None
    if dialect is None and record.time_ticks is None and Caveat.UNREADABLE_TIME not in record.origin.caveats:
        record = _with_named_time(record, mapping)
    if Caveat.UNREADABLE_TIME in record.origin.caveats:
        record = _with_local_time(record, mapping, dialect, origin or _ORIGIN, dates)
    return record.with_valid_unicode()


def _named(mapping: dict[str, Any], record: EventRecord, origin: Origin) -> EventRecord | None:
    """What the names of keys give where a dialect finds no provider; None if one is named in vain."""
    layers = _layers(mapping, origin)
    for layer, of_layer in layers:
        named = record_by_names(layer, of_layer)
        if named is not None:
            return named
    return None if any(names_a_provider(layer) for layer, _ in layers) else record


def _with_named_time(record: EventRecord, mapping: dict[str, Any]) -> EventRecord:
    """The record with the time that stands where its dialect has none, by the names of keys."""
    named = record_by_names(mapping, _ORIGIN)
    if named is None or (named.provider.lower(), named.event_id) != (
        record.provider.lower(),
        record.event_id,
    ):
        return record
    caveats = [one for one in named.origin.caveats if one in (Caveat.NO_ZONE, Caveat.UNREADABLE_TIME)]
    origin = record.origin._replace(caveats=(*record.origin.caveats, *caveats))
    return record._replace(time_ticks=named.time_ticks, origin=origin)


def _with_local_time(
    record: EventRecord,
    mapping: dict[str, Any],
    dialect: str | None,
    origin: Origin,
    dates: Callable[[], DateOrder],
) -> EventRecord:
    """The record with a time in the form of some culture, or with the caveat that it could be two."""
    readable, ambiguous = with_iso_times(mapping, dates)
    again = _record(readable, dialect, origin) if readable is not None else None
    record = again or record
    if not ambiguous:
        return record
    caveats = tuple(
        Caveat.AMBIGUOUS_DATE if one == Caveat.UNREADABLE_TIME else one for one in record.origin.caveats
    )
    return record._replace(origin=record.origin._replace(caveats=caveats))


def _record(mapping: dict[str, Any], dialect: str | None, origin: Origin) -> EventRecord | None:
    found = _projection(mapping, dialect, origin)
    if found is not None:
        return _with_xml(mapping, *found, origin)
    layers = _layers(mapping, origin)
    for layer, of_layer in layers[1:]:
        found = _projection(layer, dialect, of_layer)
        if found is not None:
            return _with_xml(layer, *found, of_layer)
    if dialect in (None, _XML):
        for layer, of_layer in layers:
            record = _with_xml(layer, None, None, of_layer)
            if record is not None:
                return record
    if dialect is None:
        for layer, of_layer in layers:
            record = record_by_names(layer, of_layer)
            if record is not None:
                return record
    return None


def _projection(
    mapping: dict[str, Any], dialect: str | None, origin: Origin
) -> tuple[EventRecord, Dialect | None] | None:
    """The record by the shipper's own structure, and the table that was used, if any."""
    if dialect in (None, _OWN) and "time_ticks" in mapping and "data" in mapping:
        own = _own(mapping, origin)
        if own is not None:
            return own, None
    if dialect in (None, _NESTED):
        nested = record_from_evtx_json(mapping, origin)
        if nested is not None:
            return nested, None
    log = mapping.get("log")
    if isinstance(log, str) and log.startswith("ProviderName="):
        mapping = {**_key_values(log), **mapping}
    elif "short_message" in mapping and "version" in mapping:
        mapping = _without_gelf(mapping)
    flat = _flat(mapping)
    for table in tables().dialects:
        if dialect == table.name or (dialect is None and _detected(flat, table)):
            return _projected(mapping, flat, table, origin), table
    return None


def _own(mapping: Mapping[str, Any], origin: Origin) -> EventRecord | None:
    try:
        record = EventRecord.from_dict(dict(mapping))
    except (TypeError, ValueError, AttributeError):
        return None
    return record._replace(origin=origin) if not record.origin.reader else record


def _layers(mapping: dict[str, Any], origin: Origin) -> list[tuple[dict[str, Any], Origin]]:
    """The mapping, and what its wrappers hold, as mappings or as JSON in a text, from the outside in.

    With each is its origin: it has the anomalies of the text that it was read from.
    """
    layers = [(mapping, origin)]
    for layer, of_layer in layers:
        for key in tables().wrappers:
            value = layer.get(key)
            anomalies: tuple[str, ...] = ()
            if isinstance(value, str) and value[:1] == "{" and len(value) <= _LONGEST_JSON:
                try:
                    value, anomalies = decoded(value)
                except (ValueError, RecursionError):
                    continue
            if isinstance(value, str) and "\nEventCode=" in value[:_LONGEST_HEAD]:
                value = {"_time": layer.get("time"), **_key_values(value)}
            if isinstance(value, dict) and len(layers) < _MAX_LAYERS:
                layers.append((value, of_layer.with_anomalies(*anomalies)))
    return layers


# ------------------------------------------------------------ XML in a value


def _with_xml(
    mapping: dict[str, Any], projection: EventRecord | None, table: Dialect | None, origin: Origin
) -> EventRecord | None:
    """The event of the XML in a mapping, or else its projection, with what speaks against either."""
    if table is not None and table.xml:
        flat = _flat(mapping)
        texts = [text for text in map(flat.get, table.xml) if is_event_xml(text)]
    else:
        texts = list(xml_texts(mapping))
    if not texts:
        return projection
    message = projection.message if projection is not None else None
    beside = projection or _projected(mapping, _flat(mapping), tables().hints, origin)
    best: EventRecord | None = None
    anomalies: list[str] = []
    caveats: list[str] = []
    for text in texts[:_MAX_XML]:
        if text == message:
            continue
        record = _from_xml(text, origin)
        if record is None:
            caveats.append(Caveat.UNREADABLE_XML)
        elif not _is_same(record, beside):
            anomalies.append(Anomaly.OTHER_EVENT)
        elif best is None:
            best = record
        elif record != best:
            anomalies.append(Anomaly.SEVERAL_EVENTS)
    chosen = best if best is not None else projection
    if chosen is None and anomalies:
        chosen = _from_xml(texts[0], origin)
    if chosen is None or not (anomalies or caveats):
        return chosen
    return chosen._replace(origin=chosen.origin.with_anomalies(*anomalies).with_caveats(*caveats))


def _is_same(record: EventRecord, projection: EventRecord) -> bool:
    """Whether nothing that stands beside the XML says that it is another event's."""
    names = {record.provider.lower(), (record.event_source or "").lower()}
    if projection.provider and projection.provider.lower() not in names:
        return False
    if Anomaly.NO_EVENT_ID not in projection.origin.anomalies and record.event_id != projection.event_id:
        return False
    return not (record.record_id and projection.record_id) or record.record_id == projection.record_id


def _from_xml(text: str, origin: Origin) -> EventRecord | None:
    from hvdegraded.formats.xml.reader import parse_event

    try:
        return parse_event(text.strip(_WHITE_SPACE), origin)
    except SourceError:
        return None


# ------------------------------------------------------------ flat dialects


def _key_values(text: str) -> dict[str, str]:
    """Fluent Bit's text form: `Name=value` lines, the message last and over several lines."""
    head, separator, message = text.partition("\nMessage=")
    pairs = (line.partition("=") for line in head.split("\n")[:MAX_FIELDS])
    return {name: value for name, _, value in pairs} | ({"Message": message} if separator else {})


def _without_gelf(mapping: dict[str, Any]) -> dict[str, Any]:
    """The fields that GELF puts behind underscores, and its message."""
    message = mapping.get("full_message") or mapping["short_message"]
    fields = {key[1:]: value for key, value in mapping.items() if key.startswith("_")}
    return {"Message": message, **fields}


def _flat(mapping: dict[str, Any]) -> dict[str, Any]:
    """What stands at each path that a table may name; a key may also spell its path, dots included."""
    flat = dict(mapping)
    _add_insides(mapping, "", tables().insides, flat)
    return flat


def _add_insides(mapping: dict[str, Any], start: str, insides: PathTrie, flat: dict[str, Any]) -> None:
    for key in insides.keys() & mapping.keys():
        inner = mapping[key]
        if isinstance(inner, dict):
            path = f"{start}{key}."
            for name in inner:
                flat[f"{path}{name}"] = inner[name]
            if insides[key]:
                _add_insides(inner, path, insides[key], flat)


def _detected(flat: Mapping[str, Any], table: Dialect) -> bool:
    for path in table.detect:
        if path not in flat:
            break
    else:
        return all(flat.get(path) == value for path, value in table.equals)
    return bool(table.also) and all(path in flat for path in table.also)


def _projected(
    mapping: Mapping[str, Any], flat: Mapping[str, Any], table: Dialect, origin: Origin
) -> EventRecord:
    values: dict[str, Any] = {}
    rendering: tuple[Field, ...] = ()
    anomalies: list[str] = []
    caveats: list[str] = []
    for name, paths in table.fields:
        for path in paths:
            value = flat.get(path)
            if type(value) is list and len(value) == 1 and type(value[0]) is str:  # Elasticsearch's `fields`
                value = value[0]
            if value or value not in _BLANK:
                if name == "message":
                    rendering = (("Message", str(value)),)
                elif name == "event_id":
                    values["event_id"], folded = event_id_of(value)
                    if folded is not None:
                        values["qualifiers"] = folded
                elif name == "time":
                    values["time_ticks"] = ticks = ticks_of(value)
                    if ticks is None:
                        caveats.append(Caveat.UNREADABLE_TIME)
                    elif not table.utc and names_no_zone(value):
                        caveats.append(Caveat.NO_ZONE)
                else:
                    converted = CONVERTERS[name](value)
                    if converted is not None:
                        values[_TARGETS.get(name, name)] = converted
                    elif name == "level":
                        if any(flat.get(other) for other in paths[paths.index(path) + 1 :]):
                            continue
                        caveats.append(Caveat.UNREADABLE_LEVEL)
                break
    for name in ("provider", "channel") if table.short else ():
        values[name] = table.unshortened(values.get(name, ""))
    if values.get("event_id") is None:
        anomalies.append(Anomaly.NO_EVENT_ID)
        values["event_id"] = 0
    if table.equals == _OWN_LINES:
        anomalies += _reported(flat, "anomalies")
        caveats += _reported(flat, "caveats")
    payload, data = _payload(mapping, flat, table)
    if not data:
        caveats.append(table.lost)
    return EventRecord(
        **values,
        payload=payload,
        data=tuple(data[:MAX_FIELDS]),
        rendering=rendering,
        origin=origin.with_anomalies(*anomalies).with_caveats(*caveats),
    )


def _reported(flat: Mapping[str, Any], key: str) -> list[str]:
    """Return the anomalies or caveats that a line of ours reports of its record."""
    texts = flat.get(key)
    return [str(text) for text in texts[:_MOST_REPORTED]] if isinstance(texts, list) else []


def _rest(mapping: Mapping[str, Any], table: Dialect) -> dict[str, Any]:
    """The keys that the shipper does not claim; its EventType too where that is a field of the event."""
    levels = next((paths for name, paths in table.fields if name == "level"), ())
    taken = {name for name in levels if name in mapping and level_of(mapping[name]) is None}
    return {
        name: mapping[name]
        for name in mapping
        if name not in table.own or (name in taken and name == "EventType")
    }


def _payload(mapping: Mapping[str, Any], flat: Mapping[str, Any], table: Dialect) -> tuple[str, list[Field]]:
    for form, path in table.payload:
        value = flat.get(path) if path else _rest(mapping, table)
        if value is None:  # its keys may spell the whole path: "winlog.event_data.VmName"
            start = f"{path}."
            value = {name[len(start) :]: mapping[name] for name in mapping if name.startswith(start)}
        if value:
            payload, data = FORMS[form](value)
            if data:
                return payload, data
    return "", []
