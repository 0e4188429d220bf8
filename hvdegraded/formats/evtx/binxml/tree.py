"""Trees of binary XML with the values of a record → elements, every form that occurs.

Output is bounded, since instances in instances multiply: what takes more instances, elements or text than any
event does raises BinXmlError.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hvdegraded.formats.evtx.binxml.parser import MAX_DEPTH, ChunkXml
from hvdegraded.formats.evtx.binxml.templates import (
    Element,
    Instance,
    Part,
    Slot,
    Value,
    malformed,
    over_limit,
)
from hvdegraded.formats.evtx.binxml.values import (
    ARRAY,
    BadTextError,
    ValueType,
    array_texts,
    has_other_type,
    value_text,
)
from hvdegraded.records.record import Anomaly

__all__ = ["Node", "expand"]

MAX_INSTANCES = 64  # fragments of a record; real ones have up to four
MAX_PARTS = 2048  # elements, attributes, items and texts of a record, plus one for each of its bytes
MAX_TEXT = 1 << 18  # bytes of values and characters of literals in a record
_PADDING = 7  # bytes behind a record's binary XML: records are filled up to a multiple of eight
MAX_NAMESPACE = 1024  # characters; each element's tag repeats it


class Node:
    """An element with its texts filled in, to be read as lxml's elements are."""

    __slots__ = ("_attributes", "_children", "_texts", "tag", "tail", "text")

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.text: str | None = None
        self.tail: str | None = None
        self._attributes: dict[str, str] = {}
        self._children: list[Node] = []
        self._texts: list[str] = []

    def __iter__(self) -> Iterator[Node]:
        return iter(self._children)

    def __len__(self) -> int:
        return len(self._children)

    def get(self, name: str) -> str | None:
        """Value of an attribute."""
        return self._attributes.get(name)

    def keys(self) -> list[str]:
        """Names of the attributes, without namespace declarations."""
        return list(self._attributes)

    def items(self) -> list[tuple[str, str]]:
        """Names and values of the attributes, without namespace declarations."""
        return list(self._attributes.items())

    def iterchildren(self, _tag: str = "*") -> Iterator[Node]:
        """The children, all of which are elements."""
        return iter(self._children)

    def set(self, name: str, value: str) -> None:
        """Set an attribute."""
        self._attributes[name] = value

    def append_text(self, text: str) -> None:
        """Add text behind what is there; it shows once a child or the node's end follows."""
        if text:
            self._texts.append(text)

    def append(self, child: Node) -> None:
        """Add a child behind what is there."""
        self.end()
        self._children.append(child)

    def end(self) -> None:
        """Take the text that was added."""
        if not self._texts:
            return
        text = "".join(self._texts)
        self._texts.clear()
        if self._children:
            self._children[-1].tail = text
        else:
            self.text = text


def expand(chunk: ChunkXml[Any], start: int, end: int) -> tuple[Node, tuple[str, ...]]:
    """The element of the record whose binary XML is data[start:end], and the anomalies of its values.

    Raises BinXmlError for what is not an event or is over a limit.
    """
    expansion = _Expansion(chunk, end - start)
    root = Node("")
    try:
        expansion.fill(root, expansion.fragment(start, end, _PADDING), (), {}, 0)
    finally:
        chunk.work -= expansion.done
    for node in root:
        if node.tag.rpartition("}")[2] == "Event":
            return node, tuple(expansion.anomalies)
    raise malformed("it holds no <Event>")


class _Expansion:
    """One record being filled in, and what it may still take."""

    def __init__(self, chunk: ChunkXml[Any], size: int) -> None:
        self.anomalies: dict[Anomaly, None] = {}
        self._chunk = chunk
        self._instances = MAX_INSTANCES
        self._parts = MAX_PARTS + size
        self._most = self._parts
        self._text = MAX_TEXT
        self._tags: dict[tuple[str, str], str] = {}

    @property
    def done(self) -> int:
        """How many parts were shown."""
        return self._most - self._parts

    def fill(
        self, node: Node, parts: Sequence[Part], values: Sequence[Value], scope: dict[str, str], depth: int
    ) -> None:
        """Add parts to a node; `scope` maps prefixes to namespaces."""
        self._show(len(parts))
        for part in parts:
            if isinstance(part, Element):
                self._add_element(node, part, values, scope, depth + 1)
            elif isinstance(part, Slot):
                value = self._value(part, values)
                if value is not None and value.kind == ValueType.BINXML:
                    self._enter(depth)
                    inner = self.fragment(value.start, value.end)
                    self.fill(node, inner, (), scope, depth + 1)
                elif value is not None:
                    node.append_text(self._joined(value))
            elif isinstance(part, Instance):
                self._enter(depth)
                self.fill(node, part.template.content, part.values, scope, depth + 1)
            else:
                node.append_text(self._literal(part))

    def fragment(self, start: int, end: int, padding: int = 0) -> tuple[Part, ...]:
        """The content of the record or the value in data[start:end], behind which so many bytes may follow.

        Where it does not end so, a value in it has another size than its descriptor says.
        """
        parts, stop = self._chunk.fragment(start, end)
        is_ended = stop > start and not self._chunk.data[stop - 1]
        several = sum(isinstance(part, (Element, Instance)) for part in parts) > 1
        if end - stop > padding or not is_ended or several:
            self.anomalies[Anomaly.BYTES_LEFT] = None
        return parts

    def _enter(self, depth: int) -> None:
        self._instances -= 1
        if depth >= MAX_DEPTH or self._instances < 0:
            raise over_limit("it nests too many templates")

    def _add_element(
        self, parent: Node, element: Element, values: Sequence[Value], scope: dict[str, str], depth: int
    ) -> None:
        if depth > MAX_DEPTH:
            raise over_limit("its elements are nested too deeply")
        content = element.content
        only = content[0] if len(content) == 1 else None
        if isinstance(only, Slot) and only.optional and self._value(only, values) is None:
            return
        attributes = []
        declared = {}
        self._show(len(element.attributes))
        for name, parts in element.attributes:
            text = self._attribute(parts, values)
            if text is None:
                continue
            if name == "xmlns" or name.startswith("xmlns:"):
                declared[name[6:]] = text
            else:
                attributes.append((name.rpartition(":")[2] or name, text))
        if declared:
            self._show(len(scope))
            scope = {**scope, **declared}
        tag = self._tag(element.name, scope)
        for node, filled in self._nodes_of(content, values, tag):
            self._show(len(attributes))
            for name, text in attributes:
                node.set(name, text)
            if not filled:
                self.fill(node, content, values, scope, depth)
                node.end()
            parent.append(node)

    def _tag(self, name: str, scope: dict[str, str]) -> str:
        prefix, _, local = name.rpartition(":")
        namespace = scope.get(prefix, "")
        if not namespace:
            return local or name
        if len(namespace) > MAX_NAMESPACE:
            raise over_limit("the name of its namespace is too long")
        tag = self._tags.get((namespace, local))
        if tag is None:
            tag = self._tags[namespace, local] = f"{{{namespace}}}{local}"
        return tag

    def _nodes_of(
        self, content: tuple[Part, ...], values: Sequence[Value], tag: str
    ) -> Iterator[tuple[Node, bool]]:
        """An element for each item where an array is all content, else one; and whether it is filled."""
        if len(content) == 1 and isinstance(content[0], Slot):
            value = self._value(content[0], values)
            if value is not None and value.kind & ARRAY:
                for text in self._items(value):
                    node = Node(tag)
                    node.text = text or None
                    yield node, True
                return
        yield Node(tag), False

    def _attribute(self, parts: Sequence[Part], values: Sequence[Value]) -> str | None:
        """Text of an attribute; None where it is left out."""
        texts = []
        self._show(len(parts))
        for part in parts:
            if isinstance(part, Slot):
                value = self._value(part, values)
                if value is not None:
                    texts.append(self._joined(value))
                elif part.optional and len(parts) == 1:
                    return None
            elif isinstance(part, str):
                texts.append(self._literal(part))
        return "".join(texts)

    def _literal(self, text: str) -> str:
        self._spend(len(text))
        try:
            text.encode()
        except UnicodeEncodeError:
            self.anomalies[Anomaly.HALF_CHARACTERS] = None
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return text

    def _value(self, slot: Slot, values: Sequence[Value]) -> Value | None:
        if slot.place >= len(values):
            self.anomalies[Anomaly.ABSENT_VALUE] = None
            return None
        value = values[slot.place]
        is_blank = value.kind == ValueType.NULL and not self._chunk.data[value.start : value.end].strip(b"\0")
        if not is_blank and has_other_type(slot.kind, value.kind, value.end - value.start):
            self.anomalies[Anomaly.OTHER_TYPE] = None
        return None if value.kind == ValueType.NULL else value

    def _joined(self, value: Value) -> str:
        """Text of a value; an array's items with commas between."""
        if value.kind & ARRAY:
            return ", ".join(self._items(value))
        raw = self._raw(value)
        try:
            return value_text(value.kind, raw)
        except BadTextError as error:
            self.anomalies[error.anomaly] = None
            return value_text(value.kind, raw, lenient=True)

    def _items(self, value: Value) -> Iterator[str]:
        raw = self._raw(value)
        kind = value.kind & ~ARRAY
        try:
            items = list(array_texts(kind, raw))
        except BadTextError as error:
            self.anomalies[error.anomaly] = None
            items = list(array_texts(kind, raw, lenient=True))
        self._show(len(items))
        return iter(items)

    def _raw(self, value: Value) -> bytes:
        self._spend(value.end - value.start)
        return self._chunk.data[value.start : value.end]

    def _show(self, parts: int) -> None:
        self._parts -= parts
        if self._parts < 0:
            raise over_limit("it has too many elements")

    def _spend(self, amount: int) -> None:
        self._text -= amount
        if self._text < 0:
            raise over_limit("its text is too long")
