"""Steps read one after another, in a worker or in the process that started it: messages of results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from hvdegraded.errors import HvdegradedError
from hvdegraded.formats.evtx.decoder import EvtxDecoder
from hvdegraded.reading.delivery import delivered_in_order, delivered_in_runs
from hvdegraded.reading.inputs import describe_file, display_path
from hvdegraded.reading.jobs import InputReader, Mapper, ReadJob
from hvdegraded.reading.shares import Message, PathStep
from hvdegraded.reading.steps import step_items
from hvdegraded.records.items import Item
from hvdegraded.records.record import EventRecord, Origin
from hvdegraded.records.recurrence import Recurrence, Recurrences
from hvdegraded.records.report import ReadReport

__all__ = ["StepReader", "packed", "unpacked"]

_BATCH = 4096  # records of a message
_new_tuple: Any = tuple.__new__


class StepReader:
    """Reads steps; what it learns of templates serves for later ones.

    Raises SourceError where the engine cannot be used.
    """

    def __init__(self, job: ReadJob) -> None:
        self._job = job
        self._inputs = InputReader(job)
        self._decoder = EvtxDecoder()

    def messages(self, steps: Sequence[PathStep]) -> Iterator[Message]:
        """Read steps; for each of them come messages up to one that is its last.

        With a mapper, the first one has its results for all steps; without, results are records, of which
        those that recur are not put together yet.
        """
        if self._job.mapper is not None:
            return self._mapped(steps, self._job.mapper)
        return (message for one in steps for message in self._batches(one))

    def _mapped(self, steps: Sequence[PathStep], mapper: Mapper) -> Iterator[Message]:
        accounts: list[Message] = []

        def records() -> Iterator[EventRecord | Recurrences]:
            for one in steps:
                report, error = ReadReport(path=display_path(one.path)), None
                try:
                    yield from delivered_in_runs(self._items(one, report), report, *self._filters)
                except (HvdegradedError, OSError) as problem:
                    error = problem
                accounts.append(Message([], report, error))

        results = list(mapper(records()))
        for message in accounts:
            yield message._replace(results=results)
            results = []

    def _batches(self, one: PathStep) -> Iterator[Message]:
        report, error = ReadReport(path=display_path(one.path)), None
        results: list[Any] = []
        try:
            for record in delivered_in_order(self._items(one, report), report, *self._filters):
                results.append(record)
                if len(results) == _BATCH:
                    yield Message(results, report.take(), last=False)
                    results = []
        except (HvdegradedError, OSError) as problem:
            error = problem
        yield Message(results, report.take(), error)

    @property
    def _filters(self) -> tuple[Any, Any]:
        return self._job.wanted, self._job.options.timezone

    def _items(self, one: PathStep, report: ReadReport) -> Iterator[Item]:
        path, step = one
        name = display_path(path)
        with path.open("rb") as stream:
            describe_file(path, stream, report)
            if step.chunks is None and step.here is None:
                yield from self._inputs.items(stream, name)
            else:
                yield from step_items(stream, name, step, self._job.wanted, self._decoder)


def packed(records: Iterable[EventRecord | Recurrence]) -> list[tuple[Any, ...]]:
    """Turn records into plain tuples, which are pickled in a fourth of the time.

    What recurrences are like is one object for all of a message, and so pickled once.
    """
    likes: dict[int, tuple[Any, ...]] = {}
    rows: list[tuple[Any, ...]] = []
    for record in records:
        if isinstance(record, Recurrence):
            like, changing, *place = record
            plain = likes.get(id(like))
            if plain is None:
                plain = likes[id(like)] = tuple(like)
            rows.append((plain, changing, *place))
        else:
            rows.append((*record[:-1], tuple(record[-1])))
    return rows


def unpacked(rows: Iterable[tuple[Any, ...]]) -> list[EventRecord | Recurrence]:
    """Turn plain tuples into the records again."""
    return [
        _new_tuple(Recurrence, row)
        if len(row) == len(Recurrence._fields)
        else _new_tuple(EventRecord, (*row[:-1], _new_tuple(Origin, row[-1])))
        for row in rows
    ]
