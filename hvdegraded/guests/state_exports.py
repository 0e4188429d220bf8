"""Exports of console states, of Get-VM, Get-VMIntegrationService, WMI and System Center, in any form."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hvdegraded.errors import SourceError
from hvdegraded.formats.collections import collected_files
from hvdegraded.guests.console_status import ConsoleStatus, console_status
from hvdegraded.guests.files import rows_of_frame
from hvdegraded.tabular.encodings import decode_text
from hvdegraded.tabular.exports import objects_of_export

__all__ = ["StateExport", "content_of", "read_states"]

LONGEST_EXPORT = 64 << 20
"""Bytes of an export that are read."""

_ZIP = b"PK\x03\x04"
_HINT = "export Get-VM or Get-VMIntegrationService with ConvertTo-Json -Depth 3, Export-Csv or Export-Clixml"


class StateExport(NamedTuple):
    """The states of an export, how many of its objects are not states, and what could not be read."""

    statuses: tuple[ConsoleStatus, ...]
    others: int = 0
    problems: tuple[str, ...] = ()


def read_states(source: object) -> StateExport:
    """Read the states of a file, of pasted text or bytes, of mappings, or of a data frame.

    Raises SourceError if it contains no state.
    """
    source = content_of(source)
    path = None
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        source = _bytes_of(path)
    export = _of_bytes(source, path) if isinstance(source, bytes) else _of_mappings(source)
    if not export.statuses:
        what = f": {export.problems[0]}" if export.problems else ""
        raise SourceError(f"it holds no state of a VM{what}", path=path, hint=_HINT)
    return export


def content_of(source: object) -> object:
    """Return the bytes of pasted text and of streams; a path, bytes and mappings stay what they are."""
    if isinstance(source, str) and not _is_path(source):
        return source.encode("utf-8", "replace")
    return source.read(LONGEST_EXPORT + 1) if hasattr(source, "read") else source


def _is_path(text: str) -> bool:
    return "\n" not in text and text.lstrip()[:1] not in ("{", "[", "<")


def _bytes_of(path: str) -> bytes:
    if Path(path).is_dir():
        raise SourceError(
            "this is a folder, not an export of states",
            path=path,
            hint="name the export; hvdegraded triage reads the logs in a folder",
        )
    try:
        with Path(path).open("rb") as stream:
            return stream.read(LONGEST_EXPORT + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(
            f"the file cannot be read: {reason}", path=path, hint="check path and rights"
        ) from None


def _of_bytes(data: bytes, path: str | None) -> StateExport:
    if data.startswith(_ZIP):
        exports = [
            _of_bytes(one.states, path) for one in collected_files(io.BytesIO(data)).values() if one.states
        ]
        return StateExport(
            tuple(one for export in exports for one in export.statuses),
            sum(export.others for export in exports),
            tuple(one for export in exports for one in export.problems),
        )
    if len(data) > LONGEST_EXPORT:
        raise SourceError(f"it is larger than {LONGEST_EXPORT:,} bytes", path=path, hint="export fewer VMs")
    text, problem = decode_text(data)
    found = objects_of_export(text, lambda value: console_status(value) is not None)
    statuses = []
    problems = [] if problem is None else [problem]
    others = 0
    for one in found:
        if one.problem is not None or one.anomalies:
            problems.append(f"line {one.line}: {one.problem or one.anomalies[0]}")
        status = console_status(one.value) if one.problem is None and isinstance(one.value, dict) else None
        if status is not None:
            statuses.append(status)
        elif one.problem is None:
            others += 1
    return StateExport(tuple(statuses), others, tuple(problems))


def _of_mappings(source: object) -> StateExport:
    source = rows_of_frame(source)
    rows: list[Any] = [source] if isinstance(source, Mapping) else []
    if not rows and isinstance(source, Iterable):
        rows = list(source)
    found = [console_status(row) if isinstance(row, Mapping) else None for row in rows]
    statuses = tuple(status for status in found if status is not None)
    return StateExport(statuses, len(found) - len(statuses))
