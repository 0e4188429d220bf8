"""The baseline of a triage: a file with the findings of the last run, so that only new ones are shown."""

from __future__ import annotations

import argparse
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hvdegraded.errors import HvdegradedError
from hvdegraded.formats.drafts import drafted

if TYPE_CHECKING:
    from hvdegraded.findings.entries import FindingEntry
    from hvdegraded.findings.event_groups import EventGroup
    from hvdegraded.findings.groups import Finding
    from hvdegraded.findings.triage import Triage

__all__ = ["baseline_of", "new_since", "read_baseline", "write_baseline"]

_SCHEMA = "hvdegraded.baseline"
_MOST_NAMED = 5


class Known(NamedTuple):
    """A finding of an earlier run: the time of its last event, its section, and its host."""

    last: str | None
    section: str
    host: str | None


class Baseline(NamedTuple):
    """Findings of earlier runs by id, and where the last one looked for them: paths, times and level."""

    paths: list[str]
    bounds: dict[str, str | None]
    findings: dict[str, Known]


def read_baseline(path: str) -> Baseline:
    """Read the findings of the last run; empty if the file does not exist yet."""
    import json

    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would be waited for, a device have no end
            raise HvdegradedError(
                "this is not a regular file", path=path, hint="name a file for the baseline"
            )
        data = Path(path).read_bytes()
    except FileNotFoundError:
        return Baseline([], {}, {})
    except OSError as error:
        raise HvdegradedError(f"the baseline cannot be read: {error.strerror}", path=path) from error
    try:
        content = json.loads(data)
        if content["schema"] != _SCHEMA:
            raise ValueError
        findings = {key: Known(**row) for key, row in content["findings"].items()}
        if not all(one is None or isinstance(one, str) for known in findings.values() for one in known):
            raise ValueError
        return Baseline(list(content["paths"]), dict(content["bounds"]), findings)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        raise HvdegradedError(
            "this is not a baseline", path=path, hint="name a new file, or one that this wrote"
        ) from None


def new_since(known: Baseline, found: Triage, zone: tzinfo | None, *, again: bool = False) -> Triage:
    """What the last run did not find, or found less urgent, as under an acknowledgement that has ended.

    An outage that happened again is new too, and with `again` all else that did. The events of the rest are
    counted as excluded; what of it happened again is named, with times of `zone`.
    """
    from hvdegraded.findings.exclusion import Exclusion
    from hvdegraded.findings.groups import findings_of

    excluded = Counter(found.excluded)
    groups: list[EventGroup] = []
    repeated = set()
    for finding in found:
        is_later = _is_known(known, finding) and _is_later(finding.last, known.findings[finding.id].last)
        if not _is_known(known, finding) or (is_later and (again or _is_outage(finding))):
            groups += finding.groups
        elif is_later:
            repeated.add(finding.id)
            excluded[Exclusion.KNOWN_AGAIN] += finding.count
        else:
            excluded[Exclusion.KNOWN] += finding.count
    entries = [entry for entry in found.document.findings if entry.id in repeated] if repeated else []
    named = tuple(_named(entries, zone))
    others = (finding for finding in findings_of(found.left_out) if not _is_known(known, finding))
    left_out = tuple(group for finding in others for group in finding.groups)
    return replace(found, groups=tuple(groups), excluded=+excluded, happened_again=named, left_out=left_out)


def _is_known(known: Baseline, finding: Finding) -> bool:
    from hvdegraded.findings.groups import Section

    if finding.id not in known.findings:
        return False
    order = [str(section) for section in Section]
    before = known.findings[finding.id].section
    return before not in order or order.index(before) <= order.index(finding.section)


def _is_outage(finding: Finding) -> bool:
    """Whether a VM was down or lost a device: each such event is news, as that of a known merge is not."""
    from hvdegraded.findings.groups import Section
    from hvdegraded.records.record import Level

    facts = (group.example.fact for group in finding.groups)
    is_down = finding.level == Level.CRITICAL or any(fact is not None and fact.vm_failure for fact in facts)
    return finding.section is Section.ACT and is_down


def _named(entries: Iterable[FindingEntry], zone: tzinfo | None) -> Iterator[str]:
    """Lines that count and name what is to act on or to check; the first can stand alone."""
    from hvdegraded.findings.groups import Section
    from hvdegraded.findings.render.words import TITLES, stamp

    urgent = [entry for entry in entries if entry.section in (Section.ACT, Section.CHECK)]
    counts = Counter(entry.section for entry in urgent)
    if urgent:
        numbers = ", ".join(f"{count} {TITLES[section].lower()}" for section, count in counts.items())
        yield f"Happened again, known before: {numbers}"
    for entry in urgent[:_MOST_NAMED]:
        whose = " on ".join(name for name in (entry.vm, entry.host) if name) or "(no host)"
        yield f"{whose}: {entry.problem}, last {stamp(entry.last, zone)}  [{entry.id}]"
    if len(urgent) > _MOST_NAMED:
        yield f"and {len(urgent) - _MOST_NAMED} more"


def _is_later(moment: datetime | None, known: str | None) -> bool:
    if moment is None or known is None:
        return False
    try:
        return moment > datetime.fromisoformat(known)
    except (TypeError, ValueError):
        return True


def baseline_of(whole: Triage, shown: Triage, known: Baseline, options: argparse.Namespace) -> Baseline:
    """The baseline after a run that found `whole`, and reported on `shown` of that.

    What was not shown does not become known. What was known is forgotten only if this run looked for it as
    the last one did, within the same times and levels, read the same paths or its host, and did not find it.
    """
    from hvdegraded.verdicts.history import short_host

    bounds = {"since": options.since, "until": options.until, "min_level": options.min_level}
    report, found = whole.report, {finding.id: finding.count for finding in whole}
    findings = {
        one.id: Known(one.last.isoformat() if one.last else None, str(one.section), one.host)
        for one in shown
        if one.count == found[one.id]  # a selection may show a part of its events
    }
    hosts = {short_host(one) for one in whole.document.hosts}
    hosts |= {short_host(one.host) for one in report.coverage if one.host}
    is_whole = not (report.interrupted or report.unreadable or report.lost or whole.silent_hosts)
    is_whole = is_whole and whole.document.emptiness is None
    for key, one in known.findings.items():
        was_read = options.paths == known.paths or short_host(one.host or "") in hosts
        if key in found or not (is_whole and was_read and bounds == known.bounds):
            findings.setdefault(key, one)
    return Baseline(list(options.paths), bounds, findings)


def write_baseline(path: str, after: Baseline, inputs: Iterable[str | int | os.PathLike[str]]) -> None:
    """Write a baseline, whole or not at all."""
    import json

    findings = {key: known._asdict() for key, known in after.findings.items()}
    content = {"schema": _SCHEMA, "schema_version": 1, **after._asdict(), "findings": findings}
    with drafted(path, inputs) as target:
        target.write(json.dumps(content, indent=1).encode() + b"\n")
