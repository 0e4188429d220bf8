"""The public API is typed: both type checkers accept a program that uses it, and see a wrong one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.corpus import ROOT

USE = ROOT / "tests" / "public_api.py"
CHECKERS = {
    "mypy": ("mypy", "--strict", "--config-file=", "--follow-imports=silent"),
    "pyright": ("pyright", f"--pythonpath={sys.executable}"),
}


@pytest.mark.slow
@pytest.mark.subprocess
@pytest.mark.parametrize("checker", CHECKERS)
def test_the_public_api(checker: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text('import hvdegraded as hv\n\nhv.triage(7)\nhv.classify("no event").labl\n')
    found = []
    for file in (USE, wrong):
        command = [sys.executable, "-m", *CHECKERS[checker], str(file)]
        found.append(subprocess.run(command, capture_output=True, text=True, cwd=ROOT))
    right, bad = found
    if "Failed to download" in right.stderr + right.stdout:
        pytest.skip("pyright cannot be downloaded")
    assert right.returncode == 0, right.stdout
    assert bad.returncode == 1, bad.stdout
    assert '"labl"' in bad.stdout
