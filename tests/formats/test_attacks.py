"""Every attack in `attacks` ends soon, in little memory, with the rest of its log delivered."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.tools.attacks import ATTACKS, GOOD, Result
from tests.tools.corpus import ROOT

PEAK_MB = 200
"""What a reading may take at most, the interpreter included."""


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    """All attacks, read in children that a limit of CPU time ends; by two processes, since most just compute."""
    found = {}
    halves = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.tools.attacks", "--json", *list(ATTACKS)[start::2]],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for start in range(2)
    ]
    for half in halves:
        lines, _ = half.communicate()
        assert half.returncode == 0
        for line in lines.splitlines():
            result = Result(*json.loads(line))
            found[result.name] = result
    return found


@pytest.mark.subprocess
@pytest.mark.slow
@pytest.mark.parametrize("name", ATTACKS)
def test_ends_soon_and_costs_no_other_record(name: str, results: dict[str, Result]) -> None:
    result = results[name]
    assert result.ended == ""
    assert result.good == 2 * GOOD
    assert result.megabytes < PEAK_MB
