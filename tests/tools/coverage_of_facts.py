"""How many of the events that public sources name the tables know, by provider.

`known_pairs.tsv` holds every (provider, id) that was found in public manifests, articles and records, with
its level (`?` where it is presumed) and the order of its fields, where the source gives them.

    python -m tests.tools.coverage_of_facts
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from hvdegraded.knowledge.tables import Knowledge, load_knowledge
from hvdegraded.knowledge.vocabulary import Role

__all__ = ["PAIRS", "Coverage", "Pair", "coverage", "table"]

_FILE = Path(__file__).parents[1] / "knowledge" / "known_pairs.tsv"


class Pair(NamedTuple):
    """An event of a public source; `level` as there, `presumed` where it was not stated."""

    provider: str
    event_id: int
    level: str
    presumed: bool
    fields: tuple[str, ...]


class Coverage(NamedTuple):
    """The pairs of one provider: all, those that have a row, and those whose row says what to do."""

    provider: str
    pairs: int
    known: int
    answered: int


def _pairs() -> tuple[Pair, ...]:
    with _FILE.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    return tuple(
        Pair(
            row["provider"],
            int(row["id"]),
            row["level"].rstrip("?"),
            row["level"].endswith("?"),
            tuple(row["fields"].split()),
        )
        for row in rows
    )


PAIRS = _pairs()


def coverage(knowledge: Knowledge) -> list[Coverage]:
    """Count pairs by provider, in the order of their names."""
    pairs: Counter[str] = Counter(pair.provider for pair in PAIRS)
    known: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for pair in PAIRS:
        row = knowledge.event(pair.provider, pair.event_id)
        if row is not None:
            known[pair.provider] += 1
            answered[pair.provider] += row.role is Role.INFORMATION or bool(row.remedy or row.outcome)
    return [Coverage(name, pairs[name], known[name], answered[name]) for name in sorted(pairs)]


def table(knowledge: Knowledge) -> str:
    """Return the coverage as a table in Markdown."""
    lines = ["| provider | events in public sources | known | with an answer |", "|---|---:|---:|---:|"]
    found = coverage(knowledge)
    lines += [f"| {row.provider} | {row.pairs} | {row.known} | {row.answered} |" for row in found]
    totals = [sum(column) for column in zip(*(row[1:] for row in found), strict=True)]
    return "\n".join([*lines, f"| all | {' | '.join(map(str, totals))} |"])


if __name__ == "__main__":
    print(table(load_knowledge()))
