"""Arguments that several commands share, and what they become."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from hvdegraded.cli.console import tell
from hvdegraded.records.record import Level

__all__ = ["ENGINES", "FAIL_ON", "LEVELS", "Commands", "add_policy", "classifier_of", "moment", "policy_of"]

Commands = Any
"""What `add_subparsers` returns."""

ENGINES = ("hvdegraded", "python-evtx", "evtx", "libevtx")
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
