"""Times as Event Viewer, PowerShell, consoles and syslog write them, in the usual cultures.

A date such as 04/05/2026 can be two days. Which one it is, other dates of the same input may show; where they
do not, the time is left out and the record bears a caveat.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO

from hvdegraded.formats.shippers.dialects import tables
from hvdegraded.timestamps import ticks_from_text

__all__ = [
    "DateOrder",
    "date_order",
    "date_order_of_stream",
    "iso_of",
    "names_a_time",
    "order_unknown",
    "with_iso_times",
]

LONGEST_SEARCHED = 64 << 20
"""Bytes of an input that are searched for dates that show the order of all."""

_ZONE = r"(?:\s?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d))?"
_HALF = r"(?P<half{0}>[^\W\d_]\.?\s?[^\W\d_]\.?)"
_CLOCK = (
    r"(?:" + _HALF.format(1) + r"\s?)?(?P<hour>\d{1,2})[:.](?P<minute>\d\d)"
    r"(?:[:.](?P<second>\d\d)(?:[.,:](?P<fraction>\d{1,9}))?)?(?:\s?" + _HALF.format(2) + r")?" + _ZONE
)
_NUMBERS = re.compile(
    r"(?P<a>\d{1,4})(?P<mark>[./-])\s?(?P<b>\d{1,2})(?P=mark)\s?(?P<c>\d{2,4})"
    r"(?:\.|,|\sг\.)?(?:\s|T|,\s)\s?" + _CLOCK
)
_WEEKDAY, _MONTH = r"(?:\w{2,12}\.?,? )?", r"(?P<month>[^\W\d_]{3,10})"
_DAY_FIRST = re.compile(
    _WEEKDAY + r"(?P<day>\d{1,2})\.?[ /-](?:de )?" + _MONTH + r"\.?[ /-](?:de )?(?P<year>\d{4})"
    r"(?:,|:| @| um| at)? ?" + _CLOCK
)
_MONTH_FIRST = re.compile(
    _WEEKDAY + _MONTH + r"\.? +(?P<day>\d{1,2}),? (?P<year>\d{4})(?:,| @| at)? " + _CLOCK
)
_YEAR_LAST = re.compile(
    r"(?:\w{3} )?(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
    r"(?P<fraction>)(?P<half1>)(?P<half2>)(?: (?P<zone>Z|UTC|GMT))? (?P<year>\d{4})"
)
_DMTF = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.(\d{6})([+-])(\d{3})", re.ASCII)  # WMI
_IDEOGRAPHS = str.maketrans("年月日년월일時分秒", "// // :: ")
_HALVES = {
    **dict.fromkeys(("am", "오전", "上午", "午前", "πμ"), 0),
    **dict.fromkeys(("pm", "오후", "下午", "午後", "μμ"), 12),
}
_NUMERIC = re.compile(rb"[\"'>,;\t\n]\s?(\d{1,2}[./-]\d{1,2}[./-]\d{4},? \d{1,2}:\d\d)")
_LONGEST = 64
_BLOCK = 1 << 20
_MAX_DEPTH = 8
_NOT_LETTERS = re.compile(r"[\W\d_]+")


class DateOrder(enum.Enum):
    """Which number of a date comes first."""

    MONTH = "month first"
    DAY = "day first"
    UNKNOWN = "unknown"


def order_unknown() -> DateOrder:
    """Return that nothing shows the order."""
    return DateOrder.UNKNOWN


def date_order(texts: Iterable[str]) -> DateOrder:
    """Return the order that the dates of one input show together."""
    orders = set()
    for text in texts:
        match = _NUMBERS.match(text.strip()[:_LONGEST])
        if match is None or len(match["a"]) == 4:
            continue
        first, second = int(match["a"]), int(match["b"])
        if match["mark"] == "." or first > 12:
            orders.add(DateOrder.DAY)
        elif second > 12:
            orders.add(DateOrder.MONTH)
    return orders.pop() if len(orders) == 1 else DateOrder.UNKNOWN


def date_order_of_stream(stream: BinaryIO) -> DateOrder:
    """Return the order that the values of a stream show, whose place stays; unknown if it cannot seek."""
    if not stream.seekable():
        return DateOrder.UNKNOWN
    place = stream.tell()
    stream.seek(0)
    orders = {date_order(_dates_of(stream))}
    stream.seek(place)
    return orders.pop()


def _dates_of(stream: BinaryIO) -> Iterator[str]:
    rest = b""
    for _ in range(LONGEST_SEARCHED // _BLOCK):
        block = stream.read(_BLOCK)
        if not block:
            return
        text = rest + block.replace(b"\0", b"")  # UTF-16 too
        for match in _NUMERIC.finditer(text):
            yield match[1].decode()
        rest = text[-_LONGEST:]


def iso_of(text: str, order: DateOrder) -> str | None:
    """Return a time in ISO 8601, without a zone if it names none; None if it is not one, or one of two."""
    text = text.strip()[:_LONGEST].translate(_IDEOGRAPHS).strip()
    if (dmtf := _DMTF.fullmatch(text)) is not None:
        *parts, fraction, sign, minutes = dmtf.groups()
        hours, rest = divmod(int(minutes), 60)
        return "{}-{}-{}T{}:{}:{}".format(*parts) + f".{fraction}{sign}{hours:02}:{rest:02}"
    match = _NUMBERS.fullmatch(text)
    if match is not None:
        date = _date(match, order)
    else:
        match = _YEAR_LAST.fullmatch(text) or _MONTH_FIRST.fullmatch(text) or _DAY_FIRST.fullmatch(text)
        month = tables().months.get(match["month"].casefold()) if match is not None else None
        date = (int(match["year"]), month, int(match["day"])) if match is not None and month else None
    if match is None or date is None:
        return None
    hour = int(match["hour"])
    half = _NOT_LETTERS.sub("", match["half1"] or match["half2"] or "").casefold()
    if half:
        if half not in _HALVES or hour > 12:
            return None
        hour = hour % 12 + _HALVES[half]
    try:
        moment = datetime(*date, hour, int(match["minute"]), int(match["second"] or 0))
    except ValueError:
        return None
    zone = "Z" if match["zone"] in ("UTC", "GMT") else match["zone"] or ""
    return moment.isoformat() + (f".{match['fraction']}" if match["fraction"] else "") + zone


def _date(match: re.Match[str], order: DateOrder) -> tuple[int, int, int] | None:
    first, second, third = int(match["a"]), int(match["b"]), int(match["c"])
    if len(match["a"]) == 4:
        return first, second, third
    if third < 100 and match["mark"] != ".":  # which of the three is the year is not known
        return None
    year = third if third > 99 else 2000 + third
    if order is DateOrder.DAY or match["mark"] == "." or first > 12:
        return year, second, first
    if order is DateOrder.MONTH or second > 12 or first == second:
        return year, first, second
    return None


def with_iso_times(
    mapping: Mapping[str, Any], order: Callable[[], DateOrder]
) -> tuple[dict[str, Any] | None, bool]:
    """Return a mapping whose times are ISO 8601, or None if none became readable, and if one is ambiguous.

    `order` is asked for if a date could be two.
    """
    ambiguous = False
    changed = False

    def readable(value: str) -> str:
        nonlocal ambiguous, changed
        iso = iso_of(value, DateOrder.UNKNOWN)
        if iso is None and iso_of(value, DateOrder.DAY) is not None:
            iso = iso_of(value, order())
            ambiguous = ambiguous or iso is None
        changed = changed or iso is not None
        return iso or value

    def rewritten(inner: Mapping[str, Any], depth: int) -> dict[str, Any]:
        found = dict(inner)
        for key, value in inner.items():
            if key in tables().payloads:
                continue
            if isinstance(value, dict) and depth < _MAX_DEPTH:
                found[key] = rewritten(value, depth + 1)
            elif isinstance(value, str) and names_a_time(key) and ticks_from_text(value) is None:
                found[key] = readable(value)
        return found

    result = rewritten(mapping, 0)
    return (result if changed else None), ambiguous


def names_a_time(key: str) -> bool:
    """Return whether a key has one of the usual names of an event's time."""
    field = tables().by_names.fields.get(_NOT_LETTERS.sub("", key[:_LONGEST].lower()))
    return field is not None and field[0] == "time"
