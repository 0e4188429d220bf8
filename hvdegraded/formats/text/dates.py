"""Times as Event Viewer, PowerShell and syslog write them, in the usual cultures."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from datetime import datetime

__all__ = ["DateOrder", "date_order", "iso_of"]

_PARTS = re.compile(
    r"(?P<a>\d{1,4})(?P<mark>[./-])\s?(?P<b>\d{1,2})(?P=mark)\s?(?P<c>\d{2,4})\.?,?[ T]+"
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp])\.?\s?[Mm]\.?)?"
)
_ENGLISH = re.compile(
    r"(?:[A-Z][a-z]{2},? )?(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2})(?:,? (?P<year1>\d{4}))? "
    r"(?P<time>\d\d:\d\d:\d\d)(?: (?P<year2>\d{4}))?"
)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}


class DateOrder(enum.Enum):
    """Which number of a date comes first."""

    MONTH = "month first"
    DAY = "day first"
    UNKNOWN = "unknown"


def date_order(texts: Iterable[str]) -> DateOrder:
    """The order that the dates of one file show together."""
    orders = set()
    for text in texts:
        match = _PARTS.match(text.strip()[:64])
        if match is None or len(match["a"]) == 4:
            continue
        first, second = int(match["a"]), int(match["b"])
        if match["mark"] == "." or first > 12:
            orders.add(DateOrder.DAY)
        elif second > 12:
            orders.add(DateOrder.MONTH)
    return orders.pop() if len(orders) == 1 else DateOrder.UNKNOWN


def iso_of(text: str, order: DateOrder) -> str | None:
    """A time in ISO 8601 without a zone; None where it cannot be read, or could be two dates."""
    text = text.strip()[:64]
    english = _ENGLISH.fullmatch(text)
    if english is not None:
        year, month = english["year1"] or english["year2"], _MONTHS.get(english["month"])
        return f"{year}-{month:02d}-{int(english['day']):02d}T{english['time']}" if year and month else None
    match = _PARTS.fullmatch(text)
    if match is None:
        return None
    date = _date(match, order)
    hour = int(match["hour"])
    if match["half"]:
        hour = hour % 12 + (12 if match["half"] in "Pp" else 0)
    if date is None:
        return None
    try:
        moment = datetime(*date, hour, int(match["minute"]), int(match["second"] or 0))
    except ValueError:
        return None
    return moment.isoformat() + (f".{match['fraction']}" if match["fraction"] else "")


def _date(match: re.Match[str], order: DateOrder) -> tuple[int, int, int] | None:
    first, second, third = int(match["a"]), int(match["b"]), int(match["c"])
    if len(match["a"]) == 4:
        return first, second, third
    year = third if third > 99 else 2000 + third
    if order is DateOrder.DAY or match["mark"] == "." or first > 12:
        return year, second, first
    if order is DateOrder.MONTH or second > 12 or first == second:
        return year, first, second
    return None
