"""Write Windows event logs: `write_evtx("test.evtx", records)` makes an .evtx file for any reader.

It is laid out as Windows lays out an exported log, format 3.1 (checked against real logs and three readers,
not on Windows itself):

1. A file is a header and chunks of 64 KiB; each chunk stands alone, with its own names and templates.
2. Events of a provider with a manifest (it has a GUID and no event source) share one outer template:
   provider, GUID and channel are values, the computer is a literal. In a classic provider's template,
   provider, GUID, event source and channel are literals too.
3. System values have Windows' types. Data are strings, but `Binary` is binary.
4. EventData is embedded whole, in a template of its own for each list of names; unnamed `Data`, with or
   without a `Binary` after them, share one template, all their texts in one array. Of UserData only its
   child is embedded.
5. Absent values are NULL: readers leave out the attribute or element.

Not written: `rendering` (a forwarding host's message) and `origin`.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import BinaryIO, Protocol

from hvdegraded.bounded import BoundedCache
from hvdegraded.errors import EvtxWriteError, SourceError, WrongTypeError
from hvdegraded.formats.drafts import drafted, refuse_inputs
from hvdegraded.formats.evtx.binxml.values import ValueType
from hvdegraded.formats.evtx.binxml.writer import (
    FRAGMENT,
    NULL,
    ChunkBuilder,
    Element,
    Template,
    UnwritableError,
    Value,
    element_from_paths,
    string_array_value,
    string_value,
)
from hvdegraded.formats.evtx.event_layout import (
    data_tree,
    data_value,
    is_old_classic,
    outer_tree,
    system_values,
    unnamed_tree,
)
from hvdegraded.formats.evtx.format import (
    CHUNK_HEADER_SIZE,
    CHUNK_MAGIC,
    CHUNK_SIZE,
    FILE_HEADER_SIZE,
    FILE_MAGIC,
    FIRST_RECORD,
    NAME_BUCKETS,
    RECORD_MAGIC,
    RECORD_START,
    TEMPLATE_BUCKETS,
)
from hvdegraded.records.record import EventRecord

__all__ = [
    "Writable",
    "evtx_bytes",
    "write_evtx",
]


class HoldsRecord(Protocol):
    """Something made of a record, as an event is."""

    @property
    def record(self) -> EventRecord:
        """What it was made of."""
        ...


Writable = EventRecord | HoldsRecord | str | bytes
"""What can be written: a record, an event that was read, or the text of one `<Event>` (UTF-8, UTF-16)."""


class _PathCollector:
    """Records on their way to a file, and the paths that they were read from."""

    def __init__(self, records: Iterable[Writable]) -> None:
        self._records = records
        self._seen: set[str] = set()

    @property
    def paths(self) -> set[str]:
        """The paths of the records that were read so far."""
        path = getattr(getattr(self._records, "report", None), "path", None)
        return self._seen | ({path} if path else set())

    def __iter__(self) -> Iterator[Writable]:
        for item in self._records:
            origin = getattr(getattr(item, "record", item), "origin", None)
            if origin is not None and origin.path:
                self._seen.add(origin.path)
            yield item


_CHUNK_FULL = 65528  # Windows fills no chunk further, and libevtx loses the last record of a full one
_MAX_CHUNKS = 0xFFFF
_MAX_SHAPES = 4096
_NO_RECORD = 0xFFFFFFFFFFFFFFFF


def write_evtx(
    target: str | os.PathLike[str] | BinaryIO,
    records: Iterable[Writable],
    *,
    first_record_id: int = 1,
) -> int:
    """Write events as a Windows event log; returns how many were written.

    `target` is a path or a binary stream. A file is drafted beside its place and moved there when it is
    whole; a device, FIFO or link is written through. Record headers count from `first_record_id`; an event
    without `record_id` takes that number. Equal input gives equal bytes.

    Raises OutputError if the file cannot be written or is one from which the events are read, EvtxWriteError
    for an event that the format cannot hold: no time, a number out of range, a value that is not text, a name
    that XML does not allow, more than a chunk takes (65,016 bytes with all it needs); WrongTypeError for
    records that are not several.

    >>> import hvdegraded as hv
    >>> records = list(hv.read_records("sample_logs/hv2012r2/System.evtx"))
    >>> import os
    >>> hv.write_evtx(os.devnull, records[:3])
    3
    """
    if isinstance(target, (str, os.PathLike)):
        _refuse_other(records)
        collector = _PathCollector(records)
        with drafted(target, collector.paths) as stream:
            count = _write_to_stream(stream, collector, first_record_id)
            refuse_inputs(target, collector.paths)
        return count
    if not hasattr(target, "write"):
        wrong = f"{type(target).__name__} is neither a path nor a binary stream"
        raise WrongTypeError(wrong, hint="evtx_bytes gives the bytes of a log")
    return _write_to_stream(target, records, first_record_id)


def _write_to_stream(target: BinaryIO, records: Iterable[Writable], first_record_id: int) -> int:
    if target.seekable():
        return _write(target, records, first_record_id)
    buffer = io.BytesIO()
    count = _write(buffer, records, first_record_id)
    target.write(buffer.getbuffer())
    return count


def evtx_bytes(records: Iterable[Writable], *, first_record_id: int = 1) -> bytes:
    """The .evtx log of these events, as `write_evtx` writes it. Raises EvtxWriteError likewise.

    >>> import hvdegraded as hv
    >>> records = list(hv.read_records("sample_logs/hv2012r2/System.evtx"))
    >>> list(hv.read_records(hv.evtx_bytes(records))) == records
    True
    """
    buffer = io.BytesIO()
    _write(buffer, records, first_record_id)
    return buffer.getvalue()


def _write(stream: BinaryIO, records: Iterable[Writable], first_record_id: int) -> int:
    if not 0 <= first_record_id < 1 << 63:
        raise EvtxWriteError(f"first_record_id is {first_record_id}, and must be 0 to {(1 << 63) - 1:,}")
    _refuse_other(records)
    start = stream.tell()
    stream.write(bytes(FILE_HEADER_SIZE))
    shapes = _Shapes()
    chunk = _Chunk(1, first_record_id)
    chunks = 0
    count = 0
    for count, item in enumerate(records, 1):
        record = _record(item, count)
        header_id = first_record_id + count - 1
        try:
            event = shapes.event(record, header_id)
            if not chunk.add(event, header_id):
                chunks += 1
                stream.write(chunk.sealed())
                chunk = _Chunk(count, header_id)
                if not chunk.add(event, header_id):
                    limit = _CHUNK_FULL - FIRST_RECORD
                    raise UnwritableError(f"takes {chunk.need(event):,} bytes, and a chunk holds {limit:,}")
        except UnwritableError as error:
            name = f"event {count} ({record.provider or 'no provider'} {record.event_id})"
            raise EvtxWriteError(f"{name} {error}", hint=error.hint) from None
        if chunks >= _MAX_CHUNKS:
            raise EvtxWriteError(
                f"event {count} is beyond the {_MAX_CHUNKS:,} chunks of a log", hint="write several logs"
            )
    stream.write(chunk.sealed())
    end = stream.tell()
    stream.seek(start)
    stream.write(_file_header(chunks + 1, first_record_id + count))
    stream.seek(end)
    return count


def _refuse_other(records: object) -> None:
    """Refuse one event, and what cannot be gone through, before a file is touched."""
    if isinstance(records, (EventRecord, str, bytes)) or hasattr(records, "record"):
        raise EvtxWriteError("one event was given, not several", hint="give a list of events")
    if not isinstance(records, Iterable):
        wrong = f"records must be events, not {type(records).__name__}"
        raise WrongTypeError(wrong, hint="give a list of events, or what read_records gives")


def _record(item: Writable, number: int) -> EventRecord:
    if isinstance(item, EventRecord):
        return item
    if not isinstance(item, (str, bytes)):
        record = getattr(item, "record", None)
        if isinstance(record, EventRecord):
            return record
        raise EvtxWriteError(
            f"event {number} is a {type(item).__name__}", hint="give a record, an event, or event XML"
        )
    from hvdegraded.formats.xml.reader import parse_event

    try:
        return parse_event(item)
    except SourceError as error:
        raise EvtxWriteError(f"event {number} is not event XML: {error.message}", hint=error.hint) from error


def _file_header(chunks: int, next_record_id: int) -> bytes:
    head = struct.pack(
        "<8sQQQIHHHH", FILE_MAGIC, 0, chunks - 1, next_record_id, 128, 1, 3, FILE_HEADER_SIZE, chunks
    ).ljust(120, b"\0")
    return (head + struct.pack("<II", 0, zlib.crc32(head))).ljust(FILE_HEADER_SIZE, b"\0")


class _Event:
    """An event ready to be placed: templates and values; the payload is the outer template's last value."""

    __slots__ = ("inner", "inner_values", "outer", "size", "ticks", "values")

    def __init__(
        self,
        ticks: int,
        outer: Template,
        values: list[Value],
        inner: Template | None,
        inner_values: Sequence[Value],
    ) -> None:
        self.ticks = ticks
        self.outer = outer
        self.values = values
        self.inner = inner
        self.inner_values = inner_values
        size = RECORD_START.size + len(FRAGMENT) + 14 + 1 + 4  # instance, end token, size again
        size += sum([4 + len(data) for _, data in values])
        if inner is not None:
            size += len(FRAGMENT) + 14 + 1 + sum([4 + len(data) for _, data in inner_values])
        self.size = size

    @property
    def templates(self) -> tuple[Template, ...]:
        return (self.outer,) if self.inner is None else (self.outer, self.inner)


class _Chunk(ChunkBuilder):
    """A chunk being filled."""

    def __init__(self, first_number: int, first_id: int) -> None:
        super().__init__(FIRST_RECORD)
        self._first_number = first_number
        self._first_id = first_id
        self._last_id = first_id
        self._last_start = 0

    def need(self, event: _Event) -> int:
        """Bytes that the event would take here: Windows rounds them up to eight."""
        return event.size + self.room_for(event.templates) + 7 & ~7

    def add(self, event: _Event, header_id: int) -> bool:
        """Write the event as the next record; False, with nothing written, if it does not fit."""
        size = self.need(event)
        out = self.bytes
        start = len(out)
        if start + size > _CHUNK_FULL:
            return False
        out += RECORD_START.pack(RECORD_MAGIC, size, header_id, event.ticks)
        out += FRAGMENT
        descriptors = self.write_instance(event.outer, event.values)
        if event.inner is not None:
            payload = len(out)
            out += FRAGMENT
            self.write_instance(event.inner, event.inner_values)
            out += b"\0"
            struct.pack_into("<H", out, descriptors + 4 * (len(event.values) - 1), len(out) - payload)
        out += bytes(start + size - 4 - len(out))
        out += struct.pack("<I", size)
        self._last_id = header_id
        self._last_start = start
        return True

    def sealed(self) -> bytes:
        """The whole chunk, with its header and checksums."""
        out = self.bytes
        if self._last_start:
            last_number = self._first_number + self._last_id - self._first_id
            numbers = (self._first_number, last_number, self._first_id, self._last_id)
        else:
            numbers = (1, _NO_RECORD, _NO_RECORD, _NO_RECORD)
        data = zlib.crc32(memoryview(out)[FIRST_RECORD:])
        head = struct.pack(
            "<8sQQQQIIII", CHUNK_MAGIC, *numbers, CHUNK_HEADER_SIZE, self._last_start, len(out), data
        )
        head = head.ljust(120, b"\0")
        tables = struct.pack(f"<{NAME_BUCKETS + TEMPLATE_BUCKETS}I", *self.name_heads, *self.template_heads)
        flags = struct.pack("<II", 1, zlib.crc32(tables, zlib.crc32(head)))
        out[:FIRST_RECORD] = head + flags + tables
        return bytes(out).ljust(CHUNK_SIZE, b"\0")


class _Shapes:
    """Records into templates and values; each shape's template is compiled once."""

    def __init__(self) -> None:
        self._templates: BoundedCache[Hashable, Template] = BoundedCache(_MAX_SHAPES)

    def event(self, record: EventRecord, header_id: int) -> _Event:
        if record.time_ticks is None:
            raise UnwritableError("has no time", "set time_ticks (100 ns since 1601)")
        for name, text in record.data:
            if not isinstance(text, str):
                raise UnwritableError(f"has {text!r} for {name or 'a value'}, which is not text")
        classic = record.provider_guid is None or record.event_source is not None
        tag, inner, inner_values = self._payload(record)
        outer = self._outer(record, classic, tag)
        values = system_values(record, header_id, classic)
        if tag is not None:
            values.append((ValueType.BINXML, b""))
        return _Event(record.time_ticks, outer, values, inner, inner_values)

    def _outer(self, record: EventRecord, classic: bool, tag: str | None) -> Template:
        key: tuple[object, ...] = ("outer", record.computer, tag, tuple([name for name, _ in record.extra]))
        if classic:
            literals = (record.provider, record.provider_guid, record.event_source, record.channel)
            key += (*literals, is_old_classic(record))
        return self._templates.get(key) or self._compiled(key, outer_tree(record, classic, tag))

    def _payload(self, record: EventRecord) -> tuple[str | None, Template | None, Sequence[Value]]:
        """The element around the embedded one ("" for none; None: no payload), its template, its values."""
        payload = record.payload or ("EventData" if record.data else "")
        if not payload:
            return None, None, ()
        if payload == "EventData":
            return "", *self._event_data(record)
        tag, slash, root = payload.rpartition("/")
        if "/" in tag or (slash and not tag):
            raise UnwritableError(f"has its payload in {payload!r}", "name one element or two: UserData/Root")
        names = tuple([name for name, _ in record.data])
        key = ("nested", root, record.payload_namespace, names)
        template = self._templates.get(key)
        if template is None:
            tree = element_from_paths(root, enumerate(names), namespace=record.payload_namespace)
            template = self._compiled(key, tree)
        return tag, template, [string_value(text) for _, text in record.data]

    def _event_data(self, record: EventRecord) -> tuple[Template, Sequence[Value]]:
        names = tuple([name for name, _ in record.data])
        values = [data_value(name, text) for name, text in record.data]
        namespace = record.payload_namespace
        key: tuple[object, ...]
        has_binary = bool(values) and values[-1][0] == ValueType.BINARY
        unnamed = len(values) - has_binary
        if names.count(None) == unnamed > 0 and not any("\0" in text for _, text in record.data):
            binary = values[-1] if has_binary else NULL
            size = (ValueType.UINT32, struct.pack("<I", len(binary[1])))
            values = [string_array_value([text for _, text in record.data[:unnamed]]), size, binary]
            key = ("unnamed", namespace)
            return self._templates.get(key) or self._compiled(key, unnamed_tree(namespace)), values
        key = ("data", namespace, names, tuple([kind for kind, _ in values]))
        template = self._templates.get(key)
        return template or self._compiled(key, data_tree(namespace, names, values)), values

    def _compiled(self, key: Hashable, tree: Element) -> Template:
        try:
            template = Template(tree)
        except struct.error:
            raise UnwritableError(
                "has a name or literal over 65,535 UTF-16 units, or as many values"
            ) from None
        return self._templates.remember(key, template)
