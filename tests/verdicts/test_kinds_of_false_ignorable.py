"""The kinds of unmarked false "ignorable" that simulated guests and an oracle found, each closed as a kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.findings.builder import TriageBuilder
from hvdegraded.records.coverage import ChannelCoverage, Coverage
from hvdegraded.records.record import Caveat, EventRecord, Origin
from hvdegraded.timestamps import ticks_from_datetime
from hvdegraded.verdicts.classifier import Classifier
from hvdegraded.verdicts.history import History
from hvdegraded.verdicts.verdict import Assumption, Basis, Reason, Severity, Verdict
from tests.tools.routes import ROUTES
from tests.tools.verdict_cases import (
    HV,
    ID,
    OTHER_ID,
    VM,
    at_minutes,
    device,
    guests,
    integration,
    network,
    plain,
    record,
    storvsp,
    unnamed,
)

T = storvsp(5, "6.0", "6.2").time_ticks or 0
HOUR = 60 * 600_000_000
CHANNELS = tuple(f"{HV}{name}-Admin" for name in ("Worker", "VMMS", "SynthStor", "SynthNic", "StorageVSP"))
LINUX = guests("linux")
REFUSED = storvsp(5, "6.0", "6.2")
RDV = integration("-RDV", versions=("3.0", "3.0", "1.0", "3.0"))
TIME_SYNC = integration("-TimeSync", versions=("3.0", "3.0", "3.0", "4.0"))


def covered(first: int = T - HOUR, last: int = T + HOUR, *channels: str) -> ChannelCoverage:
    return ChannelCoverage(Coverage("hv1", channel, first, last) for channel in channels or CHANNELS)


def verdicts(
    records: list[EventRecord], inventory: hv.GuestInventory = LINUX, coverage: ChannelCoverage | None = None
) -> list[Verdict]:
    """The verdicts on events seen together, by default with all channels read whole."""
    classifier = Classifier(inventory)
    history = History()
    for one in records:
        classifier.observe(one, history)
    history.coverage = covered() if coverage is None else coverage
    return [classifier.classify(one, history) for one in records]


def taken(when: datetime | None, system: str = "Ubuntu 22.04.4 LTS", **row: Any) -> hv.GuestInventory:
    cells = {"Name": VM, "Id": ID, "OSName": system, **row}
    if when is not None:
        cells["Taken"] = when.isoformat()
    return hv.GuestInventory.load([cells])


MOMENT = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=T // 10)


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


# ------------------------------------------------------------ 6: values without a place


@pytest.mark.parametrize(
    "values",
    [
        ("", VM, "6.0", "", ID), ("", VM, "", "5.1", ID), ("", "", "6.0", "5.1", ID), ("", VM, "6.0", "-1", ID),
        ("", VM, "6.0", "1e3", ID), ("", VM, "6.0", "5.1", ID, "4.2"), ("", VM, "6.0", "5.1", ID, OTHER_ID),
    ],
)  # fmt: skip
def test_6_a_value_without_a_place_where_another_is_missing_is_a_contradiction(
    values: tuple[str, ...],
) -> None:
    for number, level in ((5, 2), (6, 3)):
        verdict = hv.classify(record("storvsp", number, level, unnamed(*values)), LINUX)
        assert verdict.actionable


def test_6_one_insert_more_beside_complete_values_blocks_nothing() -> None:
    values = unnamed("", VM, "6.0", "5.1", ID, "an insert that nobody has seen")
    assert hv.classify(record("storvsp", 6, 3, values), LINUX).proven


# ------------------------------------------------------------ 7: displays


def test_7_a_display_of_3_0_on_a_newer_host_is_not_of_linux_and_shows_nothing_else() -> None:
    for host in ("3.2", "3.3", "3.5"):
        assert hv.classify(device(23014, host, "3.0"), LINUX).reason is Reason.INVENTORY_CONTRADICTED
        assert hv.classify(device(23014, host, "3.0")).assumptions == (Assumption.GUEST_SYSTEM,)
    assert hv.classify(device(23014, "3.3", "3.2"), LINUX).proven


def test_7_linux_is_not_refused_with_3_5_by_a_host_of_2012_or_2012_r2() -> None:
    for host in ("3.2", "3.3"):
        assert hv.classify(device(23012, host, "3.5"), LINUX).reason is Reason.INVENTORY_CONTRADICTED
    assert hv.classify(device(23012, "3.0", "3.5"), LINUX).reason is Reason.REFUSED_UNPROVEN


# ------------------------------------------------------------ 8: releases


def test_8_an_upstream_kernel_that_cannot_have_spoken_so_contradicts() -> None:
    for system, version in (("Linux 5.19.4", None), ("Linux", "6.1.12")):
        inventory = hv.GuestInventory.load([{"Name": VM, "Id": ID, "OSName": system, "OSVersion": version}])
        verdict = hv.classify(storvsp(6, "6.0", "4.2"), inventory)
        assert (verdict.reason, verdict.severity) == (Reason.INVENTORY_CONTRADICTED, Severity.CHECK)


def test_8_the_name_of_a_distribution_does_not() -> None:
    assert hv.classify(storvsp(6, "6.0", "4.2"), taken(None, OSVersion="6.1.0-18-amd64")).proven


@pytest.mark.parametrize(
    ("kernel", "severity"), [("4.4.0-21-generic", Severity.CHECK), ("6.1.0-18-amd64", Severity.ACT)]
)
def test_8_a_kernel_number_proves_no_fallback_on_old_hosts(kernel: str, severity: Severity) -> None:
    verdict = hv.classify(storvsp(5, "4.2", "6.2"), taken(None, OSVersion=kernel))
    assert (verdict.reason, verdict.severity) == (Reason.REFUSED_UNPROVEN, severity)


# ------------------------------------------------------------ 9: repeated names in other spellings


@pytest.mark.parametrize(
    "more", [("VmId_1", OTHER_ID), ("vm_id", OTHER_ID), ("VmName_2", "db02"), ("ServerVersion.1", "3.5")]
)
def test_9_a_second_value_under_another_spelling_is_a_contradiction(more: tuple[str, str]) -> None:
    event = device(23014, "3.3", "3.2", "named")
    assert hv.classify(event._replace(data=(*event.data, more)), LINUX).actionable


def test_9_unnamed_values_that_a_route_numbers_are_unnamed_values() -> None:
    values = ("", VM, "6.0", "5.1", ID)
    data = tuple((f"Data_{n}" if n else "Data", value) for n, value in enumerate(values))
    assert hv.classify(record("storvsp", 6, 3, data), LINUX).proven
    assert hv.classify(record("storvsp", 6, 3, (*data, ("Data_9", OTHER_ID))), LINUX).actionable


# ------------------------------------------------------------ 10: the inventory's age


def test_10_a_row_that_is_much_older_than_the_event_is_an_assumption() -> None:
    event = storvsp(6, "6.0", "5.1")
    assert hv.classify(event, taken(MOMENT - timedelta(days=30))).proven
    assert hv.classify(event, taken(MOMENT + timedelta(days=300))).proven
    assert hv.classify(event, taken(MOMENT - timedelta(days=91))).assumptions == (Assumption.GUEST_SYSTEM,)


@pytest.mark.parametrize("number", [13002, 13003])
def test_10_a_vm_made_between_the_row_and_the_event_is_an_assumption(number: int) -> None:
    made = plain("VMMS", number, 4)
    event = at_minutes(storvsp(6, "6.0", "5.1"), 60)
    between = verdicts([made, event], taken(MOMENT - timedelta(days=1)))[1]
    assert between.assumptions == (Assumption.GUEST_SYSTEM,)
    assert verdicts([made, event], taken(MOMENT + timedelta(minutes=30)))[1].proven


# ------------------------------------------------------------ 11: failures that did not count

FAILURES = [
    *(("Worker", number) for number in (18524, 18528, 18602, 18604, 3030, 3050, 12888)),
    ("SynthNic", 12560), ("SynthNic", 12562), ("SynthNic", 12666), ("SynthStor", 12999), ("UiDevices", 12777),
    ("VmbusVdev", 23999), ("Chipset", 18999), ("StorageVSP", 99),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "number"), FAILURES)
def test_11_failures_and_unknown_errors_of_a_vms_devices_count(provider: str, number: int) -> None:
    failure = at_minutes(plain(provider, number), 5)
    forms = [
        failure,
        failure._replace(data=(("VmId", ID),)),
        failure._replace(data=(("VmName", VM),)),
        failure._replace(data=(("VmName", f" {VM.upper()}\u200b"),)),
        failure._replace(computer=""),
        failure._replace(computer="HV1.corp.example"),
        failure._replace(data=()),
    ]
    for form in forms:
        assert verdicts([REFUSED, form])[0].reason is Reason.REFUSED_THEN_FAILURE, form


def test_11_a_failure_on_the_host_to_which_the_vm_moved_counts() -> None:
    moved = at_minutes(plain("VMMS", 20415, 4), 2)
    failure = at_minutes(plain("Worker", 12010), 5)._replace(computer="hv2", data=(("VmName", VM),))
    assert verdicts([REFUSED, moved, failure])[0].reason is Reason.REFUSED_THEN_FAILURE


def test_11_a_failure_that_nothing_ties_to_the_vm_leaves_it_assumed() -> None:
    by_name = device(23012, "3.3", "3.4")._replace(data=(("VmName", VM),))
    assert not hv.classify(by_name, LINUX).proven
    refused = storvsp(5, "6.0", "6.2", "named")
    refused = refused._replace(data=tuple(pair for pair in refused.data if pair[0] != "VmName"))
    failure = at_minutes(plain("Worker", 12010), 5)._replace(data=(("VmName", VM),))
    inventory = hv.GuestInventory.load({ID: "Ubuntu 22.04"})
    assert not verdicts([refused, failure], inventory)[0].proven


# ------------------------------------------------------------ 12: messages


def test_12_a_message_counts_if_it_can_be_read_in_one_way() -> None:
    event = storvsp(6, "6.0", "5.1", "message")
    assert hv.classify(event, LINUX).proven
    assert hv.classify(event._replace(level=None), LINUX).actionable
    text = event.message or ""
    for name in ("a in 'ubuntu01', Server version 3.3", "web01 (x)", "we'b", "web01\r\n"):
        forged = event._replace(rendering=(("Message", text.replace(VM, name)),))
        assert hv.classify(forged, LINUX).actionable, name


# ------------------------------------------------------------ and noise


def test_time_synchronisation_of_an_old_windows_guest_asks_for_nothing() -> None:
    old = guests("windows")  # 2012 R2
    event = integration("", versions=("3.0", "3.0", "3.0", "4.0"))
    verdict = hv.classify(event, old)
    assert (verdict.actionable, verdict.severity) == (True, Severity.NONE)
    assert "KB 4014894" in verdict.references
    exchange = hv.classify(integration("", versions=("3.0", "3.0", "4.0", "5.0")), old)
    assert exchange.severity is Severity.CHECK
    other = hv.classify(integration("-Heartbeat", versions=("3.0", "3.0", "3.0", "3.1")), old)
    assert other.severity is Severity.CHECK


def test_a_refusal_that_names_no_vm_is_at_most_to_check() -> None:
    for number in (2, 3, 4, 5):
        assert hv.classify(record("vmbus", number, 2, unnamed("", "3"))).severity is Severity.CHECK


def test_freebsd_is_not_left_without_storage_or_network_on_hosts_of_2012_and_later() -> None:
    for event in (storvsp(5, "5.1", "6.2"), storvsp(5, "6.0", "6.2"), network(26, "262144", "327680")):
        (verdict,) = verdicts([event], guests("freebsd"))
        assert verdict.proven


# ------------------------------------------------------------ nothing that is taken away proves more


@given(st.data())
@settings(max_examples=60, deadline=None)
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
