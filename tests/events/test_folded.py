"""A folded event unfolds to what it was, wherever the event came from."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.events.folded import EventFolder
from hvdegraded.findings.readings import contradicted
from hvdegraded.records.record import EventRecord, Origin
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import plain, storvsp

SAMPLES = [event for log in ("hv2012r2", "hv2022") for event in hv.read(FOLDER / log)]


def same(one: hv.Event, other: hv.Event) -> None:
    assert type(one) is type(other)
    assert one == other
    assert repr(one.__dict__) == repr(other.__dict__)
    assert one.record.origin == other.record.origin
    assert one.record.rendering == other.record.rendering
    assert one.fact is other.fact
    assert one.model_dump() == other.model_dump()
    assert hash(one) == hash(other)


def test_events_of_the_sample_hosts() -> None:
    folder = EventFolder()
    folded = [folder.fold(event) for event in SAMPLES]
    for event, one in zip(SAMPLES, folded, strict=True):
        same(one.unfold(), event)
        assert one.age == (event.time_ticks, event.record_id)
        assert one.vm == (event.vm_name, event.vm_id)
        record = event.record
        assert one.like[:2] == record[:2]
        assert (one.like.computer, one.like.channel) == (record.computer, record.channel)


def test_in_another_process() -> None:
    event = SAMPLES[0]
    copy = pickle.loads(pickle.dumps(EventFolder().fold(event))).unfold()
    assert copy == event
    assert copy.fact == event.fact


def test_an_event_whose_readings_contradict_each_other() -> None:
    for record in (storvsp(6, "6.0", "5.1"), plain("VMMS", 19100)):
        event = contradicted(hv.normalise(record), ["VM name"])
        same(EventFolder().fold(event).unfold(), event)


TEXTS = st.text(st.characters(), max_size=8)
FIELDS = st.lists(st.tuples(st.none() | TEXTS, TEXTS), max_size=3).map(tuple)
NUMBERS = st.none() | st.integers(-1, 1 << 70)


@pytest.mark.parametrize(
    ("provider", "event_id"), [("storvsp", 6), ("Microsoft-Windows-Hyper-V-VMMS", 19100)]
)
@given(FIELDS, FIELDS, FIELDS, NUMBERS, NUMBERS, st.lists(TEXTS, max_size=2).map(tuple))
def test_any_values(
    provider: str,
    event_id: int,
    data: tuple[tuple[str | None, str], ...],
    extra: tuple[tuple[str | None, str], ...],
    rendering: tuple[tuple[str | None, str], ...],
    ticks: int | None,
    number: int | None,
    anomalies: tuple[str, ...],
) -> None:
    origin = Origin("json", "a", number, number, None, False, anomalies, ("a caveat",))
    record = EventRecord(
        provider, event_id, ticks, 3, number, data=data, extra=extra, rendering=rendering, origin=origin
    )
    event = hv.normalise(record)
    same(EventFolder().fold(event).unfold(), event)
