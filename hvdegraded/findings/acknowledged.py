"""Which findings a policy acknowledges, and which of its acknowledgements are void."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from hvdegraded.findings.groups import Finding, Section

if TYPE_CHECKING:
    from hvdegraded.verdicts.acknowledgement import Acknowledgement

__all__ = ["idle_acknowledgements", "void_acknowledgements", "with_acknowledgements"]

_MOST_IDLE = 3
_LIKENESS = 0.75
_OPEN = frozenset({Section.ACT, Section.CHECK, Section.ASSUMED})


def with_acknowledgements(
    findings: Iterable[Finding], rows: Sequence[Acknowledgement], today: date
) -> Iterator[Finding]:
    """The findings, those that a row of today acknowledges with that row."""
    valid = [row for row in rows if not row.expired(today)]
    for finding in findings:
        row = next((row for row in valid if _acknowledges(row, finding)), None)
        yield finding if row is None or finding.section not in _OPEN else replace(finding, acknowledged=row)


def void_acknowledgements(
    findings: Sequence[Finding], rows: Sequence[Acknowledgement], today: date
) -> Iterator[str]:
    """Sentences on rows that would acknowledge something, but have expired or rest on other evidence."""
    for row in rows:
        named = [finding for finding in findings if _names(row, finding)]
        if not named:
            continue
        if row.expired(today):
            yield f"The acknowledgement of {row.finding or row.vm} ended on {row.until}: {row.why}"
        elif row.finding is not None and named[0].section is Section.ASSUMED:
            yield f"The acknowledgement of {row.finding} is void: what is assumed needs vm and evidence"
        elif row.evidence is not None:
            more = sorted({one for finding in named for one in finding.evidence} - set(row.evidence))
            if more:
                yield f"The acknowledgement of {row.vm} is void: the VM also shows {', '.join(more)}"


def idle_acknowledgements(
    findings: Sequence[Finding], rows: Sequence[Acknowledgement], today: date
) -> Iterator[str]:
    """Sentences on rows that name nothing in these logs, as with a typing error in an id or a name."""
    idle = [
        row
        for row in rows
        if not row.expired(today) and not any(_names(row, finding) for finding in findings)
    ]
    if not idle:
        return
    from difflib import get_close_matches

    ids = [finding.id for finding in findings]
    vms = [name for finding in findings for name in (finding.vm_name, finding.vm_id) if name]
    for row in idle[:_MOST_IDLE]:
        name = row.finding or row.vm or ""
        alike = {one.lower(): one for one in (ids if row.finding else vms)}
        near = get_close_matches(name.lower(), alike, 1, _LIKENESS)
        meant = f"; did you mean {alike[near[0]]}?" if near and near[0] != name.lower() else ""
        yield f"The acknowledgement of {name} names no finding of these logs{meant}"
    if len(idle) > _MOST_IDLE:
        yield f"{len(idle) - _MOST_IDLE} more acknowledgements name no finding of these logs"


def _acknowledges(row: Acknowledgement, finding: Finding) -> bool:
    if not _names(row, finding):
        return False
    if row.evidence is None:
        return not finding.assumed  # which other evidence would make void
    return set(finding.evidence) <= set(row.evidence)


def _names(row: Acknowledgement, finding: Finding) -> bool:
    if row.finding is not None:
        return row.finding.lower() == finding.id
    vm = (row.vm or "").strip("{}").lower()
    if row.evidence is not None:  # a namesake, made anew, is another machine
        return finding.assumed and vm == (finding.vm_id or finding.vm_name or "").lower()
    if vm not in ((finding.vm_name or "").lower(), (finding.vm_id or "").lower()):
        return False
    return all(
        group.event_id == row.event_id and group.provider.lower() == (row.provider or "").lower()
        for group in finding.groups
    )
