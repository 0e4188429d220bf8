"""The rows of the page's tables: as values, for its HTML and its script alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hvdegraded.findings.document import Document
from hvdegraded.findings.entries import FindingEntry, GroupEntry, Problem
from hvdegraded.findings.groups import Section
from hvdegraded.findings.render.words import WHY, event_of, level_name, numbers, occurrences_of, when
from hvdegraded.printable import printable

__all__ = ["MOST_SOURCES", "cells_of", "count_of", "level_of", "rows_json"]

_MOST_GROUPS = 20
MOST_SOURCES = 5
"""References of a problem that are shown."""


def level_of(problem: Problem) -> str:
    """Return the name of the worst level of a problem."""
    return level_name(problem.level)


def count_of(problem: Problem) -> str:
    """How much there is of a problem; nothing where its only row shows it."""
    findings = len(problem.findings)
    return numbers(problem.events, findings) if findings > 1 else ""


def cells_of(finding: FindingEntry) -> tuple[Any, ...]:
    """The values of a row, in the order of the columns."""
    groups = [(group.detail, _event(group)) for group in finding.groups[:_MOST_GROUPS]]
    if finding.guest:
        groups.append((f"guest: {finding.guest}", ""))
    if finding.mentions:
        groups.append((f"mentions {finding.mentions}", ""))
    if finding.acknowledged:
        groups.append((f"Acknowledged: {finding.acknowledged}", ""))
    if len(finding.groups) > _MOST_GROUPS:
        groups.append((f"and {len(finding.groups) - _MOST_GROUPS} more kinds of events", ""))
    first = when(finding.first)
    return (
        finding.number,
        finding.vm or "(host)",
        finding.host or "(not named)",
        groups,
        finding.count,
        first,
        first if finding.last == finding.first else when(finding.last),
    )


def _event(group: GroupEntry) -> str:
    return event_of(group) + occurrences_of(group)


def rows_json(document: Document) -> Iterator[str]:
    """All rows by section, as pieces of JSON that can stand in a script element."""
    for part in _parts(document):
        yield part.replace("<", "\\u003c")  # only this could end the element


def _parts(document: Document) -> Iterator[str]:
    before = "{"
    for section in Section:
        problems = list(document.problems(section))
        if not problems:
            continue
        heads = [_head(problem, document.links) for problem in problems]
        yield f'{before}"{section}":{{"problems":{_json(heads)},"rows":['
        before = ""
        for place, problem in enumerate(problems):
            for finding in problem.findings:
                yield before + _json(_row(finding, place))
                before = ","
        yield "]}"
    yield "}" if before == "," else "{}"


def _head(problem: Problem, links: Mapping[str, str]) -> dict[str, Any]:
    return {
        "title": printable(problem.title),
        "level": level_of(problem),
        "count": count_of(problem),
        "remedy": printable(problem.remedy or ""),
        "why": WHY[problem.reason],
        "sources": [[printable(title), links.get(title, "")] for title in problem.references[:MOST_SOURCES]],
    }


def _row(finding: FindingEntry, problem: int) -> list[Any]:
    number, vm, host, groups, *rest = cells_of(finding)
    shown = [[printable(detail), printable(event)] for detail, event in groups]
    return [number, printable(vm), printable(host), shown, *rest, problem]


_json = json.JSONEncoder(separators=(",", ":")).encode
