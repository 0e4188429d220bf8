"""Reading logs: files, folders, patterns, bytes and streams, one after another, with one account of all."""

from __future__ import annotations

import glob
import io
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from hvdegraded.errors import HvdegradedError, LossError, SourceError
from hvdegraded.events import Event, HyperVEvent
from hvdegraded.events.normaliser import Normaliser
from hvdegraded.formats.autodetect import LOG_SUFFIXES, EvtxReader, read_stream
from hvdegraded.formats.evtx.chunks import CHUNK_SIZE, FILE_MAGIC
from hvdegraded.formats.evtx.reader import EvtxDecoder, read_evtx
from hvdegraded.knowledge.tables import Knowledge, load_knowledge
from hvdegraded.reading.progress import Progress, showing
from hvdegraded.records.record import EventRecord, ProviderFilter
from hvdegraded.records.report import NoteKind, ReadReport, RecordStream, Stream

if TYPE_CHECKING:
    from hvdegraded.reading.workers import Workers

__all__ = [
    "EventStream",
    "Gather",
    "Job",
    "Source",
    "evtx_reader",
    "gather",
    "inputs_of",
    "read",
    "read_one",
    "read_records",
    "shown",
]

Source = str | os.PathLike[str] | bytes | BinaryIO
"""A path, a folder, a pattern with `*`, the bytes of a log, or a binary stream."""

OWN_ENGINE = "hvdegraded"
CARVE, REMNANTS = "carve", "carve remnants"
"""The engines that look for chunks at any offset, and in these also for what is left of older records."""

Gather = Callable[[Iterator[EventRecord]], Iterator[Any]]
"""What makes results of records, in whichever process reads them; it must be picklable."""


@dataclass(frozen=True)
class Job:
    """What is to be read, and how; without `gather` the results are the records themselves."""

    wanted: ProviderFilter | None
    engine: str = OWN_ENGINE
    gather: Gather | None = None

    def results(self, records: Iterator[EventRecord]) -> Iterator[Any]:
        """The results of these records."""
        return records if self.gather is None else self.gather(records)


_MOST_NAMED = 5
_UNKNOWN_SIZE = 1 << 62


class EventStream(Stream[Event]):
    """Events of one reading, one after another."""

    def __init__(self, records: RecordStream, normalise: Callable[[EventRecord], Event]) -> None:
        super().__init__(map(normalise, records), records.report)
        self._records = records

    def close(self) -> None:
        """Stop reading and release the input."""
        self._records.close()


def inputs_of(source: str | os.PathLike[str], report: ReadReport | None = None) -> list[Path]:
    """The files that a path names: itself, the logs in a folder and below, or what a pattern matches.

    In a folder, logs are known by their suffix, .evtx logs also by their first bytes; the report is told of
    others. Raises SourceError where there is none.
    """
    text = os.fspath(source)
    if not text or "\0" in text:
        raise SourceError(f"{text!r} is no path", hint="name a file, a folder or a pattern")
    if os.path.isdir(text):
        found = _logs_below(Path(text), report or ReadReport())
        if not found:
            raise SourceError(
                "the folder holds no logs", path=text, hint=f"looked for {', '.join(LOG_SUFFIXES)}"
            )
        return found
    if os.path.exists(text) or not glob.has_magic(text):
        return [Path(text)]
    matches = sorted(map(Path, glob.glob(text, recursive=True)))
    if not matches:
        raise SourceError("nothing matches", path=text, hint="check the pattern")
    return [
        file
        for match in matches
        for file in (_logs_below(match, report or ReadReport()) if os.path.isdir(match) else [match])
    ]


def shown(path: str | os.PathLike[str]) -> str:
    """A path as text; bytes in it that are none stand as `\\x…`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _logs_below(folder: Path, report: ReadReport) -> list[Path]:
    found: list[Path] = []
    others: list[Path] = []

    def complain(error: OSError) -> None:
        if error.filename == str(folder):
            raise SourceError(
                f"the folder cannot be read: {error.strerror}", path=str(folder), hint="check the rights"
            )
        report.note(NoteKind.UNREADABLE, f"the folder {error.filename} cannot be read: {error.strerror}")

    for parent, _, names in os.walk(folder, onerror=complain):
        for path in (Path(parent, name) for name in names):
            if os.path.isfile(path):  # no pipe, which would be waited for
                is_log = path.suffix.lower() in LOG_SUFFIXES or _has_magic(path)
                (found if is_log else others).append(path)
    if others:
        names = [path.name for path in sorted(others)[:_MOST_NAMED]]
        more = ", …" if len(others) > _MOST_NAMED else ""
        report.note(NoteKind.PASSED_OVER, f"{len(others)} other files in {folder}: {', '.join(names)}{more}")
    return sorted(found)


def _has_magic(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(FILE_MAGIC)) == FILE_MAGIC
    except OSError:
        return False


def read_records(
    source: Source | Iterable[str | os.PathLike[str]],
    *,
    wanted: ProviderFilter | None = None,
    strict: bool = False,
    engine: str = "hvdegraded",
    carve: bool = False,
    remnants: bool = False,
    workers: int = 1,
    progress: bool = False,
) -> RecordStream:
    """The records of a source, or of several paths; with `wanted`, of those providers only.

    A single input that cannot be read at all raises SourceError or one of its children; among several it is
    noted in the report, and the others are read. `strict` raises LossError at the first loss. `engine` names
    what reads .evtx logs: this library, "python-evtx" or "evtx". `carve` looks for chunks at any offset of
    any file, `remnants` also for older records behind a chunk's live ones. `progress` shows how
    far a long reading is, in Jupyter and on terminals.

    With `workers` above 1, so many processes read files, and parts of large .evtx logs, at once, where that
    can pay off: paths of 64 MiB and more, read without `strict`. Records and report are the same; the report
    grows in steps.
    """
    report = ReadReport(strict=strict)
    job = Job(wanted, _engine(engine, carve=carve, remnants=remnants))
    return RecordStream(_results(source, report, job, workers, progress), report)


def gather(
    source: Source | Iterable[str | os.PathLike[str]],
    results: Gather,
    *,
    wanted: ProviderFilter | None = None,
    strict: bool = False,
    engine: str = "hvdegraded",
    carve: bool = False,
    remnants: bool = False,
    workers: int = 1,
    progress: bool = False,
) -> tuple[Iterator[Any], ReadReport]:
    """What `results` makes of the records of a source, stretch by stretch, in the processes that read them.

    Otherwise as `read_records`.
    """
    report = ReadReport(strict=strict)
    job = Job(wanted, _engine(engine, carve=carve, remnants=remnants), results)
    return _results(source, report, job, workers, progress), report


def _engine(engine: str, *, carve: bool, remnants: bool) -> str:
    return REMNANTS if remnants else CARVE if carve else engine


def read(
    source: Source | Iterable[str | os.PathLike[str]],
    *,
    knowledge: Knowledge | None = None,
    everything: bool = False,
    strict: bool = False,
    engine: str = "hvdegraded",
    carve: bool = False,
    remnants: bool = False,
    workers: int = 1,
    progress: bool = False,
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


def _results(
    source: Source | Iterable[str | os.PathLike[str]],
    report: ReadReport,
    job: Job,
    workers: int,
    progress: bool,
) -> Iterator[Any]:
    watched = Progress()
    with showing(watched) if progress else nullcontext():
        yield from _watched_results(source, report, job, workers, watched)


def _watched_results(
    source: Source | Iterable[str | os.PathLike[str]],
    report: ReadReport,
    job: Job,
    workers: int,
    progress: Progress,
) -> Iterator[Any]:
    if workers < 1:
        raise HvdegradedError(f"workers is {workers}, and must be 1 or more")
    reader = evtx_reader(job.engine)

    if isinstance(source, bytes):
        source = io.BytesIO(source)
    if not isinstance(source, (str, os.PathLike)) and hasattr(source, "read"):
        stream = cast("BinaryIO", source)
        progress.begin("input", _UNKNOWN_SIZE, _position(stream, report))
        yield from job.results(read_one(stream, report, job.wanted, reader, job.engine))
        return
    sources = _paths_of(source)
    paths: dict[Path, None] = {}  # what is named twice is read once
    for one in sources:
        try:
            paths |= dict.fromkeys(inputs_of(one, report))
        except SourceError as error:
            if len(sources) == 1:
                raise
            report.note(NoteKind.UNREADABLE, str(error))
    progress.plan(paths)
    pool: Workers | None = None
    if workers > 1 and not report.strict:
        from hvdegraded.reading.workers import Workers, pays_off

        if pays_off(paths, workers):
            pool = Workers(list(paths), job, workers)

    def read(path: Path, stream: BinaryIO, part: ReadReport) -> Iterator[Any]:
        if pool is not None:
            return pool.results(path, part)
        return job.results(read_one(stream, part, job.wanted, reader, job.engine))

    try:
        if len(sources) == 1:
            report.path = shown(sources[0])
            if len(paths) == 1:
                (path,) = paths
                report.path = shown(path)
                yield from _read_file(path, report, read, progress)
                return
        for path in paths:
            part = ReadReport(path=shown(path), strict=report.strict)
            try:
                yield from _read_file(path, part, read, progress)
            except LossError:
                raise
            except SourceError as error:
                part.note(NoteKind.UNREADABLE, error.text)
            finally:
                report.add(part)
    finally:
        if pool is not None:
            pool.close()


def _paths_of(source: object) -> list[str | os.PathLike[str]]:
    if isinstance(source, (str, os.PathLike)):
        return [source]
    several = isinstance(source, Iterable) and not isinstance(source, (EventRecord, HyperVEvent, Mapping))
    paths = list(cast("Iterable[Any]", source)) if several else [source]
    for path in paths:
        if not isinstance(path, (str, os.PathLike)):
            hint = "give a path, folder or pattern, several of them, bytes, or a binary stream"
            raise SourceError(f"{type(path).__name__} is nothing that could be read", hint=hint)
    if not paths:
        raise SourceError("no path was given", hint="did a pattern match nothing?")
    return cast("list[str | os.PathLike[str]]", paths)


def _read_file(
    path: Path,
    report: ReadReport,
    read: Callable[[Path, BinaryIO, ReadReport], Iterator[Any]],
    progress: Progress,
) -> Iterator[Any]:
    try:
        with path.open("rb") as stream:
            before = os.fstat(stream.fileno())
            report.size = before.st_size if stream.seekable() else None
            progress.begin(shown(path), before.st_size, _position(stream, report))
            yield from read(path, stream, report)
            after = os.fstat(stream.fileno())
    except OSError as error:
        raise SourceError(
            f"the file cannot be read: {error.strerror or error}",
            path=shown(path),
            hint="check path and rights",
        ) from None
    if report.lost and not (report.delivered or report.filtered):
        report.note(NoteKind.UNREADABLE, "none of its records could be read")
    if after.st_size != before.st_size:
        told = f"the file had {before.st_size} bytes at first and {after.st_size} in the end"
        report.note(NoteKind.CHANGED, told)
    elif after.st_mtime_ns != before.st_mtime_ns and stat.S_ISREG(after.st_mode):
        report.note(NoteKind.CHANGED, "the file was written to")


def _position(stream: BinaryIO, report: ReadReport) -> Callable[[], int]:
    """How far a stream is read, by its own word or by the chunks that were counted elsewhere."""

    def position() -> int:
        place = 0
        with suppress(OSError, ValueError, AttributeError):  # a stream that is closed or has no position
            place = stream.tell()
        return max(place, report.chunks_seen * CHUNK_SIZE)

    return position


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
