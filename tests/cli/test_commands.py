"""The command line: what it prints, its exit codes, and that bad input ends in a message."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.formats.evtx.writer import write_evtx
from hvdegraded.records.record import EventRecord
from tests.tools.sample_events import Machine, kvp, named, vml
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import ID, VM, plain, record, storvsp

GUESTS = str(FOLDER / "guests.json")
WORKER = FOLDER / "hv2012r2" / "Microsoft-Windows-Hyper-V-Worker-Admin.evtx"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def test_a_folder_with_something_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "triage", FOLDER / "hv2012r2", "--guests", GUESTS)
    assert code == 1
    assert "475 events in 17 findings: 8 to act on, 1 to check, 3 assumed, 4 proven noise" in out


def test_json_lines_with_verdicts(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "triage", FOLDER / "hv2022", "--guests", GUESTS, "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert sum(row["verdict"]["label"] == "actionable" for row in rows) == 14
    assert {row["host"] for row in rows} == {"hv2022.example.org"}


def test_nothing_actionable_is_zero(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "triage", WORKER, "--guests", GUESTS, "--until", "2026-09-05")
    assert code == 0
    assert "0 to act on, 0 to check" in out
    code, _, _ = run(capsys, "triage", WORKER, "--until", "2026-09-05", "--unknown-guest", "actionable")
    assert code == 1


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("act", {"act": 1, "check": 1, "assumed": 1, "never": 0}),
        ("check", {"act": 0, "check": 1, "assumed": 1, "never": 0}),
        ("assumed", {"act": 0, "check": 0, "assumed": 1, "never": 0}),
        ("proven", {"act": 0, "check": 0, "assumed": 0, "never": 0}),
        ("quiet", {"act": 0, "check": 0, "assumed": 0, "never": 0}),
    ],
)
def test_the_exit_code_goes_by_what_was_found(
    kind: str, codes: dict[str, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = {
        "act": plain("VMMS", 19100),
        "check": plain("VMMS", 64999, 3),
        "assumed": storvsp(6, "6.0", "5.1"),
        "proven": storvsp(6, "6.0", "5.1"),
        "quiet": record("Microsoft-Windows-Hyper-V-StorageVSP", 9, 3, ()),
    }
    write_evtx(tmp_path / "x.evtx", [events[kind]])
    guests = tmp_path / "guests.json"
    rows = (
        [{"Name": VM, "Id": ID, "OSName": "Ubuntu"}] if kind == "proven" else [{"Name": "b", "OS": "Linux"}]
    )
    guests.write_text(json.dumps(rows))
    for fail_on, code in codes.items():
        found = run(capsys, "triage", tmp_path / "x.evtx", "--guests", guests, "--fail-on", fail_on)
        assert found[0] == code, fail_on
    assert run(capsys, "triage", tmp_path / "x.evtx", "--guests", guests)[0] == codes["check"]


def test_findings_as_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "triage", FOLDER / "hv2022", "--guests", GUESTS, "--json=findings")
    assert code == 1
    assert json.loads(out) == json.loads(
        json.dumps(hv.triage(FOLDER / "hv2022", guests=hv.GuestInventory.load(GUESTS)).to_dict())
    )


def test_a_path_behind_json_is_a_path(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "triage", "--json", FOLDER / "hv2022", "--guests", GUESTS)
    assert json.loads(out.splitlines()[0])["schema"] == "hvdegraded.event"


def test_ignorable_findings_are_listed_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "triage", WORKER, "--guests", GUESTS, "--all")
    assert "web01" in out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"hello", "neither"),
        (b"\x30\0\0\0LfLe" + bytes(99), "XP"),
        (b"{oops", "not JSON"),
        (b"  ", "blank"),
        (b"<html><p>Access is denied.</p></html>", "not event XML"),
    ],
)
def test_unreadable_input_is_three(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "x.evtx"
    path.write_bytes(content)
    code, _, err = run(capsys, "triage", path)
    assert code == 3
    assert words in err
    assert str(path) in err


def test_an_input_of_which_nothing_can_be_read_is_three(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"no event": "storvsp"}\n' * 3)
    code, out, _ = run(capsys, "triage", path)
    assert code == 3
    assert "none of its records could be read" in out


def test_one_unreadable_file_among_others(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a.evtx").write_bytes(WORKER.read_bytes())
    (tmp_path / "b.evtx").write_bytes(b"")
    code, out, _ = run(capsys, "triage", tmp_path)
    assert code == 3
    assert "217 records" in out
    assert "unreadable" in out
    (tmp_path / "none").mkdir()
    code, out, _ = run(capsys, "triage", WORKER, tmp_path / "none", tmp_path / "no*.evtx")
    assert code == 3
    assert "217 records" in out
    assert "holds no logs" in out
    assert "nothing matches" in out


def test_missing_files_and_wrong_usage(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(capsys, "triage", tmp_path / "no.evtx")[0] == 3
    assert run(capsys, "triage", tmp_path)[0] == 3
    assert run(capsys, "triage", "")[0] == 3
    assert run(capsys, "triage", WORKER, "--guests", tmp_path / "no.json")[0] == 2
    assert run(capsys, "triage", "-", WORKER)[0] == 2
    assert run(capsys, "triage", WORKER, "--html", tmp_path / "no" / "page.html")[0] == 2
    for arguments in (
        ["triage"],
        ["nonsense"],
        ["triage", "x", "--since", "someday"],
        ["triage", "x", "--engine", "magic"],
    ):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2


def test_compressed_logs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    plain = run(capsys, "triage", WORKER)[1].splitlines()[0]
    packed = tmp_path / "w.evtx.gz"
    packed.write_bytes(gzip.compress(WORKER.read_bytes()))
    assert run(capsys, "triage", packed)[1].splitlines()[0] == plain
    archive = tmp_path / "w.zip"
    with zipfile.ZipFile(archive, "w") as target:
        target.write(WORKER, "logs/w.evtx")
        target.writestr("readme.txt", "hello")
    code, out, _ = run(capsys, "triage", archive)
    assert code == 1
    assert "1 members are not logs: readme.txt" in out
    assert out.splitlines()[0] == plain


def test_a_cut_gzip_gives_what_is_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    packed = tmp_path / "w.evtx.gz"
    packed.write_bytes(gzip.compress(WORKER.read_bytes())[:-5000])
    _, out, _ = run(capsys, "triage", packed)
    assert "truncated" in out


@pytest.mark.subprocess
def test_standard_input(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hvdegraded", "triage", "-", "--guests", GUESTS]
    done = subprocess.run(command, input=WORKER.read_bytes(), capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith(b"97 events in 7 findings: 3 to act on")
    assert not done.stderr


@pytest.mark.subprocess
def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m hvdegraded triage {FOLDER} --json | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert done.stdout.count(b"\n") == 1
    assert not done.stderr


@pytest.mark.subprocess
def test_a_pipe_can_be_read_only_once() -> None:
    command = f"{sys.executable} -m hvdegraded triage <(cat {WORKER}) --json --guests {GUESTS}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert done.returncode == 1
    assert not done.stderr
    assert done.stdout.count(b"\n") == 97


HOSTILE = (
    "\x1b[31mred",
    "\x9b31mred",
    "bell\x07",
    "turned\u202etext",
    "two\n0 events",
    "[/red]",
    ":smile:",
    "[link=http://x]a",
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each name as that of a VM, in all kinds of findings and as the host's."""
    path = tmp_path_factory.mktemp("hostile") / "\x1b[2m[red].evtx"
    records: list[EventRecord] = []
    for number, name in enumerate(HOSTILE):
        vm = Machine(name, f"9FC171E7-B2C6-4BD2-9FF0-2532{number:08X}")
        for one in (kvp(vm), vml("Chipset", 18605, 2, named(vm), vm), vml("VMMS", 41010, 3, named(vm))):
            ticks = 133_700_000_000_000_000 + len(records)
            records.append(one._replace(time_ticks=ticks, computer=f"host {name}", channel=name))
    write_evtx(path, records)
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ("triage", "FILE"),
        ("triage", "FILE", "--all"),
        ("triage", "FILE", "--json"),
        ("explain", "FILE", "--record", "1"),
        ("explain", "FILE", "--record", "6"),
        ("explain", "FILE", "--record", "9"),
        ("verify", "FILE"),
        ("triage", "FILE/\x1b[2m"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_names_from_logs_do_not_steer_the_terminal(
    hostile: Path, arguments: tuple[str, ...], encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding)
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, out)
    assert main([part.replace("FILE", str(hostile)) for part in arguments]) in (0, 1, 3, 4)
    out.seek(0)
    steering = {character for character in out.read() if not character.isprintable()} - {"\n"}
    assert not steering


def test_names_from_logs_are_no_markup(capsys: pytest.CaptureFixture[str], hostile: Path) -> None:
    _, out, _ = run(capsys, "triage", hostile)
    assumed = out[out.index("\nAssumed") :]
    for name in ("[/red]", ":smile:", "[link=http://x]a", "two\\n0 events"):
        assert name in assumed


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    system = FOLDER / "hv2012r2" / "System.evtx"
    code, out, _ = run(capsys, "explain", system, "--record", 1049, "--guests", GUESTS)
    assert code == 0
    assert "Windows Server 2008 R2" in out
    assert "what to do" in out
    assert run(capsys, "explain", system, "--record", 99)[0] == 3


def test_guests_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Get-VM" in run(capsys, "guests-script")[1]


def test_verify(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("evtx")
    path = FOLDER / "hv2022" / "Microsoft-Windows-Hyper-V-VMMS-Admin.evtx"
    code, out, _ = run(capsys, "verify", path)
    assert code == 0
    assert "python-evtx: 3 records" in out


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"ElfFile\0", b"<Event>", b'{"winlog":', b"\x1f\x8b", b"PK\x03\x04"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_end_in_a_documented_exit_code(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, data: bytes, head: bytes
) -> None:
    path = tmp_path / "any"
    path.write_bytes(head + data)
    for options in ((), ("--json",)):
        code, _, _ = run(capsys, "triage", path, *options)
        assert code in (0, 1, 3, 4)


@pytest.mark.subprocess
def test_importing_stays_light() -> None:
    code = (
        "import sys, hvdegraded; heavy = {'pandas', 'pyarrow', 'matplotlib', 'polars', 'rich', 'urllib.request', "
        "'socket', 'Evtx', 'evtx', 'IPython'}; print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_explain_takes_the_paths_of_a_triage_for_what_else_happened_counts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = run(capsys, "triage", FOLDER / "hv2012r2", "--guests", GUESTS)
    assert code == 1
    assert "record 1438" in out or "1438]" in out  # the cell may break the line
    logs = sorted((FOLDER / "hv2012r2").glob("*.evtx"))
    code, out, _ = run(capsys, "explain", *logs, "--record", 1438, "--guests", GUESTS)
    assert code == 0
    assert "refused_offer_then_failure" in out


def test_levels_in_any_letter_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "triage", WORKER, "--min-level", "Error")[0] == 1


def test_times_that_leave_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "triage", WORKER, "--since", "2026-11-10", "--until", "2026-11-01")
    assert code == 2
    assert "since comes before until" in err


@pytest.mark.parametrize("command", ["triage", "explain", "label", "verify", "guests-script"])
def test_each_command_says_what_it_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    out = capsys.readouterr().out
    assert len(out.split("\n\n")[1]) > 60  # the description, before the options


def test_explain_names_the_versions_that_differ(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "explain", FOLDER / "hv2022", "--record", 6032, "--guests", GUESTS)
    assert "version 4.0 of an integration service that the event does not name; this host expects 5.0" in out
    assert "3.0" not in out.replace("/3.0", "").split("reason:")[1]  # equal frameworks are not a mismatch
