"""What each event is, derived by hand from the facts: shapes, outcomes, guests and host generations."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from hvdegraded.classify import classify
from hvdegraded.record import EventRecord
from hvdegraded.verdict import Label, Reason
from tests.verdict_cases import (
    HV,
    ID,
    VM,
    device,
    guests,
    integration,
    network,
    plain,
    positional,
    record,
    storvsp,
    unnamed,
)

IGNORABLE, ACTIONABLE = Label.IGNORABLE, Label.ACTIONABLE
MISMATCH = "KB 2956569, KB 2894285: it works; noise but for Windows"
FALLBACK = "KB 972108 and the protocol tables"


class Case(NamedTuple):
    name: str
    event: EventRecord
    guest: str
    label: Label
    reason: Reason
    source: str


def loaded(name: str, event: EventRecord) -> list[Case]:
    """A mismatch that works is what the guest makes of it."""
    return [
        Case(f"{name}, Windows", event, "windows", ACTIONABLE, Reason.LOADED_WINDOWS, MISMATCH),
        Case(f"{name}, Linux", event, "linux", IGNORABLE, Reason.LOADED_NON_WINDOWS, MISMATCH),
        Case(f"{name}, FreeBSD", event, "freebsd", IGNORABLE, Reason.LOADED_NON_WINDOWS, MISMATCH),
        Case(f"{name}, unknown", event, "unknown", IGNORABLE, Reason.LOADED_UNKNOWN, MISMATCH),
        Case(f"{name}, conflict", event, "conflict", ACTIONABLE, Reason.LOADED_UNKNOWN, "rows disagree"),
    ]


def one(
    name: str, event: EventRecord, guest: str, label: Label, reason: Reason, source: str = FALLBACK
) -> list[Case]:
    return [Case(f"{name}, {guest}", event, guest, label, reason, source)]


def in_all_guests(name: str, event: EventRecord, reason: Reason, source: str) -> list[Case]:
    return [
        Case(f"{name}, {guest}", event, guest, ACTIONABLE, reason, source)
        for guest in ("windows", "linux", "unknown")
    ]


UNPROVEN, WITH_FALLBACK = Reason.REFUSED_UNPROVEN, Reason.REFUSED_WITH_FALLBACK
INCOMPLETE, PROBLEM, WATCH = Reason.INCOMPLETE_EVIDENCE, Reason.KNOWN_PROBLEM, Reason.WATCH
SECTION_2, SECTION_6 = "domain facts, version events", "domain facts, known problems"

CASES: list[Case] = [
    # Loaded: storage, by host generation and shape.
    *loaded("storvsp 6 on 2008 R2, guest 2.0", storvsp(6, "4.2", "2.0")),
    *loaded("storvsp 6 on 2012, guest 4.2", storvsp(6, "5.1", "4.2")),
    *loaded("storvsp 6 on 2012 R2, guest 5.1", storvsp(6, "6.0", "5.1")),
    *loaded("storvsp 6 without device name", storvsp(6, "6.0", "5.1", "listed")),
    *loaded("storvsp 6 by Winlogbeat", storvsp(6, "6.0", "5.1", "param")),
    *loaded("storvsp 6, message only", storvsp(6, "6.0", "5.1", "message")),
    # Loaded: display (the real pair of a 2012 R2 host).
    *loaded("Worker 23014 positional", device(23014, "3.3", "3.2")),
    *loaded("Worker 23014 named", device(23014, "3.3", "3.2", "named")),
    *loaded("Worker 23014 unnamed", device(23014, "3.3", "3.2", "unnamed")),
    *loaded("Worker 23014 message", device(23014, "3.3", "3.2", "message")),
    *loaded("VMMS 23014", device(23014, "3.3", "3.2", provider="VMMS")),
    # Loaded: integration services, 2008 to 2025.
    *loaded("4010 positional", integration()),
    *loaded("4010 named", integration(shape="named")),
    *loaded("4010 message", integration(shape="message")),
    *loaded("4010 unnamed", integration(shape="unnamed")),
    *loaded("4010 on 2008, no versions", integration(shape="2008")),
    *loaded("4010 on 2016 and later", integration("")),
    *loaded("4010 heartbeat", integration("-Heartbeat", versions=("3.0", "3.0", "3.0", "3.1"))),
    *loaded("4010 time synchronisation", integration("-TimeSync", versions=("3.0", "3.0", "3.0", "4.0"))),
    *loaded("4010 framework differs", integration("-Shutdown", versions=("1.0", "3.0", "3.0", "3.2"))),
    # Loaded, but of believed id: only where versions and level bear it out.
    *loaded("VMSMP 27 with versions", network(27, "327680", "196610")),
    *loaded("VmSwitch 27 with versions", network(27, "327680", "196610", "named")),
    *in_all_guests(
        "VMSMP 27 without versions",
        record("VMSMP", 27, 3, unnamed("", VM, ID)),
        INCOMPLETE,
        "row is believed",
    ),
    *in_all_guests(
        "VMSMP 27 as error", network(27, "327680", "196610")._replace(level=2), INCOMPLETE, "row is believed"
    ),
    # Loaded, but contradicted or without a VM.
    *in_all_guests("storvsp 6 as error", storvsp(6, "6.0", "5.1")._replace(level=2), INCOMPLETE, SECTION_2),
    *in_all_guests("storvsp 6, equal versions", storvsp(6, "6.0", "6.0"), INCOMPLETE, SECTION_2),
    *in_all_guests("storvsp 6 with nothing", record("storvsp", 6, 3, ()), INCOMPLETE, SECTION_2),
    *in_all_guests(
        "4010, all equal", integration(versions=("3.0", "3.0", "5.0", "5.0")), INCOMPLETE, SECTION_2
    ),
    *in_all_guests("23014 with nothing", record(HV + "Worker", 23014, 3, ()), INCOMPLETE, SECTION_2),
    # Refused: the two traps.
    *one("2008 R2 guest on 2008", storvsp(5, "2.0", "4.2"), "windows", IGNORABLE, WITH_FALLBACK),
    *one(
        "2008 R2 guest on 2008, message",
        storvsp(5, "2.0", "4.2", "message"),
        "windows",
        IGNORABLE,
        WITH_FALLBACK,
    ),
    *one("2008 R2 guest on 2008, network", network(26, "2", "196610"), "windows", IGNORABLE, WITH_FALLBACK),
    *one("storage 4.2 on 2008", storvsp(5, "2.0", "4.2"), "unknown", IGNORABLE, WITH_FALLBACK),
    *one(
        "storage 4.2 on 2008",
        storvsp(5, "2.0", "4.2"),
        "linux",
        ACTIONABLE,
        UNPROVEN,
        "Linux 5.19 dropped 2.0",
    ),
    *one(
        "storage 6.2 on 2008 R2",
        storvsp(5, "4.2", "6.2"),
        "linux",
        ACTIONABLE,
        UNPROVEN,
        "mikopbx/Core issue 746",
    ),
    *one(
        "storage 5.1 on 2008 R2",
        storvsp(5, "4.2", "5.1"),
        "linux",
        ACTIONABLE,
        UNPROVEN,
        "kernel source 5.19",
    ),
    *one(
        "storage 6.2 on 2008 R2",
        storvsp(5, "4.2", "6.2"),
        "unknown",
        ACTIONABLE,
        UNPROVEN,
        "kernel source 5.19",
    ),
    # Refused: newer kernels on older hosts fall back.
    *one("storage 6.2 on 2012", storvsp(5, "5.1", "6.2"), "linux", IGNORABLE, WITH_FALLBACK),
    *one("storage 6.0 on 2012", storvsp(5, "5.1", "6.0"), "linux", IGNORABLE, WITH_FALLBACK),
    *one("storage 6.2 on 2012 R2", storvsp(5, "6.0", "6.2"), "linux", IGNORABLE, WITH_FALLBACK),
    *one(
        "storage 6.2 on 2012 R2",
        storvsp(5, "6.0", "6.2"),
        "freebsd",
        IGNORABLE,
        WITH_FALLBACK,
        "FreeBSD offers 6.0",
    ),
    *one(
        "storage 6.2 on 2012 R2",
        storvsp(5, "6.0", "6.2"),
        "unknown",
        ACTIONABLE,
        UNPROVEN,
        "DragonFly offers 6.2 only",
    ),
    *one(
        "display 3.5 on 2012 R2",
        device(23012, "3.3", "3.5"),
        "linux",
        IGNORABLE,
        WITH_FALLBACK,
        "Linux has 3.2 too",
    ),
    *one("display, named", device(23012, "3.3", "3.5", "named"), "linux", IGNORABLE, WITH_FALLBACK),
    *one("display, message", device(23012, "3.3", "3.5", "message"), "linux", IGNORABLE, WITH_FALLBACK),
    # Refused: nothing proven.
    *in_all_guests("storage 7.0", storvsp(5, "6.2", "7.0"), UNPROVEN, "no table knows it"),
    *in_all_guests("storage of an unknown host", storvsp(5, "6.1", "6.2"), UNPROVEN, "no table knows it"),
    *in_all_guests("refused but not newer", storvsp(5, "6.2", "6.0"), UNPROVEN, "no case for a fallback"),
    *in_all_guests(
        "refused without versions", record("storvsp", 5, 2, unnamed("", VM, ID)), UNPROVEN, SECTION_2
    ),
    *in_all_guests("vmbus 2", record("vmbus", 2, 2, unnamed("")), UNPROVEN, SECTION_2),
    *in_all_guests("vmbusr 4", record("vmbusr", 4, 2, unnamed("", "3", "1.1")), UNPROVEN, SECTION_2),
    *in_all_guests("vmbus 5", record("vmbus", 5, 2, unnamed("", "3")), UNPROVEN, SECTION_2),
    *in_all_guests(
        "vmbus 3 without a VM", record("vmbus", 3, 2, unnamed("", "3", "1.1", "0.13")), UNPROVEN, SECTION_2
    ),
    *in_all_guests("netvsc 12", record("netvsc", 12, 3, unnamed("", "3.2")), UNPROVEN, SECTION_2),
    *in_all_guests("Integration 4000", plain("Integration-VSS", 4000), UNPROVEN, SECTION_2),
    *in_all_guests("Integration 4002", plain("Integration-VSS", 4002), UNPROVEN, SECTION_2),
    *in_all_guests("Integration 4011", plain("Integration-VSS", 4011), UNPROVEN, SECTION_2),
    *in_all_guests("Worker 33101", plain("Worker", 33101), UNPROVEN, SECTION_2),
    *in_all_guests("VmbusVdev 23013", plain("VmbusVdev", 23013), UNPROVEN, SECTION_2),
    *in_all_guests("UiDevices 32720", plain("UiDevices", 32720), UNPROVEN, SECTION_2),
    *in_all_guests("Serial 12323", plain("Serial", 12323), UNPROVEN, SECTION_2),
    *in_all_guests("Chipset 18609", plain("Chipset", 18609), UNPROVEN, SECTION_2),
    *in_all_guests("Chipset 18608", plain("Chipset", 18608), UNPROVEN, SECTION_2),
    # No version events, though they look so.
    *in_all_guests(
        "StorageVSP 6", record(HV + "StorageVSP", 6, 3, storvsp(6, "6.0", "5.1").data), WATCH, SECTION_2
    ),
    *in_all_guests(
        "StorageVSP 5", record(HV + "StorageVSP", 5, 3, storvsp(5, "2.0", "4.2").data), WATCH, SECTION_2
    ),
    *in_all_guests("Worker 18608", plain("Worker", 18608, 4), Reason.NOT_A_PROBLEM_REPORT, SECTION_2),
    *in_all_guests("Worker 3074", plain("Worker", 3074), PROBLEM, SECTION_2),
    *in_all_guests("Worker 3075", plain("Worker", 3075), PROBLEM, SECTION_2),
    *in_all_guests("UiDevices 32716", plain("UiDevices", 32716), WATCH, SECTION_2),
    *in_all_guests("SynthNic 12615", plain("SynthNic", 12615), WATCH, SECTION_2),
    *in_all_guests("UiDevices 12540", plain("UiDevices", 12540, 1), PROBLEM, SECTION_2),
    *in_all_guests("VmSwitch 102", plain("VmSwitch", 102, 4), Reason.NOT_A_PROBLEM_REPORT, SECTION_2),
    # The id alone says nothing.
    *in_all_guests("KvpExchange 4096", plain("Integration-KvpExchange", 4096), WATCH, "KB 2989430"),
    *in_all_guests("Config 4096", plain("Config", 4096), PROBLEM, SECTION_6),
    *in_all_guests(
        "disk 6", record("disk", 6, 3, storvsp(6, "6.0", "5.1").data), Reason.NOT_HYPER_V, SECTION_2
    ),
    *in_all_guests(
        "storvsp 7", record("storvsp", 7, 3, storvsp(6, "6.0", "5.1").data), Reason.UNKNOWN_EVENT, SECTION_6
    ),
    *in_all_guests("Worker 4010", plain("Worker", 4010, 3), Reason.UNKNOWN_EVENT, SECTION_6),
    *in_all_guests("SynthStor 23014", plain("SynthStor", 23014, 3), Reason.UNKNOWN_EVENT, SECTION_6),
    # Known problems and information.
    *in_all_guests("Chipset 18602", plain("Chipset", 18602), PROBLEM, SECTION_6),
    *in_all_guests("Chipset 18605", plain("Chipset", 18605), PROBLEM, SECTION_6),
    *in_all_guests("Worker 18590", plain("Worker", 18590, 1), PROBLEM, SECTION_6),
    *in_all_guests("Worker 18602", plain("Worker", 18602), PROBLEM, SECTION_6),
    *in_all_guests("VMMS 19100", plain("VMMS", 19100), PROBLEM, SECTION_6),
    *in_all_guests("VMMS 14050", plain("VMMS", 14050), PROBLEM, "KB 2761899"),
    *in_all_guests("VMMS 13002", plain("VMMS", 13002, 4), Reason.NOT_A_PROBLEM_REPORT, SECTION_6),
    *in_all_guests("SynthStor 12140", plain("SynthStor", 12140), PROBLEM, SECTION_6),
    *in_all_guests(
        "StorageVSP 9", record(HV + "StorageVSP", 9, 3, (("Duration", "12000"),)), WATCH, SECTION_6
    ),
    *in_all_guests("VMMS 20415", plain("VMMS", 20415, 4), Reason.NOT_A_PROBLEM_REPORT, SECTION_6),
]


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 150
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.source for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_case(case: Case) -> None:
    verdict = classify(case.event, guests(case.guest))
    assert (verdict.label, verdict.reason) == (case.label, case.reason), verdict.explain()
    assert verdict.summary
    assert (
        verdict.remedy
        or verdict.ignorable
        or verdict.reason in (Reason.NOT_A_PROBLEM_REPORT, Reason.NOT_HYPER_V)
    )
    if verdict.ignorable:
        assert verdict.references
        assert verdict.derivation
        assert not verdict.assumed or case.guest == "unknown"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_letter_case_of_providers_changes_nothing(case: Case) -> None:
    inventory = guests(case.guest)
    for change in (str.upper, str.lower):
        verdict = classify(case.event._replace(provider=change(case.event.provider)), inventory)
        assert (verdict.label, verdict.reason) == (case.label, case.reason)


def test_positional_values_beyond_the_known_ones_change_nothing() -> None:
    event = record(HV + "Worker", 23014, 3, positional(VM, ID, "Display", "3.3", "3.2", "more", "9.9"))
    assert classify(event, guests("linux")).ignorable
