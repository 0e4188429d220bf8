"""The result document → text for terminals and plain files."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from hvdegraded.findings.assumed import AssumedVm
from hvdegraded.findings.document import Document
from hvdegraded.findings.entries import FindingEntry, GroupEntry, Problem
from hvdegraded.findings.groups import Section
from hvdegraded.findings.render.words import (
    TITLES,
    caveats,
    event_of,
    headline,
    level_name,
    numbers,
    occurrences_of,
    origin_lines,
    plural,
    stamp,
)
from hvdegraded.printable import printable
from hvdegraded.records.coverage import CoverageGap
from hvdegraded.verdicts.verdict import Reason

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Layout", "as_text", "print_document"]

_WIDTH = 120
_MOST_PROBLEMS = 30
_MOST_VMS = 10
_MOST_GROUPS = 20
_MOST_ASSUMED = 10  # VMs that one thing would settle
_MOST_GROUPED = 2000  # of them, in the order of their findings
_MOST_LISTED = 20
_MOST_LOGS = 10
_STYLES = {Section.ACT: "bold red", Section.CHECK: "bold yellow", Section.ASSUMED: "bold cyan"}


@dataclass(frozen=True)
class Layout:
    """What a text contains, in which time zone (None: the local one), and how to ask for more.

    With `everything`, all findings are listed, proven noise too. `list_all` and `list_remarks` follow what is
    not listed, `settle` gives what names the system of a VM: words of the program that prints;
    so are `exported_together`, for logs that only end early because nothing happened, and `new_inventory`.
    """

    everything: bool = False
    zone: tzinfo | None = UTC
    list_all: str = ""
    list_remarks: str = ""
    settle: Callable[[AssumedVm], str] | None = None
    exported_together: str = ""
    new_inventory: str = ""


def as_text(document: Document, *, width: int = _WIDTH) -> str:
    """The document as plain text, `width` characters wide."""
    from rich.console import Console

    target = io.StringIO()
    # In Jupyter a console would display instead of writing.
    console = Console(
        file=target, width=width, color_system=None, highlight=False, force_jupyter=False, soft_wrap=True
    )
    print_document(document, console)
    return target.getvalue().rstrip("\n")


def print_document(document: Document, console: Console, layout: Layout | None = None) -> None:
    """Print a document: counts, caveats, what to act on, to check, and what is assumed."""
    layout = layout or Layout()
    _say(console, headline(document), "bold")
    for line in origin_lines(document, layout.zone):
        _say(console, line)
    for caveat in caveats(document):
        _say(console, f"Caveat: {caveat}", "bold")
    for section in (Section.ACT, Section.CHECK):
        _print_section(document, section, console, layout)
    for number, line in enumerate(document.happened_again):
        _say(console, line, indent=2) if number else _say_apart(console, line, "bold")
    _print_assumed(document, console, layout)
    _print_section(document, Section.ACKNOWLEDGED, console, layout)
    for section in (Section.PROVEN, Section.NO_ACTION):
        tally = document.sections[section]
        if layout.everything:
            _print_section(document, section, console, layout)
        elif tally.findings:
            counted = numbers(tally.events, tally.findings)
            _say_apart(console, f"{TITLES[section]}, not listed{_hint(layout.list_all)}: {counted}")
    for why, count in document.excluded.items():
        _say_apart(console, f"{plural(count, 'event')} {why} {'was' if count == 1 else 'were'} excluded.")
    _print_account(document, console, layout)


def _say(console: Console, text: str, style: str | None = None, indent: int = 0) -> None:
    """Print a text without markup; of a console that wraps softly, only what is indented is wrapped."""
    from rich.text import Text

    text = printable(text)
    if len(text) + indent > console.width and (indent or not console.soft_wrap):
        lines = Text(text, style or "").wrap(console, console.width - indent, overflow="fold")
        for line in lines:
            line.rstrip()
            console.print(Text(" " * indent).append_text(line))
    else:
        console.print(" " * indent + text, style=style, markup=False, emoji=False)


def _say_apart(console: Console, text: str, style: str | None = None, indent: int = 0) -> None:
    """Print a text behind an empty line."""
    console.print()
    _say(console, text, style, indent)


def _hint(hint: str) -> str:
    return f" ({hint})" if hint else ""


def _print_section(document: Document, section: Section, console: Console, layout: Layout) -> None:
    problems = list(document.problems(section))
    if not problems:
        return
    tally = document.sections[section]
    title = f"{TITLES[section]}: {numbers(tally.events, tally.findings)}"
    _say_apart(console, title, _STYLES.get(section, "bold"))
    shown = problems if layout.everything else problems[:_MOST_PROBLEMS]
    for problem in shown:
        _print_problem(problem, console, layout)
    more = problems[len(shown) :]
    if more:
        findings = sum(len(problem.findings) for problem in more)
        left = f"and {plural(len(more), 'more problem')} of {plural(findings, 'finding')}"
        _say_apart(console, f"{left}{_hint(layout.list_all)}", indent=2)


def _print_problem(problem: Problem, console: Console, layout: Layout) -> None:
    level = level_name(problem.level)
    _say_apart(console, f"{problem.title} ({level})" if level else problem.title, "bold", indent=2)
    if problem.remedy:
        _say(console, f"What to do: {problem.remedy}", indent=2)
    shown = problem.findings if layout.everything else problem.findings[:_MOST_VMS]
    for finding in shown:
        _print_finding(finding, console, layout)
    more = len(problem.findings) - len(shown)
    if more:
        events = problem.events - sum(finding.count for finding in shown)
        _say(console, f"and {numbers(events, more, 'more finding')}{_hint(layout.list_all)}", indent=4)


def _print_finding(finding: FindingEntry, console: Console, layout: Layout) -> None:
    name = finding.vm
    if finding.reason is Reason.LOADED_UNKNOWN and finding.vm_name and finding.vm_id:
        name = f"{finding.vm_name} ({finding.vm_id})"  # which names the system of this one alone
    whose = " on ".join(one for one in (name, finding.host) if one) or "(no host)"
    whose += f" (mentions {finding.mentions})" if finding.mentions else ""
    moment = stamp(finding.last, layout.zone) or "time unknown"
    if finding.last and finding.count > 1:
        moment = f"last {moment}"
    times = f"{plural(finding.count, 'event')}, {moment}"
    _say(console, f"#{finding.number}  {whose}: {times}  [{finding.id}]", indent=4)
    if finding.acknowledged:
        _say(console, f"Acknowledged: {finding.acknowledged}", indent=8)
    shown = finding.groups if layout.everything else finding.groups[:_MOST_GROUPS]
    for group in shown:
        _say(console, _group_line(group), indent=8)
    if len(finding.groups) > len(shown):
        _say(console, f"and {len(finding.groups) - len(shown)} more kinds of events", indent=8)


def _group_line(group: GroupEntry) -> str:
    detail = f"{group.detail}  " if group.detail else ""
    return f"{detail}[{event_of(group)}]{occurrences_of(group)}"


def _print_assumed(document: Document, console: Console, layout: Layout) -> None:
    if not document.assumed:
        return
    counted = f"{plural(len(document.assumed), 'VM')}, {plural(document.assumed.events, 'event')}"
    title = f"{TITLES[Section.ASSUMED]}: {counted}"
    _say_apart(console, f"{title}; versions: guest | host", _STYLES[Section.ASSUMED])
    grouped = document.assumed if layout.everything else document.assumed[:_MOST_GROUPED]
    by_what_settles: dict[str, list[AssumedVm]] = {}
    for vm in grouped:
        by_what_settles.setdefault(vm.settle, []).append(vm)
    most = None if layout.everything else _MOST_ASSUMED
    named = {name for vms in by_what_settles.values() for vm in vms[:most] for name in vm.findings}
    numbers_of = {name: number for name, number in document.findings.numbers() if name in named}
    for settle, vms in by_what_settles.items():
        _say_apart(console, f"To settle it: {settle}", indent=2)
        if layout.new_inventory and any(gap.is_of_date for vm in vms for gap in vm.guest_gaps):
            _say(console, layout.new_inventory, indent=4)
        for vm in vms[:most]:
            _print_assumed_vm(vm, [numbers_of[one] for one in vm.findings], console, layout)
        if most is not None and len(vms) > most:
            _say(console, f"and {plural(len(vms) - most, 'more VM')}{_hint(layout.list_all)}", indent=4)
    more = len(document.assumed) - len(grouped)
    if more > 0:
        _say(console, f"and {plural(more, 'more VM')}{_hint(layout.list_all)}", indent=2)
    _print_missing_logs(document, console, layout)


def _print_assumed_vm(vm: AssumedVm, numbered: list[int], console: Console, layout: Layout) -> None:
    whose = " on ".join(name for name in (vm.vm_name or vm.vm_id, vm.host) if name) or "(unnamed)"
    findings = ", ".join(f"#{number}" for number in numbered)
    _say(console, f"{findings}  {whose}: {plural(vm.events, 'event')}; {', '.join(vm.evidence)}", indent=4)
    if layout.settle and (how := layout.settle(vm)):
        console.print(f"        {how}", markup=False, emoji=False, soft_wrap=True)


def _print_missing_logs(document: Document, console: Console, layout: Layout) -> None:
    if not document.missing_logs:
        return
    _say_apart(console, "Missing logs; export them on the host, and read them too:", indent=2)
    shown = document.missing_logs if layout.everything else document.missing_logs[:_MOST_LOGS]
    for log in shown:
        _say(console, f"{log.channel} of {log.host or '(no host)'}: {log.why}", indent=4)
        how = log.command or "an older copy of it (a backup, an archive, a log shipper) is needed"
        console.print(f"        {printable(how)}", markup=False, emoji=False, soft_wrap=True)
    if layout.exported_together and any(log.why is CoverageGap.ENDS_EARLIER for log in shown):
        _say(console, layout.exported_together, indent=4)
    more = len(document.missing_logs) - len(shown)
    if more > 0:
        _say(console, f"and {plural(more, 'more log')}{_hint(layout.list_all)}", indent=4)


def _print_account(document: Document, console: Console, layout: Layout) -> None:
    report = document.report
    if report.records_seen:
        _say_apart(console, str(report).split("\n")[0])
    items = report.items()
    for path, item in items[:_MOST_LISTED]:
        _say(console, f"  {f'{path}: ' if path else ''}{item}")
    more = len(items) - _MOST_LISTED
    if more > 0:
        _say(console, f"  and {more} more remarks{_hint(layout.list_remarks)}")
