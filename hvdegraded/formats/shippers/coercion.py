"""Values as log shippers write them → as event records hold them, or None."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from hvdegraded.formats.shippers.dialects import tables
from hvdegraded.guids import bare_guid
from hvdegraded.records.system_fields import SYSTEM_FIELDS, SystemKind
from hvdegraded.tabular.coercion import number_of
from hvdegraded.timestamps import ticks_from_text, ticks_from_unix

__all__ = [
    "CONVERTERS",
    "SYSTEM_VALUES",
    "event_id_of",
    "guid_of",
    "names_no_zone",
    "number_of",
    "text_of",
    "ticks_of",
]

_U64 = 1 << 64
_GROUPED = re.compile(r"\d{1,3},\d{3}", re.ASCII)
_UNIX_DIGITS = (10, 13, 16, 19)  # of seconds, milli-, micro- and nanoseconds from 2001 to 2286
_ZONE = re.compile(r"(?:Z|UTC|GMT|[+-]\d\d:?\d\d|\)/)\s*$", re.ASCII)


def text_of(value: Any) -> str:
    """A value as Windows writes it in event XML."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def event_id_of(value: Any) -> tuple[int | None, int | None]:
    """An event's id, and the qualifiers that are folded into it: `id + (qualifiers << 16)`, signed or not.

    None if it is not a number of 32 bits.
    """
    if isinstance(value, str) and _GROUPED.fullmatch(value):  # 12,030
        value = value.replace(",", "")
    number = None if isinstance(value, list) else number_of(value)
    if number is None:
        return None, None
    if number >= _U64 - (1 << 31):
        number &= 0xFFFF_FFFF  # a negative one
    if number > 0xFFFF_FFFF:
        return None, None
    return number & 0xFFFF, number >> 16 or None


def guid_of(value: Any) -> str | None:
    """A GUID in upper case without braces."""
    return bare_guid(value) if isinstance(value, str) else None


def level_of(value: Any) -> int | None:
    """A level's number, also of its English name."""
    number = number_of(value)
    if number is None and isinstance(value, str):
        return tables().levels.get(value.strip().lower())
    return number if number is not None and number <= 255 else None


def ticks_of(value: Any) -> int | None:
    """A time in ticks, of text, or of seconds, milli-, micro- or nanoseconds since 1970."""
    if isinstance(value, str):
        if value.isdecimal() and value.isascii() and len(value) in _UNIX_DIGITS:
            return _ticks_since_1970(int(value))
        return ticks_from_text(value)
    if isinstance(value, (int, float)):
        return None if isinstance(value, bool) else _ticks_since_1970(value)
    if isinstance(value, dict):
        value = value.get("value", value.get("DateTime"))
    return ticks_from_text(value) if isinstance(value, str) else None


def _ticks_since_1970(value: float) -> int | None:
    """A time that counts from 1970, in the unit that makes it one from 1973 to 5138."""
    for unit in (1, 1_000, 1_000_000, 1_000_000_000):
        if 0 <= value < 1e11 * unit:
            return ticks_from_unix(value / unit) if value >= 1e8 * unit or unit == 1 else None
    return None


def names_no_zone(value: Any) -> bool:
    """Whether a time is a text that does not tell its offset from UTC."""
    return isinstance(value, str) and _ZONE.search(value[-8:]) is None and not value.isdecimal()


def string_of(value: Any) -> str | None:
    """A text that is not empty."""
    if type(value) is str:
        return value or None
    return text_of(value) or None if not isinstance(value, (dict, list)) else None


def _level_of_entry(value: Any) -> int | None:
    """The level of an entry type: 1 error, 2 warning, 4 information, 8 and 16 audit."""
    number = number_of(value)
    return level_of(value) if number is None else {1: 2, 2: 3, 4: 4, 8: 0, 16: 0, 0: 4}.get(number)


def _qualifiers_of_instance(value: Any) -> int | None:
    """The qualifiers that stand above the event id in an instance id."""
    return event_id_of(value)[1]


def _id_of(value: Any) -> int | None:
    return event_id_of(value)[0]


SYSTEM_VALUES: dict[SystemKind, Callable[[Any], Any]] = {
    SystemKind.EVENT_ID: _id_of,
    SystemKind.NUMBER: number_of,
    SystemKind.KEYWORDS: number_of,
    SystemKind.TIME: ticks_of,
    SystemKind.TEXT: string_of,
    SystemKind.GUID: guid_of,
    SystemKind.SID: string_of,
}
"""For each kind of value in `<System>`, what makes it of a value in JSON."""

CONVERTERS: dict[str, Callable[[Any], Any]] = {
    **{row.field: SYSTEM_VALUES[row.kind] for row in SYSTEM_FIELDS},
    "level": level_of,
    "entry_type": _level_of_entry,
    "instance_id": _qualifiers_of_instance,
}
"""What makes a field of a record of a value."""
