"""The zip of the collection script: inventory, zone, coverage and list are found by themselves."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.formats.collections import collected_files
from hvdegraded.knowledge.collection_script import collect_script
from hvdegraded.knowledge.guest_systems import guests_script
from hvdegraded.records.items import NoteKind
from hvdegraded.timestamps import ticks_from_datetime
from tests.tools.sample_logs import FOLDER

HOST = "hv2012r2.example.org"
TAKEN = "2030-01-01T00:00:00.0000000Z"
ABSENT = "Microsoft-Windows-Hyper-V-StorageVSP-Admin"
GUESTS = [
    {name: value for name, value in row.items() if name != "Taken"}  # which the list of the collection names
    for row in json.loads((FOLDER / "guests.json").read_text(encoding="utf-8"))
]
GUESTS_THERE = sum(row["ComputerName"] == HOST for row in GUESTS)


def collected(path: Path, *, without: str = "", **changes: Any) -> Path:
    """A zip as the script writes it, of the sample logs of one host."""
    logs = sorted((FOLDER / "hv2012r2").glob("*.evtx"))
    channels: list[dict[str, Any]] = [
        {"Name": log.stem, "Exists": True, "Enabled": True, "Records": 9, "File": log.name, "Problem": None}
        for log in logs
    ]
    channels.append({"Name": ABSENT, "Exists": False, "Enabled": False, "Records": 0, "File": None})
    listed = {
        "schema": "hvdegraded.collection", "schema_version": 1, "Host": HOST, "Taken": TAKEN,
        "Product": "Windows Server 2012 R2", "Build": "6.3.9600.1", "TimeZone": "W. Europe Standard Time",
        "Channels": channels, "Problems": [],
    }  # fmt: skip
    guests = [row for row in GUESTS if row["ComputerName"] == HOST]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for log in logs:
            if log.name != without:
                archive.write(log, log.name)
        archive.writestr("hvdegraded.json", b"\xef\xbb\xbf" + json.dumps(listed | changes).encode())
        archive.writestr("guests.json", json.dumps(guests))
        archive.writestr("states.json", json.dumps(STATES))
    return path


STATES = [
    {"VMName": "web01", "Name": "VSS", "PrimaryOperationalStatus": 2, "SecondaryOperationalStatus": 32775,
     "PrimaryStatusDescription": "OK", "SecondaryStatusDescription": "?"},
]  # fmt: skip


def test_a_triage_of_the_zip_is_that_of_its_logs_with_its_inventory(tmp_path: Path) -> None:
    found = hv.triage(collected(tmp_path / "host.zip"))
    guests = hv.GuestInventory.load([row for row in GUESTS if row["ComputerName"] == HOST])
    by_hand = hv.triage(FOLDER / "hv2012r2", guests=guests, together=True)
    assert found.by_section() == by_hand.by_section()
    assert found.provenance.inventory is not None
    assert found.provenance.inventory.guests == len(guests)
    assert found.provenance.inventory.taken == datetime(2030, 1, 1, tzinfo=UTC)
    assert not found.report.notes
    assert not found.report.lost


def test_a_channel_that_the_host_does_not_have_is_covered_until_the_zip_was_taken(tmp_path: Path) -> None:
    stream = hv.read(collected(tmp_path / "host.zip"))
    list(stream)
    start = ticks_from_datetime(datetime(2013, 1, 1, tzinfo=UTC))
    assert stream.report.coverage.covers(HOST, ABSENT, start, start + 1)
    assert not stream.report.coverage.covers("another", ABSENT, start, start + 1)
    listed = [{"Name": ABSENT, "Exists": True, "Enabled": True, "Records": 0, "File": None}]
    cleared = hv.read(collected(tmp_path / "cleared.zip", Channels=listed))
    list(cleared)
    assert not cleared.report.coverage.covers(HOST, ABSENT, start, start + 1)


def test_local_times_in_the_zip_are_of_the_zone_of_its_host(tmp_path: Path) -> None:
    path = collected(tmp_path / "host.zip")
    text = "Level,Date and Time,Source,Event ID,Task Category\r\nError,7/22/2026 8:30:25 PM,Microsoft-Windows-Hyper-V-Worker,12030,None,failed\r\n"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.csv", text)
    (record,) = [one for one in hv.read_records(path) if one.event_id == 12030 and not one.data]
    assert record.time_created == datetime(2026, 7, 22, 18, 30, 25, tzinfo=UTC)
    (record,) = [
        one for one in hv.read_records(path, timezone="Asia/Tokyo") if one.event_id == 12030 and not one.data
    ]
    assert record.time_created == datetime(2026, 7, 22, 18, 30, 25, tzinfo=UTC)


def test_what_the_zip_lacks_is_told(tmp_path: Path) -> None:
    channels = [
        {"Name": "A", "Exists": True, "Enabled": True, "File": None, "Problem": "Access is denied."},
        {"Name": "B", "Exists": True, "Enabled": False, "File": "System.evtx"},
    ]
    for path, expected, code in (
        (
            collected(tmp_path / "1.zip", without="System.evtx"),
            "System.evtx of the channel System is missing",
            3,
        ),
        (
            collected(tmp_path / "2.zip", Channels=channels),
            "channel A could not be exported: Access is denied.",
            3,
        ),
        (collected(tmp_path / "3.zip", Channels=channels[1:]), "channel B is switched off", 1),
        (
            collected(tmp_path / "4.zip", Problems="the inventory could not be written"),
            "on the host, the inventory",
            1,
        ),
        (collected(tmp_path / "5.zip", TimeZone="Mars Standard Time"), "its time zone cannot be used", 1),
        (collected(tmp_path / "6.zip", schema_version=2), "of version 2, which is not known here", 3),
    ):
        stream = hv.read_records(path)
        list(stream)
        assert expected in str(stream.report)
        assert bool(stream.report.unreadable) == (code == 3)
        assert main(["triage", str(path), "--quiet"]) == code


def repacked(source: Path, target: Path, folders: tuple[str, ...], **files: bytes) -> Path:
    """The files of a zip in folders of another, some of them changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for folder in folders:
            for name in old.namelist():
                new.writestr(folder + name, files.get(name.partition(".")[0], old.read(name)))
    return target


@pytest.mark.parametrize("folder", ["HV1/", "exports/2026/HV1/"])
def test_a_collection_that_was_unpacked_or_packed_with_its_folder(tmp_path: Path, folder: str) -> None:
    path = collected(tmp_path / "host.zip")
    whole = hv.triage(path)
    nested = repacked(path, tmp_path / "nested.zip", (folder,))
    with zipfile.ZipFile(nested) as archive:
        archive.extractall(tmp_path / "unpacked")
    for source in (nested, tmp_path / "unpacked"):
        found = hv.triage(source)
        assert found.by_section() == whole.by_section()
        assert found.provenance.inventory is not None
        assert found.provenance.inventory.guests == GUESTS_THERE
        assert found.provenance.inventory.taken == datetime(2030, 1, 1, tzinfo=UTC)
        assert (found.report.filtered, found.report.notes) == (whole.report.filtered, [])
        start = ticks_from_datetime(datetime(2013, 1, 1, tzinfo=UTC))
        assert found.report.coverage.covers(HOST, ABSENT, start, start + 1)


def test_collections_of_several_hosts_in_one_zip(tmp_path: Path) -> None:
    path = repacked(collected(tmp_path / "host.zip"), tmp_path / "all.zip", ("a/", "b/"))
    found = hv.triage(path)
    assert found.provenance.inventory is not None
    assert found.provenance.inventory.guests == 2 * GUESTS_THERE
    assert len(list(hv.classify_statuses(path))) == 2 * len(STATES)


def test_an_unpacked_list_names_what_is_missing_and_its_zone_is_that_of_local_times(tmp_path: Path) -> None:
    with zipfile.ZipFile(collected(tmp_path / "host.zip")) as archive:
        archive.extractall(tmp_path / "host")
    (tmp_path / "host" / "System.evtx").unlink()
    text = "Level,Date and Time,Source,Event ID,Task Category\r\nError,7/22/2026 8:30:25 PM,Microsoft-Windows-Hyper-V-Worker,12030,None,failed\r\n"
    (tmp_path / "host" / "more.csv").write_text(text)
    stream = hv.read_records(tmp_path / "host")
    (record,) = [one for one in stream if one.event_id == 12030 and not one.data]
    assert record.time_created == datetime(2026, 7, 22, 18, 30, 25, tzinfo=UTC)
    assert "System.evtx of the channel System is missing" in str(stream.report)
    assert main(["triage", str(tmp_path / "host"), "--quiet"]) == 3


@pytest.mark.parametrize(
    ("inventory", "code"), [(b"{bad", 3), (b"\xff\xfe{", 3), (b'[{"Name": "a"}]', 1), (b"[]", 1), (b"", 1)]
)
def test_an_inventory_of_a_collection_that_cannot_be_used(
    tmp_path: Path, inventory: bytes, code: int
) -> None:
    path = repacked(collected(tmp_path / "host.zip"), tmp_path / "x.zip", ("",), guests=inventory)
    found = hv.triage(path)
    assert found.provenance.inventory is None
    assert any("inventory is not used" in note.text for note in found.report.notes) == (len(inventory) > 2)
    assert main(["triage", str(path), "--quiet"]) == code


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"schema": "x"}',
        b'{"schema": "hvdegraded.collection", "Channels": 7, "Problems": {}}',
        b"\xff" * 99,
    ],
)
def test_a_list_that_is_none_makes_no_collection_and_costs_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(FOLDER / "hv2012r2" / "System.evtx", "System.evtx")
        archive.writestr("hvdegraded.json", content)
    stream = hv.read_records(path)
    assert len(list(stream)) > 0


def test_zips_of_several_hosts_in_a_folder_keep_their_inventories(tmp_path: Path) -> None:
    collected(tmp_path / "a.zip")
    collected(tmp_path / "b.zip", Host="other")
    found = hv.triage(tmp_path)
    assert found.provenance.inventory is not None
    assert found.provenance.inventory.guests == 2 * len(
        [row for row in GUESTS if row["ComputerName"] == HOST]
    )


def test_states_in_the_zip_are_judged_by_its_inventory(tmp_path: Path) -> None:
    (one,) = hv.classify_statuses(collected(tmp_path / "host.zip"))
    assert one.status.state == "protocol mismatch"
    assert one.verdict.guest is not None


def test_triage_says_that_a_file_has_states_and_takes_its_systems(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "vms.json"
    rows = [
        {"Name": row["Name"], "VMId": row["Id"], "State": 2, "OperationalStatus": [2], "Uptime": "1.00:00",
         "Status": "Operating normally", "OSName": row["OSName"]}
        for row in GUESTS
    ]  # fmt: skip
    path.write_text(json.dumps(rows), encoding="utf-8")
    found = hv.triage([FOLDER / "hv2012r2", path])
    assert found.by_section() == hv.triage(FOLDER / "hv2012r2", guests=FOLDER / "guests.json").by_section()
    assert [note.kind for note in found.report.notes] == [NoteKind.PASSED_OVER]
    assert main(["triage", str(FOLDER / "hv2012r2"), str(path)]) == 1
    assert "console states of 10 VMs" in capsys.readouterr().out
    assert main(["triage", str(path)]) == 4
    assert "console states of 10 VMs" in capsys.readouterr().out


def test_the_script_takes_the_channels_of_the_table_and_the_inventory() -> None:
    script = collect_script()
    assert script.isascii()
    assert guests_script().strip() in script
    for word in (
        "'System'",
        "'Microsoft-Windows-Hyper-V-Worker-Admin'",
        "wevtutil.exe epl",
        "hvdegraded.json",
    ):
        assert word in script
    assert "__" not in re.sub(r"__\w+__", "", script) or not re.search(r"__[A-Z]+__", script)
    for opening, closing in ("{}", "()", "[]"):
        assert script.count(opening) == script.count(closing)
    assert max(map(len, script.splitlines())) < 140


def test_the_names_that_the_script_writes_are_those_that_are_read(tmp_path: Path) -> None:
    script = collect_script()
    path = collected(tmp_path / "host.zip")
    assert list(collected_files(io.BytesIO(path.read_bytes()))) == [""]
    written = set(re.findall(r"^\s+(\w+) += ", script.split("schema         =")[1], re.MULTILINE))
    assert {"Host", "Taken", "Build", "TimeZone", "Channels", "Problems"} <= written
    for name in ("Name", "Exists", "Enabled", "Oldest", "Newest", "File", "Problem"):
        assert f"{name} = " in script
    for name in ("guests.json", "states.json", "hvdegraded.json"):
        assert f"'{name}'" in script


def test_the_command_prints_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["collect-script"]) == 0
    assert capsys.readouterr().out.strip() == collect_script().strip()
