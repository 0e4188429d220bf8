"""Inputs of which something is missing: every event is delivered, or the report says that something is not."""

from __future__ import annotations

import pytest

import hvdegraded as hv
from tests.tools.lossy_inputs import Input, built, forged


@pytest.mark.parametrize("everything", [False, True], ids=["wanted", "everything"])
@pytest.mark.parametrize("given", [*built(), *forged()], ids=str)
def test_what_is_not_delivered_is_told(given: Input, everything: bool) -> None:
    try:
        stream = hv.read(given.data, everything=everything)
        delivered = sum(1 for _ in stream)
    except hv.HvdegradedError:
        return  # refused whole: told loudly
    report = stream.report
    assert report.records_seen == report.delivered + report.filtered + report.lost
    assert report.delivered == delivered
    assert delivered == given.events or not report.complete
