"""The result document and the lines of events: their schemas, and that every rendering says the same."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest

import hvdegraded as hv
from hvdegraded.findings import document, event_line
from hvdegraded.findings.groups import Section
from hvdegraded.findings.render.json_document import document_json
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import VM, guests, integration, plain, storvsp

PACKAGE = Path(hv.__file__).parent
GUESTS = hv.GuestInventory.load(FOLDER / "guests.json")


@pytest.fixture(scope="module")
def sample() -> hv.Triage:
    return hv.triage([FOLDER / "hv2012r2", FOLDER / "hv2022"], guests=GUESTS)


def test_what_is_written_keeps_its_schema(sample: hv.Triage) -> None:
    of_result, of_line = (
        jsonschema.Draft202012Validator(kind.json_schema()) for kind in (document, event_line)
    )
    for found in (sample, hv.triage([])):
        of_result.validate(json.loads(json.dumps(found.to_dict())))
    for event, verdict in hv.Classifier(GUESTS).classify_all(hv.read(FOLDER / "hv2022")):
        of_line.validate(event_line.event_line(event, verdict))


@pytest.mark.parametrize("name", ["web01", '\n "findings": []', "\u2028 é"])
def test_json_in_pieces_is_that_of_the_whole(sample: hv.Triage, name: str) -> None:
    assumed, act = [
        record._replace(data=tuple((key, name if text == VM else text) for key, text in record.data))
        for record in (storvsp(6, "6.0", "5.1"), plain("VMMS", 19100))
    ]
    for found in (sample, hv.triage([assumed, act]), hv.triage([act]), hv.triage([])):
        whole = json.dumps(found.to_dict(), indent=1)
        assert "\n".join(document_json(found.document)) == whole


@pytest.mark.parametrize("module", [document, event_line])
def test_the_schemas_that_ship_are_those_of_what_is_written(module: ModuleType) -> None:
    """They are frozen at version 1: a field may be added; one that changes its meaning needs version 2."""
    schema = module.json_schema()
    name = schema["properties"]["schema"]["const"].partition(".")[2]
    shipped = json.loads((PACKAGE / "findings" / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert shipped == schema
    assert schema["properties"]["schema_version"]["const"] == 1


def test_a_line_that_is_read_again_is_the_same_event() -> None:
    """With its exact time, its message, and what was wrong with it."""
    origin = hv.Origin(anomalies=("its chunk fails its checksum",), caveats=("it came by mail",))
    event = storvsp(6, "6.0", "5.1")._replace(
        time_ticks=133_782_174_832_356_205, rendering=(("Message", "…"),), origin=origin
    )
    ((one, verdict),) = hv.Classifier().classify_all([event])
    (again,) = hv.read(json.dumps(event_line.event_line(one, verdict)).encode())
    assert (again.time_ticks, again.host, again.data) == (event.time_ticks, event.computer, event.data)
    assert (again.record.origin.anomalies, again.record.origin.caveats) == (origin.anomalies, origin.caveats)
    assert again.message == "…"
    assert hv.classify(again).reason is verdict.reason is hv.Reason.INCOMPLETE_EVIDENCE


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


def test_the_logs_that_would_settle_what_followed_are_named_with_the_command_that_exports_them() -> None:
    """A refusal with a known fallback, in a System log alone: every channel of failures is missing."""
    (vm,) = hv.triage(FOLDER / "hv2012r2" / "System.evtx", guests=GUESTS).vm("fw01").document.assumed
    found = hv.triage(FOLDER / "hv2012r2" / "System.evtx", guests=GUESTS).vm("fw01")
    assert [str(one) for one in vm.assumptions] == ["what follows"]
    logs = found.document.missing_logs
    assert {log.channel for log in logs} >= {
        "Microsoft-Windows-Hyper-V-Worker-Admin",
        "Microsoft-Windows-Hyper-V-VMMS-Admin",
    }
    for log in logs:
        assert (log.host, str(log.why)) == ("hv2012r2.example.org", "the channel was not read")
        assert (
            log.command == f"wevtutil epl {log.channel} {log.channel.removeprefix('Microsoft-Windows-')}.evtx"
        )
        assert log.findings == tuple(finding.id for finding in found)
        assert log.command in str(found)
        assert log.command in found.to_html()
    assert "missing logs" in vm.settle
    assert "--guest" not in str(found)


def test_a_log_that_begins_after_a_refusal_cannot_be_exported_again() -> None:
    refused = next(
        event for event in hv.read(FOLDER / "hv2012r2") if event.vm_name == "fw01" and event.event_id == 5
    )
    ticks = refused.time_ticks or 0
    later = [
        plain("Worker", 12010)._replace(
            channel=channel,
            computer=refused.host,
            record_id=number,
            time_ticks=ticks + (number + 60) * 36_000_000_000,
        )
        for channel in ("Microsoft-Windows-Hyper-V-Worker-Admin",)
        for number in (1, 2)
    ]
    logs = hv.triage(hv.evtx_bytes([refused.record, *later]), guests=GUESTS).document.missing_logs
    commands = {log.channel: log.command for log in logs}
    assert commands["Microsoft-Windows-Hyper-V-Worker-Admin"] is None
    assert commands["Microsoft-Windows-Hyper-V-VMMS-Admin"]
