"""How an event is laid out in an exported log: which values stand where."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from hvdegraded.formats.evtx.binxml.values import ValueType
from hvdegraded.formats.evtx.binxml.writer import (
    NULL,
    Element,
    Slot,
    UnwritableError,
    Value,
    binary_value,
    element_from_paths,
    guid_value,
    sid_value,
    string_value,
    xml_name,
)
from hvdegraded.formats.evtx.format import EVENT_NAMESPACE
from hvdegraded.records.record import EventRecord
from hvdegraded.records.system_fields import SYSTEM_FIELDS

__all__ = []

# Where the outer template's values stand, and how they are typed; provider, GUID and channel (14 to 16) are
# NULL for classic providers. Measured on real logs.
_NUMBERS = (
    ("level", 0, ValueType.UINT8, struct.Struct("<B")),
    ("opcode", 1, ValueType.UINT8, struct.Struct("<B")),
    ("task", 2, ValueType.UINT16, struct.Struct("<H")),
    ("event_id", 3, ValueType.UINT16, struct.Struct("<H")),
    ("qualifiers", 4, ValueType.UINT16, struct.Struct("<H")),
    ("keywords", 5, ValueType.HEX64, struct.Struct("<Q")),
    ("time_ticks", 6, ValueType.FILETIME, struct.Struct("<Q")),
    ("process_id", 8, ValueType.UINT32, struct.Struct("<I")),
    ("thread_id", 9, ValueType.UINT32, struct.Struct("<I")),
    ("record_id", 10, ValueType.UINT64, struct.Struct("<Q")),
    ("version", 11, ValueType.UINT8, struct.Struct("<B")),
)
_ACTIVITY, _USER, _PROVIDER, _GUID, _CHANNEL = 7, 12, 14, 15, 16
_RELATED_OF_MANIFEST, _RELATED_OF_CLASSIC = 13, 18
_MANIFEST_VALUES, _CLASSIC_VALUES = 17, 19  # without the payload, which comes last
_NEWER = ("Version", "Opcode", "Correlation", "Execution")


def system_values(record: EventRecord, header_id: int, classic: bool) -> list[Value]:
    values = [NULL] * (_CLASSIC_VALUES if classic else _MANIFEST_VALUES)
    if record.record_id is None:
        record = record._replace(record_id=header_id)
    for field, index, kind, layout in _NUMBERS:
        number = getattr(record, field)
        if number is not None:
            try:
                values[index] = (kind, layout.pack(number))
            except struct.error:
                most = (1 << 8 * layout.size) - 1
                raise UnwritableError(f"has {field} {number!r}, and a log holds 0 to {most:,}") from None
    if record.activity_id is not None:
        values[_ACTIVITY] = guid_value(record.activity_id)
    if record.related_activity_id is not None:
        index = _RELATED_OF_CLASSIC if classic else _RELATED_OF_MANIFEST
        values[index] = guid_value(record.related_activity_id)
    if record.user_id is not None:
        values[_USER] = sid_value(record.user_id)
    if record.provider_guid is not None and not classic:
        values[_PROVIDER] = string_value(record.provider) if record.provider else NULL
        values[_GUID] = guid_value(record.provider_guid)
        values[_CHANNEL] = string_value(record.channel) if record.channel else NULL
    values += [string_value(text) for _, text in record.extra]
    return values


def data_value(name: str | None, text: str) -> Value:
    return (binary_value(text) if name == "Binary" else None) or string_value(text)


def is_old_classic(record: EventRecord) -> bool:
    """Whether this looks like a classic event of older Windows, whose template lacks `_NEWER`."""
    newer = (record.version, record.opcode, record.activity_id, record.related_activity_id)
    return not record.extra and {*newer, record.process_id, record.thread_id} == {None}


def _fillings(record: EventRecord, classic: bool) -> dict[str, str | Slot | None]:
    """What fills each field of `<System>` in a record's template: a slot, a literal, or nothing."""
    slots = {field: (index, kind) for field, index, kind, _ in _NUMBERS}
    slots["activity_id"] = _ACTIVITY, ValueType.GUID
    slots["related_activity_id"] = _RELATED_OF_CLASSIC if classic else _RELATED_OF_MANIFEST, ValueType.GUID
    slots["user_id"] = _USER, ValueType.SID
    literals: dict[str, str | None] = {"computer": record.computer}
    if classic:
        guid = record.provider_guid and f"{{{record.provider_guid.lower()}}}"
        literals |= {"provider": record.provider, "provider_guid": guid}
        literals |= {"event_source": record.event_source, "channel": record.channel}
    else:
        slots["provider"] = _PROVIDER, ValueType.STRING
        slots["provider_guid"] = _GUID, ValueType.GUID
        slots["channel"] = _CHANNEL, ValueType.STRING
    return {**{field: Slot(index, kind, optional=True) for field, (index, kind) in slots.items()}, **literals}


def outer_tree(record: EventRecord, classic: bool, tag: str | None) -> Element:
    """Build `<Event>` around everything: the order of elements and the numbers of slots are Windows'."""
    fillings = _fillings(record, classic)
    newer = _NEWER if classic and is_old_classic(record) else ()
    system: list[Element] = []
    for name, rows in groupby(SYSTEM_FIELDS, attrgetter("element")):
        attributes: list[tuple[str, str | Slot]] = []
        content: list[str | Slot] = []
        for row in rows:
            filling = fillings.get(row.field)
            if filling and row.attribute is None:
                content.append(filling)
            elif filling and row.attribute is not None:
                attributes.append((row.attribute, filling))
        if name not in newer:
            system.append(Element(name, tuple(attributes), tuple(content)))
    count = _CLASSIC_VALUES if classic else _MANIFEST_VALUES
    system = _with_extra(system, [name for name, _ in record.extra], count)
    parts: list[Slot | Element] = [Element("System", (), tuple(system))]
    if tag is not None:
        payload = Slot(count + len(record.extra), ValueType.BINXML, optional=True)
        parts.append(Element(xml_name(tag), (), (payload,)) if tag else payload)
    return Element("Event", (("xmlns", EVENT_NAMESPACE),), tuple(parts))


def _with_extra(system: list[Element], names: Sequence[str | None], first_slot: int) -> list[Element]:
    """The elements of `<System>` with what else an event has there, each a string in a slot of its own."""
    known = {element.name: place for place, element in enumerate(system)}
    others: list[tuple[int, str | None]] = []
    for index, name in enumerate(names, first_slot):
        head, _, attribute = (name or "").partition("/@")
        if not attribute or head not in known:
            others.append((index, name))
            continue
        element = system[known[head]]
        if attribute in dict(element.attributes):
            raise UnwritableError(f"has {name!r} twice")
        slot = Slot(index, ValueType.STRING, optional=True)
        system[known[head]] = element._replace(
            attributes=(*element.attributes, (xml_name(attribute), slot)),
        )
    added = element_from_paths("System", others)
    if added.attributes:
        raise UnwritableError(f"has an attribute {added.attributes[0][0]!r} of <System> itself")
    return [*system, *[child for child in added.content if isinstance(child, Element)]]


def _xmlns(namespace: str | None) -> tuple[tuple[str, str | Slot], ...]:
    return (("xmlns", namespace),) if namespace else ()


def unnamed_tree(namespace: str | None) -> Element:
    texts = Slot(0, ValueType.STRINGS, optional=True)
    binary = Slot(2, ValueType.BINARY, optional=True)
    children = (Element("Data", (), (texts,)), Element("Binary", (), (binary,)))
    return Element("EventData", _xmlns(namespace), children)


def data_tree(namespace: str | None, names: Sequence[str | None], values: Sequence[Value]) -> Element:
    children = []
    for index, (name, (kind, _)) in enumerate(zip(names, values, strict=True)):
        content = (Slot(index, kind),)
        if kind == ValueType.BINARY:
            children.append(Element("Binary", (), content))
        else:
            children.append(Element("Data", () if name is None else (("Name", name),), content))
    return Element("EventData", _xmlns(namespace), tuple(children))
