"""x"""

from __future__ import annotations

from typing import Any

import pytest

from hvdegraded.guests.guest import ProblemKind
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.vocabulary import GuestFamily
from tests.tools.inventories import (
    FREEBSD,
    ID_A,
    ID_B,
    LINUX,
    UNKNOWN,
    WINDOWS,
    family,
    kvp,
)

# Finding


def test_a_row_of_another_id_is_another_machine() -> None:
    inventory = GuestInventory.load([{"Name": "web01", "VMId": ID_A, "OSName": "Ubuntu"}])
    other = inventory.find(vm_id=ID_B, vm_name="web01")
    assert other is not None
    assert (other.family, other.possible, other.undecided) == (UNKNOWN, (LINUX,), False)
    assert family(inventory, vm_name="web01") is LINUX
    assert inventory.find(vm_name="web02") is None
    assert inventory.find() is None


def test_names_and_hosts_compare_without_case_and_domain() -> None:
    inventory = GuestInventory.load([{"Name": "Web01", "Host": "HV1", "OS": "Ubuntu"}])
    for host in ("HV1", "hv1", "hv1.corp.local", "HV1.CORP.LOCAL."):
        assert family(inventory, vm_name="wEB01", host=host) is LINUX


def test_full_host_names_of_different_domains_differ() -> None:
    inventory = GuestInventory.load([{"Name": "a", "Host": "hv1.corp.local", "OS": "Ubuntu"}])
    assert family(inventory, vm_name="a", host="hv1.other.local") is UNKNOWN
    assert family(inventory, vm_name="a", host="hv1") is LINUX


def test_an_address_is_no_short_name() -> None:
    inventory = GuestInventory.load([{"Name": "a", "Host": "10", "OS": "Ubuntu"}])
    assert family(inventory, vm_name="a", host="10.0.0.1") is UNKNOWN


def test_namesakes_of_different_systems_need_an_id_or_a_host() -> None:
    rows = [
        {"Name": "web01", "VMId": ID_A, "ComputerName": "HV1", "OSName": "Ubuntu 22.04"},
        {"Name": "WEB01", "VMId": ID_B, "ComputerName": "HV2", "OSName": "Windows Server 2019"},
    ]
    inventory = GuestInventory.load(rows)
    assert family(inventory, vm_id=ID_A) is LINUX
    assert family(inventory, vm_name="web01", host="hv1.corp.local") is LINUX
    assert family(inventory, vm_name="web01", host="HV2") is WINDOWS
    guest = inventory.find(vm_name="web01")
    assert guest is not None
    assert (guest.family, guest.possible) == (UNKNOWN, (WINDOWS, LINUX))
    assert "row 1" in guest.source
    assert "row 2" in guest.source
    assert inventory.problems == ()


def test_namesakes_that_nothing_tells_apart_are_told() -> None:
    inventory = GuestInventory.load([{"Name": "a", "OS": "Ubuntu"}, {"Name": "A", "OS": "Windows 10"}])
    assert family(inventory, vm_name="a", host="HV1") is UNKNOWN
    assert [problem.kind for problem in inventory.problems] == [ProblemKind.CONFLICT]


def test_namesakes_of_one_system_are_of_that_system() -> None:
    inventory = GuestInventory.load([{"Name": "a", "OS": "Ubuntu"}, {"Name": "A", "OS": "Debian"}])
    assert family(inventory, vm_name="a") is LINUX


def test_a_namesake_without_a_known_system_leaves_it_open() -> None:
    inventory = GuestInventory.load([{"Name": "a", "OS": "Ubuntu"}, {"Name": "a", "OS": ""}])
    assert family(inventory, vm_name="a") is UNKNOWN


def test_a_machine_listed_on_another_host_is_no_answer() -> None:
    inventory = GuestInventory.load([{"Name": "a", "Host": "HV1", "OS": "Windows 10"}])
    guest = inventory.find(vm_name="a", host="HV2")
    assert guest is not None
    assert (guest.family, guest.possible) == (UNKNOWN, (WINDOWS,))


def test_rows_of_one_id_complete_each_other() -> None:
    rows: list[dict[str, Any]] = [
        {"Name": "a", "VMId": ID_A, "IntegrationServicesVersion": "3.1"},
        {"Name": "a", "VMId": ID_A, "State": "Running"},
        {"SystemName": ID_A, "GuestIntrinsicExchangeItems": kvp(OSName="Ubuntu 22.04")},
    ]
    inventory = GuestInventory.load(rows)
    for wanted in ({"vm_id": ID_A}, {"vm_name": "a"}):
        assert family(inventory, **wanted) is LINUX
    guest = inventory.find(vm_id=ID_A)
    assert guest is not None
    assert not guest.inferred


def test_rows_of_one_id_that_disagree_are_unknown_and_told() -> None:
    rows = [{"Name": "a", "VMId": ID_A, "OS": "Ubuntu"}, {"Name": "a", "VMId": ID_A, "OS": "Windows 10"}]
    inventory = GuestInventory.load(rows)
    assert family(inventory, vm_id=ID_A) is UNKNOWN
    assert family(inventory, vm_name="a") is UNKNOWN
    assert [problem.kind for problem in inventory.problems] == [ProblemKind.CONFLICT]


def test_an_id_row_without_system_is_completed_by_a_row_of_that_name() -> None:
    rows = [{"Name": "a", "VMId": ID_A, "State": "Off"}, {"Name": "a", "OS": "Ubuntu"}]
    assert family(GuestInventory.load(rows), vm_id=ID_A, vm_name="a") is LINUX


def test_a_namesake_of_another_id_and_system_makes_a_row_without_id_doubtful() -> None:
    rows = [{"Name": "a", "VMId": ID_A, "OS": "Windows 10"}, {"Name": "a", "OS": "Ubuntu"}]
    assert family(GuestInventory.load(rows), vm_id=ID_B, vm_name="a") is UNKNOWN


def test_a_linux_name_with_the_integration_services_of_windows_is_a_conflict() -> None:
    inventory = GuestInventory.load(
        [{"Name": "a", "OS": "Ubuntu", "IntegrationServicesVersion": "10.0.17763.1"}]
    )
    assert family(inventory, vm_name="a") is UNKNOWN
    assert [problem.kind for problem in inventory.problems] == [ProblemKind.CONFLICT]


def test_a_known_system_outweighs_the_integration_services() -> None:
    inventory = GuestInventory.load([{"Name": "a", "OS": "FreeBSD 14", "IntegrationServicesVersion": "3.1"}])
    guest = inventory.find(vm_name="a")
    assert guest is not None
    assert (guest.family, guest.inferred) == (FREEBSD, False)


@pytest.mark.parametrize(("version", "expected"), [("3.1", LINUX), ("4.3.5", LINUX), ("10.0.20348", WINDOWS)])
def test_a_name_that_no_row_knows_does_not_weaken_the_version_of_the_services(
    version: str, expected: GuestFamily
) -> None:
    inventory = GuestInventory.load([{"Name": "a", "OS": "Haiku", "IntegrationServicesVersion": version}])
    guest = inventory.find(vm_name="a")
    assert guest is not None
    assert (guest.family, guest.inferred) == (expected, True)
    assert not inventory.problems


@pytest.mark.parametrize(
    "name",
    [
        "MikoPBX 2024.1.114",
        "Buildroot 2023.02",
        "Synology DSM 7.2",
        "Sophos Firewall OS 20",
        "Home Assistant OS 13.1",
        "Flatcar Container Linux by Kinvolk 3815",
        "VMware Photon OS/Linux",
        "Armbian 24.2 bookworm",
        'NAME="Acme Box"\nID=acme\nID_LIKE="rhel centos fedora"',
        "NAME=Acme ID=acme ID_LIKE=debian",
    ],
)
def test_appliances_and_os_release_files_are_known_as_linux(name: str) -> None:
    inventory = GuestInventory.load([{"Name": "a", "OS": name}])
    assert family(inventory, vm_name="a") is LINUX


@pytest.mark.parametrize("name", ["pfSense 2.7.2", "OPNsense 24.1", "TrueNAS CORE 13.0"])
def test_appliances_are_known_as_freebsd(name: str) -> None:
    assert family(GuestInventory.load([{"Name": "a", "OS": name}]), vm_name="a") is FREEBSD


@pytest.mark.parametrize("name", ["Acme OS 1", "TrueNAS 13", "arch x64", "olives 2", "not id_like=debian"])
def test_names_that_only_look_like_systems_are_unknown(name: str) -> None:
    assert family(GuestInventory.load([{"Name": "a", "OS": name}]), vm_name="a") is UNKNOWN
