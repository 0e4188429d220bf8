"""`-o FILE` holds what would be printed, for every command and form; text is as wide as COLUMNS says."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hvdegraded.cli.main import _parser, main
from hvdegraded.cli.signalled_input import SignalledInput
from hvdegraded.errors import SourceError
from hvdegraded.formats.evtx.writer import write_evtx
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import plain

LOGS = str(FOLDER / "hv2012r2")
LOG = str(FOLDER / "hv2012r2" / "System.evtx")
LINES = FOLDER / "exports" / "winlogbeat.jsonl"
GUESTS = ["--guests", str(FOLDER / "guests.json")]
STATE = '[{"VMName": "web01", "Name": "VSS", "PrimaryStatusDescription": "OK"}]'
COMMANDS = [
    ["explain", LOGS, *GUESTS, "--finding", "1"], ["explain", LOGS, *GUESTS, "--record", "1049"], ["guests-script"], ["collect-script"],
    ["verify", "small.evtx"], ["verify", "small.evtx", "--json"], ["status", "states.json"], ["status", "states.json", "--json"],
    ["check", "rows.toml"], ["label", str(LINES), *GUESTS],
]  # fmt: skip


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "states.json").write_text(STATE)
    write_evtx(tmp_path / "small.evtx", [plain("VMMS", 19100)])
    (tmp_path / "rows.toml").write_text(
        'provider = "Microsoft-Windows-Hyper-V-VMMS"\nsource = "x"\ncertainty = "verified"\n[41010]\nmeaning = "The nightly export failed."\nrole = "problem"\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words)[-40:])
def test_a_file_holds_what_would_be_printed(
    command: list[str], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    code = main(command)
    printed = capfdbinary.readouterr().out
    assert printed
    assert main([*command, "-o", "out"]) == code
    assert capfdbinary.readouterr().out == b""
    assert Path("out").read_bytes() == printed


@pytest.mark.parametrize("command", [*COMMANDS, ["triage", LOG], ["triage", LOG, "--json"]], ids=" ".join)
def test_a_closed_standard_output_is_wrong_usage_but_for_a_file(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert main(command) == 2
    assert capsys.readouterr().err.startswith("hvdegraded: standard output is closed (")
    assert main([*command, "-o", "out"]) in (0, 1)
    assert Path("out").read_bytes()


@pytest.mark.parametrize("words", ["--help", "triage --help", "--version"])
def test_help_that_goes_nowhere_is_no_success(
    words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(": standard output is closed\n")


@pytest.mark.subprocess
@pytest.mark.skipif(os.name != "posix", reason="closes a descriptor in a shell")
@pytest.mark.parametrize("words", ["triage small.evtx", "--version"])
def test_a_descriptor_that_a_shell_closed(words: str) -> None:
    done = subprocess.run(
        f"{sys.executable} -m hvdegraded {words} >&-", shell=True, capture_output=True, check=False, text=True
    )
    assert done.returncode == 2
    assert "hvdegraded: standard output is closed" in done.stderr


def test_every_command_that_prints_takes_it() -> None:
    parser = _parser()
    (commands,) = (action.choices for action in parser._actions if isinstance(action.choices, dict))
    assert {name for name, command in commands.items() if "--output" not in command.format_help()} == set()


def test_a_file_has_neither_colours_nor_a_terminals_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    main(["triage", LOGS, *GUESTS, "-o", "out"])
    text = Path("out").read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) > 80


@pytest.mark.parametrize(("columns", "widest"), [("60", 60), ("0", 20), ("1", 20), ("nonsense", 120)])
def test_columns_is_the_width_of_what_is_indented(
    columns: str, widest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    main(["triage", LOGS, *GUESTS, "-o", "out"])
    folded = [line for line in Path("out").read_text(encoding="utf-8").splitlines() if line.startswith("  ")]
    assert max(len(line) for line in folded if "--guest" not in line and "wevtutil" not in line) <= widest


@pytest.mark.parametrize(
    ("command", "code"),
    [(["triage", "missing.evtx"], 3), (["explain", LOGS, "--finding", "999"], 2), (["label", "missing.jsonl"], 3)],
)  # fmt: skip
def test_a_command_that_fails_leaves_the_old_file(command: list[str], code: int) -> None:
    Path("out").write_text("old")
    assert main([*command, "-o", "out"]) == code
    assert Path("out").read_text() == "old"
    assert sorted(os.listdir()) == ["out", "rows.toml", "small.evtx", "states.json"]


@pytest.mark.parametrize(
    "command",
    [["status", "states.json"], ["check", "rows.toml"], ["label", "lines"], ["verify", "log"], ["explain", "log", "--finding", "1"], ["triage", "log", "--guests", "guests"]],
)  # fmt: skip
def test_an_input_is_never_written_over(command: list[str]) -> None:
    Path("lines").write_bytes(LINES.read_bytes())
    Path("log").write_bytes(Path(LOG).read_bytes())
    Path("guests").write_bytes((FOLDER / "guests.json").read_bytes())
    inputs = {name: Path(name).read_bytes() for name in os.listdir()}
    for name in command[1:]:
        if name in inputs:
            assert main([*command, "-o", name]) == 2
    assert {name: Path(name).read_bytes() for name in os.listdir()} == inputs


def test_a_report_into_the_folder_that_is_read_is_not_part_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    Path("logs").mkdir()
    Path("logs", "System.evtx").write_bytes(Path(LOG).read_bytes())
    main(["triage", "logs", *GUESTS])
    printed = capsys.readouterr().out
    main(["triage", "logs", *GUESTS, "-o", "logs/report.txt"])
    assert Path("logs", "report.txt").read_text(encoding="utf-8") == printed
    assert sorted(os.listdir("logs")) == ["System.evtx", "report.txt"]


def test_output_in_a_code_page_has_no_escapes_of_what_it_can_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """A console of code page 850 shows ü as it is; what it cannot show is an escape; a file is UTF-8."""

    write_evtx("x.evtx", [plain("VMMS", 19100)._replace(data=(("VmName", "Büro-Ж"),))])
    console = io.TextIOWrapper(io.BytesIO(), "cp850")
    monkeypatch.setattr(sys, "stdout", console)
    main(["triage", "x.evtx"])
    console.flush()
    shown = console.buffer.getvalue().decode("cp850")
    assert "Büro-\\u0416" in shown
    main(["triage", "x.evtx", "-o", "out"])
    assert "Büro-Ж" in Path("out").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["cp437", "cp850", "cp1252", "ascii"])
def test_a_report_has_no_escapes_of_its_own_signs(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    console = io.TextIOWrapper(io.BytesIO(), page)
    monkeypatch.setattr(sys, "stdout", console)
    main(["triage", LOGS, *GUESTS, "--all"])
    console.flush()
    assert "\\" not in console.buffer.getvalue().decode(page).replace("C:\\", "")


@pytest.mark.subprocess
def test_a_followed_stream_grows_its_file_line_by_line() -> None:
    command = [sys.executable, "-m", "hvdegraded", "label", "-o", "out"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(LINES.read_bytes().splitlines(keepends=True)[0])
        process.stdin.flush()
        for _ in range(300):
            if Path("out").exists() and b"hvdegraded" in Path("out").read_bytes():
                break
            time.sleep(0.1)
        assert json.loads(Path("out").read_text())["hvdegraded"]
        if os.name == "posix":
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
        else:
            process.stdin.close()


@pytest.mark.subprocess
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
@pytest.mark.parametrize(
    ("command", "place"),
    [
        (f"label {LINES} -o /dev/full", "/dev/full"),
        (f"label -o /dev/full < {LINES}", "/dev/full"),
        (f"label {LINES} > /dev/full", "standard output"),
        (f"label < {LINES} > /dev/full", "standard output"),
        (f"triage {LOG} -o /dev/full", "/dev/full"),
        (f"triage {LOG} > /dev/full", "standard output"),
        (f"triage {LOG} --json=events > /dev/full", "standard output"),
        ("guests-script > /dev/full", "standard output"),
    ],
)
def test_a_full_output_is_named_and_has_one_exit_code(command: str, place: str) -> None:
    done = subprocess.run(
        f"{sys.executable} -m hvdegraded {command}", shell=True, capture_output=True, check=False, text=True
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"hvdegraded: {place}: the file cannot be written: No space left on device (name another place)"
    ]


@pytest.mark.skipif(os.name != "posix", reason="opens a folder")
def test_an_input_that_breaks_off_is_named_as_the_input(tmp_path: Path) -> None:
    """A folder as standard input ends in Python itself; one that a descriptor stands for ends here."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(SourceError, match="the input cannot be read: Is a directory"):
            SignalledInput(descriptor).read()
    finally:
        os.close(descriptor)


def test_what_a_file_lost_takes_one_line_beside_the_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "shipped.jsonl"
    log.write_bytes(LINES.read_bytes() + b'{"cut": "Microsoft-Windows-Hyper-V-VMMS\n' * 30)
    for form, lines in (["--quiet"], 1), (["--csv"], 30):
        main(["triage", str(log), *GUESTS, *form])
        told = [line for line in capsys.readouterr().err.splitlines() if "shipped.jsonl: " in line]
        assert len(told) == lines
    main(["triage", str(log), *GUESTS, "--quiet"])
    assert "shipped.jsonl: 30 records lost, the first: record at offset " in capsys.readouterr().err


@pytest.mark.parametrize("is_zipped", [False, True])
def test_each_file_that_lost_records_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, is_zipped: bool
) -> None:
    lost = {"a.jsonl": 1500, "b.jsonl": 3, "c.jsonl": 1}
    logs = tmp_path / "logs"
    logs.mkdir()
    for name, count in lost.items():
        broken = b'{"cut": "Microsoft-Windows-Hyper-V-VMMS\n' * count
        (logs / name).write_bytes(LINES.read_bytes().split(b"\n")[0] + b"\n" + broken)
    if is_zipped:
        shutil.make_archive(str(tmp_path / "collected"), "zip", logs)
        shutil.rmtree(logs)
        (tmp_path / "beside.jsonl").write_bytes(LINES.read_bytes())
    main(["triage", str(tmp_path), "--quiet"])
    told = [line for line in capsys.readouterr().err.splitlines() if ".jsonl: " in line]
    counts = ["a.jsonl: 1500 records lost", "b.jsonl: 3 records lost", "c.jsonl: record at"]
    assert [any(count in line for line in told) for count in counts] == [True] * 3
    assert len(told) == 3
