"""Events at rest: what many events share is kept once, the rest of each as a few bytes.

A report of 100,000 VMs holds as many events, which differ in little but a name, an id, a time and a number.
Folded, an event takes a fifth of its room, and unfolds in microseconds to one that is equal to it.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import compress
from operator import eq, itemgetter
from typing import Any, NamedTuple

from hvdegraded.events.base import Event
from hvdegraded.records.models import model_of
from hvdegraded.records.record import EventRecord, Origin

__all__ = ["UNKNOWN", "EventFolder", "FoldedEvent", "age_of"]

UNKNOWN = -1
"""Stands for a time or a record id that is not known."""

_MOST = (1 << 63) - 1  # that a column of integers holds
_AGE = struct.Struct("<qq")
_SAME = ()  # in place of a value that is that of the first event of its kind; no value is that

_OWN = ("time_ticks", "record_id", "process_id", "thread_id", "activity_id", "related_activity_id", "user_id")
_PLACE = ("offset", "line", "chunk")
_FIELDS = ("data", "extra", "rendering")
_APART = ("record", "fact")  # of a model: made anew, and known by its identity
_SHARED = tuple(name for name in EventRecord._fields if name not in (*_OWN, *_FIELDS, "origin"))
_SHARED_OF_ORIGIN = tuple(name for name in Origin._fields if name not in _PLACE)

_own_of = itemgetter(*map(EventRecord._fields.index, _OWN))
_shared_of = itemgetter(*map(EventRecord._fields.index, _SHARED))
_place_of = itemgetter(*map(Origin._fields.index, _PLACE))
_shared_of_origin = itemgetter(*map(Origin._fields.index, _SHARED_OF_ORIGIN))
_record_in_order = itemgetter(*map((*_SHARED, *_OWN, *_FIELDS, "origin").index, EventRecord._fields))
_origin_in_order = itemgetter(*map((*_SHARED_OF_ORIGIN, *_PLACE).index, Origin._fields))
_new_tuple: Any = tuple.__new__
_Names = tuple[str | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Kind:
    """What events share: values of the record and its origin, names of its fields, values of the model.

    `texts` names the attributes of the model that each event has for itself; in `values` these are None.
    `vm` says where name and id of the VM stand among an event's own values, counted from the end, None where
    it names none; `others` where the other texts stand. `like` is a record of what they share, `first` the
    own values of the first event: of other events, those that are equal are left out.
    """

    model: type[Event]
    record: tuple[Any, ...]
    origin: tuple[Any, ...]
    names: tuple[_Names, _Names, _Names]
    texts: tuple[str, ...]
    values: dict[str, Any]
    vm: tuple[int | None, int | None]
    others: tuple[int, ...]
    like: EventRecord
    first: tuple[Any, ...]

    def unpacked(self, own: bytes) -> list[Any]:
        """The own values of an event."""
        values = pickle.loads(own)  # noqa: S301  # `packed` wrote it
        return [first if value == _SAME else value for value, first in zip(values, self.first, strict=True)]

    def packed(self, own: list[Any]) -> bytes:
        """The own values of an event as bytes; in the list, those that are equal to the first event's go."""
        same: Iterable[bool] = map(eq, own, self.first)
        if list(map(type, own)) != list(map(type, self.first)):  # what is equal can still be of another type
            same = [is_equal and type(own[at]) is type(self.first[at]) for at, is_equal in enumerate(same)]
        for at in compress(range(len(own)), tuple(same)):
            own[at] = _SAME
        return pickle.dumps(tuple(own), pickle.HIGHEST_PROTOCOL)


class _Form(NamedTuple):
    """Which attributes each event of a model has for itself, where all are of certain types, and the others.

    `own` and `shared` take their values from those of all attributes.
    """

    texts: tuple[str, ...]
    own: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    shared: Callable[[tuple[Any, ...]], tuple[Any, ...]]


class FoldedEvent:
    """An event at rest; `unfold` makes one that is equal, each time anew."""

    __slots__ = ("_kind", "_own")

    def __init__(self, kind: _Kind, own: bytes) -> None:
        self._kind = kind
        self._own = own

    @property
    def age(self) -> tuple[int, int]:
        """Time and record id, as `age_of` gives them."""
        return _AGE.unpack_from(self._own, len(self._own) - _AGE.size)

    @property
    def model(self) -> type[Event]:
        """The model of the event."""
        return self._kind.model

    @property
    def like(self) -> EventRecord:
        """What its record has in common with others: all but times, numbers and the texts of fields."""
        return self._kind.like

    @property
    def shared(self) -> Mapping[str, Any]:
        """What of the model it has in common with others."""
        return self._kind.values

    @property
    def vm(self) -> tuple[str | None, str | None]:
        """Name and id of the VM."""
        own, first = pickle.loads(self._own), self._kind.first  # noqa: S301  # `packed` wrote it
        name, vm_id = [
            None if at is None else first[at] if own[at] == _SAME else own[at] for at in self._kind.vm
        ]
        return name, vm_id

    @property
    def likeness(self) -> Hashable:
        """What is equal for events that differ in their VM, times, numbers and fields alone."""
        kind = self._kind
        if not kind.others:
            return kind
        own = pickle.loads(self._own)  # noqa: S301  # `packed` wrote it
        return kind, *[own[at] for at in kind.others]

    @property
    def has_message(self) -> bool:
        """Whether the source rendered the event."""
        return bool(self._kind.names[2])

    def unfold(self) -> Event:
        """Make the event."""
        kind = self._kind
        own = kind.unpacked(self._own)
        at = len(_OWN)
        fields = []
        for names in kind.names:
            end = at + len(names)
            fields.append(tuple(zip(names, own[at:end], strict=True)))
            at = end
        origin = _new_tuple(Origin, _origin_in_order((*kind.origin, *own[-3:])))
        whole = (*kind.record, *own[: len(_OWN)], *fields, origin)
        values = kind.values.copy()
        values["record"] = _new_tuple(EventRecord, _record_in_order(whole))
        values.update(zip(kind.texts, own[at:-3], strict=True))
        return model_of(kind.model, values)


class EventFolder:
    """Folds events; what they share is found by its values, and lives as long as one of them."""

    def __init__(self) -> None:
        self._kinds: dict[Hashable, _Kind] = {}
        self._forms: dict[Hashable, _Form] = {}

    def fold(self, event: Event) -> FoldedEvent:
        """Fold an event."""
        record, attributes = event.record, event.__dict__
        form = self._form(type(event), attributes)
        own = list(_own_of(record))
        names: list[_Names] = []
        for pairs in (record.data, record.extra, record.rendering):
            some, texts = zip(*pairs, strict=True) if pairs else ((), ())
            names.append(some)
            own += texts
        values = tuple(attributes.values())
        own += form.own(values)
        own += _place_of(record.origin)
        parts = (
            type(event), _shared_of(record), _shared_of_origin(record.origin), tuple(names), form.texts
        )  # fmt: skip
        key = parts, id(event.fact), form.shared(values)
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = _kind_of(event, parts, own)
        age = _AGE.pack(*age_of(record.time_ticks, record.record_id))
        return FoldedEvent(kind, kind.packed(own) + age)

    def _form(self, model: type[Event], attributes: Mapping[str, Any]) -> _Form:
        """The form of attributes of these types; all tuples of an attribute have items of one type."""
        values = attributes.values()
        key = model, *attributes, *map(type, values), *map(bool, values)
        form = self._forms.get(key)
        if form is None:
            texts = [name for name, value in attributes.items() if _is_own(name, value)]
            shared = [name for name in attributes if name not in (*texts, *_APART)]
            places = list(attributes).index
            form = self._forms[key] = _Form(
                tuple(texts), _getter(list(map(places, texts))), _getter(list(map(places, shared)))
            )
        return form


def _getter(places: list[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    if len(places) > 1:
        return itemgetter(*places)
    return (lambda values: (values[places[0]],)) if places else (lambda _: ())


def _kind_of(event: Event, parts: tuple[Any, ...], own: Iterable[Any]) -> _Kind:
    """What an event shares with others, which has these values for itself."""
    model, record, origin, names, texts = parts
    values = {**event.__dict__, **dict.fromkeys(texts), "record": None}
    places = {name: at - len(texts) - len(_PLACE) for at, name in enumerate(texts)}
    return _Kind(
        model,
        record,
        origin,
        names,
        texts,
        values,
        (places.pop("vm_name", None), places.pop("vm_id", None)),
        tuple(places.values()),
        EventRecord(**dict(zip(_SHARED, record, strict=True))),
        tuple(own),
    )


def _is_own(name: str, value: object) -> bool:
    """Whether a value of a model is a text of the log, or several; of enums and rows there are few."""
    if type(value) is str:
        return name != "kind"
    return type(value) is tuple and bool(value) and all(type(item) is str for item in value)


def age_of(ticks: int | None, record_id: int | None) -> tuple[int, int]:
    """A time and a record id as columns hold them."""
    if ticks is None or abs(ticks) > _MOST:
        ticks = UNKNOWN
    if record_id is None or abs(record_id) > _MOST:
        record_id = UNKNOWN
    return ticks, record_id
