"""The usual records of event logs, decoded fast: straight from bytes to EventRecord.

How it works. Nearly every record is an instance of a template whose `<System>` is plain and whose payload
is one value, itself an instance of a template with plain elements in it. A *plan* says once for such a
template which slot fills which field. With the sizes and types of an instance's values it becomes a
*layout*: one `struct.Struct` that unpacks all values at once, and what to make of each. Layouts are
remembered by the bytes that list sizes and types, since records of one shape repeat.

Whatever is not usual gets no plan or no layout, and `expansion` decodes it; both ways give the same record.
"""

from __future__ import annotations

import struct
from codecs import utf_16_le_decode
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from hvdegraded.record import EventRecord, Field
from hvdegraded.sources.binxml import Element, Part, Slot, Template
from hvdegraded.sources.values import (
    ARRAY,
    UNSIGNED,
    ValueType,
    array_texts,
    guid_text,
    sid_text,
    string_text,
    struct_code,
)

__all__ = ["Made", "PayloadLayout", "PlannedTemplate", "SystemLayout", "fields_of", "system_texts"]

_MAX_FIELDS = 256  # of a payload that is read fast; the expansion reads larger ones, within its bounds
_MAX_LAYOUTS = 4096  # per template
_MAX_TEXTS = 8192
_LONGEST_TEXT = 512  # bytes of a text that is remembered

_NUMBERS = {
    "EventID": "event_id",
    "EventID/@Qualifiers": "qualifiers",
    "Version": "version",
    "Level": "level",
    "Task": "task",
    "Opcode": "opcode",
    "Keywords": "keywords",
    "EventRecordID": "record_id",
    "Execution/@ProcessID": "process_id",
    "Execution/@ThreadID": "thread_id",
}
_TEXTS = {
    "Provider/@Name": "provider",
    "Provider/@EventSourceName": "event_source",
    "Channel": "channel",
    "Computer": "computer",
}
_GUIDS = {
    "Provider/@Guid": "provider_guid",
    "Correlation/@ActivityID": "activity_id",
    "Correlation/@RelatedActivityID": "related_activity_id",
}
_TIME, _USER = "TimeCreated/@SystemTime", "Security/@UserID"
_FIELD_OF = {**_NUMBERS, **_TEXTS, **_GUIDS, _TIME: "time_ticks", _USER: "user_id"}
_PLACE = {name: place for place, name in enumerate(EventRecord._fields)}
_SYSTEM_FIELDS = _PLACE["payload"]
_BARE = EventRecord()[:_SYSTEM_FIELDS]
_EVENT_NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"


class _Texts(dict[bytes, str]):
    """Texts of values that repeat: providers, channels, GUIDs, users."""

    def __init__(self, convert: Callable[[bytes], str]) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, raw: bytes) -> str:
        text = self._convert(raw)
        if len(raw) <= _LONGEST_TEXT:
            if len(self) >= _MAX_TEXTS:
                self.clear()
            self[raw] = text
        return text


_STRINGS, _GUID_TEXTS, _SIDS = range(3)


class _Entry(NamedTuple):
    """A field of a record: its name, and the literal or slot that fills it."""

    name: str | None
    filling: str | Slot


class SystemLayout(NamedTuple):
    """How to read the outer values of a record.

    `unpack` gives a tuple; with `constants` behind it, `pick` makes of it the System fields of EventRecord,
    of which `texts` must be looked up (place, which table). The payload is data[start:end], counted from the
    first value; `event_data` says whether it stands for itself or in `<UserData>`.
    """

    size: int
    unpack: Callable[[bytes, int], tuple[Any, ...]]
    constants: tuple[Any, ...]
    pick: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    texts: tuple[tuple[int, int], ...]
    start: int
    end: int
    event_data: bool


class PayloadLayout(NamedTuple):
    """How to read the values of a payload into named texts."""

    size: int
    unpack: Callable[[bytes, int], tuple[Any, ...]]
    constants: tuple[Any, ...]
    pick: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    names: tuple[str | None, ...]
    only_strings: bool
    converters: tuple[Callable[..., Any], ...]
    arrays: bool
    payload: str
    namespace: str | None


def fields_of(layout: PayloadLayout, raw: tuple[Any, ...]) -> tuple[Field, ...]:
    """Names and texts of a payload's values as unpacked."""
    picked = layout.pick(raw + layout.constants)
    if layout.only_strings:
        texts: list[Any] = [utf_16_le_decode(value)[0].rstrip("\0") for value in picked]
        return tuple(zip(layout.names, texts, strict=True))
    texts = [convert(value) for convert, value in zip(layout.converters, picked, strict=True)]
    if not layout.arrays:
        return tuple(zip(layout.names, texts, strict=True))
    fields: list[Field] = []
    for name, text in zip(layout.names, texts, strict=True):
        if isinstance(text, str):
            fields.append((name, text))
        else:
            fields += [(name, item) for item in text]
    return tuple(fields)


# -------------------------------------------------------------------- plans


class PlannedTemplate(Template):
    """A template with its layouts, by the bytes that list sizes and types of an instance's values.

    A layout is None where such instances are not of a usual form. `made` counts layouts of all templates.
    """

    __slots__ = ("event_data", "system", "user_data")

    def __init__(self, key: int, content: tuple[Part, ...], made: Made | None = None) -> None:
        super().__init__(key, content)
        made = made or Made()
        self.system: dict[bytes, SystemLayout | None] = _Layouts(_system_plan(content), made)
        self.event_data: dict[bytes, PayloadLayout | None] = _Layouts(_event_data_plan(content), made)
        self.user_data: dict[bytes, PayloadLayout | None] = _Layouts(_user_data_plan(content), made)


class Made:
    """How many layouts were made: each takes a kilobyte or two, and hostile logs need one for each record."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


L_co = TypeVar("L_co", covariant=True)
L = TypeVar("L")


class _Plan(Protocol[L_co]):
    def layout(self, descriptors: bytes) -> L_co | None: ...


class _Layouts(dict[bytes, L | None], Generic[L]):
    def __init__(self, plan: _Plan[L] | None, made: Made) -> None:
        super().__init__()
        self._plan = plan
        self._made = made

    def __missing__(self, descriptors: bytes) -> L | None:
        if len(self) >= _MAX_LAYOUTS:
            self.clear()
        self._made.count += 1
        layout = self[descriptors] = None if self._plan is None else self._plan.layout(descriptors)
        return layout


class _UnusualError(Exception):
    """A template has a form that has no plan."""


def _root(content: Sequence[Part]) -> Element:
    if len(content) != 1 or not isinstance(content[0], Element):
        raise _UnusualError
    return content[0]


def _literals(element: Element) -> dict[str, str]:
    """An element's attributes where all are literals."""
    found: dict[str, str] = {}
    for name, parts in element.attributes:
        if len(parts) > 1 or (parts and not isinstance(parts[0], str)) or name in found:
            raise _UnusualError
        found[name] = str(parts[0]) if parts else ""
    return found


def _is_namespace(name: str) -> bool:
    return name == "xmlns" or name.startswith("xmlns:")


def _attribute_entries(attributes: dict[str, str]) -> list[_Entry]:
    return [
        _Entry("@" + _plain_name(name), text) for name, text in attributes.items() if not _is_namespace(name)
    ]


def _plain_name(name: str) -> str:
    if ":" in name or "}" in name:
        raise _UnusualError
    return name


def _filling(parts: Sequence[Part]) -> str | Slot:
    if not parts:
        return ""
    if len(parts) > 1 or not isinstance(parts[0], (str, Slot)):
        raise _UnusualError
    return parts[0]


def _each_slot_once(entries: Sequence[_Entry]) -> None:
    slots = [entry.filling.place for entry in entries if isinstance(entry.filling, Slot)]
    if len(set(slots)) != len(slots):
        raise _UnusualError


def _elements(parts: Sequence[Part]) -> list[Element]:
    elements = [part for part in parts if isinstance(part, Element)]
    if len(elements) != len(parts):
        raise _UnusualError
    return elements


def _system_plan(content: Sequence[Part]) -> _SystemPlan | None:
    try:
        event = _root(content)
        if event.name != "Event" or _literals(event) != {"xmlns": _EVENT_NAMESPACE}:
            return None
        system, *rest = event.content or ("",)
        if not isinstance(system, Element) or system.name != "System" or system.attributes:
            return None
        entries: list[_Entry] = []
        for element in _elements(system.content):
            path = _plain_name(element.name)
            for name, parts in element.attributes:
                entries.append(_Entry(f"{path}/@{_plain_name(name)}", _filling(parts)))
            if element.content:
                entries.append(_Entry(path, _filling(element.content)))
        _each_slot_once(entries)
        if len({entry.name for entry in entries}) != len(entries):
            return None
        if not rest:
            return _SystemPlan(entries, None, event_data=True)
        payload = rest[0]
        if len(rest) > 1:
            return None
        if isinstance(payload, Slot):
            return _SystemPlan(entries, payload.place, event_data=True)
        if isinstance(payload, Element) and payload.name == "UserData" and not payload.attributes:
            slot = _filling(payload.content)
            if isinstance(slot, Slot):
                return _SystemPlan(entries, slot.place, event_data=False)
    except _UnusualError:
        pass
    return None


def _event_data_plan(content: Sequence[Part]) -> _PayloadPlan | None:
    try:
        root = _root(content)
        if root.name != "EventData":
            return None
        entries = _attribute_entries(_literals(root))
        for element in _elements(root.content):
            label: str | None = _plain_name(element.name)
            attributes = _literals(element)
            if label == "Data":
                label = attributes.pop("Name", None) or None
            if attributes:
                return None
            entries.append(_Entry(label, _filling(element.content)))
        _each_slot_once(entries)
        return _PayloadPlan(entries, "EventData", None)
    except _UnusualError:
        return None


def _user_data_plan(content: Sequence[Part]) -> _PayloadPlan | None:
    try:
        root = _root(content)
        attributes = _literals(root)
        namespace = attributes.get("xmlns")
        entries = _attribute_entries(attributes)
        for element in _elements(root.content):
            if not all(_is_namespace(name) for name in _literals(element)):
                return None
            entries.append(_Entry(_plain_name(element.name), _filling(element.content)))
        _each_slot_once(entries)
        if namespace == _EVENT_NAMESPACE:
            namespace = None
        return _PayloadPlan(entries, f"UserData/{_plain_name(root.name)}", namespace or None)
    except _UnusualError:
        return None


class _SystemPlan:
    """What fills the fields of `<System>`, and where the payload is."""

    def __init__(self, entries: Sequence[_Entry], payload: int | None, *, event_data: bool) -> None:
        self._entries = entries
        self._payload = payload
        self._event_data = event_data

    def layout(self, descriptors: bytes) -> SystemLayout | None:
        values = _Values(descriptors)
        constants: list[Any] = []
        picks: list[tuple[bool, int]] = [(False, place) for place in range(_SYSTEM_FIELDS)]
        constants.extend(_BARE)
        texts: list[tuple[int, int]] = []
        for path, filling in self._entries:
            field = _FIELD_OF.get(path or "")
            if path is None or field is None:
                if not isinstance(filling, Slot) or values.kind(filling.place) != ValueType.NULL:
                    return None
                continue
            place = _PLACE[field]
            if isinstance(filling, str):
                value = _literal(path, filling)
                if value is None and filling:
                    return None
                constants[place] = _BARE[place] if value is None else value
                continue
            kind = values.kind(filling.place)
            if kind == ValueType.NULL:
                continue
            if path in _NUMBERS and kind in UNSIGNED and values.is_number(filling.place):
                if path == "EventID" and kind not in (ValueType.UINT16, ValueType.UINT8):
                    return None
            elif path == _TIME and kind == ValueType.FILETIME and values.is_number(filling.place):
                pass
            elif path in _TEXTS and kind == ValueType.STRING:
                texts.append((place, _STRINGS))
            elif path in _GUIDS and kind == ValueType.GUID and values.size(filling.place) == 16:
                texts.append((place, _GUID_TEXTS))
            elif path == _USER and kind == ValueType.SID:
                texts.append((place, _SIDS))
            else:
                return None
            picks[place] = (True, values.take(filling.place))
        start = end = 0
        if self._payload is not None:
            if values.kind(self._payload) == ValueType.BINXML:
                start, end = values.place(self._payload)
            elif values.kind(self._payload) != ValueType.NULL:
                return None
        unpack, size, count = values.finish()
        order = [place if filled else count + place for filled, place in picks]
        return SystemLayout(
            size, unpack, tuple(constants), itemgetter(*order), tuple(texts), start, end, self._event_data
        )


class _PayloadPlan:
    """What fills the values of a payload."""

    def __init__(self, entries: Sequence[_Entry], payload: str, namespace: str | None) -> None:
        self._entries = entries
        self._payload = payload
        self._namespace = namespace

    def layout(self, descriptors: bytes) -> PayloadLayout | None:
        if len(self._entries) > _MAX_FIELDS:
            return None
        values = _Values(descriptors)
        names: list[str | None] = []
        picks: list[tuple[bool, int]] = []
        converters: list[Callable[..., Any]] = []
        constants: list[str] = []
        arrays = False
        for name, filling in self._entries:
            convert: Callable[..., Any] = str
            if isinstance(filling, str):
                picks.append((False, len(constants)))
                constants.append(filling)
            else:
                kind = values.kind(filling.place)
                if kind == ValueType.NULL and filling.optional:
                    continue
                if kind == ValueType.NULL or not values.size(filling.place):
                    picks.append((False, len(constants)))
                    constants.append("")
                    if kind & ARRAY:
                        arrays, convert = True, _no_items
                elif kind == ValueType.BINXML or (name == "Binary" and kind != ValueType.BINARY):
                    return None
                elif kind & ARRAY:
                    arrays, convert = True, _Items(kind & ~ARRAY)
                    picks.append((True, values.take_bytes(filling.place)))
                else:
                    convert = values.converter(filling.place)
                    picks.append((True, values.take(filling.place)))
            names.append(name)
            converters.append(convert)
        unpack, size, count = values.finish()
        order = [place if filled else count + place for filled, place in picks]
        return PayloadLayout(
            size,
            unpack,
            tuple(constants),
            _getter(order),
            tuple(names),
            all(convert is string_text for convert in converters),
            tuple(converters),
            arrays,
            self._payload,
            self._namespace,
        )


class _Items:
    """Makes the texts of an array's items."""

    def __init__(self, kind: int) -> None:
        self._kind = kind

    def __call__(self, raw: bytes) -> list[str]:
        return list(array_texts(self._kind, raw))


def _no_items(_: object) -> list[str]:
    return []


def _getter(order: Sequence[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    if len(order) > 1:
        return itemgetter(*order)
    return (lambda values: (values[order[0]],)) if order else (lambda _: ())


class _Values:
    """The values of an instance, by their descriptors; those that are taken are unpacked."""

    def __init__(self, descriptors: bytes) -> None:
        self._listed = list(struct.iter_unpack("<HBx", descriptors))
        self._taken: dict[int, str] = {}

    def kind(self, index: int) -> int:
        """Type of a value; NULL where there is no such value."""
        return int(self._listed[index][1]) if index < len(self._listed) else ValueType.NULL

    def size(self, index: int) -> int:
        return int(self._listed[index][0])

    def is_number(self, index: int) -> bool:
        code, _ = struct_code(self.kind(index), self.size(index))
        return not code.endswith("s")

    def converter(self, index: int) -> Callable[..., str]:
        return struct_code(self.kind(index), self.size(index))[1]

    def take(self, index: int) -> int:
        """Have a value unpacked by its type; returns its index, for `order`."""
        self._taken[index] = struct_code(self.kind(index), self.size(index))[0]
        return index

    def take_bytes(self, index: int) -> int:
        """Have a value's bytes."""
        self._taken[index] = f"{self.size(index)}s"
        return index

    def place(self, index: int) -> tuple[int, int]:
        """Where a value starts and ends, from the first value on."""
        start = sum(size for size, _ in self._listed[:index])
        return start, start + self.size(index)

    def finish(self) -> tuple[Callable[[bytes, int], tuple[Any, ...]], int, int]:
        """What unpacks the values (those not taken as nothing), their size in bytes, and their count."""
        form = "<" + "".join(
            self._taken.get(index) or f"{size}x0s" for index, (size, _) in enumerate(self._listed)
        )
        compiled = struct.Struct(form)
        return compiled.unpack_from, compiled.size, len(self._listed)


def _literal(path: str, text: str) -> Any:
    """The value of a literal in `<System>`; None where it is none."""
    if path in _TEXTS or path == _USER:
        return text or None
    if path in _GUIDS:
        return text.strip("{} ").upper() or None
    if path in _NUMBERS and text.isascii() and text.isdecimal() and len(text) < 20:
        number = int(text)
        return number if path != "EventID" or number <= 0xFFFF else None
    return None


def system_texts() -> tuple[dict[bytes, str], ...]:
    """Tables of texts that repeat in `<System>`, as `SystemLayout.texts` counts them."""
    return _Texts(string_text), _Texts(guid_text), _Texts(sid_text)
