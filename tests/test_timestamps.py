"""Windows time: exact both ways."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.timestamps import text_from_ticks, ticks_from_text


@given(st.integers(0, (1 << 64) - 1))
def test_a_filetime_as_text_is_read_as_the_same_filetime(ticks: int) -> None:
    assert ticks_from_text(text_from_ticks(ticks)) == ticks
