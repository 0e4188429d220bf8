"""The command `label`: add a verdict to each JSON line of a stream."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
from collections.abc import Iterator

from hvdegraded.cli.arguments import Commands, add_policy, policy_of
from hvdegraded.cli.console import standard_input, standard_output, tell
from hvdegraded.cli.exit_codes import INTERRUPTED, NOTHING
from hvdegraded.errors import HvdegradedError

__all__ = ["add_parser", "run"]


def add_parser(commands: Commands) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser(
        "label",
        help="add a verdict to each JSON line from stdin",
        description="Read JSON lines of a log shipper from standard input, write each to standard output, "
        "and add a key (hvdegraded) where it is a Hyper-V event.",
        epilog="Example: hvdegraded label --guests guests.json < shipped.jsonl > labelled.jsonl",
    )
    add_policy(command)
    command.add_argument("--drop", choices=("ignorable",), help="leave out lines that are ignorable for sure")
    command.add_argument(
        "--drop-assumed", action="store_true", help="with --drop, those that are assumed too"
    )
    command.add_argument("--only", choices=("hyperv",), help="leave out what is surely no Hyper-V event")
    command.add_argument("--format", metavar="NAME", help="do not guess the shipper; for example: winlogbeat")
    command.add_argument("--stats", action="store_true", help="tell counts on stderr in the end")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from hvdegraded.pipeline.labeller import Labeller

    if options.drop_assumed and not options.drop:
        raise HvdegradedError("--drop-assumed says what --drop leaves out too", hint="add --drop ignorable")
    labeller = Labeller(
        guests=options.guests,
        policy=policy_of(options),
        drop_ignorable=options.drop == "ignorable",
        drop_assumed=options.drop_assumed,
        only_hyper_v=options.only == "hyperv",
        dialect=options.format,
        warn=tell,
    )
    try:
        with _input_ended_by_signals() as signals:
            labeller.run(standard_input(), standard_output())
    finally:
        if options.stats:
            tell(labeller.stats)
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
