"""The result document → CSV for spreadsheets: a row for each finding."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from hvdegraded.findings.document import Document
from hvdegraded.findings.render.words import level_name, when
from hvdegraded.printable import harmless_cell, printable

__all__ = ["COLUMNS", "csv_lines"]

COLUMNS = (
    "number",
    "id",
    "section",
    "label",
    "level",
    "host",
    "vm_name",
    "vm_id",
    "guest",
    "problem",
    "provider",
    "event_id",
    "last_record_id",
    "details",
    "remedy",
    "count",
    "first_utc",
    "last_utc",
)
"""The columns in order; where a finding has several kinds of events, theirs stand behind each other."""

_BETWEEN = "; "


def csv_lines(document: Document) -> Iterator[str]:
    """The heading and a line for each finding, without line ends.

    Times are UTC, to the second, as spreadsheets of all languages take them. A text that a spreadsheet
    would take for a formula gets an apostrophe: names come from logs.
    """
    yield _line(list(COLUMNS))
    for finding in document.findings:
        groups = finding.groups
        values = (
            finding.number,
            finding.id,
            finding.section,
            finding.label,
            level_name(finding.level),
            finding.host,
            finding.vm_name,
            finding.vm_id,
            finding.guest,
            finding.problem,
            _together(group.provider for group in groups),
            _together(group.event_id for group in groups),
            _together(group.last_record_id for group in groups),
            _together(group.detail for group in groups),
            finding.remedy,
            finding.count,
            when(finding.first),
            when(finding.last),
        )
        yield _line([_cell(value) for value in values])


def _together(values: Iterable[object]) -> str:
    """The values of a finding's groups, each once."""
    return _BETWEEN.join(dict.fromkeys(str(value) for value in values if value not in (None, "")))


def _cell(value: object) -> str:
    return "" if value is None else harmless_cell(printable(str(value)))


def _line(cells: list[str]) -> str:
    target = io.StringIO()
    csv.writer(target, lineterminator="").writerow(cells)
    return target.getvalue()
