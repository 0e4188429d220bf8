"""The rows of the page's tables: as values, for its HTML and its script alike."""

from __future__ import annotations

import json
from typing import Any

from hvdegraded.findings.document import Document, FindingEntry, GroupEntry, Problem
from hvdegraded.findings.groups import Section
from hvdegraded.findings.render.words import WHY, event_of, level_name, numbers, occurrences_of, when
from hvdegraded.printable import printable

__all__ = ["MOST_SOURCES", "cells_of", "count_of", "level_of", "rows_json"]

_MOST_GROUPS = 20
MOST_SOURCES = 5
"""References of a problem that are shown."""


def level_of(problem: Problem) -> str:
    """Return the name of the worst level of a problem."""
    return level_name(min((finding.level or 99 for finding in problem.findings), default=None))


def count_of(problem: Problem) -> str:
    """How much there is of a problem; nothing where its only row shows it."""
    findings = len(problem.findings)
    return numbers(problem.events, findings) if findings > 1 else ""


def cells_of(finding: FindingEntry) -> tuple[Any, ...]:
    """The values of a row, in the order of the columns."""
    groups = [(group.detail, _event(group)) for group in finding.groups[:_MOST_GROUPS]]
    if finding.guest:
        groups.append((f"guest: {finding.guest}", ""))
    if finding.acknowledged:
        groups.append((f"Acknowledged: {finding.acknowledged}", ""))
    if len(finding.groups) > _MOST_GROUPS:
        groups.append((f"and {len(finding.groups) - _MOST_GROUPS} more kinds of events", ""))
    return (
        finding.number,
        finding.vm or "(host)",
        finding.host or "(not named)",
        groups,
        finding.count,
        when(finding.first),
        when(finding.last),
    )


def _event(group: GroupEntry) -> str:
    return event_of(group) + occurrences_of(group)


def rows_json(document: Document) -> str:
    """All rows by section, as JSON that can stand in a script element."""
    data: dict[str, Any] = {}
    for section in Section:
        problems, rows = [], []
        for place, problem in enumerate(document.problems(section)):
            problems.append(
                {
                    "title": printable(problem.title),
                    "level": level_of(problem),
                    "count": count_of(problem),
                    "remedy": printable(problem.remedy or ""),
                    "why": WHY[problem.reason],
                    "sources": [
                        [printable(title), document.links.get(title, "")]
                        for title in problem.references[:MOST_SOURCES]
                    ],
                }
            )
            for finding in problem.findings:
                number, vm, host, groups, *rest = cells_of(finding)
                shown = [[printable(detail), printable(event)] for detail, event in groups]
                rows.append([number, printable(vm), printable(host), shown, *rest, place])
        if rows:
            data[section] = {"problems": problems, "rows": rows}
    # Only a "<" could end the element.
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
