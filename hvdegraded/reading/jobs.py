"""What is to be read and how, and the reading of one input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from hvdegraded.formats.autodetect import read_stream
from hvdegraded.formats.evtx.decoder import EvtxDecoder
from hvdegraded.formats.evtx.reader import EvtxReader, read_evtx
from hvdegraded.records.record import EventRecord, ProviderFilter
from hvdegraded.records.report import ReadReport

__all__ = [
    "Mapper",
    "ReadJob",
    "Workforce",
    "evtx_reader",
    "read_one",
]

OWN_ENGINE = "hvdegraded"
CARVE, REMNANTS = "carve", "carve remnants"
"""The engines that look for chunks at any offset, and in these also for what is left of older records."""
Mapper = Callable[[Iterator[EventRecord]], Iterator[Any]]
"""What makes results of records, in whichever process reads them; it must be picklable."""


@dataclass(frozen=True)
class Workforce:
    """How many processes read, and the sizes of input that make them worth their start."""

    count: int
    worth: int = 64 << 20
    """Bytes of input from which on processes, which take a moment to start, pay off."""
    run: int = 128
    """Chunks that a process reads at a time, 64 KiB each; logs of more than two such runs are shared."""


@dataclass(frozen=True)
class ReadJob:
    """What is to be read, and how; without `gather` the results are the records themselves."""

    wanted: ProviderFilter | None
    engine: str = OWN_ENGINE
    gather: Mapper | None = None

    def results(self, records: Iterator[EventRecord]) -> Iterator[Any]:
        """The results of these records."""
        return records if self.gather is None else self.gather(records)


def read_one(
    stream: BinaryIO, report: ReadReport, wanted: ProviderFilter | None, reader: EvtxReader, engine: str
) -> Iterator[EventRecord]:
    """The records of one input; `reader` is the engine's, see `evtx_reader`."""
    return read_stream(stream, report, wanted, read_evtx=reader, anything=engine in (CARVE, REMNANTS))


def evtx_reader(engine: str) -> EvtxReader:
    """What reads .evtx logs by that engine. Raises SourceError for a name that is none."""
    if engine in (CARVE, REMNANTS):
        from hvdegraded.formats.evtx.carving import carve

        return partial(carve, remnants=engine == REMNANTS)
    if engine == OWN_ENGINE:
        decoder = EvtxDecoder()
        return lambda stream, report, wanted: read_evtx(stream, report, wanted, decoder=decoder)
    from hvdegraded.formats.evtx.other_readers import witness_reader

    return witness_reader(engine)
