"""A user's file of rows: checked whole, and laid over the known ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

from hvdegraded.errors import KnowledgeError
from hvdegraded.knowledge.facts import CodeFact, EventFact, ProviderFact
from hvdegraded.knowledge.loader import EventKey, provider_keys
from hvdegraded.knowledge.rows import CODES, code_rows, event_rows, with_named_sources
from hvdegraded.knowledge.vocabulary import Role
from hvdegraded.tabular.toml_file import Entry, TomlFile

__all__ = ["UserRows", "read_user_rows"]

_LISTS = ("provider", "event", "acknowledge")
_DEFAULTS = frozenset({"provider", "also", "force", *EventFact.model_fields})
_KNOWN_HEADINGS = "known are [[provider]], [[event]] and [[acknowledge]]; an event is [Provider-Name.id]"


class UserRows(NamedTuple):
    """Rows of a user's file; `entries` are the places of events, for messages."""

    providers: tuple[ProviderFact, ...]
    events: Mapping[EventKey, EventFact]
    codes: Mapping[int, CodeFact]
    entries: Mapping[EventKey, Entry]


def read_user_rows(
    source: str | os.PathLike[str],
    providers: Mapping[str, ProviderFact],
    find: Callable[[str, int], EventFact | None],
) -> UserRows:
    """Read a user's file, or its text (anything with a newline), as rows to be laid over the known ones.

    `providers` holds the known ones by lower-case name, alias and GUID; `find` gives the known row of an
    event. Raises KnowledgeError with line and column, also where a row could make more events ignorable, or
    hide a failure, without `force = true`.
    """
    file = TomlFile.given(source)
    _check_headings(file)
    added = tuple(_user_providers(file, providers))
    names = dict(providers)
    for provider in added:
        names |= dict.fromkeys(provider_keys(provider), provider)
    events: dict[EventKey, EventFact] = {}
    entries: dict[EventKey, Entry] = {}
    for row in event_rows(file):
        entry, values = row.entry, row.resolved()
        for name in values["providers"]:
            known = names.get(str(name).lower())
            if known is None:
                raise entry.error(
                    f"no row describes the provider {name}", "providers", "describe it under [[provider]]"
                )
            key = (known.name.lower(), values["event_id"])
            if key in events:
                raise entry.error(f"another row describes {known.name} {key[1]}", "ids")
            placed = values | {"providers": (known.name,)}
            events[key] = _laid_over(entry, placed, row.own, find(known.name, key[1]))
            entries[key] = entry
    codes = {
        code: entry.checked(CodeFact, with_named_sources(values))
        for code, entry, values in code_rows(file, CODES)
    }
    return UserRows(added, events, codes, entries)


def _check_headings(file: TomlFile) -> None:
    for name, values in file.content.items():
        is_list = isinstance(values, list) and any(isinstance(one, dict) for one in values)
        if is_list and name not in _LISTS:
            line, column = file.place((name,), 0, None)
            raise KnowledgeError(
                f"'{name}' is not a list of tables known here",
                path=file.path,
                line=line,
                column=column,
                hint=_KNOWN_HEADINGS,
            )
        if name in _LISTS and isinstance(values, dict):
            raise Entry(file, (name,), 0, values).error(f"write [[{name}]] in place of [{name}]")
        if isinstance(values, dict):
            _check_defaults(Entry(file, (name,), 0, values))
    _check_defaults(file.top)


def _check_defaults(above: Entry) -> None:
    """Raise KnowledgeError for a value that no row below could have: it would have no effect."""
    if above.heading and (above.heading[-1].isdecimal() or above.heading[-1] == CODES):
        return  # a row itself
    for key, value in above.values.items():
        if key not in _DEFAULTS and not isinstance(value, dict) and not (key in _LISTS and value == []):
            raise above.error(f"'{key}' is not a key that is known here", key, _KNOWN_HEADINGS)


def _user_providers(file: TomlFile, taken: Mapping[str, ProviderFact]) -> Iterator[ProviderFact]:
    claimed: dict[str, str] = {key: row.name for key, row in taken.items()}
    for entry in file.listed("provider"):
        row = entry.checked(ProviderFact, with_named_sources(entry.values))
        for key in provider_keys(row):
            if claimed.setdefault(key, row.name).lower() != row.name.lower():
                raise entry.error(f"the provider name or GUID {key} is taken by another row", "name")
        yield row


def _laid_over(
    entry: Entry, values: dict[str, Any], own: Collection[str], known: EventFact | None
) -> EventFact:
    """The user's row; where the event is known, only its own values change."""
    if known is None:
        row = entry.checked(EventFact, values)
        if row.role is Role.VERSION and not row.forced:
            raise entry.error(
                "this row makes an event a version event, which can then be called ignorable",
                "role",
                "if you have proof that it is one, say force = true",
            )
        return row
    changes = {key: values[key] for key in (*own, "providers", "forced") if key in values}
    merged = known.model_dump() | changes
    if merged["role"] != Role.VERSION and "outcome" not in changes:
        merged["outcome"] = None
    row = entry.checked(EventFact, merged)
    if row.role is Role.VERSION and row.proof != known.proof and not values.get("forced"):
        raise entry.error(
            "this row changes what a version event stands on, so more could be called ignorable",
            next((key for key in ("role", "outcome", "component", "fields") if key in changes), None),
            "if you have proof, say force = true",
        )
    hidden = not row.vm_failure or row.fields != known.fields
    if known.vm_failure and hidden and not values.get("forced"):
        raise entry.error(
            "this row hides a failure, so refused offers before it could be called ignorable",
            "fields" if row.vm_failure else "vm_failure",
            "if you have proof, say force = true",
        )
    return row
