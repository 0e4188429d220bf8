"""The package's tables: read when first needed, their rows made one by one when first asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from hvdegraded.knowledge.facts import CodeFact, EventFact, ProviderFact
from hvdegraded.knowledge.rows import (
    RowValues,
    code_rows,
    event_rows,
    load_sources,
    package_file,
    with_named_sources,
)
from hvdegraded.knowledge.trusted_rows import trusted_row
from hvdegraded.tabular.toml_file import TomlFile

__all__ = ["EventKey", "PackageTable", "link_of", "load_codes", "load_events", "open_table", "provider_keys"]

EventKey = tuple[str, int]
"""A provider's canonical name in lower case, and an event id."""

Key = TypeVar("Key")
Row = TypeVar("Row", bound=BaseModel)
Values = TypeVar("Values")


class _Rows(Mapping[Key, Row], Generic[Key, Values, Row]):
    """Rows by their keys; each is made when it is first asked for: a reading needs few of several hundred."""

    def __init__(self, values: Mapping[Key, Values], make: Callable[[Values], Row]) -> None:
        self._values = values
        self._make = make
        self._made: dict[Key, Row] = {}

    def __getitem__(self, key: Key) -> Row:
        row = self._made.get(key)
        if row is None:
            row = self._made[key] = self._make(self._values[key])
        return row

    def __iter__(self) -> Iterator[Key]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class PackageTable:
    """A table of the package, such as `guests.toml`."""

    def __init__(self, file: TomlFile) -> None:
        self._file = file

    def rows(self, heading: str, model: type[Row]) -> tuple[Row, ...]:
        """Return the tables under `[[heading]]` as rows."""
        entries = self._file.listed(heading)
        return tuple(trusted_row(model, with_named_sources(entry.values)) for entry in entries)


def open_table(name: str) -> PackageTable:
    """Open a table of the package."""
    return PackageTable(package_file(name))


@functools.cache
def _links() -> Mapping[str, str]:
    return {source["title"]: source["link"] for source in load_sources().values()}


def link_of(reference: str) -> str | None:
    """Return where a source can be opened that rows refer to by its title, with a part of it in brackets.

    None for what only rows of a user's own name.
    """
    return _links().get(reference) or _links().get(reference.partition(" (")[0])


@functools.cache
def load_codes() -> Mapping[int, CodeFact]:
    """Read codes.toml: error codes by number."""
    return _Rows({code: values for code, _, values in code_rows(package_file("codes.toml"))}, _code)


def _code(values: Mapping[str, Any]) -> CodeFact:
    return trusted_row(CodeFact, with_named_sources(values))


@functools.cache
def load_events(provider: str) -> Mapping[EventKey, EventFact]:
    """Read the table of a provider (canonical name) on first use; empty if there is no such file."""
    file = TomlFile.in_package("hvdegraded.knowledge", f"events/{provider}.toml")
    if file is None:
        return {}
    rows: dict[EventKey, RowValues] = {}
    for row in event_rows(file):
        for name in row.values["providers"]:
            key = (name.lower(), row.values["event_id"])
            if key in rows:
                raise row.entry.error(f"another row describes {name} {key[1]}")
            rows[key] = row
    return _Rows(rows, _event)


def _event(row: RowValues) -> EventFact:
    return trusted_row(EventFact, row.resolved())


def provider_keys(row: ProviderFact) -> list[str]:
    """Names, aliases and GUID of a provider, in lower case."""
    return [key.lower() for key in (row.name, *row.aliases, *((row.guid,) if row.guid else ()))]
