"""The same on Spark: a triage of any number of hosts, a data source for logs, and labels for lines.

How a triage works. Tasks make parts of stretches (`cluster.parts`), which are merged by host. What one host
knows of a VM, by its id or name, goes to all hosts that mention it. Then one task judges each host, with the
code that one machine uses. The driver sees the list of files, and no event.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from hvdegraded.cluster.parts import MOST_HOSTS, PartMapper, divide, file_report, merged, plan
from hvdegraded.errors import HvdegradedError, MissingExtraError
from hvdegraded.findings.acknowledged import with_acknowledgements
from hvdegraded.findings.bounds import Bounds
from hvdegraded.findings.builder import RecordMapper
from hvdegraded.findings.document import document_of
from hvdegraded.findings.frames import to_arrow
from hvdegraded.findings.groups import findings_of, in_order
from hvdegraded.findings.repeats import input_spans
from hvdegraded.records.coverage import ChannelCoverage
from hvdegraded.records.record import Level
from hvdegraded.records.report import ReadReport
from hvdegraded.verdicts.classifier import Classifier
from hvdegraded.verdicts.history import History, short_host
from hvdegraded.verdicts.policy import Policy

try:
    import fsspec  # noqa: F401
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql import functions as sql
    from pyspark.sql.pandas.types import from_arrow_schema

    from hvdegraded.cluster.lines import annotate
    from hvdegraded.cluster.source import ACCOUNTS, EVENTS, LogSource, account
except ModuleNotFoundError as error:
    if (error.name or "").startswith("hvdegraded"):
        raise
    raise MissingExtraError("hvdegraded on Spark", "spark", ("pyspark", "pyarrow", "fsspec")) from None

__all__ = ["ClusterTriage", "LogSource", "annotate", "triage"]

_AT_ONCE = 4 << 20  # bytes of rows that are handed on together
_EXCHANGED = pa.schema([("kind", pa.string()), ("key", pa.string()), ("payload", pa.binary())])
_HOST, _FILE, _VM, _READ, _JUDGED = "host", "file", "vm", "read", "judged"
_Row = tuple[str, str, Any]
_Rows = Iterable[_Row]
_TIME = pa.timestamp("us", tz="UTC")
_TEXTS = pa.list_(pa.string())
_GROUP = {
    "provider": pa.string(), "event_id": pa.int32(), "channel": pa.string(), "level": pa.int32(),
    "component": pa.string(), "guest_version": pa.string(), "host_version": pa.string(),
    "summary": pa.string(), "detail": pa.string(), "basis": pa.string(), "count": pa.int64(),
    "first": _TIME, "last": _TIME, "last_record_id": pa.int64(),
}  # fmt: skip
_FINDINGS = pa.schema(
    dict.fromkeys(("id", "section", "severity", "label", "reason"), pa.string())
    | {"assumptions": _TEXTS, "acknowledged": pa.string(), "level": pa.int32()}
    | dict.fromkeys(("host", "vm_name", "vm_id", "guest", "problem", "remedy"), pa.string())
    | {"references": _TEXTS, "count": pa.int64(), "first": _TIME, "last": _TIME}
    | {"groups": pa.list_(pa.struct(_GROUP))}
)
_HOSTS = pa.schema(
    {
        "host": pa.string(),
        "events": pa.int64(),
        "excluded": pa.map_(pa.string(), pa.int64()),
        "remarks": _TEXTS,
    }
)


@dataclass(frozen=True)
class ClusterTriage:
    """What logs amount to: findings, events, accounts of inputs, and what of each host was excluded."""

    findings: DataFrame
    events: DataFrame
    inputs: DataFrame
    hosts: DataFrame


def triage(
    spark: SparkSession,
    path: str | Iterable[str],
    *,
    guests: object = None,
    policy: Policy | None = None,
    min_level: int | str = Level.WARNING,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
) -> ClusterTriage:
    """What matters in logs, as `hvdegraded.triage` gives it: the same findings, events and accounts.

    `path` is what `plan` takes. An input that cannot be read is a row of `inputs`. Raises SourceError where
    nothing is there, HvdegradedError where executors do not have this package.
    """
    mapper = PartMapper(RecordMapper(Classifier(guests, policy), Bounds.of(min_level, since, until)))
    work = spark.sparkContext.broadcast(mapper)  # the inventory, too: it is in no plan and no event log
    inputs = plan(path)
    width = max(1, min(4 * spark.sparkContext.defaultParallelism, len(inputs)))
    whole = spark.createDataFrame([(_FILE, one.path, pickle.dumps(one)) for one in inputs], _ddl(_EXCHANGED))
    stretches = _each(whole.repartition(width), _divided).repartition(4 * width)
    parts = _each(stretches, lambda rows: _parts(rows, work.value)).persist()
    files = _by_key(parts.where(sql.col("kind") == _FILE), _closed).persist()
    hosts = _by_key(parts.where(sql.col("kind") == _HOST), lambda rows: _one_host(rows, work.value)).persist()
    zones = frozenset(row.key == "zone" for row in _run(_each(hosts, _zones).select("key").distinct()))
    shared = _by_key(_each(hosts, _of_vms), _shared)
    told = hosts.unionByName(shared).unionByName(files.where(sql.col("kind") == _READ))
    if not hosts.where(sql.col("key") == "").isEmpty():
        nameless = _each(hosts.where(sql.col("key") == ""), _history_alone).select("kind", "payload")
        told = told.unionByName(hosts.where(sql.col("key") != "").select("key").crossJoin(nameless))
    judged = _by_key(told, lambda rows: _judged(rows, work.value, zones)).persist()
    return ClusterTriage(
        findings=_each(judged, lambda rows: _findings(rows, work.value), _FINDINGS),
        events=_each(judged, _events, EVENTS),
        inputs=_each(files.where(sql.col("kind") == _FILE), _accounts, ACCOUNTS),
        hosts=_each(judged, _excluded, _HOSTS),
    )


# -------------------------------------------------------------------- rows


def _ddl(schema: Any) -> Any:
    return from_arrow_schema(schema)


def _each(frame: DataFrame, make: Any, schema: Any = _EXCHANGED) -> DataFrame:
    """What a function makes of rows, partition by partition."""
    return frame.mapInArrow(lambda batches: _batches(make(_rows(batches)), schema), _ddl(schema))


def _by_key(frame: DataFrame, make: Any) -> DataFrame:
    """What a function makes of all rows of a key."""

    def of_table(table):  # type: ignore[no-untyped-def]  # its hints would be evaluated
        return pa.Table.from_batches(_batches(make(_rows([table])), _EXCHANGED), _EXCHANGED)

    return frame.groupBy("key").applyInArrow(of_table, _ddl(_EXCHANGED))


def _rows(batches: Iterable[Any]) -> Iterator[_Row]:
    for batch in batches:
        for kind, key, payload in zip(*(batch.column(name) for name in _EXCHANGED.names), strict=True):
            yield kind.as_py(), key.as_py(), pickle.loads(payload.as_py())  # noqa: S301  # of our own tasks


def _batches(rows: Iterable[Any], schema: Any) -> Iterator[Any]:
    """Record batches of exchanged rows, of dictionaries, or of tables."""
    waiting: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        if isinstance(row, pa.Table):
            yield from row.cast(schema).to_batches()
            continue
        if isinstance(row, tuple):
            row = {"kind": row[0], "key": row[1], "payload": pickle.dumps(row[2], pickle.HIGHEST_PROTOCOL)}
        waiting.append(row)
        size += len(row.get("payload", b"")) + 1000
        if size > _AT_ONCE:
            yield pa.RecordBatch.from_pylist(waiting, schema=schema)
            waiting, size = [], 0
    if waiting:
        yield pa.RecordBatch.from_pylist(waiting, schema=schema)


def _run(frame: DataFrame) -> list[Any]:
    """Collect a small result. Raises HvdegradedError where executors do not have this package."""
    try:
        return list(frame.collect())
    except Exception as error:
        if "No module named 'hvdegraded'" not in str(error):
            raise
        hint = (
            "install it where PYSPARK_PYTHON of the executors points to, or ship an environment (--archives)"
        )
        raise HvdegradedError("the executors do not have the package hvdegraded", hint=hint) from None


# -------------------------------------------------------------------- what tasks do


def _divided(rows: _Rows) -> Iterator[_Row]:
    for kind, path, whole in rows:
        for stretch in divide(whole):
            yield kind, path, stretch


def _parts(rows: _Rows, mapper: PartMapper) -> Iterator[_Row]:
    for _, path, stretch in rows:
        part = mapper(stretch)
        for host, found in part.hosts.items():
            yield _HOST, host, found
        yield _FILE, str(PurePosixPath(path).parent), (path, part.files[path])


def _closed(rows: _Rows) -> Iterator[_Row]:
    """The accounts of a folder's inputs, and for each host what was read of it."""
    files: dict[str, dict[int, ReadReport]] = {}
    for _, _, (path, reports) in rows:
        files.setdefault(path, {}).update(reports)
    whole = ReadReport()
    for path in sorted(files):
        whole.add(file_report(files[path]))
    for report in whole.parts:
        yield _FILE, report.path or "", report
    read: dict[str, tuple[list[Any], list[Any]]] = {}
    for coverage in whole.coverage:
        read.setdefault(short_host(coverage.host or ""), ([], []))[0].append(coverage)
    for span in input_spans(whole):
        read.setdefault(span.host, ([], []))[1].append(span)
    for host, found in read.items():
        yield _READ, host, found


def _one_host(rows: _Rows, mapper: PartMapper) -> Iterator[_Row]:
    host = ""

    def parts() -> Iterator[Any]:
        nonlocal host
        for _, host, part in rows:  # noqa: B007
            yield part

    whole = merged(parts(), mapper)
    yield _HOST, host, whole


def _zones(rows: _Rows) -> Iterator[_Row]:
    for _, _, part in rows:
        for lacks_zone in part.context.zones:
            yield _HOST, "zone" if lacks_zone else "utc", None


def _of_vms(rows: _Rows) -> Iterator[_Row]:
    """What hosts know, VM by VM; under the empty name, what they know of VMs that no event names."""
    for _, host, part in rows:
        for vm in part.context.vms() | ({""} if not host else set()):
            yield _VM, vm, (host, part.context.about(vm))


def _shared(rows: _Rows) -> Iterator[_Row]:
    """What all hosts together know of a VM, for each of them."""
    known = {host: (vm, history) for _, vm, (host, history) in rows}
    vm = next(iter(known.values()))[0]
    targets = sorted(known) if vm else [""] if "" in known else []
    if len(known) < 2 or not targets:
        return
    together = History()
    for host in sorted(known)[:MOST_HOSTS]:
        together.merge(known[host][1])
    together.incomplete = len(known) > MOST_HOSTS
    for host in targets:
        yield _VM, host, together


def _history_alone(rows: _Rows) -> Iterator[_Row]:
    for _, host, part in rows:
        yield _VM, host, part.context


def _judged(rows: _Rows, mapper: PartMapper, zones: frozenset[bool]) -> Iterator[_Row]:
    builder = mapper.records.builder()
    elsewhere = [History(zones)]
    coverage: list[Any] = []
    spans: list[Any] = []
    name, known = "", False
    for kind, name, found in rows:  # noqa: B007
        if kind == _HOST:
            builder.merge(found)
            known = True
        elif kind == _VM:
            elsewhere.append(found)
        else:
            coverage += found[0]
            spans += found[1]
    if known:
        groups = builder.judge(ChannelCoverage(coverage), spans, elsewhere)
        remarks = [f"{kind}: {text}" for kind, text in builder.repeats.notes()]
        if not name:
            remarks.append("these events name no host; it was not looked whether other inputs contain them")
        yield _JUDGED, name, (groups, dict(builder.part.excluded), remarks)


# -------------------------------------------------------------------- results


def _findings(rows: _Rows, mapper: PartMapper) -> Iterator[dict[str, Any]]:
    acknowledged = mapper.records.classifier.policy.acknowledgements
    for _, _, (groups, _, _) in rows:
        found = with_acknowledgements(findings_of(groups), acknowledged, datetime.now(UTC).date())
        for entry in document_of(in_order(found)).findings:
            yield {name: value for name, value in asdict(entry).items() if name != "number"}


def _events(rows: _Rows) -> Iterator[Any]:
    for _, _, (groups, _, _) in rows:
        yield to_arrow(groups)


def _excluded(rows: _Rows) -> Iterator[dict[str, Any]]:
    for _, host, (groups, excluded, remarks) in rows:
        events = sum(group.count for group in groups)
        yield {"host": host, "events": events, "excluded": excluded, "remarks": remarks}


def _accounts(rows: _Rows) -> Iterator[dict[str, Any]]:
    for _, _, report in rows:
        yield account(report)
