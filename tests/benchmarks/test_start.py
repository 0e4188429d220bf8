"""What a small run loads, so that no change makes the start slower unnoticed: counts, which need no clock.

The bounds leave room for a few more; who lowers a count lowers its bound.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.tools.corpus import ROOT, SAMPLE_LOGS

COUNTS = """
import json, sys, tomli
read, loads = [], tomli.loads
tomli.loads = lambda text: read.append(text) or loads(text)
from hvdegraded.__main__ import main
main()
from pydantic import BaseModel
models = [model for model in BaseModel.__subclasses__()]
for model in models:
    models += model.__subclasses__()
json.dump({
    "modules": sum(name.startswith("hvdegraded.") for name in sys.modules),
    "others": sorted(name for name in sys.modules if not name.startswith("hvdegraded.")),
    "tables": len(read),
    "models": len(models),
    "checked": [model.__name__ for model in models if model.__pydantic_complete__],
}, sys.stderr)
"""
NEEDLESS = {"rich.console", "zipfile", "importlib.metadata", "importlib.resources", "email", "difflib"}
"""Modules that take milliseconds to load, and serve none of these runs."""


class Run(NamedTuple):
    """The arguments of a run, and the most modules, tables and models that it needs."""

    arguments: tuple[str | Path, ...]
    modules: int
    tables: int
    models: int


HOST = SAMPLE_LOGS / "hv2012r2"
XML = SAMPLE_LOGS / "exports" / "hv2012r2-worker-wevtutil.xml"
LINES = SAMPLE_LOGS / "exports" / "winlogbeat.jsonl"
RUNS = {
    "triage of .evtx logs": Run(("triage", HOST), 150, 14, 60),
    "triage of XML": Run(("triage", XML), 180, 8, 60),
    "labelled lines": Run(("label", LINES), 132, 13, 60),
}


@pytest.mark.subprocess
@pytest.mark.parametrize("what", RUNS)
def test_a_small_run_loads_little(what: str) -> None:
    run = RUNS[what]
    command = [sys.executable, "-c", COUNTS, *run.arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stderr.decode().splitlines()[-1])
    assert done.stdout
    assert not NEEDLESS.intersection(found["others"])
    assert not found["checked"]  # a validator takes a millisecond to build, the first one twenty
    assert found["modules"] <= run.modules
    assert found["tables"] <= run.tables
    assert found["models"] <= run.models
