"""Readings of version events: of events that differ in nothing but their VM, one is read.

How it works. When an event was read, it is looked up which of its texts became the name and which the id of
its VM. An event of the same kind with the same other texts reads as that one, but for these two.

Why that is exact. A text is read by its form (blank, a path, a GUID, a version, or none of these) and by
whether it equals another one. All names here are plain: they begin with a letter, are too short for a GUID,
are not a path, and equal no other text; all ids are GUIDs, and no other text is one. So every question has
the same answer, unless it is asked of a text for its content: those are the fields of errors, and what is
shown again, of which neither may be of the VM.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from hvdegraded.bounded import BoundedCache
from hvdegraded.events.error_codes import ERROR_FIELDS
from hvdegraded.events.field_mapping import field_key
from hvdegraded.events.version import VersionEvent
from hvdegraded.guids import normalise_guid, vm_id_from_sid
from hvdegraded.records.record import EventRecord

__all__ = ["VersionReading", "VersionReadings"]

_MAX_REMEMBERED = 4096
_LONGEST_PLAIN = 31  # characters of a name; a GUID has more


class VersionReading(NamedTuple):
    """The model of a version event, what fills it but for the record, and caveats of the reading."""

    model: type[VersionEvent]
    values: dict[str, Any]
    caveats: tuple[str, ...]


class _Mould(NamedTuple):
    """The reading of one event, and the other texts of all that read like it, as they are compared."""

    reading: VersionReading
    others: frozenset[str]


class VersionReadings:
    """Remembers readings."""

    def __init__(self) -> None:
        self._readings: BoundedCache[Hashable, VersionReading] = BoundedCache(_MAX_REMEMBERED)
        self._places: BoundedCache[Hashable, tuple[int, int]] = BoundedCache(_MAX_REMEMBERED)
        self._moulds: BoundedCache[Hashable, _Mould] = BoundedCache(_MAX_REMEMBERED)

    def of(self, kind: Hashable, record: EventRecord, read: Callable[[], VersionReading]) -> VersionReading:
        """Return the reading of a record, which `read` gives; `kind` is its provider and event id."""
        kind = kind, record.level
        names: tuple[str | None, ...] = ()
        texts: tuple[str, ...] = ()
        if record.data and not record.rendering:
            names, texts = zip(*record.data, strict=True)
            places = self._places.get((kind, names))
            if places is not None:
                known = self._like_another(kind, record, names, texts, places)
                if known is not None:
                    return known
        said = kind, record.data, record.rendering, record.user_id
        reading = self._readings.get(said)
        if reading is None:
            reading = self._readings.remember(said, read())
            places = _places_of_vm(reading, record, names, texts)
            if places is not None:
                self._places[kind, names] = places
                others = _without(texts, places)
                self._moulds[kind, names, others] = _Mould(reading, frozenset(map(_folded, others)))
        return reading

    def _like_another(
        self,
        kind: Hashable,
        record: EventRecord,
        names: tuple[str | None, ...],
        texts: tuple[str, ...],
        places: tuple[int, int],
    ) -> VersionReading | None:
        """The reading of a record by that of one that differs in its VM alone; None where there is none."""
        at_name, at_id = places
        mould = self._moulds.get((kind, names, _without(texts, places)))
        if mould is None:
            return None
        name, vm_id = texts[at_name], normalise_guid(texts[at_id])
        if not _is_plain(name) or _folded(name) in mould.others or not _is_id(vm_id, record):
            return None
        model, values, caveats = mould.reading
        return VersionReading(model, {**values, "vm_name": name, "vm_id": vm_id}, caveats)


def _places_of_vm(
    reading: VersionReading, record: EventRecord, names: Sequence[str | None], texts: Sequence[str]
) -> tuple[int, int] | None:
    """Where name and id of the VM stand, if nothing else that was read is theirs."""
    values = reading.values
    ids = [at for at, text in enumerate(texts) if normalise_guid(text) is not None]
    named = [at for at, text in enumerate(texts) if _folded(text) == _folded(values["vm_name"] or "")]
    if len(ids) != 1 or len(named) != 1 or values["contradictions"]:
        return None
    shown = {values["device"], values.get("partition"), *values["unplaced"]}
    at_name, at_id = named[0], ids[0]
    if (
        not shown.isdisjoint((texts[at_name], texts[at_id]))
        or values["vm_name"] != texts[at_name]
        or values["vm_id"] != normalise_guid(texts[at_id])
        or not _is_plain(texts[at_name])
        or not _is_id(values["vm_id"], record)
        or any(field_key(names[at] or "") in ERROR_FIELDS for at in (at_name, at_id))
    ):
        return None
    return at_name, at_id


def _without(texts: Sequence[str], places: tuple[int, int]) -> tuple[str, ...]:
    """The texts but for those in two places."""
    others = list(texts)
    others[places[0]] = others[places[1]] = ""
    return tuple(others)


def _is_plain(name: str) -> bool:
    return name[:1].isalpha() and len(name) <= _LONGEST_PLAIN and "\\" not in name


def _is_id(vm_id: str | None, record: EventRecord) -> bool:
    """Whether this is an id, which the account that wrote the record does not contradict."""
    return vm_id is not None and vm_id_from_sid(record.user_id) in (None, vm_id)


def _folded(text: str) -> str:
    return text.strip().casefold()
