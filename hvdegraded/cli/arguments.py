"""Arguments that several commands share, and what they become."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from hvdegraded.cli.console import standard_input, tell
from hvdegraded.errors import HvdegradedError
from hvdegraded.records.options import Engine, ReadOptions
from hvdegraded.records.record import Level

__all__ = [
    "FAIL_ON",
    "LEVELS",
    "Commands",
    "add_policy",
    "add_reading",
    "classifier_of",
    "moment",
    "policy_of",
    "read_options_of",
    "source_of",
]

Commands = Any
"""What `add_subparsers` returns."""

FAIL_ON = {
    "act": ("act",),
    "check": ("act", "check"),
    "assumed": ("act", "check", "assumed"),
    "never": (),
}
"""Sections of which a finding makes the exit code 1."""

LEVELS = {level.name.lower(): level for level in Level if level is not Level.LOG_ALWAYS}


def add_policy(command: argparse.ArgumentParser) -> None:
    """Add the arguments on which verdicts depend."""
    command.add_argument("--guests", metavar="FILE", help="which VM runs what: JSON or CSV")
    command.add_argument(
        "--unknown-guest",
        choices=("ignorable", "actionable"),
        default="ignorable",
        help="what a mismatch that works is in a guest whose system is not known (default: ignorable)",
    )
    command.add_argument("--policy", metavar="FILE", help="TOML with rows of your own")


def add_reading(command: argparse.ArgumentParser) -> None:
    """Add the inputs, and the arguments that say how they are read and what is looked at."""
    command.add_argument(
        "paths", nargs="+", metavar="PATH", help="file, folder or pattern; - alone reads stdin"
    )
    command.add_argument(
        "--min-level",
        type=str.lower,
        choices=LEVELS,
        default="warning",
        help="look at these and worse (default: warning)",
    )
    command.add_argument("--since", type=moment, metavar="TIME", help="ISO 8601; UTC if it names no zone")
    command.add_argument("--until", type=moment, metavar="TIME", help="before that time")
    command.add_argument("--strict", action="store_true", help="stop at the first record that cannot be read")
    command.add_argument("--carve", action="store_true", help="look for event chunks anywhere in any file")
    command.add_argument(
        "--remnants", action="store_true", help="the same, and older records that chunks still hold"
    )
    command.add_argument(
        "--together",
        action="store_true",
        help="the logs of a host were exported at one time: a log without newer events had none",
    )
    command.add_argument(
        "--workers", type=int, default=1, metavar="N", help="read large inputs with N processes (default: 1)"
    )
    command.add_argument(
        "--engine",
        choices=[str(engine) for engine in Engine],
        default=str(Engine.HVDEGRADED),
        help="what reads .evtx logs (default: hvdegraded)",
    )


def read_options_of(options: argparse.Namespace) -> ReadOptions:
    """How inputs are read, as the arguments say."""
    return ReadOptions.of(
        strict=options.strict,
        engine=options.engine,
        carve=options.carve,
        remnants=options.remnants,
        together=options.together,
        workers=options.workers,
        progress=True,
    )


def source_of(options: argparse.Namespace) -> Any:
    """What is to be read: paths, or standard input."""
    if "-" in options.paths and len(options.paths) > 1:
        raise HvdegradedError("- is standard input, and must be the only path")
    return standard_input() if options.paths == ["-"] else options.paths


def moment(text: str) -> datetime:
    """A time as users write it; UTC if it names no zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write 2026-11-24 or 2026-11-24T13:00"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def classifier_of(options: argparse.Namespace) -> Any:
    """The classifier of the inventory and the policy that were given."""
    from hvdegraded.guests.inventory import GuestInventory
    from hvdegraded.verdicts.classifier import Classifier

    guests = GuestInventory.load(options.guests) if options.guests else None
    for problem in guests.problems if guests else ():
        tell(f"guests: {problem}")
    return Classifier(guests, policy_of(options))


def policy_of(options: argparse.Namespace) -> Any:
    """The policy that was given."""
    from hvdegraded.verdicts.policy import Policy
    from hvdegraded.verdicts.verdict import Label

    unknown = Label.IGNORABLE if options.unknown_guest == "ignorable" else Label.ACTIONABLE
    return Policy.load(options.policy, unknown_guest=unknown) if options.policy else Policy(unknown)
