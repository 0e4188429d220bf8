"""The page of `triage --html`: never over an input, never half, never lost to a closed pipe."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hvdegraded.cli.main import main
from tests.tools.sample_logs import FOLDER

COMMAND = [sys.executable, "-m", "hvdegraded", "triage"]
SYSTEM = FOLDER / "hv2022" / "System.evtx"
Triage = Callable[..., tuple[int, str, str]]


@pytest.fixture
def triage(capfd: pytest.CaptureFixture[str]) -> Triage:
    """The command's exit code and what it prints."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        code = main(["triage", *map(str, arguments)])
        return code, *capfd.readouterr()

    return run


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return Path(shutil.copy(SYSTEM, tmp_path / "in.evtx"))


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
@pytest.mark.parametrize("how", ["itself", "symlink", "hard link", "folder", "pattern", "among others"])
def test_the_page_is_not_written_over_a_log(triage: Triage, log: Path, how: str) -> None:
    page = log
    if "link" in how:
        page = log.with_name("link.html")
        (page.symlink_to if how == "symlink" else page.hardlink_to)(log)
    sources = {
        "folder": [log.parent],
        "pattern": [log.parent / "*.evtx"],
        "among others": [SYSTEM, log],
    }
    code, out, err = triage(*sources.get(how, [log]), "--html", page)
    assert (code, out) == (2, "")
    assert "is an input" in err
    assert log.read_bytes() == SYSTEM.read_bytes()


@pytest.mark.subprocess
def test_the_page_is_not_written_over_a_log_on_standard_input(log: Path) -> None:
    with log.open("rb") as stream:
        done = subprocess.run(
            [*COMMAND, "-", "--html", str(log)], stdin=stream, capture_output=True, check=False
        )
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"is an input" in done.stderr
    assert log.read_bytes() == SYSTEM.read_bytes()


def test_the_page_is_not_written_over_an_inventory_or_a_policy(triage: Triage, log: Path) -> None:
    guests, policy = log.with_name("guests.json"), log.with_name("policy.toml")
    guests.write_text(json.dumps([{"Name": "web01", "OSName": "Ubuntu"}]))
    policy.write_text("")
    for name, path in (("--guests", guests), ("--policy", policy)):
        before = path.read_bytes()
        code, _, err = triage(log, name, path, "--html", path)
        assert (code, path.read_bytes()) == (2, before)
        assert "is an input" in err


def test_an_older_page_among_the_logs_is_replaced(triage: Triage, log: Path) -> None:
    page = log.with_name("report.html")
    for _ in range(2):
        assert triage(log.parent, "--html", page)[0] in (0, 1)
        assert page.read_bytes().startswith(b"<!doctype html>")
        assert page.read_bytes().rstrip().endswith(b"</html>")


@pytest.mark.subprocess
def test_a_closed_pipe_does_not_cost_the_page(log: Path) -> None:
    """The page is written before anything is printed."""
    page = log.with_name("report.html")
    shell = f"{' '.join(COMMAND)} {log} --all --html {page} | true"
    subprocess.run(["bash", "-c", shell], check=False, timeout=60)
    assert page.read_bytes().rstrip().endswith(b"</html>")


@pytest.mark.parametrize("place", ["no/such/page.html", "folder", "in.evtx/page.html"])
def test_an_unwritable_page_is_reported_before_anything_is_read(
    triage: Triage, log: Path, place: str
) -> None:
    (log.parent / "folder").mkdir()
    code, _, err = triage(log.with_name("missing.evtx"), "--html", log.parent / place)
    assert code == 2
    assert Path(place).name in err
    assert "cannot be written" in err
    assert "missing.evtx" not in err


@pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
@pytest.mark.parametrize("options", [("--html", "-o"), ("--baseline", "-o"), ("--html", "--baseline")])
def test_two_outputs_into_one_file_are_refused(
    triage: Triage, tmp_path: Path, options: tuple[str, str], link: str | None
) -> None:
    first = second = tmp_path / "out"
    if link is not None:
        first.write_bytes(b"before")
        second = tmp_path / "other"
        getattr(second, link)(first)
    code, _, err = triage(SYSTEM, options[0], first, options[1], second)
    assert code == 2
    assert "two outputs" in err
    assert (first.read_bytes() if link else b"before") == b"before"


@pytest.mark.subprocess
def test_a_page_is_not_written_over_what_is_printed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with out.open("wb") as stdout:
        done = subprocess.run([*COMMAND, str(SYSTEM), "--html", str(out)], stdout=stdout, check=False)
    assert done.returncode == 2


def test_devices_take_two_outputs(triage: Triage) -> None:
    assert triage(SYSTEM, "--html", "/dev/null", "-o", "/dev/null")[0] in (0, 1)
