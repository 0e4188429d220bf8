"""The command `check`: rows are looked over before they decide anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from hvdegraded.cli.main import main
from tests.tools.sample_logs import FOLDER

TOP = 'source = "us"\ncertainty = "verified"\n'
VMMS = "Microsoft-Windows-Hyper-V-VMMS"
NEW = f'[{VMMS}.41010]\nrole = "problem"\nmeaning = "The nightly export failed."\n'
KNOWN = f'[{VMMS}.14050]\nremedy = "Ask the directory team."\n'


def checked(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str], *logs: str) -> tuple[int, str]:
    rows = tmp_path / "rows.toml"
    rows.write_text(TOP + text, encoding="utf-8")
    code = main(["check", str(rows), *logs])
    return code, capsys.readouterr().out.replace(f"{rows}:", "")


def test_good_rows_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(tmp_path, NEW + 'remedy = "Run it again."\n', capsys) == (0, "")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (NEW, "4:1", "needs a remedy"),
        (f'[{VMMS}.19100]\nshow = ["Nonsense"]\n', "4:1", "names a field Nonsense"),
        (f'[{VMMS}.19100]\nshow = ["at {{Nonsense}}"]\n', "4:1", "Nonsense"),
        (f'[{VMMS}.14050]\nrole = "problem"\n', "3:1", "changes nothing"),
    ],
)
def test_a_fault_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, line: str, words: str
) -> None:
    code, out = checked(tmp_path, text, capsys)
    assert code == 1
    assert any(row.startswith(f"{line}: fault") and words in row for row in out.splitlines())


def test_a_taken_id_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = checked(tmp_path, KNOWN, capsys)
    assert code == 0
    assert "3:1: note" in out
    assert "changes remedy" in out


def test_what_rows_change_in_logs_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = checked(tmp_path, NEW + KNOWN, capsys, str(FOLDER))
    assert f"{VMMS} 41010: unknown_event, check → known_problem, act" in out
    assert f"{VMMS} 14050: known_problem, act → the same in other words" in out


@pytest.mark.parametrize("text", ["[Nobody.5]\nrole = 'watch'\n", "nonsense", f"[{VMMS}.19100]\nrol = 'x'\n"])
def test_rows_that_cannot_be_used_are_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    rows = tmp_path / "rows.toml"
    rows.write_text(TOP + text, encoding="utf-8")
    assert main(["check", str(rows)]) == 2
    assert "rows.toml:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[acknowledge]]\nfinding = "x"\n', "'why' is missing"),
        (
            '[[acknowledge]]\nwhy = "w"\nfinding = "x"\nuntil = "soon"\n',
            "'until': write a date, until = 2026-12-01",
        ),
        ('[[acknowledge]]\nwhy = "w"\nid = "e6ac8ef7d7da"\n', 'for a finding write finding = "e6ac8ef7d7da"'),
        ('[[acknowledge]]\nwhy = "w"\nfindings = "x"\n', "keys are why, until, and finding"),
        ('[acknowledge]\nwhy = "w"\nfinding = "x"\n', "write [[acknowledge]]"),
        ('[acknowledged]\nwhy = "w"\nfinding = "x"\n', "'why' is not a key"),
        ('acknowledged = ["x"]\n', "'acknowledged' is not a key"),
        ("acknowledged = []\n", "'acknowledged' is not a key"),
        ('acknowledge = "x"\n', "'acknowledge' is not a key"),
    ],
)
def test_what_a_triage_refuses_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    rows = tmp_path / "rows.toml"
    rows.write_text(text, encoding="utf-8")
    for command in (["check", str(rows)], ["triage", str(FOLDER), "--policy", str(rows)]):
        assert main(command) == 2
        assert words in capsys.readouterr().err
