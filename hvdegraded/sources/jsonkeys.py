"""Keys that stand twice in a JSON object: some tools write them, and readers keep one value of the two."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["REPEATED_KEYS", "repeats_keys", "value_at"]

REPEATED_KEYS = "keys stand twice in its JSON, of which one value was lost"
"""The doubt about records of such JSON."""


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
    try:
        _UNIQUE.decode(text)
    except _RepeatedKeyError:
        return True
    return False


def value_at(text: str, place: int) -> tuple[Any, int, tuple[str, ...]]:
    """The JSON value that begins at a place, where it ends, and the doubts about it.

    Raises ValueError where there is none, RecursionError where it is nested too deeply.
    """
    try:
        return *_UNIQUE.raw_decode(text, place), ()
    except _RepeatedKeyError:
        return *_PLAIN.raw_decode(text, place), (REPEATED_KEYS,)
