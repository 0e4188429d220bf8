"""Adding an event is three lines in one file, as CONTRIBUTING says."""

from __future__ import annotations

import re
from pathlib import Path

import hvdegraded as hv
from hvdegraded.knowledge import loader
from tests.tools.corpus import ROOT
from tests.tools.verdict_cases import plain

VMMS = "Microsoft-Windows-Hyper-V-VMMS"
PAGE = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_three_lines_add_an_event(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert len(block.strip().splitlines()) == 3
    head = f'provider = "{VMMS}"\nsource = "our wiki"\ncertainty = "verified"\n'
    (tmp_path / "rows.toml").write_text(head + block, encoding="utf-8")
    event = plain("VMMS", 41010, 2)
    assert hv.classify(event).reason is hv.Reason.UNKNOWN_EVENT
    verdict = hv.classify(event, policy=hv.Policy.load(tmp_path / "rows.toml"))
    assert verdict.reason is hv.Reason.NOT_A_PROBLEM_REPORT
    assert "nightly export" in verdict.summary


def test_what_the_page_names_is_there() -> None:
    folders = set(re.findall(r"`(\w+)`", PAGE[PAGE.index("| folder |") : PAGE.index("Tests lie")]))
    package = Path(loader.__file__).parents[1]
    rooms = {path.name for path in package.iterdir() if (path / "__init__.py").exists()}
    assert folders == rooms
    for path in re.findall(r"`((?:hvdegraded|tests)/[\w./]+)`", PAGE):
        assert (ROOT / path).exists(), path
    for module in re.findall(r"python -m ([\w.]+)", PAGE):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").exists() or (
            ROOT / module.replace(".", "/") / "__main__.py"
        ).exists(), module
