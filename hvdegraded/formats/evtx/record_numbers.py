"""What the chunks of a log, taken together, say about records that are missing.

Record numbers run on from chunk to chunk, and the file header knows the next one. So the records of a chunk
that cannot be read are counted by the numbers around it, and those that were cut off by the header's. Where
numbers do not run on, as where a full log went on at its beginning, each such place counts as one record.
"""

from __future__ import annotations

from collections.abc import Callable

from hvdegraded.formats.evtx.chunks import MOST_RECORDS, Chunk, FileHeader, MissingChunk
from hvdegraded.formats.evtx.format import CHUNK_SIZE, FILE_HEADER_SIZE
from hvdegraded.formats.evtx.record_headers import Gap, Span
from hvdegraded.formats.evtx.walk import end_of, walk
from hvdegraded.records.items import Chunks, Item, Loss, LossReason, Note, NoteKind

__all__ = ["RecordNumberAudit"]

_MOST_JUMPED = 1 << 14  # numbers that are counted as missing records
_UNKNOWN = "one for each chunk, since no number shows how many"


class RecordNumberAudit:
    """What the chunks of a file, taken together, say about what is missing: record numbers run on."""

    def __init__(
        self,
        header: FileHeader | None,
        size: int,
        elsewhere: Callable[[int, int], int] = lambda first, last: 0,  # noqa: ARG005  # none
        start: int = FILE_HEADER_SIZE,
    ) -> None:
        self._elsewhere = elsewhere
        self._header = header
        self._size = size
        self._next_place = start  # where the next chunk belongs
        self._found: list[Item] = []
        self._places = 0
        self._seen = 0
        self._last: int | None = None
        self._highest = 0
        self._written: int | None = None  # when a record of the last chunk was written
        self._holes: list[MissingChunk] = []  # since the record of number `_last`
        self._open_end: int | None = None  # of a damaged chunk behind it, which may have held more
        self._guessed = 0
        self._lossy = False

    def take(self) -> list[Item]:
        """What was found since this was last asked."""
        found, self._found = self._found, []
        return found

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted: neither records nor any that cannot be read."""
        return not self._highest and not self._lossy

    def add_hole(self, hole: MissingChunk) -> None:
        """Take a place without chunk."""
        self._places += 1
        self._holes.append(hole)

    def add_copy(self) -> None:
        """Take a chunk that was there before."""
        self._places += 1
        self._seen += 1

    def add_chunk(self, chunk: Chunk) -> list[Span | Gap] | None:
        """Take the next chunk; give what lies in it if its header is damaged, less what is counted here."""
        self._places += 1
        self._seen += 1
        self._compare_place(chunk)
        if chunk.orderly:
            self._run_on(chunk.first, chunk.last, chunk.written)
            return None
        spans = list(walk(chunk))
        numbers = [span.number for span in spans if isinstance(span, Span)]
        if chunk.records is not None:  # the walk counts what is missing of the records that the header counts
            self._run_on(chunk.first, max(chunk.last, *numbers, 0), chunk.written)
            return spans
        if numbers and isinstance(spans[0], Gap):
            self._holes.append(MissingChunk(chunk.at(spans[0].start), empty=False))
            del spans[0]
        if numbers:
            self._run_on(numbers[0], numbers[-1], chunk.written)
            self._open_end = None if chunk.trusted else chunk.at(end_of(spans))
        elif not chunk.trusted and not spans:
            self._holes.append(MissingChunk(chunk.at(0), empty=False))
        return spans

    def _compare_place(self, chunk: Chunk) -> None:
        """Note a chunk that does not lie where chunks do, counted from the last one."""
        if (chunk.offset - self._next_place) % CHUNK_SIZE:
            text = f"the chunk at offset 0x{chunk.at(0):X} lies where none belongs"
            self._found.append(Note(NoteKind.CHUNK, f"{text}: bytes before it were cut out or put in"))
        self._next_place = chunk.offset

    def finish(self) -> None:
        """Take the end of the file."""
        used = self._places
        while self._holes and self._holes[-1].empty:  # room for later records
            self._holes.pop()
            used -= 1
        absent = self._compare_with_header()
        header = self._header
        self._found.append(Chunks(damaged=len(self._holes)))
        wiped = missing = 0
        if header is not None:
            wiped = max(0, header.chunks - used)
            missing = header.following - 1 - self._highest - self._guessed
        places = len(self._holes) + wiped + (self._open_end is not None)
        self._lossy = self._lossy or bool(places or absent)
        if missing > 0 and places:
            count = min(missing, MOST_RECORDS * places)
            if self._holes or self._open_end is not None:
                self._lose(count, "by the number of the next record")
            elif absent:
                self._lose_at_end(LossReason.TRUNCATED, "the file ends before them", count)
            else:
                loss = Loss(LossReason.UNREADABLE, "zeros are in their place", records=count)
                self._found.append(loss._replace(after=self._written))
        elif self._holes:
            self._lose(len(self._holes), _UNKNOWN)
        elif absent:
            self._lose_at_end(LossReason.TRUNCATED, f"the file ends, {_UNKNOWN}", absent)
        elif missing > 0 and header is not None and not header.dirty and self._highest:
            text = (
                f"the header's next record number is {header.following}, the last record is {self._highest}"
            )
            self._found.append(Note(NoteKind.HEADER, text))

    def _compare_with_header(self) -> int:
        """Note where the file header counts other chunks than are there; gives how many are absent."""
        header = self._header
        if header is None:
            return 0
        if FILE_HEADER_SIZE + header.chunks * CHUNK_SIZE > self._size:
            cut = ", the last in part" if (self._size - FILE_HEADER_SIZE) % CHUNK_SIZE else ""
            text = f"the header promises {header.chunks} chunks, {self._places} are there{cut}"
            self._found.append(Note(NoteKind.TRUNCATED, text))
            return max(0, header.chunks - self._places)
        if header.following <= self._highest and not header.dirty:
            text = f"the header's next record number is {header.following}, record {self._highest} is there"
            self._found.append(Note(NoteKind.HEADER, text))
        if header.chunks not in (self._places, self._seen) and not header.dirty:
            text = f"the header counts {header.chunks} chunks, {self._seen} are there"
            self._found.append(Note(NoteKind.HEADER, text))
        return 0

    def _run_on(self, first: int, last: int, written: int | None) -> None:
        """Take records of these numbers; those that are missing before them are lost."""
        places = len(self._holes) + (self._open_end is not None)
        if places:
            self._lossy = True
            self._found.append(Chunks(damaged=len(self._holes)))
            # Nothing was ever written before record 1.
            before = 0 if self._last is None and first == 1 else self._last
            missing = -1 if before is None else first - before - 1
            if missing > 0 and missing <= MOST_RECORDS * places:
                self._lose(missing, "by the numbers around them", written)
            elif missing and self._holes:
                self._guessed += len(self._holes)
                self._lose(len(self._holes), _UNKNOWN, written)
            elif self._holes:
                text = (
                    f"from offset 0x{self._holes[0].offset:X} on there is no chunk, yet no record is missing"
                )
                self._found.append(Note(NoteKind.CHUNK, text))
        elif self._last is not None and first > self._last + 1:
            missing = first - self._last - 1 - self._elsewhere(self._last + 1, first - 1)
            detail = f"record numbers jump from {self._last} to {first} between chunks"
            if missing <= 0:
                self._found.append(Note(NoteKind.CHUNK, f"{detail}, where others follow later"))
            else:
                loss = Loss(LossReason.UNREADABLE, detail, records=missing if missing < _MOST_JUMPED else 1)
                self._found.append(loss._replace(after=self._written, before=written))
        self._holes = []
        self._open_end = None
        self._last = last
        self._highest = max(self._highest, last)
        self._written = written

    def _lose(self, count: int, how: str, before: int | None = None) -> None:
        offset = self._holes[0].offset if self._open_end is None else self._open_end
        what = "no chunk can be read here" if self._holes else "the chunk is damaged here"
        loss = Loss(LossReason.UNREADABLE, f"{what}; counted {how}", offset=offset, records=count)
        self._found.append(loss._replace(after=self._written, before=before))

    def _lose_at_end(self, reason: LossReason, detail: str, count: int) -> None:
        self._found.append(Loss(reason, detail, offset=self._size, records=count, after=self._written))
