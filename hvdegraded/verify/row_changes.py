"""What rows of a user change in logs: the same records, judged with and without them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple, Unpack

from hvdegraded.reading.inputs import Source
from hvdegraded.reading.reader import read_records
from hvdegraded.records.options import ReadKeywords
from hvdegraded.verdicts.classifier import Classifier
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.verdict import Verdict

__all__ = ["RowChange", "row_changes"]


class RowChange(NamedTuple):
    """How many events of one provider and id are judged otherwise, and how."""

    provider: str
    event_id: int
    before: str
    after: str
    events: int

    def __str__(self) -> str:
        return f"{self.events} × {self.provider} {self.event_id}: {self.before} → {self.after}"


def row_changes(
    source: Source | Iterable[Source], policy: Policy, **keywords: Unpack[ReadKeywords]
) -> list[RowChange]:
    """Return what a policy's rows change in logs, each event judged alone.

    The keywords are the fields of ReadOptions. Raises SourceError.
    """
    without, with_rows = Classifier(), Classifier(policy=policy)
    counts: Counter[tuple[str, int, str, str]] = Counter()
    wanted = policy.knowledge.provider_filter()
    for record in read_records(source, wanted=wanted, **keywords):  # type: ignore[arg-type]
        before, after = without.classify(record), with_rows.classify(record)
        if _told(before) != _told(after):
            words = (_short(before), _short(after))
            if words[0] == words[1]:
                words = (words[0], "the same in other words")
            counts[record.provider, record.event_id, *words] += 1
    return [RowChange(*key, count) for key, count in counts.most_common()]


def _told(verdict: Verdict) -> tuple[object, ...]:
    return verdict.label, verdict.reason, verdict.severity, verdict.summary, verdict.remedy


def _short(verdict: Verdict) -> str:
    return f"{verdict.reason}, {verdict.severity}"
