"""What binary XML is parsed to: templates with slots, and instances that fill them."""

from __future__ import annotations

import re
from typing import NamedTuple

from hvdegraded.records.items import LossReason

__all__ = [
    "AgreedKeys",
    "BinXmlError",
    "Element",
    "Instance",
    "Part",
    "Slot",
    "Template",
    "Value",
    "is_mended",
    "malformed",
    "over_limit",
]

_MOST_FLIPPED = 2  # bits of a template's key
_MOST_AGREED = 64  # templates of a chunk for whose key its instances are looked at


class BinXmlError(Exception):
    """Binary XML that gives no record: why."""

    def __init__(self, reason: LossReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Slot(NamedTuple):
    """A place that a value fills."""

    place: int
    kind: int
    optional: bool


class Element(NamedTuple):
    """An element of a template; left out where all its content is an optional slot without value."""

    name: str
    attributes: tuple[tuple[str, tuple[Part, ...]], ...]
    content: tuple[Part, ...]


class Template:
    """A parsed template; `key` is the first word of its GUID, which instances repeat."""

    __slots__ = ("content", "key")

    def __init__(self, key: int, content: tuple[Part, ...]) -> None:
        self.key = key
        self.content = content


class Value(NamedTuple):
    """A value of an instance: its type and where its bytes stand."""

    kind: int
    start: int
    end: int


class AgreedKeys(dict[int, int | None]):
    """For an offset, the key that all instances up to `end` name whose template is there; None if several."""

    def __init__(self, data: bytes, end: int) -> None:
        super().__init__()
        self._data = data
        self._end = end

    def __missing__(self, offset: int) -> int | None:
        if len(self) >= _MOST_AGREED:
            return None
        place = re.escape(offset.to_bytes(4, "little"))
        found = re.compile(rb"\x0c\x01(.{4})" + place, re.DOTALL).findall
        keys = set(found(self._data, 0, self._end))
        self[offset] = int.from_bytes(keys.pop(), "little") if len(keys) == 1 else None
        return self[offset]


class Instance(NamedTuple):
    """A template with values; `end` is where the values end."""

    template: Template
    values: tuple[Value, ...]
    end: int


Part = str | Slot | Element | Instance
"""What an element's content is made of."""


def malformed(detail: str) -> BinXmlError:
    """The error of bytes that are not as the format has them."""
    return BinXmlError(LossReason.MALFORMED, detail)


def over_limit(detail: str) -> BinXmlError:
    """The error of what takes more than any event does."""
    return BinXmlError(LossReason.OVER_LIMIT, detail)


def is_mended(key: int, named: int) -> bool:
    """Whether the key of a template differs from the one that an instance names by a flipped bit or two."""
    return (key ^ named).bit_count() <= _MOST_FLIPPED
