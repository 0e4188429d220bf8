"""Verdicts on console states, on exports as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.vocabulary import Component
from hvdegraded.verdicts.console import classify_status
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.verdict import Basis, Label, Reason, Verdict

VM = "9FC1B2C3-0A1B-4C2D-9E3F-405162738495"

# ConvertTo-Json of PowerShell 5.1 and 7 on a host; enumerations as numbers, texts in the host's language.
GET_VM = """{
  "VMName": "web01", "VMId": "9fc1b2c3-0a1b-4c2d-9e3f-405162738495", "Name": "web01", "State": 2,
  "Id": "9fc1b2c3-0a1b-4c2d-9e3f-405162738495", "ComputerName": "HV1", "Generation": 2,
  "Uptime": {"Ticks": 6048000000000, "Days": 7}, "Status": "Normaler Betrieb", "Heartbeat": 2,
  "OperationalStatus": [2], "PrimaryOperationalStatus": 2, "SecondaryOperationalStatus": null,
  "StatusDescriptions": ["Normaler Betrieb"], "PrimaryStatusDescription": "Normaler Betrieb",
  "SecondaryStatusDescription": null, "IntegrationServicesState": "",
  "IntegrationServicesVersion": {"Major": 0, "Minor": 0, "Build": -1, "Revision": -1}
}"""

SERVICE = """{
  "VMCheckpointId": "00000000-0000-0000-0000-000000000000", "VMCheckpointName": "",
  "Id": "Microsoft:9FC1B2C3-0A1B-4C2D-9E3F-405162738495\\\\2497F4DE-E9FA-4204-80E4-4B75C46419C0",
  "Name": "Zeitsynchronisierung", "VMId": "9fc1b2c3-0a1b-4c2d-9e3f-405162738495", "VMName": "web01",
  "Enabled": true, "OperationalStatus": [2, 32775], "PrimaryOperationalStatus": 2,
  "PrimaryStatusDescription": "OK", "SecondaryOperationalStatus": 32775,
  "SecondaryStatusDescription": "Die Protokollversion der Komponente stimmt nicht \u00fcberein.",
  "StatusDescription": ["OK", "Die Protokollversion der Komponente stimmt nicht \u00fcberein."],
  "ComputerName": "HV1", "IsDeleted": false
}"""

GUESTS = {
    "linux": [{"Name": "web01", "Id": VM, "OSName": "Ubuntu 24.04"}],
    "windows": [{"Name": "web01", "Id": VM, "OSName": "Windows Server 2016"}],
    "unread": [{"Name": "web01", "Id": VM, "OSName": "Server 2016"}],
    "conflict": [{"Name": "web01", "Id": VM, "OS": "Debian"}, {"Name": "web01", "Id": VM, "OS": "Windows"}],
    "other id": [{"Name": "web01", "Id": "0" * 8 + VM[8:], "OSName": "Windows Server 2016"}],
    "unknown": [],
}


def judged(record: dict[str, Any], guest: str, policy: Policy | None = None) -> Verdict:
    verdict = classify_status(record, GuestInventory.load(GUESTS[guest]) if GUESTS[guest] else None, policy)
    assert verdict is not None
    return verdict


@pytest.mark.parametrize(
    ("guest", "label", "reason", "assumed"),
    [
        ("linux", Label.IGNORABLE, Reason.LOADED_NON_WINDOWS, False),
        ("windows", Label.ACTIONABLE, Reason.LOADED_WINDOWS, False),
        ("unread", Label.ACTIONABLE, Reason.LOADED_UNKNOWN, False),
        ("conflict", Label.ACTIONABLE, Reason.LOADED_UNKNOWN, False),
        ("other id", Label.ACTIONABLE, Reason.LOADED_UNKNOWN, False),
        ("unknown", Label.IGNORABLE, Reason.LOADED_UNKNOWN, True),
    ],
)
def test_a_mismatch_that_works_is_what_the_guest_makes_of_it(
    guest: str, label: Label, reason: Reason, assumed: bool
) -> None:
    exported = json.loads(SERVICE)
    written: list[dict[str, Any]] = [
        {},
        {"OperationalStatus": {"value": [2, 32775], "Count": 2}},  # PowerShell 5.1 by remoting
        {"PrimaryOperationalStatus": {"value": 2, "Value": "Ok"}},
        {"OperationalStatus": "2 32775"},  # ConvertTo-Json -Depth 1
        {"OperationalStatus": "Ok ProtocolMismatch"},
        {
            "OperationalStatus": ["Ok", "ProtocolMismatch"],
            "PrimaryOperationalStatus": "Ok",
            "SecondaryOperationalStatus": "ProtocolMismatch",
        },
        {"OperationalStatus": "Microsoft.HyperV.PowerShell.VMIntegrationComponentOperationalStatus[]"},
    ]
    for change in written:
        verdict = judged(exported | change, guest)
        assert (verdict.label, verdict.reason, verdict.assumed) == (label, reason, assumed)
        assert (verdict.component, verdict.vm_id, verdict.host) == (Component.TIME_SYNC, VM, "HV1")
        assert "KB 2956569" in verdict.references
        assert verdict.if_otherwise
    strict = judged(exported, guest, Policy(unknown_guest=Label.ACTIONABLE))
    assert strict.ignorable == (guest == "linux")


def test_states_by_wmi_of_the_same_service() -> None:
    wmi = {
        "CreationClassName": "Msvm_TimeSyncComponent",
        "SystemName": VM,
        "ElementName": "Time Synchronization",
        "OperationalStatus": [3, 32775],
        "StatusDescriptions": ["Degraded", "other words"],
        "PSComputerName": "HV1",
    }
    assert judged(wmi, "linux").ignorable
    assert judged(wmi | {"OperationalStatus": [3]}, "linux").reason is Reason.CONSOLE_STATE  # text not known
    assert judged(wmi | {"OperationalStatus": [3], "StatusDescriptions": ["Degraded"]}, "linux").ignorable
    assert judged(wmi | {"OperationalStatus": [7, 32775]}, "linux").actionable


def test_a_machine_in_order_and_one_that_wants_an_update() -> None:
    running = json.loads(GET_VM)
    assert judged(running, "linux").reason is Reason.NOT_A_PROBLEM_REPORT
    for guest, word in (("windows", "Windows Update"), ("unknown", "Find out")):
        verdict = judged(running | {"IntegrationServicesState": "Update required"}, guest)
        assert (verdict.label, verdict.reason) == (Label.ACTIONABLE, Reason.CONSOLE_STATE)
        assert verdict.remedy is not None
        assert word in verdict.remedy
    wants = running | {"IntegrationServicesState": "Update required"}
    assert judged(wants, "linux").proven  # KB 2956569: its services come with the kernel
    assert judged(wants | {"IntegrationServicesVersion": "3.1"}, "unknown").proven
    assert judged(wants | {"IntegrationServicesVersion": "4.3.5"}, "unknown").proven
    assert judged(wants | {"IntegrationServicesVersion": "3.1"}, "windows").actionable
    assert judged(wants | {"OperationalStatus": [3]}, "linux").actionable  # the machine's own storage


GERMAN = (
    "Die Protokollversion der auf dem virtuellen Computer installierten Komponente entspricht nicht der vom "
    "Hostsystem erwarteten Version"
)


@pytest.mark.parametrize("text", [GERMAN, GERMAN[:40] + "...", GERMAN[:60] + "…"])
def test_a_german_text_of_a_mismatch_counts_also_cut_by_its_column(text: str) -> None:
    row = {
        "VMName": "web01", "Name": "Schlüsselwertepaar-Austausch", "PrimaryStatusDescription": "OK",
        "SecondaryStatusDescription": text,
    }  # fmt: skip
    verdict = judged(row, "linux")
    assert verdict.proven
    assert str(verdict.component) == "data exchange"
    assert judged(row, "windows").actionable
    assert judged(row | {"SecondaryStatusDescription": "Die…"}, "linux").proven
    assert judged(row | {"SecondaryStatusDescription": "Der Dienst…"}, "linux").actionable


@pytest.mark.parametrize("numbers", [[3], [5], [15], [16], [32782]])
def test_a_machine_whose_own_state_is_bad_is_actionable(numbers: list[int]) -> None:
    wmi = {
        "CreationClassName": "Msvm_ComputerSystem",
        "Name": VM,
        "ElementName": "web01",
        "OperationalStatus": numbers,
    }
    assert judged(wmi, "linux").reason is Reason.CONSOLE_STATE


def test_a_degraded_adapter_is_a_mismatch_only_where_it_says_so() -> None:
    adapter = {"Name": "Network Adapter", "VMName": "web01", "VMId": VM, "MacAddress": "00155D016FA0"}
    assert judged(adapter | {"Status": [3, 32775]}, "linux").ignorable
    assert judged(adapter | {"Status": [3]}, "linux").reason is Reason.CONSOLE_STATE
    assert judged(adapter | {"Status": "{Degraded}"}, "unknown").actionable


def test_a_status_of_two_machines_or_of_none_proves_nothing() -> None:
    exported = json.loads(SERVICE)
    assert judged(exported | {"VMId": "0" * 8 + VM[8:]}, "unknown").reason is Reason.CONSOLE_STATE
    nobody = {"Name": "Heartbeat", "Id": "?", "OperationalStatus": [2, 32775], "PrimaryOperationalStatus": 2}
    assert judged(nobody, "unknown").reason is Reason.CONSOLE_STATE


def test_a_status_is_explained() -> None:
    verdict = judged(json.loads(SERVICE), "linux")
    assert verdict.basis is Basis.GUEST_INVENTORY
    text = verdict.explain()
    for part in ("time synchronisation", "Ubuntu 24.04", "KB 2956569", "if this VM runs Windows: actionable"):
        assert part in text


@pytest.mark.parametrize(
    ("system", "both"),
    [
        ("Windows Server 2012 R2", True),
        ("Microsoft Windows Server 2008 R2 Standard", True),
        ("Windows Server 2016", False),
        ("Windows 10", False),
    ],
)
def test_time_synchronisation_of_a_windows_guest_on_a_host_that_is_not_known(system: str, both: bool) -> None:
    state = {"VMName": "dc1", "Name": "Time Synchronization", "OperationalStatus": [2, 32775]}
    verdict = classify_status(state, {"dc1": system})
    assert verdict is not None
    assert verdict.severity == "check"
    assert ("KB 4014894" in verdict.references) == both
    assert ("newer Windows in the guest" in str(verdict.remedy)) == both
    assert "Integration Services Setup Disk" in str(verdict.remedy)
    heartbeat = classify_status(state | {"Name": "Heartbeat"}, {"dc1": system})
    assert heartbeat is not None
    assert "KB 4014894" not in heartbeat.references
