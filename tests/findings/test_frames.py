"""Frames of a triage: exact, typed, and as documented."""

from __future__ import annotations

import sys
from array import array

import pytest

import hvdegraded as hv
from hvdegraded.findings.event_groups import EventGroup
from hvdegraded.findings.frames import SCHEMA, SCHEMA_VERSION
from hvdegraded.findings.triage import Triage
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import plain

pa = pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def sample() -> Triage:
    return hv.triage(FOLDER / "hv2012r2", guests=hv.GuestInventory.load(FOLDER / "guests.json"))


def test_a_row_for_each_event_in_the_published_columns(sample: Triage) -> None:
    table = sample.to_arrow()
    assert table.num_rows == sample.count
    assert table.column_names == [name for name, _ in SCHEMA]
    assert table.schema.metadata[b"hvdegraded.schema_version"] == str(SCHEMA_VERSION).encode()
    for field, (_, kind) in zip(table.schema, SCHEMA, strict=True):
        assert str(field.type).startswith(kind)


def test_ticks_stay_exact_and_times_are_utc(sample: Triage) -> None:
    part = sample.groups[0]
    ticks = array("q", [133_782_174_832_356_205, -1])
    table = Triage((EventGroup.of(part.ruling, part.example, ticks, array("q", [7, -1])),)).to_arrow()
    assert table["time_ticks"].to_pylist() == [133_782_174_832_356_205, None]
    assert table["time_created"].cast(pa.int64())[0].as_py() == 1_733_743_883_235_620  # µs since 1970
    assert table["record_id"].to_pylist() == [7, None]


def test_any_reader_of_arrow_takes_it(sample: Triage) -> None:
    assert pa.table(sample).num_rows == sample.count


def test_pandas(sample: Triage) -> None:
    pytest.importorskip("pandas")
    frame = sample.to_pandas()
    assert str(frame["time_created"].dtype) == "datetime64[us, UTC]"
    assert (frame["label"] == "actionable").sum() == 13


def test_an_empty_triage_has_the_same_columns() -> None:
    assert hv.triage([]).to_arrow().column_names == [name for name, _ in SCHEMA]


def one_part(sample: Triage, ticks: list[int]) -> Triage:
    part = sample.groups[0]
    return Triage(
        (EventGroup.of(part.ruling, part.example, array("q", ticks), array("q", range(len(ticks)))),)
    )


@pytest.mark.slow
def test_a_million_events_keep_their_ticks(sample: Triage) -> None:
    parts, share = sample.groups, 1_000_000 // len(sample.groups) + 1
    start = 134_000_000_000_000_001  # odd, and beyond what a float holds
    many = Triage(
        tuple(
            EventGroup.of(
                part.ruling,
                part.example,
                array("q", range(start + place * share, start + (place + 1) * share)),
                array("q", range(share)),
            )
            for place, part in enumerate(parts)
        )
    )
    table = many.to_arrow()
    assert table.num_rows == many.count >= 1_000_000
    expected = pa.array(range(start, start + many.count), pa.int64())
    assert table["time_ticks"].combine_chunks().equals(expected)
    assert table["vm_name"][-1].as_py() == parts[-1].verdict.vm_name


@pytest.mark.parametrize(
    ("ticks", "time"),
    [
        (0, "1601-01-01 00:00:00.000000"),
        (19, "1601-01-01 00:00:00.000001"),
        (116_444_735_999_999_999, "1969-12-31 23:59:59.999999"),
        (2_650_467_743_999_999_999, "9999-12-31 23:59:59.999999"),
        (2_650_467_744_000_000_000, None),
        ((1 << 63) - 1, None),
    ],
)
def test_time_is_cut_to_microseconds_and_ends_with_the_year_9999(
    sample: Triage, ticks: int, time: str | None
) -> None:
    table = one_part(sample, [ticks]).to_arrow()
    (shown,) = table["time_created"].to_pylist()
    assert (shown and f"{shown:%Y-%m-%d %H:%M:%S.%f}") == time
    assert table["time_ticks"].to_pylist() == [ticks]


def test_each_row_has_the_level_channel_and_numbers_of_its_event() -> None:
    event = plain("VMMS", 19100, 3)
    events = [
        event._replace(channel="one", record_id=1),
        event._replace(channel="two", record_id=2, level=1),
        event._replace(channel="one", record_id=1 << 63, time_ticks=1 << 63),  # more than a column holds
    ]
    table = hv.triage(events).to_arrow().select(["record_id", "channel", "level"])
    assert sorted(table.to_pylist(), key=str) == [
        {"record_id": 1, "channel": "one", "level": 3},
        {"record_id": 2, "channel": "two", "level": 1},
        {"record_id": None, "channel": "one", "level": 3},
    ]


def test_polars(sample: Triage) -> None:
    polars = pytest.importorskip("polars")
    for frame in (sample.to_polars(), polars.DataFrame(sample)):
        assert frame.schema["time_created"] == polars.Datetime("us", "UTC")
        assert frame.filter(polars.col("label") == "actionable").height == 13
        assert frame["time_ticks"].to_list() == sample.to_arrow()["time_ticks"].to_pylist()


def test_duckdb_reads_it_by_its_name(sample: Triage) -> None:
    duckdb = pytest.importorskip("duckdb")
    triage = sample  # the name that the query means
    question = "select vm_name, count(*) from triage where label = 'actionable' group by all order by all"
    assert triage is sample
    assert ("app08", 4) in duckdb.sql(question).fetchall()


@pytest.mark.filterwarnings("ignore")
def test_a_timeline_of_msticpy(sample: Triage) -> None:
    """msticpy pins pandas below 3, so it is no part of the test extra; the test runs where it is installed."""
    pytest.importorskip("msticpy")
    from msticpy.vis import mp_pandas_plot  # type: ignore[import-not-found]  # noqa: F401

    figure = sample.to_pandas().mp_plot.timeline(
        time_column="time_created", source_columns=["vm_name", "summary"], group_by="label", hide=True
    )
    assert type(figure).__module__.startswith("bokeh")


@pytest.mark.parametrize(
    ("method", "package", "extra"),
    [("to_arrow", "pyarrow", "arrow"), ("to_pandas", "pandas", "pandas"), ("to_polars", "polars", "polars")],
)
def test_what_is_missing_is_named(
    sample: Triage, monkeypatch: pytest.MonkeyPatch, method: str, package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(hv.HvdegradedError, match=rf"hvdegraded\[{extra}\]") as caught:
        getattr(sample, method)()
    assert isinstance(caught.value, ImportError)
