"""Kinds 6 to 12 of unmarked false "ignorable", and what is noise."""

from __future__ import annotations

from datetime import timedelta

import pytest

import hvdegraded as hv
from hvdegraded.verdicts.verdict import Assumption, Reason, Severity
from tests.tools.seen_together import (
    LINUX,
    MOMENT,
    REFUSED,
    taken,
    verdicts,
)
from tests.tools.verdict_cases import (
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
