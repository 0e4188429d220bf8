"""Events of logs, one after another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Unpack

from hvdegraded.events import AnyEvent
from hvdegraded.events.normaliser import Normaliser
from hvdegraded.knowledge.tables import Knowledge
from hvdegraded.reading.inputs import Source
from hvdegraded.reading.reader import read_records
from hvdegraded.records.options import ReadKeywords
from hvdegraded.records.record import EventRecord
from hvdegraded.records.report import RecordStream, Stream

__all__ = [
    "EventStream",
    "read",
]


class EventStream(Stream[AnyEvent]):
    """Events of one reading, one after another.

    >>> import hvdegraded as hv
    >>> with hv.read("sample_logs/hv2012r2") as events:
    ...     first = next(events)
    >>> events.report.delivered
    1
    """

    def __init__(self, records: RecordStream, normalise: Callable[[EventRecord], AnyEvent]) -> None:
        super().__init__(map(normalise, records), records.report)
        self._records = records

    def close(self) -> None:
        """Stop reading and release the input."""
        self._records.close()


def read(
    source: Source | Iterable[str | os.PathLike[str]],
    *,
    knowledge: Knowledge | None = None,
    everything: bool = False,
    **keywords: Unpack[ReadKeywords],
) -> EventStream:
    """Read the Hyper-V events of a file, folder, pattern, bytes or stream: .evtx, event XML, JSON lines.

    The stream is read as it is gone through, once; its `report` counts what was read, filtered and lost.

    With `everything`, events of other providers come too, as UnrelatedEvent. The other keywords are the
    fields of ReadOptions, or `options`: with `carve`, events of chunks at any offset of any file come too;
    with `remnants`, also older ones behind the live ones of chunks, marked `origin.recovered`; `workers` is
    how many processes read; `progress` shows how far a long reading is.

    While it is gone through, an input that cannot be read raises SourceError; one among several is noted in
    the report. With `strict`, the first loss raises LossError. `engine` is as in `read_records`.

    >>> import hvdegraded as hv
    >>> for event in hv.read("sample_logs/hv2012r2/System.evtx"):
    ...     if event.vm_name == "appliance":
    ...         print(event.provider, event.event_id)
    storvsp 5
    """
    normaliser = Normaliser(knowledge)
    wanted = None if everything else normaliser.knowledge.provider_filter()
    return EventStream(read_records(source, wanted=wanted, **keywords), normaliser)
