"""XML as JSON: where the common conventions put attributes, text and namespaces.

`#attributes` and siblings `X_attributes` (evtx_dump), `@Name` and `#text` (xmltodict), `$` and `_` (xml2js),
`-Name` (mxj), plain members (Datadog, Velociraptor: `{"Value": 5}`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

__all__ = ["attribute_of", "content_of", "has_content", "is_markup", "name_of", "namespace_of"]

_ATTRIBUTE_MAPPINGS = ("#attributes", "@attributes", "$", "attributes")
_ATTRIBUTE_MARKS = ("@", "-", "")
_TEXT_KEYS = ("#text", "_", "$text", "$t", "Value", "value", "text", "content")


def attribute_of(parent: Mapping[str, Any], element: str, name: str) -> Any:
    """The attribute of a child element, in any convention; None where it has none."""
    beside = parent.get(f"{element}_attributes")
    if isinstance(beside, dict) and name in beside:
        return beside[name]
    inside = parent.get(element)
    if type(inside) is not dict:
        return None
    plain = inside.get("#attributes", inside)  # the conventions of most tools
    return plain[name] if type(plain) is dict and name in plain else _attribute(inside, name)


def _attribute(element: Any, name: str) -> Any:
    if not isinstance(element, dict):
        return None
    for key in _ATTRIBUTE_MAPPINGS:
        inside = element.get(key)
        if isinstance(inside, dict) and name in inside:
            return inside[name]
    return next((element[mark + name] for mark in _ATTRIBUTE_MARKS if mark + name in element), None)


def name_of(element: Mapping[str, Any]) -> Any:
    """The `Name` attribute of an element; None where it has none."""
    return element["@Name"] if "@Name" in element else _attribute(element, "Name")


def content_of(element: Any) -> Any:
    """The text of an element that may be a mapping of its attributes and text."""
    if not isinstance(element, dict):
        return element
    if "#text" in element:
        return element["#text"]
    return next((element[key] for key in _TEXT_KEYS if key in element), None)


def has_content(element: Mapping[str, Any]) -> bool:
    """Whether a mapping is an element with a text, not a mapping of values."""
    return any(key in element for key in ("#text", "_", "$text", "$t"))


@lru_cache(maxsize=4096)
def is_markup(key: str) -> bool:
    """Whether a key holds attributes or a namespace, and not a value of the event."""
    bare = key[1:] if key[:1] in ("@", "-") else key
    return (
        key in ("#attributes", "@attributes", "$") or key.endswith("_attributes") or bare.startswith("xmlns")
    )


def namespace_of(element: Any) -> str | None:
    """The default namespace that an element declares."""
    found = _attribute(element, "xmlns")
    return found if isinstance(found, str) and found else None
