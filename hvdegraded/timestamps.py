"""Windows time: 100 ns ticks since 1601 (FILETIME), exact integers, and how formats write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from hvdegraded.errors import WrongTypeError, WrongValueError

__all__ = [
    "datetime_from_ticks",
    "moment_from_text",
    "text_from_ticks",
    "ticks_from_datetime",
    "ticks_from_text",
    "ticks_from_unix",
]

_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
LAST_TICKS = 2_650_467_743_999_999_999  # 9999-12-31T23:59:59.9999999Z, the end of `datetime`
_SECOND = 10_000_000
_UNIX_EPOCH_TICKS = 11_644_473_600 * _SECOND

_TIME = re.compile(
    r"\s*(\d{4}-\d\d-\d\d[T ]\d\d:\d\d):(\d\d)(?:[.,](\d{1,18}))?"
    r"\s*(?:(Z)?(?:\s*(?:UTC|GMT))?|([+-])(\d\d):?(\d\d))\s*",
    re.ASCII,
)
_DOTNET_TIME = re.compile(r"\s*/Date\((-?\d{1,18})(?:[+-]\d{4})?\)/\s*", re.ASCII)
_LATE_TICKS = re.compile(r"\d{19,20}", re.ASCII)

_AGO = re.compile(r"(\d{1,6})\s*([mhdw])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAYS = {"today": 0, "yesterday": 1}


def datetime_from_ticks(ticks: int) -> datetime | None:
    """UTC datetime of a FILETIME (100 ns since 1601), cut to microseconds; None beyond the year 9999."""
    if not 0 <= ticks <= LAST_TICKS:
        return None
    return _EPOCH + timedelta(microseconds=ticks // 10)


def moment_from_text(text: str, *, zone: tzinfo | None = UTC, now: datetime | None = None) -> datetime:
    """The time that a user writes: ISO 8601, `today`, `yesterday`, or before now (`30m`, `24h`, `7d`, `2w`).

    A time without a zone, and the beginning of a day, are those of `zone`; None is the local one. Raises
    HvdegradedError for any other text.
    """
    moment = (now or datetime.now(UTC)).astimezone(zone)
    ago = _AGO.fullmatch(text.strip().lower())
    try:
        if ago is not None:
            return moment - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if text.strip().lower() in _DAYS:
            day = moment.date() - timedelta(days=_DAYS[text.strip().lower()])
            found = datetime.combine(day, time())
        else:
            found = datetime.fromisoformat(text.strip())
        if found.tzinfo is not None:
            return found
        return found.astimezone() if zone is None else found.replace(tzinfo=zone)
    except (ValueError, OverflowError):
        raise WrongValueError(
            f"{text!r} is not a time", hint="write 24h, 7d, yesterday, 2026-11-24 or 2026-11-24T13:00"
        ) from None


def text_from_ticks(ticks: int) -> str:
    """A FILETIME as Windows writes it in event XML: `2024-12-09T11:31:23.2356205Z`.

    A time beyond the year 9999 has no such text and is given as decimal ticks.
    """
    if not 0 <= ticks <= LAST_TICKS:
        return str(ticks)
    seconds, fraction = divmod(ticks, _SECOND)
    minutes, second = divmod(seconds, 60)
    return f"{_minute_text(minutes)}:{second:02d}.{fraction:07d}Z"


def ticks_from_datetime(moment: datetime) -> int:
    """FILETIME (100 ns since 1601) of a datetime; a naive one is taken as UTC.

    Raises HvdegradedError if it is not a datetime.
    """
    if not isinstance(moment, datetime):
        raise WrongTypeError(
            f"{moment!r} is not a datetime", hint="for example datetime(2026, 11, 24, tzinfo=UTC)"
        )
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 10


def ticks_from_unix(seconds: float) -> int:
    """FILETIME of seconds since 1970, rounded to microseconds (a float holds no more)."""
    return round(seconds * 1_000_000) * 10 + _UNIX_EPOCH_TICKS


def ticks_from_text(text: str) -> int | None:
    """FILETIME of any text that a format has of a time; digits beyond 100 ns are cut; None for other texts.

    Reads ISO 8601 with `T` or a space, 0 to 18 decimals, `Z`, `Z UTC`, `+09:00`, `+0900` or nothing (taken
    as UTC), .NET's `/Date(ms)/`, and the ticks that `text_from_ticks` gives of a time beyond the year 9999.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        if (late := _LATE_TICKS.fullmatch(text)) and LAST_TICKS < int(late[0]) < 1 << 64:
            return int(late[0])
        dotnet = _DOTNET_TIME.fullmatch(text)
        return int(dotnet[1]) * 10_000 + _UNIX_EPOCH_TICKS if dotnet else None
    minute, seconds, decimals, _, sign, shift_hours, shift_minutes = match.groups()
    minutes, second = _minutes_of(minute), int(seconds)
    if minutes is None or second > 59:
        return None
    ticks = (minutes * 60 + second) * _SECOND
    if decimals:
        ticks += int(decimals[:7].ljust(7, "0"))
    if sign:
        shift = (int(shift_hours) * 60 + int(shift_minutes)) * 60 * _SECOND
        ticks += -shift if sign == "+" else shift
    return ticks if ticks >= 0 else None


@lru_cache(maxsize=1024)
def _minutes_of(text: str) -> int | None:
    """Minutes from 1601 to a date and its minute, `2024-12-09T11:31`; None where there is no such time."""
    hour, minute = int(text[11:13]), int(text[14:])
    if hour > 23 or minute > 59:
        return None
    try:
        days = date.fromisoformat(text[:10]).toordinal() - _EPOCH.toordinal()
    except ValueError:
        return None
    return (days * 24 + hour) * 60 + minute


@lru_cache(maxsize=1024)
def _minute_text(minutes: int) -> str:
    """The date and the minute that many minutes from 1601."""
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return f"{date.fromordinal(_EPOCH.toordinal() + days).isoformat()}T{hour:02d}:{minute:02d}"
