"""Hosts of which nothing was read within the times asked for: a dead export looks like a quiet host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from hvdegraded.records.report import ReadReport
from hvdegraded.timestamps import datetime_from_ticks
from hvdegraded.verdicts.history import short_host

__all__ = ["SilentHost", "silent_hosts"]


@dataclass(frozen=True, slots=True)
class SilentHost:
    """A host whose inputs all end before the times asked for (`ended`), or begin after them.

    `nearest` is the time of the newest record, or that of the oldest.
    """

    host: str
    nearest: datetime | None
    ended: bool


def silent_hosts(report: ReadReport, since: int | None, until: int | None) -> tuple[SilentHost, ...]:
    """The hosts without an input that reaches into the time from tick `since` until before tick `until`.

    An input counts for each host that it names, by all of its records, also of other providers: in a log of
    forwarded events, a quiet host is not a dead one.
    """
    if since is None and until is None:
        return ()
    start = since or 0
    spans: dict[str, tuple[str, int, int]] = {}
    heard: set[str] = set()
    for hosts, first, last in _inputs(report):
        if (until is None or first < until) and last >= start:
            heard.update(map(short_host, hosts))
        for host in hosts:
            name, oldest, newest = spans.get(short_host(host), (host, first, last))
            spans[short_host(host)] = name, min(oldest, first), max(newest, last)
    return tuple(
        SilentHost(name, datetime_from_ticks(newest if oldest < start else oldest), oldest < start)
        for key, (name, oldest, newest) in sorted(spans.items())
        if key not in heard
    )


def _inputs(report: ReadReport) -> Iterator[tuple[set[str], int, int]]:
    """The hosts of each input, and the times of its oldest and newest record."""
    for part in report.parts:
        yield from _inputs(part)
    spans = [*report.times.pairs.values(), *([report.times.unnamed] if report.times.unnamed else [])]
    if not report.parts and report.times.pairs:
        hosts = {host for host, _ in report.times.pairs}
        yield hosts, min(first for first, _ in spans), max(last for _, last in spans)
