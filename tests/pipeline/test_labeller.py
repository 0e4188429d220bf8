"""Streams of lines through `hvdegraded label`: one for one, in order, nothing lost, whatever comes."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.pipeline.annotation import KEY
from hvdegraded.pipeline.labeller import Labeller
from hvdegraded.verdicts.verdict import Assumption
from tests.tools.sample_exports import event_xml, winlogbeat
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import HV, ID, VM, guests, plain, storvsp

LINES = (FOLDER / "exports" / "winlogbeat.jsonl").read_bytes().splitlines(keepends=True)
OTHER = b'{"winlog":{"provider_name":"Disk","event_id":"7"}}\n'
IGNORABLE = "ignorable protocol-version mismatch"
MISMATCH = storvsp(6, "6.0", "5.1")._replace(record_id=7, payload="EventData")
COMMAND = [sys.executable, "-m", "hvdegraded", "label"]


def line_of(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


def label(data: bytes, **options: Any) -> tuple[list[bytes], Labeller]:
    labeller = Labeller(**options)
    target = io.BytesIO()
    labeller.run(io.BytesIO(data), target)
    stats = labeller.stats
    kinds = stats.passed + stats.ignorable + stats.actionable + stats.unread + stats.broken + stats.errors
    assert stats.lines == kinds + stats.too_long
    out = target.getvalue().splitlines(keepends=True)
    return out, labeller


def inventory(tmp_path: Path, system: str = "Debian GNU/Linux 12") -> Path:
    path = tmp_path / "guests.json"
    path.write_text(json.dumps([{"Name": VM, "Id": ID, "OSName": system}]))
    return path


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


def test_a_labelled_line_keeps_every_byte_that_it_came_with() -> None:
    text = (
        '{"n": 1.50, "big": 123456789012345678901234567890, "e": "\\u00e9\\ud83d", "x": 1, "x": 2, '
        f'"winlog": {json.dumps(winlogbeat(MISMATCH)["winlog"])} }}'
    )
    for end in (b"\n", b"\r\n", b""):
        (out,), _ = label(text.encode() + end)
        assert out.startswith(text[:-1].encode() + b',"hvdegraded":{')
        assert out.endswith(b"}" + end)
        assert json.loads(out)[KEY]["event_id"] == 6


def test_names_that_hold_halves_of_surrogate_pairs() -> None:
    mapping = winlogbeat(plain("VMMS", 19100)._replace(data=(("VmName", "a\ud800"),)))
    (out,), _ = label(line_of(mapping))
    assert json.loads(out)[KEY]["vm_name"] == "a\ufffd"


def test_nothing_is_ignorable_where_keys_stand_twice(tmp_path: Path) -> None:
    """The reader of the line may take the other of the two."""
    text = json.dumps(winlogbeat(MISMATCH))
    for twice in (
        text[:-1] + ',"winlog":{"event_id":"5"},' + text[1:],
        text.replace('"level":', '"level":"error","level":'),
    ):
        (out,), _ = label(twice.encode(), guests=inventory(tmp_path), drop_ignorable=True)
        added = json.loads(out)[KEY]
        assert (added["label"], added["reason"]) == ("actionable", "incomplete_evidence")
        assert "twice" in added["anomalies"][0]
        assert hv.annotate(twice, guests=guests("linux"))[KEY]["reason"] == "incomplete_evidence"
    assert label(text.encode(), guests=inventory(tmp_path), drop_ignorable=True)[0] == []


def test_what_was_labelled_before_is_labelled_anew() -> None:
    (once,), _ = label(line_of(winlogbeat(MISMATCH)))
    (again,), _ = label(once)
    assert json.loads(again) == json.loads(once)
    forged = winlogbeat(plain("VMMS", 19100)) | {KEY: {"label": IGNORABLE}}
    (out,), labeller = label(line_of(forged), drop_ignorable=True, drop_assumed=Assumption)
    assert json.loads(out)[KEY]["label"] == "actionable"
    assert labeller.stats.dropped == 0


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([HV, VM, "storvsp"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.text(max_size=4)
        | st.sampled_from(
            ["winlog", "event_id", "provider_name", "Event", "System", "EventID", "Provider", "Name", "_raw", "body", "log",
             "resourceLogs", "scopeLogs", "logRecords", "kvlistValue", "records", "time_ticks", "data", KEY]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(
    st.lists(
        st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b""))
        | json_values.map(lambda value: json.dumps(value).encode())
        | json_values.map(lambda value: json.dumps({"winlog": value, "a": "Hyper-V"}, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        | st.sampled_from([line.rstrip() for line in LINES[:4]])
        | st.sampled_from([b'{"storvsp', b'{"storvsp":NaN}', b"[1e999]", b"\xff\xfe{\0", b'"storvsp"', b"{} storvsp"]),
        max_size=12,
    ),
    st.sampled_from([b"\n", b"\r\n"]),
)  # fmt: skip
def test_any_lines_are_kept_in_count_and_order(lines: list[bytes], end: bytes) -> None:
    lines = [line for line in lines if not line.endswith(b"\r")]
    if lines and lines[0].startswith((b"\xff\xfe", b"\xfe\xff")):
        lines[0] = b" " + lines[0]  # a mark of UTF-16: another stream
    out, _ = label(b"".join(line + end for line in lines))
    data = b"".join(out)
    assert data.count(b"\n") == len(lines)
    for line, written in zip(lines, data.split(b"\n"), strict=False):
        assert written.endswith(end[:-1])
        if written.removesuffix(end[:-1]) != line:
            mapping = json.loads(written.decode(), parse_constant=pytest.fail)
            before = json.loads(line)
            assert {**before, KEY: mapping[KEY]} == mapping


def test_byte_order_mark_and_missing_last_line_end() -> None:
    out, _ = label(b"\xef\xbb\xbf" + LINES[2] + LINES[3].rstrip())
    assert [KEY in json.loads(line) for line in out] == [True, True]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_does_not_slip_through(encoding: str) -> None:
    text = LINES[2].decode() + OTHER.decode() + LINES[3].decode()
    data = text.encode(encoding)
    warnings: list[str] = []
    out, labeller = label(data, warn=warnings.append)
    if encoding == "utf-16":
        assert [KEY in json.loads(line) for line in out] == [True, False, True]
        assert out[1] == OTHER
        assert "UTF-16" in warnings[0]
    else:  # without a mark nothing can be told, so all passes and is counted
        assert b"".join(out) == data
        assert labeller.stats.broken == labeller.stats.lines


def test_over_long_lines_pass_as_they_came() -> None:
    long = b'{"a":"storvsp' + b"x" * 9000 + b'"}\n'
    data = LINES[2] + long + LINES[3] + long[:-1]
    out, labeller = label(data, only_hyper_v=True, longest_line=2000)
    assert out[1] == long
    assert len(out) == 4
    assert out[3] == long[:-1]
    assert labeller.stats.too_long == 2


def test_what_might_be_hyper_v_but_is_not_read_is_counted_and_kept() -> None:
    odd = [
        b'{"a":"Microsoft-Windows-Hyper-V-VMMS"}\n',
        b'{"a":"Hyper-V\n',
        b'["Hyper-V"]\n',
        b'{"a":"Hyper-V","b":NaN}\n',
        b'{"a":"Hyper-V \xff"}\n',
        b"<Event><Provider Name='storvsp'/></Event>\n",
        b'{"winlog":{"provider_name":"storvsp","event_id":5,"provider_name":"Disk"}}\n',
    ]
    out, labeller = label(b"".join(odd) + OTHER, only_hyper_v=True)
    assert out == odd
    stats = labeller.stats
    assert (stats.unread, stats.broken, stats.passed, stats.dropped) == (3, 4, 1, 1)


def test_ignorable_lines_can_be_dropped_but_not_assumed_ones(tmp_path: Path) -> None:
    data = line_of(winlogbeat(MISMATCH)) + OTHER
    assert len(label(data, drop_ignorable=True)[0]) == 2
    assert label(data, drop_ignorable=True, drop_assumed=Assumption)[0] == [OTHER]
    assert label(data, drop_ignorable=True, guests=inventory(tmp_path))[0] == [OTHER]
    assert len(label(data, drop_ignorable=True, guests=inventory(tmp_path, "Windows 10"))[0]) == 2
    assert len(label(data, only_hyper_v=True)[0]) == 1


def test_a_batch_is_as_urgent_as_its_most_urgent_event() -> None:
    """What only informs is not ignorable either, and must not stand for a crash behind it."""
    user = "UserData/VmlEventLog"
    informs = plain("VMMS", 13002)._replace(payload=user, record_id=1, level=4)
    crash = plain("Worker", 18590)._replace(payload=user, record_id=2, level=1)
    bodies = [{"body": {"stringValue": event_xml(one)}} for one in (informs, crash)]
    (out,), labeller = label(line_of({"resourceLogs": [{"scopeLogs": [{"logRecords": bodies}]}]}))
    added = json.loads(out)[KEY]
    assert [one["severity"] for one in added["batch"]] == ["none", "act"]
    assert (added["severity"], added["event_id"]) == ("act", 18590)
    (_,), labeller = label(line_of({"body": {"stringValue": event_xml(informs)}}))
    assert (labeller.stats.actionable, labeller.stats.informing) == (1, 1)


def test_a_batch_is_dropped_only_where_all_of_it_is_ignorable(tmp_path: Path) -> None:
    def batch(*bodies: Any) -> bytes:
        records = [{"body": {"stringValue": body}} for body in bodies]
        return line_of({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]})

    ignorable, other = event_xml(MISMATCH), event_xml(plain("VMMS", 19100)._replace(record_id=1))
    options = {"guests": inventory(tmp_path), "drop_ignorable": True}
    assert label(batch(ignorable, ignorable), **options)[0] == []
    for bodies in ((ignorable, other), (ignorable, "a line of text"), (ignorable, event_xml(MISMATCH)[:200])):
        (out,), _ = label(batch(*bodies), **options)
        assert KEY in json.loads(out)
    (out,), _ = label(batch("text", other, ignorable), **options)
    added = json.loads(out)[KEY]
    assert added["label"] == "actionable"
    assert [(one["position"], one["event_id"], one["label"]) for one in added["batch"]] == [
        (1, 19100, "actionable"),
        (2, 6, IGNORABLE),
    ]
    assert label(batch("storvsp", "b"), only_hyper_v=True, **options)[1].stats.unread == 1


def test_problems_of_the_inventory_are_told(tmp_path: Path) -> None:
    path = tmp_path / "guests.json"
    rows = [{"Name": VM, "Id": ID, "OSName": system} for system in ("Debian GNU/Linux 12", "Windows 10")]
    path.write_text(json.dumps(rows))
    warnings: list[str] = []
    Labeller(guests=path, warn=warnings.append)
    assert ID in warnings[0]
    assert "kind=" not in warnings[0]


@pytest.mark.subprocess
def test_the_command_and_a_closed_pipe(tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, "--stats"], input=b"".join(LINES), capture_output=True, check=True)
    assert done.stdout.count(b"\n") == len(LINES)
    assert f"{len(LINES)} lines".encode() in done.stderr
    source = tmp_path / "line"
    source.write_bytes(LINES[2])
    shell = f'yes "$(cat {source})" | {sys.executable} -m hvdegraded label | head -n 2'
    done = subprocess.run(["bash", "-c", shell], capture_output=True, check=False)
    assert done.stdout.count(b"\n") == 2
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "wrong", [["--format", "nonsense"], ["--drop-assumed", "guest-system"], ["--guests", "none.json"]]
)
def test_a_command_that_cannot_work_ends_with_a_message(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.suppress(SystemExit):
        assert main(["label", *wrong]) == 2
    printed = capsys.readouterr()
    assert (printed.out, "Traceback" in printed.err) == ("", False)
    assert printed.err


def test_what_is_assumed_is_dropped_assumption_by_assumption() -> None:
    """A working mismatch of an unknown guest assumes its system; a refusal with a fallback what follows."""
    data = line_of(winlogbeat(storvsp(6, "6.0", "5.1")))
    assert label(data, drop_ignorable=True)[0]
    assert label(data, drop_ignorable=True, drop_assumed=[Assumption.WHAT_FOLLOWS])[0]
    assert not label(data, drop_ignorable=True, drop_assumed=[Assumption.GUEST_SYSTEM])[0]


def test_a_forced_format() -> None:
    mapping = {
        "ProviderName": "storvsp",
        "EventID": 6,
        "EventRecordID": 1,
        "Level": 3,
        "StringInserts": ["", VM],
    }
    (out,), _ = label(line_of(mapping), dialect="fluent bit")
    assert json.loads(out)[KEY]["event_id"] == 6
    (out,), labeller = label(line_of(mapping), dialect="winlogbeat")
    assert out == line_of(mapping)
    assert labeller.stats.unread == 1
    assert hv.annotate(mapping, guests=guests("linux"), dialect="event xml") == mapping
