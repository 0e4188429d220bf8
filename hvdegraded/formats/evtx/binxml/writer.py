"""Binary XML as Windows stores it in event logs: element trees into templates, texts into typed values.

A record in an .evtx file is an instance of a template: the elements and attributes common to all events of
one shape stand once per chunk, and each record brings only its values. `Template` compiles such a tree
once; `ChunkBuilder.define` writes it into a chunk, where

1. each name is spelled out at its first use and afterwards referred to by its offset, and
2. each template definition is spelled out at its first use and afterwards referred to by its offset;

both are also entered in hash tables that the chunk's header keeps. Offsets count from the chunk's start.

Source of the format: libyal, "Windows XML Event Log (EVTX) format", and measurements on real logs for what
it leaves open (hash functions, order of the chains, dependency identifiers).
"""

from __future__ import annotations

import enum
import re
import struct
import uuid
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from hvdegraded.formats.evtx.binxml.values import ValueType
from hvdegraded.formats.evtx.format import (
    DEFINITION_HEAD,
    FRAGMENT_HEADER,
    INSTANCE_TOKEN,
    NAME_BUCKETS,
    TEMPLATE_BUCKETS,
    name_hash,
)

__all__ = [
    "FRAGMENT",
    "NULL",
    "ChunkBuilder",
    "Element",
    "Slot",
    "Template",
    "UnwritableError",
    "Value",
    "binary_value",
    "element_from_paths",
    "guid_value",
    "sid_value",
    "string_array_value",
    "string_value",
    "xml_name",
]

Value = tuple[int, bytes]
"""One value of a template instance: its type and its bytes."""


class _Token(enum.IntEnum):
    END = 0x00
    OPEN = 0x01
    CLOSE_START = 0x02
    CLOSE_EMPTY = 0x03
    CLOSE = 0x04
    TEXT = 0x05
    ATTRIBUTE = 0x06
    INSTANCE = INSTANCE_TOKEN
    SLOT = 0x0D
    OPTIONAL_SLOT = 0x0E
    MORE = 0x40  # flag: an element has attributes, an attribute is followed by another


FRAGMENT = FRAGMENT_HEADER.to_bytes(4, "little")
"""Header of a binary XML fragment: token, version 1.1, no flags."""

NULL: Value = (ValueType.NULL, b"")
"""An absent value: its attribute or element is not there."""

_MAX_DEPTH = 64
_NAME_START = (
    r":A-Z_a-z\xC0-\xD6\xD8-\xF6\xF8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C-\u200D\u2070-\u218F"
    r"\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
)
_XML_NAME = re.compile(rf"[{_NAME_START}][{_NAME_START}\-.0-9\xB7\u0300-\u036F\u203F-\u2040]*")
_ALWAYS = 0xFFFF  # dependency identifier: the element does not depend on a value
_UINT16 = struct.Struct("<H")
_UINT32 = struct.Struct("<I")
_NAME_HEAD = struct.Struct("<IHH")
_SLOT = struct.Struct("<BHB")
_INSTANCE = struct.Struct("<BBII")
_TEMPLATES = uuid.UUID("8e2f4c1c-6f0e-5a55-9f5b-3d1f0f6b7f11")  # namespace of our templates' GUIDs


class Slot(NamedTuple):
    """A place in a template that a value fills; an optional one vanishes, with its element, for NULL."""

    place: int
    kind: int
    optional: bool = False


class Element(NamedTuple):
    """An element of a template: literal texts are part of the template, slots are filled by each record."""

    name: str
    attributes: tuple[tuple[str, str | Slot], ...] = ()
    content: tuple[str | Slot | Element, ...] = ()


class UnwritableError(ValueError):
    """Why an event cannot be written: the rest of a sentence that begins with the event."""

    def __init__(self, what: str, hint: str | None = None) -> None:
        super().__init__(what)
        self.hint = hint


def xml_name(name: str) -> str:
    """The name itself. Raises UnwritableError where XML does not allow it for an element or attribute."""
    if _XML_NAME.fullmatch(name) is None:
        raise UnwritableError(f"has a value named {name[:80]!r}, which no XML element or attribute can be")
    return name


def element_from_paths(
    name: str, paths: Iterable[tuple[int, str | None]], *, namespace: str | None = None
) -> Element:
    """An element whose content was flattened to paths, each after the place of the value that fills it.

    Paths are `Child`, `Parent/Child`, `Parent/@attribute` and `@attribute`. Several trees flatten to the same
    paths; this one opens an element anew where the open one has had its text, or, for an attribute, where
    it has that attribute or children already. Raises UnwritableError for paths that XML does not allow.
    """
    root = _Growing(xml_name(name))
    if namespace:
        root.attributes.append(("xmlns", namespace))
    for place, path in paths:
        root.grow(path, Slot(place, ValueType.STRING))
    return root.frozen()


class _Growing:
    """An element of `element_from_paths` that may still get attributes and children."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.attributes: list[tuple[str, str | Slot]] = []
        self.content: list[Slot | _Growing] = []

    def grow(self, path: str | None, slot: Slot) -> None:
        if path is None:
            raise UnwritableError("has a value without a name outside EventData")
        *parents, last = path.split("/")
        if len(parents) > _MAX_DEPTH:
            raise UnwritableError(f"has elements deeper than {_MAX_DEPTH}")
        if not last.startswith("@"):
            self._descend(parents)._leaf(xml_name(last)).content.append(slot)
            return
        attribute = xml_name(last[1:])
        element = self._descend(parents)
        if attribute in dict(element.attributes) or (parents and element.content):
            if not parents:
                raise UnwritableError(f"has {path!r} twice")
            element = self._descend(parents[:-1])._child(parents[-1])
        element.attributes.append((attribute, slot))

    def _descend(self, parents: Iterable[str]) -> _Growing:
        element = self
        for name in parents:
            last = element.content[-1] if element.content else None
            if isinstance(last, _Growing) and last.name == name and not last._has_text:
                element = last
            else:
                element = element._child(xml_name(name))
        return element

    def _leaf(self, name: str) -> _Growing:
        last = self.content[-1] if self.content else None
        if isinstance(last, _Growing) and last.name == name and last.attributes and not last.content:
            return last
        return self._child(name)

    def _child(self, name: str) -> _Growing:
        child = _Growing(name)
        self.content.append(child)
        return child

    @property
    def _has_text(self) -> bool:
        return bool(self.content) and isinstance(self.content[0], Slot)

    def frozen(self) -> Element:
        content = [item if isinstance(item, Slot) else item.frozen() for item in self.content]
        return Element(self.name, tuple(self.attributes), tuple(content))


class Template:
    """An element tree compiled once, to be written into any chunk.

    `guid` follows from the tree alone, so equal trees give equal bytes. Raises struct.error for a name or
    literal of more than 65,535 UTF-16 code units.
    """

    __slots__ = ("bucket", "guid", "names", "size", "steps")

    def __init__(self, root: Element) -> None:
        self.steps: list[bytes | str | None] = []
        """What to write: bytes as they are; a str is a name; None leaves room for a size, the next closes it.

        Each element's steps are bracketed: `None` opens a size, `b""` closes the innermost open one.
        """
        self._element(root)
        self.steps.append(bytes([_Token.END]))
        self.names = frozenset(step for step in self.steps if isinstance(step, str))
        self.size = DEFINITION_HEAD + len(FRAGMENT)
        self.size += sum(4 if not isinstance(step, bytes) else len(step) for step in self.steps)
        self.guid = uuid.uuid5(_TEMPLATES, repr(self.steps)).bytes_le
        self.bucket = name_hash(self.guid) % TEMPLATE_BUCKETS

    def _element(self, element: Element) -> None:
        attributes = element.attributes
        token = _Token.OPEN | (_Token.MORE if attributes else 0)
        self._bytes(bytes([token]) + _UINT16.pack(_dependency(element)))
        self.steps.append(None)
        self.steps.append(element.name)
        if attributes:
            self.steps.append(None)
            for place, (name, content) in enumerate(attributes, 1):
                self._bytes(bytes([_Token.ATTRIBUTE | (_Token.MORE if place < len(attributes) else 0)]))
                self.steps.append(name)
                self._content(content)
            self.steps.append(b"")
        if element.content:
            self._bytes(bytes([_Token.CLOSE_START]))
            for item in element.content:
                if isinstance(item, Element):
                    self._element(item)
                else:
                    self._content(item)
            self._bytes(bytes([_Token.CLOSE]))
        else:
            self._bytes(bytes([_Token.CLOSE_EMPTY]))
        self.steps.append(b"")

    def _content(self, content: str | Slot) -> None:
        if isinstance(content, str):
            units = _utf16(content)
            self._bytes(bytes([_Token.TEXT, ValueType.STRING]) + _UINT16.pack(len(units) // 2) + units)
        else:
            token = _Token.OPTIONAL_SLOT if content.optional else _Token.SLOT
            self._bytes(_SLOT.pack(token, content.place, content.kind))

    def _bytes(self, piece: bytes) -> None:
        last = self.steps[-1] if self.steps else None
        if isinstance(last, bytes) and last:
            self.steps[-1] = last + piece
        else:
            self.steps.append(piece)


def _dependency(element: Element) -> int:
    """The value without which the element is not written: the optional slot that is all its content."""
    if not element.content or not isinstance(element.content[-1], Slot):
        return _ALWAYS
    slot = element.content[-1]
    return slot.place if slot.optional else _ALWAYS


class ChunkBuilder:
    """A chunk in the making: its bytes so far, and which names and templates stand where in it."""

    def __init__(self, head: int) -> None:
        self.bytes = bytearray(head)
        self.name_heads = [0] * NAME_BUCKETS
        self.template_heads = [0] * TEMPLATE_BUCKETS
        self._names: dict[str, int] = {}
        self._templates: dict[bytes, int] = {}

    def room_for(self, templates: Iterable[Template]) -> int:
        """Bytes that the definitions of these templates would take here, their new names included."""
        size = 0
        names: set[str] = set()
        for template in templates:
            if template.guid not in self._templates:
                size += template.size
                names |= template.names
        for name in names:
            if name not in self._names:
                size += _NAME_HEAD.size + 2 + len(_utf16(name))
        return size

    def write_instance(self, template: Template, values: Sequence[Value]) -> int:
        """Write an instance of the template, defining it if it is new here.

        Returns the position of the descriptor of its first value.
        """
        out = self.bytes
        known = self._templates.get(template.guid)
        here = len(out) + _INSTANCE.size
        head = template.guid[:4]
        out += _INSTANCE.pack(_Token.INSTANCE, 1, _UINT32.unpack(head)[0], here if known is None else known)
        if known is None:
            self._define(template)
        out += _UINT32.pack(len(values))
        descriptors = len(out)
        out += struct.pack(f"<{len(values)}I", *[len(data) | kind << 16 for kind, data in values])
        out += b"".join([data for _, data in values])
        return descriptors

    def _define(self, template: Template) -> None:
        out = self.bytes
        start = len(out)
        out += _UINT32.pack(self.template_heads[template.bucket]) + template.guid
        sizes = [len(out)]
        out += bytes(4) + FRAGMENT
        for step in template.steps:
            if step is None:
                sizes.append(len(out))
                out += bytes(4)
            elif isinstance(step, str):
                self._name(step)
            elif step:
                out += step
            else:
                place = sizes.pop()
                _UINT32.pack_into(out, place, len(out) - place - 4)
        place = sizes.pop()
        _UINT32.pack_into(out, place, len(out) - place - 4)
        self.template_heads[template.bucket] = self._templates[template.guid] = start

    def _name(self, name: str) -> None:
        out = self.bytes
        known = self._names.get(name)
        if known is not None:
            out += _UINT32.pack(known)
            return
        start = len(out) + 4
        units = _utf16(name)
        number = name_hash(units)
        bucket = number % NAME_BUCKETS
        out += _UINT32.pack(start)
        out += _NAME_HEAD.pack(self.name_heads[bucket], number, len(units) // 2) + units + b"\0\0"
        self.name_heads[bucket] = self._names[name] = start


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


def string_value(text: str) -> Value:
    """A text, without closing NUL as in exported logs; any code units, lone surrogates included."""
    return ValueType.STRING, text.encode("utf-16-le", "surrogatepass")


def string_array_value(texts: Iterable[str]) -> Value:
    """Several texts in one value, each closed by a NUL (so that none may contain one)."""
    return ValueType.STRINGS, _utf16("".join([text + "\0" for text in texts]))


_HEX = re.compile(r"(?:[0-9A-F]{2})*", re.ASCII)
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
_SID = re.compile(r"S-1-(0|[1-9]\d{0,9})((?:-(?:0|[1-9]\d{0,9})){1,15})", re.ASCII)


def binary_value(text: str) -> Value | None:
    """Bytes of upper-case hex as Windows renders them; None for any other text."""
    return (ValueType.BINARY, bytes.fromhex(text)) if _HEX.fullmatch(text) else None


@lru_cache(maxsize=1024)
def guid_value(text: str) -> Value:
    """A GUID without braces; any other text stays a string."""
    if _GUID.fullmatch(text) is None:
        return string_value(text)
    return ValueType.GUID, uuid.UUID(text).bytes_le


@lru_cache(maxsize=1024)
def sid_value(text: str) -> Value:
    """A security identifier `S-1-5-18`; any other text stays a string."""
    match = _SID.fullmatch(text)
    if match is None:
        return string_value(text)
    authority, *parts = [int(match[1]), *map(int, match[2].split("-")[1:])]
    if max(authority, *parts) > 0xFFFFFFFF:
        return string_value(text)
    packed = struct.pack(f"<{len(parts)}I", *parts)
    return ValueType.SID, bytes([1, len(parts)]) + authority.to_bytes(6, "big") + packed
