"""Sort a Hyper-V host's event logs into ignorable protocol-version mismatches and what needs action.

>>> import hvdegraded as hv
>>> for event in hv.read("System.evtx"):          # doctest: +SKIP
...     print(event.vm_name, hv.classify(event).summary)
"""

from __future__ import annotations

from hvdegraded.version import __version__ as __version__

TYPE_CHECKING = False  # as type checkers know it: typing takes ten times as long to load as this module
if TYPE_CHECKING:
    from hvdegraded.errors import (
        EmptySourceError,
        EvtxWriteError,
        HvdegradedError,
        InventoryError,
        InventoryFileError,
        InventoryTypeError,
        KnowledgeError,
        KnowledgeFileError,
        LegacyEvtError,
        LossError,
        MissingExtraError,
        OutputError,
        SourceError,
        SourceTypeError,
        UnknownFormatError,
        UnknownNameError,
        UnsafeXmlError,
        WrongTypeError,
        WrongValueError,
    )
    from hvdegraded.events import AnyEvent, Event
    from hvdegraded.events.normaliser import normalise
    from hvdegraded.events.stream import EventStream, read
    from hvdegraded.findings.builder import triage
    from hvdegraded.findings.groups import Finding, Section
    from hvdegraded.findings.statuses import JudgedStatus, StatusTriage, classify_statuses
    from hvdegraded.findings.triage import Triage
    from hvdegraded.formats.evtx.writer import evtx_bytes, write_evtx
    from hvdegraded.guests.console_status import ConsoleStatus
    from hvdegraded.guests.inventory import GuestInventory
    from hvdegraded.knowledge.tables import load_knowledge
    from hvdegraded.pipeline.annotated_frames import annotate_frame
    from hvdegraded.pipeline.annotator import annotate, annotate_many
    from hvdegraded.reading.reader import read_records
    from hvdegraded.records.options import ReadOptions
    from hvdegraded.records.record import EventRecord, FieldSource, Level, Origin, ProviderFilter
    from hvdegraded.records.report import ReadReport
    from hvdegraded.verdicts.classifier import Classifier, classify
    from hvdegraded.verdicts.console import classify_status
    from hvdegraded.verdicts.history import History
    from hvdegraded.verdicts.policy import Policy
    from hvdegraded.verdicts.verdict import Assumption, Basis, GuestGap, Label, Reason, Severity, Verdict

__all__ = [
    "AnyEvent",
    "Assumption",
    "Basis",
    "Classifier",
    "ConsoleStatus",
    "EmptySourceError",
    "Event",
    "EventRecord",
    "EventStream",
    "EvtxWriteError",
    "FieldSource",
    "Finding",
    "GuestGap",
    "GuestInventory",
    "History",
    "HvdegradedError",
    "InventoryError",
    "InventoryFileError",
    "InventoryTypeError",
    "JudgedStatus",
    "KnowledgeError",
    "KnowledgeFileError",
    "Label",
    "LegacyEvtError",
    "Level",
    "LossError",
    "MissingExtraError",
    "Origin",
    "OutputError",
    "Policy",
    "ProviderFilter",
    "ReadOptions",
    "ReadReport",
    "Reason",
    "Section",
    "Severity",
    "SourceError",
    "SourceTypeError",
    "StatusTriage",
    "Triage",
    "UnknownFormatError",
    "UnknownNameError",
    "UnsafeXmlError",
    "Verdict",
    "WrongTypeError",
    "WrongValueError",
    "annotate",
    "annotate_frame",
    "annotate_many",
    "classify",
    "classify_status",
    "classify_statuses",
    "evtx_bytes",
    "load_knowledge",
    "normalise",
    "read",
    "read_records",
    "triage",
    "write_evtx",
]

_HOMES = {
    "errors": (
        "EmptySourceError",
        "EvtxWriteError",
        "HvdegradedError",
        "InventoryError",
        "InventoryFileError",
        "InventoryTypeError",
        "KnowledgeError",
        "KnowledgeFileError",
        "LegacyEvtError",
        "LossError",
        "MissingExtraError",
        "OutputError",
        "SourceError",
        "SourceTypeError",
        "UnknownFormatError",
        "UnknownNameError",
        "UnsafeXmlError",
        "WrongTypeError",
        "WrongValueError",
    ),
    "events": (
        "AnyEvent",
        "Event",
    ),
    "events.normaliser": ("normalise",),
    "events.stream": (
        "EventStream",
        "read",
    ),
    "findings.builder": ("triage",),
    "findings.groups": (
        "Finding",
        "Section",
    ),
    "findings.statuses": ("JudgedStatus", "StatusTriage", "classify_statuses"),
    "findings.triage": ("Triage",),
    "formats.evtx.writer": (
        "evtx_bytes",
        "write_evtx",
    ),
    "guests.console_status": ("ConsoleStatus",),
    "guests.inventory": ("GuestInventory",),
    "knowledge.tables": ("load_knowledge",),
    "pipeline.annotated_frames": ("annotate_frame",),
    "pipeline.annotator": ("annotate", "annotate_many"),
    "reading.reader": ("read_records",),
    "records.options": ("ReadOptions",),
    "records.record": (
        "EventRecord",
        "FieldSource",
        "Level",
        "Origin",
        "ProviderFilter",
    ),
    "records.report": ("ReadReport",),
    "verdicts.classifier": (
        "Classifier",
        "classify",
    ),
    "verdicts.console": ("classify_status",),
    "verdicts.history": ("History",),
    "verdicts.policy": ("Policy",),
    "verdicts.verdict": (
        "Assumption",
        "Basis",
        "GuestGap",
        "Label",
        "Reason",
        "Severity",
        "Verdict",
    ),
}
"""Where each public name lives; a module is imported when one of its names is first asked for."""

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'hvdegraded' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"hvdegraded.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value
