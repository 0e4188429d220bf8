"""The dialects of log shippers, as tables: `dialects.toml` in the form that `shippers` uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from hvdegraded.tabular.toml_file import TomlFile

__all__ = ["Dialect", "Tables", "tables"]


class Dialect(NamedTuple):
    """Where one shipper puts what; see `dialects.toml`. `own` are the keys that hold no event data.

    `short` has the beginnings that it shortens in names of providers and channels, with the whole ones.
    """

    name: str
    detect: tuple[str, ...]
    equals: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, tuple[str, ...]], ...]
    payload: tuple[tuple[str, str], ...]
    lost: str
    also: tuple[str, ...] = ()
    xml: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()
    utc: bool = False
    short: tuple[tuple[str, str], ...] = ()

    def unshortened(self, name: str) -> str:
        """The name of a provider or channel as Windows spells it."""
        for short, whole in self.short:
            if name.lower().startswith(short):
                return whole + name[len(short) :]
        return name

    @property
    def paths(self) -> Iterator[str]:
        """All paths that the table names."""
        for _, paths in self.fields:
            yield from paths
        for path, _ in self.equals:
            yield path
        for _, path in self.payload:
            yield path
        yield from (*self.detect, *self.also, *self.xml)


class PathTrie(dict[str, "PathTrie"]):
    """Keys whose mappings the tables look into, each with such keys in there."""


class NameTable(NamedTuple):
    """The usual names of an event's fields, and of known providers; see `dialects.toml`."""

    provider_prefixes: tuple[str, ...]
    channel_endings: tuple[str, ...]
    key_prefixes: tuple[str, ...]
    providers: frozenset[str]
    payloads: frozenset[str]
    values: frozenset[str]
    verdicts: frozenset[str]
    fields: Mapping[str, tuple[str, int]]
    weak: Mapping[str, str]


class Tables(NamedTuple):
    """All dialects, the most telling first; what their paths lead through; the rest of `dialects.toml`."""

    dialects: tuple[Dialect, ...]
    hints: Dialect
    insides: PathTrie
    levels: Mapping[str, int]
    months: Mapping[str, int]
    wrappers: tuple[str, ...]
    payloads: frozenset[str]
    by_names: NameTable


@lru_cache(maxsize=1)
def tables() -> Tables:
    """Read `dialects.toml`, once."""
    raw = TomlFile.of_package("hvdegraded.formats.shippers", "dialects.toml").content
    dialects = tuple(_dialect(row) for row in raw["dialect"])
    hints = _dialect({"name": "", "lost": "", "fields": raw["hints"]})
    return Tables(
        dialects,
        hints,
        _insides(path for table in (*dialects, hints) for path in table.paths),
        raw["levels"],
        {name: int(month) for month, names in raw["months"].items() if month.isdecimal() for name in names},
        tuple(raw["wrappers"]),
        frozenset(raw["payloads"]),
        _name_table(raw["by_names"]),
    )


def _dialect(row: Mapping[str, Any]) -> Dialect:
    fields = tuple((name, tuple(paths)) for name, paths in row["fields"].items())
    first_keys = {path.split(".")[0] for _, paths in fields for path in paths}
    return Dialect(
        row["name"],
        tuple(row.get("detect", ())),
        tuple((path, value) for path, value in row.get("is", ())),
        fields,
        tuple((form, path) for form, path in row.get("payload", ())),
        row["lost"],
        tuple(row.get("also", ())),
        tuple(row.get("xml", ())),
        frozenset(first_keys.union(row.get("own", ()))),
        row.get("utc", False),
        tuple(row.get("short", {}).items()),
    )


def _name_table(row: Mapping[str, Any]) -> NameTable:
    ranked = {
        name: (field, rank) for field, names in row["fields"].items() for rank, name in enumerate(names)
    }
    weak = {name: field for field, names in row["weak"].items() for name in names}
    return NameTable(
        tuple(row["provider_prefixes"]),
        tuple(row["channel_endings"]),
        tuple(row["key_prefixes"]),
        frozenset(row["providers"]),
        frozenset(row["payloads"]),
        frozenset(row["values"]),
        frozenset(row["verdicts"]),
        ranked,
        weak,
    )


def _insides(paths: Iterable[str]) -> PathTrie:
    insides = PathTrie()
    for path in paths:
        here = insides
        for key in path.split(".")[:-1]:
            here = here.setdefault(key, PathTrie())
    return insides
