"""The types of a record's fields, by which records that were made by hand or read back are checked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from numbers import Integral
from typing import Any, get_origin, get_type_hints

from hvdegraded.errors import WrongTypeError

__all__ = ["check_fields"]


def check_fields(record: tuple[Any, ...]) -> None:
    """Raise WrongTypeError for a named tuple of which a field has another type than its class names.

    A tuple among the fields holds pairs, each a name (or None) and a text.
    """
    for value, (name, kind) in zip(record, _types(type(record)).items(), strict=True):
        if get_origin(kind) is tuple:
            if not isinstance(value, tuple) or not all(map(_is_pair, value)):
                raise _wrong(name, value, "a tuple of pairs, each a name (or None) and a text")
        elif isinstance(value, bool) or not isinstance(_plain(value), kind):
            raise _wrong(name, value, getattr(kind, "__name__", str(kind)))


def _plain(value: object) -> object:
    """A value with the integers of numpy, which cells of data frames are, as Python's."""
    return int(value) if isinstance(value, Integral) else value


@cache
def _types(of: type) -> Mapping[str, Any]:
    return get_type_hints(of)


def _is_pair(pair: object) -> bool:
    if not isinstance(pair, tuple) or len(pair) != 2:
        return False
    name, text = pair
    return isinstance(name, str | None) and isinstance(text, str)


def _wrong(name: str, value: object, expected: str) -> WrongTypeError:
    return WrongTypeError(f"the record's {name} must be {expected}, not {value!r:.100}")
