"""Events of logs, one after another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from hvdegraded.events import Event
from hvdegraded.events.normaliser import Normaliser
from hvdegraded.knowledge.tables import Knowledge, load_knowledge
from hvdegraded.reading.inputs import Source
from hvdegraded.reading.jobs import Workforce
from hvdegraded.reading.progress import Progress
from hvdegraded.reading.reader import read_records
from hvdegraded.records.record import EventRecord
from hvdegraded.records.report import RecordStream, Stream

__all__ = [
    "EventStream",
    "read",
]


class EventStream(Stream[Event]):
    """Events of one reading, one after another."""

    def __init__(self, records: RecordStream, normalise: Callable[[EventRecord], Event]) -> None:
        super().__init__(map(normalise, records), records.report)
        self._records = records

    def close(self) -> None:
        """Stop reading and release the input."""
        self._records.close()


def read(
    source: Source | Iterable[str | os.PathLike[str]],
    *,
    knowledge: Knowledge | None = None,
    everything: bool = False,
    strict: bool = False,
    engine: str = "hvdegraded",
    carve: bool = False,
    remnants: bool = False,
    workers: int | Workforce = 1,
    progress: bool | Progress = False,
) -> EventStream:
    """The Hyper-V events of a source: file, folder, pattern, bytes, stream; .evtx, event XML, JSON lines.

    The stream is read as it is gone through, once; its `report` tells what was read, filtered and lost.

    With `everything`, events of other providers come too, as UnrelatedEvent; with `carve`, those of chunks
    at any offset of any file; with `remnants`, older ones behind the live ones of chunks too, marked
    `origin.recovered`. `workers` is how many processes read; `progress` shows how far a long reading is.

    While it is gone through, an input that cannot be read raises SourceError; one among several is noted in
    the report. With `strict`, the first loss raises LossError. `engine` is as in `read_records`.
    """
    knowledge = knowledge or load_knowledge()
    wanted = None if everything else knowledge.provider_filter()
    records = read_records(
        source,
        wanted=wanted,
        strict=strict,
        engine=engine,
        carve=carve,
        remnants=remnants,
        workers=workers,
        progress=progress,
    )
    return EventStream(records, Normaliser(knowledge))
