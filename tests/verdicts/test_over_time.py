"""Verdicts on an event asked for many times are those that it gets when it is asked for once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.records.record import EventRecord
from tests.tools.verdict_cases import (
    HV,
    ID,
    VM,
    at,
    device,
    integration,
    network,
    positional,
    record,
    storvsp,
)

EVENTS = [
    storvsp(6, "6.0", "5.1"),
    storvsp(6, "6.0", "6.2"),
    storvsp(5, "6.0", "6.2"),
    network(24, "5.0", "4.0"),
    device(23014, "3.3", "3.2"),
    integration(),
    integration("-TimeSync"),
    record(HV + "Worker", 18500, 4, positional(VM, ID)),
    record(HV + "Worker", 18502, 4, positional(VM, ID)),
]
GUESTS = [None, [{"Name": VM, "Id": ID, "OSName": "Debian GNU/Linux 12"}]]

placed = st.builds(
    lambda event, minutes: at(event, minutes), st.sampled_from(EVENTS), st.integers(0, 40) | st.floats(0, 40)
)


@given(
    st.lists(placed, min_size=1, max_size=8),
    st.lists(st.integers(-20, 60) | st.floats(-20, 60), min_size=20, max_size=24),
    st.sampled_from(GUESTS),
)
@settings(deadline=None, max_examples=25)
def test_asked_often_or_once(records: list[EventRecord], minutes: list[float], guests: object) -> None:
    classifier, history = hv.Classifier(guests), hv.History()
    events = [classifier.normalise(one) for one in records]
    for event in events:
        classifier.observe(event, history)
    for event in events:
        often = classifier.over_time(event, history)
        for minute in minutes:
            ticks = at(records[0], minute).time_ticks
            assert often(ticks) == classifier.classify(event, history, ticks=ticks)


def test_what_one_start_shows_is_found_after_many_others() -> None:
    classifier, history = hv.Classifier(), hv.History()
    refused, exchange = (classifier.normalise(one) for one in (storvsp(5, "6.0", "6.2"), integration()))
    for event in (refused, exchange):
        classifier.observe(event, history)
    often = classifier.over_time(exchange, history)
    others = {often(at(integration(), 60 * hour).time_ticks).reason for hour in range(1, 100)}
    shown = often(exchange.time_ticks)
    assert shown == classifier.classify(exchange, history)
    assert shown.reason not in others
