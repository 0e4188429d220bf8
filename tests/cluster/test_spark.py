"""On Spark: the findings and accounts of one machine; no line lost in a stream; errors in our words."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.formats.evtx.writer import write_evtx
from hvdegraded.reading.reader import read_records
from tests.tools.sample_logs import FOLDER

pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings(
        "ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning"
    ),
]
pytest.importorskip("pyspark", reason="pyspark is not installed: .ci/run has an environment with it")
if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
    pytest.skip("Java is not installed", allow_module_level=True)

from pyspark.sql import SparkSession  # noqa: E402
from pyspark.sql import functions as sql  # noqa: E402

from hvdegraded.cluster.spark import LogSource, annotate, triage  # noqa: E402

GUESTS = FOLDER / "guests.json"
LARGE = 200 << 20


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.host": "127.0.0.1",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    session.dataSource.register(LogSource)
    yield session
    session.stop()


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 files: hosts that share VMs, whole, damaged, cut and hostile logs, one of over 200 MB, no logs."""
    folder, random = tmp_path_factory.mktemp("logs"), Random(21)
    for name in ("hv2012r2", "hv2022", "exports"):
        shutil.copytree(FOLDER / name, folder / name)
    records = [record for log in sorted(FOLDER.glob("hv*/*.evtx")) for record in read_records(log)]
    worker = (FOLDER / "hv2022" / "Microsoft-Windows-Hyper-V-Worker-Admin.evtx").read_bytes()
    for number in range(200):
        host = folder / f"host{number % 20}"
        host.mkdir(exist_ok=True)
        some = random.sample(records, 25)
        named = [
            one._replace(
                computer=f"host{number % 20}.example.org" if number % 50 else "",
                record_id=at + 1 + 100 * number,
            )
            for at, one in enumerate(some)
        ]
        path = host / f"log{number}.evtx"
        write_evtx(path, sorted(named, key=lambda one: one.time_ticks or 0))
        if number % 10 == 1:
            path.write_bytes(path.read_bytes()[:-9000])
        elif number % 10 == 2:
            data = bytearray(path.read_bytes())
            place = random.randrange(4096, len(data) - 64)
            data[place : place + 64] = random.randbytes(64)
            path.write_bytes(data)
    (folder / "host0" / "noise.evtx").write_bytes(random.randbytes(100_000))
    (folder / "host0" / "empty.evtx").write_bytes(b"")
    (folder / "host1" / "nested.json").write_text("[" * 100_000)
    chunks = worker[4096:]
    with (folder / "host1" / "large.evtx").open(
        "wb"
    ) as large:  # chunks of other providers, and some of Hyper-V
        large.write(worker[:4096])
        _write_filler(large, chunks)
    assert (folder / "host1" / "large.evtx").stat().st_size > LARGE
    return folder


def _write_filler(large: Any, chunks: bytes) -> None:
    """Zeros as in a log that was made large, with chunks between them that repeat."""
    large.write(chunks)
    while large.tell() < LARGE:
        large.write(bytes(65536 * 64))
        large.write(chunks[:65536])


def plain(finding: Any) -> dict[str, Any]:
    """A row as JSON types, as far as the document has them."""
    row = finding.asDict(recursive=True)
    values: dict[str, Any] = json.loads(json.dumps(row, default=str))
    return values


def test_findings_events_and_accounts_are_those_of_one_machine(spark: SparkSession, logs: Path) -> None:
    found = triage(spark, str(logs), guests=GUESTS)
    whole = hv.triage(logs, guests=GUESTS)
    findings = {row["id"]: row for row in map(plain, found.findings.collect())}
    assert len(findings) == len(whole)
    for entry in whole.document.findings:
        mine = findings[entry.id]
        for name in (
            "section",
            "severity",
            "label",
            "reason",
            "level",
            "host",
            "vm_name",
            "guest",
            "problem",
            "remedy",
            "count",
        ):
            assert mine[name] == getattr(entry, name), (entry, name)
        assert [group["summary"] for group in mine["groups"]] == [group.summary for group in entry.groups]
    assert found.events.count() == whole.count
    accounts = {row["path"]: row for row in map(plain, found.inputs.collect())}
    for part in whole.report.parts:
        mine = accounts.pop(part.path)
        assert (mine["seen"], mine["delivered"], mine["lost"]) == (
            part.records_seen,
            part.delivered,
            part.lost,
        )
        assert mine["remarks"] == [text for _, text in part.items()]
    assert not accounts
    excluded: dict[str, int] = {}
    for row in found.hosts.collect():
        for why, count in row.excluded.items():
            excluded[why] = excluded.get(why, 0) + count
    assert excluded == dict(whole.excluded)


def test_the_data_source_gives_each_event_once_and_accounts_for_each_input(
    spark: SparkSession, logs: Path
) -> None:
    one = str(logs / "host1")
    events = spark.read.format("hvdegraded").load(one)
    accounts = spark.read.format("hvdegraded").option("accounts", "true").load(one)
    whole = hv.triage(one, min_level="information")
    read = accounts.agg(sql.sum("delivered"), sql.sum("lost"), sql.count_if(~sql.col("complete"))).first()
    count, without = events.agg(
        sql.count("*"), sql.count_if(sql.expr("path is null or label is null"))
    ).first()
    assert (count, without) == (whole.report.delivered, 0)
    assert read[:2] == (whole.report.delivered, whole.report.lost)
    assert read[2] > 1


def test_a_stream_labels_files_as_they_arrive_and_loses_no_line_over_a_restart(
    spark: SparkSession, tmp_path: Path
) -> None:
    lines = (FOLDER / "exports" / "winlogbeat.jsonl").read_text().splitlines()
    come, gone, checkpoint = tmp_path / "in", tmp_path / "out", tmp_path / "checkpoint"
    come.mkdir()
    guests = tmp_path / "guests.json"
    shutil.copy(GUESTS, guests)

    def run() -> None:
        stream = spark.readStream.text(str(come)).select(
            annotate(sql.col("value"), guests=str(guests)).alias("value")
        )
        writer = stream.writeStream.format("text").option("checkpointLocation", str(checkpoint))
        writer.trigger(availableNow=True).start(str(gone)).awaitTermination()

    (come / "a.jsonl").write_text("\n".join(lines[:20]) + "\n")
    run()
    (come / "b.jsonl").write_text("\n".join([*lines[20:], "{broken"]) + "\n")
    run()
    run()
    found = [line for path in gone.glob("*.txt") for line in path.read_text().splitlines()]
    assert len(found) == len(lines) + 1
    expected = sorted(
        json.dumps(hv.annotate(line, guests=GUESTS).get("hvdegraded", {}).get("label"))
        for line in [*lines, "{broken"]
    )
    assert (
        sorted(json.dumps(json.loads(line).get("hvdegraded", {}).get("label")) for line in found) == expected
    )
