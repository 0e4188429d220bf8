"""JSON in, event records out: one object a line, one array, or one document over several lines.

Lines that cannot hold a wanted provider are passed over by a byte test, without parsing: their bytes hold
neither a wanted name nor a backslash escape that could spell one.
"""

from __future__ import annotations

import codecs
import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from hvdegraded.errors import EmptySourceError, UnknownFormatError
from hvdegraded.formats.shippers.envelopes import parts_of
from hvdegraded.formats.shippers.line_prefilter import line_may_hold
from hvdegraded.formats.shippers.mapping import record_from_mapping
from hvdegraded.records.record import EventRecord, Origin, ProviderFilter
from hvdegraded.records.report import LossReason, ReadReport
from hvdegraded.tabular.encodings import TextEncoding, encoding_by_mark
from hvdegraded.tabular.json_document import has_too_many_parts, values_of
from hvdegraded.tabular.json_keys import value_at

__all__ = ["LONGEST_LINE", "deliver", "read_json_lines", "text_lines", "utf16_lines"]

LONGEST_LINE = 16 << 20
"""Bytes of a line, or of a value over several lines, that are read."""

_BLOCK = 1 << 20
_WHITE_SPACE = " \t\r\n"


def _values_of(line: bytes, ends: str, longest: int) -> list[tuple[Any, tuple[str, ...]]]:
    """A line's value, or those of its array, with the doubts about each; `ends` may stand behind it.

    Raises ValueError, RecursionError.
    """
    text = line.decode().strip(_WHITE_SPACE)
    value, end, doubts = value_at(text, 0)
    if text[end:].strip(ends):
        raise ValueError(f"something follows at character {end}")
    if doubts and isinstance(value, list):
        return [(found.value, found.anomalies) for found in values_of(iter([text]), longest)]
    return [(value, doubts)]


def read_json_lines(
    stream: BinaryIO,
    report: ReadReport,
    wanted: ProviderFilter | None = None,
    *,
    longest: int = LONGEST_LINE,
) -> Iterator[EventRecord]:
    """The records of JSON lines, or of one JSON document, in UTF-8 or UTF-16.

    A line that is not JSON, or too long, is a loss; one that holds no Windows event too, unless only
    `wanted` providers were asked for and it names none of them: then it is counted as filtered. Raises
    EmptySourceError, UnknownFormatError for what is not JSON at all, LossError where the report is strict.
    """
    report.reader = "json"
    may_hold = line_may_hold(wanted) if wanted is not None else None
    lines = _lines(stream, longest)
    head: _Line | None = None  # the first one, where it is not JSON by itself
    seen = in_array = False
    for line in lines:
        number, start, data = line
        if not number:
            continue
        if not seen and head is None and len(data) > longest and data.lstrip().startswith(b"["):
            yield from _document(itertools.chain([line], lines), report, wanted, longest)
            return
        if len(data) > longest:
            detail = f"the line is longer than {longest} bytes"
            report.record_loss(LossReason.OVER_LIMIT, detail, offset=start, line=number)
            seen = True
            continue
        if not data.strip(b" \t\r\n\0"):
            continue
        if may_hold is not None and seen and not may_hold(data):
            report.filtered += data.strip() != b"]" or not in_array
            continue
        if has_too_many_parts(data):
            report.record_loss(
                LossReason.OVER_LIMIT, "the line has too many parts", offset=start, line=number
            )
            seen = True
            continue
        try:
            found = _values_of(data, ", \t\r\n" if in_array or head else _WHITE_SPACE, longest)
        except (ValueError, RecursionError) as error:
            if not seen:
                if head is not None:
                    yield from _document(itertools.chain([head, line], lines), report, wanted, longest)
                    return
                head = line
            elif not (in_array and data.strip() == b"]"):
                report.record_loss(LossReason.MALFORMED, _why(error), offset=start, line=number)
            continue
        if head is not None:
            in_array = head.data.strip() == b"["
            if not in_array:
                report.record_loss(
                    LossReason.MALFORMED, "it is not JSON", offset=head.offset, line=head.number
                )
            head = None
        seen = True
        for value, doubts in found:
            yield from deliver(value, report, wanted, start, number, doubts)
    if head is not None:
        yield from _document(iter([head]), report, wanted, longest)
    elif not seen:
        raise EmptySourceError("the input is blank", path=report.path, hint="check how it was exported")


def _why(error: Exception) -> str:
    return (
        "it is nested too deeply" if isinstance(error, RecursionError) else f"it is not JSON: {error}"[:200]
    )


class _Line(NamedTuple):
    """A line, or a piece of one that is too long, which has no number."""

    number: int
    offset: int
    data: bytes


def _lines(stream: BinaryIO, longest: int = LONGEST_LINE) -> Iterator[_Line]:
    """Lines as UTF-8; one that is too long comes in pieces, the first longer than `longest`."""
    line = stream.readline(longest + 1)
    number = offset = 0
    encoding = encoding_by_mark(line) or TextEncoding("utf-8")
    if encoding.is_utf16:
        for number, data in enumerate(utf16_lines(line, stream, longest), 1):
            yield _Line(number, offset, data)
            offset += len(data)
        return
    size = len(line)
    line = line[encoding.mark :]
    while line:
        number += 1
        yield _Line(number, offset, line)
        if len(line) > longest and not line.endswith(b"\n"):
            while rest := stream.readline(_BLOCK):
                yield _Line(0, offset + size, rest)
                size += len(rest)
                if rest.endswith(b"\n"):
                    break
        offset += size
        line = stream.readline(longest + 1)
        size = len(line)


def text_lines(stream: BinaryIO) -> Iterator[str]:
    """Lines as text, bytes that are none as U+FFFD; one that is too long comes cut."""
    return (line.data.decode("utf-8", "replace") for line in _lines(stream) if line.number)


def utf16_lines(head: bytes, stream: BinaryIO, longest: int = LONGEST_LINE) -> Iterator[bytes]:
    """The lines of a UTF-16 stream, of which `head` was read, as UTF-8, as soon as they are there.

    A line that is too long comes in pieces, each longer than `longest`.
    """
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    read = getattr(stream, "read1", stream.read)  # what is there, without waiting for a whole block
    pending = ""
    block = head
    while block:
        pending += decoder.decode(block)
        *lines, pending = pending.split("\n")
        for line in lines:
            yield line.encode("utf-8", "replace") + b"\n"
        if len(pending) > longest:
            yield pending.encode("utf-8", "replace")
            pending = ""
        block = read(_BLOCK)
    pending += decoder.decode(b"", final=True)
    if pending:
        yield pending.encode("utf-8", "replace")


def _document(
    lines: Iterator[_Line], report: ReadReport, wanted: ProviderFilter | None, longest: int
) -> Iterator[EventRecord]:
    """The records of one document over several lines, or of several."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    seen = False
    for found in values_of((decode(line.data) for line in lines), longest):
        if found.problem is None:
            yield from deliver(found.value, report, wanted, None, found.line, found.anomalies)
        elif seen:
            report.record_loss(LossReason.MALFORMED, found.problem, line=found.line)
        else:
            raise UnknownFormatError(
                f"the input is not JSON: {found.problem}",
                path=report.path,
                line=1,
                hint="write one object a line",
            )
        seen = True


def deliver(
    value: Any,
    report: ReadReport,
    wanted: ProviderFilter | None,
    offset: int | None,
    line: int,
    doubts: tuple[str, ...] = (),
) -> Iterator[EventRecord]:
    """The wanted records of a mapping, or of a list of mappings, all counted in the report."""
    items = value if isinstance(value, list) else [value]
    for item in items:
        origin = Origin("json", report.path, offset, line, anomalies=doubts)
        parts = (parts_of(item) if isinstance(item, Mapping) else None) or [item]
        for part in parts:
            record = None
            if isinstance(part, Mapping):
                record = record_from_mapping(part, origin=origin)
            if record is not None:
                if wanted is not None and not wanted.matches(record.provider or record.channel):
                    report.filtered += 1
                    continue
                report.delivered += 1
                report.with_anomalies += bool(record.origin.remarks)
                yield record
            elif wanted is not None and not line_may_hold(wanted)(json.dumps(part).encode()):
                report.filtered += 1
            else:
                report.record_loss(
                    LossReason.UNSUPPORTED, "it holds no Windows event", offset=offset, line=line
                )
