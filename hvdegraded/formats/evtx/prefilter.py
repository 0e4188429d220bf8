"""Which chunks hold a wanted record, found without decoding them.

How it works. A provider's name stands as a literal in the template of a record's `<System>`, or as a value of
the record, before that of its GUID. Templates are parsed once, and for each list of sizes of values it is
computed once where name and GUID stand; so those of a chunk's records are a slice of each. A record without
template is searched for the wanted names and GUIDs as bytes. What has another form, or no name, is left to
the decoder.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

from hvdegraded.bounded import BoundedCache
from hvdegraded.formats.evtx.binxml.compiler import PlannedTemplate
from hvdegraded.formats.evtx.binxml.parser import MAX_VALUES, ChunkXml, TemplateCache
from hvdegraded.formats.evtx.binxml.templates import BinXmlError, Slot
from hvdegraded.formats.evtx.binxml.values import ValueType, guid_text, has_odd_size
from hvdegraded.formats.evtx.chunks import MOST_RECORDS, Chunk
from hvdegraded.formats.evtx.format import (
    FIRST_RECORD,
    FRAGMENT_HEADER,
    INSTANCE_HEAD,
    INSTANCE_TOKEN,
    RECORD_HEADER,
    RECORD_MAGIC,
)
from hvdegraded.guids import normalise_guid
from hvdegraded.records.cleared import CLEARING_PROVIDER
from hvdegraded.records.items import Skipped
from hvdegraded.records.misplaced import may_be_a_name
from hvdegraded.records.record import ProviderFilter

__all__ = [
    "ChunkPrefilter",
]

_VALUES = RECORD_HEADER + INSTANCE_HEAD.size  # where values begin, if the template stands elsewhere
_GUID_SLOT = 15  # where Windows' templates have the GUID of the provider, behind its name
_BEGINNING = INSTANCE_HEAD.size + 4 + 4 * (_GUID_SLOT + 1)
_SIZE_AND_BEGINNING = struct.Struct(f"<4xI{RECORD_HEADER - 8}x{_BEGINNING}s").unpack_from
_WRITTEN = struct.Struct("<16xQ").unpack_from
_COUNT = struct.Struct("<I").unpack_from
_MAX_REMEMBERED = 4096
_LONGEST_REMEMBERED = 512  # characters of a provider's name
_GUID = (16, ValueType.GUID)
"""Size and type of a GUID that is a value."""
_NUMBERS = range(ValueType.INT8, ValueType.BOOL + 1)
_BEFORE = frozenset(
    {
        *((size, ValueType.NULL) for size in (0, 2, 16)),  # as real logs have it
        *((8 + 4 * count, ValueType.SID) for count in range(1, 16)),
        *((size, kind) for kind in _NUMBERS for size in (1, 2, 4, 8) if not has_odd_size(kind, size)),
        *((8, kind) for kind in (ValueType.FILETIME, ValueType.HEX64)),
        *((4, ValueType.HEX32), _GUID),
    }
)
"""Sizes and types of values before a provider's name: with any other, it would be read from a wrong place."""
_CLEARING = CLEARING_PROVIDER.lower()
_CLEARING_NAME = CLEARING_PROVIDER.encode("utf-16-le")
# Marks of records with a size that can be, and their numbers. Marks alone also stand in what fills records
# up; so do marks with a size right before another, whose number is then the one to compare.
# A search for one byte takes a fifth of the time, so the others are looked at ahead.
_FIRST, _OTHERS = re.escape(RECORD_MAGIC[:1]), re.escape(RECORD_MAGIC[1:]) + rb"..\0\0"
_MARKS = re.compile(rb"%b(?=%b(?!%b%b)(.{8}))" % (_FIRST, _OTHERS, _FIRST, _OTHERS), re.DOTALL).findall
_CLEARED = "LogFileCleared".encode("utf-16-le")
"""The payload of records that report a cleared log; the provider has others, which every shutdown writes."""
_FOLD = bytes(range(256)).lower()
_GUIDS = re.compile(rb"-%b-%b-%b-" % ((rb"[0-9a-f]{4}",) * 3)).findall
"""The middle parts of GUIDs as text: a search for what begins with one byte that is known is fast."""
_ANY_FORM = b""
"""In place of how records begin: those without template."""

_ELSEWHERE = -1
"""In place of a slot: the name is a literal, or was searched for, and is not wanted."""


class _NamedBy(NamedTuple):
    """Where the records that begin alike have their provider: the slot of its GUID, or `_ELSEWHERE`.

    In the slot before it is the provider's name.
    """

    slot: int
    template: int = 0
    values: int = 0
    """Where the values of the record stand that defines the template."""


class ChunkPrefilter:
    """A provider filter, and where records have their provider; `templates` are the decoder's."""

    def __init__(self, wanted: ProviderFilter, templates: TemplateCache[PlannedTemplate]) -> None:
        self._wanted = wanted
        self.matches = wanted.remembering()
        self._known: BoundedCache[str, bool] = BoundedCache(_MAX_REMEMBERED)
        self._literal_clearing = False  # in the chunk that is looked at
        self._templates = templates
        self._raw: BoundedCache[bytes, bool] = BoundedCache(_MAX_REMEMBERED)
        self._places: BoundedCache[bytes, tuple[int, int]] = BoundedCache(_MAX_REMEMBERED)
        names = (*wanted.prefixes, *wanted.names, _CLEARING)
        self._pieces: list[bytes] | None = None  # bytes know no letter case but that of ASCII
        if all(name.isascii() for name in names):
            self._pieces = [name.lower().encode() for name in names]
        self._guids = frozenset(_GUIDS("".join(wanted.guids).lower().encode()))

    def matters(self, provider: str, guid: str | None) -> bool:
        """Whether records of a provider of this name and GUID must be decoded.

        So must those of names that are cut, gone or not of letters, as of misplaced or damaged values.
        """
        if guid in self._wanted.guids:
            return True
        matters = self._known.get(provider)
        if matters is None:
            matters = self.matches(provider) or may_be_a_name(provider, self._wanted)
            if len(provider) <= _LONGEST_REMEMBERED:
                self._known[provider] = matters
        return matters

    def skipped(self, chunk: Chunk) -> Skipped | None:
        """Count the records of a proven chunk that certainly holds none to decode; None where it may.

        In damaged bytes a wanted name may be damaged too, and the names of templates are to be mended.
        """
        if not chunk.orderly and chunk.free != FIRST_RECORD:
            return None
        data = chunk.data
        xml = ChunkXml(data, self._templates, chunk.limit)
        self._literal_clearing = False
        known: dict[bytes, _NamedBy] = {}
        places: dict[bytes, tuple[int, ...]] = {}
        providers: set[bytes] = set()  # name and GUID
        place, last, end = FIRST_RECORD, FIRST_RECORD, chunk.free
        try:
            for count in range(MOST_RECORDS):  # noqa: B007  # counts the records
                if place >= end:
                    break
                size, beginning = _SIZE_AND_BEGINNING(data, place)
                where = places.get(beginning)
                if where is None:
                    where = self._provider_place(xml, place, beginning, known, places)
                    if where is None:
                        return None
                if where:
                    provider = data[place + where[0] : place + where[1]]
                    if provider not in providers:
                        if self._may_be_wanted(provider):
                            return None
                        providers.add(provider)
                last = place
                place += size
            # What a record hides is not among those that were walked over, though its mark is there.
            numbers = struct.pack(f"<{count}Q", *range(chunk.first, chunk.first + count))
            if b"".join(_MARKS(data, FIRST_RECORD, end)) != numbers:
                return None
        except struct.error:
            return None
        # Those that report a cleared log are decoded, too.
        clearing = self._literal_clearing or any(one.startswith(_CLEARING_NAME) for one in providers)
        if clearing and _CLEARED in data:
            return None
        if place != end or count != (chunk.records or 0):
            return None
        return Skipped(count, 1, _WRITTEN(data, FIRST_RECORD)[0], _WRITTEN(data, last)[0])

    def _named_by(
        self, xml: ChunkXml[PlannedTemplate], head: bytes, known: dict[bytes, _NamedBy]
    ) -> _NamedBy | None:
        """Where records that begin so have their provider; None where one may be of a wanted provider."""
        fragment, token, _, key, offset = INSTANCE_HEAD.unpack(head)
        if token == INSTANCE_TOKEN and fragment == FRAGMENT_HEADER:
            try:
                template, values = xml.template(offset)
            except BinXmlError:
                return None
            if key != template.key:
                return None
            provider, guid = template.provider, template.provider_guid
            if isinstance(provider, Slot) and isinstance(guid, Slot) and guid.place == provider.place + 1:
                return _NamedBy(guid.place, offset, values)
            if not provider or isinstance(provider, Slot) or isinstance(guid, Slot):
                return None
            self._literal_clearing = self._literal_clearing or provider.lower() == _CLEARING
            return None if self.matters(provider, normalise_guid(guid)) else _NamedBy(_ELSEWHERE)
        if _ANY_FORM not in known:
            lower = xml.data.translate(_FOLD, b"\0")
            if self._pieces is None or any(lower.rfind(piece) >= 0 for piece in self._pieces):
                return None  # rfind takes half as long as `in`
            if not self._guids.isdisjoint(_GUIDS(lower)):
                return None
        known[_ANY_FORM] = _NamedBy(_ELSEWHERE)  # the whole chunk was searched
        return known[_ANY_FORM]

    def _provider_place(
        self,
        xml: ChunkXml[PlannedTemplate],
        place: int,
        beginning: bytes,
        known: dict[bytes, _NamedBy],
        places: dict[bytes, tuple[int, ...]],
    ) -> tuple[int, ...] | None:
        """Where in the record at a place name and GUID start and end; None where they may be wanted.

        Empty for `_ELSEWHERE`. `places` remembers it for the records behind that begin so.
        """
        head = beginning[: INSTANCE_HEAD.size]
        named = known.get(head)
        if named is None:
            named = self._named_by(xml, head, known)
            if named is None:
                return None
            known[head] = named
        slot, template, values = named
        where: tuple[int, ...] | None = ()
        if slot >= 0:
            start = values if template == place + _VALUES else place + _VALUES
            where = self._value_place(xml.data[start : start + 8 + 4 * slot], start - place, slot)
        # The record that spells out a template stands before it.
        if where is not None and template < place and slot <= _GUID_SLOT:
            places[beginning] = where
        return where

    def _value_place(self, key: bytes, start: int, slot: int) -> tuple[int, int] | None:
        """Where the last two of the values up to this slot start and end; their count and list, at `start`.

        None if they are not a string and a GUID, if a value before them has not a size of its type, or if the
        chunk ends within the list.
        """
        if len(key) < 8 + 4 * slot:
            return None
        found = self._places.get(key)
        if found is None:
            (count,) = _COUNT(key)
            *before, (size, kind), guid = struct.iter_unpack("<HBx", key[4:])
            if count > MAX_VALUES or slot >= count or kind != ValueType.STRING or guid != _GUID:
                return None
            if not _BEFORE.issuperset(before):
                return None
            size += guid[0]
            found = self._places.remember(key, (4 + 4 * count + sum(one for one, _ in before), size))
        return start + found[0], start + found[0] + found[1]

    def _may_be_wanted(self, raw: bytes) -> bool:
        """Whether a provider, whose name and GUID stand so in a record, is wanted, has no name or no text."""
        wanted = self._raw.get(raw)
        if wanted is None:
            name = raw[: -_GUID[0]].decode("utf-16-le", "replace").rstrip("\0")
            wanted = not name or self.matters(name, guid_text(raw[-_GUID[0] :]))
            if len(raw) <= 2 * _LONGEST_REMEMBERED:
                self._raw[raw] = wanted
        return wanted
