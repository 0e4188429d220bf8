"""Kinds of inventories that once made a Windows guest's event ignorable: ids, columns, names, age, patterns."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hvdegraded.errors import InventoryError
from hvdegraded.guests.guest import MAX_INVENTORY_AGE, Guest, GuestMatch, ProblemKind
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.vocabulary import GuestFamily
from tests.tools.inventories import ID_A, ID_B, LINUX, UNKNOWN, WINDOWS, kvp, write

BARE = ID_A.replace("-", "")
SERVICE = "2A34B1C2-FD73-4043-8A5B-DD2159BC743F"


def found(source: Any, **wanted: Any) -> Guest:
    guest = GuestInventory.load(source).find(**wanted)
    assert guest is not None
    return guest


# Ids


@pytest.mark.parametrize(
    "text",
    [
        ID_A,
        BARE,
        BARE.lower(),
        f"{{{ID_A}}}",
        f" {{{ID_A.lower()}}} ",
        f"({ID_A})",
        f"{{{BARE}}}",
        f"Microsoft:{ID_A}",
        f"microsoft:{ID_A}\\{SERVICE}",
        f"Microsoft:{{{ID_A}}}",
        {"Guid": ID_A},
        {"value": BARE},
    ],
)
@pytest.mark.parametrize("column", ["VMId", "Id", "VM GUID"])
def test_forms_of_ids_are_read(text: Any, column: str) -> None:
    guest = found([{"Name": "web01", column: text, "OS": "Ubuntu"}], vm_id=ID_A)
    assert (guest.vm_id, guest.family, guest.match) == (ID_A, LINUX, GuestMatch.VM_ID)


def test_forms_of_ids_are_read_as_keys() -> None:
    assert found({BARE: "Ubuntu"}, vm_id=ID_A).family is LINUX
    assert found({f"Microsoft:{ID_A}": {"OS": "Ubuntu"}}, vm_id=ID_A).family is LINUX


@pytest.mark.parametrize(
    "text", [ID_A[:-1], BARE + "0", "web01", "17", 17, "00000000-0000-0000-0000-000000000000", ID_A + "?"]
)
def test_an_id_that_cannot_be_read_is_reported_and_its_row_does_not_count_by_name(text: Any) -> None:
    rows = [{"Name": "web01", "VMId": text, "OS": "Ubuntu"}, {"Name": "db01", "VMId": ID_B, "OS": "Ubuntu"}]
    inventory = GuestInventory.load(rows)
    assert inventory.find(vm_name="web01") is None
    assert inventory.find(vm_id=ID_A, vm_name="web01") is None
    assert [(one.kind, one.row) for one in inventory.problems] == [(ProblemKind.UNREADABLE_ID, 1)]
    assert str(text) in inventory.problems[0].reason
    with pytest.raises(InventoryError, match="not a VM id"):
        GuestInventory.load(rows[:1])


def test_a_windows_row_whose_id_cannot_be_read_leaves_its_name_open() -> None:
    guest = found([{"Name": "web01", "VMId": ID_A[:-1], "OS": "Windows 10"}], vm_name="web01")
    assert (guest.family, guest.undecided) == (UNKNOWN, True)


def test_an_id_column_that_is_blank_is_not_an_id() -> None:
    for blank in ("", "-", "n/a", None):
        assert found([{"Name": "web01", "VMId": blank, "OS": "Ubuntu"}], vm_name="web01").family is LINUX


# Columns that disagree


@pytest.mark.parametrize(
    "cells",
    [
        {"OperatingSystem": "Server 2022", "KVP": kvp(OSName="Ubuntu 22.04")},
        {"OperatingSystem": "Windows Server 2022", "KVP": [{"Name": "OSName", "Data": "Ubuntu 22.04"}]},
        {"OS": "Ubuntu", "OSVersion": "10.0.20348"},
        {"OS": "Ubuntu", "OSBuildNumber": "20348"},
        {"OS": "Debian", "OSVersion": "6.3.9600"},
        {"OS": "Ubuntu", "KVP": kvp(OSVersion="10.0.17763")},
        {"OS": "Windows Server 2022", "OSVersion": "5.15.0-91-generic"},
        {"OS": "Windows 10", "OSVersion": "14.0-RELEASE"},
        {"OS": "Windows 10", "IntegrationServicesVersion": "3.1"},
        {"OSVersion": "10.0.20348", "IntegrationServicesVersion": "4.3.5"},
        {"OSName": "FreeBSD 14", "IntegrationServicesVersion": "10.0.17763.1"},
    ],
)
def test_columns_of_one_row_that_disagree_are_a_conflict(cells: dict[str, Any]) -> None:
    inventory = GuestInventory.load([{"Name": "web01", **cells}])
    guest = inventory.find(vm_name="web01")
    assert guest is not None
    assert (guest.family, guest.undecided) == (UNKNOWN, True)
    assert WINDOWS in guest.possible
    assert [problem.kind for problem in inventory.problems] == [ProblemKind.CONFLICT]


@pytest.mark.parametrize(
    ("cells", "family"),
    [
        ({"OS": "Ubuntu 24.04", "OSVersion": "6.8.0-45-generic", "IntegrationServicesVersion": "3.1"}, LINUX),
        ({"OS": "Ubuntu 22.04", "OSVersion": "22.04"}, LINUX),
        (
            {"OS": "Windows 10", "OSVersion": "10.0.19045", "IntegrationServicesVersion": "10.0.19041"},
            WINDOWS,
        ),
        ({"OS": "FreeBSD", "OSVersion": "14.0-RELEASE-p4"}, GuestFamily.FREEBSD),
        ({"OSVersion": "10.0.20348"}, WINDOWS),
        ({"OSVersion": "5.15.0-91-generic"}, LINUX),
    ],
)
def test_columns_of_one_row_that_agree_are_not_a_conflict(cells: dict[str, Any], family: GuestFamily) -> None:
    inventory = GuestInventory.load([{"Name": "web01", **cells}])
    assert [guest.family for guest in inventory] == [family]
    assert inventory.problems == ()


@pytest.mark.parametrize(
    "text",
    [
        "CentOS 7 → WS2022",
        "CentOS 7 -> Rocky 9",
        "w2k19 (prev. CentOS 7)",
        "Microsoft Server 2022 (Debian template)",
        "Server 2019, formerly Ubuntu",
        "Ubuntu / Win 2019",
        "srv2016 RHEL7",
        "2012 R2 (Oracle Linux host)",
        "migrated from Windows to Debian",
    ],
)
def test_free_text_that_holds_both_kinds_is_undecided(text: str) -> None:
    guest = found([{"Name": "web01", "OS": text}], vm_name="web01")
    assert (guest.family, guest.undecided) == (UNKNOWN, True)


# Names


def test_names_match_after_trimming_and_case_folding() -> None:
    for name in ("WEB01", " web01 ", "web01\t"):
        guest = found([{"Name": "Web01 ", "OS": "Ubuntu"}], vm_name=name)
        assert (guest.family, guest.match) == (LINUX, GuestMatch.NAME)
    assert found({"STRASSE": "Ubuntu"}, vm_name="straße").match is GuestMatch.NAME


@pytest.mark.parametrize(
    ("listed", "seen"),
    [
        ("ｗｅｂ０１", "web01"),
        ("web  01", "web 01"),
        ("web\u00a001", "web 01"),
        ("web\u200b01", "web01"),
        ("web01\ufeff", "web01"),
        ("caf\u00e9", "cafe\u0301"),
        ("web\u00ad01", "web01"),
    ],
)
def test_a_similar_name_is_reported_as_such(listed: str, seen: str) -> None:
    for one, other in ((listed, seen), (seen, listed)):
        linux = found([{"Name": one, "OS": "Ubuntu"}], vm_name=other)
        assert (linux.family, linux.match) == (LINUX, GuestMatch.SIMILAR_NAME)
        assert "similar" in linux.source
        assert found([{"Name": one, "OS": "Windows 10"}], vm_name=other).family is WINDOWS
        both = [{"Name": one, "OS": "Windows 10"}, {"Name": other, "OS": "Ubuntu"}]
        assert found(both, vm_name=other).family is UNKNOWN
        assert found(both, vm_name=other).undecided


def test_a_row_without_id_proves_nothing_for_a_name_that_several_vms_bear() -> None:
    rows = [{"Name": "web01", "OS": "Ubuntu"}]
    plain = {"vm_name": "web01", "vm_id": ID_A, "host": "HV1"}
    assert found(rows, **plain).family is LINUX
    for more in ({"several_ids": True}, {"several_hosts": True}):
        guest = found(rows, **plain, **more)
        assert (guest.family, guest.undecided) == (UNKNOWN, True)
        assert "several" in guest.source
    on_host = [{"Name": "web01", "Host": "HV1", "OS": "Ubuntu"}]
    assert found(on_host, **plain, several_hosts=True).family is LINUX
    assert found(on_host, **plain, several_ids=True).family is UNKNOWN
    by_id = [{"Name": "web01", "VMId": ID_A, "OS": "Ubuntu"}]
    assert found(by_id, **plain, several_ids=True, several_hosts=True).family is LINUX
    assert found(by_id, vm_name="web01", several_ids=True).family is UNKNOWN


# When it was taken


def test_an_inventory_knows_when_it_was_taken(tmp_path: Path) -> None:
    path = write(tmp_path, '[{"Name": "web01", "OS": "Ubuntu"}]')
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    assert found(path, vm_name="web01").taken == moment
    assert found({"web01": "Ubuntu"}, vm_name="web01").taken is None


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01 13:00:00+01:00",
        "/Date(1772366400000)/",
        1772366400,
        1772366400000,
        {"value": "/Date(1772366400000)/", "DateTime": "Sunday"},
        datetime(2026, 3, 1, 12, tzinfo=UTC),
    ],
)
def test_a_column_that_says_when_counts_more_than_the_file(tmp_path: Path, value: Any) -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert found([{"Name": "a", "OS": "Ubuntu", "Taken": value}], vm_name="a").taken == moment
    assert (
        found({"takenAt": value, "guests": [{"Name": "a", "OS": "BSD Linux"}]}, vm_name="a").taken == moment
    )
    if isinstance(value, str):
        path = write(tmp_path, f"Name,OS,taken_at\na,Ubuntu,{value}\n", "guests.csv")
        assert found(path, vm_name="a").taken == moment


def test_events_much_younger_than_the_inventory_find_it_outdated() -> None:
    guest = found([{"Name": "a", "OS": "Ubuntu", "Taken": "2026-03-01T12:00:00Z"}], vm_name="a")
    taken = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert timedelta(days=90) == MAX_INVENTORY_AGE
    assert not guest.older_than(taken + timedelta(days=90))
    assert guest.older_than(taken + timedelta(days=90, seconds=1))
    assert guest.older_than(taken + timedelta(days=8), timedelta(days=7))
    assert not guest.older_than(taken - timedelta(days=1000))
    assert not guest.older_than(None)


# Patterns


def test_exact_rows_beat_patterns() -> None:
    source = {"ubu-*": "Linux", "ubu-01": "Ubuntu 24.04", "???": "Linux"}
    exact, pattern = found(source, vm_name="UBU-01"), found(source, vm_name="ubu-02")
    assert (exact.os_name, exact.match) == ("Ubuntu 24.04", GuestMatch.NAME)
    assert (pattern.family, pattern.match) == (LINUX, GuestMatch.PATTERN)
    assert found(source, vm_name="abc").match is GuestMatch.PATTERN
    assert GuestInventory.load(source).find(vm_name="xubu-02") is None
    assert GuestInventory.load({"a[bc]*": "Linux"}).find(vm_name="ab1") is None
    assert found({"a[bc]*": "Linux"}, vm_name="a[bc]1").family is LINUX


def test_a_pattern_that_disagrees_with_a_row_or_a_pattern_is_undecided() -> None:
    for source in (
        [{"Name": "ubu-*", "OS": "Linux"}, {"Name": "ubu-01", "OS": "Windows 10"}],
        [{"Name": "ubu-*", "OS": "Linux"}, {"Name": "ubu-01", "VMId": ID_A, "OS": "Windows 10"}],
        [{"Name": "*", "OS": "Windows"}, {"Name": "ubu-01", "OS": "Linux"}],
        {"ubu-*": "Linux", "*-01": "Windows 10"},
    ):
        guest = found(source, vm_name="ubu-01", vm_id=ID_A)
        assert (guest.family, guest.undecided) == (UNKNOWN, True)


def test_a_pattern_of_many_stars_costs_little() -> None:
    inventory = GuestInventory.load({"*a" * 100 + "b": "Linux"})
    assert inventory.find(vm_name="a" * 10_000) is None


# What load takes


def test_load_takes_data_frames() -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    pyarrow = pytest.importorskip("pyarrow")
    columns = {"Name": ["web01", "db01"], "VMId": [ID_A, None], "OSName": ["Ubuntu", "Windows 10"]}
    for frame in (pandas.DataFrame(columns), polars.DataFrame(columns), pyarrow.table(columns)):
        inventory = GuestInventory.load(frame)
        assert [(guest.name, guest.vm_id, guest.family) for guest in inventory] == [
            ("web01", ID_A, LINUX),
            ("db01", None, WINDOWS),
        ]
    empty: dict[str, list[str]] = {name: [] for name in columns}
    for frame in (pandas.DataFrame(empty), polars.DataFrame(empty), pyarrow.table(empty)):
        with pytest.raises(InventoryError, match="no rows"):
            GuestInventory.load(frame)


def test_load_takes_a_mapping_and_an_inventory() -> None:
    inventory = GuestInventory.load({"web01": "Ubuntu 24.04"})
    assert [(guest.name, guest.family) for guest in inventory] == [("web01", LINUX)]
    assert GuestInventory.load(inventory) is inventory


@pytest.mark.parametrize(
    "rows",
    [
        [{"Name": "web01"}, {"Name": "db01", "OS": ""}],
        [{"OS": "Ubuntu"}],
        [{"Name": "web01", "VMId": "x", "OS": "Ubuntu"}],
        [1, 2],
        {"web01": None},
    ],
)
def test_load_raises_where_no_row_is_usable(rows: Any) -> None:
    with pytest.raises(InventoryError) as caught:
        GuestInventory.load(rows)
    assert caught.value.hint


# Of little use


def test_an_inventory_of_which_no_vm_occurs_in_the_logs_says_so() -> None:
    inventory = GuestInventory.load([{"Name": "web01", "OS": "Ubuntu"}, {"VMId": ID_A, "OS": "Windows 10"}])
    (remark,) = inventory.remarks([(None, "db01"), (ID_B, "mail")])
    assert "db01" in remark
    assert "web01" in remark
    assert inventory.remarks([(None, "db01"), (ID_A, "mail")]) == ()
    assert inventory.remarks([]) == ()


def test_an_inventory_with_unusable_rows_says_how_many() -> None:
    inventory = GuestInventory.load(
        [{"Name": "a", "OS": "Ubuntu"}, {"Name": "b", "VMId": "x", "OS": "Ubuntu"}]
    )
    (remark,) = inventory.remarks([(None, "a")])
    assert remark.startswith("1 row of the inventory cannot be used")


def test_an_inventory_in_what_powershell_prints_and_exports(tmp_path: Path) -> None:
    listed = f"\n\nName   : web01\nId     : {ID_A.lower()}\nOSName : Ubuntu 22.04\n\nName   : db01\nOSName : Windows 10\n"
    table = "\nName  OSName\n----  ------\nweb01 Ubuntu 22.04\ndb01  Windows 10\n\n"
    clixml = (
        '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
        '<Obj RefId="0"><MS><S N="Name">web01</S><S N="OSName">Ubuntu 22.04</S></MS></Obj>'
        '<Obj RefId="1"><MS><S N="Name">db01</S><S N="OSName">Windows 10</S></MS></Obj></Objs>'
    )
    for content in (listed, table, clixml):
        inventory = GuestInventory.load(write(tmp_path, content, "guests.txt"))
        assert [(guest.name, guest.family) for guest in inventory] == [("web01", LINUX), ("db01", WINDOWS)]


def test_a_name_given_that_no_event_names_is_reported_with_one_that_is_alike() -> None:
    inventory = GuestInventory.load({"legacypbx": "Linux", "web01": "Ubuntu", "db*": "Linux"})
    (remark,) = inventory.remarks([(ID_A, "legacy-pbx"), (ID_B, "WEB01 ")])
    assert "'legacypbx'" in remark
    assert remark.endswith("did you mean legacy-pbx?")
    (remark,) = GuestInventory.load({"legacypbx": "Linux"}).remarks([(None, "legacy-pbx")])
    assert remark.endswith("did you mean legacy-pbx?")
    every = GuestInventory.load({f"vm{number}": "Linux" for number in range(50)})
    assert every.remarks([(None, "vm1")]) == ()  # a list of all VMs, of which most have no events


def test_a_system_that_is_not_known_names_what_is_known_and_no_row_of_a_mapping() -> None:
    (problem,) = GuestInventory.load({"legacy-pbx": "Asterisk"}).problems
    assert str(problem).startswith("'legacy-pbx': the system 'Asterisk' is not known; write linux,")
    for written in ("linux", "freebsd", "windows", "CentOS 7"):
        assert written in problem.reason
        assert not GuestInventory.load({"legacy-pbx": written}).problems


def test_an_inventory_of_several_sources_counts_the_vms_of_each() -> None:
    named = GuestInventory.load({"web01": "Ubuntu"})
    listed = GuestInventory.parse(
        b'[{"Name": "a", "OS": "Ubuntu"}, {"Name": "b", "OS": "Linux"}]', "vms.json"
    )
    assert listed.source == "vms.json"
    assert named.source == "the names given"
    assert GuestInventory((*listed, *named)).source == "vms.json (2), the names given (1)"
