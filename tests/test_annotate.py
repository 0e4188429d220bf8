"""Annotating shipped records, and labelling streams of lines."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.annotation import KEY, Annotation
from hvdegraded.console import classify_status
from hvdegraded.label import Labeller
from tests.make_sample_logs import FOLDER, event_xml, winlogbeat
from tests.verdict_cases import ID, VM, device, guests, integration, plain, storvsp

LINES = (FOLDER / "exports" / "winlogbeat.jsonl").read_bytes().splitlines(keepends=True)
SCHEMA = json.loads((Path(hv.__file__).parent / "annotation.schema.json").read_text())
OTHER = b'{"winlog":{"provider_name":"Disk","event_id":"7"}}\n'


def label(data: bytes, **options: Any) -> tuple[list[bytes], Labeller]:
    labeller = Labeller(**options)
    target = io.BytesIO()
    labeller.run(io.BytesIO(data), target)
    return target.getvalue().splitlines(keepends=True), labeller


def test_the_schema_is_that_of_the_model() -> None:
    model = Annotation.model_json_schema()
    assert {key: SCHEMA[key] for key in ("properties", "$defs")} == {
        key: model[key] for key in ("properties", "$defs")
    }


def test_real_output_fits_the_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    lines, _ = label(b"".join(LINES))
    checked = 0
    for line in lines:
        added = json.loads(line).get(KEY)
        if added is not None:
            jsonschema.validate(added, SCHEMA)
            checked += 1
    assert checked > 50


@pytest.mark.parametrize(
    "event", [storvsp(6, "6.0", "5.1"), device(23014, "3.3", "3.2"), integration(), plain("VMMS", 19100)]
)
def test_one_event_by_every_route_gets_one_verdict(event: hv.EventRecord) -> None:
    namespace = "http://www.microsoft.com/Windows/Virtualization/Events"
    event = event._replace(record_id=7, channel="Admin")
    is_classic = event.provider == "storvsp"
    event = event._replace(payload="EventData" if is_classic else "UserData/VmlEventLog")
    xml = event_xml(event)
    listed = [text for name, text in event.data if name != "Binary"]
    inner = xml[xml.index("<VmlEventLog") : xml.index("</UserData>")] if not is_classic else ""
    when = "2024-12-09T11:31:23.2356205Z"
    routes: list[dict[str, Any] | str | bytes] = [
        xml,
        xml.encode("utf-16"),
        winlogbeat(event),
        {"_raw": xml},
        {"ProviderName": event.provider, "ProviderGUID": "", "EventID": str(event.event_id), "EventData": listed,
         "Level": str(event.level), "Computer": "hv1", "TimeCreated": when},
        {"ProviderName": event.provider, "EventID": event.event_id, "EventRecordID": 7, "StringInserts": listed,
         "Level": event.level, "Computer": "hv1", "TimeCreated": "2024-12-09 20:31:23 +0900"},
        {"Id": event.event_id, "ProviderName": event.provider, "ContainerLog": "x", "RecordId": 7, "Level": event.level,
         "MachineName": "hv1", "TimeCreated": "/Date(1733743883235)/", "Properties": [{"Value": text} for text in listed]},
    ]  # fmt: skip
    if not is_classic:
        data = dict(event.data)
        routes += [
            {"event_id": {"id": event.event_id}, "provider": {"name": event.provider}, "computer": "hv1",
             "system_time": when, "level": "Warning" if event.level == 3 else "Error",
             "user_data": {"name": "VmlEventLog", "data": data}},
            {"source": event.provider, "event_id": event.event_id, "timeCreated": when, "computer": "hv1",
             "level": event.level, "user_data": inner},
            {"System": {"Provider": {"Name": event.provider}, "EventID": {"Value": event.event_id}, "Computer": "hv1",
                        "Level": event.level, "TimeCreated": {"SystemTime": 1733743883.2356205}},
             "UserData": {"VmlEventLog": data}},
            {"Payload": json.dumps({"UserData": {"VmlEventLog": data}}), "Provider": event.provider, "Computer": "hv1",
             "EventId": event.event_id, "Level": "Warning" if event.level == 3 else "Error", "TimeCreated": when},
        ]  # fmt: skip
        assert namespace in xml
    found = [hv.annotate(route, guests=guests("linux"))[KEY] for route in routes]
    if event.event_id == 19100:  # only names tell that these are a VM's
        found = [one for one in found if one["vm_name"]]
    assert len(found) > 4
    for one in found:
        assert (one["label"], one["reason"], one["vm_name"]) == (found[0]["label"], found[0]["reason"], VM)
        assert one["time_ticks"] // 10_000_000 == (event.time_ticks or 0) // 10_000_000


def test_what_is_no_hyper_v_event_comes_back_as_it_was() -> None:
    for mapping in ({}, {"a": 1}, json.loads(OTHER), {"message": "hello"}):
        assert hv.annotate(mapping) == mapping
    given_one = json.loads(LINES[0])
    assert hv.annotate(given_one) is not given_one


def test_errors_are_fields() -> None:
    for bad in ("", "{oops", b"\xff\xfe", "[1]", "<Event>", 7):
        assert hv.annotate(bad)[KEY]["error"]  # type: ignore[arg-type]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["winlog", "Event", "event_id", "provider", "_raw", "System", "x"]), json_values
    )
    | st.text()
    | st.binary()
    | json_values
)
@settings(max_examples=300, deadline=None)
def test_annotate_never_raises(value: Any) -> None:
    assert isinstance(hv.annotate(value), dict)


# ------------------------------------------------------------------ streams


def test_lines_come_out_one_for_one_in_order() -> None:
    data = b"".join(line + OTHER for line in LINES)
    out, labeller = label(data)
    assert len(out) == 2 * len(LINES)
    assert out[1::2] == [OTHER] * len(LINES)
    for line, labelled in zip(LINES, out[::2], strict=True):
        mapping = json.loads(labelled)
        mapping.pop(KEY, None)
        assert mapping == json.loads(line)
    assert labeller.stats.lines == len(out)


@given(
    st.lists(
        st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b""))
        | st.sampled_from([line.rstrip() for line in LINES[:4]])
        | st.just(b'{"storvsp'),
        max_size=12,
    ),
    st.sampled_from([b"\n", b"\r\n"]),
)
@settings(max_examples=200, deadline=None)
def test_any_lines_are_kept_in_count_and_order(lines: list[bytes], end: bytes) -> None:
    lines = [line for line in lines if not line.endswith(b"\r")]
    out, _ = label(b"".join(line + end for line in lines))
    data = b"".join(out)
    assert data.count(b"\n") == len(lines)
    for line, written in zip(lines, data.split(b"\n"), strict=False):
        assert written.endswith(end[:-1])
        if written.removesuffix(end[:-1]) != line:
            json.loads(written)


def test_byte_order_mark_and_missing_last_line_end() -> None:
    out, _ = label(b"\xef\xbb\xbf" + LINES[2] + LINES[3].rstrip())
    assert [KEY in json.loads(line.removeprefix(b"\xef\xbb\xbf")) for line in out] == [True, True]


def test_over_long_lines_pass_as_they_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hvdegraded.label._LONGEST_LINE", 2000)
    long = b'{"a":"storvsp' + b"x" * 9000 + b'"}\n'
    out, labeller = label(LINES[2] + long + LINES[3])
    assert out[1] == long
    assert len(out) == 3
    assert labeller.stats.too_long == 1


def test_ignorable_lines_can_be_dropped_but_not_assumed_ones() -> None:
    data = json.dumps(winlogbeat(storvsp(6, "6.0", "5.1"))).encode() + b"\n" + OTHER
    inventory = FOLDER.parent / "none.json"
    assert not inventory.exists()
    assert len(label(data, drop_ignorable=True)[0]) == 2
    assert label(data, drop_ignorable=True, drop_assumed=True)[0] == [OTHER]
    assert len(label(data, only_hyper_v=True)[0]) == 1


def test_the_inventory_is_loaded_again_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hvdegraded.label._LOOK_AGAIN", 0.0)
    path = tmp_path / "guests.json"
    path.write_text(json.dumps([{"Name": VM, "Id": ID, "OSName": "Debian GNU/Linux 12"}]))
    line = json.dumps(winlogbeat(storvsp(6, "6.0", "5.1"))).encode() + b"\n"

    class Changing(io.BytesIO):
        def readline(self, size: int | None = -1) -> bytes:
            if self.tell():
                path.write_text(json.dumps([{"Name": VM, "Id": ID, "OSName": "Windows Server 2012 R2"}]))
                os.utime(path, (time.time(), time.time() + 5))
            return super().readline(size)

    target = io.BytesIO()
    Labeller(guests=path).run(Changing(line * 2), target)
    labels = [json.loads(one)[KEY]["label"] for one in target.getvalue().splitlines()]
    assert labels == ["ignorable protocol-version mismatch", "actionable"]


def test_the_command_and_a_closed_pipe() -> None:
    command = [sys.executable, "-m", "hvdegraded", "label", "--stats"]
    done = subprocess.run(command, input=b"".join(LINES), capture_output=True, check=True)
    assert done.stdout.count(b"\n") == len(LINES)
    assert b"lines" in done.stderr
    shell = f"yes '{LINES[2].decode().strip()}' | {sys.executable} -m hvdegraded label | head -n 2"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, check=False)
    assert done.stdout.count(b"\n") == 2
    assert b"Traceback" not in done.stderr
    done = subprocess.run([*command, "--format", "nonsense"], input=b"", capture_output=True, check=False)
    assert done.returncode == 2


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


# ------------------------------------------------------------------ what the console shows


def test_states_of_the_console() -> None:
    service = {"VMName": VM, "Name": "Key-Value Pair Exchange", "PrimaryOperationalStatus": 3,
               "SecondaryOperationalStatus": 32775}  # fmt: skip
    seen = {
        kind: classify_status(service, guests(kind)) for kind in ("linux", "windows", "unknown", "conflict")
    }
    assert all(verdict is not None for verdict in seen.values())
    labels = {kind: verdict.label for kind, verdict in seen.items() if verdict}
    assert labels["windows"] == labels["conflict"] == hv.Label.ACTIONABLE
    assert labels["linux"] == labels["unknown"] == hv.Label.IGNORABLE
    machine = {"Name": VM, "VMId": ID, "State": 2, "PrimaryOperationalStatus": 3}
    verdict = classify_status(machine, guests("linux"))
    assert verdict is None or verdict.actionable
    assert classify_status({"hello": 1}) is None
