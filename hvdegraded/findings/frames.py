"""Triage → columns: one row for each event, as an Arrow table; pandas and polars take it from there.

The schema is published: `SCHEMA` names columns and types, `SCHEMA_VERSION` counts up when one changes.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from hvdegraded.errors import MissingExtraError

if TYPE_CHECKING:
    from hvdegraded.events import Event
    from hvdegraded.findings.event_groups import EventGroup
    from hvdegraded.verdicts.verdict import Verdict

__all__ = ["SCHEMA", "SCHEMA_VERSION", "to_arrow", "to_pandas", "to_polars"]

SCHEMA_VERSION = 1
"""Version of the columns."""

SCHEMA = (
    ("time_created", "timestamp[us, tz=UTC]"),
    ("time_ticks", "int64"),
    ("host", "dictionary"),
    ("vm_name", "dictionary"),
    ("vm_id", "dictionary"),
    ("component", "dictionary"),
    ("label", "dictionary"),
    ("reason", "dictionary"),
    ("basis", "dictionary"),
    ("severity", "dictionary"),
    ("assumed", "bool"),
    ("assumptions", "dictionary"),
    ("provider", "dictionary"),
    ("event_id", "int32"),
    ("level", "int32"),
    ("channel", "dictionary"),
    ("record_id", "int64"),
    ("guest_version", "dictionary"),
    ("host_version", "dictionary"),
    ("guest", "dictionary"),
    ("summary", "dictionary"),
    ("remedy", "dictionary"),
)
"""Columns in order, with their types: `dictionary` is text, each value held once.

`time_created` is `time_ticks` (100 ns since 1601) cut to microseconds, null beyond the year 9999. What is
unknown is null. `label`, `reason`, `basis` and `severity` have the texts of those enums, `assumptions` those
of `Assumption`, with commas between. Of several pairs of versions the one that differs is shown.
"""

_EPOCH_MICROSECONDS = 11_644_473_600_000_000  # 1970, since 1601
_LAST_MICROSECONDS = 253_402_300_800_000_000  # the year 10000, since 1970
_COLUMNS: dict[str, Callable[[Verdict, Event], Any]] = {
    "host": lambda verdict, _: verdict.host,
    "vm_name": lambda verdict, _: verdict.vm_name,
    "vm_id": lambda verdict, _: verdict.vm_id,
    "component": lambda verdict, _: verdict.component,
    "label": lambda verdict, _: verdict.label,
    "reason": lambda verdict, _: verdict.reason,
    "basis": lambda verdict, _: verdict.basis,
    "severity": lambda verdict, _: verdict.severity,
    "assumed": lambda verdict, _: verdict.assumed,
    "assumptions": lambda verdict, _: ", ".join(verdict.assumptions) or None,
    "provider": lambda _, event: event.provider,
    "event_id": lambda _, event: event.event_id,
    "level": lambda _, event: event.level,
    "channel": lambda _, event: event.channel,
    "guest_version": lambda verdict, _: verdict.versions.guest,
    "host_version": lambda verdict, _: verdict.versions.host,
    "guest": lambda verdict, _: verdict.guest,
    "summary": lambda verdict, _: verdict.summary,
    "remedy": lambda verdict, _: verdict.remedy,
}


def to_arrow(groups: Sequence[EventGroup]) -> Any:
    """A pyarrow.Table with the columns of `SCHEMA`. Raises MissingExtraError without pyarrow."""
    try:
        import pyarrow as pa
    except ImportError:
        raise MissingExtraError("an Arrow table", "arrow", ("pyarrow",)) from None
    import pyarrow.compute as pc

    ticks, record_ids, rows = array("q"), array("q"), array("i")
    values: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for number, part in enumerate(groups):
        verdict, event = part.judged
        for name, value_of in _COLUMNS.items():
            values[name].append(value_of(verdict, event))
        ticks.extend(part.ticks)
        record_ids.extend(part.record_ids)
        rows.extend(array("i", [number]) * part.count)

    def integers(values: array[int]) -> Any:
        column = pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])
        return pc.if_else(pc.less(column, 0), pa.scalar(None, pa.int64()), column)

    row_of = pa.Array.from_buffers(pa.int32(), len(rows), [None, pa.py_buffer(rows)])
    exact = integers(ticks)
    microseconds = pc.subtract(pc.divide(exact, 10), _EPOCH_MICROSECONDS)
    nothing = pa.scalar(None, pa.int64())
    shown = pc.if_else(pc.less(microseconds, _LAST_MICROSECONDS), microseconds, nothing)
    columns: dict[str, Any] = {
        "time_created": shown.cast(pa.timestamp("us", tz="UTC")),
        "time_ticks": exact,
        "record_id": integers(record_ids),
    }
    for name, kind in SCHEMA:
        if name in columns:
            continue
        if kind == "dictionary":
            texts = pa.array([None if value is None else str(value) for value in values[name]], pa.string())
            columns[name] = texts.dictionary_encode().take(row_of)
        else:
            columns[name] = pa.array(values[name], pa.bool_() if kind == "bool" else pa.int32()).take(row_of)
    table = pa.table([columns[name] for name, _ in SCHEMA], names=[name for name, _ in SCHEMA])
    return table.replace_schema_metadata({"hvdegraded.schema_version": str(SCHEMA_VERSION)})


def to_pandas(groups: Sequence[EventGroup]) -> Any:
    """A pandas.DataFrame of the same columns. Raises MissingExtraError without pandas and pyarrow."""
    try:
        import pandas  # type: ignore[import-untyped, import-not-found, unused-ignore]  # noqa: F401
    except ImportError:
        raise MissingExtraError("a pandas frame", "pandas", ("pandas", "pyarrow")) from None
    return to_arrow(groups).to_pandas()


def to_polars(groups: Sequence[EventGroup]) -> Any:
    """A polars.DataFrame of the same columns. Raises MissingExtraError without polars and pyarrow."""
    try:
        import polars
    except ImportError:
        raise MissingExtraError("a polars frame", "polars", ("polars", "pyarrow")) from None
    return polars.from_arrow(to_arrow(groups))
