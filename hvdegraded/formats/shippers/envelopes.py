"""Records that hold several records: OpenTelemetry's envelope (OTLP), and lists under one key.

A batch stays one record for whoever carries it; here it is taken apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["parts_of", "values_around"]

_MAX_DEPTH, _DEEPEST = 12, 24  # of a value, and of all around it
_LEVELS = frozenset(("resource", "scopeLogs", "logRecords", "attributes", "values"))
_VALUES = frozenset(("stringValue", "intValue", "doubleValue", "boolValue", "arrayValue"))
_LISTS = ("records", "logEvents")  # Azure's Event Hubs, subscriptions of CloudWatch


def parts_of(mapping: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """The records in a batch, in order; None where the mapping is none. Never raises.

    A part that is no mapping stands as the `body` of one: so parts count as they came.
    """
    if isinstance(mapping.get("resourceLogs"), list):
        return list(_otlp_bodies(mapping))
    for key in _LISTS:
        items = mapping.get(key)
        if isinstance(items, list) and items and isinstance(items[0], dict):
            return [_part(item) for item in items]
    return None


def values_around(resource_logs: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Give what stands around the bodies in OTLP, with paths as of a record that comes alone.

    What is nested too deep stands for itself as its path alone.
    """
    if depth > _DEEPEST:
        yield f"{path}.", True
    elif isinstance(resource_logs, list):
        for item in resource_logs:
            yield from values_around(item, path, depth + 1)
    elif not isinstance(resource_logs, dict):
        yield path, resource_logs
    elif "key" in resource_logs:
        yield from values_around(resource_logs.get("value"), f"resource.{resource_logs['key']}", depth + 1)
    else:
        for key, item in resource_logs.items():
            if key != "body":
                is_level = key in _LEVELS or key in _VALUES
                inner = path if is_level else f"{path}.{key}".lstrip(".")
                yield from values_around(item, inner, depth + 1)


def _otlp_bodies(mapping: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in _mappings(mapping.get("resourceLogs")):
        for scope in _mappings(resource.get("scopeLogs")):
            for record in _mappings(scope.get("logRecords")):
                yield _part(_otlp_value(record.get("body"), 0))


def _part(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {"body": value}


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield item


def _otlp_value(value: Any, depth: int) -> Any:
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
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
