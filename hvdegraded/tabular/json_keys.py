"""Keys that stand twice in a JSON object: some tools write them, and readers keep one value of the two.

The decoder can hand out an object's pairs before they are one mapping, which takes twice the memory of a
large one. So in long texts keys are counted instead.
"""

from __future__ import annotations

import json
import re
from typing import Any

from hvdegraded.tabular.csv_rows import distinct

__all__ = ["REPEATED_KEYS", "decoded", "value_at"]

REPEATED_KEYS = "keys stand twice in its JSON, of which one value was lost"
"""The anomaly of records of such JSON."""

_LONG = 1 << 20
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"\s*(:)?', re.DOTALL)


class _RepeatedKeyError(Exception):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RepeatedKeyError
    return found


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    return dict(zip(distinct([name for name, _ in pairs]), (value for _, value in pairs), strict=True))


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_UNIQUE, _PLAIN = json.JSONDecoder(object_pairs_hook=_unique), json.JSONDecoder()
_DISTINCT = json.JSONDecoder(object_pairs_hook=_distinct)
_STRICT_UNIQUE = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refused)
_STRICT_PLAIN = json.JSONDecoder(parse_constant=_refused)


def decoded(text: str, *, strict: bool = False) -> tuple[Any, tuple[str, ...]]:
    """Decode a whole text to its JSON value and its anomalies; `strict` refuses NaN and its like.

    Raises ValueError for what is not JSON, RecursionError where it is nested too deeply.
    """
    unique, plain = (_STRICT_UNIQUE, _STRICT_PLAIN) if strict else (_UNIQUE, _PLAIN)
    if len(text) <= _LONG:
        try:
            return unique.decode(text), ()
        except _RepeatedKeyError:
            return plain.decode(text), (REPEATED_KEYS,)
    value = plain.decode(text)
    return value, _counted(text, 0, len(text), value)


def value_at(text: str, place: int, *, keep_repeated: bool = False) -> tuple[Any, int, tuple[str, ...]]:
    """Decode the JSON value that begins at a place, to itself, its end, and its anomalies.

    `keep_repeated` keeps each value of a repeated key, the later ones under keys with spaces behind them.

    Raises ValueError if nothing can be decoded, RecursionError where it is nested too deeply.
    """
    if keep_repeated:
        return *_DISTINCT.raw_decode(text, place), ()
    if len(text) - place <= _LONG:
        try:
            return *_UNIQUE.raw_decode(text, place), ()
        except _RepeatedKeyError:
            return *_PLAIN.raw_decode(text, place), (REPEATED_KEYS,)
    value, end = _PLAIN.raw_decode(text, place)
    return value, end, _counted(text, place, end, value)


def _counted(text: str, place: int, end: int, value: Any) -> tuple[str, ...]:
    written = sum(match[1] is not None for match in _STRING.finditer(text, place, end))
    return (REPEATED_KEYS,) if written != _keys(value) else ()


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
