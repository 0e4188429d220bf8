"""What records of some bytes are like, remembered from chunk to chunk.

Why that is exact. A shape is one of a template, and the content is all of a record but what changes, so only
the template of its payload, which stands elsewhere in the chunk, can be another one. Records that may spell
it out themselves are neither remembered nor recognised.
"""

from __future__ import annotations

from typing import NamedTuple

from hvdegraded.bounded import BoundedCache
from hvdegraded.formats.evtx.binxml.compiler import PlannedTemplate
from hvdegraded.formats.evtx.binxml.parser import ChunkXml
from hvdegraded.formats.evtx.binxml.split import Shape
from hvdegraded.formats.evtx.shapes import AlikeRecords, payload_template
from hvdegraded.records.record import EventRecord

__all__ = ["KnownContents"]

_MOST_KNOWN = 4096


class _Known(NamedTuple):
    """A record, and where in its chunk the template of its payload is, if it has one."""

    like: EventRecord
    offset: int | None
    template: PlannedTemplate | None


class KnownContents:
    """Finds what records are like that were seen in an earlier chunk."""

    def __init__(self) -> None:
        self._known: BoundedCache[tuple[Shape, tuple[bytes, ...]], _Known] = BoundedCache(_MOST_KNOWN)

    def clear(self) -> None:
        """Forget all, as the templates are."""
        self._known.clear()

    def find(self, xml: ChunkXml[PlannedTemplate], found: AlikeRecords) -> EventRecord | None:
        """Return what these records of a chunk are like; None where that is not known."""
        known = self._known.get((found.shape, found.content))
        if known is None:
            return None
        like, offset, template = known
        if offset is None:
            return like
        here = xml.templates.get(offset)  # those that are not read yet count as others
        return like if offset < found.first.start and here is not None and here[0] is template else None

    def remember(self, xml: ChunkXml[PlannedTemplate], found: AlikeRecords, like: EventRecord) -> None:
        """Remember what these records are like. Raises BinXmlError where their payload has no template."""
        offset = payload_template(xml.data, found.first.start, found.shape)
        template = None if offset is None else xml.template(offset)[0]
        self._known[found.shape, found.content] = _Known(like, offset, template)
