"""The command `triage`: read logs and show what matters."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from hvdegraded.cli.arguments import (
    FAIL_ON,
    LEVELS,
    Commands,
    add_policy,
    add_reading,
    classifier_of,
    read_options_of,
    source_of,
)
from hvdegraded.cli.console import tell
from hvdegraded.cli.exit_codes import ACTIONABLE, INTERRUPTED, NOTHING, UNREADABLE
from hvdegraded.drafts import check_output, drafted
from hvdegraded.errors import HvdegradedError

__all__ = ["add_parser", "run"]


def add_parser(commands: Commands) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser(
        "triage",
        help="read logs and tell what matters",
        description="Read logs, tell what needs action and what to do, and count the rest. Reads .evtx logs, "
        "exports as XML, JSON lines of log shippers, and .gz, .zip and .zst of them.",
        epilog="Example: hvdegraded triage C:\\logs --guests guests.json --html report.html",
    )
    add_reading(command)
    add_policy(command)
    command.add_argument(
        "--json",
        choices=("events", "findings"),
        help="one JSON line for each event, with its verdict (--json), or one document (--json=findings)",
    )
    command.add_argument(
        "--fail-on",
        choices=FAIL_ON,
        default="check",
        help="what makes the exit code 1; each includes the ones before it (default: check)",
    )
    command.add_argument("--html", metavar="FILE", help="write one self-contained page too")
    command.add_argument("--all", action="store_true", help="list ignorable findings too")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from hvdegraded.findings.builder import TriageBuilder
    from hvdegraded.findings.event_line import event_line
    from hvdegraded.records.spool import RecordSpool

    classifier = classifier_of(options)
    builder = TriageBuilder(
        classifier, min_level=LEVELS[options.min_level], since=options.since, until=options.until
    )
    source, reading = source_of(options), read_options_of(options)
    if options.html:
        check_output(options.html, _inputs(options))
    with RecordSpool() as kept:
        report = builder.read(source, reading, kept if options.json == "events" else None)
        found = builder.finish(report)
        if options.html:  # before anything is printed, where the reader of what is printed may go
            with drafted(options.html, _inputs(options)) as page:
                page.write(found.to_html().encode())
        for record in kept:
            event = classifier.normalise(record)
            print(json.dumps(event_line(event, builder.verdict(event))))
    if options.json == "findings":
        print(json.dumps(found.to_dict(), indent=1))
    if options.json:
        for path, item in found.report.items():
            tell(f"{path or 'input'}: {item}")
    else:
        from rich.console import Console

        from hvdegraded.findings.render.text import Hints, print_document

        console = Console(highlight=False)
        if not console.is_terminal:
            console = Console(highlight=False, width=max(console.width, 120))
        hints = Hints("--all lists them", "--json=findings has them all")
        print_document(found.document, console, everything=options.all, hints=hints)
    if found.report.interrupted:
        return INTERRUPTED
    if found.report.unreadable:
        return UNREADABLE
    failing = FAIL_ON[options.fail_on]
    return ACTIONABLE if any(finding.section in failing for finding in found) else NOTHING


def _inputs(options: argparse.Namespace) -> Iterator[str | int | os.PathLike[str]]:
    """The files that the page must not be written over; an older page in a folder of logs may be."""
    from hvdegraded.reading.inputs import expand_paths

    yield from filter(None, (options.guests, options.policy))
    if options.paths == ["-"]:
        yield 0
        return
    for name in options.paths:
        with contextlib.suppress(HvdegradedError):  # which the reading reports
            yield from (path for path in expand_paths(name) if not _is_page(path))


def _is_page(path: Path) -> bool:
    if not path.is_file():
        return False
    with contextlib.suppress(OSError), path.open("rb") as stream:
        return stream.read(9).lower() == b"<!doctype"
    return False
