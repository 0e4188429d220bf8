"""Events of one VM seen together, with the inventory and the coverage of the tests of verdicts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import hvdegraded as hv
from hvdegraded.records.coverage import ChannelCoverage, Coverage
from hvdegraded.records.record import EventRecord
from hvdegraded.verdicts.classifier import Classifier
from hvdegraded.verdicts.history import History
from hvdegraded.verdicts.verdict import Verdict
from tests.tools.verdict_cases import (
    HV,
    ID,
    VM,
    guests,
    integration,
    storvsp,
)

T = storvsp(5, "6.0", "6.2").time_ticks or 0
HOUR = 60 * 600_000_000
CHANNELS = tuple(f"{HV}{name}-Admin" for name in ("Worker", "VMMS", "SynthStor", "SynthNic", "StorageVSP"))
LINUX = guests("linux")
REFUSED = storvsp(5, "6.0", "6.2")
RDV = integration("-RDV", versions=("3.0", "3.0", "1.0", "3.0"))
TIME_SYNC = integration("-TimeSync", versions=("3.0", "3.0", "3.0", "4.0"))


def covered(first: int = T - HOUR, last: int = T + HOUR, *channels: str) -> ChannelCoverage:
    return ChannelCoverage(Coverage("hv1", channel, first, last) for channel in channels or CHANNELS)


def verdicts(
    records: list[EventRecord], inventory: hv.GuestInventory = LINUX, coverage: ChannelCoverage | None = None
) -> list[Verdict]:
    """The verdicts on events seen together, by default with all channels read whole."""
    classifier = Classifier(inventory)
    history = History()
    for one in records:
        classifier.observe(one, history)
    history.coverage = covered() if coverage is None else coverage
    return [classifier.classify(one, history) for one in records]


def taken(when: datetime | None, system: str = "Ubuntu 22.04.4 LTS", **row: Any) -> hv.GuestInventory:
    cells = {"Name": VM, "Id": ID, "OSName": system, **row}
    if when is not None:
        cells["Taken"] = when.isoformat()
    return hv.GuestInventory.load([cells])


MOMENT = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=T // 10)
