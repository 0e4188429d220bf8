"""The twenty questions: each command and each line of Python works as it stands there."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from hvdegraded.cli.main import main
from tests.tools.corpus import ROOT
from tests.tools.sample_logs import FOLDER

PAGE = (ROOT / "hvdegraded" / "docs" / "questions.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"^## (.*?)\n```\n(.*?)\n```\n```python\n(.*?)\n```", PAGE, re.DOTALL | re.MULTILINE)
(PREPARATION,) = re.findall(r"```python\n(.*?)\n```", PAGE.split("\n## ")[0], re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("questions")
    for host in ("hv2012r2", "hv2022"):
        shutil.copytree(FOLDER / host, folder / "logs" / host)
    shutil.copy(FOLDER / "guests.json", folder)
    state = '[{"VMName": "web01", "Name": "VSS", "PrimaryOperationalStatus": 3, "SecondaryOperationalStatus": 32775}]'
    (folder / "states.json").write_text(state)
    return folder


def test_there_are_twenty() -> None:
    assert len(QUESTIONS) == PAGE.count("\n## ") == 20


@pytest.mark.parametrize("command", [command for _, command, _ in QUESTIONS], ids=lambda text: text[:70])
def test_each_command_works(
    command: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    program, *arguments = shlex.split(command)
    assert program == "hvdegraded"
    assert main(arguments) in ((4,) if "24h" in arguments else (0, 1))  # the sample logs are old
    out, err = capsys.readouterr()
    assert out or "-o" in arguments
    assert "Traceback" not in out + err


def test_each_line_of_python_works(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(place)
    names: dict[str, Any] = {}
    exec(PREPARATION, names)
    for question, _, code in QUESTIONS:
        try:
            exec(code, names)
        except Exception as error:
            raise AssertionError(question) from error
    assert names["wrong"] is True
    assert names["recent"].count == 0 < names["day"].count
    assert 0 < names["week"].count < names["triage"].count
    assert len(names["findings"]) == len(names["triage"].findings) < len(names["events"])
    assert not names["new"]
