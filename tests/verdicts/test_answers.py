"""Posts of administrators, answered: the summary names what decides, the remedy is the one that cured."""

from __future__ import annotations

from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.records.record import EventRecord
from hvdegraded.verdicts.classifier import Classifier, classify
from hvdegraded.verdicts.verdict import Reason
from tests.tools.verdict_cases import HV, ID, VM, record, storvsp

CLUSTER = "Microsoft-Windows-FailoverClustering"


def event(provider: str, number: int, level: Any = 2, message: Any = "", **values: Any) -> EventRecord:
    name = provider if provider.islower() or provider.startswith("Microsoft") else HV + provider
    data = tuple((key, str(value)) for key, value in values.items())
    return record(name, number, level, data, message)


ON_VM = {"VmName": VM, "VmId": ID}
ISO = r"C:\ClusterStorage\library\SQL.ISO"
MERGE = {**ON_VM, "ErrorMessage": "%%2147943065", "ErrorCode": "0x80070299"}
DENIED = {"ErrorMessage": "%%2147942405", "ErrorCode": "0x80070005"}

# event, words of the summary, words of the remedy
ANSWERS = [
    (event("Integration", 4092, **ON_VM), ["integration service"], ["Turn it on", "leave it"]),
    (event("SynthNic", 12564, VmName=VM, NicName="Network Adapter"), ["MAC address"], ["MAC address range"]),
    (event("Worker", 12565, Parameter0=VM, Parameter1=ID), ["MAC address"], ["MAC address range"]),
    (
        event("Worker", 12030, Parameter0=VM, Parameter1=ID, Parameter2="Synthetic Ethernet Port"),
        ["Synthetic Ethernet Port"],
        ["12564", "MAC address range"],
    ),
    (
        event("Worker", 12010, Parameter0=VM, Parameter1=ID, Parameter2="Virtual GPU Partition"),
        ["Virtual GPU Partition"],
        ["GPU"],
    ),
    (
        event("Worker", 12030, Parameter0=VM, Parameter1=ID, Parameter2="Synthetic SCSI Controller"),
        ["Synthetic SCSI Controller"],
        ["SynthStor"],
    ),
    (event("VmSwitch", 80, PortName="P", PortFName="WSL"), ["WSL"], ["Docker or WSL"]),
    (
        event("VMMS", 16000, ErrorMessage="%%2147749890", ErrorCode="0x80041002"),
        ["0x80041002", "WMI object was not found"],
        ["mofcomp", "vmms"],
    ),
    (event("VMMS", 19100, **MERGE), ["0x80070299", "limit of the file system"], ["overlap", "fresh volume"]),
    (event("VMMS", 19100, **{**MERGE, **DENIED}), ["0x80070005"], ["icacls", f"{ID}"]),
    (event("VMMS", 18012, **ON_VM), ["checkpoint failed"], ["backup or antivirus"]),
    (event("VMMS", 18014, **ON_VM), ["checkpoint was cancelled"], ["backup or antivirus"]),
    (
        event("VMMS", 32315, 3, **ON_VM, ErrorCode="0x00002EF1"),
        ["0x00002EF1"],
        ["by itself", "resynchronise"],
    ),
    (event("VMMS", 32056, **ON_VM), ["Replica"], ["lock each other", "resynchronise"]),
    (
        event(
            "High-Availability",
            21502,
            ResourceName="Virtual Machine web01",
            ErrorMessage="Live migration failed: No credentials are available (0x8009030E).",
        ),
        ["Virtual Machine web01", "0x8009030E"],
        ["constrained delegation", "source host"],
    ),
    (
        event("VMMS", 20306, Parameter0="HV2", Parameter1="%%2148074254", Parameter2="0x8009030E"),
        ["0x8009030E", "no credentials"],
        ["constrained delegation"],
    ),
    (
        event("VMMS", 20100, Parameter0=ID, Parameter1=r"\\svstore\vms", Parameter2="%%2147942405"),
        [r"\\svstore\vms", "access denied"],
        ["full control", "share"],
    ),
    (event("VmSwitch", 28, 3, MacAddress="00-15-5D-00-00-01"), ["00-15-5D-00-00-01"], ["teaming"]),
    (
        event("VmSwitch", 106, SwitchFName="LAN1", Reason="The processor sets overlap."),
        ["LAN1", "overlap", "VMQ"],
        ["Set-NetAdapterVmq"],
    ),
    (
        event("VMMS", 14050, Parameter0="Hyper-V Replica Service"),
        ["Hyper-V Replica Service"],
        ["dynamicport", "service-hardening", "NTDS"],
    ),
    (
        event("Worker", 18590, 1, **ON_VM, VmErrorCode0="0x109", VmErrorCode1="0xa39fd1f3e8b4b5d1"),
        ["0x109", "CRITICAL_STRUCTURE_CORRUPTION"],
        ["memory", "drivers", "filter software"],
    ),
    (event("Worker", 18590, 1, **ON_VM, VmErrorCode0="0x7B"), ["INACCESSIBLE_BOOT_DEVICE"], ["boot disk"]),
    (
        event("SynthStor", 12240, **ON_VM, AttachmentName=ISO, ErrorCode="0xC03A0014"),
        [ISO, "0xC03A0014"],
        ["Eject the ISO"],
    ),
    (
        event("Worker", 12240, **ON_VM, String=r"D:\a.vhdx", ErrorCode="0x80070005"),
        [r"D:\a.vhdx", "0x80070005"],
        ["icacls", ID],
    ),
    (event("VMMS", 20417, 3, **ON_VM, BlackoutTime="63.1"), ["63.1 s"], ["bandwidth"]),
    (
        event("StorageVSP", 9, 3, DeviceName="D:\\x.vhdx", Duration="12043"),
        ["12043 ms", "x.vhdx"],
        ["latency"],
    ),
    (event("VMMS", 14098, Parameter0="vhdmp"), ["vhdmp"], ["drivers"]),
    (event(CLUSTER, 5120, 2, VolumeName="Volume1"), ["Volume1"], ["C0130021"]),
]


@pytest.mark.parametrize(
    ("event", "summary", "remedy"), ANSWERS, ids=lambda value: getattr(value, "event_id", None)
)
def test_the_summary_names_what_decides_and_the_remedy_cures(
    event: EventRecord, summary: list[str], remedy: list[str]
) -> None:
    verdict = classify(event)
    for text in summary:
        assert text in verdict.summary
    for text in remedy:
        assert text in (verdict.remedy or "")


@pytest.mark.parametrize("number", [1000, 2000, 2010])
def test_information_asks_for_nothing(number: int) -> None:
    verdict = classify(event("Compute", number, 4, SystemId=ID, Result="0xC0370103"))
    assert verdict.reason is Reason.NOT_A_PROBLEM_REPORT


def test_a_guest_too_new_for_its_host_is_not_told_to_update() -> None:
    inventory = GuestInventory.load([{"Name": VM, "Id": ID, "OSName": "MikoPBX 2024.1.114"}])
    for client in ("6.2", "6.0", "5.1"):
        verdict = classify(storvsp(5, "4.2", client), inventory)
        assert verdict.actionable
        assert "update the guest" not in (verdict.remedy or "").lower()
        assert "newer host" in (verdict.remedy or "")


def test_vmbus_2_says_what_settles_it() -> None:
    verdict = classify(event("vmbus", 2))
    assert verdict.actionable
    assert "storage and network of a VM" in (verdict.remedy or "")


# ------------------------------------------------------------------ codes, and events in no table


@pytest.mark.parametrize(
    "text",
    [
        "%%2147942402",
        "0x80070002",
        "2147942402",
        "-2147024894",
        "failed (0x80070002).",
        "with 80070002 at the end",
    ],
)
@pytest.mark.parametrize("name", ["ErrorCode", "Anything"])
def test_a_code_is_decoded_in_every_form_and_field(text: str, name: str) -> None:
    for number in (19100, 64999):  # known, unknown
        assert "file not found" in classify(event("VMMS", number, **{name: text})).summary


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("%%32", "in use"),
        ("0x00000020", "in use"),
        ("0xC0000043", "in use"),
        ("0xD0000043", "in use"),
        ("0xC0370027", "saved state is damaged"),
        ("%%10060", "does not answer"),
        ("0x80041010", "WMI class"),
    ],
)
def test_win32_and_nt_codes_are_decoded(text: str, meaning: str) -> None:
    assert meaning in classify(event("VMMS", 19100, ErrorCode=text)).summary


@pytest.mark.parametrize(
    "text", ["", "0", "0x0", "%%0", "12", "4B2F8E90-6C1D-4A77-9E35-20D1C8A6F5B3", "2147999999"]
)
def test_what_is_not_a_code_is_not_shown_as_one(text: str) -> None:
    assert "0x" not in classify(event("VMMS", 15268, Size=text)).summary


def test_an_unknown_event_is_answered_as_well_as_it_can_be() -> None:
    text = "El sistema no puede abrir el archivo. (0x80070005)"
    verdict = classify(event("VmSwitch", 64999, 3, message=text, NicName="A", Other="B"))
    assert verdict.reason is Reason.UNKNOWN_EVENT
    for part in (text, "virtual switch", "access denied"):
        assert part in verdict.summary
    for part in ("icacls", "[Microsoft-Windows-Hyper-V-VmSwitch.64999]"):
        assert part in (verdict.remedy or "")
    assert "NicName='A'" in verdict.explain()


def test_events_that_differ_in_what_is_shown_are_told_apart() -> None:
    classifier = Classifier()
    first, second = (
        classifier.classify(event("StorageVSP", 9, 3, DeviceName=name, Duration="12043"))
        for name in ("a", "b")
    )
    assert first.summary != second.summary


def test_each_case_keeps_its_remedy() -> None:
    """Two events of one id stay apart where a field decides what to do."""
    disk = ISO.replace("ISO", "VHDX")
    both = [event("SynthStor", 12240, **ON_VM, AttachmentName=path) for path in (ISO, disk)]
    remedies = {group.verdict.remedy for group in hv.triage(both, progress=False).groups}
    assert len(remedies) == 2
