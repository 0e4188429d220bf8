"""What an event asks for, until verdicts carry it."""

from __future__ import annotations

import enum

from hvdegraded.events import HyperVEvent
from hvdegraded.records.record import Level
from hvdegraded.verdicts.verdict import Label, Reason, Verdict

__all__ = ["Severity", "severity_of"]


class Severity(enum.IntEnum):
    """What an event asks for, most urgent first."""

    ACT = 1
    CHECK = 2
    NONE = 3


_BY_REASON = {
    Reason.KNOWN_PROBLEM: Severity.ACT,
    Reason.REFUSED_THEN_FAILURE: Severity.ACT,
    Reason.NOT_A_PROBLEM_REPORT: Severity.NONE,
    Reason.NOT_HYPER_V: Severity.NONE,
}


def severity_of(verdict: Verdict, example: HyperVEvent) -> Severity:
    """The severity of a verdict (design rule 3)."""
    if verdict.label is Label.IGNORABLE:
        return Severity.NONE
    if verdict.reason is Reason.UNKNOWN_EVENT:
        level = example.level or Level.WARNING
        if level <= Level.ERROR:
            return Severity.ACT
        return Severity.CHECK if level <= Level.WARNING else Severity.NONE
    return _BY_REASON.get(verdict.reason, Severity.CHECK)
