"""Reading logs: files, folders, patterns, bytes and streams, one after another, with one account of all."""

from __future__ import annotations

import glob
import io
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from hvdegraded.errors import LossError, SourceError
from hvdegraded.events import Event
from hvdegraded.knowledge import Knowledge, load_knowledge
from hvdegraded.normalise import Normaliser
from hvdegraded.record import EventRecord, NoteKind, ProviderFilter, ReadReport, RecordStream
from hvdegraded.sources import LOG_SUFFIXES, EvtxReader, read_stream
from hvdegraded.sources.chunks import FILE_MAGIC
from hvdegraded.sources.evtx import EvtxDecoder, read_evtx

__all__ = ["EventStream", "Source", "inputs_of", "read", "read_records"]

Source = str | os.PathLike[str] | bytes | BinaryIO
"""A path, a folder, a pattern with `*`, the bytes of a log, or a binary stream."""

CARVE, REMNANTS = "carve", "carve remnants"
"""The engines that look for chunks at any offset, and in these also for what is left of older records."""

_MOST_NAMED = 5


class EventStream(Iterator[Event]):
    """Events of one reading, one after another, with its `report`, which grows as they are taken."""

    def __init__(self, records: RecordStream, normalise: Callable[[EventRecord], Event]) -> None:
        self.report = records.report
        self._records = records
        self._normalise = normalise

    def __next__(self) -> Event:
        return self._normalise(next(self._records))

    def close(self) -> None:
        """Stop reading and release the input."""
        self._records.close()

    def __enter__(self) -> EventStream:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def inputs_of(source: str | os.PathLike[str], report: ReadReport | None = None) -> list[Path]:
    """The files that a path names: itself, the logs in a folder and below, or what a pattern matches.

    In a folder, logs are known by their suffix, .evtx logs also by their first bytes; the report is told of
    others. Raises SourceError where there is none.
    """
    text = os.fspath(source)
    if not text or "\0" in text:
        raise SourceError(f"{text!r} is no path", hint="name a file, a folder or a pattern")
    path = Path(text)
    if path.is_dir():
        found = _logs_below(path, report or ReadReport())
        if not found:
            raise SourceError(
                "the folder holds no logs", path=text, hint=f"looked for {', '.join(LOG_SUFFIXES)}"
            )
        return found
    if path.exists() or not glob.has_magic(text):
        return [path]
    matches = sorted(map(Path, glob.glob(text, recursive=True)))
    if not matches:
        raise SourceError("nothing matches", path=text, hint="check the pattern")
    return [
        file
        for match in matches
        for file in (_logs_below(match, report or ReadReport()) if match.is_dir() else [match])
    ]


def _shown(path: str | os.PathLike[str]) -> str:
    """A path as text; bytes in it that are none stand as `\\x…`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _logs_below(folder: Path, report: ReadReport) -> list[Path]:
    found: list[Path] = []
    others: list[Path] = []

    def complain(error: OSError) -> None:
        report.note(NoteKind.UNREADABLE, f"the folder {error.filename} cannot be read: {error.strerror}")

    for parent, _, names in os.walk(folder, onerror=complain):
        for path in (Path(parent, name) for name in names):
            if path.is_file():
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
    on_input: Callable[[str, int], None] | None = None,
) -> RecordStream:
    """The records of a source, or of several paths; with `wanted`, of those providers only.

    A single input that cannot be read at all raises SourceError or one of its children; among several it is
    noted in the report, and the others are read. `strict` raises LossError at the first loss. `engine` names
    what reads .evtx logs: this library, "python-evtx" or "evtx". `carve` looks for chunks at any offset of
    any file, `remnants` also for older records behind a chunk's live ones. `on_input` is told each input's
    name and its bytes before it is read.
    """
    report = ReadReport(strict=strict)
    if remnants:
        engine = REMNANTS
    elif carve:
        engine = CARVE
    return RecordStream(_records(source, report, wanted, engine, on_input), report)


def read(
    source: Source | Iterable[str | os.PathLike[str]],
    *,
    knowledge: Knowledge | None = None,
    everything: bool = False,
    strict: bool = False,
    engine: str = "hvdegraded",
    carve: bool = False,
    remnants: bool = False,
) -> EventStream:
    """The Hyper-V events of a source: file, folder, pattern, bytes, stream; .evtx, event XML, JSON lines.

    With `everything`, events of other providers come too, as UnrelatedEvent; with `carve`, those of chunks
    at any offset of any file; with `remnants`, older ones behind the live ones of chunks too, marked
    `origin.recovered`. Raises as `read_records` does.
    """
    knowledge = knowledge or load_knowledge()
    wanted = None if everything else knowledge.provider_filter()
    records = read_records(
        source, wanted=wanted, strict=strict, engine=engine, carve=carve, remnants=remnants
    )
    return EventStream(records, Normaliser(knowledge))


def _records(
    source: Source | Iterable[str | os.PathLike[str]],
    report: ReadReport,
    wanted: ProviderFilter | None,
    engine: str,
    on_input: Callable[[str, int], None] | None,
) -> Iterator[EventRecord]:
    reader = _evtx_reader(engine)
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    if not isinstance(source, (str, os.PathLike)) and hasattr(source, "read"):
        yield from _read_one(cast("BinaryIO", source), report, wanted, reader, engine)
        return
    sources = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    paths: dict[Path, None] = {}  # what is named twice is read once
    for one in sources:
        try:
            paths |= dict.fromkeys(inputs_of(one, report))
        except SourceError as error:
            if len(sources) == 1:
                raise
            report.note(NoteKind.UNREADABLE, str(error))
    if len(sources) == 1:
        report.path = _shown(sources[0])
        if len(paths) == 1:
            (path,) = paths
            report.path = _shown(path)
            yield from _read_file(path, report, wanted, reader, engine, on_input)
            return
    for path in paths:
        part = ReadReport(path=_shown(path), strict=report.strict)
        try:
            yield from _read_file(path, part, wanted, reader, engine, on_input)
        except LossError:
            raise
        except SourceError as error:
            part.note(NoteKind.UNREADABLE, error.text)
        finally:
            report.add(part)


def _read_file(
    path: Path,
    report: ReadReport,
    wanted: ProviderFilter | None,
    reader: EvtxReader,
    engine: str,
    on_input: Callable[[str, int], None] | None,
) -> Iterator[EventRecord]:
    try:
        with path.open("rb") as stream:
            before = os.fstat(stream.fileno())
            report.size = before.st_size if stream.seekable() else None
            if on_input is not None:
                on_input(_shown(path), before.st_size)
            yield from _read_one(stream, report, wanted, reader, engine)
            after = os.fstat(stream.fileno())
    except OSError as error:
        raise SourceError(
            f"the file cannot be read: {error.strerror or error}",
            path=_shown(path),
            hint="check path and rights",
        ) from None
    if report.lost and not (report.delivered or report.filtered):
        report.note(NoteKind.UNREADABLE, "none of its records could be read")
    if after.st_size != before.st_size:
        told = f"the file had {before.st_size} bytes at first and {after.st_size} in the end"
        report.note(NoteKind.CHANGED, told)
    elif after.st_mtime_ns != before.st_mtime_ns and stat.S_ISREG(after.st_mode):
        report.note(NoteKind.CHANGED, "the file was written to")


def _read_one(
    stream: BinaryIO, report: ReadReport, wanted: ProviderFilter | None, reader: EvtxReader, engine: str
) -> Iterator[EventRecord]:
    return read_stream(stream, report, wanted, read_evtx=reader, anything=engine in (CARVE, REMNANTS))


def _evtx_reader(engine: str) -> EvtxReader:
    if engine in (CARVE, REMNANTS):
        from hvdegraded.sources.carving import carve

        return partial(carve, remnants=engine == REMNANTS)
    if engine == "hvdegraded":
        decoder = EvtxDecoder()
        return lambda stream, report, wanted: read_evtx(stream, report, wanted, decoder=decoder)
    from hvdegraded.sources.witnesses import witness_reader

    return witness_reader(engine)
