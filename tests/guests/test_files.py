"""Inventories as scripts, exports and people write them."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

import pytest

from hvdegraded.errors import InventoryError
from hvdegraded.guests.guest import Guest, GuestMatch, ProblemKind
from hvdegraded.guests.inventory import GuestInventory
from tests.tools.inventories import (
    FREEBSD,
    ID_A,
    ID_B,
    KVP_XML,
    LINUX,
    UNKNOWN,
    WINDOWS,
    family,
    kvp,
    write,
)

# What people have


def test_the_scripts_own_file(tmp_path: Path) -> None:
    rows = [
        {
            "Name": "web01",
            "Id": ID_A,
            "HostName": "HV1",
            "OSName": "Ubuntu 22.04.3 LTS",
            "OSVersion": "5.15.0-91-generic",
            "IntegrationServicesVersion": "3.1",
            "IntegrationServicesState": "",
        },
        {"Name": "db01", "Id": ID_B, "HostName": "HV1", "OSName": "Windows Server 2019 Datacenter"},
    ]
    inventory = GuestInventory.load(write(tmp_path, json.dumps(rows)))
    found = inventory.find(vm_id=ID_A.lower())
    assert found is not None
    assert found.taken is not None
    assert found.dated_by_file
    assert found.model_copy(update={"taken": None, "dated_by_file": False}) == Guest(
        name="web01",
        vm_id=ID_A,
        host="HV1",
        family=LINUX,
        os_name="Ubuntu 22.04.3 LTS",
        os_version="5.15.0-91-generic",
        integration_version="3.1",
        source="guests.json, row 1",
        supported=True,
        match=GuestMatch.VM_ID,
    )
    assert family(inventory, vm_name="DB01", host="hv1.corp.local") is WINDOWS
    assert (len(inventory), inventory.empty, inventory.problems) == (2, False, ())
    assert [guest.name for guest in inventory] == ["web01", "db01"]


def test_get_vm_with_objects_for_id_and_version(tmp_path: Path) -> None:
    rows = [
        {
            "Name": "web01",
            "Id": {"value": ID_A.lower(), "Guid": ID_A.lower()},
            "ComputerName": "HV1",
            "IntegrationServicesVersion": {"Major": 3, "Minor": 1, "Build": -1, "Revision": -1},
        },
        {
            "Name": "db01",
            "VMId": ID_B,
            "ComputerName": "HV1",
            "IntegrationServicesVersion": {"Major": 10, "Minor": 0, "Build": 17763, "Revision": 1},
        },
        {"Name": "old", "Id": "{00000000-0000-0000-0000-000000000001}", "IntegrationServicesVersion": "0.0"},
    ]
    inventory = GuestInventory.load(write(tmp_path, json.dumps({"value": rows, "Count": 3})))
    web, db, old = inventory
    assert (web.family, web.inferred, web.integration_version) == (LINUX, True, "3.1")
    assert (db.family, db.inferred, db.integration_version) == (WINDOWS, True, "10.0.17763.1")
    assert (old.family, old.inferred) == (UNKNOWN, False)
    assert [(problem.kind, problem.row) for problem in inventory.problems] == [(ProblemKind.NO_SYSTEM, 3)]


def test_a_single_object_is_one_row(tmp_path: Path) -> None:
    row = {"Name": "web01", "VMId": ID_A, "OSName": "Debian GNU/Linux 12 (bookworm)"}
    assert len(GuestInventory.load(write(tmp_path, json.dumps(row)))) == 1


def test_json_lines_and_documents_after_each_other(tmp_path: Path) -> None:
    one, two = {"Name": "a", "OSName": "Ubuntu"}, {"Name": "b", "OSName": "Windows 10"}
    lines = GuestInventory.load(write(tmp_path, f"{json.dumps(one)}\n{json.dumps(two)}\n"))
    pretty = GuestInventory.load(
        write(tmp_path, json.dumps(one, indent=4) + "\r\n" + json.dumps(two, indent=4))
    )
    assert [guest.family for guest in lines] == [guest.family for guest in pretty] == [LINUX, WINDOWS]


def test_a_broken_json_line_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    text = '{"Name": "a", "OSName": "Ubuntu"}\n{"Name": "b", "OSNa\n{"Name": "c", "OSName": "Windows 10"}\n'
    inventory = GuestInventory.load(write(tmp_path, text))
    assert [guest.name for guest in inventory] == ["a", "c"]
    assert [(problem.kind, problem.line) for problem in inventory.problems] == [(ProblemKind.UNREADABLE, 2)]


def test_a_repeated_json_key_with_two_systems_is_ambiguous(tmp_path: Path) -> None:
    inventory = GuestInventory.load(
        write(tmp_path, '{"Name": "a", "Id": "1", "OSName": "Windows 10", "OSName": "Linux"}')
    )
    guest = inventory.find(vm_name="a")
    assert guest is not None
    assert (guest.family, guest.possible) == (UNKNOWN, (WINDOWS, LINUX))


@pytest.mark.parametrize("joined", [False, True])
def test_raw_kvp_components(tmp_path: Path, joined: bool) -> None:
    items: Any = kvp(
        OSName="Rocky Linux 9.3 (Blue Onyx)", OSVersion="5.14.0", IntegrationServicesVersion="3.1"
    )
    row = {
        "CreationClassName": "Msvm_KvpExchangeComponent",
        "ElementName": "Key-Value Pair Exchange",
        "Name": "Key-Value Pair Exchange",
        "SystemName": ID_A,
        "GuestIntrinsicExchangeItems": "".join(items) if joined else items,
    }
    inventory = GuestInventory.load(write(tmp_path, json.dumps([row])))
    guest = inventory.find(vm_id=ID_A)
    assert guest is not None
    assert (guest.name, guest.family, guest.os_version) == (None, LINUX, "5.14.0")


def test_kvp_items_as_pairs_beside_get_vm() -> None:
    row = {
        "Name": "web01",
        "KVP": [{"Name": "OSName", "Data": "openSUSE Leap 15.5"}, {"Name": "OSVersion", "Data": "5.14"}],
    }
    guest = GuestInventory.load([row]).find(vm_name="web01")
    assert guest is not None
    assert (guest.family, guest.os_name) == (LINUX, "openSUSE Leap 15.5")


def test_kvp_xml_with_entities_gives_nothing() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "Linux">]>' + KVP_XML.format(name="OSName", data="&a;")
    inventory = GuestInventory.load(
        [{"Name": "a", "GuestIntrinsicExchangeItems": [bomb]}, {"Name": "b", "OS": "BSD"}]
    )
    assert family(inventory, vm_name="a") is UNKNOWN


def test_msvm_computer_system_keeps_the_id_in_name() -> None:
    inventory = GuestInventory.load([{"ElementName": "web01", "Name": ID_A, "OSName": "Fedora Linux 39"}])
    assert [(guest.name, guest.vm_id) for guest in inventory] == [("web01", ID_A)]


def test_system_center_export_whose_id_is_its_own() -> None:
    row = {
        "Name": "web01",
        "ID": ID_B,
        "VMHost": "hv1.corp",
        "OperatingSystem": {"Name": "Ubuntu Linux 16.04"},
    }
    assert family(GuestInventory.load([row | {"VMId": ID_A}]), vm_id=ID_A) is LINUX
    inventory = GuestInventory.load([row])
    assert family(inventory, vm_name="web01", host="HV1") is LINUX
    # Whether another id is another machine or another tool's number for it cannot be known.
    assert family(inventory, vm_id=ID_A, vm_name="web01", host="HV1") is UNKNOWN


def test_ansible_inventory_and_facts() -> None:
    facts = {"distribution": "Microsoft Windows Server 2019", "os_family": "Windows", "hostname": "DB"}
    inventory = GuestInventory.load(
        {
            "_meta": {"hostvars": {"meta01": {"ansible_distribution": "Debian"}}},
            "all": {
                "hosts": {
                    "web01": {"ansible_distribution": "Ubuntu", "ansible_os_family": "Debian"},
                    "db01": {"ansible_facts": facts},
                },
                "children": {"bsd": {"hosts": {"fw": {"ansible_os_family": "FreeBSD"}}}},
            },
        }
    )
    found = {guest.name: (guest.family, guest.host) for guest in inventory}
    assert found == {
        "meta01": (LINUX, None),
        "web01": (LINUX, None),
        "db01": (WINDOWS, None),
        "fw": (FREEBSD, None),
    }


def test_plain_mapping_by_name_or_id() -> None:
    inventory = GuestInventory.load(
        {"web01": "Linux", ID_B: "Windows Server 2019", "fw": {"OS": "FreeBSD 14.0"}, "x": None}
    )
    assert family(inventory, vm_name="WEB01") is LINUX
    assert family(inventory, vm_id=f"{{{ID_B.lower()}}}") is WINDOWS
    assert family(inventory, vm_name="fw") is FREEBSD
    assert family(inventory, vm_name="x") is UNKNOWN
    assert [problem.kind for problem in inventory.problems] == [ProblemKind.NO_SYSTEM]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_csv_of_powershell(tmp_path: Path, delimiter: str, encoding: str) -> None:
    rows = [
        ("VM Name", "vm_id", "HOST-NAME", "os name"),
        ("wéb 01", ID_A, "HV1", "Ubuntu 22.04, LTS; \t new"),
        ("db01", ID_B, "HV1", "Windows Server 2019"),
    ]
    text = "#TYPE Selected.Microsoft.HyperV.PowerShell.VirtualMachine\r\n"
    text += "".join(delimiter.join(f'"{cell}"' for cell in row) + "\r\n" for row in rows)
    data = text.encode(encoding)
    if encoding == "utf-16-be":
        data = codecs.BOM_UTF16_BE + data
    inventory = GuestInventory.load(write(tmp_path, data, "guests.csv"))
    assert [(guest.name, guest.family) for guest in inventory] == [("wéb 01", LINUX), ("db01", WINDOWS)]
    assert inventory.problems == ()


def test_rvtools_like_csv_with_two_opinions(tmp_path: Path) -> None:
    text = (
        "VM,Host,OS according to the configuration file,OS according to the VMware Tools\n"
        "web01,esx1,Debian GNU/Linux 8 (64-bit),Debian GNU/Linux 12\n"
        "db01,esx1,Debian GNU/Linux 8 (64-bit),Microsoft Windows Server 2019 (64-bit)\n"
        "app01,esx1,,Ubuntu Linux (64-bit)\n"
    )
    inventory = GuestInventory.load(write(tmp_path, text, "rvtools.csv"))
    assert [guest.family for guest in inventory] == [LINUX, UNKNOWN, LINUX]
    assert [(problem.kind, problem.row, problem.line) for problem in inventory.problems] == [
        (ProblemKind.CONFLICT, 2, 3)
    ]


def test_csv_of_excel_with_its_separator_line(tmp_path: Path) -> None:
    inventory = GuestInventory.load(write(tmp_path, "sep=;\nName;OS\nweb01;Ubuntu\n", "g.csv"))
    assert [(guest.name, guest.family) for guest in inventory] == [("web01", LINUX)]


def test_csv_rows_whose_cells_moved_are_not_believed(tmp_path: Path) -> None:
    text = "Name,Notes,OSName\na,runs Windows, used to be,Linux\nb,,Ubuntu\nc,Debian\n"
    inventory = GuestInventory.load(write(tmp_path, text, "g.csv"))
    assert [guest.name for guest in inventory] == ["b"]
    assert [problem.line for problem in inventory.problems] == [2, 4]


def test_csv_with_a_quote_never_closed_tells_the_lines_it_swallowed(tmp_path: Path) -> None:
    text = 'Name,OSName\na,Ubuntu\n"b,Windows 10\nc,Debian\n'
    inventory = GuestInventory.load(write(tmp_path, text, "g.csv"))
    assert [guest.name for guest in inventory] == ["a"]
    assert [(problem.kind, problem.line) for problem in inventory.problems] == [(ProblemKind.UNREADABLE, 3)]


def test_names_in_an_old_code_page_are_read_and_told(tmp_path: Path) -> None:
    data = "Name,OSName\nbüro,Ubuntu\n".encode("cp1252")
    inventory = GuestInventory.load(write(tmp_path, data, "g.csv"))
    assert family(inventory, vm_name="BÜRO") is LINUX
    assert "Windows-1252" in inventory.problems[0].reason


@pytest.mark.parametrize(
    "row",
    [
        {"Name": "web01", "State": "Running", "Status": "Operating normally", "Uptime": "1.00:00:00"},
        {"VMName": "web01", "CPUUsage": 3, "Heartbeat": "Ok"},
    ],
)
def test_an_object_of_get_vm_without_a_system_is_not_a_table_of_vms(row: dict[str, Any]) -> None:
    for source in ([row], row):
        with pytest.raises(InventoryError, match="'web01' names no operating system"):
            GuestInventory.load(source)
    named = GuestInventory.load([row, {"Name": "web02", "OSName": "Debian 12"}])
    assert {guest.name for guest in named} <= {"web01", "web02"}
    assert len(named.problems) == 1


@pytest.mark.parametrize("heading", ["Betriebssystem", "Système d'exploitation", "Sistema operativo"])
def test_a_column_may_be_named_as_an_office_names_it(heading: str, tmp_path: Path) -> None:
    inventory = GuestInventory.load(write(tmp_path, f"VM;{heading}\nweb01;Ubuntu 22.04\n", "list.csv"))
    assert [(guest.name, guest.family) for guest in inventory] == [("web01", LINUX)]


def test_an_inventory_without_systems_is_refused_with_the_columns_that_name_them(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="OSName or OperatingSystem"):
        GuestInventory.load(write(tmp_path, "VM;Umgebung\nweb01;Test\n", "list.csv"))
