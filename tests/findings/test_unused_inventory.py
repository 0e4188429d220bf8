"""An inventory that lies beside logs, or in their zip, is named if nothing else was given."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

import hvdegraded as hv
from tests.tools.sample_logs import FOLDER

GUESTS = FOLDER / "guests.json"
LOG = FOLDER / "hv2012r2" / "System.evtx"
CSV = "Name,OSName\nweb01,Ubuntu 24.04\nweb02,Windows Server 2019\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(LOG, tmp_path)
    shutil.copy(GUESTS, tmp_path)
    (tmp_path / "vms.csv").write_text(CSV)
    (tmp_path / "numbers.csv").write_text("a,b\n1,2\n")
    (tmp_path / "odd.json").write_bytes(b"{" * 1000)
    return tmp_path


def test_it_is_named_with_what_to_do(folder: Path) -> None:
    shown = str(hv.triage(folder))
    assert f"Caveat: {folder}/guests.json: it names what 10 VMs run, and is not used" in shown
    assert f"Caveat: {folder}/vms.csv: it names what 2 VMs run, and is not used" in shown
    assert "numbers.csv: it names" not in shown


def test_it_is_not_named_beside_one_that_was_given(folder: Path) -> None:
    assert "is not used" not in str(hv.triage(folder, guests=GUESTS))


def test_it_is_named_in_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "own.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(LOG, "logs/System.evtx")
        archive.write(GUESTS, "logs/guests.json")
    assert f"{path}/logs/guests.json: it names what 10 VMs run, and is not used" in str(hv.triage(path))
