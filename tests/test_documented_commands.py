"""Every command that README and the pages show works as it stands there, in a folder with what they name.

Those of the twenty questions are run by `test_questions`.
"""

from __future__ import annotations

import re
import shlex
import shutil
import zipfile
from pathlib import Path

import pytest

from hvdegraded.cli.main import _parser, main
from tests.test_readme import PAGES, TEXTS
from tests.tools.corpus import ROOT
from tests.tools.sample_logs import FOLDER

STATES = (
    '[{"VMName": "web01", "Name": "VSS", "PrimaryOperationalStatus": 3, "SecondaryOperationalStatus": 32775}]'
)
ROWS = 'provider = "Microsoft-Windows-Hyper-V-VMMS"\nsource = "x"\ncertainty = "verified"\n[41010]\nmeaning = "It began."\nrole = "information"\n'
ELSEWHERE = {  # paths of the pages, and where they are here
    "C:\\reports\\": "", "C:\\logs": "logs", "/srv/hyperv-logs": "logs", "hvdegraded/knowledge/events/FILE.toml": "rows.toml",
    ".venv\\Scripts\\": "", ".venv/bin/": "", "\\": "/", "FOLDER": "logs", "FILE…": "states.json",
}  # fmt: skip
WHOLE = ("README.md",)  # the others show parts of lines of shells and configurations
SCRIPTS = ("guests-script", "collect-script")
SHELL = re.compile(r"[|<>;)&\"]")
_COMMAND = re.compile(
    r"(?<![\w/.$-])hvdegraded (?:triage|explain|label|verify|check|status|guests-script|collect-script)\b[^`\n]*"
)


def commands() -> list[tuple[str, str]]:
    found = []
    for page in (page for page in PAGES if page.name != "questions.md"):
        for text in dict.fromkeys(
            _COMMAND.findall(TEXTS[page].replace(".venv/bin/", "").replace(".venv\\Scripts\\", ""))
        ):
            for old, new in ELSEWHERE.items():
                text = text.replace(old, new)
            found.append((page.name, text.split(" #")[0].strip()))
    return found


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for host in ("hv2012r2", "hv2022"):
        shutil.copytree(FOLDER / host, tmp_path / "logs" / host)
    shutil.copy(FOLDER / "guests.json", tmp_path)
    shutil.copy(FOLDER / "exports" / "winlogbeat.jsonl", tmp_path / "shipped.jsonl")
    (tmp_path / "sample_logs").symlink_to(ROOT / "sample_logs")
    (tmp_path / "states.json").write_text(STATES)
    (tmp_path / "rows.toml").write_text(ROWS)
    with zipfile.ZipFile(tmp_path / "HV1.zip", "w") as archive:
        archive.write(FOLDER / "hv2022" / "System.evtx", "System.evtx")
        archive.write(FOLDER / "hv2022" / "Microsoft-Windows-Hyper-V-Worker-Admin.evtx", "Worker.evtx")
        archive.writestr("states.json", STATES)
        archive.writestr("hvdegraded.json", '{"schema": "hvdegraded.collection", "Host": "HV1"}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("page", "command"), commands(), ids=lambda text: text[:60])
def test_a_command_of_the_pages_works(
    page: str, command: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(command if page in WHOLE else SHELL.split(command)[0])[1:]
    if len(words) == 1 and words[0] not in SCRIPTS:
        assert words[0] in _parser().format_help()  # the name of a command, in a sentence
        return
    if not any(not word.startswith("-") for word in words[1:]) and words[0] not in SCRIPTS:
        words.insert(1, "logs")
    assert main(words) in ((0, 1, 4) if "--since" in words else (0, 1))
    assert "Traceback" not in "".join(capsys.readouterr())
