"""Which files a path, folder or pattern names."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from hvdegraded.errors import SourceError
from hvdegraded.formats.autodetect import LOG_SUFFIXES
from hvdegraded.formats.evtx.format import FILE_MAGIC
from hvdegraded.records.items import NoteKind
from hvdegraded.records.record import EventRecord
from hvdegraded.records.report import ReadReport

__all__ = [
    "Source",
    "display_path",
    "expand_paths",
    "named_paths",
]

Source = str | os.PathLike[str] | bytes | BinaryIO
"""A path, a folder, a pattern with `*`, pasted text, the bytes of a log, or a binary stream."""
_MOST_NAMED = 5
_OPENING = re.compile(r"\s*(?:<\w|\{|\[\s*[{\"<])")


def expand_paths(source: str | os.PathLike[str], report: ReadReport | None = None) -> list[Path]:
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


def is_pasted(text: str) -> bool:
    """Whether a text is an event, or several, and not the name of a file."""
    looks_like_events = "\n" in text or _OPENING.match(text) is not None
    return looks_like_events and not os.path.exists(text)


def display_path(path: str | os.PathLike[str]) -> str:
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


def named_paths(source: object) -> list[str | os.PathLike[str]]:
    """The path or paths that a source names. Raises SourceError for anything else."""
    if isinstance(source, (str, os.PathLike)):
        return [source]
    several = isinstance(source, (Collection, Iterator)) and not isinstance(source, (EventRecord, Mapping))
    paths = list(cast("Iterable[Any]", source)) if several else [source]
    for path in paths:
        if not isinstance(path, (str, os.PathLike)):
            hint = "give a path, folder or pattern, several of them, bytes, or a binary stream"
            raise SourceError(f"{type(path).__name__} is nothing that could be read", hint=hint)
    if not paths:
        raise SourceError("no path was given", hint="did a pattern match nothing?")
    return cast("list[str | os.PathLike[str]]", paths)
