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


PARTS = 12
"""Each is a process, so that what runs the tests shares them out."""


@pytest.mark.subprocess
@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_ends_soon_and_costs_no_other_record(part: int) -> None:
    """A limit of CPU time ends what does not end by itself."""
    names = list(ATTACKS)[part::PARTS]
    done = subprocess.run(
        [sys.executable, "-m", "tests.tools.attacks", "--json", *names],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    results = [Result(*json.loads(line)) for line in done.stdout.splitlines()]
    assert [result.name for result in results] == names
    assert [one for one in results if one.ended or one.good != 2 * GOOD or one.megabytes >= PEAK_MB] == []
