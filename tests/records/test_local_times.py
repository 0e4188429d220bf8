"""Times without a zone: placed in the zone that is given, told where clocks were changed, never guessed silently."""

from __future__ import annotations

import io
import json
import pickle
import tomllib
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.errors import HvdegradedError
from hvdegraded.pipeline.labeller import Labeller
from hvdegraded.records.local_times import in_zone, zone_of
from hvdegraded.records.options import ReadOptions
from hvdegraded.records.record import Caveat, Origin
from hvdegraded.timestamps import ticks_from_datetime

WORKER = "Microsoft-Windows-Hyper-V-Worker"


def shipped(*times: str) -> bytes:
    """Lines as NXLog ships them, whose times name no zone."""
    lines = [
        {
            "EventTime": time, "Hostname": "HV1", "SourceName": WORKER, "EventID": 12030, "EventType": "ERROR",
            "SourceModuleType": "im_msvistalog", "Message": "'web02' failed to start.",
        }
        for time in times
    ]  # fmt: skip
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def read(zone: object, *times: str) -> list[hv.EventRecord]:
    return list(hv.read_records(shipped(*times), timezone=zone))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("zone", "summer", "winter"),
    [
        ("Europe/Berlin", 18, 19),
        ("W. Europe Standard Time", 18, 19),
        ("w. europe standard time", 18, 19),
        (ZoneInfo("America/New_York"), 24, 25),
        (timezone(timedelta(hours=2)), 18, 18),
        ("UTC", 20, 20),
        (None, 20, 20),
    ],
)
def test_a_time_without_a_zone_is_of_the_zone_that_is_given(zone: object, summer: int, winter: int) -> None:
    one, other = read(zone, "2026-07-01 20:29:25.1234567", "2026-12-01 20:29:25")
    assert one.time_created == datetime(2026, 7, 1, tzinfo=UTC) + timedelta(
        hours=summer, minutes=29, seconds=25, microseconds=123456
    )
    assert other.time_created == datetime(2026, 12, 1, tzinfo=UTC) + timedelta(
        hours=winter, minutes=29, seconds=25
    )
    assert one.time_ticks is not None
    assert one.time_ticks % 10 == 7
    caveat = Caveat.NO_ZONE if zone is None else Caveat.GIVEN_ZONE
    assert one.origin.caveats[0] == other.origin.caveats[0] == caveat


def test_a_time_that_names_its_zone_stays() -> None:
    (record,) = read("Asia/Tokyo", "2026-07-01T20:29:25+02:00")
    assert record.time_created == datetime(2026, 7, 1, 18, 29, 25, tzinfo=UTC)


def test_a_time_of_event_xml_is_utc_whatever_zone_is_given() -> None:
    xml = (
        f"<Event><System><Provider Name='{WORKER}'/><EventID>12030</EventID>"
        "<TimeCreated SystemTime='2026-07-01T20:29:25.0000000Z'/></System></Event>"
    )
    (record,) = hv.read_records(xml, timezone="Asia/Tokyo")
    assert record.time_created == datetime(2026, 7, 1, 20, 29, 25, tzinfo=UTC)


def test_hours_that_clocks_repeat_or_skip_are_told() -> None:
    stream = hv.read_records(shipped("2026-10-25 02:30:00", "2026-03-29 02:30:00"), timezone="Europe/Berlin")
    repeated, skipped = stream
    assert repeated.time_created == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert Caveat.REPEATED_TIME in repeated.origin.caveats
    assert Caveat.SKIPPED_TIME in skipped.origin.caveats
    assert len(stream.report.notes) == 2


def test_an_unsure_hour_cannot_be_compared_with_sure_ones() -> None:
    """A failure in an hour that occurs twice may be within the ten minutes after a refusal, or not."""
    from hvdegraded.verdicts.history import History

    history = History()
    for record in read("Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25 12:30:00"):
        history.observe(hv.normalise(record), None)
    assert history.mixes_zones


@pytest.mark.parametrize("zone", ["Mars/Base", "", "Europe", "../etc/passwd", "/etc/localtime", 7])
def test_an_unknown_zone_is_refused_at_the_call(zone: object) -> None:
    for call in (
        lambda: hv.read(b"x", timezone=zone),  # type: ignore[arg-type]
        lambda: hv.triage(b"x", timezone=zone),  # type: ignore[arg-type]
        lambda: Labeller(timezone=zone),  # type: ignore[arg-type]
    ):
        with pytest.raises(HvdegradedError, match=r"time ?zone") as caught:
            call()
        assert caught.value.hint is not None
        assert "Europe/Berlin" in caught.value.hint


def test_every_zone_of_windows_has_its_iana_zone() -> None:
    raw = tomllib.loads((files("hvdegraded.records") / "windows_zones.toml").read_text(encoding="utf-8"))
    assert len(raw["zones"]) > 130
    for name in raw["zones"]:
        assert zone_of(name) is not None


def test_options_with_a_zone_go_to_other_processes() -> None:
    options = ReadOptions.of(timezone="Europe/Berlin")
    assert pickle.loads(pickle.dumps(options)) == options


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(["Europe/Berlin", "Asia/Kolkata"]),
)
def test_a_sure_time_is_that_of_the_clock_on_the_wall(shown: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    ticks = ticks_from_datetime(shown.replace(tzinfo=UTC))
    record = hv.EventRecord(time_ticks=ticks, origin=Origin(caveats=(Caveat.NO_ZONE,)))
    moved = in_zone(record, zone)
    assert moved.time_created is not None
    if Caveat.SKIPPED_TIME not in moved.origin.caveats:
        assert moved.time_created.astimezone(zone).replace(tzinfo=None) == shown


def test_annotate_and_label_take_the_zone_and_remember_no_wrong_time() -> None:
    times = [f"2026-10-25 {hour:02}:{minute:02}:01" for hour in range(5) for minute in range(0, 60, 5)]
    lines = shipped(*times)
    remembering = Labeller(timezone="Europe/Berlin")
    out = io.BytesIO()
    remembering.run(io.BytesIO(lines), out)
    for line, time in zip(out.getvalue().splitlines(), times, strict=True):
        labelled = json.loads(line)["hvdegraded"]
        alone = hv.annotate(json.loads(shipped(time)), timezone="Europe/Berlin")["hvdegraded"]
        assert labelled["time_ticks"] == alone["time_ticks"]
        (record,) = read("Europe/Berlin", time)
        assert labelled["time_ticks"] == record.time_ticks
        assert set(record.origin.caveats) <= set(labelled["caveats"])
