"""The types of a record's fields, by which records that were made by hand or read back are checked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, get_type_hints

from hvdegraded.errors import WrongTypeError
from hvdegraded.records.record import EventRecord, Origin

__all__ = ["check_fields"]

_PAIRS = ("data", "extra", "rendering")


def check_fields(record: EventRecord) -> None:
    """Raise WrongTypeError for a record of which a field has another type than EventRecord names."""
    for name, kind in _plain_types().items():
        value = getattr(record, name)
        if isinstance(value, bool) or not isinstance(value, kind):
            raise _wrong(name, value, f"must be {getattr(kind, '__name__', kind)}")
    for name in _PAIRS:
        pairs = getattr(record, name)
        if not isinstance(pairs, tuple) or not all(map(_is_pair, pairs)):
            raise _wrong(name, pairs, "must be a tuple of pairs, each a name (or None) and a text")
    if not isinstance(record.origin, Origin):
        raise _wrong("origin", record.origin, "must be an Origin")


@cache
def _plain_types() -> Mapping[str, Any]:
    """The types of the fields that hold a text or a number, which come first."""
    hints = get_type_hints(EventRecord)
    return {name: hints[name] for name in EventRecord._fields[: EventRecord._fields.index(_PAIRS[0])]}


def _is_pair(pair: object) -> bool:
    if not isinstance(pair, tuple) or len(pair) != 2:
        return False
    name, text = pair
    return isinstance(name, str | None) and isinstance(text, str)


def _wrong(name: str, value: object, wrong: str) -> WrongTypeError:
    return WrongTypeError(f"the record's {name} {wrong}, not {value!r:.100}")
