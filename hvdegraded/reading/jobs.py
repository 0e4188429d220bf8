"""What is to be read and how, and the reading of one input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO

from hvdegraded.formats.autodetect import read_stream
from hvdegraded.formats.evtx.decoder import EvtxDecoder
from hvdegraded.formats.evtx.reader import EvtxReader, read_evtx
from hvdegraded.reading.delivery import delivered, delivered_alike
from hvdegraded.records.items import Item
from hvdegraded.records.options import Engine, ReadOptions
from hvdegraded.records.record import EventRecord, ProviderFilter
from hvdegraded.records.recurrence import Recurrence
from hvdegraded.records.report import ReadReport

__all__ = [
    "InputReader",
    "Mapper",
    "ReadJob",
]

Mapper = Callable[[Iterator[EventRecord | Recurrence]], Iterator[Any]]
"""What makes results of records, in whichever process reads them; for several it must be picklable."""


@dataclass(frozen=True)
class ReadJob:
    """What is to be read, and how; without `mapper` the results are the records themselves."""

    wanted: ProviderFilter | None
    options: ReadOptions = field(default_factory=ReadOptions)
    mapper: Mapper | None = None

    def results(self, items: Iterable[Item], report: ReadReport) -> Iterator[Any]:
        """The results of what a reader yields; the report is kept."""
        if self.mapper is None:
            return delivered(items, report, self.wanted, self.options.timezone)
        return self.mapper(delivered_alike(items, report, self.wanted, self.options.timezone))


class InputReader:
    """Reads inputs of any format, one after another; an .evtx decoder knows the templates of earlier ones.

    Raises SourceError where the engine cannot be used.
    """

    def __init__(self, job: ReadJob) -> None:
        self._job = job
        self._read_evtx = _evtx_reader(job.options)

    def items(self, stream: BinaryIO, path: str | None) -> Iterator[Item]:
        """What one input gives."""
        options = self._job.options
        return read_stream(stream, path, self._job.wanted, read_evtx=self._read_evtx, anything=options.carves)


def _evtx_reader(options: ReadOptions) -> EvtxReader:
    if options.carves:
        from hvdegraded.formats.evtx.carving import carve

        return partial(carve, remnants=options.remnants)
    if options.engine is Engine.HVDEGRADED:
        return partial(read_evtx, decoder=EvtxDecoder())
    from hvdegraded.formats.evtx.other_readers import witness_reader

    return witness_reader(options.engine)
