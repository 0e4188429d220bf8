"""The command `explain`: show why an event got its verdict."""

from __future__ import annotations

import argparse

from hvdegraded.cli.arguments import (
    Commands,
    add_policy,
    add_reading,
    classifier_of,
    read_options_of,
    source_of,
)
from hvdegraded.cli.console import print_lines
from hvdegraded.cli.exit_codes import NOTHING
from hvdegraded.errors import SourceError
from hvdegraded.printable import printable

__all__ = ["add_parser", "run"]


def add_parser(commands: Commands) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser(
        "explain",
        help="tell why an event got its verdict",
        description="Tell why an event got its verdict: the rule, its sources, and what would change it. "
        "What else happened counts: give the paths and options that triage was given.",
        epilog="Example: hvdegraded explain C:\\logs --guests guests.json --record 1332",
    )
    add_reading(command)
    command.add_argument(
        "--record", type=int, required=True, metavar="N", help="EventRecordID, as triage shows it"
    )
    add_policy(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from hvdegraded.events.stream import read
    from hvdegraded.findings.builder import TriageBuilder

    classifier = classifier_of(options)
    builder = TriageBuilder(classifier)
    found = []
    events = read(
        source_of(options),
        knowledge=classifier.knowledge,
        everything=True,
        options=read_options_of(options),
    )
    for event in events:
        builder.add(event)
        if event.record_id == options.record:
            found.append(event)
    if not found:
        raise SourceError(
            f"there is no record {options.record}",
            path=", ".join(options.paths),
            hint="triage shows the numbers; each log counts its own",
        )
    for event in found:
        record = event.record
        print(printable(f"{record.provider} {record.event_id} on {record.computer} at {record.time_created}"))
        print(f"evidence: {event.field_source}")
        for remark in record.origin.remarks:
            print(printable(f"doubt: {remark}"))
        for name, text in record.data:
            print(printable(f"  {name or '-'}: {text}"))
        print_lines(builder.verdict(event).explain())
    return NOTHING
