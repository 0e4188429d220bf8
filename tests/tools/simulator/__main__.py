"""Look for faults and sort them: `python -m tests.tools.simulator [worlds] [first seed]`."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.tools.simulator.inventories import Knowledge
from tests.tools.simulator.logs import Cut, Route
from tests.tools.simulator.runs import Run, run


def main(worlds: int = 100, first: int = 0) -> None:
    """Print each class of faults with its count and its first example."""
    counts: Counter[tuple[str, ...]] = Counter()
    examples: dict[tuple[str, ...], str] = {}
    for how, route in ((Cut.NOTHING, None), *((how, Route.EVTX) for how in Cut)):
        for knowledge in Knowledge:
            for seed in range(first, first + (worlds if route is None else worlds // 10)):
                wanted = Run(seed, knowledge, how, route)
                with tempfile.TemporaryDirectory() as folder:
                    for fault in run(wanted, Path(folder)):
                        record = fault.observation.record
                        where = how.name if route else "memory"
                        what = f"{record.provider} {record.event_id}"
                        key = (fault.kind.name, where, knowledge.name, what, str(fault.answer.reason))
                        counts[key] += 1
                        examples.setdefault(key, f"{wanted}\n    {fault}")
    for each, count in sorted(counts.items()):
        print(count, *each, "\n   ", examples[each])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
