"""Events that differ in time, record id, process and thread alone: what was read of one holds for the next.

How it works. An event is cut at the texts of these four, which stand beside one another. What is between
them is its form. That they stand where they seem to is tried once for each form: with other texts in their
places, the event must give the same record but for what these stand for. No other byte of a form changes,
and these are digits in the same places of the document, so nothing else of the record can.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from hvdegraded.bounded import BoundedCache
from hvdegraded.records.record import EventRecord, Origin
from hvdegraded.timestamps import ticks_from_text

__all__ = ["EventForms"]

_CHANGING = re.compile(
    rb"SystemTime=['\"]([0-9T:.-]{19,29}Z)['\"]\s*(?:/>|></TimeCreated>)"
    rb"\s*<EventRecordID>([1-9][0-9]{0,17})</EventRecordID>"
    rb"(?:\s*<Correlation[^<>]{0,100}/>\s*<Execution ProcessID=['\"]([1-9][0-9]{0,8})['\"]"
    rb" ThreadID=['\"]([1-9][0-9]{0,8})['\"])?"
)
_MOST_FORMS = 2048
_LONGEST = 4096  # bytes of an event that is worth remembering
_ORIGIN = Origin("xml")
_OTHERS = (b"2001-02-03T04:05:06.7890123Z", b"908172635445362718", b"918273645", b"192837465")


class _Values(NamedTuple):
    """The values that change from event to event, None where they do not stand beside the others."""

    time_ticks: int | None
    record_id: int
    process_id: int | None
    thread_id: int | None


class EventForms:
    """A memory of the records of events, by their forms; a form is tried when it is seen for the second time.

    `read` returns the record of an event's XML, with an origin without a place, or None if it cannot be read.
    """

    def __init__(self, read: Callable[[bytes], EventRecord | None]) -> None:
        self._read = read
        self._known: BoundedCache[tuple[bytes, ...], EventRecord | None] = BoundedCache(_MOST_FORMS)

    def recall(self, piece: bytes, origin: Origin) -> EventRecord | None:
        """Return the record of an event whose form is known."""
        match = _CHANGING.search(piece) if len(piece) <= _LONGEST else None
        if match is None:
            return None
        known = self._known.get(_between(piece, match))
        if known is None:
            return None
        values = _values_of(match)
        return _with(known, values, origin) if values.time_ticks is not None else None

    def remember(self, piece: bytes, record: EventRecord) -> None:
        """Offer the record of an event that was read, and has no anomaly or caveat."""
        match = _CHANGING.search(piece) if len(piece) <= _LONGEST else None
        if match is None or record.origin.anomalies or record.origin.caveats:
            return
        form = _between(piece, match)
        if form not in self._known:
            self._known[form] = None  # seen once
            return
        others = [b"".join(texts) for texts in zip(form, (*_OTHERS[: len(form) - 1], b""), strict=True)]
        changed = b"".join(others)
        other = _CHANGING.search(changed)
        if other is not None and self._read(changed) == _with(record, _values_of(other), _ORIGIN):
            self._known[form] = record


def _between(piece: bytes, match: re.Match[bytes]) -> tuple[bytes, ...]:
    """The bytes of an event in front of, between and behind its values."""
    spans = [span for span in match.regs[1:] if span != (-1, -1)]
    starts, ends = [0, *(end for _, end in spans)], [*(start for start, _ in spans), len(piece)]
    return tuple([piece[start:end] for start, end in zip(starts, ends, strict=True)])


def _values_of(match: re.Match[bytes]) -> _Values:
    time, number, process, thread = match.groups()
    if process is None:
        return _Values(ticks_from_text(time.decode()), int(number), None, None)
    return _Values(ticks_from_text(time.decode()), int(number), int(process), int(thread))


def _with(record: EventRecord, values: _Values, origin: Origin) -> EventRecord:
    """The record of an event of the same form, with its own values."""
    if values.process_id is None:
        return record._replace(time_ticks=values.time_ticks, record_id=values.record_id, origin=origin)
    return record._replace(**values._asdict(), origin=origin)
