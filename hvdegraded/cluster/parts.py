"""The unit of work of any engine: inputs → stretches → parts → one triage, merged in any order.

`plan` lists inputs, `divide` makes stretches of one, a `PartMapper` makes a part of a stretch; both run
anywhere, and do not raise. `merge` puts parts together, `triage_of` makes a triage of all. A large .evtx log
is read in stretches of 8 MiB, so the memory of a task does not depend on a file's size.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple, TypeVar

from hvdegraded.errors import HvdegradedError, MissingExtraError, SourceError
from hvdegraded.findings.builder import RecordMapper, TriagePart
from hvdegraded.findings.triage import Triage
from hvdegraded.formats.autodetect import LOG_SUFFIXES
from hvdegraded.formats.evtx.decoder import EvtxDecoder
from hvdegraded.formats.evtx.format import CHUNK_SIZE, FILE_MAGIC
from hvdegraded.reading.delivery import delivered_in_runs, note_unread, pass_over_other_file
from hvdegraded.reading.inputs import expand_paths
from hvdegraded.reading.jobs import InputReader, ReadJob
from hvdegraded.reading.log_files import SNIFFED, is_other_file, pass_over_unread
from hvdegraded.reading.steps import ReadStep, log_steps, step_items
from hvdegraded.records.items import Item, NoteKind
from hvdegraded.records.record import ProviderFilter
from hvdegraded.records.report import ReadReport
from hvdegraded.timestamps import ticks_from_unix

__all__ = [
    "MOST_HOSTS",
    "Part",
    "PartMapper",
    "Stretch",
    "divide",
    "file_report",
    "merge",
    "merged",
    "plan",
    "read_stretch",
    "triage_of",
]

T = TypeVar("T")
MOST_HOSTS = 256
"""Hosts of which what they know of a VM goes to the others; beyond, the VM's refusals are assumed at most."""
CHUNKS = 128
"""Chunks of 64 KiB in a stretch; logs of more than two stretches are divided."""


class Stretch(NamedTuple):
    """A step of an input, with its number; `step` is None for all of an input that is not divided.

    `length` is how many bytes a single chunk has, `named` whether the input was named itself.
    """

    path: str
    size: int | None = None
    modified: float | None = None
    number: int = 0
    step: ReadStep | None = None
    length: int = 0
    named: bool = True


class Part(NamedTuple):
    """What stretches contain: events by host, and accounts by path and number."""

    hosts: dict[str, TriagePart]
    files: dict[str, dict[int, ReadReport]]


# -------------------------------------------------------------------- planning


def plan(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Stretch]:
    """List the inputs that paths, folders and patterns name, on this machine or in object storage.

    Raises SourceError where one names nothing.
    """
    several = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    found: dict[str, Stretch] = {}
    for one in several:
        files, path = _filesystem(os.fspath(one))
        stretches = [
            _stretch(files, info)._replace(named=info["name"] == path) for info in _infos(files, path)
        ]
        if not stretches:
            hint = f"looked for {', '.join(LOG_SUFFIXES)}"
            raise SourceError("no log is there", path=os.fspath(one), hint=hint)
        found |= {stretch.path: stretch for stretch in stretches}
    return list(found.values())


def _filesystem(path: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        raise MissingExtraError("reading where an engine runs", "spark", ("pyspark", "fsspec")) from None
    found: tuple[Any, str] = url_to_fs(path)
    return found


def _infos(files: Any, path: str) -> list[dict[str, Any]]:
    """The files that a path names; in a folder, logs, which in object storage are known by their names."""
    if "file" in files.protocol:
        return [files.info(str(found)) for found in expand_paths(path)] if files.glob(path) else []
    if any(sign in path for sign in "*?["):
        matches = files.glob(path, detail=True)
        return [info for _, info in sorted(matches.items()) if info["type"] == "file"]
    if not files.isdir(path):
        return [files.info(path)] if files.exists(path) else []
    below = files.find(path, detail=True)
    return [info for name, info in sorted(below.items()) if name.lower().endswith(LOG_SUFFIXES)]


def _stretch(files: Any, info: dict[str, Any]) -> Stretch:
    local = "file" in files.protocol
    path = info["name"] if local else str(files.unstrip_protocol(info["name"]))
    modified = info.get("mtime") or info.get("LastModified") or info.get("last_modified")
    if isinstance(modified, datetime):
        modified = modified.timestamp()
    return Stretch(path, info.get("size"), modified)


def divide(whole: Stretch, chunks: int = CHUNKS) -> list[Stretch]:
    """Divide a large .evtx log into stretches by the headers of its chunks; another input is one stretch."""
    stretches = []
    if whole.size is not None and whole.size > 2 * chunks * CHUNK_SIZE:
        with suppress(Exception):  # whoever reads it meets the same, and says so
            files, path = _filesystem(whole.path)
            with files.open(path, "rb") as stream:
                if stream.read(len(FILE_MAGIC)) == FILE_MAGIC:
                    steps = enumerate(log_steps(stream, whole.path, lambda _: chunks))
                    stretches = [_one_of(whole, number, step) for number, step in steps]
    return stretches or [whole]


def _one_of(whole: Stretch, number: int, step: ReadStep) -> Stretch:
    """A stretch of an input, without the bytes of a chunk, which are read again."""
    if step.here is None:
        return whole._replace(number=number, step=step)
    chunk, spans = step.here
    step = step._replace(here=(chunk._replace(data=b""), spans))
    return whole._replace(number=number, step=step, length=len(chunk.data))


# -------------------------------------------------------------------- mapping


@dataclass(frozen=True)
class PartMapper:
    """Makes a part of a stretch, in any process; it can be pickled, and does not raise for any input."""

    records: RecordMapper

    @property
    def wanted(self) -> ProviderFilter:
        """Which providers are read."""
        return self.records.classifier.knowledge.provider_filter()

    def __call__(self, stretch: Stretch) -> Part:
        """The part. What cannot be read is a note in its account."""

        def of_items(items: Iterable[Item], report: ReadReport) -> dict[str, TriagePart]:
            return self.records.by_host(delivered_in_runs(items, report, self.wanted))

        hosts, report = read_stretch(stretch, self.wanted, of_items)
        return Part(hosts or {}, {stretch.path: {stretch.number: report}})


def read_stretch(
    stretch: Stretch, wanted: ProviderFilter, of_items: Callable[[Iterable[Item], ReadReport], T]
) -> tuple[T | None, ReadReport]:
    """What `of_items` makes of a stretch, and its account, in which errors are notes."""
    report = ReadReport(path=stretch.path, size=None if stretch.number else stretch.size)
    report.times.modified = None if stretch.modified is None else ticks_from_unix(stretch.modified)
    report.times.folder = os.path.dirname(stretch.path)
    result, head = None, b""
    try:
        files, path = _filesystem(stretch.path)
        with files.open(path, "rb") as stream:
            if stretch.step is None:
                head = stream.read(SNIFFED)
                stream.seek(0)
            result = of_items(_items(stream, stretch, wanted), report)
    except SourceError as error:
        is_other = not stretch.named and is_other_file(stretch.path, error, lambda: head)
        report.note(NoteKind.PASSED_OVER if is_other else NoteKind.UNREADABLE, error.text)
    except OSError as error:
        text = f"the file cannot be read: {error.strerror or error} (check path and rights)"
        report.note(NoteKind.UNREADABLE, text)
    except Exception as error:  # noqa: BLE001  # one input must not end a job over many
        ours = str(error) if isinstance(error, HvdegradedError) else f"{type(error).__name__}: {error}"
        report.note(NoteKind.UNREADABLE, f"the file cannot be read: {ours}")
    if not stretch.named:
        pass_over_unread(report, lambda: head)
    return result, report


def _items(stream: BinaryIO, stretch: Stretch, wanted: ProviderFilter) -> Iterator[Item]:
    step = stretch.step
    if step is None:
        yield from InputReader(ReadJob(wanted)).items(stream, stretch.path)
        return
    yield from step.items
    if step.error is not None:
        raise step.error
    if step.here is not None:
        chunk, spans = step.here
        stream.seek(chunk.offset)
        step = step._replace(here=(chunk._replace(data=stream.read(stretch.length)), spans))
    if step.is_read:
        yield from step_items(stream, stretch.path, step, wanted, EvtxDecoder())


# -------------------------------------------------------------------- merging


def merge(parts: Iterable[Part], mapper: PartMapper) -> Part:
    """Put parts together, in any order; they are used up."""
    hosts: dict[str, list[TriagePart]] = defaultdict(list)
    files: dict[str, dict[int, ReadReport]] = defaultdict(dict)
    for part in parts:
        for host, found in part.hosts.items():
            hosts[host].append(found)
        for path, reports in part.files.items():
            files[path].update(reports)
    return Part({host: merged(found, mapper) for host, found in hosts.items()}, dict(files))


def merged(parts: Iterable[TriagePart], mapper: PartMapper) -> TriagePart:
    """The parts of one host as one; they are used up."""
    builder = mapper.records.builder()
    for part in parts:
        builder.merge(part)
    return builder.part


def file_report(reports: dict[int, ReadReport]) -> ReadReport:
    """The account of one input, by those of all of its stretches."""
    first, *later = (reports[number] for number in sorted(reports))
    for report in later:
        first.absorb(report)
    if not first.unreadable:
        note_unread(first)
    pass_over_other_file(first)
    return first


def triage_of(part: Part, mapper: PartMapper) -> Triage:
    """The triage of all, on one machine."""
    builder = mapper.records.builder()
    for host in sorted(part.hosts):
        builder.merge(part.hosts[host])
    report = ReadReport()
    for path in sorted(part.files):
        report.add(file_report(part.files[path]))
    return builder.finish(report)
