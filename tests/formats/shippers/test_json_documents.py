"""JSON over several lines: arrays of any size, pretty-printed, cut, or with one bad element."""

from __future__ import annotations

import json

import pytest

import hvdegraded as hv
from hvdegraded.records.record import EventRecord
from hvdegraded.records.report import ReadReport
from tests.tools.shipped_lines import lines


def one(number: int, **more: object) -> dict[str, object]:
    return {"winlog": {"provider_name": "storvsp", "event_id": str(number), "record_id": str(number)}, **more}


def read(text: str, encoding: str = "utf-8") -> tuple[list[EventRecord], ReadReport]:
    stream = hv.read_records(text.encode(encoding))
    records = list(stream)
    assert stream.report.delivered == len(records)
    return records, stream.report


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("indent", [None, 0, 4])
def test_an_array_larger_than_what_one_value_may_be(indent: int | None, encoding: str) -> None:
    text = json.dumps([one(number, message="x" * 300) for number in range(1000)], indent=indent)
    assert len(text) > 300_000
    if encoding == "utf-16" and indent is None:
        pytest.skip("a line of UTF-16 comes in pieces")
    records, report = lines(text.encode(encoding), longest=100_000)
    assert [record.event_id for record in records] == list(range(1000))
    assert report.lost == 0


def test_lines_are_counted_through_the_document() -> None:
    text = json.dumps([one(1), one(2), one(3)], indent=1)
    records, _ = read(text)
    begins = [place for place, line in enumerate(text.splitlines(), 1) if line == " {"]
    assert [record.origin.line for record in records] == begins


@pytest.mark.parametrize("bad", ['{"winlog": nothing}', '{"a" 1}', "}", '{"a": [1, }'])
def test_a_bad_element_costs_only_itself(bad: str) -> None:
    elements = [json.dumps(one(number), indent=1) for number in range(50)]
    elements[20] = bad
    records, report = read("[\n" + ",\n".join(elements) + "\n]\n")
    assert [record.event_id for record in records] == [number for number in range(50) if number != 20]
    assert report.lost == 1


def test_a_cut_document_gives_what_is_there() -> None:
    text = json.dumps([one(number) for number in range(100)], indent=2)
    records, report = read(text[: len(text) // 2])
    assert [record.event_id for record in records] == list(range(len(records)))
    assert len(records) in (49, 50)
    assert report.lost == 1


def test_a_line_that_would_take_too_much_memory_is_told() -> None:
    good = json.dumps(one(1))
    records, report = read(f"{good}\n[{'[],' * 1_100_000}0]\n{good}\n")
    assert len(records) == 2
    assert "too many parts" in report.losses[0].detail
