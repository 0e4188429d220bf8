"""Records put aside until the last one is seen: in memory where they are few, else in a temporary file."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

from hvdegraded.records.record import EventRecord

__all__ = ["IN_MEMORY", "RecordSpool"]

IN_MEMORY = 8 << 20  # bytes


class RecordSpool:
    """Takes records, then gives them back in their order, as often as asked; `with` removes its file."""

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        from tempfile import SpooledTemporaryFile

        self._file = SpooledTemporaryFile(in_memory)  # noqa: SIM115

    def __enter__(self) -> RecordSpool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, record: EventRecord) -> None:
        """Put a record aside."""
        pickle.dump(record, self._file, pickle.HIGHEST_PROTOCOL)

    def __iter__(self) -> Iterator[EventRecord]:
        self._file.seek(0)
        while True:
            try:
                yield pickle.load(self._file)  # noqa: S301  # nobody else can write that file
            except EOFError:
                return
