"""A log that is not lines is refused by `label`: it would come out as it went in, and look labelled."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.pipeline.labeller import Labeller
from tests.tools.sample_logs import FOLDER

EXPORTS = FOLDER / "exports"
LINES = (EXPORTS / "winlogbeat.jsonl").read_bytes().splitlines(keepends=True)
VALUES = [json.loads(line) for line in LINES[:20]]
CSV = (
    b"Level,Date and Time,Source,Event ID,Task Category\r\n"
    b"Error,11/26/2026 10:00:00 AM,Microsoft-Windows-Hyper-V-Worker,12030,None,'web01' failed to start.\r\n"
)
BLOCK = (
    "Log Name:      Microsoft-Windows-Hyper-V-Worker-Admin\r\nSource:        Microsoft-Windows-Hyper-V-Worker\r\n"
    "Date:          2026-11-26T10:00:00Z\r\nEvent ID:      12030\r\nTask Category: None\r\nLevel:         Error\r\n"
    "Computer:      HV1\r\nDescription:\r\n'web01' failed to start.\r\n"
)
EVENT = (EXPORTS / "hv2012r2-worker-wevtutil.xml").read_bytes().split(b"</Event>")[0].strip() + b"</Event>"
SAVED = b'<?xml version="1.0" encoding="utf-8"?>\r\n<Events>' + EVENT * 200 + b"</Events>"
"""As Event Viewer saves events: a line for the declaration, and one for all events."""
WHOLE = {
    "viewer.xml": (EXPORTS / "hv2022-eventviewer.xml").read_bytes(),
    "wevtutil.xml": (EXPORTS / "hv2012r2-worker-wevtutil.xml").read_bytes(),
    "one line.xml": SAVED,
    "one line16.xml": SAVED.decode().encode("utf-16"),
    "viewer.csv": CSV,
    "viewer16.csv": CSV.decode().encode("utf-16"),
    "indented.json": json.dumps(VALUES, indent=2).encode(),
    "array.json": json.dumps(VALUES).encode(),
    "rows.json": b"[\n" + b",\n".join(line.strip() for line in LINES[:9]) + b"\n]\n",
    "tight.json": b"[" + b",\n".join(line.strip() for line in LINES[:9]) + b"]\n",
    "one.json": json.dumps(VALUES[0], indent=4).encode(),
    "details.txt": BLOCK.encode(),
}
PASSED = {
    "lines.log": b"2026-11-26 10:00:00 INFO started\n2026-11-26 10:00:01 WARN slow\n",
    "syslog.log": b"Mar  1 07:01:00 web01 kernel: [    0.512345] hv_vmbus: Vmbus version:4.0\n",
    "agent.log": b"<12>Mar  1 07:00:00 hv3 MSWinEventLog\t2\tSystem\t512\tSun Mar 01 07:00:00 2026\t16\t"
    b"Microsoft-Windows-Hyper-V-VmSwitch\tSYSTEM\tUser\tWarning\thv3\tNone\t\tA switch was changed.\t512\n",
    "note.txt": b"storvsp 6 seen, ask Bob\n",
    "table.csv": b"name,owner\nweb01,Bob\n",
    "page.xml": b"<?xml version='1.0'?>\n<config><a/></config>\n",
    "broken first.jsonl": b'[{"cut": 1\n{"a": 1}\n{"b": 2}\n',
    "batches.jsonl": b'[{"a": 1}]\n[{"b": 2}]\n',
    "mixed.jsonl": BLOCK.encode() + b'{"a": 1}\n',
    "array, long line.jsonl": b"[]\n" + json.dumps({"a": "b" * 100_000}).encode() + b"\n",
    "event, long line.jsonl": EVENT.replace(b"\n", b"")
    + b"\n"
    + json.dumps({"a": "b" * 300_000}).encode()
    + b"\n",
    "empty": b"",
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_log_is_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / name, tmp_path / "out.jsonl"
    source.write_bytes(WHOLE[name])
    target.write_text("of yesterday")
    assert main(["label", str(source), "-o", str(target)]) == 3
    assert "hvdegraded triage --json -o" in capsys.readouterr().err
    assert target.read_text() == "of yesterday"
    with source.open("rb") as stream, pytest.raises(hv.UnknownFormatError):
        Labeller().run(stream, io.BytesIO())


@pytest.mark.parametrize(
    ("given", "left"), [(WHOLE["viewer.xml"], b"of yesterday"), (b"", b""), (b"{}\n", b"{}\n")]
)
def test_a_refused_standard_input_leaves_the_output_as_it_was(
    given: bytes, left: bytes, tmp_path: Path
) -> None:
    source, target = tmp_path / "in", tmp_path / "out.jsonl"
    source.write_bytes(given)
    target.write_bytes(b"of yesterday")
    with source.open("rb") as stream:
        command = [sys.executable, "-m", "hvdegraded", "label", "-o", str(target)]
        subprocess.run(command, stdin=stream, capture_output=True, check=False)
    assert target.read_bytes() == left


def test_a_whole_log_as_standard_input_is_refused() -> None:
    with (EXPORTS / "hv2022-eventviewer.xml").open("rb") as source:
        command = [sys.executable, "-m", "hvdegraded", "label"]
        ended = subprocess.run(command, stdin=source, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout) == (3, b"")
    assert b"event XML" in ended.stderr
    assert b"hvdegraded triage" in ended.stderr


@pytest.mark.parametrize("name", PASSED)
def test_lines_pass(name: str, tmp_path: Path) -> None:
    source, target = tmp_path / name, tmp_path / "out"
    source.write_bytes(PASSED[name])
    assert main(["label", str(source), "-o", str(target)]) == 0
    assert target.read_bytes() == PASSED[name]


def test_a_cut_last_line_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / "cut.jsonl", tmp_path / "out"
    source.write_bytes(LINES[0] + LINES[1][:-40])
    assert main(["label", str(source), "-o", str(target)]) == 0
    assert "the last line is cut" in capfd.readouterr().err
    assert target.read_bytes().endswith(LINES[1][:-40])
    source.write_bytes(LINES[0] + LINES[1].rstrip())
    assert main(["label", str(source), "-o", str(target)]) == 0
    assert "cut" not in capfd.readouterr().err
