"""Chunks to records."""

from __future__ import annotations

import struct
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from hvdegraded.bounded import BoundedCache
from hvdegraded.formats.evtx.binxml.compiler import Made, PlannedTemplate
from hvdegraded.formats.evtx.binxml.layout import (
    GUID_TEXTS,
    PayloadLayout,
    SystemLayout,
    fields_of,
    system_texts,
)
from hvdegraded.formats.evtx.binxml.parser import ChunkXml, TemplateCache
from hvdegraded.formats.evtx.binxml.split import Heading
from hvdegraded.formats.evtx.binxml.templates import BinXmlError, malformed
from hvdegraded.formats.evtx.binxml.tree import expand
from hvdegraded.formats.evtx.binxml.values import BadTextError
from hvdegraded.formats.evtx.chunk_state import Unwanted, UnwantedRecords, gap_loss, state_of
from hvdegraded.formats.evtx.chunks import Chunk
from hvdegraded.formats.evtx.format import (
    FRAGMENT_HEADER,
    FRAGMENT_TOKEN,
    INSTANCE_TOKEN,
    RECORD_HEADER,
)
from hvdegraded.formats.evtx.known_contents import KnownContents
from hvdegraded.formats.evtx.prefilter import ChunkPrefilter
from hvdegraded.formats.evtx.record_headers import Gap, RecordPlace, Span, records_inside
from hvdegraded.formats.evtx.shapes import AlikeRecords, alike, may_spell_payload, shape_of
from hvdegraded.formats.evtx.walk import end_of, walk
from hvdegraded.formats.xml.element import UnreadableEventError, record_from_element
from hvdegraded.records.items import Item, Loss, Note, NoteKind
from hvdegraded.records.record import Anomaly, Caveat, EventRecord, Origin
from hvdegraded.records.recurrence import CHANGING, Changing, InPieces, Recurrences, whole

__all__ = ["EvtxDecoder"]

_INSTANCE = struct.Struct("<IBBIII").unpack_from  # fragment header, token, version, template, values
_INNER = struct.Struct("<BBII").unpack_from
_COUNT = struct.Struct("<I").unpack_from
_MAX_LAYOUTS = 32768  # of all templates; then all are learnt anew
_PAYLOAD_BEGINS = (FRAGMENT_TOKEN, INSTANCE_TOKEN)
_MAX_HIDDEN = 1024  # places in a record where another may begin
_new_tuple: Any = tuple.__new__
_Outer = tuple[Heading, tuple[Any, ...], SystemLayout, int]
"""The System fields of a record, those of them that change, its layout, and where its outer values start."""
_NOWHERE = Origin()
_MOST_ALIKE = 8192  # kinds of records that are remembered
_LONGEST_ALIKE = 4096  # bytes of such a record


class _Work(NamedTuple):
    """A chunk that is decoded."""

    chunk: Chunk
    xml: ChunkXml[PlannedTemplate]
    path: str | None
    wanted: ChunkPrefilter | None
    anomalies: tuple[str, ...]
    """Of all its records."""


class EvtxDecoder:
    """Decodes chunks; remembers templates and layouts from chunk to chunk and from file to file.

    Records of usual form are decoded `fast`, unless that is switched off, with the same result.
    """

    def __init__(self, *, fast: bool = True) -> None:
        self._fast = fast
        self._made = Made()
        self.templates = TemplateCache(partial(PlannedTemplate, made=self._made))
        self._texts = system_texts()
        self._guids = self._texts[GUID_TEXTS]
        self._alike: BoundedCache[Hashable, EventRecord] = BoundedCache(_MOST_ALIKE)
        self._contents = KnownContents()

    def items(
        self,
        chunk: Chunk,
        path: str | None = None,
        wanted: ChunkPrefilter | None = None,
        spans: Sequence[Span | Gap] | None = None,
        *,
        proven: bool = False,
    ) -> Iterator[Item]:
        """Decode a chunk: its records, and what is lost in it or not wanted; `spans` are what lies in it.

        Usual records come many at a time, others, which can be large, one by one. `proven` says that the
        checksums were found right.
        """
        spans = list(walk(chunk)) if spans is None else spans
        damaged = not (proven or chunk.intact(end_of(spans)))
        yield from state_of(chunk, spans, damaged=damaged)
        anomalies = (*chunk.anomalies, Anomaly.BAD_CHECKSUM) if damaged else chunk.anomalies
        work = _Work(chunk, self._xml(chunk, damaged=damaged), path, wanted, anomalies)
        runs: list[Recurrences] = []
        unwanted = UnwantedRecords()
        others: Iterable[int] = range(len(spans))
        if self._fast and not anomalies:
            others = self._take_alike(work, spans, runs, unwanted)
        pieces, single = InPieces(runs), list[Recurrences]()
        for place in others:
            span = spans[place]
            found = gap_loss(chunk, spans, place) if isinstance(span, Gap) else self._decoded(work, span)
            if isinstance(found, Recurrences):
                single.append(found)
                continue
            if isinstance(found, Unwanted):
                unwanted.add(1, found)
                continue
            yield [*pieces.before(span.start), *single]
            single = []
            yield found
            if isinstance(found, EventRecord) and Anomaly.BYTES_LEFT in found.origin.anomalies:
                assert isinstance(span, Span)
                yield from self._hidden_in(work, span, spans)
        yield [*pieces.rest(), *single]
        yield from unwanted.items()

    def _take_alike(
        self,
        work: _Work,
        spans: Sequence[Span | Gap],
        runs: list[Recurrences],
        unwanted: UnwantedRecords,
    ) -> list[int]:
        """Take the records that are alike of a chunk without anomalies; return the places of all others."""
        chunk, wanted, taken = work.chunk, work.wanted, set[int]()
        for one in alike(chunk.data, spans, partial(shape_of, work.xml, made=self._made)):
            _, starts, columns, shape, _ = one
            try:
                like = self._contents.find(work.xml, one)
                if like is not None and not (wanted is None or wanted.matches(like.provider or like.channel)):
                    like = None
                found = self._first_of(work, one) if like is None else None
            except BinXmlError:
                continue
            if isinstance(found, Recurrences):
                like = found.like
            if like is not None:
                for place in shape.guids:
                    columns[place] = tuple(map(self._guids.__getitem__, columns[place]))
                changing = Changing._make(columns)
                runs.append(Recurrences(like, changing, starts, work.path, chunk.offset, chunk.number))
            elif isinstance(found, Unwanted):
                last = Unwanted(starts[-1], found.heading, columns[0][-1])
                unwanted.add(len(starts), found, last)
            else:  # each is to be decoded whole
                continue
            taken.update(starts)
        if len(taken) == len(spans):
            return []
        # A gap has the start of the record behind it.
        return [at for at, span in enumerate(spans) if span[-1] is not None or span.start not in taken]

    def _first_of(self, work: _Work, found: AlikeRecords) -> Recurrences | Unwanted | None:
        """The first of such records, if it shows what all are. Raises BinXmlError."""
        if may_spell_payload(work.xml.data, found):
            return None
        first, *_ = self._taken_fast(work, found.first)
        if isinstance(first, Recurrences):
            self._contents.remember(work.xml, found, first.like)
        return first

    def _decoded(self, work: _Work, span: Span) -> Item | Recurrences | Unwanted:
        """A record of a chunk."""
        chunk, xml, path, _, anomalies = work
        start, end, number, ticks, odd_place = span
        offset = chunk.offset + start
        try:
            found, outer, like = self._taken_fast(work, span)
            if found is not None:
                return found
            marks = anomalies if odd_place is None else (*anomalies, odd_place.value)
            origin = Origin("evtx", path, offset, None, chunk.number, False, marks)
            return self._record(xml, start + RECORD_HEADER, end - 4, origin, outer, like)
        except (BinXmlError, UnreadableEventError) as error:
            return Loss(error.reason, error.detail, path, offset, None, number, 1, ticks, ticks)

    def _taken_fast(
        self, work: _Work, span: Span
    ) -> tuple[Recurrences | Unwanted | None, _Outer | None, EventRecord | None]:
        """A record of usual form, or that is not wanted; of any other, what is known of it.

        Raises BinXmlError.
        """
        chunk, xml, path, wanted, anomalies = work
        start, stop = span.start, span.end - 4
        outer = self._outer(xml, start + RECORD_HEADER, stop)
        if outer is None:
            return None, None, None
        heading, changing, *_ = outer
        is_usual = self._fast and not anomalies and span.place is None and not heading.clears_log
        is_usual = is_usual and stop - start - RECORD_HEADER <= _LONGEST_ALIKE
        if wanted is not None and not heading.clears_log and not wanted.matches(heading.provider):
            if not wanted.matters(heading.provider, heading.guid):
                return Unwanted(start, heading, changing[0]), outer, None
            is_usual = False  # the whole record shows whether its provider is known
        like = self._like(xml, outer, stop) if self._fast else None
        if like is None or not is_usual:
            return None, outer, like
        changing = Changing._make(zip(changing))
        return Recurrences(like, changing, (start,), path, chunk.offset, chunk.number), outer, like

    def _hidden_in(self, work: _Work, outer: Span, listed: Sequence[Span | Gap]) -> Iterator[Item]:
        """Records in a record whose size reaches beyond its own values, but for those that are listed."""
        chunk, xml, path, *_ = work
        known = {span.start for span in listed}
        count = 0
        for span in islice(records_inside(chunk.data, outer), _MAX_HIDDEN):
            origin = Origin("evtx", path, chunk.offset + span.start, None, chunk.number)
            try:
                record = self._decode_general(xml, span.start + RECORD_HEADER, span.end - 4, origin)
            except (BinXmlError, UnreadableEventError):
                continue
            if span.start not in known and record.provider and record.record_id == span.number:
                count += 1
                marks = (*record.origin.anomalies, RecordPlace.INSIDE.value)
                yield record._replace(origin=record.origin._replace(anomalies=marks))
        if count:
            yield Note(
                NoteKind.CHUNK, f"record {outer.number} reaches over {count} more, which its size hides"
            )

    def remnant(self, chunk: Chunk, span: Span, path: str | None) -> EventRecord | None:
        """Decode a record that is not a live one of its chunk; None where that is not possible."""
        origin = Origin("evtx", path, chunk.offset + span.start, None, chunk.number, True, (Anomaly.REMNANT,))
        return self.record(chunk, span, origin)

    def record(self, chunk: Chunk, span: Span, origin: Origin) -> EventRecord | None:
        """Decode one record of a chunk; None where that is not possible."""
        xml = ChunkXml(chunk.data, self.templates, chunk.limit)
        start, end = span.start + RECORD_HEADER, span.end - 4
        try:
            outer = self._outer(xml, start, end)
            like = None if outer is None else self._like(xml, outer, end)
            return self._record(xml, start, end, origin, outer, like)
        except (BinXmlError, UnreadableEventError):
            return None

    def _record(
        self,
        xml: ChunkXml[PlannedTemplate],
        start: int,
        end: int,
        origin: Origin,
        outer: _Outer | None,
        like: EventRecord | None,
    ) -> EventRecord:
        """The record in data[start:end], of which this was found fast. Raises as `_decode_general` does."""
        if outer is None or like is None:
            return self._decode_general(xml, start, end, origin)
        return whole(like, outer[1], origin)

    def _xml(self, chunk: Chunk, *, damaged: bool) -> ChunkXml[PlannedTemplate]:
        if self._made.count > _MAX_LAYOUTS:
            self.templates.clear()
            self._alike.clear()
            self._contents.clear()
            self._made.count = 0
        return ChunkXml(chunk.data, self.templates, chunk.limit, damaged=damaged)

    def _outer(self, xml: ChunkXml[PlannedTemplate], start: int, end: int) -> _Outer | None:
        """What is outside the payload of the usual record in data[start:end]; None of one of another form."""
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
            # The end mark follows the values, and fills the record up to a multiple of eight bytes.
            if layout is None or not 0 < end - here - layout.size <= 8 or data[here + layout.size]:
                return None
            if layout.start != layout.end and data[here + layout.start] not in _PAYLOAD_BEGINS:
                return None
            values = layout.split(data, here) + layout.absent
            kept = layout.kept(values)
            heading = layout.headings.get(kept)
            if heading is None:
                heading = self._heading(layout, data, here)
                if end - start <= _LONGEST_ALIKE:
                    layout.headings[kept] = heading
                    self._made.count += 1
            changing = layout.changing(values)
            if layout.guids:
                changing = self._with_guids(layout.guids, changing)
        except (struct.error, UnicodeDecodeError, BadTextError):
            return None
        return heading, changing, layout, here

    def _heading(self, layout: SystemLayout, data: bytes, here: int) -> Heading:
        """The System fields, without those that change, of a record whose outer values start here."""
        fields = list(layout.pick(layout.unpack(data, here) + layout.constants))
        for place, table in layout.texts:
            fields[place] = self._texts[table][fields[place]]
        for place in CHANGING:
            fields[place] = None
        return Heading(tuple(fields))

    def _with_guids(self, places: Iterable[int], changing: tuple[Any, ...]) -> tuple[Any, ...]:
        texts = list(changing)
        for place in places:
            texts[place] = self._guids[texts[place]]
        return tuple(texts)

    def _like(self, xml: ChunkXml[PlannedTemplate], outer: _Outer, end: int) -> EventRecord | None:
        """What a record with these System fields that ends by `end` is like; None of a payload not usual."""
        data = xml.data
        heading, _, layout, here = outer
        is_short = end - here <= _LONGEST_ALIKE
        place, end = here + layout.start, here + layout.end
        if place == end:
            if not layout.event_data:
                return None
            like = self._alike.get(heading)
            if like is None:
                like = EventRecord._make((*heading.fields, "", None, (), (), (), _NOWHERE))
                if is_short:
                    self._alike[heading] = like
            return like
        try:
            if data[place] == FRAGMENT_TOKEN:
                place += 4
            token, _, key, offset = _INNER(data, place)
            if token != INSTANCE_TOKEN:
                return None
            template, here = xml.templates.get(offset) or xml.template(offset)
            if key != template.key:
                return None
            place = here if offset == place + 10 else place + 10
            # The same values of the same template are the same fields, and need no decoding.
            content = data[place:end]
            like = self._alike.get((heading, template, content))
            if like is None:
                like = self._new_like(heading, template, content, layout.event_data)
                if like is not None and is_short:
                    self._alike[heading, template, content] = like
        except (struct.error, UnicodeDecodeError, BadTextError):
            return None
        return like

    def _new_like(
        self, heading: Heading, template: PlannedTemplate, content: bytes, event_data: bool
    ) -> EventRecord | None:
        """A record with these System fields and this payload; None where that is not of a usual form."""
        (count,) = _COUNT(content)
        here = 4 + 4 * count
        if here > len(content):
            return None
        payload: PayloadLayout | None
        payload = (template.event_data if event_data else template.user_data)[content[4:here]]
        if payload is None:
            return None
        end = here + payload.size
        if end != len(content) - 1 or content[end]:  # which is the end mark
            return None
        values = fields_of(payload, payload.unpack(content, here))
        record: EventRecord = _new_tuple(
            EventRecord, (*heading.fields, payload.payload, payload.namespace, values, (), (), _NOWHERE)
        )
        return record

    def _decode_general(
        self, xml: ChunkXml[PlannedTemplate], start: int, end: int, origin: Origin
    ) -> EventRecord:
        """The record of any form in data[start:end]. Raises BinXmlError or UnreadableEventError."""
        xml.mended = xml.renamed = False
        element, anomalies = expand(xml, start, end)
        if xml.renamed:
            if anomalies:  # its values are not those of this template
                raise malformed("its template is another one than it names")
            anomalies = (Anomaly.OTHER_TEMPLATE,)
        origin = origin.with_anomalies(*anomalies)
        if xml.mended:
            origin = origin.with_caveats(Caveat.MENDED_TEMPLATE)
        # A Node reads as lxml's elements do.
        return record_from_element(element, origin, exact=True)  # type: ignore[arg-type]
