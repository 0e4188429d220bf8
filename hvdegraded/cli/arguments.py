"""Arguments that several commands share, and what they become."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hvdegraded.cli.console import standard_input, tell
from hvdegraded.cli.selection import add_selection, add_times, times_of
from hvdegraded.cli.usage import meant
from hvdegraded.errors import HvdegradedError
from hvdegraded.records.options import Engine, ReadOptions
from hvdegraded.records.record import Level

if TYPE_CHECKING:
    from hvdegraded.findings.companions import Companions

__all__ = [
    "FAIL_ON",
    "Arguments",
    "Commands",
    "add_fail_on",
    "add_guest",
    "add_output",
    "add_policy",
    "add_timezone",
    "add_triage",
    "builder_of",
    "given_guests",
    "guest_argument",
    "inputs_of",
    "policy_of",
    "read_options_of",
    "source_of",
]

_FAMILIES = ("linux", "freebsd", "windows")
_SAFE_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_. -]{0,99}", re.ASCII)

Commands = Any
"""What `add_subparsers` returns."""
Arguments = Any
"""A parser or a group of its arguments."""

FAIL_ON = {
    "act": ("act",),
    "check": ("act", "check"),
    "assumed": ("act", "check", "assumed"),
    "never": (),
}
"""Sections of which a finding makes the exit code 1."""

_LEVELS = {level.name.lower(): level for level in Level if level is not Level.LOG_ALWAYS}


def add_policy(command: Arguments) -> None:
    """Add the arguments on which verdicts depend."""
    command.add_argument("--guests", metavar="FILE", help="inventory: which VM runs what (JSON, CSV)")
    command.add_argument(
        "--unknown-guest",
        choices=("ignorable", "actionable"),
        default="ignorable",
        help="label of a mismatch that works, if the guest's system is not known (default: ignorable)",
    )
    command.add_argument("--policy", metavar="FILE", help="TOML: rows of your own, acknowledged findings")


def add_fail_on(command: Any) -> None:
    """Add the argument that says which sections make the exit code 1."""
    command.add_argument(
        "--fail-on",
        choices=FAIL_ON,
        default="check",
        help="what makes the exit code 1; each includes the ones before it (default: check)",
    )


def add_guest(command: Arguments) -> None:
    """Add the argument that names the system of one VM."""
    command.add_argument(
        "--guest",
        type=_guest,
        action="append",
        default=[],
        metavar="NAME=SYSTEM",
        help="what a VM runs, by name or id: web01=linux, 'db 2=Windows Server 2019'; can be repeated",
    )


def _guest(text: str) -> tuple[str, str]:
    name, separator, system = text.partition("=")
    if not (separator and name.strip() and system.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} names no VM and its system; write web01=linux")
    _check_system(name.strip(), system.strip())
    return name.strip(), system.strip()


def _check_system(name: str, system: str) -> None:
    """Raise ArgumentTypeError for a system that is not known: it would hide what the inventory names."""
    from hvdegraded.guests.guest import ProblemKind
    from hvdegraded.guests.inventory import GuestInventory

    try:
        problems = GuestInventory.load({name: system}).problems
    except HvdegradedError as error:
        raise argparse.ArgumentTypeError(error.message) from None
    wrong = next((one for one in problems if one.kind is ProblemKind.UNKNOWN_SYSTEM), None)
    if wrong is not None:
        raise argparse.ArgumentTypeError(f"{wrong.reason}{meant(system, _FAMILIES)}")


def add_output(
    command: Arguments,
    *,
    dest: str = "output",
    text: str = "write what would be printed to this file, in UTF-8",
) -> None:
    """Add the argument that sends what is printed to a file; `main` sees to what is named `output`."""
    command.add_argument("-o", "--output", dest=dest, metavar="FILE", help=text)


def inputs_of(options: argparse.Namespace) -> Iterator[str | int | os.PathLike[str]]:
    """Give the files that output must not be written over; an older page in a folder of logs may be."""
    from hvdegraded.reading.inputs import expand_paths

    given = vars(options)
    yield from filter(None, (given.get(name) for name in ("guests", "policy", "rows")))
    named = [*(given.get("paths") or ()), *(given.get("files") or ()), *(given.get("logs") or ())]
    if given.get("input"):
        named.append(given["input"])
    for name in named:
        if name == "-":
            yield 0
        with contextlib.suppress(HvdegradedError):  # which the reading reports
            yield from (path for path in expand_paths(name) if not _is_page(path))


def _is_page(path: Path) -> bool:
    if not path.is_file():
        return False
    with contextlib.suppress(OSError), path.open("rb") as stream:
        return stream.read(9).lower() == b"<!doctype"
    return False


def add_triage(command: argparse.ArgumentParser) -> None:
    """Add the arguments that make a triage: inputs, what is looked at, what is known, how inputs are read."""
    command.add_argument(
        "paths", nargs="+", metavar="PATH", help="file, folder or pattern; - alone reads stdin"
    )
    looked_at = command.add_argument_group("which events")
    add_selection(looked_at)
    add_times(looked_at)
    looked_at.add_argument(
        "--min-level",
        type=str.lower,
        choices=_LEVELS,
        default="warning",
        metavar="LEVEL",
        help=f"these and worse: {', '.join(_LEVELS)} (default: warning)",
    )
    known = command.add_argument_group("what is known of the VMs")
    add_policy(known)
    add_guest(known)
    _add_reading(command.add_argument_group("how inputs are read"))


def _add_reading(command: Arguments) -> None:
    """Add the arguments that say how inputs are read."""
    add_timezone(command)
    command.add_argument("--strict", action="store_true", help="stop at the first record that cannot be read")
    command.add_argument("--carve", action="store_true", help="look for event chunks anywhere in any file")
    command.add_argument(
        "--remnants", action="store_true", help="the same, and older records that chunks still hold"
    )
    command.add_argument(
        "--together",
        action="store_true",
        help="all logs of a host were exported at one time: in one that ends earlier than others, nothing "
        "else had happened by then",
    )
    command.add_argument(
        "--workers", type=int, default=1, metavar="N", help="read large inputs with N processes (default: 1)"
    )
    engines = [str(engine) for engine in Engine]
    command.add_argument(
        "--engine",
        choices=engines,
        default=str(Engine.HVDEGRADED),
        metavar="NAME",
        help=f"what reads .evtx logs: {', '.join(engines)} (default: hvdegraded)",
    )


def add_timezone(command: Arguments) -> None:
    """Add the argument that names the zone of times without one."""
    command.add_argument(
        "--timezone",
        metavar="ZONE",
        help="zone of times in the input that name none, as Europe/Berlin (default: UTC)",
    )


def read_options_of(options: argparse.Namespace) -> ReadOptions:
    """How inputs are read, as the arguments say."""
    return ReadOptions.of(
        strict=options.strict,
        engine=options.engine,
        carve=options.carve,
        remnants=options.remnants,
        together=options.together,
        timezone=options.timezone,
        workers=options.workers,
        progress=True,
    )


def source_of(options: argparse.Namespace) -> Any:
    """What is to be read: paths, or standard input."""
    if "-" in options.paths and len(options.paths) > 1:
        raise HvdegradedError("- is standard input, and must be the only path")
    return standard_input() if options.paths == ["-"] else options.paths


def builder_of(options: argparse.Namespace, found: Companions) -> Any:
    """Make the builder of a triage, with the inventory, the policy and the bounds that were given.

    What was found beside the logs is part of the inventory.
    """
    from hvdegraded.findings.builder import TriageBuilder
    from hvdegraded.verdicts.classifier import Classifier

    classifier = Classifier(found.beside(given_guests(options)), policy_of(options))
    since, until = times_of(options)
    return TriageBuilder(classifier, min_level=_LEVELS[options.min_level], since=since, until=until)


def given_guests(options: argparse.Namespace) -> Any:
    """The inventory that was given, in a file and VM by VM."""
    from hvdegraded.guests.inventory import GuestInventory

    guests = GuestInventory.load(options.guests) if options.guests else GuestInventory()
    if options.guest:
        given = GuestInventory.load(dict(options.guest))
        guests = GuestInventory((*given, *guests), (*given.problems, *guests.problems))
    for problem in guests.problems:
        tell(f"guests: {problem}")
    return guests


def guest_argument(vm_name: str | None, vm_id: str | None) -> str:
    """The argument that names the system of a VM; a name that a shell could misread is given as id."""
    name = vm_name if vm_name and _SAFE_NAME.fullmatch(vm_name) else vm_id
    if not name or not _SAFE_NAME.fullmatch(name):
        return ""
    return f"--guest '{name}=…'" if " " in name else f"--guest {name}=…"


def policy_of(options: argparse.Namespace) -> Any:
    """The policy that was given."""
    from hvdegraded.verdicts.policy import Policy
    from hvdegraded.verdicts.verdict import Label

    unknown = Label.IGNORABLE if options.unknown_guest == "ignorable" else Label.ACTIONABLE
    return Policy.load(options.policy, unknown_guest=unknown) if options.policy else Policy(unknown)
