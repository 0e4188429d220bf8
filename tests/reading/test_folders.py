"""Issue 15.15: a folder's logs are known by their content, whatever their names; each other file gets a remark."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.errors import SourceError
from hvdegraded.records.items import NoteKind
from tests.tools.corpus import ROOT
from tests.tools.sample_exports import event_xml, winlogbeat
from tests.tools.verdict_cases import storvsp

LOG = ROOT / "sample_logs" / "hv2012r2" / "System.evtx"
EVENT = storvsp(6, "6.0", "5.1")._replace(record_id=7, payload="EventData", channel="System")
EVENTS = len(list(hv.read(LOG)))

OTHERS: dict[str, bytes] = {
    "guests.json": b'[{"Name": "web01", "OSName": "Debian 12"}]',
    "expected.jsonl": b'{"file": "a.evtx", "label": "actionable"}\n{"file": "b.evtx", "label": "actionable"}\n',
    "settings.xml": b"<settings><a>1</a></settings>",
    "empty.xml": b"<?xml version='1.0'?><Events/>",
    "page.xml": b"<!DOCTYPE html><html><body>hello</body></html>",
    "readme.txt": b"These are the logs of hv1.\n",
    "inventory.csv": b"Name,OSName\nweb01,Debian 12\n",
    "agent.log": b'{"level": "info", "message": "started"}\n' * 30,
    "blank.txt": b"",
    "noise.bin": bytes(range(256)) * 40,
    "table.xlsx": b"PK\x03\x04" + bytes(100),
}
LOGS: dict[str, bytes] = {
    "export.txt": event_xml(EVENT).encode(),
    "export.log": ("\ufeff" + event_xml(EVENT)).encode("utf-16-le"),
    "mail.md": b"Please look at this:\n\n```\n" + event_xml(EVENT).encode() + b"\n```\n",
    "shipped.log": json.dumps(winlogbeat(EVENT)).encode() + b"\n",
    "shipped": json.dumps(winlogbeat(EVENT)).encode() + b"\n",
    "long.txt": event_xml(EVENT._replace(data=(("x", "y" * 100_000),))).encode(),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "logs"
    path.mkdir()
    shutil.copy(LOG, path)
    return path


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_file_that_is_not_a_log_is_a_remark_and_no_loss(folder: Path, name: str, zipped: bool) -> None:
    (folder / name).write_bytes(OTHERS[name])
    source = folder
    if zipped:
        source = folder.with_suffix(".zip")
        with zipfile.ZipFile(source, "w") as archive:
            for path in folder.iterdir():
                archive.write(path, path.name)
    for read in (hv.read, hv.read_records):
        stream = read(source)
        assert len([event for event in stream if event.event_id]) >= EVENTS
        report = stream.report
        assert report.lost == 0
        assert not report.unreadable or (zipped and name in ("page.xml", "table.xlsx"))
        assert len([note for note in report.notes if name in f"{note.path} {note.text}"]) <= 1
    if not zipped:
        kinds = {note.kind for note in report.notes if name in f"{note.path} {note.text}"}
        assert kinds <= {NoteKind.PASSED_OVER, NoteKind.READER}
        assert kinds
        assert main(["triage", str(folder), "--quiet"]) == 1


@pytest.mark.parametrize("name", LOGS)
def test_a_log_is_read_whatever_its_name(folder: Path, name: str) -> None:
    (folder / name).write_bytes(LOGS[name])
    stream = hv.read(folder)
    assert len(list(stream)) == EVENTS + 1
    assert not [note for note in stream.report.notes if note.kind is NoteKind.PASSED_OVER]


def test_a_log_that_cannot_be_read_is_not_passed_over(folder: Path) -> None:
    (folder / "old.evt").write_bytes(b"\x30\0\0\0LfLe" + bytes(100))
    (folder / "wrong.evtx").write_bytes(b"no log at all")
    (folder / "unsafe.xml").write_bytes(b"<!DOCTYPE x []>" + event_xml(EVENT).encode())
    stream = hv.read(folder)
    assert len(list(stream)) == EVENTS
    assert {Path(note.path or "").name for note in stream.report.unreadable} == {
        "old.evt",
        "wrong.evtx",
        "unsafe.xml",
    }


def test_a_file_that_is_named_is_not_passed_over(folder: Path) -> None:
    (folder / "settings.xml").write_bytes(OTHERS["settings.xml"])
    stream = hv.read([folder / "settings.xml", folder / LOG.name])
    assert len(list(stream)) == EVENTS
    assert stream.report.unreadable


def test_a_line_that_is_no_event_among_events_of_other_providers_is_a_loss(folder: Path) -> None:
    other = winlogbeat(EVENT._replace(provider="Microsoft-Windows-Security-Auditing", event_id=4624))
    (folder / "shipped.jsonl").write_text(
        f'{json.dumps(other)}\n{{"note": "Microsoft-Windows-Hyper-V-VMMS"}}\n'
    )
    stream = hv.read(folder)
    assert len(list(stream)) == EVENTS
    assert stream.report.lost == 1


def test_what_this_program_writes_into_the_folder_is_not_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = main(["triage", str(folder), "--quiet"])
    counts = capsys.readouterr().out
    for name, options in (("a.txt", []), ("b.csv", ["--csv"]), ("c.json", ["--json=findings"])):
        main(["triage", str(folder), *options])
        (folder / name).write_text(capsys.readouterr().out)
    main(["triage", str(folder), "--html", str(folder / "d.html")])
    capsys.readouterr()
    assert main(["triage", str(folder), "--quiet"]) == first
    assert capsys.readouterr().out == counts
    with pytest.raises(hv.SourceError, match="the result of a triage, not a log"):
        hv.triage(folder / "c.json")


@pytest.mark.skipif(os.name != "posix", reason="pipes, devices and long paths of POSIX")
def test_what_would_be_waited_for_is_named_if_it_is_called_a_log(folder: Path) -> None:
    os.mkfifo(folder / "fifo.evtx")
    os.mkfifo(folder / "fifo.lock")
    (folder / "zero.evtx").symlink_to("/dev/zero")
    report = hv.triage(folder).report
    told = [note.text for note in report.notes if "a pipe, a socket or a device" in note.text]
    assert sorted(text.rpartition("/")[2].split()[0] for text in told) == ["fifo.evtx", "zero.evtx"]


@pytest.mark.skipif(os.name != "posix", reason="long paths of POSIX")
@pytest.mark.parametrize("pattern", [True, False])
def test_a_log_deeper_than_a_path_can_be_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, pattern: bool
) -> None:
    deep = tmp_path / "deep"
    deep.mkdir()
    monkeypatch.chdir(deep)
    for _ in range(1300):  # its path has 5,000 bytes and more
        os.mkdir("abc")
        os.chdir("abc")
    shutil.copy(LOG, "System.evtx")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        SourceError, match="too deep for a pattern" if pattern else "that can be read: .* cannot be read"
    ):
        hv.triage(str(deep / "**" / "*.evtx") if pattern else deep)
    subprocess.run(["rm", "-rf", str(deep)], check=True)  # which shutil cannot
