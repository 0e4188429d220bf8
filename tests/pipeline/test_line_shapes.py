"""Lines remembered by their shape get the answer that they get when they are read in full."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hvdegraded.pipeline.annotation import KEY
from hvdegraded.pipeline.labeller import Labeller
from hvdegraded.pipeline.line_shapes import LineShapes, Signature
from hvdegraded.records.record import EventRecord
from tests.tools.routes import ROUTES
from tests.tools.verdict_cases import (
    DISPLAY,
    HV,
    ID,
    OTHER_ID,
    VM,
    device,
    integration,
    plain,
    positional,
    record,
    storvsp,
)

USER = "UserData/VmlEventLog"
EVENTS = [
    storvsp(6, "6.0", "5.1")._replace(payload="EventData"),
    storvsp(5, "6.0", "6.2")._replace(payload="EventData"),
    device(23014, "3.3", "3.2")._replace(payload=USER),
    integration("-TimeSync")._replace(payload=USER),
    integration("-RDV")._replace(payload=USER),
    record(HV + "Worker", 12030, 2, positional(VM, ID))._replace(payload=USER),
    plain("VMMS", 19100)._replace(payload=USER),
    record("disk", 7, 2, ((None, "Hyper-V"),))._replace(payload="EventData"),
]
SHIPPERS = [
    "winlogbeat",
    "elastic agent",
    "fluent bit map",
    "fluentd",
    "vector with xml",
    "nxlog",
    "evtx_dump",
    "velociraptor",
]


def shipped(route: str, event: EventRecord) -> dict[str, Any]:
    value = ROUTES[route].ship(event)
    assert isinstance(value, dict)
    return value


varied = st.builds(
    lambda event, minutes, number, version, vm: event._replace(
        time_ticks=event.time_ticks + minutes * 600_000_000 + number,
        record_id=number + 1,
        process_id=number % 7,
        data=tuple((name, {"6.0": version, VM: vm}.get(text, text)) for name, text in event.data),
    ),
    st.sampled_from(EVENTS),
    st.integers(0, 30),
    st.integers(0, 3000),
    st.sampled_from(["6.0", "6.0", "6.0", "5.1"]),
    st.sampled_from([VM, VM, VM, "db02"]),
)


@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("route", SHIPPERS)
@given(st.lists(varied, min_size=4, max_size=24), st.booleans())
@settings(max_examples=settings.default.max_examples // 3)  # of each route
def test_a_remembered_line_is_as_one_read_in_full(
    tmp_path_factory: pytest.TempPathFactory, route: str, drop: bool, events: list[EventRecord], extra: bool
) -> None:
    """White space in front of a line makes it one of a new shape."""
    path = tmp_path_factory.getbasetemp() / "guests.json"
    path.write_text(json.dumps([{"Name": VM, "Id": ID, "OSName": "Debian GNU/Linux 12"}]))
    options: dict[str, Any] = {"guests": path, "drop_ignorable": drop}
    remembering, forgetful = Labeller(**options), Labeller(**options)
    for number, event in enumerate(events):
        value = shipped(route, event) | (
            {"offset": number + 1, "created": f"2026-11-26T10:00:0{number % 10}Z"} if extra else {}
        )
        line = json.dumps(value).encode() + b"\n"
        ours, theirs = remembering.line(line), forgetful.line(b" " * (number + 1) + line)
        assert (ours is None) == (theirs is None)
        assert ours is None or theirs is not None
        assert ours is None or ours == theirs.lstrip(b" ")
    assert remembering.stats == forgetful.stats


@pytest.mark.parametrize(
    "route", ["winlogbeat", "fluent bit map", "vector with xml", "evtx_dump", "nxlog", "splunk", "docker"]
)
def test_lines_that_repeat_are_remembered(route: str) -> None:
    labeller = Labeller()
    for number in range(1, 50):
        event = EVENTS[0]._replace(
            time_ticks=133_782_174_832_356_205 + number * 10_000_000, record_id=number + 100
        )
        line = json.dumps(shipped(route, event)).encode()
        known = labeller._shapes.recall(line)
        labeller.line(line)
    assert known is not None


def test_the_time_of_a_remembered_line_is_its_own() -> None:
    labeller = Labeller()
    for number in range(20):
        event = EVENTS[0]._replace(time_ticks=133_782_174_832_356_205 + number, record_id=number + 100)
        line = labeller.line(json.dumps(shipped("winlogbeat", event)).encode())
        assert line is not None
        assert json.loads(line)[KEY]["time_ticks"] == event.time_ticks


@pytest.mark.parametrize("twice", ['"offset": 5, "offset": 6', '"winlog": {"event_id": "6"}, "n": 1'])
def test_repeated_keys_are_noticed_on_remembered_lines(twice: str) -> None:
    labeller = Labeller()
    plain_line = json.dumps(shipped("winlogbeat", EVENTS[0]))
    for _ in range(6):
        assert b'"anomalies":[]' in (labeller.line(plain_line.encode()) or b"")
        assert b"twice" in (labeller.line(f"{plain_line[:-1]}, {twice}}}".encode()) or b"")


@pytest.mark.parametrize("route", ["vector with xml", "nxlog with xml", "winlogbeat with original"])
def test_ids_that_differ_are_noticed_on_remembered_lines(route: str) -> None:
    """The event's XML in a record is of the same event only if the record ids agree."""
    labeller = Labeller()
    for number in range(200, 240):
        line = json.dumps(shipped(route, EVENTS[0]._replace(record_id=number))).encode()
        differs = line.replace(b": %d," % number, b": %d," % (number + 1000)).replace(
            b": %d}" % number, b": 999}"
        )
        assert differs != line
        assert b'"anomalies":[]' in (labeller.line(line) or b"")
        assert b"another event" in (labeller.line(differs) or b"")
    assert labeller._shapes.recall(line) is not None


def test_a_number_that_decides_is_part_of_the_key() -> None:
    """Here the number decides from five on; changed digits alone show that it decides at all."""

    def read(line: bytes) -> Signature:
        value = json.loads(line)
        return Signature(value["a"], value["t"])

    shapes: LineShapes[int] = LineShapes(read, lambda text: int(text[1:]))
    for a in range(1, 9):
        for t in range(1, 9):
            line = b'{"a": %d, "b": %d, "t": %d}' % (a, t * 3, t * 5)
            found = shapes.recall(line)
            assert found is None or found == (a, t * 5)
            shapes.remember(line, a)
    assert shapes.recall(b'{"a": 3, "b": 1, "t": 77}') == (3, 77)
    assert shapes.recall(b'{"a": 3, "b": 1, "t": "77"}') is None


def test_streams_without_repetition_are_not_tried_without_end() -> None:
    tries = 0

    def read(line: bytes) -> Signature:
        nonlocal tries
        tries += 1
        return Signature(line, None)

    shapes: LineShapes[int] = LineShapes(read, lambda _: None)
    lines = [b'{"%d": 1, "b": 2, "c": 3}' % number for number in range(20_000)]
    for line in (*lines, *lines):
        if shapes.recall(line) is None:
            shapes.remember(line, 1)
    assert tries < 40_000


def test_a_long_line_is_not_remembered(tmp_path: Path) -> None:
    labeller = Labeller()
    line = json.dumps(
        shipped("winlogbeat", EVENTS[0]) | {"x": "y" * 9000, "other": OTHER_ID, "d": DISPLAY}
    ).encode()
    assert labeller.line(line) == labeller.line(line) == labeller.line(line)
