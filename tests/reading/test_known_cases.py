"""Inputs that once failed, with what `INDEX.tsv` beside them says is right."""

from __future__ import annotations

from pathlib import Path

import pytest

import hvdegraded as hv
from tests.tools.corpus import CASES

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")


def test_console_states_as_a_table_and_as_json() -> None:
    for name, services in (("getvm_ft.txt", 4), ("getvmis.json", 1)):
        states = list(hv.classify_statuses(CASES / "formats" / name))
        assert len(states) == services, name


def test_xml_that_is_cut_in_its_message() -> None:
    stream = hv.read(CASES / "shippers" / "xml_cut_in_message.xml")
    (event,) = stream
    assert event.host == "hv1.example.org"
    assert event.record.origin.caveats
    assert stream.report.lost == 0


@pytest.mark.parametrize(
    ("name", "there", "lost"),
    [("A_hidden", 30, 0), ("B_free", 30, 0), ("C4", 2000, 0), ("C_fixed", 1841, 159), ("D_stale", 30, 0)],
)
def test_records_that_sizes_headers_and_numbers_hide(name: str, there: int, lost: int) -> None:
    stream = hv.read_records(CASES / "robustness" / f"{name}.evtx")
    assert len(list(stream)) == there
    assert stream.report.lost == lost
    assert not stream.report.complete


def test_one_flipped_bit_in_the_identifier_of_a_template() -> None:
    records = list(hv.read_records(CASES / "robustness" / "onebit.evtx"))
    assert len(records) == 3
    assert all(record.origin.anomalies for record in records)


@pytest.mark.parametrize(
    ("name", "there", "marked"),
    [
        ("free_space_too_big_crc_right", 3, 0),
        ("provider_name_in_template", 3, 0),
        ("provider_name_in_value", 3, 0),
        ("substitution_missing", 2, 2),
    ],
)
def test_records_of_odd_chunks_and_templates(name: str, there: int, marked: int) -> None:
    path: Path = CASES / "evtx" / f"{name}.evtx"
    records = list(hv.read_records(path))
    assert len(records) == there
    assert sum(bool(record.origin.anomalies) for record in records) == marked
    assert sum(bool(event) for event in hv.read(path)) == there
