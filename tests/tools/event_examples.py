"""The examples of events, each with the verdict that it must get: `tests/knowledge/examples.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hvdegraded.records.record import EventRecord
from tests.tools.verdict_cases import record

__all__ = ["EXAMPLES", "Example"]

_FILE = Path(__file__).parents[1] / "knowledge" / "examples.toml"


class Example(NamedTuple):
    """An event as a log holds it, the reason of its verdict, and what the summary must contain."""

    provider: str
    event_id: int
    record: EventRecord
    verdict: str
    summary: tuple[str, ...] = ()


def _examples() -> Iterator[Example]:
    rows: list[dict[str, Any]] = tomllib.loads(_FILE.read_text(encoding="utf-8"))["example"]
    for row in rows:
        data = tuple((name or None, text) for name, text in row.get("data", ()))
        for provider in row["providers"]:
            for number in row["ids"]:
                event = record(provider, number, row["level"], data, row.get("message", ""))
                yield Example(provider, number, event, row["verdict"], tuple(row.get("summary", ())))


EXAMPLES = tuple(_examples())
