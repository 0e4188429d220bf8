"""Where two readers differ on one record, value by value, and which fault of which reader is known for it.

The faults are documented ones: each was found on real or crafted logs, and tests show it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hvdegraded.records.record import EventRecord, Field
from hvdegraded.timestamps import ticks_from_text

__all__ = ["ValueDifference", "differences"]

_TICKS_OFF = 30  # 100 ns: python-evtx computes times in floating point, evtx cuts them to microseconds
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ufffe\uffff]")
_NUMBER = re.compile(r"-\d+", re.ASCII)
_ARRAYS = ("data", "extra", "rendering")

EMPTY = "shows empty elements that Windows leaves out, or leaves out empty ones"
TIMES = "writes times to the microsecond, some off by two"
SPELLING = "spells hexadecimal digits, GUIDs or line ends otherwise, or trims white space"
CONTROLS = "drops or replaces control characters"
SECOND = "does not show a second template, as RenderingInfo is one"
BOOLEAN = "shows a boolean as its number"
AFTER_NUL = "drops what follows a NUL"
HALVES = "drops or replaces halves of surrogate pairs"
NEGATIVE = "reads negative numbers of 8 to 32 bits wrong"
POINTERS = "reads pointers of 64 bits as 0"
ARRAY = "mangles an array of strings"
MARKUP = "does not escape markup in a text"
BASE64 = "writes bytes in base64"


class ValueDifference(NamedTuple):
    """What differs: the record's field, the value's name, both texts, and the known fault if it is one."""

    field: str
    name: str | None
    ours: str
    theirs: str
    known: str | None


def differences(engine: str, ours: EventRecord, theirs: EventRecord) -> Iterator[ValueDifference]:
    """What another reader (`python-evtx`, `evtx`, `libevtx`) reads otherwise; `origin` does not count."""
    for field in EventRecord._fields[:-1]:
        one, two = getattr(ours, field), getattr(theirs, field)
        if one == two:
            continue
        if field in _ARRAYS:
            yield from _of_fields(engine, field, one, two)
        elif field == "time_ticks" and None not in (one, two) and abs(one - two) < _TICKS_OFF:
            yield ValueDifference(field, None, str(one), str(two), TIMES)
        else:
            known = _known(engine, one, two) if isinstance(one, str) and isinstance(two, str) else None
            yield ValueDifference(field, None, repr(one), repr(two), known)


def _of_fields(
    engine: str, field: str, ours: Sequence[Field], theirs: Sequence[Field]
) -> Iterator[ValueDifference]:
    if field == "rendering" and not theirs:
        yield ValueDifference(field, None, f"{len(ours)} values", "none", SECOND)
        return
    if [name for name, _ in ours] != [name for name, _ in theirs]:
        ours, theirs = _filled(ours), _filled(theirs)
        if [name for name, _ in ours] != [name for name, _ in theirs]:
            known = None
            if engine == "python-evtx" and _unnamed(ours) and _unnamed(theirs):
                known = ARRAY
            elif engine == "libevtx" and any("<" in text for _, text in ours):
                known = MARKUP
            yield ValueDifference(field, None, repr(ours), repr(theirs), known)
            return
        yield ValueDifference(field, None, "", "", EMPTY)
    for (name, one), (_, two) in zip(ours, theirs, strict=True):
        if one == two:
            continue
        known = _known(engine, one, two)
        if known is None and engine == "python-evtx" and name is None:
            known = ARRAY
        yield ValueDifference(field, name, repr(one), repr(two), known)


def _filled(fields: Sequence[Field]) -> list[Field]:
    return [(name, text) for name, text in fields if text]


def _unnamed(fields: Sequence[Field]) -> bool:
    return any(name is None for name, _ in fields)


def _known(engine: str, ours: str, theirs: str) -> str | None:
    """The documented fault of a reader that explains how it shows a text; None where none does."""
    if not ours or not theirs:
        return EMPTY if not ours.strip() and not theirs.strip() else None
    if _even(ours) == _even(theirs):
        return SPELLING
    ticks = ticks_from_text(ours), ticks_from_text(theirs)
    if ticks[0] is not None and ticks[1] is not None and abs(ticks[0] - ticks[1]) < _TICKS_OFF:
        return TIMES
    if engine != "libevtx" and "\0" in ours and _even(ours.partition("\0")[0]) == _even(theirs):
        return AFTER_NUL
    if _even(_CONTROLS.sub("", ours)) == _even(_CONTROLS.sub("", theirs)):
        return CONTROLS
    if "\ufffd" in ours and _even(ours.replace("\ufffd", "")) == _even(theirs.replace("\ufffd", "")):
        return HALVES
    if engine == "evtx" and ours == "true" and theirs.isdecimal():
        return BOOLEAN
    if engine == "python-evtx" and _hexadecimal(theirs) == ours:
        return BASE64
    if engine == "libevtx" and _NUMBER.fullmatch(ours) and _NUMBER.fullmatch(theirs):
        return NEGATIVE
    if engine == "libevtx" and ours.startswith("0x") and theirs.strip("0x") == "":
        return POINTERS
    return None


def _hexadecimal(text: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).hex().upper()
    except (binascii.Error, ValueError):
        return None


def _even(text: str) -> str:
    """The text without what XML and other readers spell otherwise."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("{} \n\t").lower()
    return "0x" + (text[2:].lstrip("0") or "0") if text.startswith("0x") else text
