"""Which lines can name a wanted provider, by their bytes: what cannot is passed over without being parsed.

A line that cannot holds neither a wanted name nor an escape that could spell one.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable, Iterator

from hvdegraded.records.record import ProviderFilter

__all__ = ["line_may_hold", "lines_that_may_hold"]

_ESCAPED_NAME = re.compile(rb"\\u00(?:[4-7]|2[dD])").search  # a letter or a hyphen, spelled as an escape
_SPELLED = (b"\\u00", b"#")  # escapes of JSON, references of XML; single bytes are found fastest


def line_may_hold(wanted: ProviderFilter) -> Callable[[bytes], bool]:
    """Whether a line can name a wanted provider, by its bytes: false only where it cannot.

    The bytes are UTF-8. A name may also be spelled with escapes of JSON or references of XML.
    """
    needles = _needles(wanted)
    if needles is None:
        return lambda _: True

    def may_hold(line: bytes) -> bool:
        lower = line.lower()
        for needle in needles:
            if needle in lower:
                return True
        # One byte is looked for faster than two, and most lines do not hold it.
        if b"\\" in line and b"\\u00" in lower and _ESCAPED_NAME(line) is not None:
            return True
        return b"#" in line and (b"&#" in line or b"u0026#" in line)

    return may_hold


def lines_that_may_hold(wanted: ProviderFilter) -> Callable[[bytes], list[tuple[int, int]]]:
    """Where in a block of lines those stand that can name a wanted provider: starts and ends, in order."""
    needles = _needles(wanted)
    may_hold = line_may_hold(wanted)
    if needles is None:
        return _all_spans

    def find(block: bytes) -> list[tuple[int, int]]:
        lower = block.lower()
        found = set(_spans(block, lower, needles))
        for span in _spans(block, lower, _SPELLED):
            if span not in found and may_hold(block[span[0] : span[1]]):
                found.add(span)
        return sorted(found)

    return find


def _spans(block: bytes, lower: bytes, needles: tuple[bytes, ...]) -> Iterator[tuple[int, int]]:
    """The lines of a block that hold one of the needles."""
    for needle in needles:
        place = lower.find(needle)
        while place >= 0:
            end = block.find(b"\n", place) + 1 or len(block)
            yield block.rfind(b"\n", 0, place) + 1, end
            place = lower.find(needle, end)


def _all_spans(block: bytes) -> list[tuple[int, int]]:
    ends = list(itertools.accumulate(map(len, io.BytesIO(block))))
    return list(zip([0, *ends], ends, strict=False))


def _needles(wanted: ProviderFilter) -> tuple[bytes, ...] | None:
    """The shortest pieces of the wanted names, in lower case; None where that of bytes is not known."""
    pieces = {name.encode() for name in wanted.names}
    pieces |= {mark.lower().encode() for mark in wanted.marks or wanted.prefixes}
    if not all(piece.isascii() for piece in pieces):
        return None
    shortest = sorted(pieces, key=len)
    return tuple(one for one in shortest if not any(other in one for other in pieces - {one}))
