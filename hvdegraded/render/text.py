"""Triage → text for terminals and plain files."""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING

from hvdegraded.verdict import Label

if TYPE_CHECKING:
    from rich.console import Console

    from hvdegraded.triage import Finding, Triage

__all__ = ["as_text", "print_triage"]

_MOST_ASSUMED = 20
_MOST_LISTED = 20
_WIDTH = 120


def as_text(triage: Triage, *, width: int = _WIDTH) -> str:
    """The triage as plain text, `width` characters wide."""
    from rich.console import Console

    target = io.StringIO()
    print_triage(triage, Console(file=target, width=width, color_system=None, highlight=False))
    return target.getvalue().rstrip("\n")


def print_triage(triage: Triage, console: Console, *, everything: bool = False) -> None:
    """Print the triage: counts, what needs action, what was assumed, what was left out or lost.

    With `everything`, ignorable findings are listed too.
    """
    labels = triage.by_label()
    console.print(
        f"{triage.count} events: {labels[Label.ACTIONABLE]} actionable, {labels[Label.IGNORABLE]} ignorable",
        style="bold",
        markup=False,
    )
    for reason, count in triage.by_reason().most_common():
        console.print(f"  {count:7}  {reason}", markup=False)
    findings = triage.findings
    for title, wanted in (("Actionable, newest first", False), ("Ignorable", True)):
        listed = [finding for finding in findings if finding.verdict.ignorable is wanted]
        if listed and (everything or not wanted):
            _print_findings(title, listed, console)
    noise = [finding for finding in findings if finding.verdict.ignorable]
    if noise and not everything:
        machines = {(finding.host, finding.vm) for finding in noise}
        console.print(
            f"\nIgnorable noise of {len(machines)} VMs is not listed (--all lists it).", markup=False
        )
    assumed = sorted({finding.vm or "unnamed" for finding in findings if finding.verdict.assumed})
    if assumed:
        names = ", ".join(assumed[:_MOST_ASSUMED]) + (", …" if len(assumed) > _MOST_ASSUMED else "")
        console.print(
            f"\nAssumed: the system of {len(assumed)} VMs is not known ({names}). Give --guests to be sure.",
            markup=False,
        )
    for why, count in triage.left_out.items():
        console.print(f"\n{count} events {why} were left out.", markup=False)
    _print_report(triage, console)


def _print_findings(title: str, findings: list[Finding], console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"\n{title}", title_justify="left", show_lines=True, expand=True)
    table.add_column("last", no_wrap=True)
    table.add_column("count", justify="right")
    table.add_column("host, VM", ratio=1)
    table.add_column("what happened", ratio=3)
    table.add_column("what to do", ratio=2)
    for finding in findings:
        what = "\n".join(
            f"{part.verdict.summary} [{part.provider} {part.event_id}]" + f" ×{part.count}" * (part.count > 1)
            for part in finding.parts[:_MOST_ASSUMED]
        )
        whose = "\n".join(filter(None, (finding.host, finding.vm)))
        table.add_row(
            _when(finding.last),
            str(finding.count),
            *(Text(_printable(text)) for text in (whose, what, finding.verdict.remedy or "")),
        )
    console.print(table)


def _print_report(triage: Triage, console: Console) -> None:
    report = triage.report
    if report.records_seen:
        console.print(f"\n{str(report).splitlines()[0]}", markup=False)
    for path, item in report.items()[:_MOST_LISTED]:
        where = f"{path}: " if path else ""
        console.print(_printable(f"  {where}{item}"), markup=False)
    more = len(report.items()) - _MOST_LISTED
    if more > 0:
        console.print(f"  and {more} more remarks; --json tells all of them.", markup=False)


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "?"


def _printable(text: str) -> str:
    """The text without characters that steer a terminal."""
    return "".join(
        character if character.isprintable() or character == "\n" else f"\\x{ord(character):02x}"
        for character in text
    )
