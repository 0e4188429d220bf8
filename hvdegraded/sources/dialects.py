"""The dialects of log shippers, as tables: `dialects.toml` in the form that `shippers` uses."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

__all__ = ["Dialect", "Tables", "tables"]


class Dialect(NamedTuple):
    """Where one shipper puts what; see `dialects.toml`. Paths are split at their dots."""

    name: str
    detect: tuple[tuple[str, ...], ...]
    equals: tuple[tuple[tuple[str, ...], str], ...]
    fields: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
    payload: tuple[tuple[str, tuple[str, ...]], ...]
    lost: str
    also: tuple[tuple[str, ...], ...] = ()
    xml: tuple[tuple[str, ...], ...] = ()
    own: frozenset[str] = frozenset()
    utc: bool = False


class Tables(NamedTuple):
    """All dialects, the most telling first, and the rest of `dialects.toml`."""

    dialects: tuple[Dialect, ...]
    hints: Dialect
    levels: Mapping[str, int]
    wrappers: tuple[str, ...]
    payloads: frozenset[str]


@lru_cache(maxsize=1)
def tables() -> Tables:
    """What `dialects.toml` says, read once."""
    raw = tomllib.loads(files("hvdegraded.sources").joinpath("dialects.toml").read_text(encoding="utf-8"))
    return Tables(
        tuple(_dialect(row) for row in raw["dialect"]),
        _dialect({"name": "", "lost": "", "fields": raw["hints"]}),
        raw["levels"],
        tuple(raw["wrappers"]),
        frozenset(raw["payloads"]),
    )


def _dialect(row: Mapping[str, Any]) -> Dialect:
    return Dialect(
        row["name"],
        _paths(row.get("detect", ())),
        tuple((_path(path), value) for path, value in row.get("is", ())),
        tuple((name, _paths(paths)) for name, paths in row["fields"].items()),
        tuple((form, _path(path)) for form, path in row.get("payload", ())),
        row["lost"],
        _paths(row.get("also", ())),
        _paths(row.get("xml", ())),
        frozenset(row.get("own", ())),
        row.get("utc", False),
    )


def _paths(paths: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(_path(path) for path in paths)


def _path(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))
