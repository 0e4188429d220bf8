"""Which lines can name a wanted provider, by their bytes: what cannot is passed over without being parsed.

A line that cannot holds neither a wanted name, in whichever case, nor an escape that could spell one.

How it works. A block of lines is searched in a digest of it: letters in lower case, and only those bytes that
the names of Hyper-V's providers are rich in. If a line contains a name, its digest contains that of the name;
only such lines are looked at more closely.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from hvdegraded.records.record import ProviderFilter

__all__ = ["CandidateLines", "candidate_lines", "line_may_hold"]

_ESCAPE, _REFERENCE = b"\\u00", b"&#"  # of JSON, of XML
_SPELLS = re.compile(rb"\\u00(?:[4-7]|2[dD3]|26#)|&#").search  # a letter, a hyphen, # or &#, as an escape
_FOLD = bytes(range(256)).lower()
_KEPT = b"dfhlmstvy0\\&#\n"  # a quarter of what shippers write; other bytes were measured to find more lines
_DROPPED = bytes(byte for byte in range(256) if _FOLD[byte] not in _KEPT)


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
            if lower.rfind(needle) >= 0:  # twice as fast as a search from the start
                return True
        # One byte is looked for faster than two, and most lines do not hold it.
        if b"\\" in line or b"#" in line:
            return (_ESCAPE in line or _REFERENCE in line) and _SPELLS(line) is not None
        return False

    return may_hold


class CandidateLines(NamedTuple):
    """The lines of a block that can name a wanted provider, and how many it has in all.

    `places` has the number of each, from 0 on, where it starts and where it ends, in order.
    """

    places: list[tuple[int, int, int]]
    lines: int


def candidate_lines(wanted: ProviderFilter) -> Callable[[bytes], CandidateLines]:
    """Where in a block of lines those stand that can name a wanted provider.

    Some of them cannot; `line_may_hold` decides for each.
    """
    needles = _needles(wanted) or (b"",)
    digests = _shortest(_digest(piece) for piece in (*needles, _ESCAPE))
    if b"" in digests:
        return _all_lines
    with_reference = _shortest((*digests, _REFERENCE))
    # One byte is looked for much faster than two.
    return lambda block: _lines_with(with_reference if _REFERENCE[:1] in block else digests, block)


def _digest(data: bytes) -> bytes:
    return data.translate(_FOLD, _DROPPED)


def _lines_with(needles: Iterable[bytes], block: bytes) -> CandidateLines:
    """The lines whose digest contains one of the needles."""
    digest = _digest(block)
    starts: set[int] = set()
    for needle in needles:
        place = digest.rfind(needle)
        while place >= 0:
            start = digest.rfind(b"\n", 0, place) + 1
            starts.add(start)
            place = digest.rfind(needle, 0, start)
    places: list[tuple[int, int, int]] = []
    number = in_block = in_digest = 0  # of the last line found, and where it starts
    for start in sorted(starts):
        steps = digest.count(b"\n", in_digest, start)
        for _ in range(steps):
            in_block = block.find(b"\n", in_block) + 1
        number += steps
        in_digest = start
        places.append((number, in_block, block.find(b"\n", in_block) + 1 or len(block)))
    number += digest.count(b"\n", in_digest) + (block[-1:] not in (b"", b"\n"))
    return CandidateLines(places, number)


def _all_lines(block: bytes) -> CandidateLines:
    ends = list(itertools.accumulate(map(len, io.BytesIO(block))))
    return CandidateLines(list(zip(itertools.count(), [0, *ends], ends, strict=False)), len(ends))


def _needles(wanted: ProviderFilter) -> tuple[bytes, ...] | None:
    """The shortest pieces of the wanted names, in lower case; None where that of bytes is not known."""
    pieces = {name.encode() for name in wanted.names}
    pieces |= {mark.lower().encode() for mark in wanted.marks or wanted.prefixes}
    return _shortest(pieces) if all(piece.isascii() for piece in pieces) else None


def _shortest(pieces: Iterable[bytes]) -> tuple[bytes, ...]:
    """The pieces that contain no other one."""
    different = set(pieces)
    shortest = sorted(different, key=len)
    return tuple(one for one in shortest if not any(other in one for other in different - {one}))
