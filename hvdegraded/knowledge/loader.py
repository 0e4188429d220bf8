"""One way from TOML to rows, for the package's tables and for a user's file.

A row of an event stands under its id: `[14070]` for the `provider` that the file names on top, or
`[Provider-Name.14070]`. Values on top of the file, or under `[Provider-Name]`, are defaults of its rows.
`like = 14070` takes the values of a row above; `also` names more providers. A source is a name of
sources.toml, with its part after a colon; a meaning or remedy of one word is a name of phrases.toml.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from hvdegraded.errors import KnowledgeError
from hvdegraded.knowledge.facts import CodeFact, EventFact, ProviderFact, SourceFact
from hvdegraded.knowledge.vocabulary import Role
from hvdegraded.tabular.toml_file import Entry, TomlFile

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = [
    "EventKey",
    "UserRows",
    "link_of",
    "load_codes",
    "load_events",
    "load_sources",
    "open_table",
    "read_user_rows",
]

EventKey = tuple[str, int]
"""A provider's canonical name in lower case, and an event id."""

_LISTS = ("provider", "event", "acknowledge")
_CODES = "codes"
_DEFAULTS = frozenset({"provider", "also", "force", *EventFact.model_fields})
_KNOWN_HEADINGS = "known are [[provider]], [[event]] and [[acknowledge]]; an event is [Provider-Name.id]"
_HAS_WORDS = re.compile(r"[\s.]")


class UserRows(NamedTuple):
    """Rows of a user's file; `entries` are the places of events, for messages."""

    providers: tuple[ProviderFact, ...]
    events: Mapping[EventKey, EventFact]
    codes: Mapping[int, CodeFact]
    entries: Mapping[EventKey, Entry]


class _Row(NamedTuple):
    """The values of an event's row with defaults, and the keys that the row itself gives."""

    entry: Entry
    values: dict[str, Any]
    own: frozenset[str]


# ------------------------------------------------------------ the package's tables


def open_table(name: str) -> TomlFile:
    """Open a table of the package, such as `guests.toml`; sources in it are resolved."""
    return _with_sources(TomlFile.open(_folder() / name))


@functools.cache
def load_sources() -> Mapping[str, SourceFact]:
    """Read sources.toml: sources by name."""
    file = TomlFile.open(_folder() / "sources.toml")
    return {entry.heading[-1]: entry.checked(SourceFact) for entry in file.headed()}


@functools.cache
def _links() -> Mapping[str, str]:
    return {source.title: source.link for source in load_sources().values()}


def link_of(reference: str) -> str | None:
    """Return where a source can be opened that rows refer to by its title, with a part of it in brackets.

    None for what only rows of a user's own name.
    """
    return _links().get(reference) or _links().get(reference.partition(" (")[0])


@functools.cache
def load_codes() -> Mapping[int, CodeFact]:
    """Read codes.toml: error codes by number."""
    return dict(_codes(TomlFile.open(_folder() / "codes.toml"), ()))


@functools.cache
def load_events(provider: str) -> Mapping[EventKey, EventFact]:
    """Read the table of a provider (canonical name) on first use; empty if there is no such file."""
    path = _folder() / "events" / f"{provider}.toml"
    if not path.is_file():
        return {}
    file = TomlFile.open(path)
    rows: dict[EventKey, EventFact] = {}
    for entry, values, _ in _event_rows(file):
        row = entry.checked(EventFact, values)
        for name in row.providers:
            key = (name.lower(), row.event_id)
            if key in rows:
                raise entry.error(f"another row describes {name} {row.event_id}")
            rows[key] = row
    return rows


def _folder() -> Traversable:
    from importlib.resources import files

    return files("hvdegraded.knowledge")


@functools.cache
def _phrases() -> Mapping[str, str]:
    phrases: dict[str, str] = TomlFile.open(_folder() / "phrases.toml").content
    return phrases


# ------------------------------------------------------------ a user's file


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
    for row in added:
        names |= dict.fromkeys(provider_keys(row), row)
    events: dict[EventKey, EventFact] = {}
    entries: dict[EventKey, Entry] = {}
    for entry, values, own in _event_rows(file):
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
            events[key] = _laid_over(entry, placed, own, find(known.name, key[1]))
            entries[key] = entry
    return UserRows(added, events, dict(_codes(file, (_CODES,))), entries)


def provider_keys(row: ProviderFact) -> list[str]:
    """Names, aliases and GUID of a provider, in lower case."""
    return [key.lower() for key in (row.name, *row.aliases, *((row.guid,) if row.guid else ()))]


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
    if above.heading and (above.heading[-1].isdecimal() or above.heading[-1] == _CODES):
        return  # a row itself
    for key, value in above.values.items():
        if key not in _DEFAULTS and not isinstance(value, dict) and not (key in _LISTS and value == []):
            raise above.error(f"'{key}' is not a key that is known here", key, _KNOWN_HEADINGS)


def _user_providers(file: TomlFile, taken: Mapping[str, ProviderFact]) -> Iterator[ProviderFact]:
    claimed: dict[str, str] = {key: row.name for key, row in taken.items()}
    for entry in file.listed("provider"):
        row = entry.checked(ProviderFact, _named_sources(entry, entry.values, strict=False))
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


# ------------------------------------------------------------ rows of any file


def _event_rows(file: TomlFile) -> Iterator[_Row]:
    """Each event of a file, with defaults, sources and phrases."""
    top = dict(file.top.values)
    provider = top.pop("provider", None)
    yield from _section(file.headed(), provider, top)
    for section in file.headed():
        name = section.heading[-1]
        if not name.isdecimal() and name != _CODES:
            defaults = {key: value for key, value in section.values.items() if not isinstance(value, dict)}
            yield from _section(file.headed(name), name, top | defaults)
    for entry in file.listed("event"):
        values = {"ids": [], "providers": [], **entry.values}
        for name, kind in (("providers", str), ("ids", int)):
            wanted = values.pop(name)
            if not isinstance(wanted, list) or not wanted or not all(type(one) is kind for one in wanted):
                raise entry.error(f"[[event]] needs a list '{name}'", name)
            values[name] = wanted
        for number in values.pop("ids"):
            whole = {**top, **values, "event_id": number}
            yield _Row(entry, _resolved(entry, whole), frozenset(values))


def _section(entries: Iterable[Entry], provider: object, defaults: Mapping[str, Any]) -> Iterator[_Row]:
    above: dict[int, dict[str, Any]] = {}
    for entry in entries:
        if not entry.heading[-1].isdecimal():
            if len(entry.heading) > 1:
                raise entry.error(f"'{entry.heading[-1]}' is not an event id")
            continue
        if not isinstance(provider, str):
            hint = 'name it on top of the file: provider = "…", or in the heading: [Provider-Name.id]'
            raise entry.error("this row does not name its provider", None, hint)
        values = dict(entry.values)
        if "like" in values:
            if values["like"] not in above:
                raise entry.error(f"no row above is {values['like']}", "like")
            values = above[values["like"]] | values
            del values["like"]
        number = int(entry.heading[-1][:6])
        above[number] = values
        whole = {**defaults, **values}
        also = whole.pop("also", [])
        if not isinstance(also, list):
            raise entry.error("'also' must be a list of providers", "also")
        whole |= {"providers": [provider, *also], "event_id": number}
        yield _Row(entry, _resolved(entry, whole), frozenset(values))


def _codes(file: TomlFile, above: tuple[str, ...]) -> Iterator[tuple[int, CodeFact]]:
    defaults = {} if above else file.top.values
    for entry in file.headed(*above):
        try:
            code = int(entry.heading[-1], 0)
        except ValueError:
            raise entry.error(
                f"'{entry.heading[-1]}' is not a code", None, "write it as 0x80070005"
            ) from None
        values = _named_sources(entry, {**defaults, **entry.values, "code": code}, strict=not above)
        yield code, entry.checked(CodeFact, values)


def _resolved(entry: Entry, values: dict[str, Any]) -> dict[str, Any]:
    """The values with sources and phrases in place of their names, and `force` as `forced`."""
    if "forced" in values:
        raise entry.error("'forced' is not a key of a row", "forced", "the word is force = true")
    if "force" in values:
        values["forced"] = values.pop("force")
        if not isinstance(values["forced"], bool):
            raise entry.error("'force' must be true or false", "force")
    values = _with_phrases(entry, values)
    if isinstance(values.get("cases"), list):
        cases = values["cases"]
        values["cases"] = [_with_phrases(entry, case) if isinstance(case, dict) else case for case in cases]
    return _named_sources(entry, values, strict=False)


def _with_phrases(entry: Entry, values: dict[str, Any]) -> dict[str, Any]:
    found = dict(values)
    for key in ("meaning", "remedy"):
        text = found.get(key)
        if isinstance(text, str) and text and not _HAS_WORDS.search(text):
            if text not in _phrases():
                raise entry.error(f"no phrase has the name {text}", key)
            found[key] = _phrases()[text]
    return found


def _named_sources(entry: Entry, values: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
    found = dict(values)
    sources = found.get("source")
    if isinstance(sources, str):
        sources = [sources]
    if isinstance(sources, list) and all(isinstance(one, str) for one in sources):
        titles = []
        for one in sources:
            name, _, part = one.partition(": ")
            known = load_sources().get(name)
            if known is None and strict:
                raise entry.error(f"sources.toml does not name {name}", "source")
            titles.append(one if known is None else f"{known.title} ({part})" if part else known.title)
        found["source"] = "; ".join(titles)
        if "event_id" in found:
            found["references"] = titles
    return found


def _with_sources(file: TomlFile) -> TomlFile:
    for rows in file.content.values():
        if isinstance(rows, list):
            for number, row in enumerate(rows):
                if isinstance(row, dict) and "source" in row:
                    rows[number] = row | _named_sources(Entry(file, (), number, row), row, strict=False)
    return file
