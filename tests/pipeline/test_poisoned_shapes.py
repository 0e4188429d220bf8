"""A line whose values cannot be read teaches nothing about lines that look like it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.pipeline.annotation import KEY
from hvdegraded.pipeline.labeller import Labeller
from tests.tools.routes import ROUTES
from tests.tools.verdict_cases import ID, VM, storvsp

WORKING = storvsp(6, "6.0", "5.1")._replace(payload="EventData")
OBJECTS = [name for name, route in ROUTES.items() if isinstance(route.ship(WORKING), dict)]
LEVEL = re.compile(r'(?i)("(?:\w*\.)*(?:event)?level(?:_?value)?": "?|<Level>)3(?=\W)')
TIME = re.compile(r"20\d\d-\d\d-\d\d[T ][\d:]+(?=[.Z+\"\'<])(?:[.Z+\d]*)")
DATE = re.compile(r"20\d\d-(\d\d-\d\d)")


def line(route: str, number: int) -> str:
    return json.dumps(ROUTES[route].ship(WORKING._replace(record_id=number)))


def linux(taken: datetime | None = None) -> hv.GuestInventory:
    guests = hv.GuestInventory.load([{"Name": VM, "Id": ID, "OSName": "Debian GNU/Linux 12"}])
    return hv.GuestInventory([guest.model_copy(update={"taken": taken or guest.taken}) for guest in guests])


def answer(labeller: Labeller, text: str) -> Any:
    written = labeller.line(text.encode() + b"\n")
    return None if written is None else json.loads(written).get(KEY)


def last_of(lines: list[str], **options: Any) -> Any:
    labeller = Labeller(**options)
    return [answer(labeller, one) for one in lines][-1]


@pytest.mark.parametrize(
    ("part", "never"), [(r"20\d\d-", "0001-"), (r"-\d\d-", "-13-"), (r":\d\d(?=[.Z+])", ":60")]
)
@pytest.mark.parametrize("route", OBJECTS)
def test_a_time_that_cannot_be_read(route: str, part: str, never: str) -> None:
    good = [line(route, number) for number in (15, 16, 17)]
    bad = TIME.sub(lambda time: re.sub(part, never, time[0]), good[1])
    options = {"given": linux(datetime(2024, 1, 1, tzinfo=UTC)), "drop_ignorable": True}
    assert last_of([good[0], bad, bad, good[2]], **options) == last_of([good[2]], **options)


@pytest.mark.parametrize("route", OBJECTS)
def test_a_level_that_cannot_be_read(route: str) -> None:
    good = line(route, 15)
    worse = LEVEL.sub(r"\g<1>2", good)
    for drops in (False, True):
        options = {"given": linux(), "drop_ignorable": drops}
        expected = last_of([worse], **options)
        for level in ("300", "301", "4294967299", "9"):
            unread = LEVEL.sub(rf"\g<1>{level}", good)
            assert last_of([good, unread, unread, worse], **options) == expected


@pytest.mark.parametrize("route", OBJECTS)
def test_a_record_id_that_cannot_be_read(route: str) -> None:
    great = [line(route, number) for number in (30000000000000000000, 30000000000000000001)]
    read = [line(route, 10000000000000000000), line(route, 10000000000000000007)]
    other = read[1].replace("10000000000000000007", "10000000000000000009", 1)
    options = {"given": linux()}
    assert last_of([*great, read[0], other], **options) == last_of([other], **options)


@pytest.mark.parametrize("route", ["evtxecmd", "azure monitor"])
def test_a_time_without_a_zone_in_winter_and_in_summer(route: str) -> None:
    winter = [line(route, number).replace('Z"', '"').replace("+00:00", "") for number in (15, 16, 17)]
    summer = DATE.sub("2024-07-09", winter[2])
    options = {"timezone": "Europe/London"}
    assert (
        last_of([*winter, summer], **options)["time_created"] == last_of([summer], **options)["time_created"]
    )
