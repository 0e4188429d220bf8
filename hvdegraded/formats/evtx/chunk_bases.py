"""Where a chunk begins that has no mark there, by its records: bytes were cut out of a log, or put into it.

How it works. All places in a chunk are counted from its start. The first record that uses a template defines
it, and names the place of the definition; a record without template does so with its names. So where these
really stand shows where the chunk begins, though its header is gone.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator

from hvdegraded.formats.evtx.format import (
    CHUNK_SIZE,
    FIRST_RECORD,
    FRAGMENT_HEADER,
    INSTANCE_HEAD,
    INSTANCE_TOKEN,
    RECORD_HEADER,
    name_hash,
)
from hvdegraded.formats.evtx.record_headers import Span, is_record_start, records_between

__all__ = ["ChunkBases"]

_MOST_ASKED = 1 << 19  # records of a log that are asked where their chunk begins
_COST = 64  # of a stretch, in records
_APART = CHUNK_SIZE // 2  # by less, two bases are those of one chunk, into which bytes were put
_OPEN_TOKENS = (0x01, 0x41)
_ELEMENT = struct.Struct("<IBIIIHH").unpack_from
"""How a record without template begins: fragment header, token, size, place of the name; the name's head."""


class ChunkBases:
    """Asks the records of a log where their chunks begin, as many as there is room for."""

    def __init__(self) -> None:
        self._room = _MOST_ASKED

    def of(self, data: bytes, *, marked: bool) -> tuple[int | None, int | None]:
        """Where the chunk of these bytes begins, and where, without mark, the next one does.

        Both are counted from their start, where the chunk's mark stands if it is `marked`; None where no
        record shows it.
        """
        self._room -= _COST
        votes = Counter(self._votes(data))
        if marked:
            votes.setdefault(0, 0)  # the mark's place counts, though no record may vote for it
        weight = {base: (is_record_start(data, base + FIRST_RECORD), count) for base, count in votes.items()}
        sure = sorted(base for base, (first_is_there, count) in weight.items() if first_is_there or count > 1)
        lowest = 0 if marked else min(sure, default=0)
        following = next((base for base in sure if base >= max(1, lowest + _APART)), None)
        own = [base for base in votes if following is None or base < following]
        return max(own, key=lambda base: (*weight[base], -abs(base)), default=None), following

    def _votes(self, data: bytes) -> Iterator[int]:
        """Where a chunk begins, as each record says that shows it."""
        for span in records_between(data, 0, len(data)):
            self._room -= 1
            if self._room < 0:
                return
            base = _by_template(data, span)
            if base is None:
                base = _by_name(data, span)
            if base is not None and span.start - CHUNK_SIZE < base <= span.start - FIRST_RECORD:
                yield base


def _by_template(data: bytes, span: Span) -> int | None:
    """By the template that a record defines."""
    place = span.start + RECORD_HEADER
    definition = place + INSTANCE_HEAD.size
    if definition + 8 > span.end:
        return None
    fragment, token, _, key, offset = INSTANCE_HEAD.unpack_from(data, place)
    if token != INSTANCE_TOKEN or fragment != FRAGMENT_HEADER:
        return None
    is_here = data[definition + 4 : definition + 8] == key.to_bytes(4, "little")
    return definition - offset if is_here else None


def _by_name(data: bytes, span: Span) -> int | None:
    """By the name of the first element of a record without template."""
    place = span.start + RECORD_HEADER
    name = place + 13
    if name + 8 > span.end:
        return None
    fragment, token, _, offset, _, hashed, count = _ELEMENT(data, place)
    units = data[name + 8 : name + 8 + 2 * count]
    if fragment != FRAGMENT_HEADER or token not in _OPEN_TOKENS or count > 32 or not count:
        return None
    return name - offset if name_hash(units) == hashed else None
