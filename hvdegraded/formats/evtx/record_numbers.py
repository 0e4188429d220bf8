"""What the chunks of a log, taken together, say about records that are missing.

Record numbers run on from chunk to chunk, and the file header knows the next one. So the records of a chunk
that cannot be read are counted by the numbers around it, and those that were cut off by the header's. Where
numbers do not run on, as where a full log went on at its beginning, each such place counts as one record.
"""

from __future__ import annotations

from collections.abc import Sequence

from hvdegraded.formats.evtx.chunks import (
    CHUNK_SIZE,
    FILE_HEADER_SIZE,
    FIRST_RECORD,
    Chunk,
    FileHeader,
    Gap,
    MissingChunk,
    Span,
    walk,
)
from hvdegraded.records.report import LossReason, NoteKind, ReadReport

__all__ = ["RecordNumberAudit", "end_of"]

_MOST_RECORDS = 4096  # of a chunk; it has room for half as many
_UNKNOWN = "one for each chunk, since no number tells how many"


def end_of(spans: Sequence[Span | Gap]) -> int:
    """Where in its chunk the last of these ends."""
    return spans[-1].end if spans else FIRST_RECORD


class RecordNumberAudit:
    """What the chunks of a file, taken together, say about what is missing: record numbers run on."""

    def __init__(self, report: ReadReport, header: FileHeader | None, size: int) -> None:
        self.report = report
        self._header = header
        self._size = size
        self._places = 0
        self._seen = 0
        self._last: int | None = None
        self._highest = 0
        self._holes: list[MissingChunk] = []  # since the record of number `_last`
        self._open_end: int | None = None  # of a damaged chunk behind it, which may have held more
        self._guessed = 0

    def add_hole(self, hole: MissingChunk) -> None:
        """A place without chunk."""
        self._places += 1
        self._holes.append(hole)

    def add_chunk(self, chunk: Chunk) -> list[Span | Gap] | None:
        """The next chunk; of one whose header is in doubt, what lies in it, without what is counted here."""
        self._places += 1
        self._seen += 1
        if chunk.records is not None:
            self._run_on(chunk.first, chunk.last)
            return None
        spans = list(walk(chunk))
        numbers = [span.number for span in spans if isinstance(span, Span)]
        if numbers and isinstance(spans[0], Gap):
            self._holes.append(MissingChunk(chunk.offset + spans[0].start, empty=False))
            del spans[0]
        if numbers:
            self._run_on(numbers[0], numbers[-1])
            self._open_end = None if chunk.trusted else chunk.offset + end_of(spans)
        elif not chunk.trusted and not spans:
            self._holes.append(MissingChunk(chunk.offset, empty=False))
        return spans

    def finish(self) -> None:
        """The end of the file."""
        used = self._places
        while self._holes and self._holes[-1].empty:  # room for later records
            self._holes.pop()
            used -= 1
        header = self._header
        absent = missing = 0
        if header is not None:
            missing = header.following - 1 - self._highest - self._guessed
            if FILE_HEADER_SIZE + header.chunks * CHUNK_SIZE > self._size:
                absent = max(0, header.chunks - self._places)
                told = f"the header promises {header.chunks} chunks, {self._places} are there"
                self.report.note(NoteKind.TRUNCATED, told)
            elif header.chunks not in (self._places, self._seen) and not header.dirty:
                self.report.note(
                    NoteKind.HEADER,
                    f"the header counts {header.chunks} chunks, {self._seen} are there",
                )
        self.report.chunks_damaged += len(self._holes)
        wiped = 0 if header is None else max(0, header.chunks - used)
        places = len(self._holes) + wiped + (self._open_end is not None)
        if missing > 0 and places:
            count = min(missing, _MOST_RECORDS * places)
            if self._holes or self._open_end is not None:
                self._lose(count, "by the number of the next record")
            elif absent:
                self.report.record_loss(
                    LossReason.TRUNCATED, "the file ends before them", offset=self._size, count=count
                )
            else:
                self.report.record_loss(LossReason.UNREADABLE, "zeros are in their place", count=count)
        elif self._holes:
            self._lose(len(self._holes), _UNKNOWN)
        elif absent:
            self.report.record_loss(
                LossReason.TRUNCATED, f"the file ends, {_UNKNOWN}", offset=self._size, count=absent
            )

    def _run_on(self, first: int, last: int) -> None:
        """Records of these numbers follow; whatever is missing before them is lost."""
        places = len(self._holes) + (self._open_end is not None)
        if places:
            self.report.chunks_damaged += len(self._holes)
            missing = -1 if self._last is None else first - self._last - 1
            if missing > 0 and missing <= _MOST_RECORDS * places:
                self._lose(missing, "by the numbers around them")
            elif missing and self._holes:
                self._guessed += len(self._holes)
                self._lose(len(self._holes), _UNKNOWN)
            elif self._holes:
                offset = self._holes[0].offset
                self.report.note(
                    NoteKind.CHUNK, f"from offset 0x{offset:X} on there is no chunk, yet no record is missing"
                )
        self._holes = []
        self._open_end = None
        self._last = last
        self._highest = max(self._highest, last)

    def _lose(self, count: int, how: str) -> None:
        offset = self._holes[0].offset if self._open_end is None else self._open_end
        what = "no chunk can be read here" if self._holes else "the chunk is damaged here"
        self.report.record_loss(LossReason.UNREADABLE, f"{what}; counted {how}", offset=offset, count=count)
