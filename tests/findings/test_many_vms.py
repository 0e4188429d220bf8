"""A report on very many VMs: a few hundred bytes for each, and rows that are made when asked for."""

from __future__ import annotations

import gc
import pickle
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import pytest

import hvdegraded as hv
from hvdegraded.findings.builder import TriageBuilder
from hvdegraded.records.record import EventRecord
from hvdegraded.records.report import ReadReport
from tests.benchmarks.inputs import distinct
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import ID, VM, plain, storvsp


def of_many(count: int) -> Iterator[EventRecord]:
    """An event of each of so many VMs."""
    record = storvsp(6, "6.0", "5.1")
    for number in range(count):
        names = {VM: f"vm{number:06}", ID: f"{ID[:-6]}{number:06X}"}
        data = tuple((name, names.get(text, text)) for name, text in record.data)
        yield record._replace(record_id=number, data=data)


@pytest.mark.slow
def test_a_vm_takes_less_than_a_kilobyte_of_a_report() -> None:
    def held(count: int) -> int:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        found = hv.triage(of_many(count))
        assert sum(1 for _ in found.html_parts()) > len(found) == count
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before

    tracemalloc.start()
    try:
        held(100)  # loads what is loaded once
        few, many = held(100), held(1100)
    finally:
        tracemalloc.stop()
    assert (many - few) / 1000 < 1000


def test_rows_are_those_of_a_tuple() -> None:
    document = hv.triage(FOLDER, guests=FOLDER / "guests.json").document
    rows = tuple(document.findings)
    assert len(rows) == len(document.findings) > 10
    assert document.findings == rows
    assert document.findings[2:5] == rows[2:5]
    assert document.findings[-1] == rows[-1]
    assert hash(document.findings) == hash(rows)
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert tuple(document.assumed) == tuple(document.assumed[:])
    with pytest.raises(IndexError):
        document.findings[len(rows)]
    of_problems = [
        row for section in hv.Section for one in document.problems(section) for row in one.findings
    ]
    assert tuple(of_problems) == rows
    assert pickle.loads(pickle.dumps(document)).to_dict() == document.to_dict()


def test_a_row_is_the_same_whatever_rows_were_made_before() -> None:
    told = [
        plain("VMMS", 19100)._replace(data=(), rendering=(("Message", text),))
        for text in ("disk one cannot be merged", "disk two cannot be merged")
    ]
    document = hv.triage([*hv.read_records(FOLDER), *told], min_level=hv.Level.VERBOSE).document
    problems = [problem for section in hv.Section for problem in document.problems(section)]
    seen = set[str | None]()
    for problem in problems:
        for row, member in zip(problem.findings, problem.members, strict=True):
            (alone,) = replace(problem, members=(member,)).findings
            assert replace(row, number=problem.number) == alone
            summaries = {group.verdict.summary for group in member.groups}
            assert {group.summary for group in row.groups} <= summaries
            seen.update(group.detail for group in row.groups)
    assert {record.message for record in told} < seen


@pytest.mark.parametrize("listed", [False, True])
def test_a_verdict_is_the_same_whatever_is_alike(listed: bool) -> None:
    records = distinct(600)
    names = sorted({event.vm_name for event in map(hv.normalise, records) if event.vm_name})
    systems = ("linux", "Windows Server 2022", "unknown")
    guests = [{"name": name, "os": systems[at % 3]} for at, name in enumerate(names[::2])] if listed else []
    builder = TriageBuilder(hv.Classifier(guests), min_level=hv.Level.VERBOSE)
    builder.take(records, report := ReadReport())
    found = builder.finish(report)
    plain = {record.record_id: builder.verdict(hv.normalise(record)) for record in records}
    kinds = set()
    for group in found.groups:
        for record_id in group.record_ids:
            assert group.verdict == plain[record_id]
        kinds.add((group.verdict.reason, group.verdict.guest))
    assert found.count == len(plain)
    assert len(kinds) > (8 if listed else 4)


def test_a_group_is_equal_to_its_copy_in_another_process() -> None:
    found = hv.triage(FOLDER, guests=FOLDER / "guests.json")
    groups = pickle.loads(pickle.dumps(found.groups))
    assert groups == found.groups
    assert [group.verdict.model_dump() for group in groups] == [
        group.verdict.model_dump() for group in found.groups
    ]
