"""The command `label`: add a verdict to each JSON line of a stream."""

from __future__ import annotations

import argparse
import signal
import sys
from functools import partial
from typing import BinaryIO, cast

from hvdegraded.cli.arguments import Commands, add_guest, add_policy, add_timezone, policy_of
from hvdegraded.cli.console import announce_typing, standard_output, tell
from hvdegraded.cli.exit_codes import INTERRUPTED, NOTHING
from hvdegraded.cli.signalled_input import ended_by_signals
from hvdegraded.errors import HvdegradedError

__all__ = ["add_parser", "run"]

_PATIENCE = 1.0  # seconds in which stderr may take the counts


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
    add_guest(command)
    command.add_argument(
        "--drop", choices=("ignorable",), help="leave out lines whose verdict is proven ignorable"
    )
    command.add_argument(
        "--drop-assumed", action="store_true", help="with --drop ignorable: those that are assumed, too"
    )
    command.add_argument(
        "--only", choices=("hyperv",), help="leave out lines that are certainly not Hyper-V events"
    )
    command.add_argument(
        "--format",
        metavar="NAME",
        help="do not guess the shipper: winlogbeat, …; syslog: read its lines too",
    )
    add_timezone(command)
    command.add_argument("--stats", action="store_true", help="print counts to stderr at the end")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from hvdegraded.guests.inventory import GuestInventory
    from hvdegraded.pipeline.labeller import Labeller

    if options.drop_assumed and not options.drop:
        raise HvdegradedError("--drop-assumed says what --drop leaves out too", hint="add --drop ignorable")
    labeller = Labeller(
        guests=options.guests,
        given=GuestInventory.load(dict(options.guest)) if options.guest else None,
        policy=policy_of(options),
        drop_ignorable=options.drop == "ignorable",
        drop_assumed=options.drop_assumed,
        only_hyper_v=options.only == "hyperv",
        dialect=options.format,
        timezone=options.timezone,
        warn=partial(tell, wait=0),
    )
    announce_typing()
    target = standard_output()
    try:
        with ended_by_signals(sys.stdin.fileno()) as source:
            labeller.run(cast("BinaryIO", source), target)
    finally:
        if options.stats:
            tell(labeller.stats, wait=_PATIENCE)
    return INTERRUPTED if signal.SIGINT in source.signals else NOTHING
