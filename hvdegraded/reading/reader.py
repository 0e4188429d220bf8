"""Reading logs: files, folders, patterns, bytes and streams, one after another, with one account of all."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from hvdegraded.errors import HvdegradedError, LossError, SourceError
from hvdegraded.formats.evtx.chunks import CHUNK_SIZE
from hvdegraded.reading.progress import Progress, showing
from hvdegraded.records.record import ProviderFilter
from hvdegraded.records.report import NoteKind, ReadReport, RecordStream

if TYPE_CHECKING:
    from hvdegraded.reading.workers import Workers

from hvdegraded.reading.inputs import Source, display_path, expand_paths, named_paths
from hvdegraded.reading.jobs import CARVE, REMNANTS, Mapper, ReadJob, Workforce, evtx_reader, read_one

__all__ = [
    "gather",
    "read_records",
]


_UNKNOWN_SIZE = 1 << 62


def read_records(
    source: Source | Iterable[str | os.PathLike[str]],
    *,
    wanted: ProviderFilter | None = None,
    strict: bool = False,
    engine: str = "hvdegraded",
    carve: bool = False,
    remnants: bool = False,
    workers: int | Workforce = 1,
    progress: bool | Progress = False,
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
    job = ReadJob(wanted, _engine(engine, carve=carve, remnants=remnants))
    return RecordStream(_results(source, report, job, workers, progress), report)


def gather(
    source: Source | Iterable[str | os.PathLike[str]],
    results: Mapper,
    *,
    wanted: ProviderFilter | None = None,
    strict: bool = False,
    engine: str = "hvdegraded",
    carve: bool = False,
    remnants: bool = False,
    workers: int | Workforce = 1,
    progress: bool | Progress = False,
) -> tuple[Iterator[Any], ReadReport]:
    """What `results` makes of the records of a source, stretch by stretch, in the processes that read them.

    Otherwise as `read_records`.
    """
    report = ReadReport(strict=strict)
    job = ReadJob(wanted, _engine(engine, carve=carve, remnants=remnants), results)
    return _results(source, report, job, workers, progress), report


def _engine(engine: str, *, carve: bool, remnants: bool) -> str:
    return REMNANTS if remnants else CARVE if carve else engine


def _results(
    source: Source | Iterable[str | os.PathLike[str]],
    report: ReadReport,
    job: ReadJob,
    workers: int | Workforce,
    progress: bool | Progress,
) -> Iterator[Any]:
    watched = progress if isinstance(progress, Progress) else Progress()
    workforce = workers if isinstance(workers, Workforce) else Workforce(workers)
    with showing(watched) if progress else nullcontext():
        yield from _watched_results(source, report, job, workforce, watched)


def _watched_results(
    source: Source | Iterable[str | os.PathLike[str]],
    report: ReadReport,
    job: ReadJob,
    workforce: Workforce,
    progress: Progress,
) -> Iterator[Any]:
    if workforce.count < 1:
        raise HvdegradedError(f"workers is {workforce.count}, and must be 1 or more")
    reader = evtx_reader(job.engine)

    if isinstance(source, bytes):
        source = io.BytesIO(source)
    if not isinstance(source, (str, os.PathLike)) and hasattr(source, "read"):
        stream = cast("BinaryIO", source)
        progress.begin("input", _UNKNOWN_SIZE, _position(stream, report))
        yield from job.results(read_one(stream, report, job.wanted, reader, job.engine))
        return
    sources = named_paths(source)
    paths: dict[Path, None] = {}  # what is named twice is read once
    for one in sources:
        try:
            paths |= dict.fromkeys(expand_paths(one, report))
        except SourceError as error:
            if len(sources) == 1:
                raise
            report.note(NoteKind.UNREADABLE, str(error))
    progress.plan(paths)
    pool: Workers | None = None
    if workforce.count > 1 and not report.strict:
        from hvdegraded.reading.workers import Workers, worth_starting

        if worth_starting(paths, workforce):
            pool = Workers(list(paths), job, workforce)

    def read(path: Path, stream: BinaryIO, part: ReadReport) -> Iterator[Any]:
        if pool is not None:
            return pool.results(path, part)
        return job.results(read_one(stream, part, job.wanted, reader, job.engine))

    try:
        if len(sources) == 1:
            report.path = display_path(sources[0])
            if len(paths) == 1:
                (path,) = paths
                report.path = display_path(path)
                yield from _read_file(path, report, read, progress)
                return
        for path in paths:
            part = ReadReport(path=display_path(path), strict=report.strict)
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
            progress.begin(display_path(path), before.st_size, _position(stream, report))
            yield from read(path, stream, report)
            after = os.fstat(stream.fileno())
    except OSError as error:
        raise SourceError(
            f"the file cannot be read: {error.strerror or error}",
            path=display_path(path),
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
