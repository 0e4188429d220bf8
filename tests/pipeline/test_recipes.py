"""The recipes of docs/pipelines.md as they stand there, run with the real programs where these are installed."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.pipeline.annotation import KEY
from tests.pipeline.test_labeller import LINES, MISMATCH, OTHER, line_of
from tests.tools.corpus import ROOT
from tests.tools.sample_exports import winlogbeat

PAGE = (ROOT / "hvdegraded" / "docs" / "pipelines.md").read_text(encoding="utf-8")
LONG = line_of({**winlogbeat(MISMATCH), "message": "é%m " * 9000})
MIXED = [LONG if at == 777 else LINES[at % len(LINES)] if at % 50 == 0 else OTHER for at in range(10_000)]
COMMAND = f"{sys.executable} -m hvdegraded"


def block(language: str, word: str) -> str:
    found = [text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if word in text]
    (text,) = found
    return str(text)


def is_labelled(line: bytes) -> bool:
    return KEY in json.loads(line)


GETS_A_VERDICT = {line: KEY in hv.annotate(line) for line in set(MIXED)}
EXPECTED = [GETS_A_VERDICT[line] for line in MIXED]


def lines_when_all_are_there(path: Path, seconds: float = 120) -> list[bytes]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if path.exists() and path.read_bytes().count(b"\n") >= len(MIXED):
            break
        time.sleep(0.2)
    return path.read_bytes().splitlines(keepends=True)


@contextmanager
def running(*command: object) -> Iterator[None]:
    with subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as daemon:  # fmt: skip
        try:
            yield
        finally:
            daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()


def executable(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def rsyslog_conf(tmp_path: Path, recipe: str) -> Path:
    """The recipe, and rsyslog's own state in the folder too."""
    conf = tmp_path / "rsyslog.conf"
    conf.write_text(f'global(workDirectory="{tmp_path}")\n{recipe}')
    return conf


needs_rsyslog = pytest.mark.skipif(shutil.which("rsyslogd") is None, reason="rsyslog is not installed")
needs_syslog_ng = pytest.mark.skipif(shutil.which("syslog-ng") is None, reason="syslog-ng is not installed")


@pytest.mark.subprocess
@needs_rsyslog
def test_rsyslog_writes_to_the_program_and_loses_nothing(tmp_path: Path) -> None:
    source, out = tmp_path / "shipped.jsonl", tmp_path / "labelled.jsonl"
    script = executable(tmp_path / "label.sh", f"#!/bin/sh\nexec {COMMAND} label >> {out}\n")
    recipe = block("rsyslog", "omprog").replace("/var/log/shipped.jsonl", str(source))
    conf = rsyslog_conf(tmp_path, recipe.replace("/etc/rsyslog.d/label.sh", str(script)))
    source.write_bytes(b"".join(MIXED))
    with running("rsyslogd", "-n", "-f", conf, "-i", tmp_path / "pid"):
        lines = lines_when_all_are_there(out)
    assert [is_labelled(line) for line in lines] == EXPECTED
    assert [line for line, labelled in zip(lines, EXPECTED, strict=True) if not labelled] == [
        line for line, labelled in zip(MIXED, EXPECTED, strict=True) if not labelled
    ]
    assert lines[777].startswith(LONG[:-2])


@pytest.mark.subprocess
@needs_rsyslog
def test_rsyslog_goes_on_with_the_verdict_and_loses_nothing(tmp_path: Path) -> None:
    source, out = tmp_path / "shipped.jsonl", tmp_path / "labelled.txt"
    script = block("python", "sys.stdin.buffer").replace("/usr/bin/env python3", sys.executable)
    recipe = block("rsyslog", "mmexternal").replace("/var/log/shipped.jsonl", str(source))
    recipe = recipe.replace("/etc/rsyslog.d/label.py", str(executable(tmp_path / "label.py", script)))
    conf = rsyslog_conf(tmp_path, recipe.replace("/var/log/labelled.txt", str(out)))
    source.write_bytes(b"".join(MIXED))
    with running("rsyslogd", "-n", "-f", conf, "-i", tmp_path / "pid"):
        lines = lines_when_all_are_there(out)
    found = [line.partition(b"|") for line in lines]
    assert [message for _, _, message in found] == MIXED
    labels = [hv.annotate(line).get(KEY, {}).get("label", "") for line in MIXED]
    assert [label.decode() for label, _, _ in found] == labels


@pytest.mark.subprocess
@needs_syslog_ng
def test_syslog_ng_loses_nothing(tmp_path: Path) -> None:
    source, out = tmp_path / "shipped.jsonl", tmp_path / "labelled.jsonl"
    recipe = block("syslog-ng", "program").replace("/var/log/shipped.jsonl", str(source))
    recipe = recipe.replace("hvdegraded label", f"{COMMAND} label").replace(
        "/var/log/labelled.jsonl", str(out)
    )
    conf = tmp_path / "syslog-ng.conf"
    conf.write_text(f"@version: 3.38\n{recipe}")
    source.write_bytes(b"".join(MIXED))
    with running(
        "syslog-ng", "-F", "-f", conf, "-R", tmp_path / "persist", "-p", tmp_path / "pid", "-c", tmp_path / "control"
    ):  # fmt: skip
        lines = lines_when_all_are_there(out)
    assert [is_labelled(line) for line in lines] == EXPECTED
    assert lines[777].startswith(LONG[:-2])


@pytest.mark.subprocess
def test_a_pipe_of_the_shell(tmp_path: Path) -> None:
    (command,) = re.findall(r'pipe \{ command => "(.*?)" \}', PAGE)
    shell = subprocess.run(
        ["sh", "-c", command.replace("hvdegraded", COMMAND, 1)],
        input=b"".join(MIXED[:500]), cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert shell.returncode == 0
    lines = (tmp_path / "labelled.jsonl").read_bytes().splitlines()
    assert [is_labelled(line) for line in lines] == EXPECTED[:500]


@pytest.mark.subprocess
def test_a_consumer_of_a_queue() -> None:
    names: dict[str, Any] = {}
    exec(block("python", "producer.send"), names)
    sent: list[tuple[str, bytes]] = []
    producer = SimpleNamespace(send=lambda topic, value: sent.append((topic, value)))
    consumer = [SimpleNamespace(value=line) for line in (*MIXED[:200], b"no JSON", b"\xff")]
    names["label"](iter(consumer), producer)
    assert [is_labelled(value) for _, value in sent] == [*EXPECTED[:200], True, True]
    assert all(json.loads(value)[KEY]["error"] for _, value in sent[-2:])


@pytest.mark.subprocess
def test_a_firehose_transformation() -> None:
    names: dict[str, Any] = {}
    exec(block("python", "def handler"), names)
    lines = [*LINES[:20], b'{"no": "event"}', b"not even JSON", b""]
    event = {
        "invocationId": "4f3c2a10-77aa-4c3e-9c1f-000000000000",
        "deliveryStreamArn": "arn:aws:firehose:eu-west-1:111122223333:deliverystream/logs",
        "region": "eu-west-1",
        "records": [
            {
                "recordId": f"4964{at:052d}",
                "approximateArrivalTimestamp": 1700000000000 + at,
                "data": base64.b64encode(line).decode(),
            }
            for at, line in enumerate(lines)
        ],
    }
    answer = names["handler"](event, None)["records"]
    assert [one["recordId"] for one in answer] == [one["recordId"] for one in event["records"]]
    assert all(one.keys() == {"recordId", "result", "data"} for one in answer)
    assert [one["result"] for one in answer] == ["Ok"] * 21 + ["ProcessingFailed"] * 2
    data = [base64.b64decode(one["data"]) for one in answer]
    assert data[-2:] == lines[-2:]  # what failed comes back untouched
    assert json.loads(data[20]) == {"no": "event"}
    labelled = [json.loads(one) for one in data[:20]]
    assert sum(KEY in one for one in labelled) > 5
    assert all(one.endswith(b"\n") for one in data[:21])
