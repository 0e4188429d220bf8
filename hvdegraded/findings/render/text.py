"""The result document → text for terminals and plain files."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hvdegraded.findings.document import (
    AssumedVm,
    Document,
    FindingEntry,
    GroupEntry,
    Problem,
)
from hvdegraded.findings.groups import Section
from hvdegraded.findings.render.words import (
    TITLES,
    caveats,
    event_of,
    level_name,
    numbers,
    origin_lines,
    plural,
    when,
)
from hvdegraded.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Hints", "as_text", "headline", "print_document"]

_WIDTH = 120
_MOST_PROBLEMS = 30
_MOST_VMS = 10
_MOST_GROUPS = 20
_MOST_ASSUMED = 20
_MOST_LISTED = 20
_STYLES = {Section.ACT: "bold red", Section.CHECK: "bold yellow", Section.ASSUMED: "bold cyan"}


@dataclass(frozen=True)
class Hints:
    """How to ask for more, in the words of the program that prints: none where Python prints.

    `list_all` follows what is not listed, `settle` gives what names the system of a VM.
    """

    list_all: str = ""
    list_remarks: str = ""
    settle: Callable[[AssumedVm], str] | None = None


def as_text(document: Document, *, width: int = _WIDTH) -> str:
    """The document as plain text, `width` characters wide."""
    from rich.console import Console

    target = io.StringIO()
    # In Jupyter a console would display instead of writing.
    console = Console(file=target, width=width, color_system=None, highlight=False, force_jupyter=False)
    print_document(document, console)
    return target.getvalue().rstrip("\n")


def headline(document: Document) -> str:
    """The counts in one line."""
    counts = [
        f"{tally.findings} {TITLES[section].lower()}"
        for section, tally in document.sections.items()
        if tally.findings or section in (Section.ACT, Section.CHECK)
    ]
    return f"{numbers(document.events, len(document.findings))}: {', '.join(counts)}"


def print_document(
    document: Document, console: Console, *, everything: bool = False, hints: Hints | None = None
) -> None:
    """Print a document: counts, caveats, what to act on, to check, and what is assumed.

    With `everything`, all findings are listed, proven noise too.
    """
    hints = hints or Hints()
    _say(console, headline(document), "bold")
    for line in origin_lines(document):
        _say(console, line)
    for caveat in caveats(document):
        _say(console, f"Caveat: {caveat}", "bold")
    for section in (Section.ACT, Section.CHECK):
        _print_section(document, section, console, everything, hints)
    _print_assumed(document, console, everything, hints)
    for section in (Section.PROVEN, Section.QUIET):
        tally = document.sections[section]
        if everything:
            _print_section(document, section, console, everything, hints)
        elif tally.findings:
            counted = numbers(tally.events, tally.findings)
            _say_apart(console, f"{TITLES[section]}, not listed{_hint(hints.list_all)}: {counted}")
    for why, count in document.excluded.items():
        _say_apart(console, f"{count} events {why} were excluded.")
    _print_account(document, console, hints)


def _say(console: Console, text: str, style: str | None = None, indent: int = 0) -> None:
    """Print a text without markup; lines for files are not wrapped."""
    from rich.text import Text

    text = printable(text)
    if indent and len(text) + indent > console.width:
        lines = Text(text, style or "").wrap(console, console.width - indent, overflow="fold")
        for line in lines:
            console.print(Text(" " * indent).append_text(line))
    else:
        soft = not indent and not console.is_terminal
        console.print(" " * indent + text, style=style, markup=False, emoji=False, soft_wrap=soft)


def _say_apart(console: Console, text: str, style: str | None = None, indent: int = 0) -> None:
    """Print a text behind an empty line."""
    console.print()
    _say(console, text, style, indent)


def _hint(hint: str) -> str:
    return f" ({hint})" if hint else ""


def _print_section(
    document: Document, section: Section, console: Console, everything: bool, hints: Hints
) -> None:
    problems = list(document.problems(section))
    if not problems:
        return
    tally = document.sections[section]
    title = f"{TITLES[section]}: {numbers(tally.events, tally.findings)}"
    _say_apart(console, title, _STYLES.get(section, "bold"))
    shown = problems if everything else problems[:_MOST_PROBLEMS]
    for problem in shown:
        _print_problem(problem, console, everything, hints)
    more = problems[len(shown) :]
    if more:
        findings = sum(len(problem.findings) for problem in more)
        left = f"and {plural(len(more), 'more problem')} of {plural(findings, 'finding')}"
        _say_apart(console, f"{left}{_hint(hints.list_all)}", indent=2)


def _print_problem(problem: Problem, console: Console, everything: bool, hints: Hints) -> None:
    level = level_name(min((finding.level or 99 for finding in problem.findings), default=None))
    _say_apart(console, f"{problem.title}{f' ({level})' * bool(level)}", "bold", indent=2)
    if problem.remedy:
        _say(console, f"What to do: {problem.remedy}", indent=2)
    shown = problem.findings if everything else problem.findings[:_MOST_VMS]
    for finding in shown:
        _print_finding(finding, console, everything)
    more = problem.findings[len(shown) :]
    if more:
        events = sum(finding.count for finding in more)
        _say(console, f"and {numbers(events, len(more), 'more finding')}{_hint(hints.list_all)}", indent=4)


def _print_finding(finding: FindingEntry, console: Console, everything: bool) -> None:
    whose = " on ".join(name for name in (finding.vm, finding.host) if name) or "(no host)"
    moment = f"{'last ' * (finding.count > 1)}{when(finding.last)} UTC" if finding.last else "time unknown"
    times = f"{plural(finding.count, 'event')}, {moment}"
    _say(console, f"#{finding.number}  {whose}: {times}  [{finding.id}]", indent=4)
    shown = finding.groups if everything else finding.groups[:_MOST_GROUPS]
    for group in shown:
        _say(console, _group_line(group), indent=8)
    if len(finding.groups) > len(shown):
        _say(console, f"and {len(finding.groups) - len(shown)} more kinds of events", indent=8)


def _group_line(group: GroupEntry) -> str:
    detail = f"{group.detail}  " if group.detail else ""
    return f"{detail}[{event_of(group)}]{f' ×{group.count}' * (group.count > 1)}"


def _print_assumed(document: Document, console: Console, everything: bool, hints: Hints) -> None:
    if not document.assumed:
        return
    events = sum(one.events for one in document.assumed)
    title = f"{TITLES[Section.ASSUMED]}: {plural(len(document.assumed), 'VM')}, {plural(events, 'event')}"
    _say_apart(console, f"{title}", _STYLES[Section.ASSUMED])
    shown = document.assumed if everything else document.assumed[:_MOST_ASSUMED]
    for vm in shown:
        whose = " on ".join(name for name in (vm.vm_name or vm.vm_id, vm.host) if name) or "(unnamed)"
        _say(console, f"{whose}: {plural(vm.events, 'event')}; {', '.join(vm.evidence)}", indent=2)
        how = hints.settle(vm) if hints.settle else ""
        _say(console, f"To settle it: {vm.settle}{f' {how}' * bool(how)}", indent=6)
    more = len(document.assumed) - len(shown)
    if more > 0:
        _say(console, f"and {plural(more, 'more VM')}{_hint(hints.list_all)}", indent=2)


def _print_account(document: Document, console: Console, hints: Hints) -> None:
    report = document.report
    if report.records_seen:
        _say_apart(console, str(report).split("\n")[0])
    items = report.items()
    for path, item in items[:_MOST_LISTED]:
        _say(console, f"  {f'{path}: ' if path else ''}{item}")
    more = len(items) - _MOST_LISTED
    if more > 0:
        _say(console, f"  and {more} more remarks{_hint(hints.list_remarks)}")
