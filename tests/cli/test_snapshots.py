"""What the commands print of the sample logs, whole: a change of any word or number is seen, and read before it is kept.

`HVDEGRADED_SNAPSHOTS=write pytest tests/cli/test_snapshots.py` writes them anew, and the picture of the README.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest

from hvdegraded.cli.main import main
from hvdegraded.pipeline.labeller import Labeller
from tests.tools.corpus import ROOT
from tests.tools.picture import PICTURE, picture, stage

FOLDER = ROOT / "tests" / "snapshots"
WRITE = os.environ.get("HVDEGRADED_SNAPSHOTS") == "write"
TRIAGE = ["triage", "sample_logs/hv2012r2", "sample_logs/hv2022", "--guests", "sample_logs/guests.json"]
WORKER = "sample_logs/hv2022/Microsoft-Windows-Hyper-V-Worker-Admin.evtx"
PRINTED = {
    "triage.txt": TRIAGE,
    "triage_all.txt": [*TRIAGE, "--all"],
    "findings.json": [*TRIAGE, "--json=findings"],
    "events.jsonl": ["triage", WORKER, "--min-level", "error", "--json"],
    "explain.txt": ["explain", *TRIAGE[1:], "--record", "1438"],
}


def compare(name: str, text: str) -> None:
    """Compare with the snapshot of that name, or write it."""
    path = FOLDER / name
    if WRITE:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stage(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", PRINTED)
def test_what_is_printed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(PRINTED[name])
    compare(name, capsys.readouterr().out)


def test_what_is_labelled() -> None:
    lines = (ROOT / "sample_logs" / "exports" / "winlogbeat.jsonl").read_bytes().splitlines(keepends=True)
    target = io.BytesIO()
    Labeller(guests="sample_logs/guests.json").run(io.BytesIO(b"".join(lines[::9])), target)
    compare("labelled.jsonl", target.getvalue().decode())


def test_the_page(tmp_path: Path) -> None:
    main([*TRIAGE, "--html", str(tmp_path / "page.html")])
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    page = re.sub(
        r"<svg.*?</svg>", "<svg></svg>", page, flags=re.DOTALL
    )  # drawn as matplotlib's version does
    compare("page.html", re.sub(r"<(style|script)[^>]*>.*?</\1>", r"<\1></\1>", page, flags=re.DOTALL))


@pytest.mark.subprocess
def test_the_picture_of_the_readme() -> None:
    if WRITE:
        PICTURE.write_text(picture(), encoding="utf-8")
    assert picture() == PICTURE.read_text(encoding="utf-8"), "python -m tests.tools.picture draws it anew"
