"""What would settle an assumption: never what was already given, and a date that is only the file's."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hvdegraded.cli.main import main
from hvdegraded.formats.evtx.writer import write_evtx
from hvdegraded.records.record import EventRecord
from tests.tools.verdict_cases import HV, ID, OTHER_ID, VM, at, record, storvsp

WORKS = storvsp(6, "6.0", "5.1")
HAPPENED = datetime.fromisoformat("2024-12-09T11:31:23+00:00")
CREATED = record(f"{HV}VMMS", 13002, 4, (("VmName", VM), ("VmId", ID)))


def inventory(folder: Path, days: int, *, taken: bool = False) -> Path:
    """An inventory whose file, or whose row too, is dated some days after the event."""
    path, when = folder / "guests.json", HAPPENED + timedelta(days=days)
    date = f', "Taken": "{when.isoformat()}"' if taken else ""
    path.write_text(f'[{{"Name": "{VM}", "OperatingSystem": "Ubuntu 22.04"{date}}}]')
    os.utime(path, (when.timestamp(), when.timestamp()))
    return path


def run(
    capsys: pytest.CaptureFixture[str], folder: Path, records: list[EventRecord], *options: object
) -> str:
    log = folder / "x.evtx"
    write_evtx(log, records)
    main(["triage", str(log), *map(str, options)])
    return " ".join(capsys.readouterr().out.split())


def test_an_old_inventory_is_settled_by_a_new_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, tmp_path, [WORKS], "--guests", inventory(tmp_path, -100))
    assert "Take a new inventory" in out
    assert "guests-script" in out
    assert "--guest " not in out
    assert "file dated 2024-08-31" in out
    assert "is too old or too new for 1 VM (1 event): what they ran then is assumed" in out
    out = run(capsys, tmp_path, [WORKS], "--guests", inventory(tmp_path, -100, taken=True))
    assert ", taken 2024-08-31" in out
    assert "file dated" not in out
    out = run(capsys, tmp_path, [WORKS], "--guests", inventory(tmp_path, 1))
    assert "1 proven noise" in out
    assert "too old or too new" not in out


def test_what_is_given_for_one_vm_counts_before_an_old_inventory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = inventory(tmp_path, -100)
    assert "1 proven noise" in run(capsys, tmp_path, [WORKS], "--guests", old, "--guest", f"{VM}=linux")


@pytest.mark.parametrize(("inventory_day", "created"), [(None, 600), (1, 600), (-1, -600)])
def test_a_vm_that_was_made_anew_is_named_by_its_id(
    inventory_day: int | None, created: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To repeat --guest with its name would change nothing."""
    given: list[object] = ["--guest", f"{VM}=linux"]
    if inventory_day is not None:
        given = ["--guests", inventory(tmp_path, inventory_day)]
    events = [at(CREATED, created), WORKS]
    out = run(capsys, tmp_path, events, *given)
    assert "1 assumed" in out
    assert f"--guest {ID}=…" in out
    assert f"--guest {VM}=…" not in out
    assert "1 proven noise" in run(capsys, tmp_path, events, *given, "--guest", f"{ID}=linux")


def test_of_several_vms_with_one_name_each_is_shown_with_its_id(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    namesake = tuple((name, OTHER_ID if text == ID else text) for name, text in WORKS.data)
    events = [WORKS, WORKS._replace(data=namesake)]
    out = run(capsys, tmp_path, events, "--guest", f"{VM}=linux")
    assert "2 to check" in out
    assert "by the VM's id, if several have its name" in out
    assert all(f"{VM} ({one})" in out for one in (ID, OTHER_ID))
    both = [f"--guest={one}=linux" for one in (ID, OTHER_ID)]
    assert "2 proven noise" in run(capsys, tmp_path, events, *both)


def test_each_thing_that_would_settle_many_vms_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of the first kind do not take the room of the second."""

    def of(number: int) -> EventRecord:
        names = {VM: f"vm{number:02}", ID: f"{number:08X}-0000-0000-0000-000000000000"}
        return WORKS._replace(data=tuple((name, names.get(text, text)) for name, text in WORKS.data))

    listed = ", ".join(
        f'{{"Name": "vm{number:02}", "OSName": "Debian 12", "Taken": "2024-01-01"}}' for number in range(30)
    )
    (tmp_path / "guests.json").write_text(f"[{listed}]")
    out = run(capsys, tmp_path, [of(number) for number in range(60)], "--guests", tmp_path / "guests.json")
    for settles in ("Take a new inventory", "Name the system that this VM runs"):
        assert settles in out
    assert out.count("and 20 more VMs") == 2


@pytest.mark.parametrize("form", ["--quiet", "--csv", "--json=findings"])
def test_what_was_given_in_vain_is_told_with_each_form(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_evtx(tmp_path / "x.evtx", [WORKS])
    main(["triage", str(tmp_path / "x.evtx"), "--guest", "wbe01=linux", form])
    assert "the system of 'wbe01' was given" in capsys.readouterr().err
