"""Records of a shape that is known are taken apart in one go.

How it works. A *shape* is made of a record that was decoded step by step. It belongs to the layout of the
outer values, and so to the template and to the sizes and types of these. One `struct.Struct` takes a record
of its size apart: the offsets of its two templates, what changes between records that are alike, the
payload's content, and all bytes between these (`kept`).

Why that is exact. All bytes that decide on how a record is decoded are kept (its head, the sizes and types of
its values, tokens, the end mark), or they are offsets, which are looked up as templates. A record with the
layout and the kept bytes of one that was decoded has the same System fields; the template of its payload, if
the key is that of the template, and the content decide the rest. Bytes behind the end mark have no meaning.
"""

from __future__ import annotations

import struct
from operator import itemgetter

from hvdegraded.formats.evtx.binxml.layout import SystemLayout
from hvdegraded.formats.evtx.binxml.split import Heading, Shape, split_of
from hvdegraded.formats.evtx.format import FRAGMENT_TOKEN, INSTANCE_HEAD, INSTANCE_TOKEN, RECORD_HEADER
from hvdegraded.formats.evtx.record_headers import Span

__all__ = ["SHAPE_HEAD", "learn"]

_INNER = struct.Struct("<BBII")
SHAPE_HEAD = INSTANCE_HEAD.size - 4
"""Bytes of a record's content before the offset of its template."""


def learn(data: bytes, span: Span, heading: Heading, layout: SystemLayout, here: int) -> int:
    """Remember the shape of a record that was decoded, and its System fields; return how much is new.

    Its outer values start at `here`.
    """
    start, size = span.start + RECORD_HEADER, span.end - span.start
    content = _content_place(data, start, here, layout)
    if content is None:
        return 0
    shape = layout.shapes.get(size)
    new = 0
    if shape is None:
        shape = layout.shapes[size] = _shape_of(start, here, layout, content)
        new += 1
    if shape.content == content:
        kept = shape.kept(shape.unpack(data, start))
        new += kept not in shape.headings
        shape.headings[kept] = heading
    return new


def _content_place(data: bytes, start: int, here: int, layout: SystemLayout) -> int | None:
    """Where the payload's content stands in the record whose content starts at `start`, its values at `here`.

    Counted from `start`. None where the payload is not an instance of a template, and of a record that spells
    out one of its templates, whose shape is its own.
    """
    head = INSTANCE_HEAD.unpack_from(data, start)
    place = here + layout.start
    if layout.end - layout.start < INSTANCE_HEAD.size or head[-1] == start + INSTANCE_HEAD.size:
        return None
    place += 4 if data[place] == FRAGMENT_TOKEN else 0
    token, _, _, offset = _INNER.unpack_from(data, place)
    place += _INNER.size
    return None if token != INSTANCE_TOKEN or offset == place else place - start


def _shape_of(start: int, here: int, layout: SystemLayout, content: int) -> Shape:
    """The shape of such a record, of which `_content_place` gives the content."""
    assert layout.payload is not None
    before, behind = layout.pieces[: layout.payload], layout.pieces[layout.payload + 1 :]
    values = here - start - INSTANCE_HEAD.size  # bytes that list them
    head = start + content - here - layout.start - 8
    size = here + layout.end - start - content
    split = split_of(SHAPE_HEAD, "I", values, *before, head, "I", "I", f"{size}s", *behind, 1)  # the end mark
    _, *taken = split.taken
    rank = sum(isinstance(piece, str) for piece in before)
    key, inner, payload = taken[rank : rank + 3]
    del taken[rank : rank + 3]
    changing = [split.total + at if one is None else taken[one] for at, one in enumerate(layout.ranks)]
    return Shape(
        split.unpack,
        key,
        inner,
        payload,
        itemgetter(*split.kept),
        itemgetter(*changing),
        layout.absent,
        layout.guids,
        {},
        content,
    )
