"""States that consoles show, read from records."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.guests.console_status import ConsoleState, ConsoleStatus, StatusSubject, console_status
from hvdegraded.knowledge.vocabulary import Component

VM = "9FC1B2C3-0A1B-4C2D-9E3F-405162738495"

MISMATCH_TEXT = (
    "The protocol version of the component installed in the virtual machine does not match the version "
    "expected by the hosting system"
)

TIME_SYNC = f"Microsoft:{VM}\\2497F4DE-E9FA-4204-80E4-4B75C46419C0"


def status(**record: Any) -> ConsoleStatus:
    found = console_status(record)
    assert found is not None
    return found


def test_time_synchronisation_of_an_older_guest_on_a_german_host() -> None:
    assert status(
        VMName="web01",
        VMId={"Guid": VM.lower()},
        Name="Zeitsynchronisierung",
        Id=TIME_SYNC,
        ComputerName="HV1",
        Enabled=True,
        OperationalStatus=[2, 32775],
        PrimaryOperationalStatus=2,
        SecondaryOperationalStatus=32775,
        PrimaryStatusDescription="OK",
        SecondaryStatusDescription="Die Protokollversion der Komponente stimmt nicht überein.",
    ) == ConsoleStatus(
        subject=StatusSubject.SERVICE,
        state=ConsoleState.PROTOCOL_MISMATCH,
        vm_name="web01",
        vm_id=VM,
        host="HV1",
        component=Component.TIME_SYNC,
        numbers=(2, 32775),
        texts=(
            ("primarystatusdescription", "OK"),
            ("secondarystatusdescription", "Die Protokollversion der Komponente stimmt nicht überein."),
        ),
        meanings=("the service works", "guest and host run different protocol versions"),
    )


# Values and meanings: Learn, Msvm_HeartbeatComponent and Msvm_KvpExchangeComponent, OperationalStatus.
@pytest.mark.parametrize(
    ("numbers", "state"),
    [
        ([2], ConsoleState.OK),
        ([2, 2], ConsoleState.OK),
        ([3], ConsoleState.DEGRADED),
        ([3, 32775], ConsoleState.PROTOCOL_MISMATCH),
        ([2, 32775], ConsoleState.PROTOCOL_MISMATCH),
        ([7, 32775], ConsoleState.INCOMPATIBLE),
        ([7], ConsoleState.INCOMPATIBLE),
        ([12], ConsoleState.NO_CONTACT),
        ([13], ConsoleState.LOST_CONTACT),
        ([3, 32783], ConsoleState.LOST_CONTACT),
        ([2, 32784], ConsoleState.LOST_CONTACT),
        ([2, 32782], ConsoleState.OTHER),
        ([6], ConsoleState.OTHER),
        ([32896], ConsoleState.OTHER),
        ([4242], ConsoleState.OTHER),
        ([2, 32775, 4242], ConsoleState.OTHER),
        ([32775], ConsoleState.OTHER),
        ([True], ConsoleState.OTHER),
        ([-2], ConsoleState.OTHER),
        ([2.0], ConsoleState.OTHER),
    ],
)
def test_service_numbers(numbers: list[Any], state: ConsoleState) -> None:
    found = status(CreationClassName="Msvm_KvpExchangeComponent", SystemName=VM, OperationalStatus=numbers)
    assert (found.state, found.component, found.vm_id) == (state, Component.DATA_EXCHANGE, VM)


@pytest.mark.parametrize(
    "written",
    [[3, 32775], ["3", "32775"], "{Degraded, ProtocolMismatch}", ["Degraded", "ProtocolMismatch"]],
)
def test_numbers_as_people_export_them(written: Any) -> None:
    for value in (written, {"value": written, "Count": 2}):
        found = status(VMName="a", Name="Heartbeat", OperationalStatus=value, PrimaryStatusDescription="?")
        assert (found.state, found.component) == (ConsoleState.PROTOCOL_MISMATCH, Component.HEARTBEAT)


@pytest.mark.parametrize(
    ("primary", "secondary", "state"),
    [
        ("OK", "", ConsoleState.OK),
        ("OK", "OK", ConsoleState.OK),
        ("OK", MISMATCH_TEXT, ConsoleState.PROTOCOL_MISMATCH),
        ("OK", MISMATCH_TEXT[:106] + "...", ConsoleState.PROTOCOL_MISMATCH),
        ("Degraded", MISMATCH_TEXT + ".", ConsoleState.PROTOCOL_MISMATCH),
        ("", MISMATCH_TEXT, ConsoleState.OTHER),
        ("No Contact", None, ConsoleState.NO_CONTACT),
        ("Lost Communication", None, ConsoleState.LOST_CONTACT),
        ("Kein Kontakt", None, ConsoleState.OTHER),
        ("Kein Kontakt", MISMATCH_TEXT, ConsoleState.OTHER),
        ("OK", "a text nobody knows", ConsoleState.OTHER),
    ],
)
def test_service_texts_without_numbers(primary: str, secondary: str | None, state: ConsoleState) -> None:
    found = status(
        VMName="nsUb2404hv",
        Name="VSS",
        PrimaryStatusDescription=primary,
        SecondaryStatusDescription=secondary,
    )
    assert (found.state, found.component, found.vm_name) == (state, Component.BACKUP, "nsUb2404hv")


def test_a_number_outweighs_the_text_beside_it() -> None:
    found = status(VMName="a", Name="VSS", PrimaryOperationalStatus=7, PrimaryStatusDescription="OK")
    assert found.state is ConsoleState.INCOMPATIBLE


def test_a_degraded_machine_has_lost_its_configuration_and_is_no_mismatch() -> None:
    found = status(
        CreationClassName="Msvm_ComputerSystem", Name=VM, ElementName="web01", OperationalStatus=[3]
    )
    assert (found.subject, found.state, found.component) == (
        StatusSubject.MACHINE,
        ConsoleState.DEGRADED,
        None,
    )
    assert (found.vm_name, found.vm_id) == ("web01", VM)
    assert "storage" in found.meanings[0]


def test_a_protocol_number_of_a_machine_means_nothing() -> None:
    found = status(CreationClassName="Msvm_ComputerSystem", Name=VM, OperationalStatus=[2, 32775])
    assert found.state is ConsoleState.OTHER


def test_the_host_is_no_vm() -> None:
    host = {"CreationClassName": "Msvm_ComputerSystem", "Name": "HV1", "OperationalStatus": [2]}
    assert console_status(host) is None


@pytest.mark.parametrize(
    ("state_text", "state"),
    [
        ("Up to date", ConsoleState.OK),
        ("", ConsoleState.OK),
        (None, ConsoleState.OK),
        ("Update required", ConsoleState.UPDATE_REQUIRED),
        ("Aktualisierung erforderlich", ConsoleState.OTHER),
    ],
)
def test_get_vm(state_text: str | None, state: ConsoleState) -> None:
    found = status(
        Name="web01",
        Id=VM.lower(),
        ComputerName="HV1",
        State=2,
        Status="Operating normally",
        OperationalStatus=[2],
        PrimaryOperationalStatus=2,
        SecondaryOperationalStatus=None,
        PrimaryStatusDescription="Operating normally",
        IntegrationServicesState=state_text,
    )
    assert (found.subject, found.state, found.component) == (StatusSubject.MACHINE, state, None)
    assert (found.vm_name, found.vm_id, found.host) == ("web01", VM, "HV1")


@pytest.mark.parametrize(
    ("written", "state"),
    [
        ("{Degraded, ProtocolVersion}", ConsoleState.PROTOCOL_MISMATCH),
        ([3, 32775], ConsoleState.PROTOCOL_MISMATCH),
        (["Ok"], ConsoleState.OK),
        ([12], ConsoleState.NO_CONTACT),
        ([8], ConsoleState.OTHER),
    ],
)
def test_network_adapters(written: Any, state: ConsoleState) -> None:
    found = status(
        Name="Network Adapter",
        VMName="ubuntu1204",
        SwitchName="Wifi",
        MacAddress="00155D016FA0",
        Status=written,
    )
    assert (found.subject, found.state, found.component) == (StatusSubject.ADAPTER, state, Component.NETWORK)


def test_keys_compare_without_case() -> None:
    assert status(vmname="a", NAME="heartbeat", primaryoperationalstatus=2).state is ConsoleState.OK


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"Name": "a"},
        {"EventID": 4010, "Id": 4010, "Message": "x"},
        {"CreationClassName": "Msvm_ProcessorComponent", "OperationalStatus": [2]},
        {"VMName": "a", "PrimaryStatusDescription": ""},
    ],
)
def test_records_without_a_state(record: dict[str, Any]) -> None:
    assert console_status(record) is None


KEYS = st.sampled_from(
    [
        "VMName",
        "VMId",
        "Id",
        "Name",
        "Status",
        "State",
        "OperationalStatus",
        "PrimaryOperationalStatus",
        "PrimaryStatusDescription",
        "SecondaryStatusDescription",
        "IntegrationServicesState",
        "MacAddress",
        "CreationClassName",
        "CimClass",
        "ElementName",
        "SystemName",
    ]
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        [2, 3, 7, 32775, "OK", MISMATCH_TEXT, VM, TIME_SYNC, "Msvm_ComputerSystem", "{Ok, Ok}"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "Guid"]), inner),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, VALUES, max_size=8))
def test_any_record_gives_a_status_or_none(record: dict[str, Any]) -> None:
    found = console_status(record)
    if found is not None and found.state is ConsoleState.PROTOCOL_MISMATCH:
        assert found.subject is not StatusSubject.MACHINE
        assert set(found.numbers) <= {2, 3, 32775}


@given(st.integers(0, 65535).filter(lambda number: number not in (2, 3, 32775)))
def test_a_mismatch_beside_any_other_number_is_no_mere_mismatch(number: int) -> None:
    found = status(VMName="a", Name="VSS", PrimaryOperationalStatus=2, OperationalStatus=[number, 32775])
    assert found.state is not ConsoleState.PROTOCOL_MISMATCH


def test_degraded_is_one_state_of_a_machine_as_number_name_and_text() -> None:
    forms: list[dict[str, Any]] = [
        {"Status": "Degraded"},
        {"Status": "degraded."},
        {"OperationalStatus": [3]},
        {"OperationalStatus": "{Degraded}", "Status": "Degraded"},
        {"OperationalStatus": [3], "Status": "Eingeschränkt"},
    ]
    found = [status(Name="db7", State="Running", **form) for form in forms]
    assert {(one.subject, one.state, one.meanings) for one in found} == {
        (StatusSubject.MACHINE, ConsoleState.DEGRADED, found[0].meanings)
    }
    assert "storage" in found[0].meanings[0]


@pytest.mark.parametrize(
    ("record", "subject", "state"),
    [
        ({"VMName": "db7", "Name": "Heartbeat", "OperationalStatus": [2, 32775]}, "service", "protocol mismatch"),
        ({"VMName": "db7", "Name": "?", "OperationalStatus": "{Ok, ProtocolMismatch}"}, "service", "protocol mismatch"),
        ({"VMName": "db7", "Name": "db7", "OperationalStatus": [3]}, "machine", "degraded"),
        ({"VMName": "db7", "Name": "db7", "PrimaryOperationalStatus": 3}, "machine", "degraded"),
        ({"VMName": "db7", "Name": "VSS", "SecondaryStatusDescription": MISMATCH_TEXT}, "service", "other"),
        ({"VMName": "db7", "Name": "VSS", "SecondaryOperationalStatus": 32775}, "service", "other"),
        ({"VMName": "db7", "SwitchName": "lan", "Status": [3, 32775]}, "adapter", "protocol mismatch"),
        ({"VMName": "db7", "IsLegacy": False, "Status": "{Degraded, ProtocolVersion}"}, "adapter", "protocol mismatch"),
        ({"VMName": "db7", "IPAddresses": "{}", "Status": ["Ok"]}, "adapter", "OK"),
    ],
)  # fmt: skip
def test_selected_properties_that_decide(record: dict[str, Any], subject: str, state: str) -> None:
    found = status(**record)
    assert (found.subject, found.state, found.vm_name) == (subject, state, "db7")
