"""The command `check`: look over the rows of a policy, and what they change in logs."""

from __future__ import annotations

import argparse

from hvdegraded.cli.arguments import Commands, add_output, add_timezone
from hvdegraded.cli.console import print_lines, tell
from hvdegraded.cli.exit_codes import ACTIONABLE, NOTHING

__all__ = ["add_parser", "run"]


def add_parser(commands: Commands) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser(
        "check",
        help="look over the rows of a policy, and what they change in logs",
        description="Look over the rows of a policy: a row that cannot be used, a problem without remedy, a "
        "field that no event has, and what changes in rows of the library. With logs, also what the rows "
        "change there. Exit code 1: something should be mended.",
    )
    command.add_argument("rows", metavar="ROWS", help="TOML file with rows")
    command.add_argument("logs", nargs="*", metavar="LOG", help="log, folder or pattern")
    add_timezone(command)
    add_output(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from hvdegraded.knowledge.linter import lint_rows
    from hvdegraded.knowledge.tables import load_knowledge
    from hvdegraded.verdicts.policy import Policy
    from hvdegraded.verify.row_changes import row_changes

    policy = Policy.load(options.rows)  # raises for what a triage would refuse, acknowledgements too
    remarks = lint_rows(options.rows, load_knowledge())
    for remark in remarks:
        print_lines(f"{options.rows}:{remark}")
    if options.logs:
        changes = row_changes(options.logs, policy, timezone=options.timezone)
        for change in changes:
            print_lines(str(change))
        if not changes:
            tell("the rows change no verdict in these logs")
    faults = sum(remark.is_fault for remark in remarks)
    tell(f"{len(remarks)} remarks, {faults} of them faults")
    return ACTIONABLE if faults else NOTHING
