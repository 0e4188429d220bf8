"""The .evtx reader: bytes of a Windows event log in, event records and a full account out.

How it works. `chunks` finds chunks and records, `plans` and `layouts` decode the usual records fast,
`expansion` all others. A chunk that cannot hold a wanted provider's name is passed over undecoded, its
records counted.

A provider's name stands in the record, or as a literal in the template of its `<System>`. So a chunk holds
a wanted record only where the beginning of the wanted names (`Microsoft-Windows-Hyper-V-`) occurs anywhere in
it, or one of the classic providers' names in a template that a record uses, or in a record without template.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, BinaryIO

from hvdegraded.errors import EmptySourceError, LegacyEvtError, UnknownFormatError
from hvdegraded.formats.evtx.binxml.compiler import Made, PlannedTemplate
from hvdegraded.formats.evtx.binxml.layout import PayloadLayout, fields_of, system_texts
from hvdegraded.formats.evtx.binxml.parser import DEFINITION_HEAD, BinXmlError, ChunkXml, TemplateCache
from hvdegraded.formats.evtx.binxml.tree import expand
from hvdegraded.formats.evtx.binxml.values import BadTextError
from hvdegraded.formats.evtx.chunks import (
    FILE_HEADER_SIZE,
    FILE_MAGIC,
    FIRST_RECORD,
    RECORD_HEADER,
    Chunk,
    Gap,
    Hole,
    ReadAt,
    Span,
    find_chunks,
    read_file_header,
    walk,
)
from hvdegraded.formats.evtx.record_numbers import Account, end_of
from hvdegraded.formats.xml.element import UnreadableEventError, record_from_element
from hvdegraded.records.record import EventRecord, Origin, ProviderFilter
from hvdegraded.records.report import LossReason, NoteKind, ReadReport

__all__ = ["EvtxDecoder", "Wanted", "chunk_records", "open_log", "read_evtx"]

_INSTANCE = struct.Struct("<IBBIII").unpack_from  # fragment header, token, version, template, values
_INNER = struct.Struct("<BBII").unpack_from
_COUNT = struct.Struct("<I").unpack_from
_SIZE_AND_HEAD = struct.Struct(f"<4xI{RECORD_HEADER - 8}x14s").unpack_from
_HEAD = struct.Struct("<IBBII").unpack  # fragment header, token, version, key and offset of the template
_DEFINITION_HEAD = struct.Struct("<4xI12xI").unpack_from
_FRAGMENT = 0x0001010F
_INSTANCE_TOKEN = 0x0C
_MAX_REMEMBERED = 4096
_LONGEST_REMEMBERED = 512  # characters of a provider's name
_MAX_DEFINITIONS, _DEFINITION_COST = 8 << 20, 200  # bytes of those that were searched
_MAX_LAYOUTS = 32768  # of all templates; then all are learnt anew

_UNWANTED = EventRecord()
_BAD_CHECKSUM = "the checksum of its chunk does not match"
_REMNANT = "it stood where its chunk has no live record"
_TWO_SIZES = "the sizes before and behind it differ"
_HALF_CHARACTERS = "halves of surrogate pairs in it stand as U+FFFD"

_new_tuple: Any = tuple.__new__


class Wanted:
    """A provider filter, and what its names look like in a chunk's bytes."""

    def __init__(self, wanted: ProviderFilter) -> None:
        self._wanted = wanted
        self._known: dict[str, bool] = {}
        self._definitions: dict[bytes, bool] = {}
        self._size = 0
        # The longer a piece, the faster its search; without the last zero byte it is twice as fast.
        self._prefixes = [prefix.lower().encode("utf-16-le")[:-1] for prefix in wanted.prefixes]
        self._names = [name.lower().encode("utf-16-le") for name in wanted.names]

    def matches(self, provider: str) -> bool:
        """Whether events of this provider are wanted."""
        known = self._known.get(provider)
        if known is None:
            known = self._wanted.matches(provider)
            if len(provider) <= _LONGEST_REMEMBERED:
                if len(self._known) >= _MAX_REMEMBERED:
                    self._known.clear()
                self._known[provider] = known
        return known

    def records_without(self, chunk: Chunk) -> int | None:
        """How many records a chunk holds of which surely none is wanted; None where one may be."""
        data = chunk.data
        if not chunk.trusted:
            return None
        lower = data.lower()
        for prefix in self._prefixes:
            if lower.find(prefix) >= 0:
                return None
        place, end = FIRST_RECORD, chunk.free
        heads: set[bytes] = set()
        remember = heads.add
        try:
            for count in range(_MAX_REMEMBERED):  # noqa: B007  # counts the records
                if place >= end:
                    break
                size, head = _SIZE_AND_HEAD(data, place)
                remember(head)
                place += size
        except struct.error:
            return None
        if place != end:
            return None
        for head in heads:
            fragment, token, _, key, offset = _HEAD(head)
            if token != _INSTANCE_TOKEN or fragment != _FRAGMENT:
                if self._has_name(lower):
                    return None
            elif self._named_by(data, key, offset):
                return None
        # In damaged bytes a wanted name may be damaged too, and their records cannot be counted so.
        return count if chunk.proven else None

    def _named_by(self, data: bytes, key: int, offset: int) -> bool:
        """Whether the template at an offset names a wanted provider, or is not the one with that key."""
        if offset + DEFINITION_HEAD > len(data):
            return True
        found, size = _DEFINITION_HEAD(data, offset)
        if found != key:
            return True
        definition = data[offset : offset + DEFINITION_HEAD + size]
        named = self._definitions.get(definition)
        if named is None:
            if self._size + len(definition) > _MAX_DEFINITIONS:
                self._definitions.clear()
                self._size = 0
            self._size += len(definition) + _DEFINITION_COST
            named = self._definitions[definition] = self._has_name(definition.lower())
        return named

    def _has_name(self, lower: bytes) -> bool:
        return any(name in lower for name in self._names)


class EvtxDecoder:
    """Decodes chunks; remembers templates and layouts from chunk to chunk and from file to file."""

    def __init__(self) -> None:
        self._made = Made()
        self._cache = TemplateCache(partial(PlannedTemplate, made=self._made))
        self._texts = system_texts()

    def records(
        self,
        chunk: Chunk,
        report: ReadReport,
        wanted: Wanted | None = None,
        spans: Sequence[Span | Gap] | None = None,
    ) -> Iterator[EventRecord]:
        """The wanted records of a chunk; `spans` are what lies in it, of which gaps are counted as lost."""
        spans = list(walk(chunk)) if spans is None else spans
        report.chunks_damaged += not self._is_sound(chunk, spans, report)
        doubts = self._doubts(chunk, spans)
        if self._made.count > _MAX_LAYOUTS:
            self._cache.clear()
            self._made.count = 0
        xml = ChunkXml(chunk.data, self._cache, damaged=bool(doubts))
        path = report.path
        for span in spans:
            if isinstance(span, Gap):
                reason = LossReason.TRUNCATED if span.cut_off else LossReason.UNREADABLE
                detail = "the file ends here" if span.cut_off else "no record header can be read here"
                report.lose(reason, detail, offset=chunk.offset + span.start, count=span.records)
                continue
            start, end, number, _, sound = span
            origin = _new_tuple(
                Origin,
                (
                    "evtx",
                    path,
                    chunk.offset + start,
                    None,
                    chunk.number,
                    False,
                    doubts if sound else (*doubts, _TWO_SIZES),
                    (),
                ),
            )
            try:
                record = self._usual(xml, start + RECORD_HEADER, end - 4, origin, wanted)
                if record is None:
                    record = self._unusual(xml, start + RECORD_HEADER, end - 4, origin)
            except (BinXmlError, UnreadableEventError) as error:
                report.lose(error.reason, error.detail, offset=chunk.offset + start, record_id=number)
                continue
            if record is _UNWANTED or (wanted is not None and not wanted.matches(record.provider)):
                report.filtered += 1
                continue
            report.delivered += 1
            if record.origin.doubts:
                report.marked += 1
            yield record

    def remnant(self, chunk: Chunk, span: Span, path: str | None) -> EventRecord | None:
        """A record that is no live one of its chunk; None where it cannot be decoded."""
        xml = ChunkXml(chunk.data, self._cache)
        origin = Origin("evtx", path, chunk.offset + span.start, None, chunk.number, True, (_REMNANT,))
        try:
            record = self._usual(xml, span.start + RECORD_HEADER, span.end - 4, origin, None)
            return record or self._unusual(xml, span.start + RECORD_HEADER, span.end - 4, origin)
        except (BinXmlError, UnreadableEventError):
            return None

    def _usual(
        self, xml: ChunkXml[PlannedTemplate], start: int, end: int, origin: Origin, wanted: Wanted | None
    ) -> EventRecord | None:
        """The record of usual form in data[start:end]; None where it has another."""
        data = xml.data
        try:
            fragment, token, _, key, offset, count = _INSTANCE(data, start)
            if token != _INSTANCE_TOKEN or fragment != _FRAGMENT:
                return None
            template, place = xml.templates.get(offset) or xml.template(offset)
            if key != template.key:
                return None
            if offset == start + 14:
                (count,) = _COUNT(data, place)
                place += 4
            else:
                place = start + 18
            here = place + 4 * count
            if here > end:
                return None
            layout = template.system[data[place:here]]
            if layout is None or here + layout.size > end:
                return None
            fields = list(layout.pick(layout.unpack(data, here) + layout.constants))
            tables = self._texts
            for field, table in layout.texts:
                fields[field] = tables[table][fields[field]]
            if wanted is not None and not wanted.matches(fields[0]):
                return _UNWANTED
            place, end = here + layout.start, here + layout.end
            if place == end:
                if not layout.event_data:
                    return None
                plain: EventRecord = _new_tuple(EventRecord, (*fields, "", None, (), (), (), origin))
                return plain

            if data[place] == 0x0F:
                place += 4
            token, _, key, offset = _INNER(data, place)
            if token != _INSTANCE_TOKEN:
                return None
            template, here = xml.templates.get(offset) or xml.template(offset)
            if key != template.key:
                return None
            place = here if offset == place + 10 else place + 10
            (count,) = _COUNT(data, place)
            place += 4
            here = place + 4 * count
            if here > end:
                return None
            payload: PayloadLayout | None
            payload = (template.event_data if layout.event_data else template.user_data)[data[place:here]]
            if payload is None:
                return None
            place = here + payload.size
            if place != end and (place > end or data[place]):
                return None
            values = fields_of(payload, payload.unpack(data, here))
        except (struct.error, UnicodeDecodeError, BadTextError):
            return None
        record: EventRecord = _new_tuple(
            EventRecord, (*fields, payload.payload, payload.namespace, values, (), (), origin)
        )
        return record

    def _unusual(self, xml: ChunkXml[PlannedTemplate], start: int, end: int, origin: Origin) -> EventRecord:
        """The record of any form in data[start:end]. Raises BinXmlError or UnreadableEventError."""
        element, lenient = expand(xml, start, end)
        if lenient:
            origin = origin._replace(doubts=(*origin.doubts, _HALF_CHARACTERS))
        # A Node reads as lxml's elements do.
        return record_from_element(element, origin, exact=True)  # type: ignore[arg-type]

    def _is_sound(self, chunk: Chunk, spans: Sequence[Span | Gap], report: ReadReport) -> bool:
        sound = chunk.trusted
        if not sound:
            report.note(NoteKind.CHUNK, f"the header of the chunk at offset 0x{chunk.offset:X} is damaged")
        if not chunk.intact(end_of(spans)):
            report.note(
                NoteKind.CHUNK, f"the checksum of the chunk at offset 0x{chunk.offset:X} does not match"
            )
            sound = False
        return sound and not any(isinstance(span, Gap) for span in spans)

    def _doubts(self, chunk: Chunk, spans: Sequence[Span | Gap]) -> tuple[str, ...]:
        return () if chunk.intact(end_of(spans)) else (_BAD_CHECKSUM,)


def read_evtx(
    source: bytes | BinaryIO,
    report: ReadReport,
    wanted: ProviderFilter | None = None,
    *,
    decoder: EvtxDecoder | None = None,
) -> Iterator[EventRecord]:
    """The records of an .evtx log, given as bytes or as a seekable binary stream, in the order of the file.

    Records of providers that are not `wanted` are counted, not delivered. Whatever is damaged, cut off or
    doubtful is told in the report; a record whose chunk fails its checksum comes with a doubt in its origin.
    A `decoder` that is used again need not learn the templates again.

    Raises EmptySourceError, LegacyEvtError for an old .evt log, UnknownFormatError for what is no event log,
    LossError at the first loss where the report is strict.
    """
    read_at, account = open_log(source, report)
    decoder = decoder or EvtxDecoder()
    names = None if wanted is None else Wanted(wanted)
    for chunk in find_chunks(read_at):
        if isinstance(chunk, Hole):
            account.add_hole(chunk)
        else:
            spans = account.add_chunk(chunk)
            yield from chunk_records(chunk, report, names, decoder, spans)
    account.finish()


def open_log(source: bytes | BinaryIO, report: ReadReport) -> tuple[ReadAt, Account]:
    """What reads a log's bytes, and an account of its chunks; the report is told what the file header says.

    Raises as `read_evtx` does.
    """
    report.reader = "evtx"
    read_at, size = _reader_of(source)
    report.size = size
    head = read_at(0, FILE_HEADER_SIZE)
    _check_magic(head, read_at, size, report)
    header = read_file_header(head)
    if header is None:
        report.note(NoteKind.HEADER, "the file header is damaged; the chunks' own marks are believed")
    elif header.dirty:
        report.note(
            NoteKind.DIRTY,
            "the log was not closed, as in a copy from a live system: the newest may be missing",
        )
    return read_at, Account(report, header, size)


def chunk_records(
    chunk: Chunk,
    report: ReadReport,
    wanted: Wanted | None,
    decoder: EvtxDecoder,
    spans: Sequence[Span | Gap] | None = None,
) -> Iterator[EventRecord]:
    """The wanted records of a chunk, which is passed over undecoded where it surely holds none."""
    report.chunks_seen += 1
    count = None if wanted is None else wanted.records_without(chunk)
    if count is None:
        yield from decoder.records(chunk, report, wanted, spans)
    else:
        report.chunks_skipped += 1
        report.filtered += count


def _check_magic(head: bytes, read_at: ReadAt, size: int, report: ReadReport) -> None:
    if not head:
        raise EmptySourceError("the file is empty", path=report.path, hint="copy the log again")
    if head.startswith(FILE_MAGIC):
        return
    if head[4:8] == b"LfLe":
        raise LegacyEvtError(report.path)
    if any(isinstance(chunk, Chunk) for chunk in islice(find_chunks(read_at), _MAX_REMEMBERED)):
        return
    raise UnknownFormatError(
        "this is no .evtx log", path=report.path, offset=0, hint=f"its {size} bytes hold no chunk of one"
    )


def _reader_of(source: bytes | BinaryIO) -> tuple[ReadAt, int]:
    if isinstance(source, bytes):
        return (lambda offset, count: source[offset : offset + count]), len(source)
    stream = source

    def read_at(offset: int, count: int) -> bytes:
        stream.seek(offset)
        return stream.read(count)

    return read_at, stream.seek(0, 2)
