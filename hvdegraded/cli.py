"""The command line: arguments in, text or JSON lines out; everything else is done elsewhere.

Exit codes: 0 nothing actionable, 1 something actionable, 2 wrong usage, 3 an input could not be read at all;
130 interrupted, 141 the reader of the output is gone, as shells count.

Logs can hold anything, so all text passes `printable` on its way out, and JSON is ASCII.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from hvdegraded import __version__
from hvdegraded.errors import HvdegradedError, SourceError
from hvdegraded.findings.render.text import printable
from hvdegraded.records.record import Level

__all__ = ["main"]

NOTHING, ACTIONABLE, USAGE, UNREADABLE = range(4)
INTERRUPTED, CLOSED_PIPE = 130, 141
_ENGINES = ("hvdegraded", "python-evtx", "evtx", "libevtx")
_LEVELS = {level.name.lower(): level for level in Level if level is not Level.LOG_ALWAYS}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # whatever the terminal's encoding cannot show
    try:
        code: int = options.run(options)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except KeyboardInterrupt:
        _tell("interrupted")
        return INTERRUPTED
    except SourceError as error:
        _tell(error)
        return UNREADABLE
    except HvdegradedError as error:
        _tell(error)
        return USAGE
    except OSError as error:
        _tell(error)
        return UNREADABLE
    return code


def _tell(what: object) -> None:
    print(f"hvdegraded: {printable(str(what))}", file=sys.stderr)


def _print(text: str) -> None:
    for line in text.split("\n"):
        print(printable(line))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hvdegraded",
        description="Tell which events of a Hyper-V host's logs need action, and which are ignorable "
        "protocol-version mismatches of guests that are not Windows.",
        epilog="Start with: hvdegraded triage FOLDER. Options of a command: hvdegraded COMMAND --help. "
        "Exit codes: 0 nothing actionable, 1 something actionable, 2 wrong usage, 3 an input unreadable.",
    )
    parser.add_argument("--version", action="version", version=f"hvdegraded {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

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
    _add_policy(command)
    command.add_argument(
        "--min-level",
        type=str.lower,
        choices=_LEVELS,
        default="warning",
        help="look at these and worse (default: warning)",
    )
    command.add_argument("--since", type=_time, metavar="TIME", help="ISO 8601; UTC if it names no zone")
    command.add_argument("--until", type=_time, metavar="TIME", help="before that time")
    command.add_argument("--json", action="store_true", help="one JSON line for each event, with its verdict")
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
        "--engine", choices=_ENGINES, default="hvdegraded", help="what reads .evtx logs (default: hvdegraded)"
    )
    command.set_defaults(run=_triage)

    command = commands.add_parser(
        "explain",
        help="tell why an event got its verdict",
        description="Tell why an event got its verdict: the rule, its sources, and what would change it. "
        "What else happened counts: give the paths and options that triage was given.",
        epilog="Example: hvdegraded explain C:\\logs --guests guests.json --record 1332",
    )
    command.add_argument("paths", nargs="+", metavar="PATH", help="file, folder or pattern")
    command.add_argument(
        "--record", type=int, required=True, metavar="N", help="EventRecordID, as triage shows it"
    )
    _add_policy(command)
    command.set_defaults(run=_explain)

    command = commands.add_parser(
        "label",
        help="add a verdict to each JSON line from stdin",
        description="Read JSON lines of a log shipper from standard input, write each to standard output, "
        "and add a key (hvdegraded) where it is a Hyper-V event.",
        epilog="Example: hvdegraded label --guests guests.json < shipped.jsonl > labelled.jsonl",
    )
    _add_policy(command)
    command.add_argument("--drop", choices=("ignorable",), help="leave out lines that are ignorable for sure")
    command.add_argument(
        "--drop-assumed", action="store_true", help="with --drop, those that are assumed too"
    )
    command.add_argument("--only", choices=("hyperv",), help="leave out what is surely no Hyper-V event")
    command.add_argument("--format", metavar="NAME", help="do not guess the shipper; for example: winlogbeat")
    command.add_argument("--stats", action="store_true", help="tell counts on stderr in the end")
    command.set_defaults(run=_label)

    command = commands.add_parser(
        "verify",
        help="read .evtx logs with every reader installed, and compare",
        description="Read .evtx logs with every reader that is installed, and tell where they differ. "
        "Exit code 1: they differ in more than the known faults of the others.",
    )
    command.add_argument("paths", nargs="+", metavar="PATH", help=".evtx log, folder or pattern")
    command.add_argument("--json", action="store_true", help="one JSON line for each file")
    command.set_defaults(run=_verify)

    command = commands.add_parser(
        "guests-script",
        help="print the PowerShell script that writes guests.json",
        description="Print a PowerShell script. Run on a host, it writes guests.json: which VM runs what.",
        epilog="Example: hvdegraded guests-script > guests.ps1",
    )
    command.set_defaults(run=_guests_script)
    return parser


def _add_policy(command: argparse.ArgumentParser) -> None:
    command.add_argument("--guests", metavar="FILE", help="which VM runs what: JSON or CSV")
    command.add_argument(
        "--unknown-guest",
        choices=("ignorable", "actionable"),
        default="ignorable",
        help="what a mismatch that works is in a guest whose system is not known (default: ignorable)",
    )
    command.add_argument("--policy", metavar="FILE", help="TOML with rows of your own")


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write 2026-11-24 or 2026-11-24T13:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _classifier(options: argparse.Namespace) -> Any:
    from hvdegraded.guests.inventory import GuestInventory
    from hvdegraded.verdicts.classifier import Classifier

    guests = GuestInventory.load(options.guests) if options.guests else None
    for problem in guests.problems if guests else ():
        _tell(f"guests: {problem}")
    return Classifier(guests, _policy(options))


def _policy(options: argparse.Namespace) -> Any:
    from hvdegraded.verdicts.policy import Policy
    from hvdegraded.verdicts.verdict import Label

    unknown = Label.IGNORABLE if options.unknown_guest == "ignorable" else Label.ACTIONABLE
    return Policy.load(options.policy, unknown_guest=unknown) if options.policy else Policy(unknown)


def _triage(options: argparse.Namespace) -> int:
    from hvdegraded.findings.builder import TriageBuilder, TriageGather
    from hvdegraded.reading.reader import EventStream, gather, read_records
    from hvdegraded.records.spool import RecordSpool

    classifier = _classifier(options)
    min_level = _LEVELS[options.min_level]
    builder = TriageBuilder(classifier, min_level=min_level, since=options.since, until=options.until)
    if "-" in options.paths and len(options.paths) > 1:
        raise HvdegradedError("- is standard input, and must be the only path")
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
        source = _stdin() if options.paths == ["-"] else options.paths
        if options.json or options.workers == 1:
            records = read_records(source, **reading)
            report = records.report
            with builder.interruptible(report, records):
                for event in EventStream(records, classifier.normalise):
                    builder.add(event)
                    if options.json and builder.why_not(event) is None:
                        kept.add(event.record)
        else:
            judging = TriageGather(
                classifier.guests, classifier.policy, min_level, options.since, options.until
            )
            parts, report = gather(source, judging, **reading)
            with builder.interruptible(report, parts):
                for part in parts:
                    builder.merge(part)
        found = builder.finish(report)
        for record in kept:
            event = classifier.normalise(record)
            print(json.dumps(_json_event(event, builder.verdict(event))))
    if options.json:
        for path, item in found.report.items():
            _tell(f"{path or 'input'}: {item}")
    else:
        from rich.console import Console

        from hvdegraded.findings.render.text import print_triage

        console = Console(highlight=False)
        if not console.is_terminal:
            console = Console(highlight=False, width=max(console.width, 120))
        print_triage(found, console, everything=options.all)
    if options.html:
        try:
            Path(options.html).write_text(found.to_html(), encoding="utf-8")
        except OSError as error:
            raise HvdegradedError(
                f"the page cannot be written: {error.strerror}", path=options.html
            ) from None
    if found.report.interrupted:
        return INTERRUPTED
    if found.report.unreadable:
        return UNREADABLE
    return ACTIONABLE if any(part.verdict.actionable for part in found.occurrences) else NOTHING


def _json_event(event: Any, verdict: Any) -> dict[str, Any]:
    record = event.record
    return {
        "time": record.time_created.isoformat() if record.time_created else None,
        "time_ticks": record.time_ticks,
        "host": record.computer,
        "provider": record.provider,
        "event_id": record.event_id,
        "record_id": record.record_id,
        "level": record.level,
        "channel": record.channel,
        "path": record.origin.path,
        "data": [list(pair) for pair in record.data],
        "doubts": list(record.origin.remarks),
        "verdict": verdict.model_dump(mode="json", exclude={"problem"}),
    }


def _explain(options: argparse.Namespace) -> int:
    from hvdegraded.findings.builder import TriageBuilder
    from hvdegraded.reading.reader import read

    classifier = _classifier(options)
    builder = TriageBuilder(classifier)
    found = []
    for event in read(options.paths, knowledge=classifier.knowledge, everything=True):
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
        print(f"evidence: {event.evidence}")
        for remark in record.origin.remarks:
            print(printable(f"doubt: {remark}"))
        for name, text in record.data:
            print(printable(f"  {name or '-'}: {text}"))
        _print(builder.verdict(event).explain())
    return NOTHING


def _label(options: argparse.Namespace) -> int:
    from hvdegraded.pipeline.labeller import Labeller

    if options.drop_assumed and not options.drop:
        raise HvdegradedError("--drop-assumed says what --drop leaves out too", hint="add --drop ignorable")
    labeller = Labeller(
        guests=options.guests,
        policy=_policy(options),
        drop_ignorable=options.drop == "ignorable",
        drop_assumed=options.drop_assumed,
        only_hyper_v=options.only == "hyperv",
        dialect=options.format,
        warn=_tell,
    )
    try:
        with _input_ended_by_signals() as signals:
            labeller.run(_stdin(), _stdout())
    finally:
        if options.stats:
            _tell(labeller.stats)
    return INTERRUPTED if signal.SIGINT in signals else NOTHING


@contextlib.contextmanager
def _input_ended_by_signals() -> Iterator[list[int]]:
    """SIGINT and SIGTERM end standard input, so that what was read is still written; a second one stops.

    Gives the list of those that came.
    """
    came: list[int] = []

    def end_input(number: int, _: object) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # a read that waits is tried again, and finds the end

    before = {}
    with contextlib.suppress(ValueError):  # another thread than the main one
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, end_input)
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _verify(options: argparse.Namespace) -> int:
    from hvdegraded.reading.reader import inputs_of
    from hvdegraded.verify.comparison import verify

    agreed = True
    for path in (path for name in options.paths for path in inputs_of(name)):
        found = verify(path)
        agreed = agreed and found.agreed
        _print(json.dumps(found.to_dict()) if options.json else str(found))
    return NOTHING if agreed else ACTIONABLE


def _guests_script(_: argparse.Namespace) -> int:
    from hvdegraded.knowledge.guest_systems import guests_script

    print(guests_script())
    return NOTHING


def _stdin() -> BinaryIO:
    if sys.stdin is None:
        raise SourceError("standard input is closed")
    if sys.stdin.buffer.isatty():
        _tell("reading what you type; Ctrl-D ends it (on Windows: Ctrl-Z, Enter)")
    return sys.stdin.buffer


def _stdout() -> BinaryIO:
    if sys.stdout is None:
        raise HvdegradedError("standard output is closed")
    return sys.stdout.buffer
