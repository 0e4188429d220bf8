"""Chunks to records."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from hvdegraded.formats.evtx.binxml.compiler import Made, PlannedTemplate
from hvdegraded.formats.evtx.binxml.layout import PayloadLayout, SystemLayout, fields_of, system_texts
from hvdegraded.formats.evtx.binxml.parser import ChunkXml, TemplateCache
from hvdegraded.formats.evtx.binxml.templates import BinXmlError
from hvdegraded.formats.evtx.binxml.tree import expand
from hvdegraded.formats.evtx.binxml.values import BadTextError
from hvdegraded.formats.evtx.chunks import Chunk
from hvdegraded.formats.evtx.format import FRAGMENT_HEADER, INSTANCE_TOKEN, RECORD_HEADER
from hvdegraded.formats.evtx.prefilter import ChunkPrefilter
from hvdegraded.formats.evtx.record_headers import Gap, Span
from hvdegraded.formats.evtx.walk import end_of, walk
from hvdegraded.formats.xml.element import UnreadableEventError, record_from_element
from hvdegraded.records.coverage import Coverage
from hvdegraded.records.items import Chunks, Item, Loss, LossReason, Note, NoteKind, Skipped
from hvdegraded.records.record import EventRecord, Origin

__all__ = [
    "EvtxDecoder",
]

_INSTANCE = struct.Struct("<IBBIII").unpack_from  # fragment header, token, version, template, values
_INNER = struct.Struct("<BBII").unpack_from
_COUNT = struct.Struct("<I").unpack_from
_MAX_LAYOUTS = 32768  # of all templates; then all are learnt anew
_PROVIDER, _TIME, _CHANNEL, _COMPUTER = map(
    EventRecord._fields.index, ("provider", "time_ticks", "channel", "computer")
)
_BAD_CHECKSUM = "the checksum of its chunk does not match"
_REMNANT = "it stood where its chunk has no live record"
_MENDED = "it names its template with a flipped bit"
_new_tuple: Any = tuple.__new__
_System = tuple[list[Any], SystemLayout, int]
"""The System fields of a record, its outer layout, and where its outer values start."""


class EvtxDecoder:
    """Decodes chunks; remembers templates and layouts from chunk to chunk and from file to file.

    Records of usual form are decoded `fast`, unless that is switched off, with the same result.
    """

    def __init__(self, *, fast: bool = True) -> None:
        self._fast = fast
        self._made = Made()
        self.templates = TemplateCache(partial(PlannedTemplate, made=self._made))
        self._texts = system_texts()

    def items(
        self,
        chunk: Chunk,
        path: str | None = None,
        wanted: ChunkPrefilter | None = None,
        spans: Sequence[Span | Gap] | None = None,
    ) -> Iterator[Item]:
        """Decode a chunk: its records, and what is lost in it or not wanted; `spans` are what lies in it.

        Usual records come many at a time, others, which can be large, one by one.
        """
        spans = list(walk(chunk)) if spans is None else spans
        yield from _state_of(chunk, spans)
        anomalies = () if chunk.intact(end_of(spans)) else (_BAD_CHECKSUM,)
        xml = self._xml(chunk, damaged=bool(anomalies))
        plain: list[EventRecord] = []
        skipped = 0
        first: list[Any] = []
        last: list[Any] = []
        for place, span in enumerate(spans):
            if isinstance(span, Gap):
                yield plain
                plain = []
                yield _gap_loss(chunk, spans, place)
                continue
            start, end, number, ticks, odd_place = span
            body, stop = start + RECORD_HEADER, end - 4
            try:
                system = self._system(xml, body, stop)
                if system is not None and wanted is not None:
                    fields = system[0]
                    if not wanted.matches(fields[_PROVIDER] or fields[_CHANNEL]):
                        first, last = first or fields, fields
                        skipped += 1
                        continue
                marks = anomalies if odd_place is None else (*anomalies, odd_place.value)
                origin = _new_tuple(
                    Origin, ("evtx", path, chunk.offset + start, None, chunk.number, False, marks, ())
                )
                record = None
                if system is not None and self._fast:
                    record = self._decode_fast(xml, system, stop, origin)
                if record is not None and not marks:
                    plain.append(record)
                    continue
                found: Item = record or self._decode_general(xml, body, stop, origin)
            except (BinXmlError, UnreadableEventError) as error:
                where = chunk.offset + start
                found = Loss(error.reason, error.detail, path, where, None, number, 1, ticks, ticks)
            yield plain
            plain = []
            yield found
        yield plain
        if skipped:
            yield Skipped(skipped)
            yield from _coverages(first, last)

    def remnant(self, chunk: Chunk, span: Span, path: str | None) -> EventRecord | None:
        """Decode a record that is not a live one of its chunk; None where that is not possible."""
        origin = Origin("evtx", path, chunk.offset + span.start, None, chunk.number, True, (_REMNANT,))
        return self.record(chunk, span, origin)

    def record(self, chunk: Chunk, span: Span, origin: Origin) -> EventRecord | None:
        """Decode one record of a chunk; None where that is not possible."""
        xml = ChunkXml(chunk.data, self.templates)
        start, end = span.start + RECORD_HEADER, span.end - 4
        try:
            system = self._system(xml, start, end)
            record = None if system is None else self._decode_fast(xml, system, end, origin)
            return record or self._decode_general(xml, start, end, origin)
        except (BinXmlError, UnreadableEventError):
            return None

    def _xml(self, chunk: Chunk, *, damaged: bool) -> ChunkXml[PlannedTemplate]:
        if self._made.count > _MAX_LAYOUTS:
            self.templates.clear()
            self._made.count = 0
        return ChunkXml(chunk.data, self.templates, damaged=damaged)

    def _system(self, xml: ChunkXml[PlannedTemplate], start: int, end: int) -> _System | None:
        """The System fields of the record of usual form in data[start:end]; None where it has another."""
        data = xml.data
        try:
            fragment, token, _, key, offset, count = _INSTANCE(data, start)
            if token != INSTANCE_TOKEN or fragment != FRAGMENT_HEADER:
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
        except (struct.error, UnicodeDecodeError, BadTextError):
            return None
        return fields, layout, here

    def _decode_fast(
        self, xml: ChunkXml[PlannedTemplate], system: _System, end: int, origin: Origin
    ) -> EventRecord | None:
        """The record with these System fields that ends by `end`; None where its payload is not usual."""
        data = xml.data
        fields, layout, here = system
        place, end = here + layout.start, here + layout.end
        if place == end:
            if not layout.event_data:
                return None
            plain: EventRecord = _new_tuple(EventRecord, (*fields, "", None, (), (), (), origin))
            return plain
        try:
            if data[place] == 0x0F:
                place += 4
            token, _, key, offset = _INNER(data, place)
            if token != INSTANCE_TOKEN:
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

    def _decode_general(
        self, xml: ChunkXml[PlannedTemplate], start: int, end: int, origin: Origin
    ) -> EventRecord:
        """The record of any form in data[start:end]. Raises BinXmlError or UnreadableEventError."""
        xml.mended = False
        element, anomalies = expand(xml, start, end)
        if xml.mended:
            origin = origin._replace(caveats=(*origin.caveats, _MENDED))
        if anomalies:
            origin = origin._replace(anomalies=(*origin.anomalies, *anomalies))
        # A Node reads as lxml's elements do.
        return record_from_element(element, origin, exact=True)  # type: ignore[arg-type]


def _state_of(chunk: Chunk, spans: Sequence[Span | Gap]) -> Iterator[Item]:
    """What is damaged in a chunk."""
    damaged = not chunk.trusted
    where = f"the chunk at offset 0x{chunk.offset:X}"
    hidden = sum(1 for span in spans if isinstance(span, Span) and span.place is not None)
    if hidden:
        yield Note(NoteKind.CHUNK, f"{where} hides {hidden} records: sizes or its header leave them out")
    if chunk.records is not None and any(
        not chunk.first <= span.number <= chunk.last for span in spans if isinstance(span, Span)
    ):
        yield Note(NoteKind.CHUNK, f"{where} holds records that its header does not count")
    if damaged:
        yield Note(NoteKind.CHUNK, f"the header of {where} is damaged")
    if not chunk.intact(end_of(spans)):
        yield Note(NoteKind.CHUNK, f"the checksum of {where} does not match")
        damaged = True
    if damaged or any(isinstance(span, Gap) for span in spans):
        yield Chunks(damaged=1)


def _gap_loss(chunk: Chunk, spans: Sequence[Span | Gap], place: int) -> Loss:
    """The records that a gap holds, between the times of the records around it."""
    gap = spans[place]
    assert isinstance(gap, Gap)
    before = spans[place - 1] if place else None
    behind = spans[place + 1] if place + 1 < len(spans) else None
    reason = LossReason.TRUNCATED if gap.cut_off else LossReason.UNREADABLE
    detail = "the file ends here" if gap.cut_off else "no record header can be read here"
    return Loss(
        reason,
        detail,
        offset=chunk.offset + gap.start,
        records=gap.records,
        after=before.ticks if isinstance(before, Span) else None,
        before=behind.ticks if isinstance(behind, Span) else None,
    )


def _coverages(*records: list[Any]) -> Iterator[Coverage]:
    """The times of records, of which these are the System fields."""
    for fields in records:
        ticks = fields[_TIME]
        if ticks is not None:
            yield Coverage(fields[_COMPUTER], fields[_CHANNEL], ticks, ticks)
