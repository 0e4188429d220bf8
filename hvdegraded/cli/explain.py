"""The command `explain`: show why an event got its verdict."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from hvdegraded.cli.arguments import Commands, add_output, add_triage, builder_of, read_options_of, source_of
from hvdegraded.cli.console import print_lines
from hvdegraded.cli.exit_codes import NOTHING
from hvdegraded.cli.selection import selected
from hvdegraded.cli.triage import add_report
from hvdegraded.errors import SourceError, UnknownNameError
from hvdegraded.printable import printable

if TYPE_CHECKING:
    from hvdegraded.findings.entries import FindingEntry
    from hvdegraded.findings.event_groups import EventGroup
    from hvdegraded.findings.groups import Finding
    from hvdegraded.findings.triage import Triage

__all__ = ["add_parser", "run"]


_MOST_GROUPS = 20  # of a finding
_AS_TRIAGE = "give the paths and options that triage was given"


def add_parser(commands: Commands) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser(
        "explain",
        help="tell why an event got its verdict",
        description="Tell why an event got its verdict: the rule, its sources, and what would change it. "
        "What else happened counts: give the paths and options that triage was given; those for the form of "
        "its report are taken, and change nothing. Without a finding or a record, all findings that the "
        "options select are explained.",
        epilog="Example: hvdegraded explain C:\\logs --guests guests.json --finding 3",
    )
    what = command.add_mutually_exclusive_group()
    what.add_argument("--record", type=int, metavar="N", help="EventRecordID, as triage shows it")
    what.add_argument("--finding", metavar="ID", help="id or number of a finding, as triage shows it")
    add_triage(command)
    add_report(_Silent(command))
    add_output(command)
    command.set_defaults(run=run)


class _Silent:
    """A parser whose new arguments are not shown in the help."""

    def __init__(self, command: argparse.ArgumentParser) -> None:
        self._command = command

    def add_argument(self, *names: str, **settings: Any) -> None:
        """Add an argument that the help does not show."""
        self._command.add_argument(*names, **settings | {"help": argparse.SUPPRESS})

    def add_mutually_exclusive_group(self) -> _Silent:
        """Return this: what is ignored excludes nothing."""
        return self

    def add_argument_group(self, _: str) -> _Silent:
        """Return this: what is not shown has no heading."""
        return self


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from hvdegraded.events.stream import read
    from hvdegraded.findings.companions import companions_of
    from hvdegraded.findings.render.words import stamp

    beside = companions_of(source_of(options))
    builder = builder_of(options, beside)
    if options.record is None:
        report = builder.read(beside.source, read_options_of(options), notes=beside.notes)
        _explain_findings(selected(builder.finish(report), options), options.finding)
        return NOTHING
    found = []
    events = read(
        beside.source,
        knowledge=builder.classifier.knowledge,
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
    builder.finish(events.report)  # now it is known for which time each channel was read
    for event in found:
        record = event.record
        print(
            printable(
                f"{record.provider} {record.event_id} on {record.computer}, {stamp(event.time_created)}"
            )
        )
        print(printable(f"file: {record.origin.path or 'input'}"))
        print(f"fields: {event.field_source}")
        for remark in record.origin.anomalies:
            print(printable(f"anomaly: {remark}"))
        for remark in record.origin.caveats:
            print(printable(f"caveat: {remark}"))
        for place, (name, text) in enumerate(record.data, 1):
            print(printable(f"  {name or f'(value {place})'}: {text}"))
        print_lines(builder.verdict(event).explain())
    return NOTHING


def _explain_findings(found: Triage, wanted: str | None) -> None:
    """Explain a finding, which is named by its id or its number, or all."""
    from hvdegraded.findings.render.words import headline

    entries = [entry for entry in found.document.findings if wanted is None or _is_named(entry, wanted)]
    if not entries:
        what = "no finding" if wanted is None else f"no finding {wanted}"
        hint = headline(found.document) if found.document.emptiness else _AS_TRIAGE
        raise UnknownNameError(f"there is {what}", hint=hint)
    findings = {finding.id: finding for finding in found}
    for place, entry in enumerate(entries):
        if place:
            print()
        _explain_finding(findings[entry.id], entry)


def _explain_finding(finding: Finding, entry: FindingEntry) -> None:
    """Explain each kind of events of a finding."""
    from hvdegraded.findings.render.words import plural

    print(printable(f"finding {entry.id}, number {entry.number}: {entry.problem}"))
    for group in finding.groups[:_MOST_GROUPS]:
        print(
            printable(f"{group.provider} {group.event_id}: {plural(group.count, 'event')}{_records(group)}")
        )
        print(printable(f"file: {group.example.record.origin.path or 'input'}"))
        print_lines(group.verdict.explain())
    more = finding.groups[_MOST_GROUPS:]
    if more:
        events = sum(group.count for group in more)
        print(f"and {plural(events, 'event')} that differ in their texts; triage --json lists all")


def _is_named(entry: FindingEntry, wanted: str) -> bool:
    """Whether this is a finding's number, its id, or the beginning of its id."""
    wanted = wanted.lower().lstrip("#")
    if wanted == str(entry.number):
        return True
    return len(wanted) >= _SHORTEST_ID and entry.id.startswith(wanted)


def _records(group: EventGroup) -> str:
    """Name the first and the last record of events, if their numbers are known."""
    ends = dict.fromkeys(one for one in (group.first_record_id, group.last_record_id) if one is not None)
    names = ["first", "last"] if len(ends) == 2 else [""]
    return "".join(
        f", {name} record {one}".replace("  ", " ") for name, one in zip(names, ends, strict=False)
    )


_SHORTEST_ID = 5  # digits; fewer are a number
