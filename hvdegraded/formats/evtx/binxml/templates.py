"""What binary XML is parsed to: templates with slots, and instances that fill them."""

from __future__ import annotations

from typing import NamedTuple

from hvdegraded.records.items import LossReason

__all__ = [
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
