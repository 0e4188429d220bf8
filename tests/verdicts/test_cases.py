"""What each event is, derived by hand from the facts: rows, shapes, outcomes, guests and host generations."""

from __future__ import annotations

import pytest

from hvdegraded.verdicts.classifier import classify
from hvdegraded.verdicts.verdict import Basis, Reason
from tests.tools.labelled_cases import (
    ACTIONABLE,
    CASES,
    FOREIGN,
    IGNORABLE,
    INCOMPLETE,
    INFORMATION,
    SERVICES,
    UNPROVEN,
    WITH_FALLBACK,
    Case,
)
from tests.tools.verdict_cases import (
    HV,
    ID,
    VM,
    guests,
    positional,
    record,
)

VERSION_REASONS = {
    Reason.LOADED_NON_WINDOWS, Reason.LOADED_WINDOWS, Reason.LOADED_UNKNOWN, UNPROVEN, WITH_FALLBACK, INCOMPLETE,
}  # fmt: skip

# Section 2 of the domain facts, and the shapes that its rows come in.
ROWS: dict[tuple[str, int], set[str]] = {
    ("storvsp", 5): {"classic", "listed", "param", "message"},
    ("storvsp", 6): {"classic", "listed", "param", "message"},
    (HV + "StorVSP", 5): {"named"},
    (HV + "StorVSP", 6): {"named"},
    ("VMSMP", 26): {"classic", "listed", "message"},
    ("VMSMP", 27): {"classic", "listed", "message"},
    (HV + "VmSwitch", 26): {"named", "positional"},
    (HV + "VmSwitch", 27): {"named"},
    **{(driver, number): {"classic"} for driver in ("vmbus", "vmbusr") for number in (2, 3, 4, 5)},
    (HV + "Worker", 23012): {"named", "positional", "unnamed", "message"},
    (HV + "Worker", 23014): {"named", "positional", "unnamed", "message"},
    (HV + "VMMS", 23012): {"positional"},
    (HV + "VMMS", 23014): {"named", "positional", "unnamed", "message"},
    (HV + "VmbusVdev", 23012): {"named", "positional"},
    (HV + "UiDevices", 32719): {"named", "positional"},
    (HV + "Serial", 12322): {"named", "positional"},
    (HV + "Chipset", 18608): {"named", "positional"},
    **{
        (HV + provider, number): {"named"}
        for provider, number in (("VmbusVdev", 23013), ("UiDevices", 32720), ("Serial", 12323), ("Chipset", 18609))
    },
    (HV + "Worker", 33101): {"message"},
    (HV + "StorageVSP", 3): {"named", "positional"},
    **{(f"{HV}Integration{service}", 4010): {"positional"} for service in ("", *SERVICES, "-RDV", "-VSS")},
    (HV + "Integration-KvpExchange", 4010): {"named", "positional", "unnamed", "message"},
    **{
        (f"{HV}Integration{service}", number): {"positional"}
        for service in ("", *SERVICES, "-RDV", "-VSS")
        for number in (4000, 4002, 4011)
    },
    ("netvsc", 12): {"classic", "message"},
}  # fmt: skip


def test_there_are_enough_cases_and_none_is_there_twice() -> None:
    said = {(case.event, case.event.rendering, case.guest) for case in CASES}
    assert len(CASES) - len(said) == 35  # hosts of 2008 to 2012, and of 2016 to 2025, log 4010 alike
    about_versions = {
        (case.event, case.event.rendering, case.guest) for case in CASES if case.reason in VERSION_REASONS
    }
    assert len(about_versions) >= 400
    assert all(case.source for case in CASES)


def test_every_row_is_there_in_every_shape_and_no_other_row_is_ignorable() -> None:
    found: dict[tuple[str, int], set[str]] = {}
    for case in CASES:
        found.setdefault((case.event.provider, case.event.event_id), set()).add(case.shape)
        if case.label is IGNORABLE:
            assert (case.event.provider, case.event.event_id) in ROWS
    for row, shapes in ROWS.items():
        assert shapes <= found[row], row


def test_every_guest_and_host_generation_is_there() -> None:
    for number, wanted in ((6, {IGNORABLE, ACTIONABLE}), (5, {IGNORABLE, ACTIONABLE})):
        labels = {
            case.label for case in CASES if (case.event.provider, case.event.event_id) == ("storvsp", number)
        }
        assert labels == wanted
    assert {case.guest for case in CASES} >= {"windows", "linux", "freebsd", "unknown", "conflict", "unread"}
    hosts = {"2008", "2008 R2", "2012", "2012 R2", "2016", "2019", "2022", "2025"}
    assert {case.host for case in CASES} - {"any"} == hosts


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_case(case: Case) -> None:
    verdict = classify(case.event, guests(case.guest))
    assert (verdict.label, verdict.reason) == (case.label, case.reason), verdict.explain()
    assert verdict.summary
    assert verdict.remedy or verdict.ignorable or verdict.reason in (INFORMATION, FOREIGN)
    if verdict.ignorable:
        assert verdict.references
        assert verdict.derivation
        refused = verdict.reason is WITH_FALLBACK  # one event alone: nothing of what follows was read
        assert verdict.assumed is (refused or case.guest == "unknown")
        assert verdict.basis is not Basis.NOTHING
    # Letter case of providers changes nothing.
    for change in (str.upper, str.lower):
        other = classify(case.event._replace(provider=change(case.event.provider)), guests(case.guest))
        assert (other.label, other.reason) == (case.label, case.reason)


def test_positional_values_beyond_the_known_ones_change_nothing() -> None:
    event = record(HV + "Worker", 23014, 3, positional(VM, ID, "Display", "3.3", "3.2", "more", "9.9"))
    assert classify(event, guests("linux")).ignorable
