"""Two readings of one event, from two inputs: whether they are of the same time, and agree."""

from __future__ import annotations

from collections.abc import Iterable

from hvdegraded.events import Event, VersionEvent
from hvdegraded.records.record import FieldSource
from hvdegraded.verdicts.timeline import HOUR, MINUTE, SECOND

__all__ = [
    "WIDEST_ZONE",
    "contradicted",
    "differences",
    "grain",
    "is_one_matter",
    "is_same_time",
    "may_lack_zone",
    "worth",
]

_ANOTHER_EVENT = "event"
_MILLISECOND, _MICROSECOND = 10_000, 10  # ticks
_QUARTER = 15 * MINUTE
WIDEST_ZONE = 14 * HOUR
"""How far local time is from UTC at most, in ticks."""


def grain(ticks: int) -> int:
    """How exact a time is, by its last digits: ticks of a second, millisecond or microsecond, or one."""
    return next((one for one in (SECOND, _MILLISECOND, _MICROSECOND) if ticks % one == 0), 1)


def is_same_time(early: int, late: int) -> bool:
    """Whether two times can be one, which an export cut or rounded; both must be known."""
    return early == late or (early >= 0 and late - early < max(grain(early), grain(late), 2))


def may_lack_zone(early: int, late: int) -> bool:
    """Whether two times differ by quarters of an hour, as those of one event do if one is local time."""
    apart = late - early
    beside = min(apart % _QUARTER, -apart % _QUARTER)
    return early >= 0 and apart <= WIDEST_ZONE + SECOND and beside < max(grain(early), grain(late))


def differences(one: Event, other: Event) -> tuple[str, ...]:
    """The names of what both contain, and of which the verdict depends, where it differs."""
    if not _is_one_kind(one, other):
        return (_ANOTHER_EVENT,)
    mine, others = _values(one), _values(other)
    return tuple(sorted(name for name, value in mine.items() if others.get(name, value) != value))


def is_one_matter(differ: Iterable[str]) -> bool:
    """Whether readings that differ in this are of one kind of event, of one VM."""
    return not {_ANOTHER_EVENT, "VM name", "VM id"}.intersection(differ)


def worth(event: Event, ticks: int) -> tuple[bool, int, bool, int, int, str]:
    """Sort first which of several readings is to be kept: undamaged, full, exact; content decides last."""
    origin = event.record.origin
    contradictory = isinstance(event, VersionEvent) and bool(event.contradictions)
    damaged = bool(origin.anomalies) or origin.recovered
    fields = list(FieldSource).index(event.field_source)
    return damaged, -len(_values(event)), not contradictory, fields, grain(ticks), repr(event.record)


def contradicted(event: Event, differ: Iterable[str]) -> Event:
    """The event with a contradiction, which keeps it from being called ignorable."""
    text = f"two inputs contain this record, with different values ({', '.join(differ)})"
    if isinstance(event, VersionEvent):
        return event.model_copy(update={"contradictions": (*event.contradictions, text)})
    origin = event.record.origin
    record = event.record._replace(origin=origin._replace(anomalies=(*origin.anomalies, text)))
    return event.model_copy(update={"record": record})


def _is_one_kind(one: Event, other: Event) -> bool:
    same_row = one.fact is not None and one.fact == other.fact
    return one.event_id == other.event_id and (
        same_row or one.provider.casefold() == other.provider.casefold()
    )


def _values(event: Event) -> dict[str, object]:
    """What the verdict on an event depends on, without what the event lacks."""
    record = event.record
    values: dict[str, object] = {
        "level": event.level,
        "provider GUID": record.provider_guid,
        "event source": (record.event_source or "").casefold(),
        "qualifiers": record.qualifiers,
        "VM name": " ".join((event.vm_name or "").casefold().split()),
        "VM id": event.vm_id,
        "error code": event.hresult.code if event.hresult else None,
    }
    if isinstance(event, VersionEvent):
        values["component"] = event.component
        values["device"] = (event.device or "").casefold()
        for pair in event.version_pairs:
            what = pair.service or pair.component or event.component
            values[f"the guest's {what} version"] = pair.guest
            values[f"the host's {what} version"] = pair.host
    return {name: value for name, value in values.items() if value is not None and value != ""}
