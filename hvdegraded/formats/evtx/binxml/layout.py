"""How the values of usual records are unpacked: straight from bytes to the fields of EventRecord.

How it works. A *plan* (`compiler`) says once for a template which slot fills which field. With the sizes and
types of an instance's values it becomes a *layout*: one `struct.Struct` that unpacks all values at once, and
what to make of each.
"""

from __future__ import annotations

import struct
from codecs import utf_16_le_decode
from collections.abc import Callable, Collection, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

from hvdegraded.bounded import BoundedCache
from hvdegraded.formats.evtx.binxml.split import Heading, Shape, split_of
from hvdegraded.formats.evtx.binxml.templates import Slot
from hvdegraded.formats.evtx.binxml.values import (
    ARRAY,
    UNSIGNED,
    ValueType,
    array_texts,
    guid_text,
    has_odd_size,
    has_other_type,
    sid_text,
    string_text,
    struct_code,
)
from hvdegraded.formats.xml.system_values import SYSTEM_VALUES
from hvdegraded.records.record import EventRecord, Field
from hvdegraded.records.recurrence import CHANGING
from hvdegraded.records.system_fields import SYSTEM_FIELDS, SystemKind

__all__ = [
    "GUID_TEXTS",
    "Entry",
    "PayloadLayout",
    "PayloadPlan",
    "SystemLayout",
    "SystemPlan",
    "fields_of",
    "system_texts",
]

_MAX_FIELDS = 256  # of a payload that is read fast; the expansion reads larger ones, within its bounds
_MAX_TEXTS = 8192
_LONGEST_TEXT = 512  # bytes of a text that is remembered

_ROWS = {row.path: row for row in SYSTEM_FIELDS}
_PATHS = {row.field: row.path for row in SYSTEM_FIELDS}
_PLACE = {name: place for place, name in enumerate(EventRecord._fields)}
_EVENT_ID, _SYSTEM_FIELDS = _PLACE["event_id"], _PLACE["payload"]
_BARE = EventRecord()[:_SYSTEM_FIELDS]
_USUAL: dict[SystemKind, Collection[int]] = {
    SystemKind.EVENT_ID: (ValueType.UINT16, ValueType.UINT8),
    SystemKind.NUMBER: UNSIGNED,
    SystemKind.KEYWORDS: UNSIGNED,
    SystemKind.TIME: (ValueType.FILETIME,),
    SystemKind.TEXT: (ValueType.STRING,),
    SystemKind.GUID: (ValueType.GUID,),
    SystemKind.SID: (ValueType.SID,),
}
"""The types that values of `<System>` have in usual records."""
_PLAIN_IDS = range(1 << 16)  # event ids without qualifiers above them
_TABLES = {SystemKind.TEXT: string_text, SystemKind.GUID: guid_text, SystemKind.SID: sid_text}
"""What makes texts of values that are remembered, since they repeat."""
GUID_TEXTS = list(_TABLES).index(SystemKind.GUID)


class _Texts(BoundedCache[bytes, str]):
    """Texts of values that repeat: providers, channels, GUIDs, users."""

    def __init__(self, convert: Callable[[bytes], str]) -> None:
        super().__init__(_MAX_TEXTS)
        self._convert = convert

    def __missing__(self, raw: bytes) -> str:
        text = self._convert(raw)
        return self.remember(raw, text) if len(raw) <= _LONGEST_TEXT else text


class Entry(NamedTuple):
    """A field of a record: its name, and the literal or slot that fills it."""

    name: str | None
    filling: str | Slot


class SystemLayout(NamedTuple):
    """How to read the outer values of a record.

    `unpack` gives a tuple; with `constants` behind it, `pick` makes of it the System fields of EventRecord,
    of which `texts` must be looked up (place, which table). The payload is data[start:end], counted from the
    first value; `event_data` says whether it stands for itself or in `<UserData>`.

    `split` gives a tuple too, of which `kept` takes what is equal in records that are alike, all bytes
    between what changes; by that `headings` are remembered. With `absent` behind it, `changing` takes what
    changes, of which `guids` (places) are bytes.

    `pieces` are those of the split, of which number `payload` is the payload's; `ranks` are the ranks among
    the values of what changes, None for what is absent. `shapes` are known by a record's size.
    """

    size: int
    unpack: Callable[[bytes, int], tuple[Any, ...]]
    constants: tuple[Any, ...]
    pick: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    texts: tuple[tuple[int, int], ...]
    start: int
    end: int
    event_data: bool
    split: Callable[[bytes, int], tuple[Any, ...]]
    absent: tuple[Any, ...]
    kept: Callable[[tuple[Any, ...]], Any]
    changing: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    guids: tuple[int, ...]
    pieces: tuple[int | str, ...]
    payload: int | None
    ranks: tuple[int | None, ...]
    headings: dict[Any, Heading]
    shapes: dict[int, Shape]


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
        texts: list[Any] = [utf_16_le_decode(value, "strict", True)[0].rstrip("\0") for value in picked]
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


class SystemPlan:
    """What fills the fields of `<System>`, and where the payload is."""

    def __init__(self, entries: Sequence[Entry], payload: Slot | None, *, event_data: bool) -> None:
        self._entries = entries
        self._slot = payload
        self._payload = None if payload is None else payload.place
        self._event_data = event_data

    def filling(self, field: str) -> str | Slot | None:
        """The text of a field of `<System>`, or the slot that holds it, or None."""
        return next((entry.filling for entry in self._entries if entry.name == _PATHS[field]), None)

    def layout(self, descriptors: bytes) -> SystemLayout | None:
        """The layout of values of these sizes and types; None where they are not of a usual form."""
        values = _Values(descriptors)
        if values.are_odd(self._entries) or (self._slot is not None and values.is_odd(self._slot)):
            return None
        constants: list[Any] = list(_BARE)
        constants[_EVENT_ID] = None
        picks: list[tuple[bool, int]] = [(False, place) for place in range(_SYSTEM_FIELDS)]
        texts: list[tuple[int, int]] = []
        for path, filling in self._entries:
            row = _ROWS.get(path or "")
            if row is None:
                if not isinstance(filling, Slot) or values.kind(filling.place) != ValueType.NULL:
                    return None
            elif isinstance(filling, str):
                value = _literal(row.kind, filling)
                if value is not None:
                    constants[_PLACE[row.field]] = value
                elif filling:
                    return None
            elif values.kind(filling.place) == ValueType.NULL:
                continue
            elif row.field == "event_source":  # its empty text would be no source; real ones are literals
                return None
            elif values.is_usual(filling.place, row.kind):
                if row.kind in _TABLES:
                    texts.append((_PLACE[row.field], list(_TABLES).index(row.kind)))
                picks[_PLACE[row.field]] = (True, values.take(filling.place))
            else:
                return None
        if constants[_EVENT_ID] is None and not picks[_EVENT_ID][0]:
            return None
        start = end = 0
        if self._payload is not None:
            if values.kind(self._payload) == ValueType.BINXML and values.size(self._payload):
                start, end = values.place(self._payload)
            elif values.kind(self._payload) != ValueType.NULL or values.size(self._payload):
                return None
        unpack, size, count = values.finish()
        order = [place if filled else count + place for filled, place in picks]
        apart = [picks[place][1] if picks[place][0] else None for place in CHANGING]
        slots = sorted(slot for slot in apart if slot is not None)
        pieces = values.pieces(slots, self._payload)
        split = split_of(*pieces)
        ranks = tuple(None if slot is None else slots.index(slot) for slot in apart)
        changing = [split.total + at if rank is None else split.taken[rank] for at, rank in enumerate(ranks)]
        return SystemLayout(
            size, unpack, tuple(constants), itemgetter(*order), tuple(texts), start, end, self._event_data,
            split=split.unpack,
            absent=tuple(constants[place] for place in CHANGING),
            kept=itemgetter(*split.kept),
            changing=itemgetter(*changing),
            guids=tuple(at for at, slot in enumerate(apart) if slot is not None and values.is_guid(slot)),
            pieces=pieces,
            payload=self._payload,
            ranks=ranks,
            headings={},
            shapes={},
        )  # fmt: skip


class PayloadPlan:
    """What fills the values of a payload."""

    def __init__(self, entries: Sequence[Entry], payload: str, namespace: str | None) -> None:
        self._entries = entries
        self._payload = payload
        self._namespace = namespace

    def layout(self, descriptors: bytes) -> PayloadLayout | None:
        """The layout of values of these sizes and types; None where they are not of a usual form."""
        if len(self._entries) > _MAX_FIELDS:
            return None
        values = _Values(descriptors)
        if values.are_odd(self._entries):
            return None
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
                    arrays, convert = True, partial(_items, kind & ~ARRAY)
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


def _items(kind: int, raw: bytes) -> list[str]:
    return list(array_texts(kind, raw))


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

    def are_odd(self, entries: Sequence[Entry]) -> bool:
        """Whether a value that these entries name is absent, or has not the type or size that it should."""
        return any(self.is_odd(entry.filling) for entry in entries if isinstance(entry.filling, Slot))

    def is_odd(self, slot: Slot) -> bool:
        """Whether the value of a slot is absent, or has not the type or size that it should."""
        if slot.place >= len(self._listed):
            return True
        size, kind = self._listed[slot.place]
        return has_odd_size(kind, size) or has_other_type(slot.kind, kind, size)

    def is_usual(self, index: int, kind: SystemKind) -> bool:
        """Whether a value has a type that its kind has in usual records; only texts may be empty."""
        return self.kind(index) in _USUAL[kind] and bool(kind is SystemKind.TEXT or self.size(index))

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

    def is_guid(self, index: int) -> bool:
        return self.kind(index) == ValueType.GUID

    def pieces(self, apart: Sequence[int], payload: int | None) -> tuple[int | str, ...]:
        """The values as `split_of` takes them, one piece each: these apart, and without the payload."""
        found: list[int | str] = []
        for index, (size, _) in enumerate(self._listed):
            if index == payload:
                found.append(f"{size}x")
            else:
                found.append(self._taken[index] if index in apart else size)
        return tuple(found)

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


def _literal(kind: SystemKind, text: str) -> Any:
    """The value of a literal in `<System>`; None where it is not one, or not of the usual form."""
    value = SYSTEM_VALUES[kind](text) if text else None
    return None if kind is SystemKind.EVENT_ID and value not in _PLAIN_IDS else value


def system_texts() -> tuple[dict[bytes, str], ...]:
    """Tables of texts that repeat in `<System>`, as `SystemLayout.texts` counts them."""
    return tuple(map(_Texts, _TABLES.values()))
