"""How many instructions an event takes in the hot paths, so that no change makes them slower unnoticed.

Counted are the instructions of Python's own machine, which depend on neither clock nor load. The bounds leave
room for other versions of Python; who lowers a count lowers its bound.
"""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, NamedTuple

import pytest

import hvdegraded as hv
from hvdegraded.findings.builder import TriageBuilder
from hvdegraded.findings.render.rows import rows_json
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.pipeline.labeller import Labeller
from hvdegraded.records.report import ReadReport
from tests.benchmarks.inputs import distinct, hyper_v, machines, noise, small
from tests.tools.sample_exports import event_xml, winlogbeat

KINDS = 20


def instructions(work: Callable[[], object]) -> int:
    """How many instructions of Python some work takes."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def for_each(work: Callable[[int], Callable[[], object]], count: int) -> float:
    """Instructions for each of `count` events, beyond what as many events before them take."""
    once, twice = work(count), work(2 * count)
    once()  # what is learnt once for all is learnt
    return (instructions(twice) - instructions(once)) / count


def triage_of(data: bytes) -> Callable[[], object]:
    return lambda: hv.triage(data, min_level=hv.Level.VERBOSE, progress=False)


def label_of(lines: Iterable[bytes]) -> Callable[[], object]:
    given = list(lines)
    return lambda: [labeller.line(line) for labeller in [Labeller()] for line in given]


def report_of(records: list[hv.EventRecord]) -> Callable[[], object]:
    """From events in groups to the rows of a page."""
    builder = TriageBuilder(hv.Classifier())
    builder.take(records, ReadReport())
    part = pickle.dumps(builder.part)

    def report() -> str:
        judge = TriageBuilder(hv.Classifier())
        judge.merge(pickle.loads(part))
        return "".join(rows_json(judge.finish(ReadReport()).document))

    return report


def read_of(data: bytes) -> Callable[[], object]:
    return lambda: list(hv.read_records(data))


def repeated(count: int) -> list[hv.EventRecord]:
    """A few events of the sample hosts, over and over."""
    few = hyper_v(KINDS)
    return [few[at % KINDS]._replace(record_id=at + 1) for at in range(count)]


def lines(records: list[hv.EventRecord], count: int) -> list[bytes]:
    texts = [json.dumps(winlogbeat(record)).encode() + b"\n" for record in records[:KINDS]]
    return [texts[at % KINDS] for at in range(count)]


class Work(NamedTuple):
    """What is counted, for how many events, and the most instructions that each may take."""

    of: Callable[[int], Callable[[], object]]
    events: int
    most: int


WORK = {
    "an event that repeats": Work(lambda count: triage_of(evtx_bytes(repeated(count))), 200, 300),
    "an event of an earlier chunk's bytes": Work(lambda count: read_of(evtx_bytes(small(count))), 300, 700),
    "an event unlike others": Work(lambda count: triage_of(evtx_bytes(distinct(count))), 40, 7000),
    "a VM of a report": Work(lambda count: report_of(machines(count)), 60, 4500),
    "a labelled line": Work(lambda count: label_of(lines(hyper_v(KINDS), count)), 200, 1500),
    "an event of XML that repeats": Work(
        lambda count: read_of("".join(map(event_xml, repeated(count))).encode()), 200, 1300
    ),
    "a line of another provider": Work(lambda count: label_of(lines(noise(), count)), 200, 170),
}


@pytest.mark.parametrize("what", WORK)
def test_instructions_for_each(what: str) -> None:
    work = WORK[what]
    assert for_each(work.of, work.events) <= work.most
