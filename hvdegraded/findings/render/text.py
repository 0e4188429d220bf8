"""The result document → text for terminals and plain files."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo

from hvdegraded.findings.assumed import AssumedVm
from hvdegraded.findings.document import Document
from hvdegraded.findings.entries import FindingEntry, GroupEntry, Problem
from hvdegraded.findings.groups import Section
from hvdegraded.findings.render.lines import FileLines, Lines
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
from hvdegraded.records.coverage import CoverageGap
from hvdegraded.verdicts.verdict import Reason

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
    target = io.StringIO()
    print_document(document, FileLines(target, width, soft_wrap=True))
    return target.getvalue().rstrip("\n")


def print_document(document: Document, lines: Lines, layout: Layout | None = None) -> None:
    """Print a document: counts, caveats, what to act on, to check, and what is assumed."""
    layout = layout or Layout()
    lines.put(headline(document), "bold")
    for line in origin_lines(document, layout.zone):
        lines.put(line)
    for caveat in caveats(document):
        lines.put(f"Caveat: {caveat}", "bold")
    for section in (Section.ACT, Section.CHECK):
        _print_section(document, section, lines, layout)
    for number, line in enumerate(document.happened_again):
        lines.put(line, indent=2) if number else _put_apart(lines, line, "bold")
    _print_assumed(document, lines, layout)
    _print_section(document, Section.ACKNOWLEDGED, lines, layout)
    for section in (Section.PROVEN, Section.NO_ACTION):
        tally = document.sections[section]
        if layout.everything:
            _print_section(document, section, lines, layout)
        elif tally.findings:
            counted = numbers(tally.events, tally.findings)
            _put_apart(lines, f"{TITLES[section]}, not listed{_hint(layout.list_all)}: {counted}")
    for why, count in document.excluded.items():
        _put_apart(lines, f"{plural(count, 'event')} {why} {'was' if count == 1 else 'were'} excluded.")
    _print_account(document, lines, layout)


def _put_apart(lines: Lines, text: str, style: str | None = None, indent: int = 0) -> None:
    """Put a text behind an empty line."""
    lines.put()
    lines.put(text, style, indent)


def _hint(hint: str) -> str:
    return f" ({hint})" if hint else ""


def _print_section(document: Document, section: Section, lines: Lines, layout: Layout) -> None:
    problems = list(document.problems(section))
    if not problems:
        return
    tally = document.sections[section]
    title = f"{TITLES[section]}: {numbers(tally.events, tally.findings)}"
    _put_apart(lines, title, _STYLES.get(section, "bold"))
    shown = problems if layout.everything else problems[:_MOST_PROBLEMS]
    for problem in shown:
        _print_problem(problem, lines, layout)
    more = problems[len(shown) :]
    if more:
        findings = sum(len(problem.findings) for problem in more)
        left = f"and {plural(len(more), 'more problem')} of {plural(findings, 'finding')}"
        _put_apart(lines, f"{left}{_hint(layout.list_all)}", indent=2)


def _print_problem(problem: Problem, lines: Lines, layout: Layout) -> None:
    level = level_name(problem.level)
    _put_apart(lines, f"{problem.title} ({level})" if level else problem.title, "bold", indent=2)
    if problem.remedy:
        lines.put(f"What to do: {problem.remedy}", indent=2)
    shown = problem.findings if layout.everything else problem.findings[:_MOST_VMS]
    for finding in shown:
        _print_finding(finding, lines, layout)
    more = len(problem.findings) - len(shown)
    if more:
        events = problem.events - sum(finding.count for finding in shown)
        lines.put(f"and {numbers(events, more, 'more finding')}{_hint(layout.list_all)}", indent=4)


def _print_finding(finding: FindingEntry, lines: Lines, layout: Layout) -> None:
    name = finding.vm
    if finding.reason is Reason.LOADED_UNKNOWN and finding.vm_name and finding.vm_id:
        name = f"{finding.vm_name} ({finding.vm_id})"  # which names the system of this one alone
    whose = " on ".join(one for one in (name, finding.host) if one) or "(no host)"
    whose += f" (mentions {finding.mentions})" if finding.mentions else ""
    moment = stamp(finding.last, layout.zone) or "time unknown"
    if finding.last and finding.count > 1:
        moment = f"last {moment}"
    times = f"{plural(finding.count, 'event')}, {moment}"
    lines.put(f"#{finding.number}  {whose}: {times}  [{finding.id}]", indent=4)
    if finding.acknowledged:
        lines.put(f"Acknowledged: {finding.acknowledged}", indent=8)
    shown = finding.groups if layout.everything else finding.groups[:_MOST_GROUPS]
    for group in shown:
        lines.put(_group_line(group), indent=8)
    if len(finding.groups) > len(shown):
        lines.put(f"and {len(finding.groups) - len(shown)} more kinds of events", indent=8)


def _group_line(group: GroupEntry) -> str:
    detail = f"{group.detail}  " if group.detail else ""
    return f"{detail}[{event_of(group)}]{occurrences_of(group)}"


def _print_assumed(document: Document, lines: Lines, layout: Layout) -> None:
    if not document.assumed:
        return
    counted = f"{plural(len(document.assumed), 'VM')}, {plural(document.assumed.events, 'event')}"
    title = f"{TITLES[Section.ASSUMED]}: {counted}"
    _put_apart(lines, f"{title}; versions: guest | host", _STYLES[Section.ASSUMED])
    grouped = document.assumed if layout.everything else document.assumed[:_MOST_GROUPED]
    by_what_settles: dict[str, list[AssumedVm]] = {}
    for vm in grouped:
        by_what_settles.setdefault(vm.settle, []).append(vm)
    most = None if layout.everything else _MOST_ASSUMED
    named = {name for vms in by_what_settles.values() for vm in vms[:most] for name in vm.findings}
    numbers_of = {name: number for name, number in document.findings.numbers() if name in named}
    for settle, vms in by_what_settles.items():
        _put_apart(lines, f"To settle it: {settle}", indent=2)
        if layout.new_inventory and any(gap.is_of_date for vm in vms for gap in vm.guest_gaps):
            lines.put(layout.new_inventory, indent=4)
        for vm in vms[:most]:
            _print_assumed_vm(vm, [numbers_of[one] for one in vm.findings], lines, layout)
        if most is not None and len(vms) > most:
            lines.put(f"and {plural(len(vms) - most, 'more VM')}{_hint(layout.list_all)}", indent=4)
    more = len(document.assumed) - len(grouped)
    if more > 0:
        lines.put(f"and {plural(more, 'more VM')}{_hint(layout.list_all)}", indent=2)
    _print_missing_logs(document, lines, layout)


def _print_assumed_vm(vm: AssumedVm, numbered: list[int], lines: Lines, layout: Layout) -> None:
    whose = " on ".join(name for name in (vm.vm_name or vm.vm_id, vm.host) if name) or "(unnamed)"
    findings = ", ".join(f"#{number}" for number in numbered)
    lines.put(f"{findings}  {whose}: {plural(vm.events, 'event')}; {', '.join(vm.evidence)}", indent=4)
    if layout.settle and (how := layout.settle(vm)):
        lines.put(how, indent=8, is_whole=True)


def _print_missing_logs(document: Document, lines: Lines, layout: Layout) -> None:
    if not document.missing_logs:
        return
    _put_apart(lines, "Missing logs; export them on the host, and read them too:", indent=2)
    shown = document.missing_logs if layout.everything else document.missing_logs[:_MOST_LOGS]
    for log in shown:
        lines.put(f"{log.channel} of {log.host or '(no host)'}: {log.why}", indent=4)
        how = log.command or "an older copy of it (a backup, an archive, a log shipper) is needed"
        lines.put(how, indent=8, is_whole=True)
    if layout.exported_together and any(log.why is CoverageGap.ENDS_EARLIER for log in shown):
        lines.put(layout.exported_together, indent=4)
    more = len(document.missing_logs) - len(shown)
    if more > 0:
        lines.put(f"and {plural(more, 'more log')}{_hint(layout.list_all)}", indent=4)


def _print_account(document: Document, lines: Lines, layout: Layout) -> None:
    report = document.report
    if report.records_seen:
        _put_apart(lines, str(report).split("\n")[0])
    items = report.items()
    for path, item in items[:_MOST_LISTED]:
        lines.put(f"  {f'{path}: ' if path else ''}{item}")
    more = len(items) - _MOST_LISTED
    if more > 0:
        lines.put(f"  and {more} more remarks{_hint(layout.list_remarks)}")
