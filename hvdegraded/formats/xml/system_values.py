"""Texts in `<System>` → values of a record, however an exporter writes numbers, keywords, GUIDs and times."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from hvdegraded.records.system_fields import SystemKind
from hvdegraded.timestamps import ticks_from_text

__all__ = ["SYSTEM_VALUES"]

_LONGEST_NUMBER = 64  # characters, white space around it included
_NUMBER = re.compile(r"\s*(-?)(?:0[xX]([0-9A-Fa-f]{1,16})|([0-9]{1,20}))\s*", re.ASCII)
# Digits alone are hexadecimal where they are as many as 64 bits have, or round in hexadecimal only.
_BARE_HEX = re.compile(r"[0-9A-Fa-f]{16}|[0-9A-Fa-f]{1,7}0{8}|[0-9]*[A-Fa-f][0-9A-Fa-f]{0,15}", re.ASCII)


@lru_cache(maxsize=2048)
def _integer(text: str) -> int | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    number = int(match[2], 16) if match[2] else int(match[3])
    if number >= 1 << 64:
        return None
    return -number if match[1] else number


def _event_id(text: str) -> int | None:
    """The event id; of 32 bits, signed or not, where an exporter puts the qualifiers above it."""
    number = _integer(text) if len(text) <= _LONGEST_NUMBER else None
    return number if number is not None and -0x8000_0000 <= number <= 0xFFFF_FFFF else None


def _number(text: str) -> int | None:
    number = _integer(text) if len(text) <= _LONGEST_NUMBER else None
    return number if number is not None and number >= 0 else None


def _keywords(text: str) -> int | None:
    """The 64 bits, written as `0x…`, as hexadecimal digits alone, or as a decimal, signed or not."""
    if len(text) > _LONGEST_NUMBER:
        return None
    text = text.strip(" \t\r\n")
    number = _integer("0x" + text if _BARE_HEX.fullmatch(text) else text)
    if number is None or number < -(1 << 63):
        return None
    return number & 0xFFFF_FFFF_FFFF_FFFF


def _text(text: str) -> str:
    return text


def _guid(text: str) -> str | None:
    return text.strip("{} ").upper() or None


SYSTEM_VALUES: dict[SystemKind, Callable[[str], str | int | None]] = {
    SystemKind.EVENT_ID: _event_id,
    SystemKind.NUMBER: _number,
    SystemKind.KEYWORDS: _keywords,
    SystemKind.TIME: ticks_from_text,
    SystemKind.TEXT: _text,
    SystemKind.GUID: _guid,
    SystemKind.SID: _text,
}
"""For each kind, what makes a value of a text that is not empty; None where the text is not of that kind."""
