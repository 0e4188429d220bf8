"""What there is to report of a chunk, apart from its records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from hvdegraded.formats.evtx.binxml.split import Heading
from hvdegraded.formats.evtx.chunks import Chunk
from hvdegraded.formats.evtx.record_headers import Gap, Span
from hvdegraded.formats.evtx.walk import end_of
from hvdegraded.records.coverage import Coverage
from hvdegraded.records.items import Chunks, Item, Loss, LossReason, Note, NoteKind, SetBack
from hvdegraded.records.record import EventRecord

__all__ = ["Unwanted", "coverages", "gap_loss", "state_of"]

_COMPUTER, _CHANNEL = map(EventRecord._fields.index, ("computer", "channel"))
_SET_BACK = 10_000_000  # ticks by which times run backwards for another reason than the order of writing


class Unwanted(NamedTuple):
    """The System fields and the time of a record whose provider is not wanted."""

    heading: Heading
    ticks: int | None


def state_of(chunk: Chunk, spans: Sequence[Span | Gap]) -> Iterator[Item]:
    """What is damaged in a chunk."""
    damaged = not chunk.trusted
    where = f"the chunk at offset 0x{chunk.at(0):X}"
    records = [span for span in spans if isinstance(span, Span)]
    hidden = len(records) - [span[-1] for span in records].count(None)
    if hidden:
        yield Note(NoteKind.CHUNK, f"{where} hides {hidden} records: sizes or its header leave them out")
    numbers, times = [span[2] for span in records], [span[3] for span in records]
    counted = chunk.records is not None and bool(numbers)
    if counted and not chunk.first <= min(numbers) <= max(numbers) <= chunk.last:
        yield Note(NoteKind.CHUNK, f"{where} holds records that its header does not count")
    if damaged:
        yield Note(NoteKind.CHUNK, f"the header of {where} is damaged")
    elif chunk.records is None and spans:
        yield Note(NoteKind.CHUNK, f"the header of {where} counts records {chunk.first} to {chunk.last}")
    elif not chunk.orderly and spans and not hidden:
        yield Note(NoteKind.CHUNK, f"the header of {where} names another last record than is there")
    if not chunk.intact(end_of(spans)):
        yield Note(NoteKind.CHUNK, f"the checksum of {where} does not match")
        damaged = True
    steps = [before - ticks for before, ticks in pairwise(times) if ticks and ticks <= before - _SET_BACK]
    if chunk.trusted and any(number <= before for before, number in pairwise(numbers)):
        yield Note(NoteKind.CHUNK, f"record numbers in {where} go back")
    if steps:
        yield SetBack(len(steps), max(steps))
    if damaged or len(records) < len(spans):
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


def coverages(*records: Unwanted) -> Iterator[Coverage]:
    """The times of records."""
    for heading, ticks in records:
        if ticks is not None:
            yield Coverage(heading.fields[_COMPUTER], heading.fields[_CHANNEL], ticks, ticks)
