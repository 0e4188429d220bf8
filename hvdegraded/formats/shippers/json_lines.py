"""JSON in, event records out: one object a line, one array, or one document over several lines.

Lines that cannot hold a wanted provider are passed over by a byte test, without parsing: their bytes hold
neither a wanted name nor a backslash escape that could spell one.
"""

from __future__ import annotations

import codecs
import contextlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any, BinaryIO, NamedTuple, cast

from hvdegraded.errors import EmptySourceError, UnknownFormatError
from hvdegraded.formats.shippers.by_names import is_verdict
from hvdegraded.formats.shippers.dates import DateOrder, date_order_of_stream, order_unknown
from hvdegraded.formats.shippers.envelopes import parts_of
from hvdegraded.formats.shippers.line_prefilter import line_may_hold
from hvdegraded.formats.shippers.mapping import record_from_mapping
from hvdegraded.formats.shippers.nested import mentions_a_provider, nested_records
from hvdegraded.records.coverage import Coverage
from hvdegraded.records.items import Item, Loss, LossReason, Opened, Skipped
from hvdegraded.records.record import Origin, ProviderFilter
from hvdegraded.tabular.encodings import TextEncoding, encoding_by_mark
from hvdegraded.tabular.json_document import has_too_many_parts, values_of
from hvdegraded.tabular.json_keys import value_at

__all__ = ["LONGEST_LINE", "items_of", "read_json_lines", "text_lines", "utf16_lines"]

LONGEST_LINE = 16 << 20
"""Bytes of a line, or of a value over several lines, that are read."""

_BLOCK = 1 << 20
_WHITE_SPACE = " \t\r\n"


def _values_of(line: bytes, ends: str, longest: int = LONGEST_LINE) -> list[tuple[Any, tuple[str, ...]]]:
    """A line's value, or those of its array, with the anomalies of each; `ends` may stand behind it.

    Raises ValueError, RecursionError.
    """
    text = line.decode().strip(_WHITE_SPACE)
    value, end, anomalies = value_at(text, 0)
    if text[end:].strip(ends):
        raise ValueError(f"something follows at character {end}")
    if anomalies and isinstance(value, list):
        return [(found.value, found.anomalies) for found in values_of(iter([text]), longest)]
    return [(value, anomalies)]


def read_json_lines(
    stream: BinaryIO,
    path: str | None = None,
    wanted: ProviderFilter | None = None,
    *,
    longest: int = LONGEST_LINE,
) -> Iterator[Item]:
    """Read JSON lines, or one JSON document, in UTF-8 or UTF-16.

    A line that is not JSON, or too long, is a loss; one that holds no Windows event too, unless only
    `wanted` providers were asked for and it names none of them: then it is skipped. Raises
    EmptySourceError, UnknownFormatError for what is not JSON at all.
    """
    yield Opened("json")
    yield from _JsonLines(stream, path, wanted, longest).items()


class _JsonLines:
    """The lines of one input, and what is known of their form."""

    def __init__(
        self, stream: BinaryIO, path: str | None, wanted: ProviderFilter | None, longest: int
    ) -> None:
        self._lines = _lines(stream, longest)
        self._longest = longest
        self._path = path
        self._wanted = wanted
        self._may_hold = None if wanted is None else line_may_hold(wanted)
        self._dates = cache(partial(date_order_of_stream, stream))
        self._head: _Line | None = None  # the first one, where it is not JSON by itself
        self._second: _Line | None = None  # the next one that is not JSON either
        self._seen = self._in_array = False
        self._skipped: list[bytes] = []  # the first and the last

    def items(self) -> Iterator[Item]:
        """What all lines give."""
        for line in self._lines:
            if self._is_document(line):
                yield from self._document(itertools.chain([line], self._lines))
                return
            yield from self._items_of(line)
            if self._second is not None:
                whole = itertools.chain([cast("_Line", self._head), self._second], self._lines)
                yield from self._document(whole)
                return
        if self._head is not None:
            yield from self._document(iter([self._head]))
        elif not self._seen:
            raise EmptySourceError("the input is blank", path=self._path, hint="check how it was exported")
        yield from _coverages(self._skipped)

    def _is_document(self, line: _Line) -> bool:
        """Whether the input is one array on one line that is too long."""
        is_first = not self._seen and self._head is None
        return is_first and len(line.data) > self._longest and line.data.lstrip().startswith(b"[")

    def _items_of(self, line: _Line) -> Iterator[Item]:
        number, start, data = line
        if not number or not data.strip(b" \t\r\n\0"):
            return
        too_long = len(data) > self._longest
        is_text = b"\0" not in data  # the bytes of something else are lost, not of other providers
        if not too_long and is_text and self._seen and self._may_hold and not self._may_hold(data):
            if data.strip() != b"]" or not self._in_array:
                self._skipped[1:] = [data]
                yield Skipped(1)
            return
        if too_long or has_too_many_parts(data):
            self._seen = True
            detail = (
                f"the line is longer than {self._longest} bytes"
                if too_long
                else "the line has too many parts"
            )
            yield Loss(LossReason.OVER_LIMIT, detail, offset=start, line=number)
            return
        try:
            found = _values_of(
                data, ", \t\r\n" if self._in_array or self._head else _WHITE_SPACE, self._longest
            )
        except (ValueError, RecursionError) as error:
            if not self._seen and self._head is not None:
                self._second = line
            elif not self._seen:
                self._head = line
            elif not (self._in_array and data.strip() == b"]"):
                yield Loss(LossReason.MALFORMED, _why(error), offset=start, line=number)
            return
        if self._head is not None:
            self._in_array = self._head.data.strip() == b"["
            if not self._in_array:
                where = self._head
                yield Loss(LossReason.MALFORMED, "it is not JSON", offset=where.offset, line=where.number)
            self._head = None
        self._seen = True
        for value, anomalies in found:
            yield from items_of(value, self._path, self._wanted, start, number, anomalies, self._dates)

    def _document(self, lines: Iterator[_Line]) -> Iterator[Item]:
        """The records of one document over several lines, or of several."""
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        seen = False
        for found in values_of((decode(line.data) for line in lines), self._longest):
            if found.problem is None:
                yield from items_of(
                    found.value, self._path, self._wanted, None, found.line, found.anomalies, self._dates
                )
            elif seen:
                yield Loss(LossReason.MALFORMED, found.problem, line=found.line)
            else:
                raise UnknownFormatError(
                    f"the input is not JSON: {found.problem}",
                    path=self._path,
                    line=1,
                    hint="write one object a line",
                )
            seen = True


def _coverages(lines: list[bytes]) -> Iterator[Coverage]:
    """The channels and times of records that were skipped."""
    for line in lines:
        with contextlib.suppress(ValueError, RecursionError):
            for value, _ in _values_of(line, ", \t\r\n"):
                record = record_from_mapping(value) if isinstance(value, Mapping) else None
                if record is not None and record.time_ticks is not None:
                    yield Coverage(record.computer, record.channel, record.time_ticks, record.time_ticks)


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


def items_of(
    value: Any,
    path: str | None,
    wanted: ProviderFilter | None,
    offset: int | None,
    line: int,
    anomalies: tuple[str, ...] = (),
    dates: Callable[[], DateOrder] = order_unknown,
) -> Iterator[Item]:
    """The records of a mapping, or of a list of mappings; what certainly is not a wanted one is skipped."""
    items = value if isinstance(value, list) else [value]
    origin = Origin("json", path, offset, line, anomalies=anomalies)
    for item in items:
        for part in (parts_of(item) if isinstance(item, Mapping) else None) or [item]:
            record = None
            if isinstance(part, Mapping):
                record = record_from_mapping(part, origin=origin, dates=dates)
            if record is not None:
                yield record
            elif wanted is not None and not line_may_hold(wanted)(json.dumps(part).encode()):
                yield Skipped(1)
            else:
                yield from _nested_items(part, origin, dates)


def _nested_items(value: Any, origin: Origin, dates: Callable[[], DateOrder]) -> Iterator[Item]:
    """The records deep in a value, or what is lost with it."""
    found = False
    for record in nested_records(value, origin, dates):
        found = True
        detail = "it names a provider of Windows, but not one event that can be read"
        yield record or Loss(LossReason.UNSUPPORTED, detail, offset=origin.offset, line=origin.line)
    if not found and mentions_a_provider(value) and not (isinstance(value, Mapping) and is_verdict(value)):
        detail = "it names a provider or a channel of Hyper-V, but no event that can be read"
        yield Loss(LossReason.UNSUPPORTED, detail, offset=origin.offset, line=origin.line)
    elif not found:
        detail = "it holds no Windows event"
        yield Loss(LossReason.NOT_AN_EVENT, detail, offset=origin.offset, line=origin.line)
