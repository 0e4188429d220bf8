"""The command `triage`: read logs and show what matters."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hvdegraded.cli.arguments import ENGINES, FAIL_ON, LEVELS, Commands, add_policy, classifier_of, moment
from hvdegraded.cli.console import standard_input, tell
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
    command.add_argument(
        "paths", nargs="+", metavar="PATH", help="file, folder or pattern; - alone reads stdin"
    )
    add_policy(command)
    command.add_argument(
        "--min-level",
        type=str.lower,
        choices=LEVELS,
        default="warning",
        help="look at these and worse (default: warning)",
    )
    command.add_argument("--since", type=moment, metavar="TIME", help="ISO 8601; UTC if it names no zone")
    command.add_argument("--until", type=moment, metavar="TIME", help="before that time")
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
    command.add_argument("--strict", action="store_true", help="stop at the first record that cannot be read")
    command.add_argument("--carve", action="store_true", help="look for event chunks anywhere in any file")
    command.add_argument(
        "--remnants", action="store_true", help="the same, and older records that chunks still hold"
    )
    command.add_argument(
        "--workers", type=int, default=1, metavar="N", help="read large inputs with N processes (default: 1)"
    )
    command.add_argument(
        "--engine", choices=ENGINES, default="hvdegraded", help="what reads .evtx logs (default: hvdegraded)"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from hvdegraded.events.stream import EventStream
    from hvdegraded.findings.builder import RecordMapper, TriageBuilder
    from hvdegraded.findings.event_line import event_line
    from hvdegraded.reading.reader import gather, read_records
    from hvdegraded.records.spool import RecordSpool

    classifier = classifier_of(options)
    min_level = LEVELS[options.min_level]
    builder = TriageBuilder(classifier, min_level=min_level, since=options.since, until=options.until)
    if "-" in options.paths and len(options.paths) > 1:
        raise HvdegradedError("- is standard input, and must be the only path")
    if options.html:
        check_output(options.html, _inputs(options))
    with RecordSpool() as kept:
        reading: dict[str, Any] = {
            "wanted": classifier.knowledge.provider_filter(),
            "strict": options.strict,
            "engine": options.engine,
            "carve": options.carve,
            "remnants": options.remnants,
            "workers": options.workers,
            "progress": True,
        }
        source = standard_input() if options.paths == ["-"] else options.paths
        by_event = options.json == "events"
        if by_event or options.workers == 1:
            records = read_records(source, **reading)
            report = records.report
            with builder.interruptible(report, records):
                for event in EventStream(records, classifier.normalise):
                    builder.add(event)
                    if by_event and builder.exclusion_reason(event) is None:
                        kept.add(event.record)
        else:
            judging = RecordMapper(
                classifier.guests, classifier.policy, min_level, options.since, options.until
            )
            parts, report = gather(source, judging, **reading)
            with builder.interruptible(report, parts):
                for part in parts:
                    builder.merge(part)
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
