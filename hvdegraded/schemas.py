"""JSON Schemas of what this library writes, which ship in the package and are frozen at their version."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

__all__ = ["schema_of"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """Return the JSON Schema of what an adapter writes, its descriptions without the examples in Python."""
    schema: dict[str, Any] = _without_examples(adapter.json_schema(mode="serialization"))
    return schema | {"$schema": _DIALECT}


def _without_examples(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_examples(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: value.partition("\n\n>>>")[0]
        if key == "description" and isinstance(value, str)
        else _without_examples(value)
        for key, value in part.items()
    }
