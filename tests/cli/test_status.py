"""The command `status` and `classify_statuses`: every form of an export gives the same verdicts."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.errors import SourceError
from hvdegraded.findings.groups import Section
from hvdegraded.guests.state_exports import read_states
from tests.tools.corpus import ROOT

MISMATCH = (
    "The protocol version of the component installed in the virtual machine does not match the version "
    "expected by the hosting system"
)
SERVICES = [
    {"VMName": "web01", "Name": "Heartbeat", "Enabled": "True", "PrimaryStatusDescription": "OK", "SecondaryStatusDescription": ""},
    {"VMName": "web01", "Name": "VSS", "Enabled": "True", "PrimaryStatusDescription": "OK", "SecondaryStatusDescription": MISMATCH},
    {"VMName": "db02", "Name": "VSS", "Enabled": "True", "PrimaryStatusDescription": "Lost communication", "SecondaryStatusDescription": ""},
]  # fmt: skip


def as_json(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows)


def as_wrapped_json(rows: list[dict[str, Any]]) -> str:
    return json.dumps({"value": rows, "Count": len(rows)})


def as_json_lines(rows: list[dict[str, Any]]) -> str:
    return "\n".join(map(json.dumps, rows))


def as_csv(rows: list[dict[str, Any]]) -> str:
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    return "#TYPE Microsoft.HyperV.PowerShell.VMIntegrationComponent\r\n" + "\r\n".join(
        ",".join(f'"{cell}"' for cell in line) for line in lines
    )


def as_clixml(rows: list[dict[str, Any]]) -> str:
    objects = "".join(
        "<Obj><Props>" + "".join(f'<S N="{name}">{text}</S>' for name, text in row.items()) + "</Props></Obj>"
        for row in rows
    )
    return f'<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">{objects}</Objs>'


def as_format_list(rows: list[dict[str, Any]]) -> str:
    width = max(map(len, rows[0]))
    return "\n" + "\n\n".join(
        "\n".join(f"{name:{width}} : {text}" for name, text in row.items()) for row in rows
    )


def as_format_table(rows: list[dict[str, Any]]) -> str:
    widths = {name: max(len(name), *(len(str(row[name])) for row in rows)) for name in rows[0]}
    lines = [{name: name for name in rows[0]}, {name: "-" * len(name) for name in rows[0]}, *rows]
    return "\n" + "\n".join(" ".join(f"{line[name]:{widths[name]}}" for name in line) for line in lines)


FORMS = [as_json, as_wrapped_json, as_json_lines, as_csv, as_clixml, as_format_list, as_format_table]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_form_gives_the_same_verdicts(form: Any, encoding: str) -> None:
    guests = {"web01": "Ubuntu 24.04"}
    judged = hv.classify_statuses(form(SERVICES).encode(encoding), guests=guests)
    assert [(one.status.vm_name, one.section) for one in judged] == [
        ("db02", Section.ACT),
        ("web01", Section.PROVEN),
        ("web01", Section.NO_ACTION),
    ]
    assert [one.verdict for one in judged] == [
        hv.classify_status(row, hv.GuestInventory.load(guests))
        for row in (SERVICES[2], SERVICES[1], SERVICES[0])
    ]
    assert not judged.problems


def test_a_path_a_frame_and_mappings_are_taken_as_well(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    path = tmp_path / "states.csv"
    path.write_text(as_csv(SERVICES), encoding="utf-8")
    verdicts = [one.verdict for one in hv.classify_statuses(SERVICES)]
    for source in (
        path,
        [path],
        as_json(SERVICES),
        io.BytesIO(as_json(SERVICES).encode()),
        pandas.DataFrame(SERVICES),
    ):
        assert [one.verdict for one in hv.classify_statuses(source)] == verdicts


GET_VM_TABLE = """
Name  State   CPUUsage(%) MemoryAssigned(M) Uptime             Status             Version
----  -----   ----------- ----------------- ------             ------             -------
web01 Running 0           1024              00:10:02.0810000   Operating normally 9.0
db02  Running 99          8192              1.00:10:02.0810000 Cannot connect     9.0
"""


def test_what_get_vm_prints_is_read() -> None:
    judged = hv.classify_statuses(GET_VM_TABLE)
    assert [(one.status.vm_name, one.section) for one in judged] == [
        ("db02", Section.CHECK),
        ("web01", Section.NO_ACTION),
    ]


def test_an_export_of_system_center_names_the_systems_of_its_guests() -> None:
    rows = [
        {"Name": "web01", "VMHost": "hv1", "ID": "6D3F0B0C-0000-0000-0000-000000000001", "StatusString": "Running",
         "VirtualMachineState": "Running", "OperatingSystem": "Ubuntu Linux 22.04 (64 bit)",
         "VMId": "A9EF4C51-FCE6-4A55-A4F1-7AF166FCF97E"},
        {"Name": "db02", "VMHost": "hv1", "ID": "6D3F0B0C-0000-0000-0000-000000000002", "StatusString": "Missing",
         "VirtualMachineState": "Missing", "OperatingSystem": "Windows Server 2022", "VMId": ""},
    ]  # fmt: skip
    judged = hv.classify_statuses(as_csv(rows))
    assert [(one.status.vm_name, one.status.vm_id, one.section) for one in judged] == [
        ("db02", None, Section.CHECK),
        ("web01", "A9EF4C51-FCE6-4A55-A4F1-7AF166FCF97E", Section.NO_ACTION),
    ]
    assert judged.provenance.inventory is not None


@pytest.mark.parametrize("text", ["", "[]", "no states", '[{"Name": "web01"}]', "{", "a,b\n1,2"])
def test_a_source_without_a_state_is_an_error(text: str) -> None:
    with pytest.raises(SourceError, match="no state"):
        hv.classify_statuses(text.encode())


def test_what_cannot_be_read_is_told() -> None:
    damaged = as_csv(SERVICES) + '\r\n"web03","VSS"'
    judged = hv.classify_statuses(damaged.encode())
    assert len(judged) == 3
    assert "2 columns" in judged.problems[0][1]
    beside = hv.classify_statuses([*SERVICES, {"Name": "a disk", "Size": 7}])
    assert beside.others == 1


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["status", *arguments])
    return code, capsys.readouterr().out


def test_exit_codes_and_text_are_those_of_triage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "states.json"
    path.write_text(as_json(SERVICES[:2]), encoding="utf-8")
    code, text = run(capsys, str(path))
    assert code == 0
    assert "Assumed: 1 state" in text
    assert "--guest web01=…" in text
    assert run(capsys, str(path), "--fail-on", "assumed")[0] == 1
    code, text = run(capsys, str(path), "--guest", "web01=Windows Server 2016")
    assert code == 1
    assert "What to do:" in text
    assert run(capsys, str(path), str(tmp_path / "missing.json"))[0] == 3
    assert run(capsys, str(tmp_path / "missing.json"))[0] == 3
    code, text = run(capsys, str(path), "--json")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["status"]["component"] for line in lines] == ["backup", "heartbeat"]
    assert lines[0]["verdict"]["assumptions"] == ["guest system"]
    assert json.loads(run(capsys, str(path), "--json=findings")[1])["sections"]["assumed"] == 1
    assert run(capsys, str(path), "--quiet")[1].count("\n") == 1


def test_the_pages_of_the_docs_name_the_command() -> None:
    page = (ROOT / "hvdegraded" / "docs" / "formats.md").read_text(encoding="utf-8")
    assert re.search(r"`hvdegraded status ", page)


def test_a_table_whose_white_space_was_lost_is_cut_where_all_rows_have_gaps() -> None:
    pasted = f"""
VMName      Name                          Enabled PrimaryStatusDescription SecondaryStatusDescription
------      ----                          ------- ------------------------ --------------------------
SRVSAP11 Guest Service Interface True    OK
SRVSAP11 Heartbeat               True    OK                       OK
SRVSAP11 VSS                     True    OK                       {MISMATCH[:48]}...
"""
    statuses = read_states(pasted).statuses
    assert [(one.component, one.state) for one in statuses] == [
        ("file copy", "OK"),
        ("heartbeat", "OK"),
        ("backup", "protocol mismatch"),
    ]
