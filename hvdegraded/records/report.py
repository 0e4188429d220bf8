"""The account of a reading: what was delivered, filtered, lost, and noticed; and the stream that keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar, Generic, Self, TypeVar

from hvdegraded.errors import HvdegradedError, LossError
from hvdegraded.records.coverage import ChannelCoverage, InputCoverage, channel_coverage
from hvdegraded.records.items import Loss, Note, NoteKind, SetBack
from hvdegraded.records.record import EventRecord

__all__ = ["ReadReport", "RecordStream", "Stream"]

T = TypeVar("T")


@dataclass(repr=False)
class ReadReport:
    """The account of a reading: records seen = delivered + filtered + lost, at any moment.

    `filtered` counts records of providers that were not wanted, also those in chunks that were skipped
    unread. `with_anomalies` and `with_caveats` count delivered records that have some. `losses` and
    `notes` list the first `MAX_LISTED`; the counts are complete. `times` are those of this input's own
    records, `parts` the reports of several inputs, or of an archive's members. `set_back` counts the places
    at which times run backwards inside a chunk of an .evtx log, at most by `most_set_back` ticks.

    >>> import hvdegraded as hv
    >>> events = hv.read("sample_logs/hv2012r2/System.evtx")
    >>> _ = list(events)
    >>> events.report
    <ReadReport, sample_logs/hv2012r2/System.evtx: 608 records, 248 delivered, 360 of other providers>
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
    with_anomalies: int = 0
    with_caveats: int = 0
    recovered: int = 0
    set_back: int = 0
    most_set_back: int = 0
    losses: list[Loss] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    parts: list[ReadReport] = field(default_factory=list)
    together: bool = False
    is_archive: bool = False
    times: InputCoverage = field(default_factory=InputCoverage)

    def __repr__(self) -> str:
        return f"<ReadReport, {str(self).splitlines()[0]}>"

    @property
    def coverage(self) -> ChannelCoverage:
        """For which time each host's channel was read; ask once, when the reading has ended.

        `report.coverage.gap(host, channel, start, end)` is None where all records of that time were read, and
        else names the reason; `covers(…)` is the same as a bool, and iterating gives all stretches.
        """
        return channel_coverage(self._exports())

    def _exports(self) -> list[list[InputCoverage]]:
        """The inputs of each export: members of an archive, inputs that are taken together, or one file."""
        if not self.parts:
            return [[self.times]]
        if self.together or self.is_archive:
            return [[one for part in self.parts for export in part._exports() for one in export]]
        return [export for part in self.parts for export in part._exports()]

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
        """Whether the reader noticed nothing that was lost, cut off or damaged."""
        faults = any(note.kind is not NoteKind.CLEARED for note in self.notes)
        return not (self.lost or self.with_anomalies or self.chunks_damaged or faults)

    def items(self, *, brief: bool = False) -> list[tuple[str | None, str]]:
        """All notes and losses that are listed, in words, each with the input that it is about.

        With `brief`, all losses of an input in one text, which names the first.
        """
        losses = self._losses_by_input() if brief else ((loss.path, str(loss)) for loss in self.losses)
        items = [*((note.path, str(note)) for note in self.notes), *losses]
        more = self.lost - sum(loss.records for loss in self.losses)
        if more > 0 and not brief:
            items.append((self.path, f"{more} more records lost, not listed"))
        return items + [(part.path, text) for part in self.parts or [self] for text in part._clock()]

    def _losses_by_input(self) -> Iterator[tuple[str | None, str]]:
        for part in self.parts:
            yield from part._losses_by_input()
        lost = self.lost - sum(part.lost for part in self.parts)
        own = (loss for loss in self.losses if not self.parts or loss.path == self.path)
        if lost and (first := next(own, None)):
            begin = f"{lost} records lost, the first: " if lost > first.records else ""
            yield first.path, f"{begin}{first}"

    def _clock(self) -> Iterator[str]:
        if self.set_back:
            places = "one place" if self.set_back == 1 else f"{self.set_back} places, at most"
            back = timedelta(seconds=self.most_set_back // 10_000_000)
            why = "the clock was set, or records were moved"
            yield f"clock: times run backwards at {places} by {back}: {why}"

    def take_set_back(self, found: SetBack) -> None:
        """Count places at which times run backwards."""
        self.set_back += found.places
        self.most_set_back = max(self.most_set_back, found.most)

    def lose(self, loss: Loss) -> None:
        """Count records that cannot be delivered. Raises LossError where the reading is strict."""
        loss = loss._replace(path=loss.path or self.path)
        self.lost += loss.records
        self.times.add_hole(loss.after, loss.before)
        if len(self.losses) < self.MAX_LISTED:
            self.losses.append(loss)
        if self.strict:
            raise LossError(str(loss), path=self.path, hint="read without strict to get everything else")

    def interrupt(self) -> None:
        """Remember, before all else, that the reading was given up."""
        self.times.cut = True
        self.notes.insert(0, Note(NoteKind.INTERRUPTED, "reading stopped here; the rest is not known", None))

    def note(self, kind: NoteKind, text: str, *, incomplete: bool = False) -> None:
        """Remember something about the input as a whole.

        Raises LossError for an input of which not all was read, where the reading is strict.
        """
        self.times.cut = self.times.cut or incomplete or kind in _CUT
        if len(self.notes) < self.MAX_LISTED:
            self.notes.append(Note(kind, text, self.path, incomplete))
        if self.strict and incomplete:
            raise LossError(text, path=self.path, hint="read without strict to get everything else")

    def add(self, part: ReadReport) -> None:
        """Take the finished account of one input into this total."""
        self.parts.append(part)
        if part.size is not None:
            self.size = (self.size or 0) + part.size
        self._count(part)

    def absorb(self, part: ReadReport) -> None:
        """Take the account of a further stretch of the same input into this one."""
        self.parts.extend(part.parts)
        self.is_archive = self.is_archive or part.is_archive
        self.size = self.size if part.size is None else part.size
        self.reader = part.reader or self.reader
        self.times.merge(part.times)
        self._count(part)

    def take(self) -> ReadReport:
        """The account so far; this one continues with what comes next."""
        part = replace(self)
        for name in _COUNTS:
            setattr(self, name, 0)
        self.set_back = self.most_set_back = 0
        self.losses, self.notes, self.parts = [], [], []
        self.times = self.times.next_part()
        return part

    def _count(self, part: ReadReport) -> None:
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(part, name))
        self.take_set_back(SetBack(part.set_back, part.most_set_back))
        room = self.MAX_LISTED
        self.losses.extend(part.losses[: max(0, room - len(self.losses))])
        self.notes.extend(part.notes[: max(0, room - len(self.notes))])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        plain: dict[str, Any] = {"path": self.path, "reader": self.reader, "size": self.size}
        plain["records_seen"] = self.records_seen
        plain |= {name: getattr(self, name) for name in _COUNTS}
        plain |= {"set_back": self.set_back, "most_set_back": self.most_set_back}
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
            (self.with_anomalies, "with anomalies"),
            (self.with_caveats, "with caveats"),
            (self.recovered, "recovered"),
        ):
            if count:
                text += f", {count} {what}"
        told = [
            f"  {item}" if path in (None, self.path) else f"  {path}: {item}" for path, item in self.items()
        ]
        return "\n".join([text, *told])


_CUT = frozenset({NoteKind.TRUNCATED, NoteKind.DIRTY, NoteKind.LIMIT, NoteKind.CHANGED})
"""Notes on inputs whose end may be missing."""

_COUNTS = (
    "chunks_seen",
    "chunks_skipped",
    "chunks_damaged",
    "delivered",
    "filtered",
    "lost",
    "with_anomalies",
    "with_caveats",
    "recovered",
)


class Stream(Iterator[T], Generic[T]):
    """What one reading gives, one item after another, with its `report`, which grows as they are taken.

    The report is final once the stream is exhausted; going through it again then raises HvdegradedError.
    Closing the stream (or leaving a `with` block) releases the input early.
    """

    def __init__(self, items: Iterator[T], report: ReadReport) -> None:
        self._items = items
        self._ended = False
        self.report = report

    def __iter__(self) -> Self:
        if self._ended:
            raise HvdegradedError("this stream was read to its end", hint="read again, or keep list(read(…))")
        return self

    def __next__(self) -> T:
        try:
            return next(self._items)
        except StopIteration:
            self._ended = True
            raise

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, to be gone through once: {str(self.report).splitlines()[0]}>"

    def close(self) -> None:
        """Stop reading and release the input."""
        close = getattr(self._items, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RecordStream(Stream[EventRecord]):
    """Records of one reading, one after another."""
