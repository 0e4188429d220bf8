"""A text that names an event in no form that is read is an unreadable log, beside whatever was read."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.records.items import NoteKind
from tests.tools.sample_exports import event_xml
from tests.tools.verdict_cases import storvsp

GOOD = event_xml(storvsp(6, "6.0", "5.1")._replace(record_id=7, payload="EventData", channel="System"))

NAMED = {
    "note.txt": "Yesterday Microsoft-Windows-Hyper-V-VMMS logged event 16060 again, please look.\n",
    "ticket.md": "# VM down\n\n* provider: `Microsoft-Windows-Hyper-V-Chipset`\n* id: `18605`\n",
    "monitor.log": "PROBLEM hv3 EventSource=Hyper-V-Worker, EventNo=12030, Sev=ERR\n",
    "classic.log": "hv3: storvsp reported 5 for web01\n",
    "labelled.txt": "Origin: vmbusr\nWhere: hv3\nevtid: 2\n",
    "unicode.txt": "Quelle = Microsoft-Windows-Hyper-V-Worker\nNummer = 18590\n",
    "cells.csv": "a,b,c\nx,Microsoft-Windows-Hyper-V-Worker,18590\n",
    "late.txt": "nothing to see here\n" * 5000 + "Microsoft-Windows-Hyper-V-Worker: 18590\n",
}
OTHERS = {
    "about.txt": "The provider Microsoft-Windows-Hyper-V-Worker writes to\n"
    "Microsoft-Windows-Hyper-V-Worker-Admin since 2012-09-04, version 10.0.17763.1.\n",
    "channels.txt": "Circular 1052672 12 Microsoft-Windows-Hyper-V-VMMS-Admin\n"
    "Circular 1052672 40 Microsoft-Windows-Hyper-V-Worker/Operational\n",
    "providers.txt": "Microsoft-Windows-Hyper-V-Worker   {51DDFA29-D5C8-4803-BE4B-2ECB715570FE}\n",
    "services.txt": "SERVICE_NAME: storvsp\n        TYPE               : 1  KERNEL_DRIVER\n        STATE : 4\n",
    "drivers.csv": '"Module Name","Display Name","Driver Type","Link Date"\n'
    '"vmbusr","Virtual Machine Bus","Kernel ","11/21/2010 3:24:08 AM"\n',
    "other.txt": "Microsoft-Windows-Kernel-Power logged event 41.\n",
}


def folder_with(tmp_path: Path, name: str, text: str) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.xml").write_text(GOOD)
    (folder / name).write_bytes(text.encode("utf-16" if name == "unicode.txt" else "utf-8"))
    return folder


def zip_of(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    return path


@pytest.mark.parametrize("name", NAMED)
def test_beside_a_good_log(name: str, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, name, NAMED[name])
    for source in (folder, zip_of(folder)):
        stream = hv.read(source)
        assert [event.event_id for event in stream] == [6]
        (note,) = stream.report.unreadable
        assert name in str(note.path)
        assert main(["triage", str(source), "--quiet"]) == 3


@pytest.mark.parametrize("name", OTHERS)
def test_a_text_that_names_no_event_is_passed_over(name: str, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, name, OTHERS[name])
    stream = hv.read(folder)
    assert [event.event_id for event in stream] == [6]
    assert not stream.report.unreadable
    assert [note.kind for note in stream.report.notes if name in f"{note.path} {note.text}"] == [
        NoteKind.PASSED_OVER
    ]


AGENT = (
    "<12>Mar  1 07:00:00 hv3 MSWinEventLog\t2\tSystem\t512\tSun Mar 01 07:00:00 2026\t16\t"
    "Microsoft-Windows-Hyper-V-VmSwitch\tSYSTEM\tUser\tWarning\thv3\tNone\t\tA switch was changed.\t512\n"
)


@pytest.mark.parametrize(
    "line",
    [
        "<11>1 2026-03-01T07:01:00Z hv3 vmbusr 0 - - evt 2 of the partition",
        "Mar  1 07:01:00 hv3 agent: netvsc raised 9",
        "<11>Mar  1 07:01:00 hv3 mon: VMSMP (7) is bad",
        "<11>Mar  1 07:01:00 hv3 mon: Hyper-V-Chipset/18605",
        "Mar  1 07:01:00 hv3 mon: event 18590 by Microsoft-Windows-Hyper-V-Worker on web01",
    ],
)
def test_a_line_of_syslog_among_others(line: str, tmp_path: Path) -> None:
    path = tmp_path / "agents.log"
    path.write_text(f"{AGENT}{line}\n<13>Mar  1 07:02:00 hv3 cron[7]: done\n")
    stream = hv.read(path)
    assert [event.event_id for event in stream] == [16]
    assert stream.report.lost == 1
    assert [note.text for note in stream.report.unreadable] == [
        "line 2 names an event in no form that can be read"
    ]
    assert main(["triage", str(path), "--quiet"]) == 3


@pytest.mark.parametrize(
    "line",
    [
        "Mar  1 07:01:00 web01 kernel: [    0.512345] hv_vmbus: Vmbus version:4.0",
        "Mar 11 07:01:00 web01 kernel: vmbus: loaded",
        "Mar  1 07:01:00 hv3 setup: storvsp 10.0.17763.1 installed",
    ],
)
def test_a_line_of_syslog_that_names_no_event(line: str, tmp_path: Path) -> None:
    path = tmp_path / "agents.log"
    path.write_text(f"{AGENT}{line}\n")
    stream = hv.read(path)
    assert [event.event_id for event in stream] == [16]
    assert (stream.report.lost, stream.report.unreadable) == (0, ())


def test_the_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "late.log"
    path.write_text(NAMED["late.txt"])
    with pytest.raises(hv.SourceError, match=r"line 5001 names Microsoft-Windows-Hyper-V-Worker"):
        list(hv.read(path))


def test_a_block_far_behind_is_read_in_a_folder_as_alone(tmp_path: Path) -> None:
    text = "not of interest\n" * 10_000 + (
        "Log Name:      Microsoft-Windows-Hyper-V-Worker-Admin\nSource:        Microsoft-Windows-Hyper-V-Worker\n"
        "Date:          2026-11-26T10:00:00Z\nEvent ID:      12030\nTask Category: None\nLevel:         Error\n"
        "Keywords:      \nUser:          SYSTEM\nComputer:      HV1\nDescription:\n'web01' failed to start.\n"
    )
    folder = folder_with(tmp_path, "long.txt", text)
    assert sorted(event.event_id for event in hv.read(folder)) == [6, 12030]


README = (
    "# Logs of hv3\n\n| log | event |\n|---|---|\n| System.evtx | storvsp 6 |\n| Admin | Chipset 18605 |\n"
)


@pytest.mark.parametrize("name", ["README.md", "readme.txt", "Readme"])
def test_a_readme_that_names_events_is_no_log(name: str, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, name, README)
    for source in (folder, zip_of(folder)):
        stream = hv.read(source)
        assert [event.event_id for event in stream] == [6]
        assert not stream.report.unreadable
        assert [note.kind for note in stream.report.notes if name in f"{note.path} {note.text}"] == [
            NoteKind.PASSED_OVER
        ]
    with pytest.raises(hv.SourceError, match="line 5 names storvsp"):
        list(hv.read(folder / name))


@pytest.mark.parametrize("filling", ["", "words\n" * 20_000])
def test_a_readme_with_a_whole_event_is_read(filling: str, tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path, "README.md", f"Look at this:\n\n{filling}```\n{GOOD.replace('>7<', '>8<')}\n```\n"
    )
    assert sorted(event.record.record_id or 0 for event in hv.read(folder)) == [7, 8]


def workbook(path: Path, cell: str) -> Path:
    """A workbook of Excel, as far as it is looked at."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/sharedStrings.xml", f"<sst><si><t>{cell}</t></si></sst>")
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet><c><v>18605</v></c></worksheet>")
    return path


def test_a_workbook_of_events(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "note.md", "nothing\n")
    path = workbook(folder / "events.xlsx", "Microsoft-Windows-Hyper-V-Chipset")
    with pytest.raises(hv.SourceError, match="save it as CSV"):
        list(hv.read(path))
    assert main(["triage", str(path), "--quiet"]) == 3
    assert main(["triage", str(folder), "--quiet"]) == 3
    workbook(path, "costs of Hyper-V-Hosts")
    assert main(["triage", str(folder), "--quiet"]) == 0


@pytest.mark.parametrize("opening", ["[00513] ", "[ERROR] ", "[2026-03-01 07:00:00] "])
def test_a_text_that_begins_with_a_bracket_is_not_json(tmp_path: Path, opening: str) -> None:
    path = tmp_path / "log.txt"
    path.write_text(
        f"{opening}Microsoft-Windows-Hyper-V-Chipset\n   Type: ERROR\n   ID: 18605\nno boot device\n"
    )
    assert main(["triage", str(path), "--quiet"]) == 3


@pytest.mark.parametrize("opening", ["\ufeff", "\ufeff \r\n", "\u200b", "\ud800", "\udfff\ufeff"])
@pytest.mark.parametrize("form", [GOOD, '{"provider": "storvsp", "event_id": 6, "message": "x"}'])
def test_a_mark_or_half_a_character_before_a_pasted_event(opening: str, form: str) -> None:
    assert [event.event_id for event in hv.read(opening + form)] == [6]
