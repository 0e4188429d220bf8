"""Write the sample logs: `python -m tests.tools.sample_logs [folder]`. The same bytes every time.

Each event row carries the label and reason that its author expects of it, derived by hand from the facts
named beside it: no classifier runs here.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from hvdegraded.formats.evtx.writer import write_evtx
from tests.tools.corpus import SAMPLE_LOGS
from tests.tools.sample_events import (
    ACTIONABLE,
    IGNORABLE,
    PREFIX,
    Log,
)
from tests.tools.sample_exports import event_xml, guests_json, rendering_xml, winlogbeat
from tests.tools.sample_hosts import (
    host_2012r2,
    host_2022,
)

__all__ = ["FOLDER", "event_xml", "host_2012r2", "host_2022", "main", "winlogbeat"]

FOLDER = SAMPLE_LOGS


def expectations(logs: Iterable[Log]) -> Iterator[dict[str, object]]:
    for log in logs:
        for row in log.rows:
            if row.label:
                yield {
                    "file": log.path,
                    "record_id": row.record.record_id,
                    "provider": row.record.provider,
                    "event_id": row.record.event_id,
                    "label": row.label,
                    "reason": row.reason,
                    "why": row.why,
                }


def counts_table(logs: Iterable[Log]) -> str:
    lines = ["| log | events | ignorable | actionable |", "|---|---|---|---|"]
    for log in logs:
        labels = Counter(row.label for row in log.rows)
        lines.append(f"| {log.path} | {len(log.rows)} | {labels[IGNORABLE]} | {labels[ACTIONABLE]} |")
    return "\n".join(lines)


def actionable_table(logs: Iterable[Log]) -> str:
    lines = ["| log | record | event | why |", "|---|---|---|---|"]
    for log in logs:
        for row in log.rows:
            if row.label == ACTIONABLE:
                event = f"{row.record.provider.removeprefix(PREFIX)} {row.record.event_id}"
                lines.append(f"| {log.path} | {row.record.record_id} | {event} | {row.why} ({row.reason}) |")
    return "\n".join(lines)


def main(folder: Path = FOLDER) -> None:
    """Write everything below a folder."""
    logs = [*host_2012r2(), *host_2022()]
    for number, log in enumerate(logs):
        log.finish(1000 * (number + 1))
        target = folder / log.path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_evtx(target, [row.record for row in log.rows], first_record_id=1000 * (number + 1))
    (folder / "guests.json").write_text(guests_json(), encoding="utf-8", newline="\n")
    expected = [json.dumps(row) for row in expectations(logs)]
    (folder / "expected.jsonl").write_text("\n".join(expected) + "\n", encoding="utf-8", newline="\n")

    exports = folder / "exports"
    exports.mkdir(exist_ok=True)
    some = [row.record for row in logs[1].rows if row.record.level != 4][:40]
    text = "\n".join(map(event_xml, some)) + "\n"
    (exports / "hv2012r2-worker-wevtutil.xml").write_text(text, encoding="utf-8", newline="\n")
    some = [row.record for row in logs[7].rows] + [row.record for row in logs[6].rows]
    rendered = [
        event_xml(
            record,
            rendering_xml("de-DE" if at % 2 else "en-US", "Warnung" if at % 2 else "Warning", "sample"),
        )
        for at, record in enumerate(some)
    ]
    text = (
        "<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n<Events>"
        + "".join(rendered)
        + "</Events>\n"
    )
    (exports / "hv2022-eventviewer.xml").write_text(text, encoding="utf-8", newline="\n")
    shipped = [
        json.dumps(winlogbeat(row.record)) for row in (*logs[0].rows[:30], *logs[2].rows, *logs[5].rows[:30])
    ]
    (exports / "winlogbeat.jsonl").write_text("\n".join(shipped) + "\n", encoding="utf-8", newline="\n")

    template = (Path(__file__).parent / "sample_logs_readme.md").read_text(encoding="utf-8")
    readme = template.replace("COUNTS", counts_table(logs)).replace("ACTIONABLE", actionable_table(logs))
    (folder / "README.md").write_text(readme, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
