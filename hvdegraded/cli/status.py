"""The command `status`: judge console states that were exported."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from hvdegraded.cli.arguments import (
    FAIL_ON,
    Commands,
    add_fail_on,
    add_guest,
    add_output,
    add_policy,
    given_guests,
    guest_argument,
    policy_of,
)
from hvdegraded.cli.console import print_wrapped, standard_input, tell
from hvdegraded.cli.exit_codes import ACTIONABLE, NOTHING, UNREADABLE
from hvdegraded.errors import HvdegradedError

if TYPE_CHECKING:
    from hvdegraded.guests.console_status import ConsoleStatus

__all__ = ["add_parser", "run"]


def add_parser(commands: Commands) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser(
        "status",
        help="judge states of VMs that Get-VM and its kin show",
        description="Judge exported states of VMs, integration services and network adapters: Get-VM, "
        "Get-VMIntegrationService, Get-VMNetworkAdapter, WMI, System Center, as JSON, CSV, CLIXML, or what "
        "Format-List and Format-Table print.",
        epilog="Example: Get-VM | Get-VMIntegrationService | ConvertTo-Json -Depth 3 > states.json, then "
        "hvdegraded status states.json --guests guests.json",
    )
    command.add_argument("files", nargs="+", metavar="FILE", help="an export; - alone reads stdin")
    add_policy(command)
    add_guest(command)
    form = command.add_mutually_exclusive_group()
    form.add_argument(
        "--json",
        choices=("events", "findings"),
        help="one JSON line for each state, with its verdict (--json), or one document (--json=findings)",
    )
    form.add_argument("--quiet", action="store_true", help="the counts only, in one line")
    command.add_argument("--all", action="store_true", help="list all states, proven noise too")
    add_fail_on(command)
    add_output(command)
    command.set_defaults(run=run)


def _settle(status: ConsoleStatus) -> str:
    return guest_argument(status.vm_name, status.vm_id)


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from hvdegraded.findings.statuses import classify_statuses

    if "-" in options.files and len(options.files) > 1:
        raise HvdegradedError("- is standard input, and must be the only file")
    source = standard_input().read() if options.files == ["-"] else options.files
    guests = given_guests(options) if options.guests or options.guest else None
    found = classify_statuses(source, guests=guests, policy=policy_of(options))
    if options.json == "findings":
        print(json.dumps(found.to_dict(), indent=1))
    elif options.json:
        for one in found:
            print(json.dumps(one.to_dict()))
    elif options.quiet:
        print_wrapped(found.headline())
    else:
        print_wrapped(
            found.text(everything=options.all, settle=lambda one: guest_argument(one.vm_name, one.vm_id))
        )
    if options.json or options.quiet:
        for path, problem in (*found.unreadable, *found.problems):
            tell(f"{path or 'input'}: {problem}")
    if found.unreadable:
        return UNREADABLE
    failing = FAIL_ON[options.fail_on]
    if any(one.section in failing for one in found):
        return ACTIONABLE
    return UNREADABLE if found.problems else NOTHING
