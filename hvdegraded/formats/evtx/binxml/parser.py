"""Binary XML of event logs: templates and fragments into trees.

How it works. A chunk of a log holds *templates* (elements whose changing parts are slots) and records, each
an *instance* of a template: the values for its slots, of which one may be a fragment of binary XML again.

1. `ChunkXml` parses a template once and remembers it; `TemplateCache` recognises the same template in other
   chunks, where only its offsets differ, without parsing it again.
2. `tree` fills trees with values: every form that occurs, slowly. `compiler` and `layout` do the usual forms
   fast, and give the same records.
3. Depth and parts of a template are bounded, and what is over a bound raises BinXmlError.

Offsets count from the chunk's start. Source of the format: libyal, "Windows XML Event Log (EVTX) format".
"""

from __future__ import annotations

import struct
from codecs import utf_16_le_decode
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from hvdegraded.formats.evtx.binxml.templates import (
    AgreedKeys,
    BinXmlError,
    Element,
    Instance,
    Part,
    Slot,
    Template,
    Value,
    is_mended,
    malformed,
    over_limit,
)
from hvdegraded.formats.evtx.format import DEFINITION_HEAD, name_hash, spelled_name
from hvdegraded.formats.evtx.mended_names import mended_name

__all__ = [
    "MAX_DEPTH",
    "ChunkXml",
    "TemplateCache",
]

MAX_DEPTH = 64  # elements and fragments in one another
MAX_VALUES = 4096  # of an instance; a descriptor takes four bytes
MAX_NAME = 256  # characters; names can overlap, so that a chunk has thousands as long as itself
MAX_WORK = 3 << 14  # parts of a chunk that are parsed or shown; full real ones take up to half of it
_MAX_PARTS = 8192  # of a template or fragment: elements, attributes, texts, slots

_END, _OPEN, _CLOSE_START, _CLOSE_EMPTY, _CLOSE, _TEXT, _ATTRIBUTE, _CDATA = range(8)
_CHARACTER, _ENTITY, _PI_TARGET, _PI_DATA, _INSTANCE, _SLOT, _OPTIONAL_SLOT, _FRAGMENT = range(8, 16)
_TEXTUAL = frozenset({_TEXT, _CHARACTER, _ENTITY, _SLOT, _OPTIONAL_SLOT})
_MORE = 0x40

_U16 = struct.Struct("<H").unpack_from
_U32 = struct.Struct("<I").unpack_from
_NAME_HEAD = struct.Struct("<IHH").unpack_from
_SLOT_HEAD = struct.Struct("<HB").unpack_from
_INSTANCE_HEAD = struct.Struct("<xxII").unpack_from
_DEFINITION_HEAD = struct.Struct("<I16sI").unpack_from
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


class _NameUse(NamedTuple):
    """A name in a template: where its offset stands, and the name if it is spelled out elsewhere."""

    place: int
    name: str | None


T = TypeVar("T", bound=Template)


class _Variant(Generic[T]):
    """One form of a template's bytes, without the offsets that differ from chunk to chunk."""

    __slots__ = ("_literals", "_names", "_unpack", "template")

    def __init__(self, template: T, definition: bytes, uses: Sequence[_NameUse]) -> None:
        self.template = template
        form, place = "<", 0
        for use in uses:
            form += f"{use.place - place}sI" + ("4x" if use.name is None else "")
            place = use.place + (8 if use.name is None else 4)
        self._unpack = struct.Struct(f"{form}{len(definition) - place}s").unpack
        self._names = [(use.place + 4, use.name, spelled_name(use.name or "")) for use in uses]
        self._literals = self._unpack(definition)[::2]

    def matches(self, definition: bytes, start: int, chunk: ChunkXml[T], *, roughly: bool = False) -> bool:
        """Whether the definition at `start` is this template; `roughly`, damaged names may be any."""
        parts = self._unpack(definition)
        if parts[::2] != self._literals:
            return False
        names = chunk.names
        for offset, (place, name, spelled) in zip(parts[1::2], self._names, strict=True):
            if name is None:
                if offset != start + place:
                    return False
            elif names.get(offset) != name:
                if offset == start + place:
                    return False
                if chunk.data.startswith(spelled, offset + 4):
                    names[offset] = name
                    continue
                try:
                    if chunk.name(offset) != name:
                        return False
                except BinXmlError:
                    if not roughly:
                        raise
        return True


class TemplateCache(Generic[T]):
    """Templates by their bytes, across chunks and files; all are forgotten where they become too many."""

    _MAX_VARIANTS = 2048
    _MAX_SIZE = 2 << 20  # bytes of all definitions; parsed they take twenty times as much
    _MAX_ALIKE = 64  # variants of one GUID and size, which are compared one after another

    def __init__(self, make: Callable[[int, tuple[Part, ...]], T]) -> None:
        self._make = make
        self._variants: dict[tuple[bytes, int], list[_Variant[T]]] = {}
        self._by_content: dict[tuple[int, tuple[Part, ...]], T] = {}
        self._count = self._size = 0

    def find(
        self, guid: bytes, definition: bytes, start: int, chunk: ChunkXml[T], *, roughly: bool = False
    ) -> T | None:
        """The template that the definition at `start` spells out, where it was seen before.

        Raises BinXmlError for a damaged name, unless `roughly`.
        """
        for variant in self._variants.get((guid, len(definition)), ()):
            if variant.matches(definition, start, chunk, roughly=roughly):
                return variant.template
        return None

    def add(self, guid: bytes, definition: bytes, content: tuple[Part, ...], uses: Sequence[_NameUse]) -> T:
        """Remember a template; equal ones become the same object."""
        self._count += 1
        self._size += len(definition)
        if self._count > self._MAX_VARIANTS or self._size > self._MAX_SIZE:
            self.clear()
        key = _U32(guid)[0], content
        template = self._by_content.get(key)
        if template is None:
            template = self._by_content[key] = self._make(*key)
        variants = self._variants.setdefault((guid, len(definition)), [])
        if len(variants) < self._MAX_ALIKE:
            variants.append(_Variant(template, definition, uses))
        return template

    def clear(self) -> None:
        """Forget all templates."""
        self._variants.clear()
        self._by_content.clear()
        self._count = self._size = 0


class ChunkXml(Generic[T]):
    """The binary XML of one chunk: `data` are its bytes, whose records end at `end`.

    `work` is how many parts may still be parsed or shown: templates can overlap and be shown repeatedly.
    `mended` says that an instance named its template with a flipped bit, `renamed` that all name another key.
    Where the chunk is `damaged`, hashes prove names, and a template without them is the one otherwise alike.
    """

    def __init__(self, data: bytes, cache: TemplateCache[T], end: int, *, damaged: bool = False) -> None:
        self.data = data
        self._damaged = damaged
        self.work = MAX_WORK
        self.mended = self.renamed = False
        self._agreed = AgreedKeys(data, end)
        self.names: dict[int, str] = {}
        self._cache = cache
        self.templates: dict[int, tuple[T, int]] = {}
        self._uses: list[_NameUse] | None = None
        self._base = 0
        self._room = _MAX_PARTS

    def name(self, offset: int) -> str:
        """The name that is spelled out at an offset."""
        name = self.names.get(offset)
        if name is None:
            try:
                _, hashed, count = _NAME_HEAD(self.data, offset)
                raw = self.data[offset + 8 : offset + 8 + 2 * min(count, MAX_NAME)]
                if self._damaged and (count > MAX_NAME or name_hash(raw) != hashed):
                    name = mended_name(self.data, offset + 4)
                elif count > MAX_NAME:
                    raise over_limit("a name in it is too long")
                elif len(raw) == 2 * count:
                    name = utf_16_le_decode(raw, "strict", True)[0]
            except (struct.error, UnicodeDecodeError):
                name = None
            if not name:
                raise malformed("a name in it is not a name")
            self.names[offset] = name
        return name

    def template(self, offset: int) -> tuple[T, int]:
        """The template defined at an offset, and where its definition ends."""
        known = self.templates.get(offset)
        if known is not None:
            return known
        data = self.data
        try:
            _, guid, size = _DEFINITION_HEAD(data, offset)
        except struct.error:
            raise malformed("its template lies outside of the chunk") from None
        start = offset + DEFINITION_HEAD
        end = start + size
        if end > len(data):
            raise malformed("its template reaches out of the chunk")
        definition = data[start:end]
        try:
            found = self._cache.find(guid, definition, start, self)
            template = self._learnt(guid, definition, start, end) if found is None else found
        except BinXmlError:
            found = self._cache.find(guid, definition, start, self, roughly=True) if self._damaged else None
            if found is None:
                raise
            template = found
        self.templates[offset] = template, end
        return template, end

    def _learnt(self, guid: bytes, definition: bytes, start: int, end: int) -> T:
        if self._uses is not None:
            raise malformed("its template defines a template")
        self._uses, self._base = [], start
        try:
            content, _ = self._parsed(start, end, raw=False)
            uses = sorted(set(self._uses), key=lambda use: use.place)
            return self._cache.add(guid, definition, content, uses)
        finally:
            self._uses = None

    def fragment(self, start: int, end: int) -> tuple[tuple[Part, ...], int]:
        """The content of a record or a value, and where it ends.

        Unlike in templates, elements do not name a value that they depend on.
        """
        if self._uses is not None:
            raise malformed("its template holds a fragment")
        return self._parsed(start, end, raw=True)

    def spend(self, work: int) -> None:
        """Count what was done for a record. Raises BinXmlError where its chunk takes too much."""
        self.work -= work
        if self.work < 0:
            raise over_limit("the records of its chunk take too much work")

    def _parsed(self, start: int, end: int, *, raw: bool) -> tuple[tuple[Part, ...], int]:
        self.spend(0)
        self._room = _MAX_PARTS
        try:
            return self._content(start, end, 0, raw=raw)
        finally:
            self.work -= _MAX_PARTS - self._room

    def instance(self, start: int, end: int) -> Instance:
        """The template instance whose token stands at `start`."""
        data = self.data
        try:
            key, offset = _INSTANCE_HEAD(data, start)
            template, place = self.template(offset)
            place = place if offset == start + 10 else start + 10
            (count,) = _U32(data, place)
        except struct.error:
            raise malformed("its template instance is cut off") from None
        if template.key != key:
            if is_mended(template.key, key):
                self.mended = True
            elif key == self._agreed[offset]:
                self.renamed = True
            else:
                raise malformed("its template is another one than it names")
        place += 4
        if count > MAX_VALUES:
            raise over_limit("it has too many values")
        self._room -= count
        here = place + 4 * count
        if here > end:
            raise malformed("its values reach out of it")
        values = []
        for size, kind, _ in struct.iter_unpack("<HBB", data[place:here]):
            values.append(Value(kind, here, here + size))
            here += size
        if here > end:
            raise malformed("its values reach out of it")
        return Instance(template, tuple(values), here)

    def _content(self, start: int, end: int, depth: int, *, raw: bool) -> tuple[tuple[Part, ...], int]:
        """The parts from `start` up to the token that closes them, and where that token ends."""
        data = self.data
        parts: list[Part] = []
        while start < end:
            self._room -= 1
            if self._room < 0:
                raise over_limit("it has too many elements")
            token = data[start]
            kind = token & ~_MORE
            if kind == _OPEN:
                element, start = self._element(start, end, depth + 1, raw=raw)
                parts.append(element)
            elif kind in _TEXTUAL:
                part, start = self._textual(kind, start, end)
                parts.append(part)
            elif kind == _CDATA:
                text, start = self._text(start + 1, end)
                parts.append(text)
            elif kind in (_END, _CLOSE):
                return tuple(parts), start + 1
            elif kind == _FRAGMENT:
                start += 4
            elif kind == _INSTANCE:
                instance = self.instance(start, end)
                parts.append(instance)
                start = instance.end
            elif kind == _PI_TARGET:
                _, start = self._name(start + 1)
            elif kind == _PI_DATA:
                _, start = self._text(start + 1, end)
            elif raw and depth == 0 and parts:
                break  # what follows the last instance pads the record
            else:
                raise malformed(f"it holds an unknown token (0x{token:02x})")
        return tuple(parts), start

    def _element(self, start: int, end: int, depth: int, *, raw: bool) -> tuple[Element, int]:
        if depth > MAX_DEPTH:
            raise over_limit("its elements are nested too deeply")
        data = self.data
        has_attributes = data[start] & _MORE
        # A template's elements name the value they depend on, as their only slot does.
        name, place = self._name(start + (5 if raw else 7))
        attributes: list[tuple[str, tuple[Part, ...]]] = []
        if has_attributes:
            place += 4
            while place < end and data[place] & ~_MORE == _ATTRIBUTE:
                key, place = self._name(place + 1)
                value, place = self._attribute_value(place, end)
                attributes.append((key, value))
        self._room -= len(attributes)
        if place >= end:
            raise malformed("an element in it is cut off")
        token = data[place]
        if token == _CLOSE_EMPTY:
            return Element(name, tuple(attributes), ()), place + 1
        if token != _CLOSE_START:
            raise malformed(f"a start tag in it holds an unknown token (0x{token:02x})")
        content, place = self._content(place + 1, end, depth, raw=raw)
        return Element(name, tuple(attributes), content), place

    def _attribute_value(self, start: int, end: int) -> tuple[tuple[Part, ...], int]:
        parts: list[Part] = []
        while start < end and (kind := self.data[start] & ~_MORE) in _TEXTUAL:
            part, start = self._textual(kind, start, end)
            parts.append(part)
        return tuple(parts), start

    def _textual(self, kind: int, start: int, end: int) -> tuple[str | Slot, int]:
        """What elements and attributes contain alike, a slot or text, and where the next token is."""
        if kind == _TEXT:
            return self._text(start + 2, end)
        if kind == _CHARACTER:
            (unit,) = self._at(_U16, start + 1)
            return chr(unit).encode("utf-16", "replace").decode("utf-16"), start + 3
        if kind == _ENTITY:
            name, start = self._name(start + 1)
            return _ENTITIES.get(name, f"&{name};"), start
        index, value_type = self._at(_SLOT_HEAD, start + 1)
        return Slot(index, value_type, kind == _OPTIONAL_SLOT), start + 4

    def _name(self, place: int) -> tuple[str, int]:
        """The name whose offset stands at `place`, and where the tokens go on."""
        (offset,) = self._at(_U32, place)
        name = self.name(offset)
        inline = offset == place + 4
        if self._uses is not None:
            self._uses.append(_NameUse(place - self._base, None if inline else name))
        return name, offset + 10 + len(name.encode("utf-16-le")) if inline else place + 4

    def _text(self, place: int, end: int) -> tuple[str, int]:
        (count,) = self._at(_U16, place)
        stop = place + 2 + 2 * count
        if stop > end:
            raise malformed("a text in it is cut off")
        try:
            return utf_16_le_decode(self.data[place + 2 : stop], "strict", True)[0], stop
        except UnicodeDecodeError:
            return self.data[place + 2 : stop].decode("utf-16-le", "surrogatepass"), stop

    def _at(self, unpack: Callable[[bytes, int], tuple[Any, ...]], place: int) -> tuple[Any, ...]:
        try:
            return unpack(self.data, place)
        except struct.error:
            raise malformed("it reaches out of the chunk") from None
