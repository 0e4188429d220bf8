"""Every attack in `attacks` ends soon, in little memory, with the rest of its log delivered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks import ATTACKS, GOOD, Result

PEAK_MB = 200
"""What a reading may take at most, the interpreter included."""


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    """All attacks, read in children that a limit of CPU time ends."""
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-m", "tests.attacks", "--json"],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = [Result(*json.loads(line)) for line in done.stdout.splitlines()]
    return {result.name: result for result in found}


@pytest.mark.parametrize("name", ATTACKS)
def test_ends_soon_and_costs_no_other_record(name: str, results: dict[str, Result]) -> None:
    result = results[name]
    assert result.ended == ""
    assert result.good == 2 * GOOD
    assert result.megabytes < PEAK_MB
