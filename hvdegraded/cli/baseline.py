"""The baseline of a triage: a file with the findings of the last run, so that only new ones are shown."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hvdegraded.errors import HvdegradedError
from hvdegraded.formats.drafts import drafted

if TYPE_CHECKING:
    from hvdegraded.findings.triage import Triage

__all__ = ["new_since", "read_baseline", "write_baseline"]

_SCHEMA = "hvdegraded.baseline"

Baseline = dict[str, str | None]
"""Ids of findings, each with the time of its last event."""


def read_baseline(path: str) -> Baseline:
    """Read the findings of the last run; empty if the file does not exist yet."""
    try:
        content = json.loads(Path(path).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise HvdegradedError(f"the baseline cannot be read: {error}", path=path) from error
    known = content.get("findings") if isinstance(content, dict) else None
    if not isinstance(known, dict) or content.get("schema") != _SCHEMA:
        raise HvdegradedError(
            "this is not a baseline", path=path, hint="name a new file, or one that this wrote"
        )
    return known


def new_since(known: Baseline, found: Triage) -> Triage:
    """What the last run did not find; the events of the rest are counted as excluded."""
    from hvdegraded.findings.document import Exclusion

    fresh = [finding for finding in found if finding.id not in known]
    excluded = Counter(found.excluded)
    for finding in found:
        if finding.id in known:
            again = _is_later(finding.last, known[finding.id])
            excluded[Exclusion.KNOWN_AGAIN if again else Exclusion.KNOWN] += finding.count
    groups = tuple(group for finding in fresh for group in finding.groups)
    return replace(found, groups=groups, excluded=+excluded)


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
    kept: Baseline = {} if whole else dict(known)
    kept |= {finding.id: finding.last.isoformat() if finding.last else None for finding in found}
    content = {"schema": _SCHEMA, "schema_version": 1, "findings": kept}
    with drafted(path, inputs) as target:
        target.write(json.dumps(content, indent=1).encode() + b"\n")
