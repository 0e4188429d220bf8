"""A data frame of exported events in, the same with columns of verdicts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, TypeVar

from hvdegraded.errors import MissingExtraError, SourceTypeError
from hvdegraded.events import Event, UnrelatedEvent
from hvdegraded.formats.shippers.envelopes import parts_of
from hvdegraded.formats.shippers.frames import is_frame, rows_of
from hvdegraded.formats.shippers.mapping import record_from_mapping
from hvdegraded.pipeline.annotation import most_urgent, untimed_annotation
from hvdegraded.pipeline.annotator import classifier_of
from hvdegraded.records.local_times import in_zone, zone_of
from hvdegraded.records.record import Origin
from hvdegraded.verdicts.classifier import Classifier
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.verdict import Verdict

__all__ = ["COLUMNS", "annotate_frame"]

F = TypeVar("F")

COLUMNS = (
    "label", "reason", "basis", "severity", "assumed", "component", "guest_version", "host_version",
    "vm_name", "vm_id", "host", "summary", "remedy",
)  # fmt: skip
"""Fields of the annotation that become columns, each after `hvdegraded_`."""


def annotate_frame(
    frame: F,
    *,
    guests: object = None,
    policy: Policy | None = None,
    classifier: Classifier | None = None,
    dialect: str | None = None,
    timezone: tzinfo | str | None = None,
) -> F:
    """Return a frame with columns of verdicts (`hvdegraded_label` …), null where a row is not of Hyper-V.

    Takes frames of pandas, polars and pyarrow, with the columns of Sentinel's, Log Analytics' or a shipper's
    exports, or of a Kusto table of them. Each row is seen in the history of all others, as `triage` sees
    events. `assumed` is a boolean, the other columns are text. `dialect` names the shipper, if it is not to
    be guessed; `timezone` is that of times without one. Raises SourceTypeError for what is not a frame.

    >>> import polars
    >>> import hvdegraded as hv
    >>> frame = polars.DataFrame(
    ...     {
    ...         "Source": ["Microsoft-Windows-Hyper-V-VMMS"],
    ...         "EventID": [19100],
    ...         "EventLog": ["Microsoft-Windows-Hyper-V-VMMS-Admin"],
    ...         "Computer": ["hv1"],
    ...     }
    ... )
    >>> hv.annotate_frame(frame)["hvdegraded_severity"].to_list()
    ['act']
    """
    if not is_frame(frame):
        raise SourceTypeError(
            f"{type(frame).__name__} is not a data frame",
            hint="collect() a lazy frame; annotate takes one record",
        )
    judge = classifier_of(guests, policy, classifier)
    zone = zone_of(timezone)
    rows = [_events_of(row, judge, dialect, zone) for row in rows_of(frame)]
    verdicts = judge.classify_all([event for events in rows for event in events])
    found = [_annotation([next(verdicts) for _ in events]) for events in rows]
    columns = {
        f"hvdegraded_{name}": [None if one is None else one[name] for one in found] for name in COLUMNS
    }
    annotated: F = _with_columns(frame, columns)
    return annotated


def _events_of(
    row: dict[str, Any], classifier: Classifier, dialect: str | None, zone: tzinfo | None
) -> list[Event]:
    """The Hyper-V event of a row, or those of a batch; none where it is something else."""
    records = (
        record_from_mapping(part, dialect=dialect, origin=Origin("data frame"))
        for part in parts_of(row) or [row]
    )
    events = [
        classifier.normalise(record if zone is None else in_zone(record, zone))
        for record in records
        if record is not None
    ]
    return [event for event in events if not isinstance(event, UnrelatedEvent)]


def _annotation(judged: list[tuple[Event, Verdict]]) -> dict[str, Any] | None:
    """The annotation of a row: that of its most urgent event."""
    return most_urgent([untimed_annotation(*one) for one in judged]) if judged else None


def _with_columns(frame: Any, columns: Mapping[str, Sequence[Any]]) -> Any:
    """The frame with columns of text, and of booleans (`assumed`); those of the same names are replaced."""
    if type(frame).__module__.startswith("polars"):
        import polars

        types = {name: polars.Boolean if name.endswith("_assumed") else polars.String for name in columns}
        return frame.with_columns(polars.DataFrame(columns, schema=types))
    if hasattr(frame, "assign") and hasattr(frame, "iloc"):
        import pandas

        return frame.assign(
            **{
                name: pandas.Series(
                    values, frame.index, dtype="boolean" if name.endswith("_assumed") else "object"
                )
                for name, values in columns.items()
            }
        )
    try:
        import pyarrow as pa
    except ImportError:
        raise MissingExtraError("an Arrow table", "arrow", ("pyarrow",)) from None
    table = frame if isinstance(frame, pa.Table) else pa.table(frame)
    table = table.drop_columns([name for name in table.column_names if name in columns])
    for name, values in columns.items():
        kind = pa.bool_() if name.endswith("_assumed") else pa.string()
        table = table.append_column(name, pa.array(values, kind))
    return table
