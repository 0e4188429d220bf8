"""What the README shows works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import hvdegraded as hv
from tests.tools.corpus import ROOT
from tests.tools.sample_logs import FOLDER

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def block(word: str) -> str:
    return str(next(text for text in BLOCKS if word in text))


def test_the_example_for_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").symlink_to(FOLDER / "hv2022")
    (tmp_path / "guests.json").write_bytes((FOLDER / "guests.json").read_bytes())
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(block("classify_all"), names)
    out = capsys.readouterr().out
    assert "kiosk-7" in out
    assert "records, " in out
    (tmp_path / "logs").unlink()
    (tmp_path / "logs").symlink_to(FOLDER / "hv2012r2")  # of the VM that it names
    exec(block("triage.actionable"), {"hv": hv, "guests": names["guests"]})


def test_the_example_for_test_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(block("write_evtx"), {})
    found = hv.triage("test.evtx")
    assert (found.count, found.ignorable.count) == (1000, 1000)
    assert {finding.vm for finding in found.findings} == {"web01"}


def test_the_example_for_policies(tmp_path: Path) -> None:
    rows = tmp_path / "rows.toml"
    rows.write_text(re.findall(r"```toml\n(.*?)```", README, re.DOTALL)[0])
    logs = [FOLDER / host / "Microsoft-Windows-Hyper-V-VMMS-Admin.evtx" for host in ("hv2012r2", "hv2022")]
    found = hv.triage(logs, policy=hv.Policy.load(rows))
    told = {part.event_id: part.verdict for part in found.groups}
    assert told[41010].summary == "The nightly export has begun"
    assert told[41010].reason is hv.Reason.NOT_A_PROBLEM_REPORT
    assert told[14050].remedy == "Ask the directory team."


def test_the_commands_exist() -> None:
    from hvdegraded.cli.main import _parser

    text = _parser().format_help()
    for command in re.findall(r"^- `hvdegraded ([a-z-]+)", README, re.MULTILINE):
        assert command in text


def test_no_line_is_a_promise_that_does_not_exist() -> None:
    for name in re.findall(r"\bhv\.([A-Za-z_]+)", README):
        assert hasattr(hv, name), name
