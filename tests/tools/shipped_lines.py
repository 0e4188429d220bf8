"""Lines of shippers as the tests read them."""

from __future__ import annotations

import io

from hvdegraded.formats.shippers.json_lines import LONGEST_LINE, read_json_lines
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.reading.delivery import delivered
from hvdegraded.records.record import EventRecord, ProviderFilter
from hvdegraded.records.report import ReadReport

HYPER_V = load_knowledge().provider_filter()
VMMS = "Microsoft-Windows-Hyper-V-VMMS"


def lines(
    data: bytes, wanted: ProviderFilter | None = None, *, longest: int = LONGEST_LINE
) -> tuple[list[EventRecord], ReadReport]:
    report = ReadReport()
    records = list(
        delivered(read_json_lines(io.BytesIO(data), report.path, wanted, longest=longest), report, wanted)
    )
    assert report.records_seen == report.delivered + report.filtered + report.lost
    return records, report
