"""Bytes taken apart in one go: stretches that are kept, and values between them.

`shapes` says how records are, and why that is exact.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

from hvdegraded.records.cleared import clears_log
from hvdegraded.records.record import EventRecord

__all__ = ["Heading", "Shape", "Split", "split_of"]

_deciding = itemgetter(*map(EventRecord._fields.index, ("provider", "provider_guid", "event_id", "channel")))


class Split(NamedTuple):
    """How to take bytes apart: the places of those that are kept, and of the values between them.

    `total` is how many there are of both.
    """

    unpack: Callable[[bytes, int], tuple[Any, ...]]
    kept: tuple[int, ...]
    taken: tuple[int, ...]
    total: int


def split_of(*pieces: int | str) -> Split:
    """How to take apart what consists of so many bytes that are kept, and of values of these codes."""
    form, run = "<", 0
    kept: list[int] = []
    taken: list[int] = []
    for piece in pieces:
        if isinstance(piece, int):
            run += piece
            continue
        if run:
            kept.append(len(kept) + len(taken))
            form += f"{run}s"
            run = 0
        form += piece
        if not piece.endswith("x"):
            taken.append(len(kept) + len(taken))
    kept.append(len(kept) + len(taken))
    form += f"{run}s"
    return Split(struct.Struct(form).unpack_from, tuple(kept), tuple(taken), len(kept) + len(taken))


class Heading:
    """The System fields of records that are alike, which other objects are not equal to.

    By `provider`, or the channel where it is lost, and by `guid` they are wanted or not; `clears_log` says
    that they report a cleared log.
    """

    __slots__ = ("clears_log", "fields", "guid", "provider")

    def __init__(self, fields: tuple[Any, ...]) -> None:
        self.fields = fields
        provider, self.guid, event_id, channel = _deciding(fields)
        self.provider = provider or channel
        self.clears_log = clears_log(provider, event_id)


class Shape:
    """How to take records of one shape apart, which other objects are not equal to.

    `unpack` takes a chunk's bytes and where a record starts. In the tuple that it gives, `kept` are the
    places of all bytes but those that change, `changing` those of what changes: None for what is not in the
    bytes, and is in `absent`. Of what changes, `guids` are bytes. `payload` is where the payload stands in
    the record, None if nowhere.
    """

    __slots__ = ("absent", "changing", "guids", "kept", "payload", "unpack")

    def __init__(
        self,
        split: Split,
        changing: tuple[int | None, ...],
        absent: tuple[Any, ...],
        guids: tuple[int, ...],
        payload: int | None,
    ) -> None:
        self.unpack = split.unpack
        self.kept = split.kept
        self.changing = changing
        self.absent = absent
        self.guids = guids
        self.payload = payload
