"""The event's own XML among the values of a mapping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard

from hvdegraded.formats.shippers.dialects import tables

__all__ = ["is_event_xml", "xml_texts"]

_MAX_DEPTH = 6
_MAX_VALUES = 4096
_XML_START = ("<Event ", "<Event>", "<Event\n", "<Event\r", "<Event\t", "<?xml")
_MAY_BE_XML = frozenset("<\ufeff \t\r\n")


def is_event_xml(value: Any) -> TypeGuard[str]:
    """Whether a value begins like the XML of an event."""
    return (
        isinstance(value, str)
        and value[:1] in _MAY_BE_XML
        and value.lstrip("\ufeff \t\r\n").startswith(_XML_START)
    )


def xml_texts(value: dict[str, Any]) -> Iterator[str]:
    """Values anywhere in a mapping that begin like an event's XML, but for those of payloads."""
    payloads = tables().payloads
    budget = _MAX_VALUES
    level: list[Any] = [value]
    for _ in range(_MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            budget -= len(item)
            if budget < 0:
                return
            is_list = type(item) is list
            for key in item:
                child = key if is_list else item[key]
                kind = type(child)
                if kind is str:
                    if child[:1] in _MAY_BE_XML and (is_list or key not in payloads) and is_event_xml(child):
                        yield child
                elif (kind is dict or kind is list) and (is_list or key not in payloads):
                    below.append(child)
        if not below:
            return
        level = below
