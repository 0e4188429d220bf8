"""Events that are grouped get the verdicts that each would get for itself."""

from __future__ import annotations

import random
from array import array
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.events.folded import EventFolder
from hvdegraded.findings.builder import TriageBuilder
from hvdegraded.findings.folded_groups import Group
from hvdegraded.findings.grouping import split_by_time
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.records.record import Anomaly, Caveat, EventRecord, Origin
from hvdegraded.records.report import ReadReport
from hvdegraded.timestamps import ticks_from_datetime
from hvdegraded.verdicts.history import History
from hvdegraded.verdicts.verdict import Verdict
from tests.tools.sample_hosts import host_2012r2
from tests.tools.simulator import inventories, logs
from tests.tools.simulator.inventories import Knowledge
from tests.tools.simulator.logs import Cut, Route
from tests.tools.simulator.runs import CHANGING
from tests.tools.simulator.world import World
from tests.tools.written_records import guids, sids

KNOWN = (*Knowledge, Knowledge.RIGHT, None)
Judged = tuple[str, str, int | None, int | None, Verdict]


def one_by_one(paths: list[Path], guests: Any, triage: hv.Triage) -> Counter[Judged]:
    """Each event's verdict in the history of all, asked for each alone."""
    classifier = hv.Classifier(guests)
    history = History()
    events = list(hv.read([str(path) for path in paths]))
    for event in events:
        classifier.observe(event, history)
    history.coverage = triage.report.coverage
    return Counter(
        (event.host, event.channel, event.record_id, event.time_ticks, classifier.classify(event, history))
        for event in events
        if (event.level or 0) <= hv.Level.WARNING
    )


def grouped(triage: hv.Triage) -> Counter[Judged]:
    return Counter(
        (group.example.host, group.example.channel, record_id, ticks, group.verdict)
        for group in triage.groups
        for ticks, record_id in zip(group.ticks, group.record_ids, strict=True)
    )


@pytest.mark.parametrize(
    "seed", [*range(6), *(pytest.param(at, marks=pytest.mark.slow) for at in range(6, 120))]
)
def test_a_grouped_event_has_the_verdict_of_an_event_alone(seed: int, tmp_path: Path) -> None:
    choice = random.Random(seed)
    knowledge = KNOWN[seed % len(KNOWN)]
    world = World(seed, CHANGING)
    how = choice.choice(list(Cut))
    paths, _ = logs.write(world, tmp_path, Route.EVTX, how, choice)
    rows = inventories.rows(world, knowledge) if knowledge is not None else None
    guests = hv.GuestInventory.load(rows) if rows else None
    triage = hv.triage([str(path) for path in paths], guests=guests, progress=False)
    assert grouped(triage) == one_by_one(paths, guests, triage)


def test_an_event_before_the_time_that_is_looked_at_is_not_an_example(tmp_path: Path) -> None:
    """Of events that are alike, the first that is read may be one that is excluded."""
    start = 134_000_000_000_000_000
    records = [
        EventRecord(
            provider="Microsoft-Windows-Hyper-V-VMMS",
            provider_guid="6066F867-7CA1-4418-85FD-36E3F9C0600C",
            event_id=19060,
            time_ticks=start + at * 600_000_000,
            level=2,
            record_id=at + 1,
            channel="Microsoft-Windows-Hyper-V-VMMS-Admin",
            computer="hv1",
            payload="EventData",
            data=(("VmName", "web01"),),
        )
        for at in range(10)
    ]
    path = tmp_path / "log.evtx"
    path.write_bytes(evtx_bytes(records))
    since = records[4].time_created
    assert since is not None
    triage = hv.triage(path, since=since, until=records[8].time_created, progress=False)
    (group,) = triage.groups
    assert list(group.record_ids) == [5, 6, 7, 8]
    assert group.example.time_ticks == ticks_from_datetime(since)
    assert triage.excluded.total() == 6


FEW = [row.record for log in host_2012r2() for row in log.rows if row.label is not None][::7]
OTHERS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("event_id", "qualifiers", "version", "task", "opcode", "keywords"), st.integers(0, 9)),
    **dict.fromkeys(("process_id", "thread_id", "record_id"), st.none() | st.sampled_from([0, 7, 1 << 63])),
    "level": st.none() | st.integers(0, 5),
    "time_ticks": st.none() | st.sampled_from([0, 134_000_000_000_000_000, 1 << 63]),
    **dict.fromkeys(("computer", "channel", "provider"), st.sampled_from(["", "hv1", "HV1", "storvsp"])),
    **dict.fromkeys(("activity_id", "related_activity_id", "provider_guid"), st.none() | guids),
    "event_source": st.sampled_from([None, "storvsp"]),
    "user_id": st.none() | sids,
    "data": st.sampled_from([(), ((None, "web01"), (None, "6.2")), (("VmName", "web01"),)]),
    "rendering": st.sampled_from([(), (("Message", "'web01' failed"),)]),
    "origin": st.builds(
        Origin,
        st.sampled_from(["evtx", "xml"]),
        st.sampled_from(["a", "b"]),
        recovered=st.booleans(),
        anomalies=st.sampled_from([(), (Anomaly.REMNANT,)]),
        caveats=st.sampled_from([(), (Caveat.NO_ZONE,), (Caveat.BY_NAMES,)]),
    ),
}
changed: st.SearchStrategy[dict[str, Any]] = st.sampled_from(list(OTHERS)).flatmap(
    lambda name: st.fixed_dictionaries({name: OTHERS[name]})
)


@given(
    st.lists(st.tuples(st.sampled_from(FEW), st.just({}) | changed), min_size=2, max_size=12), st.booleans()
)
@settings(max_examples=60, deadline=None)
def test_records_that_are_alike_are_taken_as_each_alone(
    drawn: list[tuple[EventRecord, dict[str, Any]]], bounded: bool
) -> None:
    records = [record._replace(**changes) for record, changes in drawn * 2]
    since = records[0].time_created if bounded else None
    alone, together = (TriageBuilder(hv.Classifier(), since=since) for _ in range(2))
    for record in records:
        alone.add(alone.classifier.normalise(record))
    for _ in together.add_records(records):
        pass
    first, second = (builder.finish(ReadReport()) for builder in (alone, together))
    assert grouped(first) == grouped(second)
    assert first.excluded == second.excluded
    assert {repr(group.example.record) for group in first.groups} == {
        repr(group.example.record) for group in second.groups
    }


@given(
    st.lists(st.tuples(st.integers(-1, 9), st.integers(-1, 99)), min_size=2, max_size=40), st.integers(1, 9)
)
def test_a_group_is_split_by_what_each_time_gives(drawn: list[tuple[int, int]], together: int) -> None:
    ticks, record_ids = (array("q", column) for column in zip(*drawn, strict=True))
    group = Group(EventFolder().fold(hv.normalise(FEW[0])), ticks, record_ids)
    parts = split_by_time(group, lambda moment: moment // 4, together)
    expected: dict[int, list[tuple[int, int]]] = {}
    for moment, record_id in drawn:
        expected.setdefault(moment // 4, []).append((moment, record_id))
    assert {key: list(zip(*columns, strict=True)) for key, columns in parts.items()} == expected
    assert list(parts) == list(expected)
