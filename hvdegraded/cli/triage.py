"""The command `triage`: read logs and show what matters."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC
from typing import TYPE_CHECKING, Any

from hvdegraded.cli.arguments import (
    FAIL_ON,
    Commands,
    add_fail_on,
    add_output,
    add_triage,
    builder_of,
    guest_argument,
    inputs_of,
    read_options_of,
    source_of,
)
from hvdegraded.cli.baseline import baseline_of, new_since, read_baseline, write_baseline
from hvdegraded.cli.console import printed_to, tell
from hvdegraded.cli.exit_codes import ACTIONABLE, INTERRUPTED, NO_EVENT, NOTHING, UNREADABLE
from hvdegraded.cli.selection import selected
from hvdegraded.errors import HvdegradedError
from hvdegraded.formats.drafts import check_output, drafted, refuse_same

if TYPE_CHECKING:
    from hvdegraded.events import Event
    from hvdegraded.findings.assumed import AssumedVm
    from hvdegraded.findings.builder import TriageBuilder
    from hvdegraded.findings.render.lines import Lines
    from hvdegraded.findings.render.text import Layout
    from hvdegraded.findings.triage import Triage
    from hvdegraded.verdicts.verdict import Verdict

__all__ = ["add_parser", "add_report", "run"]


def add_parser(commands: Commands) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser(
        "triage",
        help="read logs and tell what matters",
        description="Read logs, tell what needs action and what to do, and count the rest. Reads .evtx logs, "
        "exports as XML, JSON lines of log shippers, and .gz, .zip and .zst of them.",
        epilog="Example: hvdegraded triage C:\\logs --guests guests.json --since 24h --html report.html",
    )
    add_triage(command)
    add_output(add_report(command), dest="target")
    command.set_defaults(run=run)


def add_report(command: Any) -> Any:
    """Add the arguments that choose the form of the report and what it fails for; returns their group."""
    shown = command.add_argument_group("what is shown")
    form = shown.add_mutually_exclusive_group()
    form.add_argument(
        "--json",
        choices=("events", "findings"),
        help="one JSON line for each event, with its verdict (--json), or one document (--json=findings)",
    )
    form.add_argument(
        "--csv", action="store_true", help="a CSV row for each finding, as Excel reads it with -o FILE"
    )
    form.add_argument(
        "--quiet",
        action="store_true",
        help="the counts only, in one line, and in a second what a filter hides",
    )
    shown.add_argument("--html", metavar="FILE", help="write one self-contained page too")
    shown.add_argument("--all", action="store_true", help="list all findings, proven noise too")
    shown.add_argument("--no-color", action="store_true", help="text without colours")
    shown.add_argument(
        "--baseline",
        metavar="FILE",
        help="show only findings that the last run with this file did not have, and write it anew; of known "
        "ones that happen again, a crash, or a VM that did not start or lost a device, is shown; others are "
        "named and do not change the exit code",
    )
    shown.add_argument(
        "--again", action="store_true", help="with --baseline: show all known findings that happened again"
    )
    add_fail_on(shown)
    return shown


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from hvdegraded.events.spool import EventSpool
    from hvdegraded.findings.companions import companions_of

    if options.again and not options.baseline:
        raise HvdegradedError("--again says what a baseline shows", hint="add --baseline FILE")
    beside = companions_of(source_of(options))
    builder = builder_of(options, beside)
    reading = read_options_of(options)
    outputs = [path for path in (options.html, options.baseline, options.target) if path]
    refuse_same(outputs if options.target else [*outputs, _STDOUT])
    for path in outputs:
        check_output(path, inputs_of(options))
    with EventSpool() as kept:
        report = builder.read(
            beside.source, reading, kept if options.json == "events" else None, beside.notes
        )
        whole = builder.finish(report)
        judge = builder if options.json == "events" else None
        del builder  # what it knows of each VM takes as much memory as the report
        known = read_baseline(options.baseline) if options.baseline else None
        found = shown = selected(whole, options)
        if known is not None:
            found = new_since(known, found, None if options.local else UTC, again=options.again)
        if options.html:  # before anything is printed, where the reader of what is printed may go
            with drafted(options.html, inputs_of(options)) as page:
                for part in found.html_parts():
                    page.write(part.encode())
        with _target(options):
            _show(found, options, judge, kept)
    if known is not None:
        after = baseline_of(whole, shown, known, options)
        write_baseline(options.baseline, after, inputs_of(options))
    if options.json or options.csv or options.quiet:
        from hvdegraded.findings.render.words import caveats_of_given, unseen

        missing = () if options.quiet else unseen(found.document)
        for line in (*missing, *caveats_of_given(found.document), *found.happened_again):
            tell(line)
        for path, item in found.report.items(brief=options.quiet):
            tell(f"{path or 'input'}: {item}")
    return _exit_code(found, whole, FAIL_ON[options.fail_on])


def _exit_code(found: Triage, whole: Triage, failing: Collection[str]) -> int:
    """What a run ends with: "nothing" only if all that was asked for was read."""
    report = found.report
    if report.interrupted:
        return INTERRUPTED
    if report.unreadable:
        return UNREADABLE
    if any(finding.section in failing for finding in found):
        return ACTIONABLE
    if report.lost or any(note.incomplete for note in report.notes):
        return UNREADABLE
    return NO_EVENT if whole.document.emptiness or found.silent_hosts else NOTHING


def _target(options: argparse.Namespace) -> contextlib.AbstractContextManager[None]:
    """Where the report is printed: to stdout, or a file, of which Excel knows that it is UTF-8."""
    if not options.target:
        return contextlib.nullcontext()
    return printed_to(options.target, inputs_of(options), "utf-8-sig" if options.csv else "utf-8")


def _show(
    found: Triage, options: argparse.Namespace, judge: TriageBuilder | None, kept: Iterable[Event]
) -> None:
    """Print what was found in the form that was asked for; `judge` gives the verdicts on single events."""
    lines = _lines(found, options, judge, kept)
    if lines is None:
        _print_text(found, options)
    else:
        for line in lines:
            print(line)


def _lines(
    found: Triage, options: argparse.Namespace, judge: TriageBuilder | None, kept: Iterable[Event]
) -> Iterator[str] | None:
    """The lines of JSON, CSV or counts; None for text."""
    if judge is not None:
        return _event_lines(found, judge, kept)
    if options.json == "findings":
        from hvdegraded.findings.render.json_document import document_json

        return document_json(found.document)
    if options.csv:
        from hvdegraded.findings.render.sheet import csv_lines

        return csv_lines(found.document)
    if options.quiet:
        from hvdegraded.findings.render.words import counts

        return counts(found.document)
    return None


def _event_lines(found: Triage, builder: TriageBuilder, kept: Iterable[Event]) -> Iterator[str]:
    import json

    from hvdegraded.findings.event_line import event_line
    from hvdegraded.findings.groups import finding_id
    from hvdegraded.findings.mentions import text_of

    def kind_of(verdict: Verdict, event: Event) -> tuple[str, str, bytes]:
        finding = finding_id(verdict, event)
        return finding, verdict.component or "", text_of(event) if finding in found.mentions else b""

    wanted = {kind_of(group.verdict, group.example) for group in found.groups}
    for event in filter(None, map(builder.settled, kept)):
        verdict = builder.verdict(event)
        if kind_of(verdict, event) in wanted:
            yield json.dumps(event_line(event, verdict))


def _print_text(found: Triage, options: argparse.Namespace) -> None:
    from hvdegraded.findings.render.lines import FileLines
    from hvdegraded.findings.render.text import print_document

    columns = os.environ.get("COLUMNS", "")
    width = max(int(columns), _NARROWEST) if columns.isdecimal() else None
    lines = _terminal_lines(options, width)
    if lines is None:
        lines = FileLines(sys.stdout, width or _WIDTH, soft_wrap=width is None)
    print_document(found.document, lines, _layout(options))


def _terminal_lines(options: argparse.Namespace, width: int | None) -> Lines | None:
    """What prints to a terminal; None if the report goes elsewhere."""
    if options.target or not (sys.stdout.isatty() or any(name in os.environ for name in _FORCES_COLOR)):
        return None
    from rich.console import Console

    from hvdegraded.findings.render.lines import ConsoleLines

    console = Console(highlight=False, no_color=options.no_color or None, width=width)
    return ConsoleLines(console) if console.is_terminal else None


def _layout(options: argparse.Namespace) -> Layout:
    from hvdegraded.findings.render.text import Layout

    return Layout(
        everything=options.all,
        zone=None if options.local else UTC,
        list_all="--all lists them",
        list_remarks="--json=findings has them all",
        exported_together="Of logs that were all exported at one time, --together counts those that end "
        "early as seen whole.",
        new_inventory="hvdegraded guests-script -o guests.ps1 makes the script that takes one on the host",
        settle=_guest_argument,
    )


def _guest_argument(vm: AssumedVm) -> str:
    """The argument that settles what a VM runs, if one can: with its id, if the name stands for several."""
    if not all(gap.settled_by_name or gap.settled_by_id for gap in vm.guest_gaps):
        return ""
    by_name = all(gap.settled_by_name for gap in vm.guest_gaps)
    return guest_argument(vm.vm_name if by_name else None, vm.vm_id) if vm.guest_gaps else ""


_STDOUT = 1
_FORCES_COLOR = ("FORCE_COLOR", "TTY_COMPATIBLE")  # as rich reads them
_WIDTH = 120  # of text that no terminal shows
_NARROWEST = 20
