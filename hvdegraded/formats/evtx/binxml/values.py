"""Typed values of event logs → the text that Windows renders of them.

Types are numbered as in the binary XML of .evtx files (libyal, "Windows XML Event Log (EVTX) format"): the
low seven bits are the type, the highest marks an array.
"""

from __future__ import annotations

import enum
import struct
from codecs import utf_16_le_decode
from collections.abc import Callable, Iterator

from hvdegraded.records.record import Anomaly
from hvdegraded.timestamps import text_from_ticks

__all__ = [
    "ARRAY",
    "UNSIGNED",
    "BadTextError",
    "ValueType",
    "array_texts",
    "guid_text",
    "has_odd_size",
    "has_other_type",
    "sid_text",
    "string_text",
    "struct_code",
    "value_text",
]

ARRAY = 0x80
"""Flag of a type: the value is an array of it."""


class ValueType(enum.IntEnum):
    """Types of values, as numbered in the format."""

    NULL = 0x00
    STRING = 0x01
    ANSI_STRING = 0x02
    INT8 = 0x03
    UINT8 = 0x04
    INT16 = 0x05
    UINT16 = 0x06
    INT32 = 0x07
    UINT32 = 0x08
    INT64 = 0x09
    UINT64 = 0x0A
    FLOAT = 0x0B
    DOUBLE = 0x0C
    BOOL = 0x0D
    BINARY = 0x0E
    GUID = 0x0F
    POINTER = 0x10
    FILETIME = 0x11
    SYSTEMTIME = 0x12
    SID = 0x13
    HEX32 = 0x14
    HEX64 = 0x15
    BINXML = 0x21
    STRINGS = 0x81


class BadTextError(ValueError):
    """A value that is not what its type says: a string that is not UTF-16, a value that may be cut."""

    def __init__(self, anomaly: Anomaly) -> None:
        super().__init__(anomaly.value)
        self.anomaly = anomaly


_GUID = struct.Struct("<IHH8s")
_SYSTEMTIME = struct.Struct("<8H")
_MAX_SUBAUTHORITIES = 255


def string_text(raw: bytes) -> str:
    """A UTF-16 string without the zeros that end it. Raises BadTextError if it is not UTF-16."""
    return _whole_string(raw).rstrip("\0")


def _lenient_string(raw: bytes) -> str:
    return raw.decode("utf-16-le", "replace").rstrip("\0")


def _ansi_text(raw: bytes) -> str:
    return raw.decode("cp1252", "replace").rstrip("\0")


def guid_text(raw: bytes) -> str:
    """A GUID's 16 bytes as text: upper case, no braces."""
    first, second, third, rest = _GUID.unpack(raw)
    tail = rest.hex().upper()
    return f"{first:08X}-{second:04X}-{third:04X}-{tail[:4]}-{tail[4:]}"


def sid_text(raw: bytes) -> str:
    """A security identifier as `S-1-5-18`. Raises BadTextError where it is cut."""
    if len(raw) < 8 or len(raw) != 8 + 4 * raw[1]:
        raise BadTextError(Anomaly.CUT_SID)
    authority = int.from_bytes(raw[2:8], "big")
    parts = struct.unpack_from(f"<{raw[1]}I", raw, 8)
    head = f"S-{raw[0]}-{authority}" if authority < 1 << 32 else f"S-{raw[0]}-0x{authority:012X}"
    return "-".join([head, *map(str, parts)])


def _lenient_sid(raw: bytes) -> str:
    try:
        return sid_text(raw)
    except BadTextError:
        return raw.hex().upper()


def _braced_guid(raw: bytes) -> str:
    return f"{{{guid_text(raw)}}}"


def _hex_bytes(raw: bytes) -> str:
    return raw.hex().upper()


def _hex_number(number: int) -> str:
    return f"0x{number:x}"


def _bool_text(number: int) -> str:
    return "true" if number else "false"


def _float_text(number: float) -> str:
    """The shortest decimal that gives the same 32-bit number, as .NET and C format it."""
    for digits in range(6, 10):
        text = f"{number:.{digits}g}"
        if number != number or struct.pack("<f", float(text)) == struct.pack("<f", number):
            return text
    return repr(number)


def _systemtime_text(raw: bytes) -> str:
    year, month, _, day, hour, minute, second, millisecond = _SYSTEMTIME.unpack(raw)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}0000Z"


# For each type: the `struct` code for each size it comes in (0: any), and what makes text of the value.
_FORMS: dict[int, tuple[dict[int, str], Callable[..., str]]] = {
    ValueType.STRING: ({0: "s"}, string_text),
    ValueType.ANSI_STRING: ({0: "s"}, _ansi_text),
    ValueType.INT8: ({1: "b"}, str),
    ValueType.UINT8: ({1: "B"}, str),
    ValueType.INT16: ({2: "h"}, str),
    ValueType.UINT16: ({2: "H"}, str),
    ValueType.INT32: ({4: "i"}, str),
    ValueType.UINT32: ({4: "I"}, str),
    ValueType.INT64: ({8: "q"}, str),
    ValueType.UINT64: ({8: "Q"}, str),
    ValueType.FLOAT: ({4: "f"}, _float_text),
    ValueType.DOUBLE: ({8: "d"}, repr),
    ValueType.BOOL: ({1: "B", 2: "H", 4: "I", 8: "Q"}, _bool_text),
    ValueType.BINARY: ({0: "s"}, _hex_bytes),
    ValueType.GUID: ({16: "16s"}, _braced_guid),
    ValueType.POINTER: ({4: "I", 8: "Q"}, _hex_number),
    ValueType.FILETIME: ({8: "Q"}, text_from_ticks),
    ValueType.SYSTEMTIME: ({16: "16s"}, _systemtime_text),
    ValueType.SID: ({0: "s"}, sid_text),
    ValueType.HEX32: ({4: "I"}, _hex_number),
    ValueType.HEX64: ({8: "Q"}, _hex_number),
}

UNSIGNED = frozenset(
    {
        ValueType.UINT8,
        ValueType.UINT16,
        ValueType.UINT32,
        ValueType.UINT64,
        ValueType.POINTER,
        ValueType.HEX32,
        ValueType.HEX64,
    }
)
"""Types whose values are unsigned integers."""


_ALIKE: tuple[frozenset[int], ...] = (
    frozenset(range(ValueType.INT8, ValueType.UINT64 + 1)),
    frozenset({ValueType.POINTER, ValueType.HEX32, ValueType.HEX64}),
    frozenset({ValueType.BINARY, ValueType.BINARY | ARRAY}),
    frozenset({ValueType.STRING, ValueType.STRINGS}),
)
"""Types of which a value may have one where its template names another."""
_OFTEN_NULL = frozenset({ValueType.UINT16, ValueType.GUID})
"""Types of which a value is NULL in real logs though it has bytes, which mean nothing."""


def has_other_type(named: int, kind: int, size: int) -> bool:
    """Whether a value is not of the type that its template names, nor of one that stands for it.

    A NULL with bytes (`size` of them) stands for some numbers and GUIDs only.
    """
    if kind == ValueType.NULL:
        return size > 0 and named not in _OFTEN_NULL
    return kind != named and not any(kind in alike and named in alike for alike in _ALIKE)


def has_odd_size(kind: int, size: int) -> bool:
    """Whether a value that is not an array has a size (bytes) that its type never has."""
    if kind == ValueType.STRING:
        return size % 2 == 1
    codes, _ = _FORMS.get(kind, _UNKNOWN)
    return bool(size) and 0 not in codes and size not in codes


def struct_code(kind: int, size: int) -> tuple[str, Callable[..., str]]:
    """How to unpack a value of that type and size (bytes), and what makes text of the result.

    What the format does not know is taken as binary.
    """
    codes, text = _FORMS.get(kind, _UNKNOWN)
    code = codes.get(size)
    if code is not None:
        return code, text
    if 0 in codes:
        return f"{size}s", text
    return f"{size}s", _hex_bytes


_UNKNOWN: tuple[dict[int, str], Callable[..., str]] = ({0: "s"}, _hex_bytes)


def value_text(kind: int, raw: bytes, *, lenient: bool = False) -> str:
    """Text of a value that is no array; empty for NULL and for a number without bytes.

    Raises BadTextError for a string that is no UTF-16, unless `lenient`: then U+FFFD stands for what is none.
    """
    if not raw or kind == ValueType.NULL:
        return ""
    if lenient and kind == ValueType.STRING:
        return _lenient_string(raw)
    if lenient and kind == ValueType.SID:
        return _lenient_sid(raw)
    if not lenient and has_odd_size(kind, len(raw)):
        raise BadTextError(Anomaly.ODD_SIZE)
    code, text = struct_code(kind, len(raw))
    return text(struct.unpack("<" + code, raw)[0])


def array_texts(kind: int, raw: bytes, *, lenient: bool = False) -> Iterator[str]:
    """Texts of an array's items; `kind` is the type of one. Raises BadTextError as `value_text` does."""
    if kind == ValueType.STRING:
        text = _lenient_string(raw) if lenient else _whole_string(raw)
        if text:
            yield from text.removesuffix("\0").split("\0")
        return
    if kind == ValueType.ANSI_STRING:
        if raw:
            yield from raw.decode("cp1252", "replace").removesuffix("\0").split("\0")
        return
    if kind == ValueType.SID:
        start = 0
        while start < len(raw):
            end = start + 8 + 4 * raw[start + 1] if start + 1 < len(raw) else len(raw)
            yield _lenient_sid(raw[start:end]) if lenient else sid_text(raw[start:end])
            start = end
        return
    codes, _ = _FORMS.get(kind, _UNKNOWN)
    size = next(iter(codes)) if kind != ValueType.BOOL else 4
    if not size or len(raw) % size:
        if size and not lenient:
            raise BadTextError(Anomaly.ODD_ARRAY)
        if raw:
            yield _hex_bytes(raw)
        return
    code, text_of = struct_code(kind, size)
    for (item,) in struct.iter_unpack("<" + code, raw):
        yield text_of(item)


def _whole_string(raw: bytes) -> str:
    try:
        text, used = utf_16_le_decode(raw)
    except UnicodeDecodeError:
        raise BadTextError(Anomaly.HALF_CHARACTERS) from None
    if used != len(raw):
        raise BadTextError(Anomaly.CUT_STRING)
    return text
