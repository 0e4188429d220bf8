"""Values of an inventory that leave open which system runs."""

from __future__ import annotations

import pytest

from hvdegraded.guests.guest import Guest
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.guest_systems import windows_remedy
from hvdegraded.knowledge.vocabulary import GuestFamily
from tests.tools.inventories import (
    ID_A,
    ID_B,
    UNKNOWN,
)


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
