"""Payloads as log shippers write them → values of records; a function for each form in `dialects.toml`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hvdegraded.errors import SourceError
from hvdegraded.formats.shippers.coercion import text_of
from hvdegraded.formats.shippers.evtx_dump import MAX_FIELDS, flatten, payload_of
from hvdegraded.records.record import Field
from hvdegraded.tabular.json_keys import value_at

__all__ = ["FORMS", "values_of_any"]

_IS_NO_LIST = re.compile(r"\{.*\}|System\.[\w.]+(?:\[\]|`\d.*)", re.DOTALL)
"""How lists are printed: by Format-List, cut and with commas that may be of values; by Export-Csv."""

_LONGEST_JSON = 1 << 20


def _named(value: Any) -> tuple[str, list[Field]]:
    data: list[Field] = []
    flatten(value, "", data)
    return "EventData", data


def _prefixed(value: Any) -> tuple[str, list[Field]]:
    root = str(next(iter(value))).partition("_")[0]
    _, data = _named(
        {str(key).removeprefix(f"{root}_"): item for key, item in value.items() if "_xmlns" not in str(key)}
    )
    return root if root == "EventData" else f"UserData/{root}", data


def _listed(value: Any) -> tuple[str, list[Field]]:
    items = value if isinstance(value, list) else [value]
    if isinstance(value, str) and _IS_NO_LIST.fullmatch(value):
        return "", []
    return "EventData", [(None, text_of(item)) for item in items[:MAX_FIELDS]]


def _values(value: Any) -> tuple[str, list[Field]]:
    """A list of `{"Value": …}`; .NET writes a SID as a mapping, and binary data as a list of bytes."""
    data: list[Field] = []
    for item in value[:MAX_FIELDS] if isinstance(value, list) else ():
        if not isinstance(item, dict):
            continue
        held = item.get("Value")
        if isinstance(held, dict) and isinstance(held.get("Value"), str):
            held = held["Value"]
        if isinstance(held, list) and held and all(type(one) is int and 0 <= one < 256 for one in held):
            data.append(("Binary", bytes(held).hex().upper()))
        else:
            data.append((None, text_of(held)))
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


def _roots(value: Any) -> tuple[str, list[Field]]:
    return payload_of({"UserData": value}) if isinstance(value, dict) else ("", [])


def _pairs(value: Any) -> tuple[str, list[Field]]:
    pairs = (
        [one for one in value if isinstance(one, list) and len(one) == 2] if isinstance(value, list) else []
    )
    return "EventData", [(text_of(name) or None, text_of(text)) for name, text in pairs[:MAX_FIELDS]]


def _json(value: Any) -> tuple[str, list[Field]]:
    decoded = _decoded(value)
    return _named(decoded) if isinstance(decoded, dict) else ("", [])


def _decoded(value: Any) -> Any:
    """The value of JSON in a string, with every value of a repeated key; None where it is not JSON."""
    if not isinstance(value, str) or len(value) > _LONGEST_JSON:
        return None
    try:
        found, end, _ = value_at(text := value.strip(), 0, keep_repeated=True)
    except (ValueError, RecursionError):
        return None
    return found if end == len(text) else None


def _otel(value: Any) -> tuple[str, list[Field]]:
    """A mapping; or `{"data": [{"Name": "value"}, …]}` with "" for what has no name, and `binary`."""
    items = value.get("data") if isinstance(value, dict) else value
    if not isinstance(items, list):
        return _named(value)
    data: list[Field] = []
    for item in items[:MAX_FIELDS]:
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
    for name in ("EventData", "UserData"):  # Azure Monitor puts them into a <DataItem>
        start = text.find(f"<{name}")
        if start > 0:
            text = text[start : text.rfind(f"</{name}>") + len(f"</{name}>")]
            break
    if text.startswith(("<Data>", "<Data ", "<Data/", "<Binary")):
        text = f"<EventData>{text}</EventData>"
    elif not text.startswith(("<EventData", "<UserData")):
        text = f"<UserData>{text}</UserData>"
    from hvdegraded.formats.xml.reader import parse_event

    try:
        record = parse_event(f"<Event><System><EventID>0</EventID></System>{text}</Event>")
    except SourceError:
        return "", []
    return record.payload, list(record.data)


def _parameters(value: Any) -> tuple[str, list[Field]]:
    """Azure Monitor's `<Param>value</Param>…`: values without names."""
    if not isinstance(value, str) or not value.lstrip().startswith("<Param>"):
        return "", []
    _, data = _inner_xml(f"<EventData>{value}</EventData>")
    return "EventData", [(None, text) for name, text in data if name == "Param"]


def _json_payload(value: Any) -> tuple[str, list[Field]]:
    """EvtxECmd's payload: JSON in a string."""
    if isinstance(value, str):
        value = _decoded(value)
    if not isinstance(value, dict):
        return "", []
    return payload_of(value)


def values_of_any(value: Any) -> tuple[str, list[Field]]:
    """The values of a payload whose form is not known: a mapping, a list, XML or JSON in a string."""
    if isinstance(value, dict):
        inner = value.get("Data", value.get("data"))
        return (
            payload_of({"EventData": {"Data": inner}})
            if inner is not None and len(value) == 1
            else _named(value)
        )
    if isinstance(value, list):
        if all(isinstance(item, dict) and "Value" in item and len(item) == 1 for item in value):
            return _values(value)
        return payload_of({"EventData": {"Data": value}})
    if isinstance(value, str) and value.lstrip().startswith("<"):
        return _inner_xml(value)
    return _json(value)


FORMS: dict[str, Callable[[Any], tuple[str, list[Field]]]] = {
    "named": _named,
    "listed": _listed,
    "values": _values,
    "user": _user,
    "wrapped": _wrapped,
    "otel": _otel,
    "xml": _inner_xml,
    "parameters": _parameters,
    "payload": _json_payload,
    "roots": _roots,
    "pairs": _pairs,
    "json": _json,
    "rest": _named,
    "prefixed": _prefixed,
}
"""Each takes what stands at the payload's path, of any type, and gives the element and its values."""
