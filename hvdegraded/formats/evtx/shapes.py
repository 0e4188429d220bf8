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
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import repeat
from operator import getitem, itemgetter, sub
from typing import Any, NamedTuple

from hvdegraded.formats.evtx.binxml.layout import SystemLayout
from hvdegraded.formats.evtx.binxml.split import Shape, split_of
from hvdegraded.formats.evtx.format import FRAGMENT_TOKEN, INSTANCE_HEAD, RECORD_HEADER
from hvdegraded.formats.evtx.record_headers import Gap, Span

__all__ = ["MOST_COMPARED", "VALUES_LISTED", "AlikeRecords", "alike", "shape_of"]

MOST_COMPARED = 20
"""Values of a record that is compared: Windows writes as many."""
VALUES_LISTED = INSTANCE_HEAD.size + 4
"""Where in a record's content the list of its values begins, behind their count."""
_COMPARED_FIRST = RECORD_HEADER + VALUES_LISTED + 4 * MOST_COMPARED
_INNER_OFFSET = struct.Struct("<6xI")


class AlikeRecords(NamedTuple):
    """Records of a chunk that are alike: the first of them, where each starts, and columns of what changes.

    `guids` are the places of columns that contain bytes.
    """

    first: Span
    starts: Sequence[int]
    columns: list[tuple[Any, ...]]
    guids: tuple[int, ...]


def alike(
    data: bytes, spans: Sequence[Span | Gap], shape_at: Callable[[Span], Shape | None]
) -> Iterator[AlikeRecords]:
    """Find records of a chunk that are alike.

    Records that are like no other, and those that do not stand in good order, are left out.
    """
    sound: list[Any] = [span for span in spans if span[-1] is None]
    if not sound:
        return
    starts, ends, *_ = zip(*sound, strict=True)
    heads = map(slice, map(RECORD_HEADER.__add__, starts), map(_COMPARED_FIRST.__add__, starts))
    keys = zip(map(sub, ends, starts), map(getitem, repeat(data), heads), strict=False)
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        groups[key].append(place)
    for places in groups.values():
        shape = shape_at(sound[places[0]]) if len(places) > 1 else None
        if shape is not None:
            pick = itemgetter(*places)
            yield from _sorted(data, pick(sound), pick(starts), shape)


def _sorted(
    data: bytes, spans: Sequence[Span], starts: Sequence[int], shape: Shape
) -> Iterator[AlikeRecords]:
    """Sort records of a shape by the columns that must be equal."""
    columns = list(zip(*map(shape.unpack, repeat(data), starts), strict=True))
    count = len(starts)
    different = [column for column in map(columns.__getitem__, shape.kept) if column.count(column[0]) < count]
    changing = [
        (value,) * count if at is None else columns[at]
        for at, value in zip(shape.changing, shape.absent, strict=True)
    ]
    if not different:
        if not _may_spell_payload(data, starts[0], shape):
            yield AlikeRecords(spans[0], starts, changing, shape.guids)
        return
    found: defaultdict[Any, list[int]] = defaultdict(list)
    for at, content in enumerate(different[0] if len(different) == 1 else zip(*different, strict=True)):
        found[content].append(at)
    for places in found.values():
        if len(places) > 1 and not _may_spell_payload(data, starts[places[0]], shape):
            pick = itemgetter(*places)
            yield AlikeRecords(spans[places[0]], pick(starts), list(map(pick, changing)), shape.guids)


def shape_of(layout: SystemLayout, count: int, size: int) -> tuple[Shape, int]:
    """Return the shape of records of this layout of so many values, and of this size; and how much is new."""
    shape = layout.shapes.get(size)
    if shape is not None:
        return shape, 0
    before = VALUES_LISTED + 4 * count
    pieces = list(layout.pieces)
    if layout.payload is not None:
        pieces[layout.payload] = layout.end - layout.start
    split = split_of(f"{RECORD_HEADER}x", before, *pieces, 1)  # the end mark
    places = tuple([None if rank is None else split.taken[rank] for rank in layout.ranks])
    payload = None if layout.start == layout.end else RECORD_HEADER + before + layout.start
    shape = layout.shapes[size] = Shape(
        split.unpack, split.kept, places, layout.absent, layout.guids, payload
    )
    return shape, 1


def _may_spell_payload(data: bytes, start: int, shape: Shape) -> bool:
    """Whether the template of the payload may be spelled out in this record, or in an equal one behind."""
    if shape.payload is None:
        return False
    place = start + shape.payload
    place += 4 if data[place] == FRAGMENT_TOKEN else 0
    return place + _INNER_OFFSET.size > len(data) or _INNER_OFFSET.unpack_from(data, place)[0] >= start
