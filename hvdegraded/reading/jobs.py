"""What is to be read and how, and the reading of one input."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from hvdegraded.formats.autodetect import read_stream
from hvdegraded.formats.collections import INVENTORY, LIST, STATES, Collection, unpacked_files
from hvdegraded.formats.evtx.decoder import EvtxDecoder
from hvdegraded.formats.evtx.reader import EvtxReader, read_evtx
from hvdegraded.reading.delivery import delivered, delivered_in_runs
from hvdegraded.records.items import Item
from hvdegraded.records.local_times import in_zone
from hvdegraded.records.options import Engine, ReadOptions
from hvdegraded.records.record import EventRecord, ProviderFilter
from hvdegraded.records.recurrence import Recurrences
from hvdegraded.records.report import ReadReport

__all__ = [
    "InputReader",
    "Mapper",
    "ReadJob",
]

Mapper = Callable[[Iterator[EventRecord | Recurrences]], Iterator[Any]]
"""What makes results of records and of runs of those that are alike, in whichever process reads them.

For several processes it must be picklable.
"""


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
        return self.mapper(delivered_in_runs(items, report, self.wanted, self.options.timezone))


class InputReader:
    """Reads inputs of any format, one after another; an .evtx decoder knows the templates of earlier ones.

    Raises SourceError where the engine cannot be used.
    """

    def __init__(self, job: ReadJob) -> None:
        self._job = job
        self._read_evtx = _evtx_reader(job.options)
        self._collections: dict[Path, Collection | None] = {}

    def items(self, stream: BinaryIO, path: str | None) -> Iterator[Item]:
        """What one input gives; `path` is where it lies, if it is a file."""
        options = self._job.options
        items = read_stream(
            stream, path, self._job.wanted, read_evtx=self._read_evtx, anything=options.carves
        )
        place = None if path is None else Path(path)
        collection = None if place is None else self._collection(place.parent)
        if place is None or collection is None:
            return items
        if place.name == LIST:
            return collection.items(frozenset(os.listdir(place.parent)))
        if place.name in (INVENTORY, STATES):
            return iter(())
        return items if collection.zone is None else _in_zone(items, collection.zone)

    def _collection(self, folder: Path) -> Collection | None:
        """The list of a collection that was unpacked into a folder."""
        if folder not in self._collections:
            files = unpacked_files(folder)
            self._collections[folder] = None if files is None else files.collection
        return self._collections[folder]


def _in_zone(items: Iterator[Item], zone: tzinfo) -> Iterator[Item]:
    """The items, with local times of a zone where they name none."""
    for item in items:
        yield in_zone(item, zone) if isinstance(item, EventRecord) and item.origin.caveats else item


def _evtx_reader(options: ReadOptions) -> EvtxReader:
    if options.carves:
        from hvdegraded.formats.evtx.carving import carve

        return partial(carve, remnants=options.remnants)
    if options.engine is Engine.HVDEGRADED:
        return partial(read_evtx, decoder=EvtxDecoder())
    from hvdegraded.formats.evtx.other_readers import witness_reader

    return witness_reader(options.engine)
