"""Which files a path, folder or pattern names."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from hvdegraded.errors import SourceError, SourceTypeError
from hvdegraded.formats.autodetect import LOG_SUFFIXES
from hvdegraded.formats.shippers.frames import is_frame
from hvdegraded.reading.log_files import is_log
from hvdegraded.records.items import NoteKind
from hvdegraded.records.record import EventRecord
from hvdegraded.records.report import ReadReport
from hvdegraded.timestamps import ticks_from_unix

__all__ = [
    "Source",
    "checked_source",
    "describe_file",
    "display_path",
    "expand_paths",
    "named_paths",
    "unreadable",
]


class Frame(Protocol):
    """A data frame or table: pandas, polars, pyarrow, and what else gives a stream of Arrow."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Give the frame as a stream of Arrow."""


Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Frame
"""A path, a folder, a pattern with `*`, pasted text, the bytes of a log, a binary stream, or a data frame."""

_MOST_NAMED = 20
_LONGEST_SHOWN, _SHOWN = 1024, 120  # characters of a path in a message
_IN_USE = (32, 33)  # errors of Windows: another process has the file, or a part of it, for itself
_OPENING = re.compile(r"[\s\ufeff\u200b\ud800-\udfff]*(?:<\w|\{|(?:\[\s*)+[{\"<]|(?:CEF|LEEF):\d)")


def expand_paths(source: str | os.PathLike[str], report: ReadReport | None = None) -> list[Path]:
    """The files that a path names: itself, the logs in a folder and below, or what a pattern matches.

    In a folder, logs are known by their suffix or by their first bytes; the report has a remark on each other
    file. Raises SourceError if nothing is found.
    """
    text = os.fspath(source)
    if not text or "\0" in text or not _can_be_a_path(text):
        raise SourceError(f"{text!r} is not a path", hint="name a file, a folder or a pattern")
    if os.path.isdir(text):
        report = report if report is not None else ReadReport()
        found = _logs_below(Path(text), report)
        if not found:
            unread = next((note.text for note in report.notes if note.kind is NoteKind.UNREADABLE), None)
            hint = f"looked for {', '.join(LOG_SUFFIXES)}"
            wrong = "the folder holds no logs"
            raise SourceError(
                wrong if unread is None else f"{wrong} that can be read: {unread}", path=text, hint=hint
            )
        return found
    import glob

    if os.path.exists(text) or not glob.has_magic(text):
        return [Path(text)]
    try:
        matches = sorted(map(Path, glob.glob(text, recursive=True)))
    except RecursionError:
        hint = "name the folder instead, which is read at any depth"
        raise SourceError("its folders are too deep for a pattern", path=text, hint=hint) from None
    if not matches:
        raise SourceError("nothing matches", path=text, hint="check the pattern")
    report = report or ReadReport()
    found = []
    for match in matches:
        if match.is_dir():
            found += _logs_below(match, report)
        elif match.is_file() or not match.exists():
            found.append(match)
        else:
            report.note(NoteKind.PASSED_OVER, f"{match} is a pipe or a device")
    return found


def _can_be_a_path(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:  # halves of surrogate pairs
        return False
    return True


def is_pasted(text: str) -> bool:
    """Whether a text is an event, or several, and not the name of a file."""
    looks_like_events = "\n" in text or _OPENING.match(text) is not None
    return looks_like_events and not os.path.exists(text)


def display_path(path: str | os.PathLike[str]) -> str:
    """A path as text; bytes in it that are none stand as `\\x…`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _shown(path: str | os.PathLike[str]) -> str:
    """A path of a message, without its middle if that is longer than a system takes."""
    text = display_path(path)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_SHOWN]} … {text[-_SHOWN:]}"


def _logs_below(folder: Path, report: ReadReport) -> list[Path]:
    found: list[Path] = []
    others: list[Path] = []
    for path in _files_below(folder, report):
        (found if path.suffix.lower() in LOG_SUFFIXES or is_log(path) else others).append(path)
    for path in sorted(others)[:_MOST_NAMED]:
        report.note(NoteKind.PASSED_OVER, f"{display_path(path)} is not a log: it contains no event")
    if len(others) > _MOST_NAMED:
        more = len(others) - _MOST_NAMED
        report.note(NoteKind.PASSED_OVER, f"{more} more files in {display_path(folder)} are not logs")
    return sorted(found)


def _files_below(folder: Path, report: ReadReport) -> Iterator[Path]:
    """Files in a folder and below, at any depth; links to folders are followed, each folder is read once.

    Pipes, sockets and devices, which would be waited for, are left out; the report names those with the
    suffix of a log. Raises SourceError if the folder itself cannot be read.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            state = here.stat()
            entries = list(os.scandir(here))
        except OSError as error:
            if here == folder:
                what = f"the folder cannot be read: {error.strerror}"
                raise SourceError(what, path=str(folder), hint="check the rights") from None
            report.note(NoteKind.UNREADABLE, f"the folder {_shown(here)} cannot be read: {error.strerror}")
            continue
        if (state.st_dev, state.st_ino) in seen:
            report.note(NoteKind.PASSED_OVER, f"{here} is a link to a folder that is read already")
            continue
        seen.add((state.st_dev, state.st_ino))
        for entry in entries:
            try:
                mode = entry.stat().st_mode
            except OSError as error:
                report.note(NoteKind.UNREADABLE, f"{_shown(entry.path)} cannot be read: {error.strerror}")
                continue
            if stat.S_ISDIR(mode):
                waiting.append(Path(entry.path))
            elif stat.S_ISREG(mode):
                yield Path(entry.path)
            elif Path(entry.path).suffix.lower() in LOG_SUFFIXES:
                text = f"{display_path(entry.path)} is a pipe, a socket or a device"
                report.note(NoteKind.PASSED_OVER, text)


def checked_source(source: Any) -> Any:
    """Give a source back; an iterator of paths as a list.

    Raises SourceError if it is one path that does not exist or one pattern that matches nothing, and
    SourceTypeError if it is not a source.
    """
    if isinstance(source, (str, os.PathLike)):
        if not (isinstance(source, str) and is_pasted(source)) and not os.path.exists(source):
            (path, *_) = expand_paths(source)
            try:
                path.stat()
            except OSError as error:
                raise unreadable(path, error) from None
        return source
    is_one = isinstance(source, (bytes, bytearray, memoryview)) or hasattr(source, "read") or is_frame(source)
    return source if is_one else named_paths(source)


def describe_file(path: Path, stream: BinaryIO, report: ReadReport) -> os.stat_result:
    """Report how large a file is that was opened, when it was written, and where it lies."""
    found = os.fstat(stream.fileno())
    report.size = found.st_size if stream.seekable() else None
    if stat.S_ISREG(found.st_mode):
        report.times.modified = ticks_from_unix(found.st_mtime)
    report.times.folder = display_path(path.parent)
    return found


def unreadable(path: Path, error: OSError) -> SourceError:
    """Make the error for a file that cannot be opened or read."""
    what = f"the file cannot be read: {error.strerror or error}"
    in_use = getattr(error, "winerror", None) in _IN_USE
    hint = (
        "a log in use is exported with: wevtutil epl CHANNEL FILE.evtx" if in_use else "check path and rights"
    )
    return SourceError(what, path=display_path(path), hint=hint)


def named_paths(source: object) -> list[str | os.PathLike[str]]:
    """The path or paths that a source names. Raises SourceError for anything else."""
    if isinstance(source, (str, os.PathLike)):
        return [source]
    several = isinstance(source, (Collection, Iterator)) and not isinstance(source, (EventRecord, Mapping))
    paths = list(cast("Iterable[Any]", source)) if several else [source]
    for path in paths:
        if not isinstance(path, (str, os.PathLike)):
            hint = "give a path, folder or pattern, several of them, bytes, a binary stream, or a data frame"
            raise SourceTypeError(f"{type(path).__name__} is not an input", hint=hint)
    if not paths:
        raise SourceError("no path was given", hint="did a pattern match nothing?")
    return cast("list[str | os.PathLike[str]]", paths)
