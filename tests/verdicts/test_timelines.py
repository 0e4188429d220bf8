"""A timeline knows the same, whether times are taken one by one or many at a time."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.verdicts.timeline import HOUR, MINUTE, Timeline

START = 134_000_000_000_000_000
times = st.one_of(
    st.integers(0, 3 * MINUTE).map(START.__add__),
    st.integers(0, 400).map(lambda minute: START + minute * MINUTE),
    st.sampled_from([-1, 0, (1 << 63) - 1]),
)


@given(st.lists(st.lists(times, max_size=90), max_size=8), st.booleans())
def test_many_times_count_as_each_of_them(runs: list[list[int]], asked: bool) -> None:
    one, other = Timeline(), Timeline()
    for run in runs:
        other.extend(array("q", run))
        if asked:  # which sorts in what waits
            assert list(other) == sorted(other)
        for ticks in run:
            one.add(ticks)
    assert (list(one), one.untimed, one.grain, one.last) == (
        list(other),
        other.untimed,
        other.grain,
        other.last,
    )


def test_very_many_times_are_kept_to_the_hour_either_way() -> None:
    every_minute = [START + at * MINUTE for at in range(5000)]
    one, other = Timeline(), Timeline()
    for ticks in every_minute:
        one.add(ticks)
    for first in range(0, len(every_minute), 100):
        other.extend(array("q", every_minute[first : first + 100]))
    assert list(one) == list(other)
    assert one.grain == other.grain == HOUR
