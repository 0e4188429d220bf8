"""An input as steps that any number of processes may read: all of it, or runs of chunks of a large log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

from hvdegraded.errors import SourceError
from hvdegraded.formats.evtx.chunks import Chunk, MissingChunk, scan_chunks
from hvdegraded.formats.evtx.decoder import EvtxDecoder
from hvdegraded.formats.evtx.format import CHUNK_SIZE
from hvdegraded.formats.evtx.reader import ChunkReader, never_written, open_log
from hvdegraded.formats.evtx.record_headers import Gap, Span
from hvdegraded.records.items import Item, Opened
from hvdegraded.records.record import ProviderFilter

__all__ = ["ReadStep", "log_steps", "step_items"]


class ReadStep(NamedTuple):
    """A stretch of an input: all of it, a run of chunks that come without bytes, or one chunk with bytes.

    `items` are what was found when it was planned, `error` why it ends there; `last` ends its input.
    """

    items: list[Item]
    chunks: Sequence[Chunk] | None = None
    here: tuple[Chunk, Sequence[Span | Gap] | None] | None = None
    error: Exception | None = None
    last: bool = False

    @property
    def is_read(self) -> bool:
        """Whether there is anything to read, not to report alone."""
        return self.error is None and (self.here is not None or self.chunks != ())


def log_steps(stream: BinaryIO, name: str, size: Callable[[int], int]) -> Iterator[ReadStep]:
    """Plan the steps of an .evtx log, in order; `size` is how long a run is that begins with a chunk."""
    items: list[Item] = []
    try:
        log = open_log(stream, name)
        items += log.items
        run: list[Chunk] = []
        for place in scan_chunks(log.read_at, log.start):
            in_order = isinstance(place, Chunk) and not place.data
            if run and (not in_order or len(run) >= size(run[0].number)):
                yield ReadStep(items, tuple(run))
                items, run = [], []
            if isinstance(place, MissingChunk):
                log.audit.add_hole(place)
                continue
            chunk, note = log.repeats.checked(place)
            if chunk is None:
                log.audit.add_copy()
            spans = None if chunk is None else log.audit.add_chunk(chunk)
            found = [*([] if note is None else [note]), *log.audit.take()]
            in_order = in_order and chunk is not None and not chunk.data
            if run and (found or not in_order):
                yield ReadStep(items, tuple(run))
                items, run = [], []
            items += found
            if chunk is None:
                continue
            if in_order:
                run.append(chunk)
            else:
                yield ReadStep(items, here=(chunk, spans))
                items = []
        if run:
            yield ReadStep(items, tuple(run))
            items = []
        log.audit.finish()
        items += [*log.audit.take(), *never_written(log, name)]
        yield ReadStep(items, (), last=True)
    except (SourceError, OSError) as error:
        yield ReadStep(items, error=error, last=True)


def step_items(
    stream: BinaryIO, name: str, step: ReadStep, wanted: ProviderFilter | None, decoder: EvtxDecoder
) -> Iterator[Item]:
    """Read a run of chunks of a log, or one chunk with bytes."""
    yield Opened("evtx")
    reader = ChunkReader(name, wanted, decoder)
    if step.here is not None:
        yield from reader.items(*step.here)
    for chunk in step.chunks or ():
        stream.seek(chunk.offset)
        yield from reader.items(chunk._replace(data=stream.read(CHUNK_SIZE)))
