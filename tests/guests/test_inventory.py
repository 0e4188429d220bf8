"""Guest inventories: what people have in their files, and that no Windows guest is ever found as Linux."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hvdegraded.errors import InventoryError
from hvdegraded.guests import files as guest_files
from hvdegraded.guests.guest import Guest, ProblemKind
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.guest_systems import (
    GuestFamily,
    family_from_integration,
    guests_script,
    read_os,
    supported_os,
    windows_remedy,
)

WINDOWS, LINUX = GuestFamily.WINDOWS, GuestFamily.LINUX
FREEBSD, OTHER_UNIX, UNKNOWN = GuestFamily.FREEBSD, GuestFamily.OTHER_UNIX, GuestFamily.UNKNOWN

ID_A = "9FC1B2C3-0A1B-4C2D-9E3F-405162738495"
ID_B = "5D9E9825-1973-4B27-9AF1-BA77940A4066"

KVP_XML = (
    '<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem">'
    '<PROPERTY NAME="Caption" PROPAGATED="true" TYPE="string"></PROPERTY>'
    '<PROPERTY NAME="Data" TYPE="string"><VALUE>{data}</VALUE></PROPERTY>'
    '<PROPERTY NAME="Name" TYPE="string"><VALUE>{name}</VALUE></PROPERTY>'
    '<PROPERTY NAME="Source" TYPE="uint16"><VALUE>2</VALUE></PROPERTY></INSTANCE>'
)


def kvp(**items: str) -> list[str]:
    return [KVP_XML.format(name=name, data=data) for name, data in items.items()]


def write(folder: Path, content: str | bytes, name: str = "guests.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def family(inventory: GuestInventory, **wanted: str) -> GuestFamily | None:
    guest = inventory.find(**wanted)
    return None if guest is None else guest.family


# Names of systems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Windows Server 2019 Datacenter", WINDOWS),
        ("Windows Server 2012 R2 Standard", WINDOWS),
        ("Microsoft Windows Server 2016 (64-bit)", WINDOWS),
        ("64-bit edition of Windows 10", WINDOWS),
        ("Windows Server® 2008 Standard", WINDOWS),
        ("Windows™ 7", WINDOWS),
        ("WindowsServer2022", WINDOWS),
        ("windows2019srvNext_64Guest", WINDOWS),
        ("Win32NT", WINDOWS),
        ("win10", WINDOWS),
        ("Hyper-V Server 2019", WINDOWS),
        ("Azure Stack HCI", WINDOWS),
        ("Ubuntu 22.04.3 LTS", LINUX),
        ("Debian GNU/Linux 12 (bookworm)", LINUX),
        ("Red Hat Enterprise Linux 9.3 (Plow)", LINUX),
        ("RedHat", LINUX),
        ("rhel8", LINUX),
        ("CentOS Stream 9", LINUX),
        ("CentOS Linux 7 (64 bit)", LINUX),
        ("Rocky Linux 9.3 (Blue Onyx)", LINUX),
        ("AlmaLinux 9.3 (Shamrock Pampas Cat)", LINUX),
        ("Oracle Linux Server 8.9", LINUX),
        ("SUSE Linux Enterprise Server 15 SP5", LINUX),
        ("SLES 15", LINUX),
        ("openSUSE Leap 15.5", LINUX),
        ("Fedora Linux 39 (Server Edition)", LINUX),
        ("Arch Linux", LINUX),
        ("Alpine Linux v3.19", LINUX),
        ("Amazon Linux 2023", LINUX),
        ("VMware Photon OS/Linux", LINUX),
        ("Gentoo/Linux", LINUX),
        ("Linux Mint 21.3", LINUX),
        ("Kali GNU/Linux Rolling", LINUX),
        ("Microsoft Azure Linux 3.0", LINUX),
        ("Other Linux (64 bit)", LINUX),
        ("Linux", LINUX),
        ("FreeBSD 14.0-RELEASE", FREEBSD),
        ("pfSense 2.7.2", FREEBSD),
        ("OPNsense 24.1", FREEBSD),
        ("TrueNAS CORE 13", FREEBSD),
        ("TrueNAS SCALE", LINUX),
        ("DragonFly 6.4", OTHER_UNIX),
        ("OpenBSD 7.4", OTHER_UNIX),
        ("NetBSD 10", OTHER_UNIX),
        ("Darwin", OTHER_UNIX),
        ("macOS 14", OTHER_UNIX),
        ("", UNKNOWN),
        ("Haiku", UNKNOWN),
        ("Server 2019", UNKNOWN),
        ("Microsoft", UNKNOWN),
        ("Alpinegeist", UNKNOWN),
        ("Windows Subsystem for Linux", UNKNOWN),
        ("Linux on Windows host", UNKNOWN),
        ("Not Windows", UNKNOWN),
        ("not Linux", UNKNOWN),
        ("non-Linux", UNKNOWN),
        ("Linux?", UNKNOWN),
        ("was Debian", UNKNOWN),
        ("Ubuntu (WSL)", UNKNOWN),
        ("Debian or Windows", UNKNOWN),
        ("FreeBSD or Linux", UNKNOWN),
        ("WİNDOWS Linux", UNKNOWN),
        ("Win\u200bdows Linux", UNKNOWN),
        ("Ｗｉｎｄｏｗｓ Server", WINDOWS),
        ("Linux " * 1000, UNKNOWN),
    ],
)
def test_read_os(text: str, expected: GuestFamily) -> None:
    assert read_os(text).family is expected
    assert read_os(text.upper()).family is expected
    assert read_os(f"  {text} ").family is expected


def test_no_text_names_no_family() -> None:
    assert read_os(None).family is UNKNOWN


@given(
    st.text(max_size=60), st.sampled_from(["Windows", "windows", "WINDOWS Server 2019"]), st.text(max_size=60)
)
def test_a_text_with_windows_in_it_is_never_another_system(before: str, windows: str, after: str) -> None:
    assert read_os(before + windows + after).family in (WINDOWS, UNKNOWN)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("3.1", LINUX),
        ("3.1.0.0", LINUX),
        ("4.3.5", LINUX),
        ("6.3.9600.16384", WINDOWS),
        ("6.0.6001.17101", WINDOWS),
        ("10.0.17763.1", WINDOWS),
        ("0.0", UNKNOWN),
        ("10.1", UNKNOWN),
        ("3.10", UNKNOWN),
        ("31", UNKNOWN),
        ("3.1-beta", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_family_from_integration(version: str | None, expected: GuestFamily) -> None:
    assert family_from_integration(version) is expected


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        ("Ubuntu 22.04", None, True),
        ("Oracle Linux Server 8.9", None, True),
        ("FreeBSD 9.3-RELEASE", None, False),
        ("FreeBSD 10.0-RELEASE", None, True),
        ("FreeBSD", "14.0", True),
        ("FreeBSD", None, None),
        ("Gentoo/Linux", None, None),
        ("Windows Server 2019", None, None),
        ("Ubuntu or Windows", None, None),
    ],
)
def test_supported_families_are_those_of_the_vendors_list(
    text: str, version: str | None, expected: bool | None
) -> None:
    assert supported_os(text, version) is expected


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
    assert inventory.find(vm_id=ID_A.lower()) == Guest(
        name="web01",
        vm_id=ID_A,
        host="HV1",
        family=LINUX,
        os_name="Ubuntu 22.04.3 LTS",
        os_version="5.15.0-91-generic",
        integration_version="3.1",
        source="guests.json, row 1",
        supported=True,
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
    inventory = GuestInventory.load([{"Name": "a", "GuestIntrinsicExchangeItems": [bomb]}])
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
        "VM,Host,OS according to the configuration file,OS according to the VMware Tools,VM ID\n"
        "web01,esx1,Debian GNU/Linux 8 (64-bit),Debian GNU/Linux 12,vm-17\n"
        "db01,esx1,Debian GNU/Linux 8 (64-bit),Microsoft Windows Server 2019 (64-bit),vm-18\n"
        "app01,esx1,,Ubuntu Linux (64-bit),vm-19\n"
    )
    inventory = GuestInventory.load(write(tmp_path, text, "rvtools.csv"))
    assert [guest.family for guest in inventory] == [LINUX, UNKNOWN, LINUX]
    assert [(problem.kind, problem.row, problem.line) for problem in inventory.problems] == [
        (ProblemKind.UNKNOWN_SYSTEM, 2, 3)
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
    rows = [
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


def test_an_unknown_text_is_not_overruled_by_the_integration_services() -> None:
    inventory = GuestInventory.load([{"Name": "a", "OS": "Haiku", "IntegrationServicesVersion": "3.1"}])
    assert family(inventory, vm_name="a") is UNKNOWN
    assert [problem.kind for problem in inventory.problems] == [ProblemKind.UNKNOWN_SYSTEM]


def test_rows_that_name_no_vm_are_told() -> None:
    inventory = GuestInventory.load([{"Name": "", "OSName": "Ubuntu"}, {"Name": "a", "OSName": "Ubuntu"}])
    assert [(problem.kind, problem.row) for problem in inventory.problems] == [(ProblemKind.NO_VM, 1)]
    assert len(inventory) == 1


# Nothing to read


@pytest.mark.parametrize(
    "content",
    [b"", b"   \r\n", b"hello", b"Name\nweb01\n", b"{", b'["a"]', b"\x00\x01\x02\x03" * 50, b"[" * 200_000],
    ids=["empty", "blank", "words", "one-column", "brace", "strings", "binary", "nested"],
)
def test_files_that_are_no_inventory(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path, content)
    if content.startswith(b"Name"):  # a list of names is an inventory in which nothing is known
        assert family(GuestInventory.load(path), vm_name="web01") is UNKNOWN
        return
    with pytest.raises(InventoryError) as caught:
        GuestInventory.load(path)
    assert caught.value.path == str(path)
    assert caught.value.hint


def test_an_empty_list_is_an_empty_inventory(tmp_path: Path) -> None:
    inventory = GuestInventory.load(write(tmp_path, "[]"))
    assert inventory.empty
    assert inventory.find(vm_name="a") is None


@pytest.mark.parametrize("source", ["no/such/file.json", "\0", "."])
def test_paths_that_cannot_be_read(source: str) -> None:
    with pytest.raises(InventoryError):
        GuestInventory.load(source)


@pytest.mark.parametrize("source", [3, b"{}", None])
def test_sources_of_no_use(source: Any) -> None:
    with pytest.raises(InventoryError):
        GuestInventory.load(source)


def test_a_file_over_the_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_files, "MAX_BYTES", 10)
    with pytest.raises(InventoryError, match="larger"):
        GuestInventory.load(write(tmp_path, b"[" + b" " * 20 + b"]"))


def test_rows_over_the_bound_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_files, "MAX_ROWS", 3)
    with pytest.raises(InventoryError, match="rows"):
        GuestInventory.load([{"Name": "a", "OS": "Ubuntu"}] * 4)


@settings(max_examples=200)
@given(data=st.binary(max_size=400))
def test_any_bytes_give_an_inventory_or_our_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = write(tmp_path_factory.getbasetemp(), data, "any")
    for content in (data, b"Name,OSName\n" + data, b'[{"Name": "a", "OSName": ' + data):
        path.write_bytes(content)
        try:
            GuestInventory.load(path)
        except InventoryError:
            continue


KEYS = st.sampled_from(
    [
        "Name",
        "Id",
        "VMId",
        "Host",
        "OSName",
        "KVP",
        "all",
        "hosts",
        "value",
        "IntegrationServicesVersion",
        "x",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(ID_A),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(KEYS | st.text(max_size=5) | st.integers(), VALUES, max_size=5) | st.lists(VALUES))
def test_any_mapping_gives_an_inventory_or_our_error(source: Any) -> None:
    try:
        inventory = GuestInventory.load(source)
    except InventoryError:
        return
    for guest in inventory:
        inventory.find(vm_id=guest.vm_id, vm_name=guest.name, host=guest.host)


@given(
    others=st.dictionaries(KEYS.filter(lambda key: key not in ("Name", "OSName")), VALUES, max_size=4),
    windows=st.sampled_from(["Windows Server 2022", "windows 10", "Microsoft Windows XP"]),
    namesakes=st.lists(st.sampled_from(["Ubuntu", "Linux", "", "Windows 11", "FreeBSD 14"]), max_size=3),
    host=st.none() | st.sampled_from(["HV1", "HV2"]),
)
def test_a_windows_guest_is_never_found_as_anything_else(
    others: dict[str, Any], windows: str, namesakes: list[str], host: str | None
) -> None:
    rows: list[dict[str, Any]] = [{"Name": "a", "Host": "HV1"} | others | {"OSName": windows}]
    rows += [{"Name": "a", "OSName": text} for text in namesakes]
    inventory = GuestInventory.load(rows)
    first = next(iter(inventory))
    assert first.family in (WINDOWS, UNKNOWN)
    for wanted in (
        {"vm_name": "a"},
        {"vm_id": first.vm_id} if first.vm_id else {"vm_name": "A", "host": first.host},
    ):
        found = inventory.find(**wanted)
        assert found is not None
        assert found.family in (WINDOWS, UNKNOWN)
    if not namesakes and host:
        elsewhere = inventory.find(vm_name="a", host=host)
        assert elsewhere is not None
        assert elsewhere.family in (WINDOWS, UNKNOWN)


def test_what_cannot_be_read_leaves_open_what_runs() -> None:
    rows = [{"Name": "a", "VMId": ID_A, "OS": "Server 2019"}, {"Name": "b", "VMId": ID_B, "State": "Off"}]
    inventory = GuestInventory.load(rows)
    unread, unsaid = inventory.find(vm_id=ID_A), inventory.find(vm_id=ID_B)
    assert unread is not None
    assert unread.undecided
    assert unsaid is not None
    assert not unsaid.undecided
    # Nor does a row of the same machine, or of its name, say it instead.
    for other in ({"Name": "a", "VMId": ID_A, "OS": "Ubuntu"}, {"Name": "a", "OS": "Ubuntu"}):
        found = GuestInventory.load([rows[0], other]).find(vm_id=ID_A, vm_name="a")
        assert found is not None
        assert (found.family, found.undecided) == (UNKNOWN, True)


def test_a_list_of_texts_counts_as_all_of_them() -> None:
    def found(system: list[str], **more: str) -> Guest | None:
        return GuestInventory.load([{"Name": "web01", "OSName": system, **more}]).find(vm_name="web01")

    for system, expected in (("Windows Server 2019", GuestFamily.WINDOWS), ("Ubuntu", GuestFamily.LINUX)):
        guest = found([system])
        assert guest is not None
        assert guest.family is expected
    for guest in (found(["Ubuntu", "Windows"]), found(["Windows"], Family="Linux")):
        assert guest is not None
        assert guest.undecided


def test_a_doubted_system_leaves_open_what_runs() -> None:
    guest = GuestInventory.load([{"Name": "a", "OS": "formerly Ubuntu"}]).find(vm_name="a")
    assert guest is not None
    assert (guest.family, guest.undecided) == (UNKNOWN, True)


# Remedies and the script


@pytest.mark.parametrize(
    ("host", "disk", "update"),
    [
        ("Windows Server 2025", False, True),
        ("Windows Server 2016 to 2022", False, True),
        ("2019", False, True),
        ("10.0.20348", False, True),
        ("Windows Server 2012 R2", True, True),
        ("2012R2", True, True),
        ("6.3.9600", True, True),
        ("Windows Server 2012", True, False),
        ("Windows Server 2008 R2", True, False),
        ("Windows Server 2008", True, False),
        (None, True, True),
        ("something else", True, True),
    ],
)
def test_remedies_by_host(host: str | None, disk: bool, update: bool) -> None:
    text = windows_remedy(host)
    assert ("Setup Disk" in text, "Windows Update" in text) == (disk, update)


def test_the_2012_r2_remedy_is_its_own() -> None:
    texts = {windows_remedy(host) for host in (None, "2016", "2012 R2", "2012")}
    assert len(texts) == 4


def test_the_script_writes_the_columns_that_are_read() -> None:
    script = guests_script()
    assert script.isascii()
    for name in ("Name", "Id", "HostName", "OSName", "OSVersion", "IntegrationServicesVersion"):
        assert f"        {name} " in script
    assert script.count("{") == script.count("}")
    assert script.count("(") == script.count(")")
    for word in ("Get-VM)", "GuestIntrinsicExchangeItems", r"root\virtualization\v2", "ConvertTo-Json"):
        assert word in script
