"""Values as log shippers write them → as event records hold them; whatever is none gives None."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hvdegraded.sources.dialects import tables
from hvdegraded.times import ticks_from_text, ticks_from_unix

__all__ = ["CONVERTERS", "guid_of", "number_of", "text_of", "ticks_of"]

_U64 = 1 << 64


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


def number_of(value: Any) -> int | None:
    """A whole number, from 64 bits signed or not, decimal or hexadecimal text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        try:
            value = int(text, 16 if text[:2].lower() == "0x" else 10) if len(text) <= 24 else None
        except ValueError:
            return None
    if isinstance(value, float):
        value = int(value) if value.is_integer() and abs(value) < _U64 else None
    if not isinstance(value, int) or not -(_U64 >> 1) <= value < _U64:
        return None
    return value + _U64 if value < 0 else value


def guid_of(value: Any) -> str | None:
    """A GUID in upper case without braces."""
    return value.strip("{} ").upper() or None if isinstance(value, str) else None


def level_of(value: Any) -> int | None:
    """A level's number, also of its English name."""
    if isinstance(value, str) and not value.strip().isdecimal():
        return tables().levels.get(value.strip().lower())
    number = number_of(value)
    return number if number is not None and number <= 255 else None


def ticks_of(value: Any) -> int | None:
    """A time in ticks, of text or of seconds since 1970."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return ticks_from_unix(value) if 0 <= value < 1e11 else None
    if isinstance(value, dict):
        value = value.get("value", value.get("DateTime"))
    return ticks_from_text(value) if isinstance(value, str) else None


def string_of(value: Any) -> str | None:
    """A text that is not empty."""
    return text_of(value) or None if not isinstance(value, (dict, list)) else None


CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "provider": string_of,
    "event_id": number_of,
    "level": level_of,
    "record_id": number_of,
    "channel": string_of,
    "computer": string_of,
    "provider_guid": guid_of,
    "event_source": string_of,
    "qualifiers": number_of,
    "version": number_of,
    "task": number_of,
    "opcode": number_of,
    "keywords": number_of,
    "process_id": number_of,
    "thread_id": number_of,
    "activity_id": guid_of,
    "related_activity_id": guid_of,
    "user_id": string_of,
}
"""What makes a field of a record of a value."""
