"""What there is to report of a chunk, apart from its records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter, sub
from typing import NamedTuple

from hvdegraded.formats.evtx.binxml.split import Heading
from hvdegraded.formats.evtx.chunks import Chunk
from hvdegraded.formats.evtx.record_headers import Gap, Span
from hvdegraded.records.coverage import Coverage
from hvdegraded.records.items import Chunks, Item, Loss, LossReason, Note, NoteKind, SetBack, Skipped
from hvdegraded.records.record import EventRecord

__all__ = ["Unwanted", "UnwantedRecords", "gap_loss", "state_of"]

_COMPUTER, _CHANNEL = map(EventRecord._fields.index, ("computer", "channel"))
_SET_BACK = 10_000_000  # ticks by which times run backwards for another reason than the order of writing


class Unwanted(NamedTuple):
    """A record whose provider is not wanted: where it starts in its chunk, its System fields and its time."""

    start: int
    heading: Heading
    ticks: int | None


class UnwantedRecords:
    """The records of a chunk that are not wanted: how many, and the first and the last of each kind."""

    def __init__(self) -> None:
        self._count = 0
        self._ends: list[Unwanted] = []

    def add(self, count: int, *ends: Unwanted) -> None:
        """Take so many."""
        self._count += count
        self._ends += ends

    def items(self) -> Iterator[Item]:
        """That they were skipped, and the times of the first and the last of them."""
        if not self._ends:
            return
        yield Skipped(self._count)
        start = itemgetter(0)
        for _, heading, ticks in (min(self._ends, key=start), max(self._ends, key=start)):
            if ticks is not None:
                yield Coverage(heading.fields[_COMPUTER], heading.fields[_CHANNEL], ticks, ticks)


def state_of(chunk: Chunk, spans: Sequence[Span | Gap], *, damaged: bool) -> Iterator[Item]:
    """What is damaged in a chunk; `damaged` says that the records' bytes are not those that were written."""
    where = f"the chunk at offset 0x{chunk.at(0):X}"
    records = [span for span in spans if isinstance(span, Span)]
    _, _, numbers, times, odd = zip(*records, strict=True) if records else ((),) * len(Span._fields)
    hidden = len(odd) - odd.count(None)
    if hidden:
        yield Note(NoteKind.CHUNK, f"{where} hides {hidden} records: sizes or its header leave them out")
    counted = chunk.records is not None and bool(numbers)
    if counted and not chunk.first <= min(numbers) <= max(numbers) <= chunk.last:
        yield Note(NoteKind.CHUNK, f"{where} holds records that its header does not count")
    if not chunk.trusted:
        yield Note(NoteKind.CHUNK, f"the header of {where} is damaged")
    elif chunk.records is None and spans:
        yield Note(NoteKind.CHUNK, f"the header of {where} counts records {chunk.first} to {chunk.last}")
    elif not chunk.orderly and spans and not hidden:
        yield Note(NoteKind.CHUNK, f"the header of {where} names another last record than is there")
    if damaged:
        yield Note(NoteKind.CHUNK, f"the checksum of {where} does not match")
    if chunk.trusted and list(numbers) != sorted(set(numbers)):
        yield Note(NoteKind.CHUNK, f"record numbers in {where} go back")
    later = times[1:]
    steps = [
        step for step, ticks in zip(map(sub, times, later), later, strict=True) if step >= _SET_BACK and ticks
    ]
    if steps:
        yield SetBack(len(steps), max(steps))
    if damaged or not chunk.trusted or len(records) < len(spans):
        yield Chunks(damaged=1)


def gap_loss(chunk: Chunk, spans: Sequence[Span | Gap], place: int) -> Loss:
    """The records that a gap holds, between the times of the records around it."""
    gap = spans[place]
    assert isinstance(gap, Gap)
    before = spans[place - 1] if place else None
    behind = spans[place + 1] if place + 1 < len(spans) else None
    reason = LossReason.TRUNCATED if gap.cut_off else LossReason.UNREADABLE
    detail = "the file ends here" if gap.cut_off else "no record header can be read here"
    return Loss(
        reason,
        detail,
        offset=chunk.at(gap.start),
        records=gap.records,
        after=before.ticks if isinstance(before, Span) else None,
        before=behind.ticks if isinstance(behind, Span) else None,
    )
