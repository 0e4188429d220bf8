"""What is measured of this library is what its commands do, and not the benchmark."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.tools.corpus import ROOT
from tests.tools.sample_logs import FOLDER

BESIDES = """
import sys
from pathlib import Path
from hvdegraded.cli.main import main
log = Path(sys.argv[1])
main(["triage", str(log), "--quiet"])
before = set(sys.modules)
from tests.benchmarks.contenders import run
run(*sys.argv[2:], log)
print(*sorted(set(sys.modules) - before))
"""


@pytest.mark.subprocess
@pytest.mark.parametrize(
    "job", [("dense repeated", "hvdegraded triage"), ("dense", "hvdegraded"), ("decoding", "hvdegraded")]
)
def test_a_contender_of_ours_imports_nothing_that_triage_does_not(job: tuple[str, str]) -> None:
    command = [sys.executable, "-c", BESIDES, str(FOLDER / "hv2022" / "System.evtx"), *job]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == [
        "tests",
        "tests.benchmarks",
        "tests.benchmarks.contenders",
    ]
