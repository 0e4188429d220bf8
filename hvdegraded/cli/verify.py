"""The command `verify`: read .evtx logs with every reader installed, and compare."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
from collections.abc import Iterator

from hvdegraded.cli.arguments import Commands, add_output
from hvdegraded.cli.console import print_lines
from hvdegraded.cli.exit_codes import ACTIONABLE, NOTHING, UNREADABLE

__all__ = ["add_parser", "run"]


def add_parser(commands: Commands) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser(
        "verify",
        help="read .evtx logs with every reader installed, and compare",
        description="Read .evtx logs with every reader that is installed, and tell where they differ. "
        "Exit code 1: they differ in more than the known faults of the others.",
    )
    command.add_argument("paths", nargs="+", metavar="PATH", help=".evtx log, folder or pattern")
    command.add_argument("--json", action="store_true", help="one JSON line for each file")
    add_output(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from hvdegraded.reading.inputs import expand_paths
    from hvdegraded.verify.comparison import verify

    agreed, killed = True, False
    with _children_ended():
        for path in (path for name in options.paths for path in expand_paths(name)):
            found = verify(path)
            agreed = agreed and found.agreed
            killed = killed or any(witness.killed for witness in found.witnesses)
            print_lines(json.dumps(found.to_dict()) if options.json else str(found))
    if killed:  # what it would have found is not known
        return UNREADABLE
    return NOTHING if agreed else ACTIONABLE


@contextlib.contextmanager
def _children_ended() -> Iterator[None]:
    """Let SIGTERM be an exception, so that a reader that hangs in a child process is ended too."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
