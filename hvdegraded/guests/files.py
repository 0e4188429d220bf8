"""Bytes and mappings in, rows of an inventory out; what a row means is decided in `guests`.

JSON may be one document, one per line, or several after each other (a loop of `ConvertTo-Json`); CSV
may use commas, semicolons, tabs or bars. Both come in UTF-8 or, from `>` of PowerShell 5.1, UTF-16.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from hvdegraded.errors import InventoryError, InventoryFileError, InventoryTypeError
from hvdegraded.knowledge.guest_systems import ColumnRole, column_key, columns
from hvdegraded.tabular.clixml import is_clixml, objects_of_clixml
from hvdegraded.tabular.csv_rows import cells_of, csv_rows
from hvdegraded.tabular.encodings import decode_text
from hvdegraded.tabular.format_list import objects_of_list
from hvdegraded.tabular.format_table import objects_of_table
from hvdegraded.tabular.json_document import Found, values_of

__all__ = [
    "MAX_BYTES",
    "MAX_ROWS",
    "Damage",
    "Row",
    "read_inventory",
    "rows_of_bytes",
    "rows_of_frame",
    "rows_of_mappings",
]

MAX_BYTES = 256 << 20
MAX_ROWS = 1_000_000
_MAX_DAMAGE = 10_000
_MAX_DEPTH = 32
_DELIMITERS = ",;\t|"
_WRAPPERS = frozenset(
    {"value", "vms", "guests", "items", "hosts", "virtualmachines", "machines", "data", "vm"}
)


class Row(NamedTuple):
    """One row: its number from 1, its line where known, its cells, and the key it stood under.

    `cells` keeps repeated names; `key` is the name or id of a mapping such as `{"web01": "Linux"}`,
    whose plain text is the cell named "".
    """

    number: int
    line: int | None
    cells: tuple[tuple[str, Any], ...]
    key: str | None = None


class Damage(NamedTuple):
    """A part of the input that gave no row, and why."""

    line: int | None
    reason: str


@dataclass
class _Gathered:
    """Rows and damage that were found so far, at most `most` of each."""

    most: int
    rows: list[Row] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)

    def add(self, line: int | None, cells: tuple[tuple[str, Any], ...], key: str | None = None) -> None:
        if len(self.rows) >= self.most:
            raise InventoryError(f"more than {self.most:,} rows", line=line)
        self.rows.append(Row(len(self.rows) + 1, line, cells, key))

    def add_damage(self, line: int | None, reason: str) -> None:
        if len(self.damage) >= self.most:
            raise InventoryError(f"more than {self.most:,} unusable rows", line=line)
        self.damage.append(Damage(line, reason))


def read_inventory(
    path: Path, *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS
) -> tuple[list[Row], list[Damage]]:
    """Read the rows of a JSON or CSV file. Raises InventoryError if nothing in it can be read."""
    name = str(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        raise InventoryFileError(
            f"cannot be opened: {getattr(error, 'strerror', None) or error}",
            path=name,
            hint="give a JSON or CSV file that names each VM and its system",
        ) from error
    return rows_of_bytes(data, name, max_bytes=max_bytes, max_rows=max_rows)


def rows_of_bytes(
    data: bytes, name: str, *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS
) -> tuple[list[Row], list[Damage]]:
    """Read the rows of a file of that name. Raises InventoryError if nothing in it can be read."""
    if len(data) > max_bytes:
        raise InventoryError(f"larger than {max_bytes:,} bytes", path=name, hint="export fewer columns")
    text, problem = decode_text(data)
    gathered = _Gathered(max_rows)
    if problem is not None:
        gathered.add_damage(None, problem)
    if not text.strip():
        raise InventoryError(
            "the inventory is empty", path=name, hint="run the guests script on the host again"
        )
    try:
        _form_of(text)(text, gathered)
        if gathered.damage and not gathered.rows:
            raise InventoryError(gathered.damage[-1].reason, line=gathered.damage[-1].line)
    except InventoryError as error:
        hint = error.hint or "write it with ConvertTo-Json or Export-Csv"
        raise InventoryError(error.message, path=name, line=error.line, hint=hint) from error
    return gathered.rows, gathered.damage


def rows_of_mappings(source: object, *, max_rows: int = MAX_ROWS) -> tuple[list[Row], list[Damage]]:
    """Read a mapping, an iterable of mappings, or a data frame. Raises InventoryError for anything else."""
    gathered = _Gathered(max_rows)
    try:
        source = rows_of_frame(source)
        if hasattr(source, "read"):
            raise InventoryTypeError("a stream is not an inventory", hint="give the path of the file")
        if isinstance(source, Mapping):
            _collect([source], None, gathered)
        elif isinstance(source, Iterable) and not isinstance(source, str | bytes | bytearray):
            _collect(source, None, gathered)
        else:
            raise InventoryTypeError(
                f"{type(source).__name__} is not an inventory",
                hint="give a path, a mapping, a list of mappings, or a data frame",
            )
    except RecursionError as error:
        raise InventoryError("the inventory nests too deeply") from error
    return gathered.rows, gathered.damage


def rows_of_frame(source: object) -> object:
    """The rows of a data frame of polars, pyarrow or pandas; anything else as it is."""
    for method in ("to_dicts", "to_pylist"):
        if callable(rows := getattr(source, method, None)):
            return rows()
    if hasattr(source, "columns") and callable(rows := getattr(source, "to_dict", None)):
        return rows(orient="records")
    return source


def _form_of(text: str) -> Callable[[str, _Gathered], None]:
    """What reads a text: JSON, CLIXML, Format-List, Format-Table, or else CSV."""
    if text.lstrip()[0] in "{[":
        return _json_rows
    if is_clixml(text):
        return _clixml_rows
    for form in (objects_of_list, objects_of_table):
        first = next(iter(form(text)), None)
        if first is not None and _is_row(first.value):
            return lambda body, gathered: _printed_rows(form(body), gathered)
    return _csv_rows


def _clixml_rows(text: str, gathered: _Gathered) -> None:
    try:
        _collect(objects_of_clixml(text), None, gathered)
    except ValueError as error:
        raise InventoryError(str(error)) from error


def _printed_rows(found: Iterable[Found], gathered: _Gathered) -> None:
    for one in found:
        _collect([one.value], one.line, gathered)


# JSON


def _json_rows(text: str, gathered: _Gathered) -> None:
    damage = gathered.damage
    before = len(damage)
    documents = 0
    for found in values_of(iter([text]), len(text), keep_repeated=True):
        if found.problem is not None:
            gathered.add_damage(found.line, found.problem)
        else:
            documents += 1
            items = found.value if isinstance(found.value, list) else [found.value]
            try:
                _collect(items, found.line, gathered)
            except RecursionError as error:
                raise InventoryError("the JSON nests too deeply", line=found.line) from error
        if len(damage) > _MAX_DAMAGE:
            raise InventoryError("too much of it cannot be read", line=found.line)
    if not documents and len(damage) > before:
        raise InventoryError(damage[before].reason, line=damage[before].line)


# Mappings


def _collect(items: Iterable[Any], line: int | None, gathered: _Gathered) -> None:
    """Append the rows of a list whose items are rows, wrappers of lists, or tables by VM."""
    stack: list[tuple[Iterator[Any], int, tuple[tuple[str, Any], ...]]] = [(iter(items), 0, ())]
    while stack:
        iterator, depth, outer = stack[-1]
        try:
            item = next(iterator)
        except StopIteration:
            stack.pop()
            continue
        if not isinstance(item, Mapping):
            gathered.add_damage(line, f"a {type(item).__name__} where a mapping was expected")
            continue
        inner = _inner(item)
        if _is_row(item):
            cells = tuple((_name(key), value) for key, value in item.items())
            gathered.add(line, cells + outer)
        elif inner is not None and depth < _MAX_DEPTH:
            stack.append((iter(inner), depth + 1, _taken_cells(item) + outer))
        else:
            for table in _ansible_tables(item) or [item]:
                _collect_keyed(table, line, gathered)


def _collect_keyed(table: Mapping[Any, Any], line: int | None, gathered: _Gathered) -> None:
    """Append the rows of `{"web01": "Linux"}` or `{"web01": {…}}`, and of Ansible's groups of such."""
    stack: list[tuple[Mapping[Any, Any], int]] = [(table, 0)]
    while stack:
        current, depth = stack.pop()
        for key, value in current.items():
            if not isinstance(key, str | UUID):
                gathered.add_damage(line, f"a {type(key).__name__} names no VM")
            elif isinstance(value, Mapping):
                groups = _ansible_tables(value)
                if groups and depth < _MAX_DEPTH:
                    stack += [(group, depth + 1) for group in groups]
                elif not groups:
                    cells = tuple((_name(name), cell) for name, cell in value.items())
                    gathered.add(line, cells, _name(key))
                else:
                    gathered.add_damage(line, f"'{_name(key)[:80]}' nests too deeply")
            elif value is None or isinstance(value, str):
                gathered.add(line, (("", value),), _name(key))
            else:
                reason = f"a {type(value).__name__} under '{_name(key)[:80]}' names no system"
                gathered.add_damage(line, reason)


def _inner(item: Mapping[Any, Any]) -> Iterable[Any] | None:
    """The rows inside a wrapper: `{"value": […], "Count": 2}` of PowerShell, `{"guests": […]}`."""
    lists = [
        value
        for key, value in item.items()
        if isinstance(value, list | tuple) and column_key(_name(key)) in _WRAPPERS
    ]
    return [row for rows in lists for row in rows] if lists else None


def _taken_cells(item: Mapping[Any, Any]) -> tuple[tuple[str, Any], ...]:
    """The cells of a wrapper that hold when its rows were written."""
    return tuple(
        (_name(key), value) for key, value in item.items() if column_key(_name(key)) in columns("taken")
    )


def _ansible_tables(value: Mapping[Any, Any]) -> list[Mapping[Any, Any]]:
    """Tables by host inside an Ansible group (`hosts`, `children`) or `_meta` (`hostvars`)."""
    tables = [
        value[name] for name in ("hosts", "hostvars", "children") if isinstance(value.get(name), Mapping)
    ]
    return [
        table for table in tables if all(isinstance(row, Mapping) or row is None for row in table.values())
    ]


def _is_row(item: Mapping[Any, Any]) -> bool:
    keys = [column_key(_name(key)) for key in item]
    known = sum(key in _known_columns() for key in keys)
    named = any(key in columns("name") or key in columns("id") for key in keys)
    nests = any(isinstance(value, Mapping | list | tuple) for value in item.values())
    is_flat = len(keys) > 1 and not nests  # an object of Get-VM without a system, not a table of VMs
    return (named and (len(keys) > len(set(keys)) or known > 1 or is_flat)) or 0 < len(keys) == known


def _name(key: object) -> str:
    if isinstance(key, str):
        return key
    # Other objects' texts may fail to be made, as those of very long integers do.
    return str(key) if isinstance(key, UUID) else f"{type(key).__name__} key"


@lru_cache(maxsize=1)
def _known_columns() -> frozenset[str]:
    return frozenset(key for role in ColumnRole for key in columns(role))


# CSV


def _csv_rows(text: str, gathered: _Gathered) -> None:
    lines = io.StringIO(text, newline="")
    skipped = 0
    delimiters = _DELIMITERS
    while True:
        start = lines.tell()
        first = lines.readline()
        folded = first.strip().casefold()
        if folded.startswith("sep=") and len(folded) == len("sep=") + 1:
            delimiters = folded[-1]
        elif folded and not folded.startswith("#"):
            break
        if not first:
            raise InventoryError("no header line")
        skipped += 1
    lines.seek(start)
    delimiter = max(delimiters, key=lambda each: _known_in_header(first, each))
    if not _known_in_header(first, delimiter):
        accepted = "Name, VMName, Id, VMId, HostName, OSName, OperatingSystem"
        raise InventoryError(
            "no column names a VM", line=skipped + 1, hint=f"the header needs names such as {accepted}"
        )
    header: tuple[str, ...] | None = None
    for cells, line, length, problem in csv_rows(lines, delimiter, skipped=skipped):
        if problem is not None:
            gathered.add_damage(line, f"{problem} (to line {line + length - 1})")
            if len(gathered.damage) > _MAX_DAMAGE:
                raise InventoryError("too much of it is not CSV", line=line)
        elif header is None:
            header = cells
        elif not any(cell.strip() for cell in cells) or cells[0].startswith("#TYPE"):
            continue
        elif len(cells) != len(header):
            # Cells may have moved under another column's name, a system under the wrong VM.
            gathered.add_damage(line, f"{len(cells)} cells under {len(header)} columns")
        else:
            gathered.add(line, tuple(zip(header, cells, strict=True)))


def _known_in_header(header: str, delimiter: str) -> int:
    """Count the known columns of a header, if one of them names a VM."""
    keys = [column_key(name) for name in cells_of(header, delimiter)]
    if not any(key in columns("name") or key in columns("id") for key in keys):
        return 0
    return sum(key in _known_columns() for key in keys)
