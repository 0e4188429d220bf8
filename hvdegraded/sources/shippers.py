"""One mapping of a log shipper or tool → EventRecord; dialects as tables (`dialects.toml`).

An event's own XML, wherever in the mapping it stands, is better evidence than the shipper's projection and
wins. Of the rest, what a route lost stays lost: names that are gone are None, and a payload that is gone
is a doubt in the record's origin.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hvdegraded.errors import SourceError
from hvdegraded.record import EventRecord, Field, Origin
from hvdegraded.sources.dialects import Dialect, tables
from hvdegraded.sources.shipped_values import CONVERTERS, guid_of, number_of, text_of, ticks_of

__all__ = ["dialects", "record_from_mapping", "records_from_mapping"]

_MAX_DEPTH = 6
_MAX_VALUES = 4096
_MAX_FIELDS = 4096
_LONGEST_JSON = 1 << 20
_XML_START = ("<Event ", "<Event>", "<Event\n", "<Event\r", "<?xml")
_MAY_BE_XML = frozenset("< \t\r\n\ufeff")
_MISSING: Any = object()
_ORIGIN = Origin("json")


def dialects() -> tuple[str, ...]:
    """Names of the dialects, for `dialect`; the tools that write nested JSON count as "evtx json"."""
    return ("hvdegraded", "evtx json", *(dialect.name for dialect in tables().dialects))


def records_from_mapping(
    mapping: Mapping[str, Any], *, dialect: str | None = None, origin: Origin | None = None
) -> Iterator[EventRecord]:
    """The records of a mapping: one, or all that an OTLP envelope holds; none where it is no event."""
    if "resourceLogs" in mapping:
        for body in _otlp_bodies(mapping):
            record = record_from_mapping(body, dialect=dialect, origin=origin)
            if record is not None:
                yield record
        return
    record = record_from_mapping(mapping, dialect=dialect, origin=origin)
    if record is not None:
        yield record


def record_from_mapping(
    mapping: Mapping[str, Any], *, dialect: str | None = None, origin: Origin | None = None
) -> EventRecord | None:
    """The record that a mapping holds; None where it is no Windows event.

    `dialect` names one of `dialects()` in place of guessing. Never raises on any mapping.
    """
    origin = origin or _ORIGIN
    if not isinstance(mapping, dict):
        mapping = dict(mapping)
    if dialect in (None, "hvdegraded") and isinstance(mapping.get("provider"), str) and "event_id" in mapping:
        own = _own(mapping, origin)
        if own is not None:
            return own
    route: list[str] = []
    if dialect is None:
        for text in _xml_texts(mapping):
            record = _from_xml(text, origin)
            if record is not None:
                return record
            route.append("its XML is cut off or damaged")
    log = mapping.get("log")
    if isinstance(log, str) and log.startswith("ProviderName="):
        mapping = {**_key_values(log), **mapping}
    body = mapping.get("body")
    if isinstance(body, dict) and "event_id" in body:
        mapping = body
    if dialect in (None, "evtx json"):
        record = _from_nested(mapping, origin)
        if record is not None or dialect is not None:
            return record
    for table in tables().dialects:
        if dialect == table.name or (dialect is None and _detected(mapping, table)):
            return _projected(mapping, table, origin, route)
    return None


def _own(mapping: Mapping[str, Any], origin: Origin) -> EventRecord | None:
    if "time_ticks" not in mapping or "data" not in mapping:
        return None
    try:
        record = EventRecord.from_dict(dict(mapping))
    except (TypeError, ValueError, AttributeError):
        return None
    if not isinstance(record.event_id, int) or not isinstance(record.provider, str):
        return None
    return record._replace(origin=origin) if not record.origin.reader else record


# ------------------------------------------------------------ XML in a value


def _xml_texts(value: dict[str, Any]) -> Iterator[str]:
    """Values anywhere in a mapping that begin like an event's XML."""
    budget = _MAX_VALUES
    level: list[Any] = [value]
    for _ in range(_MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            budget -= len(item)
            if budget < 0:
                return
            for child in item.values() if type(item) is dict else item:
                kind = type(child)
                if kind is str:
                    if child[:1] in _MAY_BE_XML and child.lstrip().startswith(_XML_START):
                        yield child
                elif kind is dict or kind is list:
                    below.append(child)
        if not below:
            return
        level = below


def _from_xml(text: str, origin: Origin) -> EventRecord | None:
    from hvdegraded.sources.xml import parse_event

    try:
        return parse_event(text.strip(), origin)
    except SourceError:
        return None


# ------------------------------------------------------------ flat dialects


def _key_values(text: str) -> dict[str, str]:
    """Fluent Bit's text form: `Name=value` lines, the message last and over several lines."""
    head, separator, message = text.partition("\nMessage=")
    pairs = (line.partition("=") for line in head.split("\n")[:_MAX_FIELDS])
    return {name: value for name, _, value in pairs} | ({"Message": message} if separator else {})


def _at(mapping: Any, path: tuple[str, ...]) -> Any:
    if len(path) == 1:
        return mapping.get(path[0], _MISSING)
    for step, key in enumerate(path):
        if not isinstance(mapping, dict):
            return _MISSING
        if key not in mapping:
            return mapping.get(".".join(path[step:]), _MISSING)
        mapping = mapping[key]
    return mapping


def _detected(mapping: Mapping[str, Any], table: Dialect) -> bool:
    return all(_at(mapping, path) is not _MISSING for path in table.detect) and all(
        _at(mapping, path) == value for path, value in table.equals
    )


def _projected(mapping: Mapping[str, Any], table: Dialect, origin: Origin, route: list[str]) -> EventRecord:
    doubts: tuple[str, ...] = ()
    values: dict[str, Any] = {}
    rendering: tuple[Field, ...] = ()
    used: set[str] = set()
    for name, paths in table.fields:
        for path in paths:
            value = _at(mapping, path)
            if value is not _MISSING and value not in (None, "", {}):
                used.add(path[0])
                if name == "message":
                    rendering = (("Message", str(value)),)
                elif name == "time":
                    values["time_ticks"] = ticks_of(value)
                else:
                    converted = CONVERTERS[name](value)
                    if converted is not None:
                        values[name] = converted
                break
    event_id = values.get("event_id")
    if event_id is None:
        doubts = ("it has no event id",)
        values["event_id"] = 0
    elif event_id > 0xFFFF:
        values.setdefault("qualifiers", event_id >> 16)
        values["event_id"] = event_id & 0xFFFF
    payload, data = _payload(mapping, table, used)
    if not data:
        route.append(table.lost)
    return EventRecord(
        **values,
        payload=payload,
        data=tuple(data[:_MAX_FIELDS]),
        rendering=rendering,
        origin=origin._replace(doubts=(*origin.doubts, *doubts), route=(*origin.route, *route)),
    )


def _payload(mapping: Mapping[str, Any], table: Dialect, used: set[str]) -> tuple[str, list[Field]]:
    for form, path in table.payload:
        value = mapping if form == "rest" else _at(mapping, path)
        if value is _MISSING or not value:
            continue
        payload, data = _FORMS[form](value)
        if form == "rest":
            known = used | {path[0] for _, paths in table.fields for path in paths} | _NXLOG_OWN
            data = [(name, text) for name, text in data if name not in known]
        if data:
            return payload, data
    return "", []


_NXLOG_OWN = frozenset(
    {
        "SourceModuleName", "SourceModuleType", "EventReceivedTime", "Severity", "SeverityValue", "Opcode",
        "Category", "EventXML", "Domain", "AccountName", "AccountType", "RecordNumber", "EventType",
    }
)  # fmt: skip


def _named(value: Any) -> tuple[str, list[Field]]:
    data: list[Field] = []
    _flatten(value, "", data, 0)
    return "EventData", data


def _listed(value: Any) -> tuple[str, list[Field]]:
    items = value if isinstance(value, list) else [value]
    return "EventData", [(None, text_of(item)) for item in items[:_MAX_FIELDS]]


def _values(value: Any) -> tuple[str, list[Field]]:
    items = value if isinstance(value, list) else []
    data: list[Field] = [
        (None, text_of(item.get("Value"))) for item in items[:_MAX_FIELDS] if isinstance(item, dict)
    ]
    return "EventData", data


def _user(value: Any) -> tuple[str, list[Field]]:
    if not isinstance(value, dict):
        return "", []
    root = value.get("xml_name") or "UserData"
    _, data = _named({key: item for key, item in value.items() if key != "xml_name"})
    return f"UserData/{root}", data


def _wrapped(value: Any) -> tuple[str, list[Field]]:
    if not isinstance(value, dict) or not isinstance(value.get("data"), dict):
        return "", []
    _, data = _named(value["data"])
    return f"UserData/{value.get('name') or 'UserData'}", data


def _otel(value: Any) -> tuple[str, list[Field]]:
    """A mapping; or `{"data": [{"Name": "value"}, …]}` with "" for what has no name, and `binary`."""
    items = value.get("data") if isinstance(value, dict) else value
    if not isinstance(items, list):
        return _named(value)
    data: list[Field] = []
    for item in items[:_MAX_FIELDS]:
        if isinstance(item, dict):
            data += [(str(name) or None, text_of(text)) for name, text in item.items()]
        else:
            data.append((None, text_of(item)))
    binary = value.get("binary") if isinstance(value, dict) else None
    if binary:
        data.append(("Binary", str(binary).upper()))
    return "EventData", data


def _inner_xml(value: Any) -> tuple[str, list[Field]]:
    text = value.strip() if isinstance(value, str) else ""
    if not text.startswith("<"):
        return "", []
    start = text.find("<EventData")
    if start > 0:
        text = text[start : text.rfind("</EventData>") + len("</EventData>")]
    elif text.startswith(("<Data>", "<Data ", "<Data/", "<Binary")):
        text = f"<EventData>{text}</EventData>"
    elif not text.startswith(("<EventData", "<UserData")):
        text = f"<UserData>{text}</UserData>"
    record = _from_xml(f"<Event><System><EventID>0</EventID></System>{text}</Event>", Origin())
    return (record.payload, list(record.data)) if record else ("", [])


def _json_payload(value: Any) -> tuple[str, list[Field]]:
    """EvtxECmd's payload: JSON in a string."""
    if isinstance(value, str) and len(value) <= _LONGEST_JSON:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return "", []
    if not isinstance(value, dict):
        return "", []
    return _nested_payload(value)


_FORMS: dict[str, Callable[[Any], tuple[str, list[Field]]]] = {
    "named": _named,
    "listed": _listed,
    "values": _values,
    "user": _user,
    "wrapped": _wrapped,
    "otel": _otel,
    "xml": _inner_xml,
    "payload": _json_payload,
    "rest": _named,
}


# ------------------------------------------------------------ nested JSON: evtx_dump, Chainsaw, Velociraptor


def _from_nested(mapping: Mapping[str, Any], origin: Origin) -> EventRecord | None:
    event = mapping.get("Event", mapping)
    system = event.get("System") if isinstance(event, dict) else None
    if not isinstance(system, dict) or "EventID" not in system:
        return None
    number = system["EventID"]
    qualifiers = _attribute(system, "EventID", "Qualifiers")
    if isinstance(number, dict):
        number = number.get("#text", number.get("Value"))
    event_id = number_of(number)
    doubts = origin.doubts if event_id is not None else (*origin.doubts, "it has no event id")
    payload, data = _nested_payload(event)
    message = mapping.get("Message")
    return EventRecord(
        provider=text_of(_attribute(system, "Provider", "Name")),
        event_id=(event_id or 0) & 0xFFFF,
        time_ticks=ticks_of(_attribute(system, "TimeCreated", "SystemTime")),
        level=number_of(system.get("Level")),
        record_id=number_of(system.get("EventRecordID")),
        channel=text_of(system.get("Channel")),
        computer=text_of(system.get("Computer")),
        provider_guid=guid_of(_attribute(system, "Provider", "Guid")),
        event_source=text_of(_attribute(system, "Provider", "EventSourceName")) or None,
        qualifiers=number_of(qualifiers),
        version=number_of(system.get("Version")),
        task=number_of(system.get("Task")),
        opcode=number_of(system.get("Opcode")),
        keywords=number_of(system.get("Keywords")),
        process_id=number_of(_attribute(system, "Execution", "ProcessID")),
        thread_id=number_of(_attribute(system, "Execution", "ThreadID")),
        activity_id=guid_of(_attribute(system, "Correlation", "ActivityID")),
        related_activity_id=guid_of(_attribute(system, "Correlation", "RelatedActivityID")),
        user_id=text_of(_attribute(system, "Security", "UserID")) or None,
        payload=payload,
        data=tuple(data[:_MAX_FIELDS]),
        rendering=(("Message", message),) if isinstance(message, str) and message else (),
        origin=origin._replace(doubts=doubts),
    )


def _attribute(system: Mapping[str, Any], element: str, name: str) -> Any:
    beside = system.get(f"{element}_attributes")
    if isinstance(beside, dict) and name in beside:
        return beside[name]
    inside = system.get(element)
    if not isinstance(inside, dict):
        return None
    attributes = inside.get("#attributes")
    return (attributes if isinstance(attributes, dict) else inside).get(name)


def _nested_payload(event: Mapping[str, Any]) -> tuple[str, list[Field]]:
    data: list[Field] = []
    values = event.get("EventData")
    if isinstance(values, dict):
        for name, value in values.items():
            if name in ("#attributes",) or name.endswith("_attributes"):
                continue
            if name == "Data":
                _add_data(value, data)
            else:
                _flatten({name: value}, "", data, 0)
        return "EventData", data
    values = event.get("UserData")
    if isinstance(values, dict):
        for root, value in values.items():
            if root.endswith("_attributes") or root == "#attributes":
                continue
            _flatten(value, "", data, 0)
            return f"UserData/{root}", data
    return "", data


def _add_data(value: Any, data: list[Field]) -> None:
    """What stands under `Data`: a text, a list of texts, or elements with names."""
    if isinstance(value, dict):
        name = value.get("@Name")
        if name is None and isinstance(value.get("#attributes"), dict):
            name = value["#attributes"].get("Name")
        text = value.get("#text")
        items = text if isinstance(text, list) else [text]
        data += [(text_of(name) or None, text_of(item)) for item in items[:_MAX_FIELDS]]
    elif isinstance(value, list):
        for item in value[:_MAX_FIELDS]:
            _add_data(item if isinstance(item, dict) else {"#text": item}, data)
    else:
        data.append((None, text_of(value)))


def _flatten(value: Any, path: str, data: list[Field], depth: int) -> None:
    if len(data) >= _MAX_FIELDS or depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "#attributes" or str(key).endswith("_attributes"):
                continue
            if key == "#text":
                _flatten(item, path, data, depth + 1)
            else:
                _flatten(item, f"{path}/{key}" if path else str(key), data, depth + 1)
    elif isinstance(value, list):
        for item in value[:_MAX_FIELDS]:
            _flatten(item, path, data, depth + 1)
    else:
        data.append((path or None, text_of(value)))


# ------------------------------------------------------------ OpenTelemetry's envelope


def _otlp_bodies(mapping: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    budget = _MAX_VALUES
    for resource in _mappings(mapping.get("resourceLogs")):
        for scope in _mappings(resource.get("scopeLogs")):
            for record in _mappings(scope.get("logRecords")):
                budget -= 1
                if budget < 0:
                    return
                body = _otlp_value(record.get("body"), 0)
                if isinstance(body, str):
                    yield {"body": body}
                elif isinstance(body, dict):
                    yield body


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield item


def _otlp_value(value: Any, depth: int) -> Any:
    if not isinstance(value, dict) or depth > 2 * _MAX_DEPTH:
        return None
    for kind, content in value.items():
        if kind == "kvlistValue" and isinstance(content, dict):
            return {
                str(item.get("key")): _otlp_value(item.get("value"), depth + 1)
                for item in _mappings(content.get("values"))
            }
        if kind == "arrayValue" and isinstance(content, dict):
            return [_otlp_value(item, depth + 1) for item in _mappings(content.get("values"))]
        if kind in ("stringValue", "intValue", "doubleValue", "boolValue", "bytesValue"):
            return content
    return None
