"""Kinds 1 to 5 of unmarked false "ignorable" that simulated guests and an oracle found, each closed as a kind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.findings.builder import TriageBuilder
from hvdegraded.records.record import Caveat, EventRecord, Origin
from hvdegraded.timestamps import ticks_from_datetime
from hvdegraded.verdicts.classifier import Classifier
from hvdegraded.verdicts.history import History
from hvdegraded.verdicts.verdict import Assumption, Basis, Reason, Severity
from tests.tools.routes import ROUTES
from tests.tools.seen_together import (
    CHANNELS,
    HOUR,
    LINUX,
    MOMENT,
    RDV,
    REFUSED,
    TIME_SYNC,
    T,
    covered,
    taken,
    verdicts,
)
from tests.tools.verdict_cases import (
    at_minutes,
    device,
    guests,
    integration,
    network,
    plain,
    storvsp,
)

# ------------------------------------------------------------ 1: one record seen alone


@pytest.mark.parametrize("route", [*ROUTES])
def test_1_a_refusal_seen_alone_is_assumed_by_every_route(route: str) -> None:
    for sent in (REFUSED._replace(qualifiers=0xC004), network(26, "327680", "393217", "named")):
        sent = sent._replace(payload="EventData", channel="System")
        added = hv.annotate(ROUTES[route].ship(sent), guests=LINUX).get("hvdegraded")
        if added is not None and added["label"] == hv.Label.IGNORABLE:
            assert added["assumptions"] == [Assumption.WHAT_FOLLOWS]


def test_1_a_line_is_judged_by_the_earlier_ones() -> None:
    """In `label`: TimeSync, then RDV, then the same TimeSync again, which is contradicted now."""
    classifier, history = Classifier(LINUX), History()
    labels = []
    for one in (TIME_SYNC, at_minutes(RDV, 1), at_minutes(TIME_SYNC, 2)):
        event = hv.normalise(one)
        classifier.observe(event, history)
        labels.append(classifier.classify(event, history))
    assert labels[0].proven
    assert [verdict.reason for verdict in labels[1:]] == [Reason.INVENTORY_CONTRADICTED] * 2


# ------------------------------------------------------------ 2: the ten minutes are not all there


def test_2_a_refusal_of_which_all_that_followed_was_read_is_proven() -> None:
    assert verdicts([REFUSED])[0].proven


@pytest.mark.parametrize("channel", CHANNELS[:3])
def test_2_a_channel_that_was_not_read_leaves_it_assumed(channel: str) -> None:
    coverage = covered(T - HOUR, T + HOUR, *(one for one in CHANNELS if one != channel))
    (verdict,) = verdicts([REFUSED], coverage=coverage)
    assert verdict.assumptions == (Assumption.WHAT_FOLLOWS,)
    assert channel in " ".join(verdict.derivation)


@pytest.mark.parametrize(("first", "last"), [(T - HOUR, T + HOUR // 10), (T + HOUR // 10, T + HOUR), (T, T)])
def test_2_a_log_that_ends_or_begins_in_the_window_leaves_it_assumed(first: int, last: int) -> None:
    assert verdicts([REFUSED], coverage=covered(first, last))[0].assumptions == (Assumption.WHAT_FOLLOWS,)


@pytest.mark.parametrize("number", [18502, 18504, 18508, 18512, 18514, 18515, 18608])
def test_2_the_end_of_that_start_leaves_it_assumed(number: int) -> None:
    ended = at_minutes(plain("Worker", number, 4), 3)
    assert verdicts([REFUSED, ended])[0].assumptions == (Assumption.WHAT_FOLLOWS,)
    assert verdicts([REFUSED, at_minutes(ended, 8)])[0].proven


def test_2_a_vm_that_leaves_the_host_leaves_it_assumed() -> None:
    moved = at_minutes(plain("VMMS", 20415, 4), 3)
    assert verdicts([REFUSED, moved])[0].assumptions == (Assumption.WHAT_FOLLOWS,)


def test_2_times_without_a_zone_beside_others_leave_it_assumed() -> None:
    other = at_minutes(plain("Worker", 18500, 4), 100)._replace(origin=Origin(caveats=(Caveat.NO_ZONE,)))
    assert verdicts([REFUSED, other])[0].assumptions == (Assumption.WHAT_FOLLOWS,)


def test_2_a_failure_counts_if_its_time_by_its_precision_touches_the_window() -> None:
    second = 10_000_000
    refused = REFUSED._replace(time_ticks=T // second * second + 7_000_000)
    failure = plain("Chipset", 18605)._replace(time_ticks=T // second * second)  # stamped to the second
    assert verdicts([refused, failure])[0].reason is Reason.REFUSED_THEN_FAILURE
    late = failure._replace(time_ticks=T // second * second + 600 * second)
    assert verdicts([refused, late])[0].reason is Reason.REFUSED_THEN_FAILURE


def test_2_equal_refusals_of_one_start_are_those_of_several_devices() -> None:
    found = verdicts([REFUSED, at_minutes(REFUSED, 0.02)])
    assert all(verdict.proven for verdict in found)


def test_2_the_same_refusal_in_a_later_start_is_a_guest_that_does_not_get_going() -> None:
    for between in ([], [at_minutes(plain("Worker", 18500, 4), 0.3)]):
        minutes = 0.5 if between else 3
        found = verdicts([REFUSED, *between, at_minutes(REFUSED, minutes)])
        assert (found[0].reason, found[0].severity) == (Reason.REFUSED_AGAIN, Severity.ACT)
        assert not found[-1].actionable


# ------------------------------------------------------------ 3: final refusals

FINAL = [
    ("VmbusVdev", 23012), ("VmbusVdev", 23013), ("UiDevices", 32719), ("UiDevices", 32720),
    ("Serial", 12322), ("Serial", 12323), ("Chipset", 18608), ("Chipset", 18609),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "number"), FINAL)
def test_3_a_final_refusal_is_to_act_on_and_a_failure(provider: str, number: int) -> None:
    final = plain(provider, number)
    verdict = hv.classify(final, LINUX)
    assert (verdict.reason, verdict.severity) == (Reason.NO_COMMON_VERSION, Severity.ACT)
    assert verdicts([REFUSED, at_minutes(final, 5)])[0].reason is Reason.REFUSED_THEN_FAILURE


def test_3_a_final_refusal_of_one_component_is_no_failure_of_another() -> None:
    final = at_minutes(device(32719, "3.5", "4.0", "named", "UiDevices"), 5)  # the display
    assert verdicts([REFUSED, final])[0].proven


# ------------------------------------------------------------ 4: what only Windows speaks


@pytest.mark.parametrize("system", ["linux", "freebsd"])
@pytest.mark.parametrize(
    "spoken", [RDV, device(23014, "3.5", "3.3"), integration(versions=("1.0", "3.0", "5.0", "5.0"))]
)
def test_4_a_guest_that_is_not_windows_does_not_speak_what_only_windows_does(
    system: str, spoken: EventRecord
) -> None:
    verdict = hv.classify(spoken, guests(system))
    assert (verdict.reason, verdict.severity) == (Reason.INVENTORY_CONTRADICTED, Severity.CHECK)


# ------------------------------------------------------------ 5: across the events of one VM


@pytest.mark.parametrize("shown", [RDV, device(23014, "3.3", "3.3"), device(23012, "3.3", "3.5")])
@pytest.mark.parametrize("days", [0, 0.001, 30])
@pytest.mark.parametrize(
    "event", [storvsp(6, "6.0", "5.1"), integration(), REFUSED, network(26, "327680", "393217")]
)
def test_5_what_only_windows_speaks_voids_the_rows_taken_before(
    shown: EventRecord, days: float, event: EventRecord
) -> None:
    if shown.event_id == 23014:
        shown = device(23014, "3.5", "3.3")
    for order in ([shown, at_minutes(event, days * 1440)], [event, at_minutes(shown, days * 1440)]):
        for verdict in verdicts(order):
            assert verdict.actionable


def test_5_a_row_taken_after_counts_for_later_starts_as_an_assumption() -> None:
    inventory = taken(MOMENT + timedelta(days=1))
    earlier, same = storvsp(6, "6.0", "5.1"), at_minutes(storvsp(6, "6.0", "5.1"), 2)
    later = at_minutes(storvsp(6, "6.0", "5.1"), 3 * 1440)
    shown, started = at_minutes(RDV, 1), at_minutes(plain("Worker", 18500, 4), 2 * 1440)
    found = verdicts([earlier, shown, same, started, later], inventory)
    assert found[0].actionable
    assert found[2].actionable
    assert found[-1].assumptions == (Assumption.GUEST_SYSTEM,)


def test_5_versions_of_two_starts_show_no_guest() -> None:
    unknown = hv.GuestInventory()
    kvp, storage = integration(), storvsp(5, "6.0", "6.2")
    together = verdicts([storage, at_minutes(kvp, 1)], unknown)
    assert (together[1].proven, together[1].basis) == (True, Basis.GUEST_INFERENCE)
    apart = verdicts([storage, at_minutes(kvp, 60)], unknown)
    assert apart[1].assumptions == (Assumption.GUEST_SYSTEM,)
    restarted = [storage, at_minutes(plain("Worker", 18514, 4), 0.5), at_minutes(kvp, 1)]
    assert verdicts(restarted, unknown)[2].assumptions == (Assumption.GUEST_SYSTEM,)


def test_5_two_versions_that_one_guest_does_not_have_show_no_guest() -> None:
    events = [REFUSED, at_minutes(storvsp(6, "6.0", "5.1"), 1), at_minutes(integration(), 2)]
    assert not any(verdict.proven for verdict in verdicts(events, hv.GuestInventory()))


def test_5_what_a_doubtful_record_shows_speaks_against_a_row_too() -> None:
    for wrong in (Origin(anomalies=("its chunk's checksum is wrong",)), Origin(recovered=True)):
        shown = RDV._replace(origin=wrong)
        for verdict in verdicts([shown, at_minutes(storvsp(6, "6.0", "5.1"), 1)]):
            assert verdict.actionable


def test_5_a_vm_that_reports_more_versions_than_are_kept_is_assumed_at_most() -> None:
    many = [at_minutes(storvsp(6, f"6.{number}", "5.1"), number) for number in range(2, 300)]
    found = verdicts([storvsp(6, "6.0", "5.1"), REFUSED, *many, at_minutes(RDV, 400)])
    assert not found[0].proven
    assert not found[1].proven


# ------------------------------------------------------------ nothing that is taken away proves more


@given(st.data())
def test_what_is_taken_away_never_makes_a_refusal_proven(data: st.DataObject) -> None:
    """The inventory, the failures, the tail of the window, or a channel."""
    choices = [
        plain("Chipset", 18605), plain("Worker", 18514, 4), plain("Worker", 12888), plain("VMMS", 20415, 4), RDV,
        storvsp(6, "6.0", "5.1"), integration(), REFUSED, plain("VMMS", 13002, 4), device(23012, "3.3", "3.5"),
    ]  # fmt: skip
    others = [
        at_minutes(one, data.draw(st.floats(-20, 20)))
        for one in data.draw(st.lists(st.sampled_from(choices), max_size=5))
    ]
    events = [REFUSED, *others]
    if verdicts(events)[0].proven:
        return
    assert not verdicts(events, hv.GuestInventory())[0].proven
    assert not verdicts([REFUSED], coverage=covered(T - HOUR, T + HOUR // 12))[0].proven
    assert not verdicts([REFUSED], coverage=covered(T - HOUR, T + HOUR, *CHANNELS[1:]))[0].proven


def test_a_triage_of_events_of_which_nothing_is_known_assumes_what_follows() -> None:
    builder = TriageBuilder(Classifier(LINUX))
    builder.take([REFUSED], hv.triage([REFUSED], guests=LINUX).report)
    (group,) = hv.triage([REFUSED], guests=LINUX).groups
    assert group.verdict.assumptions == (Assumption.WHAT_FOLLOWS,)
    assert ticks_from_datetime(MOMENT) == T // 10 * 10
