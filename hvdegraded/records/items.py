"""What readers yield: records, and what there is to report of those that they do not yield.

A reader is a function from bytes to these items, in the order of the input. It keeps no count:
`reading.delivery` counts, filters, and raises where the reading is strict.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import tzinfo
from typing import NamedTuple

from hvdegraded.records.coverage import Coverage
from hvdegraded.records.record import EventRecord
from hvdegraded.records.recurrence import Recurrences

__all__ = [
    "Chunks",
    "Item",
    "Loss",
    "LossReason",
    "Member",
    "Note",
    "NoteKind",
    "Opened",
    "SetBack",
    "Skipped",
]


class Opened(NamedTuple):
    """An input that a reader recognised: the reader's name, and the input's size in bytes if it is known."""

    reader: str
    size: int | None = None


class Skipped(NamedTuple):
    """Records that were there, of providers that are not wanted, and were not delivered.

    `chunks` is how many chunks of an .evtx log they fill, all of whose records were written from `first` to
    `last` (ticks).
    """

    records: int
    chunks: int = 0
    first: int = 0
    last: int = 0


class Chunks(NamedTuple):
    """Chunks of an .evtx log that were decoded, and that are damaged."""

    seen: int = 0
    damaged: int = 0


class SetBack(NamedTuple):
    """Places of an .evtx log's chunk at which times run backwards, and by how much at most (ticks)."""

    places: int
    most: int


class LossReason(enum.StrEnum):
    """Why a record could not be delivered."""

    UNREADABLE = "unreadable"
    TRUNCATED = "cut off"
    OVER_LIMIT = "over a limit"
    MALFORMED = "malformed"
    UNSUPPORTED = "not supported by this reader"
    NOT_AN_EVENT = "not an event"


class NoteKind(enum.StrEnum):
    """What a reader noticed about an input as a whole."""

    TRUNCATED = "truncated"
    DIRTY = "dirty"
    HEADER = "header"
    CHUNK = "chunk"
    CHANGED = "changed while read"
    LIMIT = "limit"
    READER = "reader"
    UNREADABLE = "unreadable"
    INTERRUPTED = "interrupted"
    PASSED_OVER = "passed over"
    INVENTORY = "inventory"
    REPEATED = "read twice"
    CONTRADICTION = "contradiction"
    TIMES = "times"
    CLEARED = "cleared"
    """A log was cleared: what the log reports, not a fault of it."""


class Loss(NamedTuple):
    """Records that were there but could not be delivered: `records` of them, why, and where.

    They were written between the times `after` and `before`, in ticks, where these are known.
    """

    reason: LossReason
    detail: str
    path: str | None = None
    offset: int | None = None
    line: int | None = None
    record_id: int | None = None
    records: int = 1
    after: int | None = None
    before: int | None = None

    def __str__(self) -> str:
        what = "record" if self.record_id is None else f"record {self.record_id}"
        if self.records != 1:
            what = f"{self.records} records"
        where = f" at offset 0x{self.offset:X}" if self.offset is not None else ""
        where += f" on line {self.line}" if self.line is not None else ""
        return f"{what}{where} {self.reason}: {self.detail}"


class Note(NamedTuple):
    """One thing worth telling about an input as a whole, with its place where there is one.

    `incomplete` says that the input holds more than was read, so that a strict reading ends.
    """

    kind: NoteKind
    text: str
    path: str | None = None
    incomplete: bool = False

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


class Member(NamedTuple):
    """A file in an archive, and its items; `is_log` says that by its name it cannot be anything else.

    `zone` is that of its times that name none, where the archive names it.
    """

    path: str
    items: Iterator[Item]
    is_log: bool = True
    zone: tzinfo | None = None


Item = EventRecord | list[Recurrences] | Skipped | Loss | Note | Coverage | Chunks | Opened | SetBack | Member
"""What a reader yields; a list holds several records that are wanted."""
