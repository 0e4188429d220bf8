"""JSON values over lines, most of them torn: what is whole comes, at a cost that grows with the text alone."""

from __future__ import annotations

import tracemalloc

import pytest

from hvdegraded.tabular.json_document import values_of

LONGEST = 16 << 20


@pytest.mark.parametrize("torn", ["{\n", '{"a":1,\n', '{"a":\n', '{"a":[\n', "]\n"])
def test_torn_values_take_no_more_memory_than_their_text(torn: str) -> None:
    pieces = [torn * (8192 // len(torn))] * 14
    tracemalloc.start()
    try:
        values = [found.value for found in values_of(iter([*pieces, '}\n{"whole": 1}\n']), LONGEST)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert {"whole": 1} in values
    assert peak < 4 << 20


@pytest.mark.parametrize("gap", range(4070, 4110, 2))
def test_a_value_behind_a_torn_one_is_found_wherever_the_text_is_cut(gap: int) -> None:
    text = '{"torn": 1,\n{ ' + "x" * gap + '},\n  {"whole": 1}\n{"next": 2}\n' + "x" * (1 << 17)
    found = list(values_of(iter([text]), LONGEST))
    assert [(one.value, one.line) for one in found if one.problem is None] == [
        ({"whole": 1}, 3),
        ({"next": 2}, 4),
    ]
    assert found[0].problem is not None


def test_a_long_value_behind_a_torn_one_is_whole() -> None:
    long = "x" * 300_000
    text = '{"torn": 1,\n{ }\n{"whole": "' + long + '"}\n{"next": 2}'
    pieces = (text[place : place + 1000] for place in range(0, len(text), 1000))
    values = [found.value for found in values_of(pieces, LONGEST) if found.problem is None]
    assert values == [{"whole": long}, {"next": 2}]
