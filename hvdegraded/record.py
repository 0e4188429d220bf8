"""What every reader delivers: provider-neutral event records, and the account of a reading.

A record says the same whatever route it came by: values are text as Windows renders them in event
XML, times are exact integer ticks, GUIDs are upper case without braces. So one event read from an
.evtx file and from an XML export compares equal (`origin` and `rendering` do not count).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from hvdegraded.errors import LossError
from hvdegraded.times import datetime_from_ticks

__all__ = [
    "EventRecord",
    "Evidence",
    "Field",
    "Level",
    "Loss",
    "LossReason",
    "Note",
    "NoteKind",
    "Origin",
    "ProviderFilter",
    "ReadReport",
    "RecordStream",
]

Field = tuple[str | None, str]
"""One value of an event: its name (None where the source has none) and its text."""


class Level(enum.IntEnum):
    """Severity of an event as Windows numbers it: the lower, the worse; 0 passes every filter."""

    LOG_ALWAYS = 0
    CRITICAL = 1
    ERROR = 2
    WARNING = 3
    INFORMATION = 4
    VERBOSE = 5


class Evidence(enum.StrEnum):
    """What an event's reading rests on, strongest first."""

    NAMED = "named fields"
    POSITIONAL = "positional fields"
    MESSAGE = "rendered message"
    NONE = "no fields"


class Origin(NamedTuple):
    """Where a record was read: reader, input, place in it, and why it deserves less trust, if so.

    `offset` counts bytes from the start of the (decompressed) input, `line` counts from 1.
    `recovered` marks remnants, no live records of a log. `doubts` are short English reasons to believe
    that what the record says may be mangled; `route` tells what its route did not keep.
    """

    reader: str = ""
    path: str | None = None
    offset: int | None = None
    line: int | None = None
    chunk: int | None = None
    recovered: bool = False
    doubts: tuple[str, ...] = ()
    route: tuple[str, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """All that is to be told: doubts, and what the route did not keep."""
        return self.doubts + self.route


class EventRecord(NamedTuple):
    """One event as its log holds it, whatever its provider.

    `time_ticks` is TimeCreated in 100 ns since 1601 (None where the route lost it); `record_id` is
    EventRecordID. GUIDs are upper case without braces. `payload` names the element that holds the
    data: `EventData`, `UserData/VmlEventLog`, …. `data` keeps every value in order, duplicates
    included: `(name, text)`, the name None for unnamed `<Data>`; nested payloads are flattened to
    `Parent/Child` and `Parent/@attribute`, `<Binary>` is `("Binary", hex)`. `extra` holds whatever else
    stood in `<System>`, `rendering` what a host added in its own language (`Message`, `Culture`, …).
    """

    provider: str = ""
    event_id: int = 0
    time_ticks: int | None = None
    level: int | None = None
    record_id: int | None = None
    channel: str = ""
    computer: str = ""
    provider_guid: str | None = None
    event_source: str | None = None
    qualifiers: int | None = None
    version: int | None = None
    task: int | None = None
    opcode: int | None = None
    keywords: int | None = None
    process_id: int | None = None
    thread_id: int | None = None
    activity_id: str | None = None
    related_activity_id: str | None = None
    user_id: str | None = None
    payload: str = ""
    payload_namespace: str | None = None
    data: tuple[Field, ...] = ()
    extra: tuple[Field, ...] = ()
    rendering: tuple[Field, ...] = ()
    origin: Origin = Origin()

    @property
    def content(self) -> tuple[object, ...]:
        """Everything the event itself says: all fields but `rendering` and `origin`."""
        return self[:-2]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EventRecord) and self[:-2] == other[:-2]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:-2])

    @property
    def time_created(self) -> datetime | None:
        """TimeCreated as UTC datetime, cut to microseconds; None where unknown or beyond year 9999."""
        return None if self.time_ticks is None else datetime_from_ticks(self.time_ticks)

    @property
    def message(self) -> str | None:
        """The rendered message, in the rendering host's language; None where the route has none."""
        for name, text in self.rendering:
            if name == "Message":
                return text
        return None

    @property
    def evidence(self) -> Evidence:
        """How strong this record's fields are: named, positional, message only, or nothing."""
        positional = False
        for name, _ in self.data:
            if name is None or name.startswith(("Parameter", "param")):
                positional = True
            elif name != "Binary":
                return Evidence.NAMED
        if positional:
            return Evidence.POSITIONAL
        return Evidence.MESSAGE if self.message else Evidence.NONE

    def get(self, name: str) -> str | None:
        """Text of the first value of that name, None where there is none."""
        for key, text in self.data:
            if key == name:
                return text
        return None

    def mended(self) -> EventRecord:
        """This record, with U+FFFD and a doubt for halves of surrogate pairs, which are no text."""
        texts = [text for text in _TEXTS_OF(self) if text]
        for fields in (self.data, self.extra, self.rendering):
            for name, text in fields:
                texts.append(text)
                if name:
                    texts.append(name)
        if _is_text("".join(texts)):
            return self
        has_halves = False

        def mend(value: Any) -> Any:
            nonlocal has_halves
            if isinstance(value, tuple):
                return tuple(map(mend, value))
            if not isinstance(value, str):
                return value
            units = value.encode("utf-16-le", "surrogatepass")
            mended = units.decode("utf-16-le", "replace")
            has_halves = has_halves or mended.encode("utf-16-le") != units
            return mended

        record = EventRecord._make([*map(mend, self[:-1]), self.origin])
        if not has_halves:
            return record
        doubt = "halves of surrogate pairs in it stand as U+FFFD"
        return record._replace(origin=self.origin._replace(doubts=(*self.origin.doubts, doubt)))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; `from_dict` turns them back into an equal record."""
        plain = self._asdict()
        for name in ("data", "extra", "rendering"):
            plain[name] = [list(pair) for pair in plain[name]]
        plain["origin"] = self.origin._asdict() | {
            "doubts": list(self.origin.doubts),
            "route": list(self.origin.route),
        }
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> EventRecord:
        """The record that `to_dict` wrote. Raises TypeError or ValueError for any other shape."""
        known = dict(plain)
        for name in ("data", "extra", "rendering"):
            known[name] = tuple((key, str(text)) for key, text in known.get(name, ()))
        origin = dict(known.get("origin") or {})
        for name in ("doubts", "route"):
            origin[name] = tuple(str(text) for text in origin.get(name, ()))
        known["origin"] = Origin(**origin)
        return cls(**known)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        def from_plain(value: dict[str, Any]) -> EventRecord:
            try:
                return cls.from_dict(value)
            except TypeError as error:
                raise ValueError(str(error)) from error

        plain = core_schema.no_info_after_validator_function(from_plain, core_schema.dict_schema())
        return core_schema.json_or_python_schema(
            json_schema=plain,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), plain]),
            serialization=core_schema.plain_serializer_function_ser_schema(cls.to_dict),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "object", "title": cls.__name__}


_TEXTS_OF: Callable[[EventRecord], tuple[str | None, ...]] = attrgetter(
    "provider", "channel", "computer", "provider_guid", "event_source", "activity_id", "related_activity_id",
    "user_id", "payload", "payload_namespace",
)  # fmt: skip


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True)
class ProviderFilter:
    """Which providers a reading wants; names compare without case.

    `names` are whole names, `prefixes` beginnings of names, all in lower case. `marks` are pieces that
    every name with such a prefix contains as its manifest spells it (`Hyper-V`): readers search raw
    bytes for them before they decode.
    """

    names: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()

    def matches(self, provider: str) -> bool:
        """Whether events of this provider are wanted."""
        lower = provider.lower()
        return lower in self.names or lower.startswith(self.prefixes)


class LossReason(enum.StrEnum):
    """Why a record could not be delivered."""

    UNREADABLE = "unreadable"
    TRUNCATED = "cut off"
    OVER_LIMIT = "over a limit"
    MALFORMED = "malformed"
    UNSUPPORTED = "not supported by this reader"


class NoteKind(enum.StrEnum):
    """What a reader noticed about an input as a whole."""

    TRUNCATED = "truncated"
    DIRTY = "dirty"
    HEADER = "header"
    CHUNK = "chunk"
    ENCODING = "encoding"
    CHANGED = "changed while read"
    LIMIT = "limit"
    READER = "reader"
    UNREADABLE = "unreadable"
    INTERRUPTED = "interrupted"
    PASSED_OVER = "passed over"


class Loss(NamedTuple):
    """Records that were there but could not be delivered: `records` of them, why, and where."""

    reason: LossReason
    detail: str
    path: str | None = None
    offset: int | None = None
    line: int | None = None
    record_id: int | None = None
    records: int = 1

    def __str__(self) -> str:
        what = "record" if self.record_id is None else f"record {self.record_id}"
        if self.records != 1:
            what = f"{self.records} records"
        where = f" at offset 0x{self.offset:X}" if self.offset is not None else ""
        where += f" on line {self.line}" if self.line is not None else ""
        return f"{what}{where} {self.reason}: {self.detail}"


class Note(NamedTuple):
    """One thing worth telling about an input as a whole, with its place where there is one."""

    kind: NoteKind
    text: str
    path: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


@dataclass
class ReadReport:
    """The account of a reading: records seen = delivered + filtered + lost, at any moment.

    `filtered` counts records of providers that were not wanted, also those in chunks that were skipped
    unread. `marked` counts delivered records whose `origin.remarks` is not empty. `losses` and `notes`
    list the first `MAX_LISTED`; the counts are complete.
    """

    MAX_LISTED: ClassVar[int] = 1000

    path: str | None = None
    reader: str = ""
    size: int | None = None
    strict: bool = False
    chunks_seen: int = 0
    chunks_skipped: int = 0
    chunks_damaged: int = 0
    delivered: int = 0
    filtered: int = 0
    lost: int = 0
    marked: int = 0
    recovered: int = 0
    losses: list[Loss] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    parts: list[ReadReport] = field(default_factory=list)

    @property
    def records_seen(self) -> int:
        """Records that were there: delivered + filtered + lost."""
        return self.delivered + self.filtered + self.lost

    @property
    def unreadable(self) -> tuple[Note, ...]:
        """Inputs that could not be read at all."""
        return tuple(note for note in self.notes if note.kind is NoteKind.UNREADABLE)

    @property
    def interrupted(self) -> bool:
        """Whether the reading was given up before its end."""
        return any(note.kind is NoteKind.INTERRUPTED for note in self.notes)

    @property
    def complete(self) -> bool:
        """Whether nothing was lost, cut off or doubtful as far as the reader can tell."""
        return not (self.lost or self.marked or self.chunks_damaged or self.notes)

    def items(self) -> list[tuple[str | None, str]]:
        """All notes and losses that are listed, in words, each with the input that it is about."""
        items = [
            *((note.path, str(note)) for note in self.notes),
            *((loss.path, str(loss)) for loss in self.losses),
        ]
        more = self.lost - sum(loss.records for loss in self.losses)
        if more > 0:
            items.append((self.path, f"{more} more records lost, not listed"))
        return items

    def lose(
        self,
        reason: LossReason,
        detail: str,
        *,
        offset: int | None = None,
        line: int | None = None,
        record_id: int | None = None,
        count: int = 1,
    ) -> None:
        """Count records that cannot be delivered. Raises LossError where the reading is strict."""
        loss = Loss(reason, detail, self.path, offset, line, record_id, count)
        self.lost += count
        if len(self.losses) < self.MAX_LISTED:
            self.losses.append(loss)
        if self.strict:
            raise LossError(str(loss), path=self.path, hint="read without strict to get everything else")

    def interrupt(self) -> None:
        """Remember, before all else, that the reading was given up."""
        self.notes.insert(0, Note(NoteKind.INTERRUPTED, "reading stopped here; the rest is not known", None))

    def note(self, kind: NoteKind, text: str) -> None:
        """Remember something about the input as a whole."""
        if len(self.notes) < self.MAX_LISTED:
            self.notes.append(Note(kind, text, self.path))

    def add(self, part: ReadReport) -> None:
        """Take the finished account of one input into this total."""
        self.parts.append(part)
        if part.size is not None:
            self.size = (self.size or 0) + part.size
        self._count(part)

    def go_on(self, part: ReadReport) -> None:
        """Take the account of a further stretch of the same input into this one."""
        self.parts.extend(part.parts)
        self.reader = part.reader or self.reader
        self._count(part)

    def split(self) -> ReadReport:
        """The account so far; this one goes on with what comes next."""
        part = replace(self)
        for name in _COUNTS:
            setattr(self, name, 0)
        self.losses, self.notes, self.parts = [], [], []
        return part

    def _count(self, part: ReadReport) -> None:
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(part, name))
        room = self.MAX_LISTED
        self.losses.extend(part.losses[: max(0, room - len(self.losses))])
        self.notes.extend(part.notes[: max(0, room - len(self.notes))])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        plain: dict[str, Any] = {"path": self.path, "reader": self.reader, "size": self.size}
        plain["records_seen"] = self.records_seen
        plain |= {name: getattr(self, name) for name in _COUNTS}
        plain["losses"] = [loss._asdict() for loss in self.losses]
        plain["notes"] = [note._asdict() for note in self.notes]
        if self.parts:
            plain["parts"] = [part.to_dict() for part in self.parts]
        return plain

    def __str__(self) -> str:
        text = f"{self.path or 'input'}: {self.records_seen} records, {self.delivered} delivered"
        for count, what in (
            (self.filtered, "of other providers"),
            (self.lost, "LOST"),
            (self.marked, "doubtful"),
            (self.recovered, "recovered"),
        ):
            if count:
                text += f", {count} {what}"
        told = [
            f"  {item}" if path in (None, self.path) else f"  {path}: {item}" for path, item in self.items()
        ]
        return "\n".join([text, *told])


_COUNTS = (
    "chunks_seen",
    "chunks_skipped",
    "chunks_damaged",
    "delivered",
    "filtered",
    "lost",
    "marked",
    "recovered",
)


class RecordStream(Iterator[EventRecord]):
    """Records of one reading, one after another, with its `report`, which grows as they are taken.

    The report is final once the stream is exhausted. Closing the stream (or leaving a `with` block)
    releases the input early.
    """

    def __init__(self, records: Iterator[EventRecord], report: ReadReport) -> None:
        self._records = records
        self.report = report

    def __next__(self) -> EventRecord:
        return next(self._records)

    def close(self) -> None:
        """Stop reading and release the input."""
        close = getattr(self._records, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> RecordStream:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
