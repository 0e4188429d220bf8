"""Arguments that select what a report is about: a VM, a host, a component, a time."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hvdegraded.errors import HvdegradedError
from hvdegraded.timestamps import moment_from_text

if TYPE_CHECKING:
    from hvdegraded.findings.triage import Triage

__all__ = ["add_selection", "add_times", "selected", "times_of"]


def add_selection(command: Any) -> None:
    """Add the arguments that select findings."""
    command.add_argument("--vm", metavar="NAME", help="only this VM, by name or id, and what mentions it")
    command.add_argument("--host", metavar="NAME", help="only what this host logged")
    command.add_argument(
        "--component",
        metavar="NAME",
        help="only version mismatches of one: storage, network, …",
    )


def add_times(command: Any) -> None:
    """Add the arguments that bound times."""
    command.add_argument(
        "--since",
        type=_time_text,
        metavar="TIME",
        help="24h, 7d, yesterday, 2026-11-01 or 2026-11-01T13:00; UTC if it names no zone",
    )
    command.add_argument("--until", type=_time_text, metavar="TIME", help="before that time")
    command.add_argument(
        "--local", action="store_true", help="times without a zone are local times, and reports show those"
    )


def _time_text(text: str) -> str:
    try:
        moment_from_text(text)
    except HvdegradedError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def times_of(options: argparse.Namespace) -> tuple[datetime | None, datetime | None]:
    """The times that bound what is looked at."""
    zone = None if options.local else UTC
    since, until = (
        moment_from_text(text, zone=zone) if text else None for text in (options.since, options.until)
    )
    return since, until


def selected(found: Triage, options: argparse.Namespace) -> Triage:
    """The part of a triage that the arguments select. Raises UnknownNameError for a name without events."""
    if options.host:
        found = found.host(options.host)
    if options.vm:
        found = found.vm(options.vm)
    if options.component:
        found = found.component(options.component)
    return found
