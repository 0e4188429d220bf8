"""Dates of the usual cultures: read where they are one date, resolved by others of the input, or told."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

import hvdegraded as hv
from hvdegraded.formats.shippers.dates import DateOrder, iso_of
from hvdegraded.records.record import Caveat

MOMENT = "2017-04-22T20:29:25"


@pytest.mark.parametrize(
    "text",
    [
        "4/22/2017 8:29:25 PM",  # en-US
        "4/22/2017 8:29:25\u202fPM",  # en-US, ICU of 2023 and later
        "22/04/2017 20:29:25",  # en-GB, fr-FR, it-IT, es-ES, pt-BR
        "22.04.2017 20:29:25",  # de-DE, pl-PL, ru-RU, tr-TR
        "22. 4. 2017 20:29:25",  # cs-CZ
        "22.4.2017 20.29.25",  # fi-FI
        "2017. 04. 22. 20:29:25",  # hu-HU
        "22-4-2017 20:29:25",  # nl-NL
        "22.4.2017 г. 20:29:25",  # bg-BG
        "22/4/2017 8:29:25 μμ",  # el-GR
        "22/04/2017 08:29:25 p. m.",  # es-MX
        "2017/04/22 20:29:25",  # ja-JP
        "2017-04-22 오후 8:29:25",  # ko-KR
        "2017/4/22 下午 08:29:25",  # zh-TW
        "2017年4月22日 20:29:25",
        "Saturday, April 22, 2017 8:29:25 PM",
        "Samstag, 22. April 2017 20:29:25",
        "samedi 22 avril 2017 20:29:25",
        "sábado, 22 de abril de 2017 20:29:25",
        "Apr 22, 2017 @ 20:29:25",  # Kibana
        "Sat Apr 22 20:29:25 2017",  # Snare
        "Apr 22 2017 20:29:25",  # CEF
        "22-Apr-2017 20:29:25",
    ],
)
def test_a_date_of_a_usual_culture_is_read(text: str) -> None:
    assert iso_of(text, DateOrder.UNKNOWN) == MOMENT


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("22/Apr/2017:20:29:25 +0200", f"{MOMENT}+0200"),
        ("Sat, 22 Apr 2017 20:29:25 +0200", f"{MOMENT}+0200"),
        ("Sat Apr 22 20:29:25 UTC 2017", f"{MOMENT}Z"),
        ("4/22/2017 8:29:25 PM +02:00", f"{MOMENT}+02:00"),
        ("4/22/2017, 8:29:25.123 PM", f"{MOMENT}.123"),
    ],
)
def test_zone_and_fraction_of_a_date_are_kept(text: str, iso: str) -> None:
    assert iso_of(text, DateOrder.UNKNOWN) == iso


@pytest.mark.parametrize(
    "text",
    [
        "04/05/2026 10:00:00",
        "4-5-2026 10:00",
        "31/31/2026 10:00",
        "4/22/2017 13:29:25 PM",
        "22/Foo/2017:20:29:25",
        "4/22/2017",
    ],
)
def test_what_is_not_one_date_is_not_read(text: str) -> None:
    assert iso_of(text, DateOrder.UNKNOWN) is None


def lines(*times: str) -> bytes:
    events = [
        {"TimeCreated": time, "Id": 12030, "ProviderName": "Microsoft-Windows-Hyper-V-Worker", "Message": "x"}
        for time in times
    ]
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


class OneWay(io.BytesIO):
    """Bytes that come through a pipe."""

    def seekable(self) -> bool:
        return False


def read(data: bytes) -> list[hv.EventRecord]:
    return list(hv.read_records(data))


def test_a_date_that_could_be_two_is_resolved_by_the_others_of_the_input() -> None:
    first, _ = read(lines("04/05/2026 10:00:00", "24/05/2026 10:00:00"))
    assert first.time_created == datetime(2026, 5, 4, 10, tzinfo=UTC)
    first, _ = read(lines("04/05/2026 10:00:00", "04/25/2026 10:00:00"))
    assert first.time_created == datetime(2026, 4, 5, 10, tzinfo=UTC)
    wide = lines("04/05/2026 10:00:00", "04/25/2026 10:00:00").decode().encode("utf-16")
    assert read(wide)[0].time_created == datetime(2026, 4, 5, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "times", [["04/05/2026 10:00:00"], ["04/05/2026 10:00:00", "13/05/2026 10:00", "05/13/2026 10:00"]]
)
def test_a_date_that_could_be_two_is_told_where_nothing_resolves_it(times: list[str]) -> None:
    stream = hv.read_records(lines(*times))
    first = next(iter(stream))
    assert first.time_ticks is None
    assert Caveat.AMBIGUOUS_DATE in first.origin.caveats


def test_a_stream_that_cannot_be_read_twice_resolves_nothing_and_loses_nothing() -> None:
    long = lines("04/05/2026 10:00:00", "24/05/2026 10:00:00") + b" " * 9000 + b"\n"
    first, second = hv.read_records(OneWay(long))
    assert first.time_ticks is None
    assert second.time_created == datetime(2026, 5, 24, 10, tzinfo=UTC)


def test_a_date_among_the_values_of_an_event_stays_as_it_is() -> None:
    event = json.loads(lines("22.04.2017 20:29:25")) | {"EventData": {"Date": "22.04.2017 20:29:25"}}
    (record,) = read(json.dumps(event).encode())
    assert record.data == (("Date", "22.04.2017 20:29:25"),)
    assert record.time_created == datetime(2017, 4, 22, 20, 29, 25, tzinfo=UTC)


def test_a_place_in_the_middle_of_a_stream_stays() -> None:
    stream = io.BytesIO(lines("04/05/2026 10:00:00", "24/05/2026 10:00:00", "04/06/2026 11:00:00"))
    assert [record.time_created.day for record in hv.read_records(stream) if record.time_created] == [
        4,
        24,
        4,
    ]
