"""Read records from files, folders, patterns, bytes and streams, with one report."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Unpack, cast

from hvdegraded.errors import HvdegradedError, LossError, SourceError, check_type
from hvdegraded.formats.evtx.format import CHUNK_SIZE
from hvdegraded.formats.shippers.frames import is_frame, read_frame
from hvdegraded.reading.delivery import note_unread, pass_over_other_file
from hvdegraded.reading.given_stream import given_stream
from hvdegraded.reading.inputs import (
    Source,
    checked_source,
    describe_file,
    display_path,
    expand_paths,
    is_pasted,
    named_paths,
    unreadable,
)
from hvdegraded.reading.jobs import InputReader, Mapper, ReadJob
from hvdegraded.reading.log_files import head_of, is_other_file, pass_over_unread
from hvdegraded.reading.progress import Progress, showing
from hvdegraded.records.items import NoteKind
from hvdegraded.records.options import ReadKeywords, ReadOptions
from hvdegraded.records.record import ProviderFilter
from hvdegraded.records.report import ReadReport, RecordStream

if TYPE_CHECKING:
    from hvdegraded.reading.workers import Workers

__all__ = [
    "map_records",
    "read_records",
]


_UNKNOWN_SIZE = 1 << 62
_Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
_Sources = Source | Iterable[str | os.PathLike[str]]
_PathReader = Callable[[Path, BinaryIO, ReadReport], Iterator[Any]]


def read_records(
    source: _Sources, *, wanted: ProviderFilter | None = None, **keywords: Unpack[ReadKeywords]
) -> RecordStream:
    """Read the records of a source, or of several paths; with `wanted`, of those providers only.

    Takes the fields of ReadOptions as keywords (`strict`, `engine`, `carve`, `remnants`, `together`,
    `workers`, `progress`), or `options`.

    A single input that does not exist raises SourceError at once, one that cannot be read when it is gone
    through; among several it is noted in the report, and the others are read. With `strict`, the first loss
    raises LossError. With several `workers`, the report grows in steps.

    >>> import hvdegraded as hv
    >>> records = hv.read_records("sample_logs/hv2012r2/System.evtx")
    >>> len(list(records)), records.report.lost
    (608, 0)
    """
    options = ReadOptions.of(**keywords)
    check_type("wanted", wanted, ProviderFilter | None, "leave it out to read all records")
    source = checked_source(source)
    report = ReadReport(strict=options.strict, together=options.together)
    return RecordStream(_results(source, report, ReadJob(wanted, options)), report)


def map_records(
    source: _Sources,
    mapper: Mapper,
    *,
    wanted: ProviderFilter | None = None,
    **keywords: Unpack[ReadKeywords],
) -> tuple[Iterator[Any], ReadReport]:
    """Give what `mapper` makes of a source's records, stretch by stretch, in the processes that read them.

    Otherwise as `read_records`.
    """
    options = ReadOptions.of(**keywords)
    report = ReadReport(strict=options.strict, together=options.together)
    return _results(source, report, ReadJob(wanted, options, mapper)), report


def _results(source: _Sources, report: ReadReport, job: ReadJob) -> Iterator[Any]:
    if isinstance(source, str) and is_pasted(source):
        source = source.encode("utf-8", "replace")
    if isinstance(source, (bytes, bytearray, memoryview)):
        source = io.BytesIO(bytes(source))
    if not isinstance(source, (str, os.PathLike)) and hasattr(source, "read"):
        yield from _stream_results(given_stream(source), report, job)
    elif is_frame(source):
        yield from job.results(read_frame(source, job.wanted), report)
    else:
        yield from _path_results(cast("_Paths", source), report, job)


def _stream_results(stream: BinaryIO, report: ReadReport, job: ReadJob) -> Iterator[Any]:
    progress = Progress()
    with _shown(progress, job):
        progress.begin("input", _UNKNOWN_SIZE, _position(stream, report))
        items = InputReader(job).items(stream, None)
        yield from job.results(items, report)


def _path_results(source: _Paths, report: ReadReport, job: ReadJob) -> Iterator[Any]:
    reader = InputReader(job)
    sources = named_paths(source)
    paths = _expanded(sources, report)
    progress = Progress()
    progress.plan(paths)
    pool = _started_workers(paths, job)  # ahead of the thread that draws

    def read(path: Path, stream: BinaryIO, part: ReadReport) -> Iterator[Any]:
        if pool is not None:
            return pool.results(path, part)
        return job.results(reader.items(stream, part.path), part)

    with nullcontext() if pool is None else closing(pool), _shown(progress, job):
        if len(sources) == 1:
            report.path = display_path(sources[0])
        named = set(map(Path, sources))
        if len(sources) == len(paths) == 1 and paths[0] in named:
            report.path = display_path(paths[0])
            yield from _read_file(paths[0], report, read, progress)
            return
        for path in paths:
            part = ReadReport(path=display_path(path), strict=report.strict)
            head = partial(head_of, path)
            try:
                yield from _read_file(path, part, read, progress)
            except LossError:
                raise
            except SourceError as error:
                is_other = path not in named and is_other_file(path.name, error, head)
                part.note(NoteKind.PASSED_OVER if is_other else NoteKind.UNREADABLE, error.text)
            finally:
                if path not in named:
                    pass_over_unread(part, head)
                pass_over_other_file(part)
                report.add(part)


def _shown(progress: Progress, job: ReadJob) -> AbstractContextManager[None]:
    """Show the progress, where that is asked for."""
    pace = job.options.progress
    return nullcontext() if pace is None else showing(progress, pace)


def _expanded(sources: list[str | os.PathLike[str]], report: ReadReport) -> list[Path]:
    """The files that sources name; what is named twice is read once."""
    paths: dict[Path, None] = {}
    for one in sources:
        try:
            paths |= dict.fromkeys(expand_paths(one, report))
        except SourceError as error:
            if len(sources) == 1:
                raise
            report.note(NoteKind.UNREADABLE, str(error))
    return list(paths)


def _started_workers(paths: list[Path], job: ReadJob) -> Workers | None:
    """Processes that read the paths, where that can pay off."""
    workforce = job.options.workers
    if workforce.count < 2 or job.options.strict:
        return None
    from hvdegraded.reading.workers import Workers, worth_starting

    return Workers(paths, job) if worth_starting(paths, workforce) else None


def _read_file(path: Path, report: ReadReport, read: _PathReader, progress: Progress) -> Iterator[Any]:
    try:
        with path.open("rb") as stream:
            before = describe_file(path, stream, report)
            progress.begin(display_path(path), before.st_size, _position(stream, report))
            yield from read(path, stream, report)
            after = os.fstat(stream.fileno())
    except HvdegradedError:
        raise
    except OSError as error:
        raise unreadable(path, error) from None
    note_unread(report)
    if after.st_size != before.st_size:
        text = f"the file had {before.st_size} bytes at first and {after.st_size} in the end"
        report.note(NoteKind.CHANGED, text)
    elif after.st_mtime_ns != before.st_mtime_ns and stat.S_ISREG(after.st_mode):
        report.note(NoteKind.CHANGED, "the file was written to")


def _position(stream: BinaryIO, report: ReadReport) -> Callable[[], int]:
    """How many bytes of a stream are read, by its own position or by the chunks that were counted."""

    def position() -> int:
        place = 0
        with suppress(OSError, ValueError, AttributeError):  # a stream that is closed or has no position
            place = stream.tell()
        return max(place, report.chunks_seen * CHUNK_SIZE)

    return position
