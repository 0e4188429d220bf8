"""Events put aside until the last one is seen: in memory where they are few, else in a temporary file."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from hvdegraded.events.base import Event
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.records.temporary import writing_temporarily

if TYPE_CHECKING:
    from tempfile import SpooledTemporaryFile

__all__ = ["IN_MEMORY", "EventSpool"]

IN_MEMORY = 8 << 20  # bytes
_TOGETHER = 64  # events: pickled together, they take less time and room, as they share much


class EventSpool:
    """Takes events, then gives them back in their order, as often as asked; `with` removes its file.

    Table rows, which events share, stay in memory.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._in_memory = in_memory
        self._facts: dict[int, EventFact] = {}
        self._pending: list[tuple[Event, int]] = []

    @cached_property
    def _file(self) -> SpooledTemporaryFile[bytes]:
        from tempfile import SpooledTemporaryFile

        return SpooledTemporaryFile(self._in_memory)

    def __enter__(self) -> EventSpool:
        return self

    def __exit__(self, *_: object) -> None:
        if "_file" in vars(self):
            self._file.close()

    def add(self, event: Event) -> None:
        """Put an event aside. Raises OutputError where there is no room."""
        fact = event.fact
        if fact is not None:
            self._facts[id(fact)] = fact
            event = event.model_copy(update={"fact": None})
        self._pending.append((event, id(fact)))
        if len(self._pending) >= _TOGETHER:
            self._write()

    def _write(self) -> None:
        with writing_temporarily():
            pickle.dump(self._pending, self._file, pickle.HIGHEST_PROTOCOL)
        self._pending = []

    def __iter__(self) -> Iterator[Event]:
        if self._pending:
            self._write()
        with writing_temporarily():
            self._file.seek(0)
        while True:
            try:
                waiting = pickle.load(self._file)  # noqa: S301  # a temporary file of this process
            except EOFError:
                return
            for event, row in waiting:
                fact = self._facts.get(row)
                yield event if fact is None else event.model_copy(update={"fact": fact})
