"""The JSON of tools that keep an event's own structure: evtx_dump, pyevtx, Chainsaw, Velociraptor, EvtxECmd.

They differ in where attributes stand, which is the matter of `xml_as_json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hvdegraded.formats.shippers.coercion import (
    SYSTEM_VALUES,
    event_id_of,
    number_of,
    text_of,
)
from hvdegraded.formats.shippers.xml_as_json import (
    attribute_of,
    content_of,
    has_content,
    is_markup,
    name_of,
    namespace_of,
)
from hvdegraded.records.record import Anomaly, EventRecord, Field, Origin
from hvdegraded.records.system_fields import SYSTEM_FIELDS, SystemKind

__all__ = ["MAX_FIELDS", "flatten", "payload_of", "record_from_evtx_json"]

MAX_FIELDS = 4096
"""Values of one event that are kept; Windows allows 1,024 in a template."""

_MAX_DEPTH = 6
_READ = [
    (row.element, row.attribute, row.field, SYSTEM_VALUES[row.kind])
    for row in SYSTEM_FIELDS
    if row.kind is not SystemKind.EVENT_ID
]


def record_from_evtx_json(mapping: Mapping[str, Any], origin: Origin) -> EventRecord | None:
    """The record of a mapping with `System` in it, or in its `Event`; None for any other."""
    event = mapping.get("Event", mapping)
    system = event.get("System") if isinstance(event, dict) else None
    if not isinstance(system, dict) or "EventID" not in system:
        return None
    values: dict[str, Any] = {}
    for element, attribute, field, value_of in _READ:
        if attribute is not None:
            value = attribute_of(system, element, attribute)
        else:
            value = content_of(system.get(element))
        if value is not None and (value := value_of(value)) is not None:
            values[field] = value
    event_id, folded = event_id_of(content_of(system["EventID"]))
    values["event_id"] = event_id or 0
    if event_id is None:
        origin = origin.with_anomalies(Anomaly.NO_EVENT_ID)
    if "qualifiers" not in values:
        beside = number_of(system.get("EventIDQualifier"))  # Datadog's newer agents
        values["qualifiers"] = folded if beside is None else beside
    payload, data = payload_of(event)
    message = mapping.get("Message") or mapping.get("message")
    return EventRecord(
        **values,
        payload=payload,
        payload_namespace=_payload_namespace(event, payload),
        data=tuple(data[:MAX_FIELDS]),
        rendering=(("Message", message),) if isinstance(message, str) and message else (),
        origin=origin,
    )


def payload_of(event: Mapping[str, Any]) -> tuple[str, list[Field]]:
    """The payload's element and its values, of `EventData` or else `UserData`; "" and [] where none is."""
    data: list[Field] = []
    values = event.get("EventData")
    if isinstance(values, dict) and values:
        for name, value in values.items():
            if is_markup(name) or (name == "Binary" and value is None):
                continue
            if name == "Data":
                _add_data(value, data)
            else:
                flatten({name: value}, "", data)
        return "EventData", data
    values = event.get("UserData")
    if isinstance(values, dict):
        for root, value in values.items():
            if not is_markup(root):
                flatten(value, "", data)
                return f"UserData/{root}", data
    return "", data


def _payload_namespace(event: Mapping[str, Any], payload: str) -> str | None:
    root = payload.removeprefix("UserData/")
    return namespace_of(event["UserData"].get(root)) if root != payload else None


def _add_data(value: Any, data: list[Field]) -> None:
    """Append what stands under `Data`: a text, a list of texts, elements with names, or names with values."""
    if isinstance(value, dict):
        name = name_of(value)
        if name is None and value and not has_content(value):
            flatten(value, "", data)
            return
        text = content_of(value)
        items = text if isinstance(text, list) else [text]
        data += [(text_of(name) or None, text_of(item)) for item in items[:MAX_FIELDS]]
    elif isinstance(value, list):
        for item in value[:MAX_FIELDS]:
            _add_data(item if isinstance(item, dict) else {"#text": item}, data)
    else:
        data.append((None, text_of(value)))


def flatten(value: Any, path: str, data: list[Field], depth: int = 0) -> None:
    """Append the values of nested mappings and lists, each under its path, within the limits."""
    if len(data) >= MAX_FIELDS or depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if is_markup(str(key)):
                continue
            below = path if key in ("#text", "_") else f"{path}/{key}" if path else str(key)
            if type(item) is str and below and len(data) < MAX_FIELDS and depth < _MAX_DEPTH:
                data.append((below, item))
            else:
                flatten(item, below, data, depth + 1)
    elif isinstance(value, list):
        for item in value[:MAX_FIELDS]:
            flatten(item, path, data, depth + 1)
    else:
        data.append((path or None, text_of(value)))
