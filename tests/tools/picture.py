"""Draw the picture of the README, of what the command prints: `python -m tests.tools.picture [FILE]`."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests.tools.corpus import ROOT, SAMPLE_LOGS

PICTURE = ROOT / "hvdegraded" / "docs" / "triage.svg"
COMMAND = ("triage", "sample_logs/hv2012r2", "sample_logs/hv2022", "--guests", "sample_logs/guests.json")
WIDTH, LINES = 104, 18
TITLES = ("To check", "Assumed", "Proven noise", "No action needed")  # what stands in the rest
TAKEN = 1_795_000_000  # 2026-11-18, after the last event


def stage(folder: Path) -> None:
    """Lay out the sample logs in a folder, with an inventory whose file has one age in every checkout."""
    samples = folder / "sample_logs"
    samples.mkdir()
    for name in ("hv2012r2", "hv2022", "exports"):
        (samples / name).symlink_to(SAMPLE_LOGS / name)
    (samples / "guests.json").write_bytes((SAMPLE_LOGS / "guests.json").read_bytes())
    os.utime(samples / "guests.json", (TAKEN, TAKEN))


def picture() -> str:
    """Return the beginning and the counts of the output as SVG, which asks for no font from elsewhere."""
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        stage(Path(folder))
        command = [sys.executable, "-P", "-m", "hvdegraded", *COMMAND]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    lines = done.stdout.decode().splitlines()
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    rest = [line for line in lines[LINES:] if Text.from_ansi(line).plain.startswith(TITLES)]
    console.print(Text.from_ansi("\n".join([*lines[:LINES], "…", *rest])))
    svg = console.export_svg(title=f"hvdegraded {' '.join(COMMAND)}", unique_id="triage")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE).write_text(picture(), encoding="utf-8")
