"""Issue 15.8: what tells of hidden and missing records tells nothing of real logs that are not damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.records.items import NoteKind
from tests.tools.corpus import CLEAN_LOGS, needs_corpus

WIPED, HIDES = "2-vss_7-System", "post-Security"
"""Damaged too: chunks of zeros, and a record that a tool hid."""
MARKED = {"issue_43": 1, "E_Windows_system32_winevt_logs_Microsoft-Windows-Shell-Core%4Operational": 2}
"""Records with an anomaly: half of a surrogate pair, and values with two templates."""
LOGS = [path for path in CLEAN_LOGS if path.stem not in (WIPED, HIDES)]


@needs_corpus
@pytest.mark.slow
@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_undamaged_log_gives_no_alarm(path: Path) -> None:
    stream = hv.read_records(path)
    assert sum(1 for _ in stream)
    report = stream.report
    assert {note.kind for note in report.notes} <= {NoteKind.DIRTY, NoteKind.CLEARED}
    assert (report.lost, report.chunks_damaged) == (0, 0)
    assert report.with_anomalies == MARKED.get(path.stem, 0)
