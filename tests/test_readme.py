"""What README and the pages show works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from tests.tools.corpus import ROOT
from tests.tools.sample_logs import FOLDER

DOCS = ROOT / "hvdegraded" / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / ".github" / "CONTRIBUTING.md",
    ROOT / ".github" / "SECURITY.md",
    *sorted(DOCS.glob("*.md")),
]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
README = " ".join(TEXTS[ROOT / "README.md"].split())


def blocks(page: Path, language: str) -> list[str]:
    return [str(text) for text in re.findall(rf"```{language}\n(.*?)```", TEXTS[page], re.DOTALL)]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with logs and an inventory, as the pages name them, as the current one."""
    (tmp_path / "logs").symlink_to(FOLDER / "hv2012r2")
    (tmp_path / "guests.json").write_bytes((FOLDER / "guests.json").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_readme_in_python_and_in_jupyter(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for text in blocks(ROOT / "README.md", "python"):
        exec(text, names)
    assert "The VM has no boot device" in capsys.readouterr().out
    assert names["triage"].to_act_on.count == hv.triage("logs/", guests="guests.json").to_act_on.count > 0


def test_the_page_on_test_logs(here: Path) -> None:
    (text,) = blocks(DOCS / "test-logs.md", "python")
    exec(text, {})
    found = hv.triage("test.evtx")
    assert (found.count, found.ignorable.count) == (1000, 1000)
    assert {finding.vm for finding in found.findings} == {"web01"}


def test_the_page_on_policies(here: Path) -> None:
    (text,) = blocks(DOCS / "policy.md", "toml")
    Path("rows.toml").write_text(text, encoding="utf-8")
    logs = [FOLDER / host / "Microsoft-Windows-Hyper-V-VMMS-Admin.evtx" for host in ("hv2012r2", "hv2022")]
    found = hv.triage(logs, policy=hv.Policy.load("rows.toml"))
    told = {part.event_id: part.verdict for part in found.groups}
    assert told[41010].summary == "The nightly export has begun"
    assert told[41010].reason is hv.Reason.NOT_A_PROBLEM_REPORT
    assert told[14050].remedy == "Ask the directory team."


def test_the_page_on_verdicts_explains_every_reason() -> None:
    _, _, glossary = TEXTS[DOCS / "verdicts.md"].partition("## All reasons")
    explained = re.findall(r"^\| `(\w+)` \|", glossary, re.MULTILINE)
    assert set(explained) == {str(reason) for reason in hv.Reason}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", TEXTS[page]):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_name_and_option_exists(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in re.findall(r"\bhv\.([A-Za-z_]+)", TEXTS[page]):
        assert hasattr(hv, name), name
    for command, rest in re.findall(
        r"\bhvdegraded (triage|explain|label|verify|check)\b([^`\n]*)", TEXTS[page]
    ):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        text = capsys.readouterr().out
        for option in re.findall(r"(?<!\S)--[a-z-]+", rest):
            assert option in text, f"{command} {option}"


def test_the_numbers_of_the_readme() -> None:
    found = hv.triage([FOLDER / "hv2012r2", FOLDER / "hv2022"], guests=FOLDER / "guests.json")
    matter = found.to_act_on.count + found.to_check.count
    text = (
        f"Of {found.count} warnings and errors of two hosts, {matter} matter: {len(found.to_act_on)} findings to "
        f"act on, {len(found.to_check)} to check. {found.proven.count} are proven noise, {found.assumed.count} are "
        f"noise by assumption, {found.count - matter - found.ignorable.count} need no action."
    )
    assert text in README
    share = f"of the {found.ignorable.count} events of the samples that are called ignorable, {found.assumed.count} ("
    assert f"{share}{found.assumed.count / found.ignorable.count:.0%}".replace("%", " %)") in README
