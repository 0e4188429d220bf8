"""The baseline of a triage: a file with the findings of the last run, so that only new ones are shown."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hvdegraded.errors import HvdegradedError
from hvdegraded.formats.drafts import drafted

if TYPE_CHECKING:
    from hvdegraded.findings.document import FindingEntry
    from hvdegraded.findings.groups import EventGroup, Finding
    from hvdegraded.findings.triage import Triage

__all__ = ["new_since", "read_baseline", "write_baseline"]

_SCHEMA = "hvdegraded.baseline"
_MOST_NAMED = 5


class Baseline(NamedTuple):
    """The findings of the last run by id: the time of the last event of each, and its section."""

    last: dict[str, str | None]
    sections: dict[str, str]


def read_baseline(path: str) -> Baseline:
    """Read the findings of the last run; empty if the file does not exist yet."""
    try:
        content = json.loads(Path(path).read_bytes())
    except FileNotFoundError:
        return Baseline({}, {})
    except (OSError, ValueError) as error:
        raise HvdegradedError(f"the baseline cannot be read: {error}", path=path) from error
    content = content if isinstance(content, dict) else {}
    last, sections = content.get("findings"), content.get("sections")
    if not (isinstance(last, dict) and isinstance(sections, dict)) or content.get("schema") != _SCHEMA:
        raise HvdegradedError(
            "this is not a baseline", path=path, hint="name a new file, or one that this wrote"
        )
    return Baseline(last, sections)


def new_since(known: Baseline, found: Triage, zone: tzinfo | None) -> Triage:
    """What the last run did not find, or found less urgent, as under an acknowledgement that has ended.

    The events of the rest are counted as excluded; what of it happened again is named, with times of `zone`.
    """
    from hvdegraded.findings.document import Exclusion

    excluded = Counter(found.excluded)
    groups: list[EventGroup] = []
    again = set()
    for finding in found:
        if not _is_known(known, finding):
            groups += finding.groups
        elif _is_later(finding.last, known.last[finding.id]):
            again.add(finding.id)
            excluded[Exclusion.KNOWN_AGAIN] += finding.count
        else:
            excluded[Exclusion.KNOWN] += finding.count
    entries = [entry for entry in found.document.findings if entry.id in again] if again else []
    named = tuple(_named(entries, zone))
    return replace(found, groups=tuple(groups), excluded=+excluded, happened_again=named)


def _is_known(known: Baseline, finding: Finding) -> bool:
    from hvdegraded.findings.groups import Section

    if finding.id not in known.last:
        return False
    order = [str(section) for section in Section]
    before = known.sections.get(finding.id)
    return before not in order or order.index(before) <= order.index(finding.section)


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


def write_baseline(
    path: str, found: Triage, known: Baseline, inputs: Iterable[str | int | os.PathLike[str]]
) -> None:
    """Write the findings of this run; those of the last one stay where not everything could be read."""
    report = found.report
    whole = not (report.interrupted or report.unreadable)
    last, sections = ({}, {}) if whole else (dict(known.last), dict(known.sections))
    for finding in found:
        last[finding.id] = finding.last.isoformat() if finding.last else None
        sections[finding.id] = str(finding.section)
    content = {"schema": _SCHEMA, "schema_version": 1, "findings": last, "sections": sections}
    with drafted(path, inputs) as target:
        target.write(json.dumps(content, indent=1).encode() + b"\n")
