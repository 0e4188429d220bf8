"""Data frames in, event records out: exports of Sentinel, Log Analytics, Kusto and the like, by the dialects.

A row is read as the mapping that a shipper would write of it. pandas, polars and pyarrow frames are read
without one another; anything else that offers `__arrow_c_stream__` by pyarrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from hvdegraded.errors import MissingExtraError, SourceTypeError
from hvdegraded.records.items import Item, Opened
from hvdegraded.records.record import ProviderFilter

__all__ = ["is_frame", "read_frame", "rows_of"]

_ROWS_AT_A_TIME = 10_000
_MAX_DEPTH = 16


def is_frame(source: object) -> bool:
    """Whether a source is a data frame, or a table or stream of Arrow."""
    return _form_of(source) is not None or hasattr(source, "__arrow_c_stream__")


def read_frame(frame: object, wanted: ProviderFilter | None = None) -> Iterator[Item]:
    """Read the rows of a frame; `line` of a record or a loss counts the rows from 1."""
    # Every reading asks whether its source is a frame; few are.
    from hvdegraded.formats.shippers.json_lines import items_of

    yield Opened("data frame")
    for number, row in enumerate(rows_of(frame), 1):
        yield from items_of(row, None, wanted, None, number)


def rows_of(frame: object) -> Iterator[dict[str, Any]]:
    """Give each row as a mapping of plain JSON values, without its empty cells; times are ISO 8601.

    Raises SourceTypeError for what has no rows, MissingExtraError for an Arrow stream without pyarrow.
    """
    form = _form_of(frame) or _stream_rows
    for row in form(frame):
        yield _nested(_plain(row))


def _form_of(frame: object) -> Callable[[Any], Iterator[dict[Any, Any]]] | None:
    """What gives the rows of a frame of pandas, polars or pyarrow; None for anything else."""
    if type(frame).__module__.startswith("polars") and hasattr(frame, "iter_rows"):
        return lambda one: one.iter_rows(named=True)
    if hasattr(frame, "iloc") and hasattr(frame, "columns"):
        return _pandas_rows
    return _batch_rows if callable(getattr(frame, "to_batches", None)) else None


def _pandas_rows(frame: Any) -> Iterator[dict[Any, Any]]:
    if not frame.columns.is_unique:
        raise SourceTypeError("two columns of the frame have the same name", hint="rename one of them")
    for start in range(0, len(frame), _ROWS_AT_A_TIME):
        yield from frame.iloc[start : start + _ROWS_AT_A_TIME].to_dict("records")


def _batch_rows(table: Any) -> Iterator[dict[Any, Any]]:
    for batch in table.to_batches(max_chunksize=_ROWS_AT_A_TIME):
        yield from batch.to_pylist()


def _stream_rows(source: Any) -> Iterator[dict[Any, Any]]:
    if not hasattr(source, "__arrow_c_stream__"):
        raise SourceTypeError(
            f"{type(source).__name__} is not a data frame", hint="give one, or collect() it"
        )
    try:
        import pyarrow as pa
    except ImportError:
        raise MissingExtraError("an Arrow stream", "arrow", ("pyarrow",)) from None
    try:
        batches = pa.RecordBatchReader.from_stream(source)
    except pa.ArrowInvalid:
        wrong = f"{type(source).__name__} has no columns with names"
        raise SourceTypeError(wrong, hint="give a data frame, not one column of it") from None
    for batch in batches:
        yield from batch.to_pylist()


def _nested(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with `winlog.event_id` in `winlog`, as it was before the frame was made flat."""
    nested: dict[str, Any] = {}
    for name, value in row.items():
        *outer, last = name.split(".")[:_MAX_DEPTH]
        inner: Any = nested
        for step in outer:
            inner = inner.setdefault(step, {}) if isinstance(inner, dict) else None
        if isinstance(inner, dict) and last not in inner and last:
            inner[last] = value
        else:
            nested[name] = value
    return nested


def _plain(value: Any, depth: int = 0) -> Any:
    """Return a cell as the value that JSON would have: NaN, NaT and NA are None; mappings leave None out."""
    if value is None or isinstance(value, (str, bool, int)) or depth > _MAX_DEPTH:
        return value
    if isinstance(value, float):
        return None if value != value else float(value)
    if isinstance(value, (datetime, date)):  # pandas' NaT is a datetime that equals nothing
        return value.isoformat() if value == value else None
    if isinstance(value, dict):
        inside = ((str(name), _plain(inner, depth + 1)) for name, inner in value.items())
        return {name: inner for name, inner in inside if inner is not None}
    if hasattr(value, "tolist"):  # a scalar or an array of NumPy
        value = value.tolist()
    if isinstance(value, list):
        return [_plain(inner, depth + 1) for inner in value]
    text = str(value)
    return None if text == "<NA>" else text
