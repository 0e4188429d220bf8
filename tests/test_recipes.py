"""The README's recipes, run with the real programs where they are installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.annotation import KEY
from tests.test_label import LINES, OTHER


@pytest.mark.skipif(shutil.which("rsyslogd") is None, reason="rsyslog is not installed")
def test_rsyslog_loses_nothing(tmp_path: Path) -> None:
    """The README's recipe: rsyslog pipes lines through the command by omprog."""
    out = tmp_path / "labelled.jsonl"
    source = tmp_path / "shipped.jsonl"
    mixed = [LINES[at % len(LINES)] if at % 50 == 0 else OTHER for at in range(10_000)]
    script = tmp_path / "label.sh"
    script.write_text(f"#!/bin/sh\nexec {sys.executable} -m hvdegraded label >> {out}\n")
    script.chmod(0o755)
    conf = tmp_path / "rsyslog.conf"
    conf.write_text(
        f'global(workDirectory="{tmp_path}")\nmodule(load="imfile" mode="polling" pollingInterval="1")\n'
        'module(load="omprog")\ntemplate(name="line" type="string" string="%msg%\\n")\n'
        f'input(type="imfile" file="{source}" tag="t" ruleset="label" readTimeout="1")\n'
        f'ruleset(name="label") {{ action(type="omprog" binary="{script}" template="line") }}\n'
    )
    source.write_bytes(b"".join(mixed))
    daemon = subprocess.Popen(
        ["rsyslogd", "-n", "-f", str(conf), "-i", str(tmp_path / "pid")], stderr=subprocess.PIPE
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if out.exists() and out.read_bytes().count(b"\n") >= len(mixed):
                break
            time.sleep(0.2)
    finally:
        daemon.terminate()
        daemon.communicate(timeout=20)
    lines = out.read_bytes().splitlines()
    assert len(lines) == len(mixed)
    labelled = [KEY in json.loads(line) for line in lines]
    expected = [KEY in hv.annotate(line) for line in mixed]
    assert labelled == expected
