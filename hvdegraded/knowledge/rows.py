"""From TOML to the values of rows, in the package's tables and in a user's file.

A row of an event stands under its id: `[14070]` for the `provider` that the file names on top, or
`[Provider-Name.14070]`. Values on top of the file, or under `[Provider-Name]`, are defaults of its rows.
`like = 14070` takes the values of a row above; `also` names more providers. A source is a name of
sources.toml, with its part after a colon; a meaning or remedy of one word is a name of phrases.toml.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from hvdegraded.tabular.toml_file import Entry, TomlFile

__all__ = [
    "CODES",
    "RowValues",
    "code_rows",
    "event_rows",
    "load_sources",
    "package_file",
    "with_named_sources",
]

CODES = "codes"
"""The heading above the codes of a user's file."""
_HAS_WORDS = re.compile(r"[\s.]")


class RowValues(NamedTuple):
    """The values of an event's row with the file's defaults, and the keys that the row itself gives."""

    entry: Entry
    values: dict[str, Any]
    own: frozenset[str]

    def resolved(self) -> dict[str, Any]:
        """Return the values with sources and phrases in place of their names, and `force` as `forced`."""
        entry, values = self.entry, self.values
        if "forced" in values:
            raise entry.error("'forced' is not a key of a row", "forced", "the word is force = true")
        values = _with_phrases(entry, values)
        if "force" in values:
            values["forced"] = values.pop("force")
            if not isinstance(values["forced"], bool):
                raise entry.error("'force' must be true or false", "force")
        if isinstance(values.get("cases"), list):
            cases = values["cases"]
            values["cases"] = [_with_phrases(entry, one) if isinstance(one, dict) else one for one in cases]
        return with_named_sources(values)


def package_file(name: str) -> TomlFile:
    """Open a table of the package. Raises KnowledgeFileError where it cannot be read."""
    return TomlFile.of_package("hvdegraded.knowledge", name)


@functools.cache
def load_sources() -> Mapping[str, Mapping[str, Any]]:
    """Read sources.toml: titles and links of sources by name."""
    return package_file("sources.toml").content


@functools.cache
def _phrases() -> Mapping[str, str]:
    return package_file("phrases.toml").content


def event_rows(file: TomlFile) -> Iterator[RowValues]:
    """Yield each event of a file, with its defaults; `resolved` gives sources and phrases by their texts."""
    top = dict(file.top.values)
    provider = top.pop("provider", None)
    yield from _section(file.headed(), provider, top)
    for section in file.headed():
        name = section.heading[-1]
        if not name.isdecimal() and name != CODES:
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
            yield RowValues(entry, whole, frozenset(values))


def _section(entries: Iterable[Entry], provider: object, defaults: Mapping[str, Any]) -> Iterator[RowValues]:
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
        yield RowValues(entry, whole, frozenset(values))


def code_rows(file: TomlFile, *above: str) -> Iterator[tuple[int, Entry, dict[str, Any]]]:
    """Each error code of a file, with its table, and its values with the file's defaults."""
    defaults = {} if above else file.top.values
    for entry in file.headed(*above):
        try:
            code = int(entry.heading[-1], 0)
        except ValueError:
            raise entry.error(
                f"'{entry.heading[-1]}' is not a code", None, "write it as 0x80070005"
            ) from None
        yield code, entry, {**defaults, **entry.values, "code": code}


def _with_phrases(entry: Entry, values: dict[str, Any]) -> dict[str, Any]:
    found = dict(values)
    for key in ("meaning", "remedy"):
        text = found.get(key)
        if isinstance(text, str) and text and not _HAS_WORDS.search(text):
            if text not in _phrases():
                raise entry.error(f"no phrase has the name {text}", key)
            found[key] = _phrases()[text]
    return found


def with_named_sources(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with sources by their titles, which are the references of an event too."""
    found = dict(values)
    names = found.get("source")
    if isinstance(names, str):
        names = [names]
    if isinstance(names, list) and all(isinstance(one, str) for one in names):
        titles = [_title(one) for one in names]
        found["source"] = "; ".join(titles)
        if "event_id" in found:
            found["references"] = titles
    return found


def _title(source: str) -> str:
    name, _, part = source.partition(": ")
    known = load_sources().get(name)
    if known is None:
        return source
    return f"{known['title']} ({part})" if part else str(known["title"])
