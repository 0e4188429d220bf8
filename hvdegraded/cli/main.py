"""The command line: arguments in, text or JSON lines out; everything else is done elsewhere.

Exit codes: 0 nothing to act on or to check, 1 something, 2 wrong usage, 3 an input or records not readable,
4 no Hyper-V event found, or none of the times asked for; 130 interrupted, 141 the reader of the output is
gone, as shells count.

Logs can hold anything, so all text passes `printable` on its way out, and JSON is ASCII.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import importlib
import io
import os
import sys
from collections.abc import Sequence

from hvdegraded.cli.arguments import inputs_of
from hvdegraded.cli.console import check_standard_output, escapes_name, printed_to, tell
from hvdegraded.cli.exit_codes import CLOSED_PIPE, INTERRUPTED, UNREADABLE, USAGE
from hvdegraded.cli.usage import CommandParser
from hvdegraded.errors import HvdegradedError, SourceError
from hvdegraded.formats.drafts import NO_ROOM, refusal
from hvdegraded.version import __version__

__all__ = ["main"]

_COMMANDS = ("triage", "status", "explain", "label", "verify", "check", "collect-script", "guests-script")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    _occupy_closed_descriptors()
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] != ["verify"]:  # argparse would take the path behind a bare --json for its value
        given = ["--json=events" if one == "--json" else one for one in given]
    options = _parser(given).parse_args(given)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=escapes_name())  # what the terminal's encoding cannot show
    try:
        code = _run(options)
    except BrokenPipeError:
        return _closed_pipe()
    except KeyboardInterrupt:
        tell("interrupted")
        return INTERRUPTED
    except SourceError as error:
        tell(error)
        return UNREADABLE
    except HvdegradedError as error:
        tell(error)
        return USAGE
    except OSError as error:
        if os.name == "nt" and error.errno == errno.EINVAL and error.filename is None:
            return _closed_pipe()  # as Windows reports it
        if error.errno in NO_ROOM:
            tell(refusal(getattr(options, "target", None) or "standard output", error))
            return USAGE
        tell(error)
        return UNREADABLE
    except MemoryError:
        tell("there is not enough memory; read fewer files at a time, or a shorter time of them")
        return UNREADABLE
    return code


def _run(options: argparse.Namespace) -> int:
    """Run the command, what it prints going to a file if one is named; returns the exit code."""
    if getattr(options, "output", None):
        with printed_to(options.output, inputs_of(options)):
            code: int = options.run(options)
        return code
    if not getattr(options, "target", None):
        check_standard_output()
    code = options.run(options)
    if sys.stdout is not None:
        sys.stdout.flush()
    return code


def _closed_pipe() -> int:
    """Let nothing more be written to standard output, whose reader is gone; returns the exit code."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return CLOSED_PIPE


def _occupy_closed_descriptors() -> None:
    """Keep files that are opened later from becoming standard streams, which others write to."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest one that is free


def _parser(given: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Build the parser, with the command that is given alone, or with all where none is."""
    parser = CommandParser(
        prog="hvdegraded",
        description="Tell which events of a Hyper-V host's logs need action, and which are ignorable "
        "protocol-version mismatches of guests that are not Windows.",
        epilog="Start with: hvdegraded triage FOLDER. Options of a command: hvdegraded COMMAND --help. "
        "Exit codes: 0 nothing to act on or to check, 1 something, 2 wrong usage, 3 an input or records "
        "unreadable, 4 no Hyper-V event found, or a host's logs do not reach into the times asked for.",
    )
    parser.add_argument("--version", action="version", version=f"hvdegraded {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", prog=parser.prog)
    for name in given[:1] if given[:1] and given[0] in _COMMANDS else _COMMANDS:
        importlib.import_module(f"hvdegraded.cli.{name.replace('-', '_')}").add_parser(commands)
    return parser
