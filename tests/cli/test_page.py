"""The page of `triage --html`: never over an input, never half, never lost to a closed pipe."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.sample_logs import FOLDER

COMMAND = [sys.executable, "-m", "hvdegraded", "triage"]
SYSTEM = FOLDER / "hv2022" / "System.evtx"


def triage(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return Path(shutil.copy(SYSTEM, tmp_path / "in.evtx"))


@pytest.mark.subprocess
@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
@pytest.mark.parametrize(
    "how", ["itself", "symlink", "hard link", "folder", "pattern", "stdin", "among others"]
)
def test_the_page_is_not_written_over_a_log(log: Path, how: str) -> None:
    page = log
    if "link" in how:
        page = log.with_name("link.html")
        (page.symlink_to if how == "symlink" else page.hardlink_to)(log)
    sources: dict[str, list[str | Path]] = {
        "folder": [log.parent],
        "pattern": [log.parent / "*.evtx"],
        "stdin": ["-"],
    }
    paths = sources.get(how, [SYSTEM, log] if how == "among others" else [log])
    with log.open("rb") as stream:
        done = triage(*paths, "--html", page, stdin=stream)
    assert done.returncode == 2
    assert b"is an input" in done.stderr
    assert done.stdout == b""
    assert log.read_bytes() == SYSTEM.read_bytes()


@pytest.mark.subprocess
def test_the_page_is_not_written_over_an_inventory_or_a_policy(log: Path) -> None:
    guests, policy = log.with_name("guests.json"), log.with_name("policy.toml")
    guests.write_text(json.dumps([{"Name": "web01", "OSName": "Ubuntu"}]))
    policy.write_text("")
    for name, path in (("--guests", guests), ("--policy", policy)):
        before = path.read_bytes()
        done = triage(log, name, path, "--html", path)
        assert (done.returncode, path.read_bytes()) == (2, before)
        assert b"is an input" in done.stderr


@pytest.mark.subprocess
def test_an_older_page_among_the_logs_is_replaced(log: Path) -> None:
    page = log.with_name("report.html")
    for _ in range(2):
        assert triage(log.parent, "--html", page).returncode in (0, 1)
        assert page.read_bytes().startswith(b"<!doctype html>")
        assert page.read_bytes().rstrip().endswith(b"</html>")


@pytest.mark.subprocess
def test_a_closed_pipe_does_not_cost_the_page(log: Path) -> None:
    """The page is written before anything is printed."""
    page = log.with_name("report.html")
    shell = f"{' '.join(COMMAND)} {log} --all --html {page} | true"
    subprocess.run(["bash", "-c", shell], check=False, timeout=60)
    assert page.read_bytes().rstrip().endswith(b"</html>")


@pytest.mark.subprocess
@pytest.mark.parametrize("place", ["no/such/page.html", "folder", "in.evtx/page.html"])
def test_an_unwritable_page_is_reported_before_anything_is_read(log: Path, place: str) -> None:
    (log.parent / "folder").mkdir()
    done = triage(log.with_name("missing.evtx"), "--html", log.parent / place)
    assert done.returncode == 2
    assert Path(place).name.encode() in done.stderr
    assert b"cannot be written" in done.stderr
    assert b"missing.evtx" not in done.stderr


@pytest.mark.subprocess
@pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
@pytest.mark.parametrize("options", [("--html", "-o"), ("--baseline", "-o"), ("--html", "--baseline")])
def test_two_outputs_into_one_file_are_refused(
    tmp_path: Path, options: tuple[str, str], link: str | None
) -> None:
    first = second = tmp_path / "out"
    if link is not None:
        first.write_bytes(b"before")
        second = tmp_path / "other"
        getattr(second, link)(first)
    done = triage(SYSTEM, options[0], first, options[1], second)
    assert done.returncode == 2
    assert b"two outputs" in done.stderr
    assert (first.read_bytes() if link else b"before") == b"before"


@pytest.mark.subprocess
def test_a_page_is_not_written_over_what_is_printed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with out.open("wb") as stdout:
        done = subprocess.run([*COMMAND, str(SYSTEM), "--html", str(out)], stdout=stdout, check=False)
    assert done.returncode == 2


@pytest.mark.subprocess
def test_devices_take_two_outputs() -> None:
    assert triage(SYSTEM, "--html", "/dev/null", "-o", "/dev/null").returncode in (0, 1)
