"""Damaged names, mended by the hash that stands before each: by a bit, or more in those of every event."""

from __future__ import annotations

import struct

from hvdegraded.formats.evtx.format import POLYNOMIAL, name_hash
from hvdegraded.records.system_fields import SYSTEM_FIELDS

__all__ = ["mended_name"]

_MOST_UNITS = 40  # of a name
_IN_EVERY_EVENT = {
    *("Event", "xmlns", "System", "EventData", "UserData", "Data", "Name", "Binary"),
    *(part for row in SYSTEM_FIELDS for part in (row.element, row.attribute) if part is not None),
}
_COMMON = {name: (name.encode("utf-16-le"), name_hash(name.encode("utf-16-le"))) for name in _IN_EVERY_EVENT}
_HASH_AND_LENGTH = struct.Struct("<HH").unpack_from
_HASH_AND_LENGTH_SIZE = 4


def mended_name(data: bytes, place: int) -> str | None:
    """The name that is at a place if one bit is flipped there; None if none is, or several are as likely.

    First stands its hash, then its length and its letters. A name of every event is the likeliest, of which
    hash, length or letters may be damaged by more; then one of which a letter is.
    """
    hashed, count = _HASH_AND_LENGTH(data, place)
    start = place + _HASH_AND_LENGTH_SIZE
    common = _common_name(data, start, hashed, count)
    if common is not None:
        return common
    others = set()
    for length in (count ^ 1 << bit for bit in range(16)):
        units = data[start : start + 2 * length] if length <= _MOST_UNITS else b""
        if units and name_hash(units) == hashed:
            others |= _plausible(units)
    letters: set[str] = set()
    if count <= _MOST_UNITS:
        units = data[start : start + 2 * count]
        letters = _with_one_bit(units, hashed)
        if (name_hash(units) ^ hashed).bit_count() == 1:
            others |= _plausible(units)
    likely = ((letters | others) & _IN_EVERY_EVENT, letters, others)
    return next((name for names in likely if len(names) == 1 for name in names), None)


def _common_name(data: bytes, start: int, hashed: int, count: int) -> str | None:
    """The name of every event of which two are there: its hash, its length, its letters."""
    for name, (units, own) in _COMMON.items():
        if (data.startswith(units, start), count == len(name), hashed == own).count(True) > 1:
            return name
    return None


def _with_one_bit(units: bytes, hashed: int) -> set[str]:
    """The names of this hash that differ from these units by one bit."""
    found: set[str] = set()
    own, weight = name_hash(units), 1
    for place in range(len(units) - 2, -1, -2):
        unit = int.from_bytes(units[place : place + 2], "little")
        for flipped in (unit ^ 1 << bit for bit in range(16)):
            if (own + (flipped - unit) * weight - hashed) & 0xFFFF == 0:
                found |= _plausible(units[:place] + flipped.to_bytes(2, "little") + units[place + 2 :])
        weight = weight * POLYNOMIAL & 0xFFFF
    return found


def _plausible(units: bytes) -> set[str]:
    name = units.decode("utf-16-le", "replace")
    return {name} if name.isascii() and name.isidentifier() else set()
