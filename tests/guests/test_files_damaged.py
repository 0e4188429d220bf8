"""Inventories that cannot be used, or only in part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.errors import InventoryError
from hvdegraded.guests.files import read_inventory, rows_of_mappings
from hvdegraded.guests.guest import ProblemKind
from hvdegraded.guests.inventory import GuestInventory
from tests.tools.inventories import (
    ID_A,
    UNKNOWN,
    WINDOWS,
    write,
)


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
    with pytest.raises(InventoryError) as caught:
        GuestInventory.load(path)
    assert caught.value.path == str(path)
    assert caught.value.hint


def test_a_list_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="no rows"):
        GuestInventory.load(write(tmp_path, "[]"))
    assert GuestInventory.load([]).empty


@pytest.mark.parametrize("source", ["no/such/file.json", "\0", "."])
def test_paths_that_cannot_be_read(source: str) -> None:
    with pytest.raises(InventoryError):
        GuestInventory.load(source)


@pytest.mark.parametrize("source", [3, b"{}", None])
def test_sources_of_no_use(source: Any) -> None:
    with pytest.raises(InventoryError):
        GuestInventory.load(source)


def test_a_file_over_the_bound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="larger"):
        read_inventory(write(tmp_path, b"[" + b" " * 20 + b"]"), max_bytes=10)


def test_rows_over_the_bound_are_refused() -> None:
    with pytest.raises(InventoryError, match="more than 3 rows"):
        rows_of_mappings([{"Name": "a", "OS": "Ubuntu"}] * 4, max_rows=3)
    with pytest.raises(InventoryError, match="more than 3 unusable rows"):
        rows_of_mappings([7] * 4, max_rows=3)


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
