"""Objects of no known dialect, read by the names of their keys.

An object is searched, within bounds, for the names that fields of an event usually have (`[by_names]` of
`dialects.toml`): flat, nested, dotted, in any spelling. It is read only if it names exactly one known
provider, exactly one event id, and at least one field more; the record bears a caveat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from hvdegraded.formats.shippers.coercion import CONVERTERS, event_id_of, level_of, names_no_zone, ticks_of
from hvdegraded.formats.shippers.dialects import tables
from hvdegraded.formats.shippers.evtx_dump import MAX_FIELDS
from hvdegraded.formats.shippers.payloads import values_of_any
from hvdegraded.records.record import Caveat, EventRecord, Field, Level, Origin

__all__ = [
    "field_of_key",
    "is_verdict",
    "known_provider",
    "may_name_a_provider",
    "names_a_provider",
    "record_by_names",
]

_MAX_DEPTH = 8
_MAX_VALUES = 4096
_LONGEST_NAME = 128
_PROVIDER = re.compile(r"[\w./-]{3,128}", re.ASCII)
_ONLY_OF_EVENTS = frozenset({"message", "channel", "record_id", "level", "provider_guid", "instance_id"})
_NUMBERED = re.compile(r"(?:param|parameter|data)\d{1,3}", re.ASCII)
_NOT_COMPARED = re.compile(r"[^0-9a-z]+")


class _Value(NamedTuple):
    """A value and where it stands: the compared names of the keys that lead to it, and its own key."""

    path: tuple[str, ...]
    key: str
    value: Any


def known_provider(name: Any) -> str | None:
    """The name of a provider of Windows; None where a value is not one."""
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or not _PROVIDER.fullmatch(name.strip()):
        return None
    table, lower = tables().by_names, name.strip().lower()
    if lower.endswith("..."):  # cut by its column
        return None
    if lower.endswith(table.channel_endings) or "/" in lower:
        return None
    if lower in table.providers or lower.startswith(table.provider_prefixes):
        bare = name.strip()
        return f"Microsoft-Windows-{bare}" if lower.startswith("hyper-v-") else bare
    return None


def field_of_key(key: str) -> str | None:
    """The field that a key or a column usually names; None for any other."""
    parts = _compared(key)
    found = tables().by_names.fields.get("".join(parts))
    return found[0] if found is not None else None


def may_name_a_provider(text: str) -> bool:
    """Whether a known provider's name, or the beginning of one, stands anywhere in a text."""
    lower, table = text.lower(), tables().by_names
    return any(name in lower for name in (*table.provider_prefixes, *table.providers))


def names_a_provider(mapping: Mapping[str, Any]) -> bool:
    """Whether a known provider's name stands anywhere in an object that is not a verdict of ours."""
    return not is_verdict(mapping) and any(known_provider(one.value) is not None for one in _values(mapping))


def is_verdict(mapping: Mapping[str, Any]) -> bool:
    """Whether an object is a verdict without its event, as this package's test logs and reports have them."""
    return mapping.get("label") in tables().by_names.verdicts


def record_by_names(mapping: Mapping[str, Any], origin: Origin) -> EventRecord | None:
    """The record of an object, by the names of its keys; None where it is not clearly a Windows event."""
    if is_verdict(mapping):
        return None
    fields: dict[str, list[tuple[int, Any]]] = {}
    weak: dict[str, list[Any]] = {}
    payload: list[Any] = []
    loose: list[Field] = []
    table = tables().by_names
    for path, key, value in _values(mapping):
        if path[-1] in table.payloads:
            payload.append(value)
            continue
        for name in {_bare(path[-1]), "".join(path[-2:])}:
            if name in table.fields:
                field, rank = table.fields[name]
                found = _level(key, value) if field == "level" else value
                fields.setdefault(field, []).append((rank, found))
            elif name in table.weak:
                weak.setdefault(table.weak[name], []).append(value)
        if path[-1] in table.values or _NUMBERED.fullmatch(path[-1]):
            loose.append((key, str(value)))
    instances = [value for _, value in fields.get("instance_id", ())]
    names = [known_provider(value) for _, value in fields.get("provider", ())]
    providers = {name.lower(): name for name in names if name is not None}
    ids = _ids([value for _, value in fields.get("event_id", ())])
    ids = ids or _ids(weak.get("event_id", [])) or _ids(instances)
    if len(providers) != 1 or len(ids) != 1:
        return None
    if "event_id" not in fields and _ONLY_OF_EVENTS.isdisjoint(fields):
        return None  # an id of anything, beside the name of a driver
    return _record(providers.popitem()[1], ids.pop(), fields, _data(payload) or loose, origin)


def _level(key: str, value: Any) -> int | None:
    """A level by its word, or by its number under a key of Windows; other scales count otherwise."""
    number = level_of(value)
    if isinstance(value, str) and not value.strip().isdecimal():
        return number
    return number if "Level" in key and number is not None and number <= Level.VERBOSE else None


def _values(mapping: Mapping[str, Any]) -> Iterator[_Value]:
    """The values of an object, its payload as a whole, within bounds."""
    payloads = tables().by_names.payloads
    level: list[tuple[tuple[str, ...], Mapping[str, Any]]] = [((), mapping)]
    budget = _MAX_VALUES
    for _ in range(_MAX_DEPTH):
        below: list[tuple[tuple[str, ...], Mapping[str, Any]]] = []
        for path, inner in level:
            budget -= len(inner)
            if budget < 0:
                return
            for key, value in inner.items():
                if type(value) is list and len(value) == 1 and not isinstance(value[0], dict | list):
                    value = value[0]
                here = (*path, *_compared(str(key)))
                if not here:
                    continue
                if here[-1] in payloads:
                    yield _Value(here, key, value)
                elif isinstance(value, dict):
                    below.append((here, value))
                elif len(here) > 1 and here[-2] in payloads and not isinstance(value, list):
                    yield _Value(here[:-1], key, {str(key).rpartition(".")[2]: value})
                elif isinstance(value, str | int | float) and value != "":
                    yield _Value(here, str(key), value)
        level = below


@lru_cache(maxsize=4096)
def _bare(name: str) -> str:
    """A compared name without what exporters put in front of it: `winlogbeatwinlogeventid` is `eventid`."""
    table = tables().by_names
    while (prefix := next((one for one in table.key_prefixes if name.startswith(one)), None)) is not None:
        if name in table.fields or len(name) == len(prefix):
            break
        name = name[len(prefix) :]
    return name


@lru_cache(maxsize=4096)
def _compared(key: str) -> tuple[str, ...]:
    """The parts of a key as they are compared: `@winlog.Event_ID` is `winlog`, `eventid`."""
    parts = (_NOT_COMPARED.sub("", part.lower()) for part in key[:256].split("."))
    return tuple(part for part in parts if part)


def _ids(values: list[Any]) -> set[tuple[int, int | None]]:
    """The distinct event ids among values, each with the qualifiers that are folded into it."""
    found: dict[int, int | None] = {}
    for value in values:
        if isinstance(value, str):  # as pandas and Excel write a column with gaps
            value = value.removesuffix(".0")
        event_id, qualifiers = event_id_of(value)
        if event_id is not None and not isinstance(value, bool):
            found[event_id] = qualifiers or found.get(event_id)
    return set(found.items())


def _data(payload: list[Any]) -> list[Field]:
    data: list[Field] = []
    for value in payload:
        data += values_of_any(value)[1]
    return data[:MAX_FIELDS]


def _record(
    provider: str,
    number: tuple[int, int | None],
    fields: Mapping[str, list[tuple[int, Any]]],
    data: list[Field],
    origin: Origin,
) -> EventRecord | None:
    values: dict[str, Any] = {}
    message = ""
    caveats = [Caveat.BY_NAMES]
    levels = {level for _, level in fields.get("level", ())}
    if len(levels) == 1 and None not in levels:
        values["level"] = levels.pop()
    elif levels:
        caveats.append(Caveat.UNREADABLE_LEVEL)
    for field, found in fields.items():
        if field in ("provider", "event_id", "level"):
            continue
        for _, value in sorted(found, key=lambda each: each[0]):
            if field == "message":
                message = message or str(value)
            elif field == "time":
                if (ticks := ticks_of(value)) is not None:
                    values["time_ticks"] = ticks
                    caveats += [Caveat.NO_ZONE] if names_no_zone(value) else []
                    break
            elif (converted := CONVERTERS[field](value)) is not None:
                values[_TARGETS.get(field, field)] = converted
                break
    if not (values or message or data):
        return None
    if "time" in fields and "time_ticks" not in values:
        caveats.append(Caveat.UNREADABLE_TIME)
    if number[1] is not None:
        values["qualifiers"] = number[1]
    return EventRecord(
        provider=provider,
        event_id=number[0],
        payload="EventData" if data else "",
        data=tuple(data),
        rendering=(("Message", message),) if message else (),
        origin=origin.with_caveats(*caveats),
        **values,
    )


_TARGETS = {"instance_id": "qualifiers", "entry_type": "level"}
