"""The dialects of log shippers, as tables: `dialects.toml` in the form that `shippers` uses."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

__all__ = ["Dialect", "Tables", "tables"]


class Dialect(NamedTuple):
    """Where one shipper puts what; see `dialects.toml`. Paths are split at their dots."""

    name: str
    detect: tuple[tuple[str, ...], ...]
    equals: tuple[tuple[tuple[str, ...], str], ...]
    fields: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
    payload: tuple[tuple[str, tuple[str, ...]], ...]
    lost: str


class Tables(NamedTuple):
    """All dialects, the most telling first, and the levels that English texts name."""

    dialects: tuple[Dialect, ...]
    levels: Mapping[str, int]


@lru_cache(maxsize=1)
def tables() -> Tables:
    """What `dialects.toml` says, read once."""
    raw = tomllib.loads(files("hvdegraded.sources").joinpath("dialects.toml").read_text(encoding="utf-8"))
    found = []
    for row in raw["dialect"]:
        fields = tuple(
            (name, tuple(tuple(path.split(".")) for path in paths)) for name, paths in row["fields"].items()
        )
        found.append(
            Dialect(
                row["name"],
                tuple(tuple(path.split(".")) for path in row["detect"]),
                tuple((tuple(path.split(".")), value) for path, value in row.get("is", ())),
                fields,
                tuple((form, tuple(path.split("."))) for form, path in row["payload"]),
                row["lost"],
            )
        )
    return Tables(tuple(found), raw["levels"])
