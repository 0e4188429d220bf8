"""The command `guests-script`: print the PowerShell script that writes guests.json."""

from __future__ import annotations

import argparse

from hvdegraded.cli.arguments import Commands, add_output
from hvdegraded.cli.exit_codes import NOTHING

__all__ = ["add_parser", "run"]


def add_parser(commands: Commands) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser(
        "guests-script",
        help="print the PowerShell script that writes guests.json",
        description="Print a PowerShell script. Run on a host, it writes guests.json: which VM runs what.",
        epilog="Example: hvdegraded guests-script -o guests.ps1",
    )
    add_output(command)
    command.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from hvdegraded.knowledge.guest_systems import guests_script

    print(guests_script())
    return NOTHING
