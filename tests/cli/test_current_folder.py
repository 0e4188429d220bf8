"""Issue 15.1: nothing from the current folder runs, whatever was unpacked there beside a log."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.corpus import ROOT
from tests.tools.sample_logs import FOLDER

MODULES = (
    "argparse", "base64", "codecs", "concurrent", "csv", "ctypes", "dataclasses", "datetime", "enum", "evtx", "Evtx",
    "fractions", "hvdegraded", "html", "importlib", "io", "json", "lxml", "multiprocessing", "pickle", "pydantic",
    "pyevtx", "queue", "random", "re", "resource", "sitecustomize", "struct", "subprocess", "tempfile", "threading",
    "tomllib", "typing", "usercustomize", "zipfile", "zlib", "zoneinfo",
)  # fmt: skip
COMMANDS = [
    "triage . --html page.html", "triage w.evtx --json=events", "explain . --finding 1", "label w.jsonl", "verify w.evtx",
    "status states.json", "check rows.toml", "collect-script", "guests-script", "--version", "triage --help",
]  # fmt: skip


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with logs, and with modules that leave a trace when they are imported."""
    shutil.copy(FOLDER / "hv2022" / "Microsoft-Windows-Hyper-V-VMMS-Admin.evtx", tmp_path / "w.evtx")
    shutil.copy(FOLDER / "exports" / "winlogbeat.jsonl", tmp_path / "w.jsonl")
    (tmp_path / "states.json").write_text(
        json.dumps([{"VMName": "web01", "Name": "VSS", "PrimaryStatusDescription": "OK"}])
    )
    (tmp_path / "rows.toml").write_text('label = "not a row"\n')
    trace = f"open({str(tmp_path / 'it-ran')!r}, 'a').write(__name__ + ' ')\n"
    for name in MODULES:
        (tmp_path / f"{name}.py").write_text(trace)
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(trace)
        (tmp_path / name / "__main__.py").write_text(trace)
    return tmp_path


@pytest.mark.slow
@pytest.mark.subprocess
@pytest.mark.parametrize(
    "path", [None, os.pathsep, "."], ids=["no PYTHONPATH", "an empty part of it", "a dot in it"]
)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_runs_a_module_that_lies_beside_a_log(
    hostile: Path, command: str, path: str | None
) -> None:
    """Also where PYTHONPATH has the folder, as `export PYTHONPATH=$PYTHONPATH:/opt/x` leaves it.

    Python itself imports `sitecustomize` and what its start needs before any of this package runs.
    """
    for name in ("sitecustomize", "usercustomize", "codecs", "io", "importlib") if path else ():
        shutil.rmtree(hostile / name)
        (hostile / f"{name}.py").unlink()
    start = f"import sys; sys.path.append({str(ROOT)!r}); from hvdegraded.__main__ import main; raise SystemExit(main())"
    if path:  # the package itself is found first, as that of an installed script is
        path = f"{ROOT}{os.pathsep}{path}"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", start, *command.split()],
        cwd=hostile,
        env=environment | ({} if path is None else {"PYTHONPATH": path}),
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert done.returncode in (0, 1, 2), done.stderr
    assert "Traceback" not in done.stderr
    assert not (hostile / "it-ran").exists(), (hostile / "it-ran").read_text()
