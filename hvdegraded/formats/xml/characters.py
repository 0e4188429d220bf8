"""Characters that XML forbids, as escapes and back, and the text of bytes of a declared encoding."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from hvdegraded.records.record import Anomaly, EventRecord

__all__ = ["decoded", "escaped", "unescaped"]

_ESCAPE = "\ufdd0"  # a noncharacter: XML allows it, Unicode gives it no meaning
_UNFIT = re.compile(f"[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff{_ESCAPE}\ufffe\uffff]")
_UNFIT_OR_REFERENCE = re.compile(_UNFIT.pattern + "|&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")
_ESCAPED = re.compile(_ESCAPE + "([0-9A-F]{4})")


def decoded(piece: bytes, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    """A piece's text and its anomalies: UTF-8, else as declared, else with odd bytes spelled out."""
    for candidate, errors in (("utf-8", "surrogatepass"), (encoding, "strict")):
        if candidate is None or not _extends_ascii(candidate):
            continue
        try:
            return piece.decode(candidate, errors), ()
        except UnicodeDecodeError:
            continue
    return piece.decode("utf-8", "backslashreplace"), (Anomaly.NOT_UTF8,)


@lru_cache(maxsize=64)
def _extends_ascii(encoding: str) -> bool:
    ascii_bytes = bytes(range(128))
    try:
        return ascii_bytes.decode(encoding) == ascii_bytes.decode("ascii")
    except (LookupError, ValueError):
        return False


def escaped(text: str) -> str:
    """The text with everything that XML forbids, references to it included, as escapes."""

    def reference(match: re.Match[str]) -> str:
        if match[1] or match[2]:
            code = int(match[1], 16) if match[1] else int(match[2])
            if code > 0xFFFF or not _UNFIT.match(chr(code)):
                return match[0]
        else:
            code = ord(match[0])
        return f"{_ESCAPE}{code:04X}"

    parts = []
    for part in text.split("]]>"):
        markup, opening, verbatim = part.partition("<![CDATA[")  # in which references are none
        verbatim = _UNFIT.sub(lambda match: f"{_ESCAPE}{ord(match[0]):04X}", verbatim)
        parts.append(_UNFIT_OR_REFERENCE.sub(reference, markup) + opening + verbatim)
    return "]]>".join(parts)


def unescaped(record: EventRecord) -> EventRecord:
    """The record with escapes turned back."""

    def restored(value: Any) -> Any:
        if isinstance(value, str):
            return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), value)
        return tuple(map(restored, value)) if isinstance(value, tuple) else value

    return EventRecord._make([*map(restored, record[:-1]), record.origin]).with_valid_unicode()
