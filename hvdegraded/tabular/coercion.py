"""Numbers, GUIDs and texts of exported objects, also as PowerShell's JSON and CLIXML write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from hvdegraded.guids import normalise_guid
from hvdegraded.timestamps import datetime_from_ticks, ticks_from_text, ticks_from_unix

__all__ = ["LONGEST_NUMBER", "LONGEST_TEXT", "guid_of", "integer_of", "moment_of", "number_of", "plain_text"]

LONGEST_TEXT = 4096
"""Characters of a text that are kept; one more is kept of a longer text, so that its length shows."""

_U64 = 1 << 64
LONGEST_NUMBER = 64  # characters, white space around it included
_NUMBER = re.compile(r"\s*(-?)(?:0[xX]([0-9A-Fa-f]{1,16})|([0-9]{1,20}))\s*", re.ASCII)
_BARE_GUID = re.compile(r"[0-9A-Fa-f]{32}", re.ASCII)
_OWNER = re.compile(r"microsoft:", re.ASCII | re.IGNORECASE)
_LONGEST_GUID = 128
_MOST_ITEMS = 1000
_VERSION_PARTS = ("Major", "Minor", "Build", "Revision")
_NAMED_PARTS = ("Guid", "Name", "name", "value", "Value", "DisplayName")


def plain_text(value: Any) -> str:
    """Text of a text, number, version or named object, without white space around it; else ""."""
    if isinstance(value, str):
        # Halves of surrogate pairs come from JSON escapes and are not text.
        return value.strip()[: LONGEST_TEXT + 1].encode("utf-8", "replace").decode()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return plain_text(" ".join(one for one in value[:_MOST_ITEMS] if isinstance(one, str)))
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int):
        return str(value) if abs(value) < _U64 else ""
    if isinstance(value, float):
        return "" if value != value else f"{value:g}"  # NaN is how data frames write an empty cell
    if isinstance(value, Mapping):
        if "Major" in value:
            numbers = [value.get(part) for part in _VERSION_PARTS]
            return ".".join(str(one) for one in numbers if isinstance(one, int) and 0 <= one < 1 << 32)
        for part in _NAMED_PARTS:
            if isinstance(inner := value.get(part), str | UUID):
                return plain_text(inner)
    return ""


def integer_of(text: str) -> int | None:
    """Read a whole number, decimal or `0x…`, with a minus or not; None from 2^64 on, and for other texts."""
    return _integer(text) if len(text) <= LONGEST_NUMBER else None


@lru_cache(maxsize=2048)
def _integer(text: str) -> int | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    number = int(match[2], 16) if match[2] else int(match[3])
    if number >= _U64:
        return None
    return -number if match[1] else number


def number_of(value: Any) -> int | None:
    """A whole number of 64 bits, signed or not, decimal or hexadecimal text; None for anything else.

    A list of one value, as some shippers have keywords, is that value.
    """
    if type(value) is int:
        number = value
    elif isinstance(value, str) and len(value) <= 20 and value.isascii() and value.isdecimal():
        number = int(value)
    elif isinstance(value, str):
        whole = integer_of(value)
        if whole is None:
            return None
        number = whole
    elif isinstance(value, float):
        if not value.is_integer() or abs(value) >= _U64:
            return None
        number = int(value)
    elif isinstance(value, list) and len(value) == 1 and not isinstance(value[0], list):
        return number_of(value[0])
    else:
        return None
    if not -(_U64 >> 1) <= number < _U64:
        return None
    return number + _U64 if number < 0 else number


def guid_of(value: Any) -> str | None:
    """A GUID in upper case with hyphens, as inventories write it; None where there is not one.

    Takes any letter case, braces or parentheses, no hyphens, and WMI's `Microsoft:GUID` and
    `Microsoft:GUID\\GUID`, of which the first is the machine's.
    """
    text = plain_text(value)
    if not text or len(text) > _LONGEST_GUID:
        return None
    owner = _OWNER.match(text)
    if owner is not None:
        text = text[owner.end() :].partition("\\")[0]
    text = text.strip(" \t{}()\"'")
    if _BARE_GUID.fullmatch(text):
        text = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    return normalise_guid(text)


def moment_of(value: Any) -> datetime | None:
    """A time in UTC of a datetime, an ISO or .NET text, or (milli)seconds since 1970; else None."""
    if isinstance(value, Mapping):  # PowerShell 5.1: {"value": "/Date(ms)/", "DateTime": "…"}
        value = value.get("value", value.get("DateTime"))
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float) and 0 < value < 1e14:
        return datetime_from_ticks(ticks_from_unix(value if value < 1e11 else value / 1000))
    if isinstance(value, str):
        ticks = ticks_from_text(value[:64])
        if ticks is not None:
            return datetime_from_ticks(ticks)
        try:
            value = datetime.fromisoformat(value.strip()[:64])
        except ValueError:
            return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if not isinstance(value, datetime) or value != value:  # pandas' NaT is a datetime that equals nothing
        return None
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except (OverflowError, ValueError):
        return None
