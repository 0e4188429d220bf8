"""Reads knowledge files: TOML in, checked rows out, and for a bad row the line and column of its fault.

`tomllib` gives no positions, so table headers and keys are found again in the text when a row is bad.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from hvdegraded.errors import KnowledgeError
from hvdegraded.knowledge.facts import (
    DeviceFact,
    EventFact,
    GuestFingerprint,
    HostVersion,
    HresultFact,
    Implementation,
    MessagePattern,
    ProviderFact,
)
from hvdegraded.knowledge.protocols import ProtocolTable
from hvdegraded.knowledge.vocabulary import Role

__all__ = ["Rows", "extend", "load"]

_LARGEST = 4 << 20
_HEADER = re.compile(r"[ \t]*\[\[[ \t]*([A-Za-z0-9_-]+)[ \t]*\]\]")
_KEY = re.compile(r"""[ \t]*["']?([A-Za-z0-9_-]+)["']?[ \t]*(?:[.=]|$)""")
_SUBTABLE = re.compile(r"[ \t]*\[[ \t]*[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)[ \t]*\]")
_TOML_PLACE = re.compile(r"^(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)

Row = TypeVar("Row", bound=BaseModel)


class Rows(NamedTuple):
    """The rows of all tables."""

    providers: tuple[ProviderFact, ...]
    events: tuple[EventFact, ...]
    protocols: ProtocolTable
    messages: tuple[MessagePattern, ...] = ()
    hresults: tuple[HresultFact, ...] = ()
    devices: tuple[DeviceFact, ...] = ()


class _Entry(NamedTuple):
    """One `[[table]]` of a file: its values and where they stand."""

    file: _File
    table: str
    number: int
    values: dict[str, Any]

    def error(self, message: str, key: str | None = None, hint: str | None = None) -> KnowledgeError:
        line, column = self.file.place(self.table, self.number, key)
        return KnowledgeError(message, path=self.file.path, line=line, column=column, hint=hint)


class _File:
    """The tables of one TOML text."""

    def __init__(self, text: str, path: str | None, tables: Iterable[str]) -> None:
        self.path = path
        self.text = text.removeprefix("\ufeff")
        try:
            self.content = tomllib.loads(self.text)
        except ValueError as error:  # also an integer of too many digits
            raise self._syntax_error(error) from error
        except RecursionError as error:
            raise KnowledgeError("this TOML nests too deeply", path=path) from error
        allowed = tuple(tables)
        for name, rows in self.content.items():
            listed = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
            if name not in allowed or not listed:
                line, column = self.place(name, 0, None)
                raise KnowledgeError(
                    f"'{name}' is no list of tables known here",
                    path=path,
                    line=line,
                    column=column,
                    hint="known are " + ", ".join(f"[[{table}]]" for table in allowed),
                )

    def entries(self, table: str) -> Iterator[_Entry]:
        """The tables of that name, in order."""
        for number, values in enumerate(self.content.get(table, ())):
            yield _Entry(self, table, number, values)

    def rows(self, table: str, model: type[Row]) -> list[Row]:
        """The tables of that name as checked rows. Raises KnowledgeError for the first bad one."""
        return [_checked(entry, model, entry.values) for entry in self.entries(table)]

    def place(self, table: str, index: int, key: str | None) -> tuple[int, int]:
        """Line and column, from 1, of a key in the index-th table of a name, or of its header."""
        lines = self.text.split("\n")
        starts = [n for n, line in enumerate(lines) if (m := _HEADER.match(line)) and m[1] == table]
        if index >= len(starts):  # written as `table = [{…}]`, or as `[table]`
            other = re.compile(rf"""[ \t]*(?:\[[ \t]*)?["']?{re.escape(table)}["']?[ \t]*[]=.]""")
            starts, index, key = [n for n, line in enumerate(lines) if other.match(line)], 0, None
        if index >= len(starts):
            return 1, 1
        start = starts[index]
        if key is not None:
            for number in range(start + 1, len(lines)):
                if _HEADER.match(lines[number]):
                    break
                subtable = _SUBTABLE.match(lines[number])
                if (subtable and subtable[1] == key) or _starts_key(lines[number], key):
                    return number + 1, _indent(lines[number])
        return start + 1, _indent(lines[start])

    def _syntax_error(self, error: ValueError) -> KnowledgeError:
        match = _TOML_PLACE.match(str(error))
        message = match[1] if match else str(error)
        if match and match[2]:
            line, column = int(match[2]), int(match[3])
        elif match:
            line, column = self.text.count("\n") + 1, len(self.text) - self.text.rfind("\n")
        else:
            line, column = None, None
        return KnowledgeError(f"not TOML: {message}", path=self.path, line=line, column=column)


def load(folder: Path) -> Rows:
    """Read the three files in a folder."""
    providers = _open(folder / "providers.toml", ("provider",))
    events = _open(folder / "events.toml", ("event", "message", "hresult", "device"))
    tables = _open(folder / "protocols.toml", ("version", "implementation", "fingerprint"))
    protocols = ProtocolTable(
        tables.rows("version", HostVersion),
        tables.rows("implementation", Implementation),
        tables.rows("fingerprint", GuestFingerprint),
    )
    provider_rows = _new_providers(providers, {})
    names = _names(provider_rows)
    return Rows(
        tuple(provider_rows),
        tuple(row for _, row in _new_events(events, names, set())),
        protocols,
        tuple(events.rows("message", MessagePattern)),
        tuple(events.rows("hresult", HresultFact)),
        tuple(events.rows("device", DeviceFact)),
    )


def extend(base: Rows, source: str | os.PathLike[str]) -> Rows:
    """Add a user's file or text to rows; see `Knowledge.extended`."""
    tables = ("provider", "event", "override", "hresult")
    if isinstance(source, str) and ("\n" in source or not source):
        file = _File(source, None, tables)
    else:
        file = _open(Path(source), tables)

    names = _names(base.providers)
    providers = [*base.providers, *_new_providers(file, names)]
    names = _names(providers)
    events = {key: row for row in base.events for key in _keys(row, names)}
    taken = set(events)
    for entry, row in _new_events(file, names, taken):
        if row.role is Role.VERSION and not row.forced:
            raise entry.error(
                "this row makes an event a version event, which can then be called ignorable",
                "role",
                "if you have proof that it is one, say force = true",
            )
        events |= dict.fromkeys(_keys(row, names), row)
    overridden: set[tuple[str, int]] = set()
    for entry in file.entries("override"):
        for key, changed in _overrides(entry, names, events):
            if key in overridden:
                raise entry.error(f"two overrides change {key[0]} {key[1]}", "ids")
            overridden.add(key)
            events[key] = changed
    hresults = {row.code: row for row in (*base.hresults, *file.rows("hresult", HresultFact))}
    return base._replace(
        providers=tuple(providers), events=tuple(_regrouped(events)), hresults=tuple(hresults.values())
    )


def _open(path: Path, tables: Iterable[str]) -> _File:
    try:
        with path.open("rb") as stream:
            raw = stream.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        raise KnowledgeError(
            f"cannot be opened: {(isinstance(error, OSError) and error.strerror) or error}",
            path=str(path),
            hint="give a TOML file with [[event]] rows",
        ) from error
    if len(raw) > _LARGEST:
        raise KnowledgeError(f"larger than {_LARGEST >> 20} MiB", path=str(path))
    try:
        text = raw.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise KnowledgeError(
            "not UTF-8", path=str(path), line=line, column=column, hint="save the file as UTF-8"
        ) from error
    return _File(text, str(path), tables)


def _checked(entry: _Entry, model: type[Row], values: dict[str, Any]) -> Row:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        # A misspelt key tells more than the missing one that it was meant to be.
        fault = min(faults, key=lambda one: one["type"] != "extra_forbidden")
        place = [str(part) for part in fault["loc"]]
        message = fault["msg"].removeprefix("Value error, ")
        where = f"'{'.'.join(place)}': " if place else ""
        raise entry.error(f"[[{entry.table}]] {where}{message}", place[0] if place else None) from error


def _new_providers(file: _File, taken: dict[str, ProviderFact]) -> list[ProviderFact]:
    rows: list[ProviderFact] = []
    claimed = set(taken)
    for entry in file.entries("provider"):
        row = _checked(entry, ProviderFact, entry.values)
        for key in _provider_keys(row):
            if key in claimed:
                raise entry.error(f"the provider name or GUID {key} is taken by another row", "name")
            claimed.add(key)
        rows.append(row)
    return rows


def _new_events(
    file: _File, names: dict[str, ProviderFact], taken: set[tuple[str, int]]
) -> Iterator[tuple[_Entry, EventFact]]:
    claimed = set(taken)
    for entry in file.entries("event"):
        row = _checked(entry, EventFact, _with_force(entry))
        for provider in row.providers:
            if provider.lower() not in names:
                raise entry.error(f"no row describes the provider {provider}", "providers")
        for key in _keys(row, names):
            if key in claimed:
                raise entry.error(
                    f"another row describes {key[0]} {key[1]}", "ids", "change known events by [[override]]"
                )
            claimed.add(key)
        yield entry, row


def _overrides(
    entry: _Entry, names: dict[str, ProviderFact], events: dict[tuple[str, int], EventFact]
) -> Iterator[tuple[tuple[str, int], EventFact]]:
    values = _with_force(entry)
    for name, kind in (("providers", str), ("ids", int)):
        wanted = values.get(name)
        if not isinstance(wanted, list) or not wanted or not all(type(one) is kind for one in wanted):
            raise entry.error(f"[[override]] needs a list '{name}'", name)
    for provider in values["providers"]:
        if provider.lower() not in names:
            raise entry.error(f"no row describes the provider {provider}", "providers")
        canonical = names[provider.lower()].name
        for number in values["ids"]:
            key = (canonical.lower(), number)
            known = events.get(key)
            if known is None:
                raise entry.error(f"no row describes {canonical} {number}", "ids", "add it by [[event]]")
            merged = known.model_dump() | {"forced": known.forced} | values
            if merged["role"] != Role.VERSION and "outcome" not in values:
                merged["outcome"] = None
            row = _checked(entry, EventFact, merged)
            if row.role is Role.VERSION and row.proof != known.proof and not values.get("forced"):
                raise entry.error(
                    "this row changes what a version event stands on, so more could be called ignorable",
                    next((k for k in ("role", "outcome", "component", "fields") if k in values), None),
                    "if you have proof, say force = true",
                )
            hidden = not row.vm_failure or row.fields != known.fields
            if known.vm_failure and hidden and not values.get("forced"):
                raise entry.error(
                    "this row hides a failure, so refused offers before it could be called ignorable",
                    "fields" if row.vm_failure else "vm_failure",
                    "if you have proof, say force = true",
                )
            yield key, row.model_copy(update={"providers": (canonical,), "ids": (number,)})


def _with_force(entry: _Entry) -> dict[str, Any]:
    """The values, with the user's word `force` as the field `forced`."""
    values = dict(entry.values)
    if "forced" in values:
        raise entry.error("'forced' is no key of a row", "forced", "the word is force = true")
    if "force" in values:
        values["forced"] = values.pop("force")
        if not isinstance(values["forced"], bool):
            raise entry.error("'force' must be true or false", "force")
    return values


def _provider_keys(row: ProviderFact) -> list[str]:
    return [key.lower() for key in (row.name, *row.aliases, *((row.guid,) if row.guid else ()))]


def _names(rows: Iterable[ProviderFact]) -> dict[str, ProviderFact]:
    return {key: row for row in rows for key in _provider_keys(row)}


def _keys(row: EventFact, names: dict[str, ProviderFact]) -> list[tuple[str, int]]:
    return [(names[name.lower()].name.lower(), number) for name in row.providers for number in row.ids]


def _regrouped(events: dict[tuple[str, int], EventFact]) -> Iterator[EventFact]:
    """Rows that claim exactly the events mapped to them, though overrides took some of their own."""
    claims: dict[int, tuple[EventFact, list[tuple[str, int]]]] = {}
    for key, row in events.items():
        claims.setdefault(id(row), (row, []))[1].append(key)
    for row, keys in claims.values():
        if len(keys) == len(row.providers) * len(row.ids):
            yield row
        else:
            for provider, number in keys:
                yield row.model_copy(update={"providers": (provider,), "ids": (number,)})


def _starts_key(line: str, key: str) -> bool:
    match = _KEY.match(line)
    return match is not None and match[1] == key


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t")) + 1
