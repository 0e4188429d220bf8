"""Frames of a triage: exact, typed, and as documented."""

from __future__ import annotations

from array import array

import pytest

import hvdegraded as hv
from hvdegraded.frames import SCHEMA, SCHEMA_VERSION
from hvdegraded.triage import Occurrences, Triage
from tests.make_sample_logs import FOLDER

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
    part = sample.occurrences[0]
    ticks = array("q", [133_782_174_832_356_205, -1])
    table = Triage((Occurrences(part.verdict, part.example, ticks, array("q", [7, -1])),)).to_arrow()
    assert table["time_ticks"].to_pylist() == [133_782_174_832_356_205, None]
    assert table["time"].cast(pa.int64())[0].as_py() == 1_733_743_883_235_620  # µs since 1970
    assert table["record_id"].to_pylist() == [7, None]


def test_any_reader_of_arrow_takes_it(sample: Triage) -> None:
    assert pa.table(sample).num_rows == sample.count


def test_pandas(sample: Triage) -> None:
    pytest.importorskip("pandas")
    frame = sample.to_pandas()
    assert str(frame["time"].dtype) == "datetime64[us, UTC]"
    assert (frame["label"] == "actionable").sum() == 13


def test_an_empty_triage_has_the_same_columns() -> None:
    assert hv.triage([]).to_arrow().column_names == [name for name, _ in SCHEMA]


def test_a_missing_package_is_named(sample: Triage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(hv.HvdegradedError, match=r"hvdegraded\[polars\]"):
        sample.to_polars()
