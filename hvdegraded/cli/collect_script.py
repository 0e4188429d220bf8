"""The command `collect-script`: print the PowerShell script that collects all of a host in one zip."""

from __future__ import annotations

import argparse

from hvdegraded.cli.arguments import Commands, add_output
from hvdegraded.cli.exit_codes import NOTHING

__all__ = ["add_parser", "run"]


def add_parser(commands: Commands) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser(
        "collect-script",
        help="print the PowerShell script that collects a host's logs and inventory in one zip",
        description="Print a PowerShell script. Run on a host, it writes one zip: the event logs in which "
        "Hyper-V reports, which VM runs what, the host's build and time zone, and when all that was taken. "
        "triage takes the zip as it is.",
        epilog="Example: hvdegraded collect-script -o collect.ps1, run it on the host, then "
        "hvdegraded triage HV1.zip",
    )
    add_output(command)
    command.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from hvdegraded.knowledge.collection_script import collect_script

    print(collect_script())
    return NOTHING
