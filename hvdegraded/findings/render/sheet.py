"""The result document → CSV for spreadsheets: a row for each finding."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from hvdegraded.findings.document import Document
from hvdegraded.findings.render.words import event_of, level_name
from hvdegraded.printable import harmless_cell, printable

__all__ = ["COLUMNS", "csv_lines"]

COLUMNS = (
    "number",
    "id",
    "section",
    "level",
    "host",
    "vm_name",
    "vm_id",
    "problem",
    "what_happened",
    "remedy",
    "count",
    "first",
    "last",
)
"""The columns in order."""


def csv_lines(document: Document) -> Iterator[str]:
    """The heading and a line for each finding, without line ends.

    A text that a spreadsheet would take for a formula gets an apostrophe: names come from logs.
    """
    yield _line(list(COLUMNS))
    for finding in document.findings:
        happened = "; ".join(f"{group.detail} [{event_of(group)}]".strip() for group in finding.groups)
        values = (
            finding.number,
            finding.id,
            finding.section,
            level_name(finding.level),
            finding.host,
            finding.vm_name,
            finding.vm_id,
            finding.problem,
            happened,
            finding.remedy,
            finding.count,
            finding.first,
            finding.last,
        )
        yield _line([_cell(value) for value in values])


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    return harmless_cell(printable(str(value)))


def _line(cells: list[str]) -> str:
    target = io.StringIO()
    csv.writer(target, lineterminator="").writerow(cells)
    return target.getvalue()
