"""Error codes of an event: HRESULT, Win32 and NTSTATUS, in any of its values and in its rendered message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hvdegraded.events.base import Hresult
from hvdegraded.knowledge.tables import Knowledge
from hvdegraded.records.models import build_model

__all__ = ["ERROR_FIELDS", "error_codes", "named_error", "parse_error_code"]

ERROR_FIELDS = frozenset(
    {
        "error",
        "errorcode",
        "errorcodestring",
        "errormessage",
        "hresult",
        "hr",
        "result",
        "status",
        "statuscode",
    }
)
"""Fields that hold an error, by their key (see `field_mapping.field_key`)."""
_NOT_ERRORS = frozenset({"vmname", "vmid", "virtualmachinename", "virtualmachineid", "binary"})
_MESSAGE_NUMBER = re.compile(r"%%(-?\d{1,10})(?!\d)", re.ASCII)
_HEX = re.compile(r"0[xX]([0-9A-Fa-f]{1,8})(?![0-9A-Fa-f])", re.ASCII)
_BARE_HEX = re.compile(r"(?<![0-9A-Za-z{-])([89CcDd][0-9A-Fa-f]{7})(?![0-9A-Za-z-])", re.ASCII)
_DECIMAL = re.compile(r"\s*-?\d{1,10}\s*", re.ASCII)
_FAILURES = (0x8, 0xC, 0xD)  # first digit of HRESULTs, of NTSTATUS errors, and of these inside of HRESULTs
_LARGEST_WIN32 = 0xFFFF
_LONGEST_TEXT = 4096
_MOST_CODES = 4


def error_codes(values: Mapping[str, str], message: str | None, knowledge: Knowledge) -> tuple[Hresult, ...]:
    """Return the errors that values (by field key) name, at most four; if there are none, the message's.

    A number that need not be an error (`2147942405` in some field, `80070005` in a text) counts where the
    tables know it.
    """
    found: dict[int, Hresult] = {}
    for key, text in values.items():
        if key not in _NOT_ERRORS:
            for code in _codes(text[:_LONGEST_TEXT], key in ERROR_FIELDS, knowledge):
                found.setdefault(_canonical(code), named_error(code, knowledge))
        if len(found) >= _MOST_CODES:
            break
    if not found and message:
        for code in _codes(message[:_LONGEST_TEXT], False, knowledge):
            found.setdefault(_canonical(code), named_error(code, knowledge))
    return tuple(found.values())[:_MOST_CODES]


def parse_error_code(text: str) -> int | None:
    """Return the failure that the text of an error field names, unsigned; None where it names none."""
    for code in _written(text[:_LONGEST_TEXT]):
        if code >> 28 in _FAILURES:
            return code
    return None


def _codes(text: str, is_error: bool, knowledge: Knowledge) -> Iterator[int]:
    if is_error and (whole := _DECIMAL.fullmatch(text)):
        code = _unsigned(int(whole[0]))
        if code is not None and (code >> 28 in _FAILURES or (code and knowledge.code(code) is not None)):
            yield code
        return
    for match in _MESSAGE_NUMBER.finditer(text):
        code = _unsigned(int(match[1]))
        if code is not None and (code >> 28 in _FAILURES or 0 < code <= _LARGEST_WIN32):
            yield code
    for match in _HEX.finditer(text):
        code = int(match[1], 16)
        whole_word = is_error or len(match[1]) == 8
        if code >> 28 in _FAILURES or (whole_word and 0 < code <= _LARGEST_WIN32 and knowledge.code(code)):
            yield code
    for match in _BARE_HEX.finditer(text):
        if knowledge.code(int(match[1], 16)) is not None:
            yield int(match[1], 16)
    if not is_error and _DECIMAL.fullmatch(text):
        code = _unsigned(int(text))
        if code is not None and code >> 28 in _FAILURES and knowledge.code(code) is not None:
            yield code


def _written(text: str) -> Iterator[int]:
    """The numbers of an error field, as `%%2147942432`, `0x80070020` or a whole decimal."""
    numbers = [int(match[1]) for match in _MESSAGE_NUMBER.finditer(text)]
    numbers += [int(match[1], 16) for match in _HEX.finditer(text)]
    if _DECIMAL.fullmatch(text):
        numbers.append(int(text))
    for number in numbers:
        code = _unsigned(number)
        if code is not None:
            yield code


def _unsigned(number: int) -> int | None:
    if -(1 << 31) <= number < 0:
        number += 1 << 32
    return number if 0 <= number < 1 << 32 else None


def _canonical(code: int) -> int:
    """One number for a Win32 error and its HRESULT."""
    return code & 0xFFFF if code & 0xFFFF0000 == 0x80070000 else code


def named_error(code: int, knowledge: Knowledge) -> Hresult:
    """Return an error with the name and meaning that the tables give it."""
    known = knowledge.code(code)
    return build_model(
        Hresult,
        {
            "code": code,
            "hex": f"0x{code:08X}",
            "name": known.name if known else None,
            "meaning": known.meaning if known else None,
        },
    )
