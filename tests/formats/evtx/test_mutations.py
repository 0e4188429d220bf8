"""Damaged logs: nothing invented, nothing intact lost; HVDEGRADED_MUTATIONS sets how many."""

from __future__ import annotations

import os

import pytest

from tests.tools.mutations import bases, judge, mutations


@pytest.mark.slow
def test_intact_records_survive_the_damage_around_them() -> None:
    total = delivered = wrong = hidden = 0
    for mutation in mutations(int(os.environ.get("HVDEGRADED_MUTATIONS", "240")), 7, bases(3)):
        outcome = judge(mutation)
        total += len(mutation.intact)
        delivered += outcome.delivered
        wrong += outcome.wrong
        hidden += outcome.hidden
    assert (wrong, hidden) == (0, 0)
    assert delivered / total >= 0.995
