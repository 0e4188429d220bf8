"""Chunks to records."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from hvdegraded.formats.evtx.binxml.compiler import Made, PlannedTemplate
from hvdegraded.formats.evtx.binxml.layout import PayloadLayout, fields_of, system_texts
from hvdegraded.formats.evtx.binxml.parser import ChunkXml, TemplateCache
from hvdegraded.formats.evtx.binxml.templates import BinXmlError
from hvdegraded.formats.evtx.binxml.tree import expand
from hvdegraded.formats.evtx.binxml.values import BadTextError
from hvdegraded.formats.evtx.chunks import (
    RECORD_HEADER,
    Chunk,
    Gap,
    Span,
    walk,
)
from hvdegraded.formats.evtx.format import FRAGMENT_HEADER, INSTANCE_TOKEN
from hvdegraded.formats.evtx.prefilter import ChunkPrefilter
from hvdegraded.formats.evtx.record_numbers import end_of
from hvdegraded.formats.xml.element import UnreadableEventError, record_from_element
from hvdegraded.records.record import EventRecord, Origin
from hvdegraded.records.report import LossReason, NoteKind, ReadReport

__all__ = [
    "EvtxDecoder",
]

_INSTANCE = struct.Struct("<IBBIII").unpack_from  # fragment header, token, version, template, values
_INNER = struct.Struct("<BBII").unpack_from
_COUNT = struct.Struct("<I").unpack_from
_MAX_LAYOUTS = 32768  # of all templates; then all are learnt anew
_UNWANTED = EventRecord()
_BAD_CHECKSUM = "the checksum of its chunk does not match"
_REMNANT = "it stood where its chunk has no live record"
_TWO_SIZES = "the sizes before and behind it differ"
_HALF_CHARACTERS = "halves of surrogate pairs in it stand as U+FFFD"
_new_tuple: Any = tuple.__new__


class EvtxDecoder:
    """Decodes chunks; remembers templates and layouts from chunk to chunk and from file to file.

    Records of usual form are decoded `fast`, unless that is switched off, with the same result.
    """

    def __init__(self, *, fast: bool = True) -> None:
        self._fast = fast
        self._made = Made()
        self._cache = TemplateCache(partial(PlannedTemplate, made=self._made))
        self._texts = system_texts()

    def records(
        self,
        chunk: Chunk,
        report: ReadReport,
        wanted: ChunkPrefilter | None = None,
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
                report.record_loss(reason, detail, offset=chunk.offset + span.start, count=span.records)
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
                record = self._decode_fast(xml, start + RECORD_HEADER, end - 4, origin, wanted)
                if record is None:
                    record = self._decode_general(xml, start + RECORD_HEADER, end - 4, origin)
            except (BinXmlError, UnreadableEventError) as error:
                report.record_loss(error.reason, error.detail, offset=chunk.offset + start, record_id=number)
                continue
            if record is _UNWANTED or (wanted is not None and not wanted.matches(record.provider)):
                report.filtered += 1
                continue
            report.delivered += 1
            if record.origin.anomalies:
                report.with_anomalies += 1
            yield record

    def remnant(self, chunk: Chunk, span: Span, path: str | None) -> EventRecord | None:
        """A record that is no live one of its chunk; None where it cannot be decoded."""
        xml = ChunkXml(chunk.data, self._cache)
        origin = Origin("evtx", path, chunk.offset + span.start, None, chunk.number, True, (_REMNANT,))
        try:
            record = self._decode_fast(xml, span.start + RECORD_HEADER, span.end - 4, origin, None)
            return record or self._decode_general(xml, span.start + RECORD_HEADER, span.end - 4, origin)
        except (BinXmlError, UnreadableEventError):
            return None

    def _decode_fast(
        self,
        xml: ChunkXml[PlannedTemplate],
        start: int,
        end: int,
        origin: Origin,
        wanted: ChunkPrefilter | None,
    ) -> EventRecord | None:
        """The record of usual form in data[start:end]; None where it has another."""
        if not self._fast:
            return None
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
        element, lenient = expand(xml, start, end)
        if lenient:
            origin = origin._replace(anomalies=(*origin.anomalies, _HALF_CHARACTERS))
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
