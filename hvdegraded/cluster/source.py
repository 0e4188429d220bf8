"""Logs as a data source of Spark: `spark.read.format("hvdegraded").load("s3://…/*.evtx")`."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import Any

import pyarrow as pa
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.pandas.types import from_arrow_schema

from hvdegraded.cluster.parts import Stretch, divide, file_report, plan, read_stretch
from hvdegraded.errors import WrongValueError
from hvdegraded.events import Event
from hvdegraded.events.folded import age_of
from hvdegraded.findings.event_groups import EventGroup
from hvdegraded.findings.frames import to_arrow
from hvdegraded.reading.delivery import delivered
from hvdegraded.records.report import ReadReport
from hvdegraded.verdicts.classifier import Classifier

__all__ = ["ACCOUNTS", "EVENTS", "LogSource", "account"]

_TOGETHER = 2048  # rows of a batch
_AT_ONCE = 16  # large logs whose chunks are listed at a time
EVENTS = pa.schema(
    [(one.name, pa.string() if pa.types.is_dictionary(one.type) else one.type) for one in to_arrow(()).schema]
)
"""The published columns of events."""
ACCOUNTS = pa.schema(
    {"path": pa.string(), "reader": pa.string(), "size": pa.int64()}
    | dict.fromkeys(("seen", "delivered", "filtered", "lost", "with_anomalies", "with_caveats"), pa.int64())
    | {"complete": pa.bool_(), "remarks": pa.list_(pa.string())}
)
"""What was read of an input."""
_ORIGIN = {"path": pa.string(), "offset": pa.int64(), "line": pa.int64()} | dict.fromkeys(
    ("anomalies", "caveats"), pa.list_(pa.string())
)


def account(report: ReadReport) -> dict[str, Any]:
    """The row of `ACCOUNTS` of a report."""
    plain = {name: getattr(report, name) for name in ACCOUNTS.names if hasattr(report, name)}
    return plain | {"seen": report.records_seen, "remarks": [text for _, text in report.items()]}


class LogSource(DataSource):  # type: ignore[misc, unused-ignore]
    """Events of logs, each with the verdict on it alone, and where it stands; large logs in stretches.

    Options: `guests` is the path of an inventory, as executors see it. With `accounts` the rows are what was
    read of each input instead; one that cannot be read is such a row, and no error.
    """

    @classmethod
    def name(cls) -> str:
        """The name of the format."""
        return "hvdegraded"

    def schema(self) -> Any:
        """The columns of events, with their origin, or those of accounts."""
        return from_arrow_schema(_schema(self.options))

    def reader(self, schema: Any) -> DataSourceReader:  # noqa: ARG002
        """What lists and reads stretches."""
        return _Reader(dict(self.options))


def _schema(options: Any) -> Any:
    if str(options.get("accounts", "")).lower() == "true":
        return ACCOUNTS
    return pa.schema([*EVENTS, *map(pa.field, _ORIGIN.keys(), _ORIGIN.values())])


class _Partition(InputPartition):  # type: ignore[misc, unused-ignore]
    def __init__(self, stretches: Sequence[Stretch]) -> None:
        super().__init__(None)
        self.stretches = stretches


class _Reader(DataSourceReader):  # type: ignore[misc, unused-ignore]
    def __init__(self, options: dict[str, str]) -> None:
        self._options = options

    def partitions(self) -> Sequence[InputPartition]:
        """One for each input, or for each stretch of a large log."""
        path = self._options.get("path")
        if not path:
            raise WrongValueError("no path is given", hint='load("s3://bucket/logs/*.evtx")')
        inputs = plan(path)
        if _schema(self._options) is ACCOUNTS:
            return [_Partition(divide(one)) for one in inputs]
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return [_Partition([one]) for one in chain.from_iterable(threads.map(divide, inputs))]

    def read(self, partition: Any) -> Iterator[Any]:
        """The rows of a partition, as record batches."""
        classifier = Classifier(self._options.get("guests"))
        wanted = classifier.knowledge.provider_filter()
        schema = _schema(self._options)
        reports: dict[int, ReadReport] = {}
        for stretch in partition.stretches:

            def batches(items: Any, report: ReadReport) -> list[Any]:
                events = map(classifier.normalise, delivered(items, report, wanted))
                if schema is not ACCOUNTS:
                    return list(_batches(events, classifier, schema))
                deque(events, maxlen=0)
                return []

            found, reports[stretch.number] = read_stretch(stretch, wanted, batches)
            yield from found or ()
        if schema is ACCOUNTS:
            yield pa.RecordBatch.from_pylist([account(file_report(reports))], schema=schema)


def _batches(events: Iterable[Event], classifier: Classifier, schema: Any) -> Iterator[Any]:
    events = iter(events)
    while some := list(islice(events, _TOGETHER)):
        groups = []
        for event in some:
            ticks, record_id = age_of(event.time_ticks, event.record_id)
            ruling = classifier.rule_over_time(event)(event.time_ticks)
            groups.append(EventGroup.of(ruling, event, array("q", [ticks]), array("q", [record_id])))
        table = to_arrow(groups).cast(EVENTS)
        origins = [event.record.origin for event in some]
        for name, kind in _ORIGIN.items():
            table = table.append_column(name, pa.array([getattr(one, name) for one in origins], kind))
        yield from table.cast(schema).to_batches()
