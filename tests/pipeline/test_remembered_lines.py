"""Whatever a stream holds, and in whichever route: a line gets the answer that it gets when it is read in full."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.pipeline.labeller import Labeller
from hvdegraded.pipeline.line_shapes import LineShapes
from hvdegraded.records.record import EventRecord
from tests.tools.routes import ROUTES
from tests.tools.verdict_cases import DISPLAY, HV, ID, OTHER_ID, VM, device, positional, record, storvsp

USER = "UserData/VmlEventLog"
EVENTS = [
    storvsp(6, "6.0", "5.1")._replace(payload="EventData"),
    storvsp(5, "6.0", "6.2")._replace(payload="EventData"),
    device(23014, DISPLAY, "3.2")._replace(payload=USER),
    record(HV + "Worker", 12030, 2, positional(VM, ID))._replace(payload=USER),
]
OBJECTS = [name for name, route in ROUTES.items() if isinstance(route.ship(EVENTS[0]), dict)]
NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])")
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
NUMBERS = [
    "0",
    "7",
    "007",
    "300",
    "1e3",
    "-5",
    "4.0",
    "70000",
    "4294967302",
    "18446744073709551616",
    "9" * 30,
]
TIMES = [
    "0001-01-01T00:00:00",
    "2026-13-01T00:00:00",
    "2026-09-01T02:00:60",
    "2026-09-01 02:00:00",
    "1733743883",
]


class Change(NamedTuple):
    """Something that a shipper or an attacker does to a line; `at` chooses where."""

    of: Callable[[str, int], str]
    at: int


def replaced(pattern: re.Pattern[str], text: str, at: int, new: str) -> str:
    """The text with another value in the place of one that the pattern finds."""
    found = list(pattern.finditer(text))
    if not found:
        return text
    one = found[at % len(found)]
    return text[: one.start()] + new + text[one.end() :]


def respelled(text: str, at: int) -> str:
    letters = [place for place, one in enumerate(text) if one.isalpha() and text[place - 1] != "\\"]
    place = letters[at % len(letters)]
    return f"{text[:place]}\\u{ord(text[place]):04x}{text[place + 1 :]}"


CHANGES: list[Callable[[str, int], str]] = [
    *(lambda text, at, new=new: replaced(NUMBER, text, at, new) for new in NUMBERS),
    *(lambda text, at, new=new: replaced(TIME, text, at, new) for new in TIMES),
    lambda text, at: replaced(re.compile(r"\d"), text, at, str(at % 10)),
    lambda text, at: replaced(re.compile(r'(?<=": )"?\d+"?'), text, at, "null"),
    respelled,
    lambda text, at: f'{text[:-1]}, "n": {at}, "n": {at + 1}}}',
    lambda text, at: text.replace("{", '{"level": 2, "Level": "Error", ', 1),
    lambda text, at: json.dumps({"message": text, "n": at}),
    lambda text, at: f"{text} {at}",
    lambda text, at: "\ufeff" + text,
    lambda text, at: text.replace(ID, OTHER_ID),
    lambda text, at: text.replace("Warning", "Error").replace("warning", "error"),
]  # fmt: skip

changes = st.none() | st.builds(Change, st.sampled_from(CHANGES), st.integers(0, 60))
drawn = st.lists(
    st.tuples(st.sampled_from([*EVENTS, EVENTS[0], EVENTS[0]]), st.integers(100, 130), st.integers(0, 12), changes),
    min_size=6,
    max_size=20,
)  # fmt: skip


def line_of(route: str, event: EventRecord, number: int, minutes: int, change: Change | None) -> bytes:
    at = event.time_ticks or 0
    shipped = event._replace(record_id=number, time_ticks=at + minutes * 600_000_000 + number)
    text = json.dumps(ROUTES[route].ship(shipped))
    return (text if change is None else change.of(text, change.at)).encode() + b"\n"


def forgetful(**options: Any) -> Labeller:
    """A labeller that reads each line in full."""
    labeller = Labeller(**options)
    labeller._shapes = LineShapes(lambda _: None, lambda _: None)
    return labeller


def answers_are_equal(route: str, lines: list[tuple[Any, ...]], *, drop: bool) -> None:
    guests = hv.GuestInventory.load([{"Name": VM, "Id": ID, "OSName": "Debian GNU/Linux 12"}])
    options: dict[str, Any] = {"given": guests, "drop_ignorable": drop}
    ours, theirs = Labeller(**options), forgetful(**options)
    for one in lines:
        line = line_of(route, *one)
        assert ours.line(line) == theirs.line(line)
    assert ours.stats == theirs.stats


@given(st.sampled_from(OBJECTS), drawn, st.booleans())
@settings(deadline=None, max_examples=20)
def test_a_line_is_as_one_read_in_full(route: str, lines: list[tuple[Any, ...]], drop: bool) -> None:
    answers_are_equal(route, lines, drop=drop)


@pytest.mark.slow
@pytest.mark.parametrize("route", OBJECTS)
@given(drawn, st.booleans())
@settings(deadline=None, max_examples=60)
def test_a_line_of_any_route_is_as_one_read_in_full(
    route: str, lines: list[tuple[Any, ...]], drop: bool
) -> None:
    answers_are_equal(route, lines, drop=drop)
