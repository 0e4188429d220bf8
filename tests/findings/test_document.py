"""The result document and the lines of events: their schemas, and that every rendering says the same."""

from __future__ import annotations

import json

import jsonschema
import pytest

import hvdegraded as hv
from hvdegraded.findings import document, event_line
from hvdegraded.findings.groups import Section
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import guests, integration, plain, storvsp

GUESTS = hv.GuestInventory.load(FOLDER / "guests.json")


@pytest.fixture(scope="module")
def sample() -> hv.Triage:
    return hv.triage([FOLDER / "hv2012r2", FOLDER / "hv2022"], guests=GUESTS)


def test_what_is_written_keeps_its_schema(sample: hv.Triage) -> None:
    for found in (sample, hv.triage([])):
        jsonschema.validate(json.loads(json.dumps(found.to_dict())), document.json_schema())
    for event, verdict in hv.Classifier(GUESTS).classify_all(hv.read(FOLDER / "hv2022")):
        jsonschema.validate(event_line.event_line(event, verdict), event_line.json_schema())


def test_each_document_names_its_schema_and_that_it_may_change(sample: hv.Triage) -> None:
    plain_types = sample.to_dict()
    assert (plain_types["schema"], plain_types["schema_version"]) == ("hvdegraded.findings", 1)
    assert plain_types["stable"] is False


def test_an_event_line_names_the_finding_that_it_belongs_to(sample: hv.Triage) -> None:
    known = {finding.id for finding in sample}
    for group in sample.groups:
        assert event_line.event_line(group.example, group.verdict)["finding"] in known


def test_where_a_result_comes_from(sample: hv.Triage) -> None:
    provenance = sample.document.provenance
    assert provenance.version == hv.__version__
    assert len(provenance.inputs) == len(list(FOLDER.glob("hv*/*.evtx")))
    assert provenance.inventory is not None
    assert provenance.inventory.guests == len(GUESTS)
    assert hv.triage([]).document.provenance.inventory is None


def test_an_inventory_of_other_vms_is_a_caveat_in_text_and_page() -> None:
    event = storvsp(6, "6.0", "5.1")
    for vm, said in (("nosuch", True), ("web01", False)):
        found = hv.triage([event, plain("VMMS", 14050)], guests=hv.GuestInventory.load({vm: "Ubuntu 24.04"}))
        assert ("lists none of the VMs" in str(found)) is said
        assert ("lists none of the VMs" in found.to_html()) is said


def test_text_and_page_count_what_the_document_counts(sample: hv.Triage) -> None:
    found = sample.document
    tally = found.sections[Section.ACT]
    assert f"{tally.findings} to act on" in str(sample)
    assert f"To act on: {tally.events} events in {tally.findings} findings" in str(sample)
    assert f"<b>{tally.findings}</b><span>To act on</span>" in sample.to_html()
    assert sum(one.findings for one in found.sections.values()) == len(sample) == len(found.findings)
    assert sum(one.events for one in found.sections.values()) == sample.count == found.events


def test_one_problem_of_many_vms_is_one_block() -> None:
    """Its remedy is printed once."""
    event = plain("VMMS", 19100)
    events = [
        event._replace(
            data=(("VmName", f"vm{number}"), ("VmId", f"{number:08X}-0000-0000-0000-000000000000"))
        )
        for number in range(200)
    ]
    found = hv.triage(events)
    (problem,) = found.document.problems(Section.ACT)
    assert len(problem.findings) == 200
    text = str(found)
    assert text.count("What to do:") == 1
    assert "more findings" in text
    assert len(text.splitlines()) < 40
    assert found.to_html().count(f"<p>{problem.remedy}</p>") == 2  # on the first screen, and above the table


def test_what_is_assumed_is_named_once_for_a_vm_with_its_evidence() -> None:
    found = hv.triage([storvsp(6, "6.0", "5.1"), storvsp(6, "6.0", "5.1"), integration()]).document
    (vm,) = found.assumed
    assert (vm.vm_name, vm.events) == ("web01", 3)
    assert set(vm.evidence) == {"storage 5.1 | 6.0", "data exchange 4.0 | 5.0"}
    assert not hv.triage([storvsp(6, "6.0", "5.1")], guests=guests("linux")).document.assumed
