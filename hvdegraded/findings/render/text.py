"""Triage → text for terminals and plain files."""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING

from hvdegraded.verdicts.verdict import Label

if TYPE_CHECKING:
    from rich.console import Console

    from hvdegraded.findings.groups import EventGroup, Finding, GroupedEvents

from hvdegraded.printable import printable

__all__ = [
    "as_text",
    "event_of",
    "print_triage",
]

_MOST_ASSUMED = 20
_MOST_PARTS = 20
_MOST_LISTED = 20
_WIDTH = 120
_TABLE_WIDTH = 100  # narrower tables cut words to pieces
_NAME_WIDTH = 24
_PREFIX = "Microsoft-Windows-"


def as_text(triage: GroupedEvents, *, width: int = _WIDTH) -> str:
    """The triage as plain text, `width` characters wide."""
    from rich.console import Console

    target = io.StringIO()
    # In Jupyter a console would display instead of writing.
    console = Console(file=target, width=width, color_system=None, highlight=False, force_jupyter=False)
    print_triage(triage, console)
    return target.getvalue().rstrip("\n")


def print_triage(triage: GroupedEvents, console: Console, *, everything: bool = False) -> None:
    """Print the triage: counts, what needs action, what was assumed, what was left out or lost.

    With `everything`, ignorable findings are listed too.
    """
    labels = triage.by_label()
    _say(
        console,
        f"{triage.count} events: {labels[Label.ACTIONABLE]} actionable, {labels[Label.IGNORABLE]} ignorable",
        style="bold",
    )
    if triage.report.interrupted:
        _say(console, "Reading was interrupted: this is what had been read by then.", style="bold")
    for reason, count in triage.by_reason().most_common():
        _say(console, f"  {count:7}  {reason}")
    findings = triage.findings
    for title, wanted in (("Actionable, newest first", False), ("Ignorable", True)):
        listed = [finding for finding in findings if finding.verdict.ignorable is wanted]
        if listed and (everything or not wanted):
            _print_findings(title, listed, console)
    noise = [finding for finding in findings if finding.verdict.ignorable]
    if noise and not everything:
        machines = {(finding.host, finding.vm) for finding in noise}
        _say(console, f"\nIgnorable noise of {_vms(len(machines))} is not listed (--all lists it).")
    assumed = sorted({finding.vm or "unnamed" for finding in findings if finding.verdict.assumed})
    if assumed:
        names = ", ".join(map(printable, assumed[:_MOST_ASSUMED]))
        names += ", …" if len(assumed) > _MOST_ASSUMED else ""
        whose = _vms(len(assumed))
        _say(
            console,
            f"\nAssumed: the system of {whose} is not known ({names}). Name them in --guests to be sure.",
        )
    for why, count in triage.excluded.items():
        _say(console, f"\n{count} events {why} were left out.")
    _print_report(triage, console)


def _say(console: Console, text: str, style: str | None = None) -> None:
    """Print a text as it is: brackets are no markup, `:smile:` is none either; files are not wrapped."""
    console.print(text, style=style, markup=False, emoji=False, soft_wrap=not console.is_terminal)


def _print_findings(title: str, findings: list[Finding], console: Console) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    _say(console, f"\n{title}", style="italic")
    if console.width < _TABLE_WIDTH:
        for finding in findings:
            head = "  ".join([f"{_when(finding.last)} UTC", f"×{finding.count}", *_whose(finding)])
            console.print(Text(head, "bold"))
            console.print(Padding(Text("\n".join(_what(finding))), (0, 0, 0, 2)))
            if finding.verdict.remedy:
                remedy = f"What to do: {printable(finding.verdict.remedy)}"
                console.print(Padding(Text(remedy), (0, 0, 0, 2)))
        return
    table = Table(show_lines=True, expand=True)
    table.add_column("last, UTC", no_wrap=True)
    table.add_column("count", justify="right")
    table.add_column("host, VM", max_width=_NAME_WIDTH, overflow="fold")
    table.add_column("what happened", ratio=7, overflow="fold")
    table.add_column("what to do", ratio=5, overflow="fold")
    for finding in findings:
        table.add_row(
            _when(finding.last),
            str(finding.count),
            Text("\n".join(_whose(finding))),
            Text("\n".join(_what(finding))),
            Text(printable(finding.verdict.remedy or "")),
        )
    console.print(table)


def _whose(finding: Finding) -> list[str]:
    return [printable(name) for name in (finding.host, finding.vm) if name]


def _what(finding: Finding) -> list[str]:
    """What happened, one line for each kind of events."""
    lines = [
        printable(f"{part.verdict.summary} [{event_of(part)}]") + f" ×{part.count}" * (part.count > 1)
        for part in finding.parts[:_MOST_PARTS]
    ]
    if len(finding.parts) > _MOST_PARTS:
        lines.append(f"and {len(finding.parts) - _MOST_PARTS} more kinds of events")
    return lines


def event_of(part: EventGroup) -> str:
    """Provider and id of events, and the record by which `explain` finds the last."""
    event = f"{part.provider.removeprefix(_PREFIX)} {part.event_id}"
    if part.last_record_id is None:
        return event
    return f"{event}, {'last ' * (part.count > 1)}record {part.last_record_id}"


def _print_report(triage: GroupedEvents, console: Console) -> None:
    report = triage.report
    if report.records_seen:
        _say(console, "\n" + printable(str(report).split("\n")[0]))
    for path, item in report.items()[:_MOST_LISTED]:
        where = f"{path}: " if path else ""
        _say(console, printable(f"  {where}{item}"))
    more = len(report.items()) - _MOST_LISTED
    if more > 0:
        _say(console, f"  and {more} more remarks; --json tells all of them.")


def _vms(count: int) -> str:
    return f"{count} VM" + "s" * (count != 1)


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "?"
