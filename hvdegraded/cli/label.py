"""The command `label`: add a verdict to each JSON line of a stream."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import stat
import sys
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, cast

from hvdegraded.cli.arguments import (
    Commands,
    add_guest,
    add_output,
    add_policy,
    add_timezone,
    inputs_of,
    policy_of,
)
from hvdegraded.cli.console import announce_typing, opened, standard_output, tell
from hvdegraded.cli.exit_codes import INTERRUPTED, NOTHING
from hvdegraded.cli.signalled_input import ended_by_signals
from hvdegraded.errors import HvdegradedError, OutputError, UnknownFormatError
from hvdegraded.formats.drafts import drafted, refuse_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

    from hvdegraded.pipeline.labeller import Labeller

__all__ = ["add_parser", "run"]

_ASSUMPTIONS = {"guest-system": "guest system", "what-follows": "what follows"}
_OTHERWISE = "read it with hvdegraded triage; its events as lines: hvdegraded triage --json -o FILE"
_STDERR = 2
_PATIENCE = 1.0  # seconds in which stderr may take the counts


def add_parser(commands: Commands) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser(
        "label",
        help="add a verdict to each JSON line",
        description="Read JSON lines of a log shipper from a file or standard input, write each to standard "
        "output or a file, and add a key (hvdegraded) where it is a Hyper-V event. To alarm, filter by its "
        "severity (act, check, none): what only informs is not ignorable, so its label is actionable too.",
        epilog="Example: hvdegraded label shipped.jsonl -o labelled.jsonl --guests guests.json",
    )
    command.add_argument("input", nargs="?", metavar="FILE", default="-", help="default: standard input")
    add_output(
        command,
        dest="target",
        text="write to this file: whole, when FILE has been read, or line by line from standard input",
    )
    add_policy(command)
    add_guest(command)
    command.add_argument(
        "--drop", choices=("ignorable",), help="leave out lines whose verdict is proven ignorable"
    )
    command.add_argument(
        "--drop-assumed",
        action="append",
        choices=_ASSUMPTIONS,
        default=[],
        help="with --drop ignorable: also those that assume this; can be repeated",
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
    command.add_argument(
        "--stats",
        action="store_true",
        help="print counts of lines to stderr at the end: passed (not of Hyper-V), ignorable, actionable "
        "and, of these, informing (ask for nothing), unread (no event found), broken (not JSON), errors, "
        "dropped, …",
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from hvdegraded.guests.inventory import GuestInventory
    from hvdegraded.pipeline.labeller import Labeller
    from hvdegraded.verdicts.verdict import Assumption

    if options.drop_assumed and not options.drop:
        raise HvdegradedError("--drop-assumed says what --drop leaves out too", hint="add --drop ignorable")
    labeller = Labeller(
        guests=options.guests,
        given=GuestInventory.load(dict(options.guest)) if options.guest else None,
        policy=policy_of(options),
        drop_ignorable=options.drop == "ignorable",
        drop_assumed=map(Assumption, (_ASSUMPTIONS[one] for one in options.drop_assumed)),
        only_hyper_v=options.only == "hyperv",
        dialect=options.format,
        timezone=options.timezone,
        warn=partial(tell, wait=0),
    )
    try:
        if options.input == "-":
            announce_typing()
            with _followed(options) as target:
                signals = _label(labeller, sys.stdin.fileno(), target)
        else:
            with opened(options.input) as source:
                signals = _label_file(labeller, source, options)
    except UnknownFormatError as error:
        given = None if options.input == "-" else options.input
        raise UnknownFormatError(error.message, path=given, hint=_OTHERWISE) from None
    finally:
        if options.stats:
            tell(labeller.stats, wait=_PATIENCE)
    return INTERRUPTED if signal.SIGINT in signals else NOTHING


def _label_file(labeller: Labeller, source: BinaryIO, options: argparse.Namespace) -> list[int]:
    """Label a file; returns the signals that came. An unfinished file does not replace another."""
    with _written(options) as target:
        signals = _label(labeller, source.fileno(), target)
        if signals and (options.target or stat.S_ISREG(os.fstat(source.fileno()).st_mode)):
            tell(f"{options.input} was not read to its end: {signal.Signals(signals[0]).name} came")
            raise SystemExit(128 + signals[0])
    return signals


def _label(labeller: Labeller, descriptor: int, target: BinaryIO) -> list[int]:
    """Label what a descriptor gives until its end or a signal; returns the signals that came."""
    _refuse_shared(descriptor, target)
    with ended_by_signals(descriptor) as source:
        labeller.run(cast("BinaryIO", source), target)
    return source.signals


def _refuse_shared(descriptor: int, target: BinaryIO) -> None:
    """Raise OutputError where the output is the input, as with `label in >> in`, or takes messages too."""
    try:
        written = os.fstat(target.fileno())
    except (OSError, ValueError):  # a draft's stream, which is a file of its own
        return
    if not stat.S_ISREG(written.st_mode):
        return
    if os.path.samestat(os.fstat(descriptor), written):
        raise OutputError("the output is the input, which would never end", hint="write to another file")
    if os.path.samestat(os.fstat(_STDERR), written):
        wrong = "the output is the file of stderr, whose messages would stand between its lines"
        raise OutputError(wrong, hint="write to another file")


def _written(options: argparse.Namespace) -> contextlib.AbstractContextManager[BinaryIO]:
    """Standard output, or the file, written whole."""
    if options.target:
        return drafted(options.target, inputs_of(options))
    return contextlib.nullcontext(standard_output())


@contextlib.contextmanager
def _followed(options: argparse.Namespace) -> Iterator[BinaryIO]:
    """Standard output, or the file, which grows line by line."""
    if not options.target:
        yield standard_output()
        return
    refuse_inputs(options.target, inputs_of(options))
    try:
        file = _Growing(options.target, "ab")
    except OSError as error:
        wrong = f"the file cannot be written: {error.strerror}"
        raise OutputError(wrong, path=options.target, hint="name another place") from None
    with file:
        yield cast("BinaryIO", file)
        file.begin()


class _Growing(io.FileIO):
    """A file that keeps what it held until the first line comes, as the input may be refused."""

    _begun = False

    def begin(self) -> None:
        """Empty the file, once."""
        if not self._begun:
            self._begun = True
            with contextlib.suppress(OSError):  # a device or a pipe
                self.truncate(0)

    def write(self, data: Buffer, /) -> int:
        """Write behind the lines that were written."""
        self.begin()
        return super().write(data)
