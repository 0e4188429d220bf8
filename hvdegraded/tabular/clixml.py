"""CLIXML, as PowerShell's Export-Clixml writes it: objects to mappings."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["is_clixml", "objects_of_clixml"]

_MAX_DEPTH = 8
_MAX_OBJECTS = 1_000_000
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_NUMBERS = frozenset({"I16", "I32", "I64", "U16", "U32", "U64", "By", "SB"})
_LISTS = frozenset({"LST", "IE", "QUE", "STK"})


def is_clixml(text: str) -> bool:
    """Whether a text begins like CLIXML."""
    return text[:2048].lstrip("\ufeff \t\r\n").startswith(("<Objs", "#< CLIXML"))


def objects_of_clixml(text: str) -> list[dict[str, Any]]:
    """Parse the objects of a document. Raises ValueError where it is not XML."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    body = text[text.index("<Objs") :]
    if "<!DOCTYPE" in body:
        raise ValueError("CLIXML holds no document type")
    try:
        root = etree.fromstring(body.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"it is not XML: {error}"[:200]) from error
    found = [_value(element, 0) for element in root.iterchildren("{*}Obj")]
    rows = [row for value in found for row in (value if isinstance(value, list) else [value])]
    return [row for row in rows[:_MAX_OBJECTS] if isinstance(row, dict)]


def _value(element: Any, depth: int) -> Any:
    """The value of an element: text, number, truth, list, or a mapping of properties."""
    tag = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
    text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), element.text or "")
    if tag == "Nil" or depth > _MAX_DEPTH:
        return None
    if tag == "B":
        return text.strip().lower() == "true"
    if tag in _NUMBERS:
        return int(text) if len(text) < 24 and text.lstrip("-").isdecimal() else text
    if tag != "Obj":
        return text
    properties: dict[str, Any] = {}
    shown = None
    for child in element.iterchildren():
        kind = child.tag.rpartition("}")[2] if isinstance(child.tag, str) else ""
        if kind in _LISTS:
            return [_value(item, depth + 1) for item in child.iterchildren()]
        if kind in ("Props", "MS"):
            for item in child.iterchildren():
                if name := item.get("N"):
                    properties[name] = _value(item, depth + 1)
        elif kind == "ToString":
            shown = child.text
    return properties or shown
