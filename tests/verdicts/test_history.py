"""What happened around an event counts: failures, versions that give a guest away."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.findings.builder import triage
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.records.record import EventRecord, Origin
from hvdegraded.verdicts.classifier import Classifier
from hvdegraded.verdicts.verdict import Basis, Label, Reason
from tests.tools.verdict_cases import (
    HV,
    ID,
    MINUTE,
    REFUSED,
    VM,
    at,
    device,
    guests,
    integration,
    plain,
    record,
    storvsp,
)


def verdicts(events: list[EventRecord], inventory: GuestInventory) -> list[tuple[int, Label, Reason]]:
    found = Classifier(inventory).classify_all(events)
    return [(event.event_id, verdict.label, verdict.reason) for event, verdict in found]


@pytest.mark.parametrize(
    ("failure", "minutes", "ignorable"),
    [
        (plain("Chipset", 18605), 2, False),
        (plain("Worker", 12010), 9.9, False),
        (plain("SynthStor", 12140), 0, False),
        (plain("Chipset", 18605), 10.1, True),
        (plain("Chipset", 18605), -1, True),
        (plain("VMMS", 19100), 2, True),
    ],
)
def test_a_refusal_before_a_failure_of_the_same_vm(
    failure: EventRecord, minutes: float, ignorable: bool
) -> None:
    found = Classifier(guests("linux")).classify_all([REFUSED, at(failure, minutes)])
    verdict = next(found)[1]
    assert verdict.ignorable is ignorable
    if not ignorable:
        assert verdict.reason is Reason.REFUSED_THEN_FAILURE
        assert str(failure.event_id) in verdict.summary


def test_a_failure_of_another_vm_changes_nothing() -> None:
    other = record(HV + "Chipset", 18605, 2, (("VmName", "db02"), ("VmId", "0" * 8 + ID[8:])))
    assert next(Classifier(guests("linux")).classify_all([REFUSED, at(other, 1)]))[1].ignorable


def test_a_failure_that_names_the_vm_only() -> None:
    by_name = record(HV + "Chipset", 18605, 2, (("VmName", VM),))
    assert next(Classifier(guests("linux")).classify_all([REFUSED, at(by_name, 1)]))[1].actionable


@pytest.mark.parametrize(
    ("vm", "host", "ignorable"),
    [
        (f"(Virtual machine ID {ID})", "hv2", False),
        (f"(Virtual machine ID {'0' * 8 + ID[8:]})", "hv1", True),
        ("(ID des virtuellen Computers: ?)", "HV1.example.org", False),  # it may be any VM of this host
        ("(ID des virtuellen Computers: ?)", "hv2", True),
    ],
)
def test_a_failure_of_which_a_route_kept_the_message_only(vm: str, host: str, ignorable: bool) -> None:
    failure = record(HV + "Worker", 12010, 2, (), f"Failed to power on. {vm}")._replace(computer=host)
    found = Classifier(guests("linux")).classify_all([REFUSED, at(failure, 1)])
    assert next(found)[1].ignorable is ignorable


def test_a_vm_that_gives_its_guest_away_needs_no_inventory() -> None:
    kvp, disk = integration(), storvsp(6, "6.2", "6.2")._replace(data=storvsp(6, "6.3", "6.2").data)
    found = {event.event_id: verdict for event, verdict in Classifier().classify_all([kvp, disk])}
    assert found[4010].ignorable
    assert not found[4010].assumed
    assert found[4010].basis is Basis.GUEST_INFERENCE


@given(st.randoms(use_true_random=False))
def test_order_of_input_changes_no_verdict(shuffled: random.Random) -> None:
    events = [
        *(at(REFUSED, 60 * hour) for hour in range(6)),
        at(plain("Chipset", 18605), 121),
        at(record(HV + "Chipset", 18605, 2, (("VmName", VM),)), 245),
        *(at(integration(), 60 * hour + 1) for hour in range(4)),
        storvsp(6, "6.3", "6.2"),
    ]
    order = list(range(len(events)))
    straight = dict(zip(order, verdicts(events, guests("unknown")), strict=True))
    shuffled.shuffle(order)
    mixed = verdicts([events[place] for place in order], guests("unknown"))
    assert dict(zip(order, mixed, strict=True)) == straight


def test_many_failures_stay_bounded_and_only_turn_more_actionable() -> None:
    events = [at(plain("Chipset", 18605), 3 * number) for number in range(3000)]
    events.append(at(REFUSED, 3 * 1000 + 1))
    *_, last = Classifier(guests("linux")).classify_all(events)
    assert last[1].actionable


def test_a_failure_is_not_hidden_by_a_later_one_of_the_same_minute() -> None:
    """The first is within ten minutes of the refusal, the second is not."""
    start = REFUSED._replace(time_ticks=(REFUSED.time_ticks or 0) // MINUTE * MINUTE + MINUTE // 2)
    within, beyond = plain("Chipset", 18605), plain("Worker", 12010)
    ticks = start.time_ticks or 0
    within = within._replace(time_ticks=ticks + 10 * MINUTE - MINUTE // 4)
    beyond = beyond._replace(time_ticks=ticks + 10 * MINUTE + MINUTE // 4)
    for events in ([start, within, beyond], [beyond, within, start]):
        found = {
            event.event_id: verdict for event, verdict in Classifier(guests("linux")).classify_all(events)
        }
        assert found[5].reason is Reason.REFUSED_THEN_FAILURE
        assert "18605" in found[5].summary


@pytest.mark.parametrize(
    "failure", [("Worker", 18590), ("Worker", 18540), ("SynthNic", 12570), ("UiDevices", 12541)]
)
def test_crashes_and_lost_devices_count_as_failures(failure: tuple[str, int]) -> None:
    events = [REFUSED, at(plain(*failure), 3)]
    assert next(Classifier(guests("linux")).classify_all(events))[1].reason is Reason.REFUSED_THEN_FAILURE


def test_a_failure_after_the_vm_moved_or_by_a_host_named_in_full() -> None:
    moved = at(plain("Chipset", 18605), 3)._replace(computer="hv2")
    by_name = record(HV + "Chipset", 18605, 2, (("VmName", VM.upper()),))
    in_full = at(by_name, 3)._replace(computer="HV1.example.org")
    for failure in (moved, in_full):
        found = Classifier(guests("linux")).classify_all([REFUSED, failure])
        assert next(found)[1].reason is Reason.REFUSED_THEN_FAILURE
    elsewhere = at(by_name, 3)._replace(computer="hv2")
    assert next(Classifier(guests("linux")).classify_all([REFUSED, elsewhere]))[1].ignorable


def test_a_refusal_without_a_time_is_followed_by_any_failure() -> None:
    untimed, timed = REFUSED._replace(time_ticks=None), at(REFUSED, 60)
    events = [timed, untimed, plain("Chipset", 18605)]
    parts = triage(events, guests=guests("linux")).groups
    reasons = {part.verdict.reason: list(part.ticks) for part in parts if part.event_id == 5}
    assert reasons == {
        Reason.REFUSED_WITH_FALLBACK: [timed.time_ticks],
        Reason.REFUSED_THEN_FAILURE: [-1],
    }


@pytest.mark.parametrize("ticks", [(1 << 63) - 5, 1 << 63, (1 << 64) - MINUTE - 1])
def test_times_of_the_year_30828_and_later_end_no_triage_and_hide_no_failure(ticks: int) -> None:
    refused = REFUSED._replace(time_ticks=ticks, payload="EventData")
    failure = plain("Chipset", 18605)._replace(time_ticks=ticks + MINUTE)
    assert not next(Classifier(guests("linux")).classify_all([refused, failure]))[1].ignorable
    found = triage(evtx_bytes([refused._replace(record_id=number) for number in range(1, 6)]))
    assert sum(group.count for group in found.groups) == 5


def test_any_event_can_tell_that_a_name_and_an_id_are_one_vm() -> None:
    data = (("VMId", ID), ("ServerVersion", "327680"), ("ClientVersion", "393217"))
    by_id = record(HV + "VmSwitch", 26, 2, data)
    by_name = record(HV + "Chipset", 18605, 2, (("VmName", VM),))
    known = GuestInventory.load({ID: "Ubuntu"})
    events = [by_id, at(by_name, 1)]
    assert next(Classifier(known).classify_all(events))[1].reason is not Reason.REFUSED_THEN_FAILURE
    events.append(plain("VMMS", 13002, 4))
    assert next(Classifier(known).classify_all(events))[1].reason is Reason.REFUSED_THEN_FAILURE


def giving_away() -> list[EventRecord]:
    return [integration(), storvsp(5, "6.0", "6.2")]


def inferred(events: list[EventRecord]) -> bool:
    found = [v for event, v in Classifier().classify_all(events) if event.event_id == 4010]
    return all(verdict.basis is Basis.GUEST_INFERENCE for verdict in found)


def test_a_guest_is_inferred_from_sound_events_of_one_id_only() -> None:
    assert inferred(giving_away())
    kvp, disk = giving_away()
    damaged = disk._replace(origin=Origin("evtx", anomalies=("mangled",)))
    assert not inferred([kvp, damaged])
    assert not inferred([kvp, disk, damaged])  # nor beside a sound one: it may be of another VM
    nameless = [event._replace(data=tuple(p for p in event.data if p[1] != ID)) for event in (kvp, disk)]
    assert not inferred(nameless)  # two VMs can have one name
    assert not inferred([kvp, nameless[1]])
    # At some time it spoke what only Windows speaks.
    assert not inferred([kvp, disk, device(23014, "3.5", "3.3")])
    assert not inferred([kvp, disk, integration(versions=("1.0", "3.0", "5.0", "5.0"))])


def test_events_that_come_one_by_one_get_the_same_verdicts() -> None:
    events = [*giving_away(), *(at(REFUSED, number) for number in range(5)), at(plain("Chipset", 18605), 3)]
    straight = verdicts(events, guests("unknown"))
    streamed = [
        (event.event_id, verdict.label, verdict.reason)
        for event, verdict in Classifier(guests("unknown")).classify_all(iter(events))
    ]
    assert streamed == straight


@pytest.mark.slow
def test_long_logs_stay_bounded_in_memory() -> None:
    """State per VM, not per event: the records themselves, 2 kB each, wait on disk."""

    def stream(count: int) -> Iterator[EventRecord]:
        for number in range(count):
            event = at((REFUSED, integration(), plain("Chipset", 18605))[number % 3], number % 90)
            yield event._replace(record_id=number, rendering=(("Message", f"{number % 100:02}" * 500),))

    classifier = Classifier(guests("linux"))
    assert sum(1 for _ in classifier.classify_all(stream(3))) == 3  # tables are read with their first event
    tracemalloc.start()
    assert sum(1 for _ in classifier.classify_all(stream(3000), in_memory=1 << 16)) == 3000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3000 * 1000


def test_a_failure_on_the_host_that_a_vm_moved_to_is_named_with_it() -> None:
    """After a live migration, half of the story stands in the logs of another host."""
    failure = at(plain("Worker", 12030), 2)
    for host, named in (("hv2.example.org", True), ("HV1.example.org", False)):
        verdict = next(Classifier(guests("linux")).classify_all([REFUSED, failure._replace(computer=host)]))[
            1
        ]
        assert verdict.actionable
        assert (", on hv2.example.org, where the VM was by then" in verdict.summary) is named
        assert "12030" in verdict.summary
