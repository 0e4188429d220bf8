"""Keys that stand twice in a JSON object: some tools write them, and readers keep one value of the two.

The decoder can hand out an object's pairs before they are one mapping, which takes twice the memory of a
large one. So in long texts keys are counted instead.
"""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["REPEATED_KEYS", "repeats_keys", "value_at"]

REPEATED_KEYS = "keys stand twice in its JSON, of which one value was lost"
"""The doubt about records of such JSON."""

_LONG = 1 << 20
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"\s*(:)?', re.DOTALL)


class _RepeatedKeyError(Exception):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RepeatedKeyError
    return found


_UNIQUE, _PLAIN = json.JSONDecoder(object_pairs_hook=_unique), json.JSONDecoder()


def repeats_keys(text: str) -> bool:
    """Whether an object in a JSON text has a key twice. Raises ValueError for what is no JSON."""
    return bool(value_at(text, _start(text))[2])


def value_at(text: str, place: int) -> tuple[Any, int, tuple[str, ...]]:
    """The JSON value that begins at a place, where it ends, and the doubts about it.

    Raises ValueError where there is none, RecursionError where it is nested too deeply.
    """
    if len(text) - place <= _LONG:
        try:
            return *_UNIQUE.raw_decode(text, place), ()
        except _RepeatedKeyError:
            return *_PLAIN.raw_decode(text, place), (REPEATED_KEYS,)
    value, end = _PLAIN.raw_decode(text, place)
    written = sum(match[1] is not None for match in _STRING.finditer(text, place, end))
    return value, end, (REPEATED_KEYS,) if written != _keys(value) else ()


def _keys(value: Any) -> int:
    """How many keys all objects in a value have."""
    count = 0
    rest = [value]
    while rest:
        item = rest.pop()
        if type(item) is dict:
            count += len(item)
            rest += item.values()
        elif type(item) is list:
            rest += item
    return count


def _start(text: str) -> int:
    return len(text) - len(text.lstrip())
