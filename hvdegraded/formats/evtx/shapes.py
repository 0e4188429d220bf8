"""Records of a chunk that are equal but for their time and numbers are found together, and decoded once.

How it works. Records of one size whose content begins with the same bytes have the same layout of outer
values. So one `struct.Struct` takes all of them apart, into columns: what changes between records that are
alike, and all bytes between. Where these bytes are equal, the records are alike, and one shows what all are.

Why that is exact. Templates are those of the chunk, by their offsets, and all bytes but those of what changes
are compared: that decides how a record is decoded. Only a template that a record spells out in itself
depends on where the record stands: a shape has none of that. Bytes behind the end mark have no meaning.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import repeat
from operator import getitem, itemgetter, sub
from typing import Any, NamedTuple

from hvdegraded.formats.evtx.binxml.compiler import Made, PlannedTemplate
from hvdegraded.formats.evtx.binxml.layout import SystemLayout
from hvdegraded.formats.evtx.binxml.parser import ChunkXml
from hvdegraded.formats.evtx.binxml.split import Shape, split_of
from hvdegraded.formats.evtx.binxml.templates import BinXmlError
from hvdegraded.formats.evtx.binxml.values import BadTextError
from hvdegraded.formats.evtx.format import FRAGMENT_TOKEN, INSTANCE_HEAD, RECORD_HEADER
from hvdegraded.formats.evtx.record_headers import Gap, Span

__all__ = ["AlikeRecords", "alike", "may_spell_payload", "payload_template", "shape_of"]

_MOST_COMPARED = 20
"""Values of a record that is compared: Windows writes as many."""
_VALUES_LISTED = INSTANCE_HEAD.size + 4
"""Where in a record's content the list of its values begins, behind their count."""
_COMPARED_FIRST = RECORD_HEADER + _VALUES_LISTED + 4 * _MOST_COMPARED
_OFFSET_AND_COUNT = struct.Struct("<II").unpack_from
_INNER_OFFSET = struct.Struct("<6xI")


class AlikeRecords(NamedTuple):
    """Records of a chunk that are alike: the first of them, where each starts, and columns of what changes.

    `content` are all other bytes, of which the templates at these offsets decide what they are.
    """

    first: Span
    starts: Sequence[int]
    columns: list[tuple[Any, ...]]
    shape: Shape
    content: tuple[bytes, ...]


def alike(
    data: bytes, spans: Sequence[Span | Gap], shape_at: Callable[[Span], Shape | None]
) -> Iterator[AlikeRecords]:
    """Find records of a chunk that are alike, be it one; all that stand in good order, and have a shape."""
    sound: list[Any] = [span for span in spans if span[-1] is None]
    if not sound:
        return
    starts, ends, *_ = zip(*sound, strict=True)
    heads = map(slice, map(RECORD_HEADER.__add__, starts), map(_COMPARED_FIRST.__add__, starts))
    keys = zip(map(sub, ends, starts), map(getitem, repeat(data), heads), strict=False)
    for places in _places(keys):
        shape = shape_at(sound[places[0]])
        if shape is not None:
            yield from _sorted(data, [sound[place] for place in places], shape)


def _sorted(data: bytes, spans: Sequence[Span], shape: Shape) -> Iterator[AlikeRecords]:
    """Sort records of a shape by the bytes that must be equal."""
    starts = [span[0] for span in spans]
    count = len(starts)
    columns = list(zip(*map(shape.unpack, repeat(data), starts), strict=True))
    kept = [columns[at] for at in shape.kept]
    changing = [
        (value,) * count if at is None else columns[at]
        for at, value in zip(shape.changing, shape.absent, strict=True)
    ]
    contents = list(zip(*kept, strict=True))
    different = [column for column in kept if column.count(column[0]) < count]
    if not different:
        yield AlikeRecords(spans[0], starts, changing, shape, contents[0])
        return
    rows = list(zip(*changing, strict=True))
    for places in _places(different[0] if len(different) == 1 else zip(*different, strict=True)):
        first = places[0]
        if len(places) == 1:
            yield AlikeRecords(spans[first], (starts[first],), list(zip(rows[first])), shape, contents[first])
        else:
            pick = itemgetter(*places)
            yield AlikeRecords(spans[first], pick(starts), list(map(pick, changing)), shape, contents[first])


def _places(keys: Iterable[Hashable]) -> Iterable[list[int]]:
    """The places of equal ones."""
    found: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        found[key].append(place)
    return found.values()


def shape_of(xml: ChunkXml[PlannedTemplate], span: Span, made: Made) -> Shape | None:
    """Return the shape of records like this one; None if they are to be decoded one by one."""
    data, start = xml.data, span.start
    values = start + RECORD_HEADER + _VALUES_LISTED
    offset, count = _OFFSET_AND_COUNT(data, values - 8)
    here = values + 4 * count
    # A template that is spelled out in the record itself leaves its values elsewhere.
    if offset >= start or count > _MOST_COMPARED or here > span.end:
        return None
    try:
        template, _ = xml.templates.get(offset) or xml.template(offset)
        layout = template.system[data[values:here]]
    except (BinXmlError, struct.error, UnicodeDecodeError, BadTextError):
        return None
    if layout is None or not 0 < span.end - 4 - here - layout.size <= 8:
        return None
    size = span.end - start
    shape = layout.shapes.get(size)
    if shape is None:
        shape = layout.shapes[size] = _new_shape(layout, count)
        made.count += 1
    return shape


def _new_shape(layout: SystemLayout, count: int) -> Shape:
    before = _VALUES_LISTED + 4 * count
    pieces = list(layout.pieces)
    if layout.payload is not None:
        pieces[layout.payload] = layout.end - layout.start
    split = split_of(f"{RECORD_HEADER}x", before, *pieces, 1)  # the end mark
    places = tuple([None if rank is None else split.taken[rank] for rank in layout.ranks])
    payload = None if layout.start == layout.end else RECORD_HEADER + before + layout.start
    return Shape(split, places, layout.absent, layout.guids, payload)


def may_spell_payload(data: bytes, found: AlikeRecords) -> bool:
    """Whether one of these records may spell out the template of its payload, or an equal one behind them."""
    offset = payload_template(data, found.first.start, found.shape)
    return offset is not None and offset >= found.first.start


def payload_template(data: bytes, start: int, shape: Shape) -> int | None:
    """Where the template of the payload of a record stands, which starts there; None for one without."""
    if shape.payload is None:
        return None
    place = start + shape.payload
    place += 4 if data[place] == FRAGMENT_TOKEN else 0
    if place + _INNER_OFFSET.size > len(data):
        return len(data)
    offset: int = _INNER_OFFSET.unpack_from(data, place)[0]
    return offset
