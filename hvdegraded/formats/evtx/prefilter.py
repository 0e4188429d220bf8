"""Which chunks can hold a wanted record, found without decoding them.

A provider's name stands in the record, or as a literal in the template of its `<System>`. So a chunk holds
a wanted record only where the beginning of the wanted names (`Microsoft-Windows-Hyper-V-`) occurs anywhere in
it, or one of the classic providers' names in a template that a record uses, or in a record without template.
"""

from __future__ import annotations

import string
import struct
from collections.abc import Sequence
from itertools import takewhile

from hvdegraded.formats.evtx.chunks import Chunk
from hvdegraded.formats.evtx.format import (
    DEFINITION_HEAD,
    FIRST_RECORD,
    FRAGMENT_HEADER,
    INSTANCE_TOKEN,
    RECORD_HEADER,
)
from hvdegraded.records.items import Skipped
from hvdegraded.records.record import ProviderFilter

__all__ = [
    "ChunkPrefilter",
]

_SIZE_AND_HEAD = struct.Struct(f"<4xI{RECORD_HEADER - 8}x14s").unpack_from
_WRITTEN = struct.Struct("<16xQ").unpack_from
_HEAD = struct.Struct("<IBBII").unpack  # fragment header, token, version, key and offset of the template
_DEFINITION_HEAD = struct.Struct("<4xI12xI").unpack_from
_MAX_REMEMBERED = 4096
_LONGEST_REMEMBERED = 512  # characters of a provider's name
_MAX_DEFINITIONS, _DEFINITION_COST = 8 << 20, 200  # bytes of those that were searched


class ChunkPrefilter:
    """A provider filter, and what its names look like in a chunk's bytes."""

    def __init__(self, wanted: ProviderFilter) -> None:
        self._wanted = wanted
        self._known: dict[str, bool] = {}
        self._definitions: dict[bytes, bool] = {}
        self._size = 0
        # One pass finds all prefixes: letters are made lower case, and those in which the prefixes begin to
        # differ are made one. What it finds is looked at again, prefix by prefix.
        self._shared, self._folding = _fold(wanted.prefixes)
        # The longer a piece, the faster its search; without the last zero byte it is twice as fast.
        self._prefixes = [self._folded(prefix)[:-1] for prefix in wanted.prefixes]
        self._names = [self._folded(name) for name in wanted.names]

    def matches(self, provider: str) -> bool:
        """Whether events of this provider are wanted."""
        known = self._known.get(provider)
        if known is None:
            known = self._wanted.matches(provider)
            if len(provider) <= _LONGEST_REMEMBERED:
                if len(self._known) >= _MAX_REMEMBERED:
                    self._known.clear()
                self._known[provider] = known
        return known

    def skipped(self, chunk: Chunk) -> Skipped | None:
        """Count the records of a chunk that certainly holds no wanted one; None where it may hold one."""
        data = chunk.data
        if not chunk.trusted:
            return None
        folded = data.translate(self._folding)
        if folded.find(self._shared) >= 0 and any(prefix in folded for prefix in self._prefixes):
            return None
        place, last, end = FIRST_RECORD, FIRST_RECORD, chunk.free
        heads: set[bytes] = set()
        remember = heads.add
        try:
            for count in range(_MAX_REMEMBERED):  # noqa: B007  # counts the records
                if place >= end:
                    break
                size, head = _SIZE_AND_HEAD(data, place)
                remember(head)
                last = place
                place += size
        except struct.error:
            return None
        if place != end or any(self._may_name(data, folded, head) for head in heads):
            return None
        # In damaged bytes a wanted name may be damaged too, and their records cannot be counted so.
        if not chunk.proven:
            return None
        return Skipped(count, 1, _WRITTEN(data, FIRST_RECORD)[0], _WRITTEN(data, last)[0])

    def _may_name(self, data: bytes, folded: bytes, head: bytes) -> bool:
        """Whether a record that begins so may be of a wanted provider."""
        fragment, token, _, key, offset = _HEAD(head)
        if token != INSTANCE_TOKEN or fragment != FRAGMENT_HEADER:
            return self._has_name(folded)
        return self._named_by(data, key, offset)

    def _named_by(self, data: bytes, key: int, offset: int) -> bool:
        """Whether the template at an offset names a wanted provider, or is not the one with that key."""
        if offset + DEFINITION_HEAD > len(data):
            return True
        found, size = _DEFINITION_HEAD(data, offset)
        if found != key:
            return True
        definition = data[offset : offset + DEFINITION_HEAD + size]
        named = self._definitions.get(definition)
        if named is None:
            if self._size + len(definition) > _MAX_DEFINITIONS:
                self._definitions.clear()
                self._size = 0
            self._size += len(definition) + _DEFINITION_COST
            named = self._definitions[definition] = self._has_name(definition.translate(self._folding))
        return named

    def _has_name(self, folded: bytes) -> bool:
        return any(name in folded for name in self._names)

    def _folded(self, name: str) -> bytes:
        return name.lower().encode("utf-16-le").translate(self._folding)


def _fold(prefixes: Sequence[str]) -> tuple[bytes, bytes]:
    """Return a piece that all prefixes contain once they are folded, and the table that folds bytes."""
    lower = [prefix.lower() for prefix in prefixes if prefix]
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*lower, strict=False))
    shared = "".join(letters[0] for letters in alike)
    different = sorted({prefix[len(shared)] for prefix in lower if len(prefix) > len(shared)})
    letters = "".join(letter for letter in different if letter.isascii())
    one = letters[:1] if len(letters) == len(different) else ""
    upper = string.ascii_uppercase
    table = bytes.maketrans(upper.encode(), upper.lower().encode())
    if one and all(len(prefix) > len(shared) for prefix in lower):
        shared += one
        folds = bytes.maketrans(letters.encode(), one.encode() * len(letters))
        table = table.translate(folds)
    return shared.encode("utf-16-le").translate(table)[:-1], table
