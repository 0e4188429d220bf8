"""Findings: what makes one, its id, and the section of a report that shows it."""

from __future__ import annotations

import hvdegraded as hv
from hvdegraded.findings.groups import Section
from hvdegraded.records.record import EventRecord
from tests.tools.verdict_cases import ID, OTHER_ID, VM, at_minutes, device, guests, plain, record, storvsp


def ids(*events: EventRecord, kind: str = "linux") -> list[str]:
    return [finding.id for finding in hv.triage(events, guests=guests(kind))]


def of_vm(event: EventRecord, vm_id: str) -> EventRecord:
    return event._replace(data=tuple((key, vm_id if text == ID else text) for key, text in event.data))


def test_an_id_stays_the_same_over_time_order_and_what_else_is_read() -> None:
    problem, refusal = plain("VMMS", 19100), storvsp(5, "65535.65535", "65535.65534")
    first = ids(problem, refusal)
    assert len(set(first)) == 2
    later = at_minutes(problem, 60 * 24 * 30)._replace(record_id=99)
    assert set(first) <= set(ids(refusal, later, plain("VMMS", 10102), later))


def test_an_id_is_of_one_host_vm_and_event() -> None:
    problem = plain("VMMS", 19100)
    others = [of_vm(problem, OTHER_ID), problem._replace(computer="hv2"), plain("VMMS", 10102)]
    assert len({one for event in (problem, *others) for one in ids(event)}) == 4


def test_an_id_does_not_depend_on_letter_case_or_a_new_name_of_the_vm() -> None:
    problem = plain("VMMS", 19100)
    renamed = problem._replace(
        computer="HV1", data=tuple((key, "web99" if text == VM else text) for key, text in problem.data)
    )
    assert ids(problem) == ids(renamed)


def test_refusals_of_two_components_are_two_findings_with_ids_of_their_own() -> None:
    refusals = [storvsp(5, "65535.65535", "65535.65534"), device(23012, "9.9", "9.8")]
    assert len(set(ids(*refusals))) == 2


def test_what_is_worth_a_look_when_it_repeats_is_to_check_only_when_it_does() -> None:
    slow = record("Microsoft-Windows-Hyper-V-StorageVSP", 9, 3, ())

    def section(*minutes: int) -> Section:
        (finding,) = hv.triage([at_minutes(slow, one) for one in minutes])
        return finding.section

    day = 24 * 60
    assert section(0) is Section.NO_ACTION
    assert section(0, 1) is Section.NO_ACTION
    assert section(0, 1, 2) is Section.CHECK
    assert section(0, day - 1, day) is Section.CHECK
    assert section(0, day, 2 * day, 3 * day) is Section.NO_ACTION  # once a day


def test_unknown_events_go_by_their_level() -> None:
    for level, section in ((1, "act"), (2, "act"), (3, "check"), (None, "check"), (4, "no_action")):
        (finding,) = hv.triage([plain("VMMS", 64999, level)], min_level=hv.Level.VERBOSE)  # type: ignore[arg-type]
        assert finding.section == section, level


def test_a_finding_is_shown_in_one_line_whatever_its_vm_is_called() -> None:
    event = plain("VMMS", 19100)
    (finding,) = hv.triage([event._replace(data=(("VmName", "a\nb"), ("VmId", ID)))])
    assert len(repr(finding).splitlines()) == 1
    assert "a\\nb" in repr(finding)
