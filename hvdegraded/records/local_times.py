"""Times that name no zone, placed in the zone that the administrator names.

Readers take such a time as UTC and mark it (`Caveat.NO_ZONE`); where a zone is given, the time moves to UTC
from there. A local time that occurs twice, or never, because clocks were changed, stays marked.
"""

from __future__ import annotations

from datetime import UTC, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from hvdegraded.errors import WrongTypeError, WrongValueError
from hvdegraded.records.record import Caveat, EventRecord
from hvdegraded.timestamps import datetime_from_ticks, ticks_from_datetime

__all__ = ["in_zone", "zone_of"]

_HINT = "for example Europe/Berlin, UTC, or the Id that Get-TimeZone shows on the host"


def zone_of(zone: object) -> tzinfo | None:
    """Return the time zone of an IANA or a Windows name; a tzinfo and None stay what they are.

    Raises WrongValueError for a name that is not known, WrongTypeError for anything else.
    """
    if zone is None or isinstance(zone, tzinfo):
        return zone
    if not isinstance(zone, str):
        raise WrongTypeError(f"timezone must be a name or a tzinfo, not {type(zone).__name__}", hint=_HINT)
    name = zone.strip()
    if name.upper() in ("UTC", "Z", "GMT"):
        return UTC
    try:
        return ZoneInfo(_windows_zones().get(name.casefold(), name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    if not available_timezones():
        raise WrongValueError(
            f"the time zone {zone!r} cannot be read: this system has no time zones",
            hint="install tzdata (pip install tzdata)",
        )
    raise WrongValueError(f"there is no time zone {zone!r}", hint=_HINT)


def in_zone(record: EventRecord, zone: tzinfo) -> EventRecord:
    """Return the record, its time moved to UTC from the zone if it names none."""
    origin = record.origin
    if Caveat.NO_ZONE not in origin.caveats or record.time_ticks is None:
        return record
    ticks, caveat = _moved(record.time_ticks, zone)
    caveats = tuple(caveat if one == Caveat.NO_ZONE else one for one in origin.caveats)
    return record._replace(time_ticks=ticks, origin=origin._replace(caveats=caveats))


def _moved(ticks: int, zone: tzinfo) -> tuple[int, Caveat]:
    """Return the UTC of a local time, and how sure that is."""
    shown = datetime_from_ticks(ticks)
    if shown is None:
        return ticks, Caveat.NO_ZONE
    try:
        first, second = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        exists = first.astimezone(zone).replace(tzinfo=None) == shown.replace(tzinfo=None)
    except (OverflowError, ValueError):
        return ticks, Caveat.NO_ZONE
    moved = ticks_from_datetime(first) + ticks % 10
    if not exists:
        return moved, Caveat.SKIPPED_TIME
    return moved, Caveat.GIVEN_ZONE if first == second else Caveat.REPEATED_TIME


@lru_cache(maxsize=1)
def _windows_zones() -> dict[str, str]:
    from importlib.resources import files

    import tomli

    raw = tomli.loads((files("hvdegraded.records") / "windows_zones.toml").read_text(encoding="utf-8"))
    return {name.casefold(): zone for name, zone in raw["zones"].items()}
