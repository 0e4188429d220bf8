"""Sort a Hyper-V host's event logs into ignorable protocol-version mismatches and what needs action.

>>> import hvdegraded as hv
>>> for event in hv.read("System.evtx"):          # doctest: +SKIP
...     print(event.vm_name, hv.classify(event).summary)
"""

import importlib
import logging
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

from hvdegraded.errors import HvdegradedError
from hvdegraded.events import Event
from hvdegraded.events.normaliser import normalise
from hvdegraded.findings.builder import triage
from hvdegraded.findings.triage import Finding, Triage
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.reading.reader import EventStream, read, read_records
from hvdegraded.records.record import EventRecord, Evidence, Level, Origin, ProviderFilter
from hvdegraded.records.report import ReadReport
from hvdegraded.verdicts.classifier import Classifier, classify
from hvdegraded.verdicts.history import Context
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.verdict import Basis, Label, Reason, Verdict

if TYPE_CHECKING:
    from hvdegraded.formats.evtx.writer import evtx_bytes, write_evtx
    from hvdegraded.pipeline.annotation import annotate
    from hvdegraded.verdicts.console import classify_status

__all__ = [
    "Basis",
    "Classifier",
    "Context",
    "Event",
    "EventRecord",
    "EventStream",
    "Evidence",
    "Finding",
    "GuestInventory",
    "HvdegradedError",
    "Label",
    "Level",
    "Origin",
    "Policy",
    "ProviderFilter",
    "ReadReport",
    "Reason",
    "Triage",
    "Verdict",
    "annotate",
    "classify",
    "classify_status",
    "evtx_bytes",
    "load_knowledge",
    "normalise",
    "read",
    "read_records",
    "triage",
    "write_evtx",
]

logging.getLogger("hvdegraded").addHandler(logging.NullHandler())


_LATE = {  # what few users need is imported when it is asked for
    "annotate": "hvdegraded.pipeline.annotation",
    "classify_status": "hvdegraded.verdicts.console",
    "evtx_bytes": "hvdegraded.formats.evtx.writer",
    "write_evtx": "hvdegraded.formats.evtx.writer",
}


def __dir__() -> list[str]:
    return [*globals(), *_LATE]


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(importlib.import_module(_LATE[name]), name)
    raise AttributeError(f"module 'hvdegraded' has no attribute {name!r}")
