"""Texts in `<System>` → values of a record, however an exporter writes numbers, keywords, GUIDs and times."""

from __future__ import annotations

import re
from collections.abc import Callable

from hvdegraded.guids import bare_guid
from hvdegraded.records.system_fields import SystemKind
from hvdegraded.tabular.coercion import LONGEST_NUMBER, integer_of
from hvdegraded.timestamps import ticks_from_text

__all__ = ["SYSTEM_VALUES"]

# Digits alone are hexadecimal where they are as many as 64 bits have, or round in hexadecimal only.
_BARE_HEX = re.compile(
    r"\s*(?:[0-9A-Fa-f]{16}|[0-9A-Fa-f]{1,7}0{8}|[0-9]{0,15}[A-Fa-f][0-9A-Fa-f]{0,15})\s*", re.ASCII
)


def _event_id(text: str) -> int | None:
    """The event id; of 32 bits, signed or not, where an exporter puts the qualifiers above it."""
    number = integer_of(text)
    return number if number is not None and -0x8000_0000 <= number <= 0xFFFF_FFFF else None


def _number(text: str) -> int | None:
    number = integer_of(text)
    return number if number is not None and number >= 0 else None


def _keywords(text: str) -> int | None:
    """The 64 bits, written as `0x…`, as hexadecimal digits alone, or as a decimal, signed or not."""
    bare = len(text) <= LONGEST_NUMBER and _BARE_HEX.fullmatch(text)
    number = integer_of(f"0x{text.strip()}" if bare else text)
    if number is None or number < -(1 << 63):
        return None
    return number & 0xFFFF_FFFF_FFFF_FFFF


def _text(text: str) -> str:
    return text


SYSTEM_VALUES: dict[SystemKind, Callable[[str], str | int | None]] = {
    SystemKind.EVENT_ID: _event_id,
    SystemKind.NUMBER: _number,
    SystemKind.KEYWORDS: _keywords,
    SystemKind.TIME: ticks_from_text,
    SystemKind.TEXT: _text,
    SystemKind.GUID: bare_guid,
    SystemKind.SID: _text,
}
"""For each kind, what makes a value of a text that is not empty; None where the text is not of that kind."""
