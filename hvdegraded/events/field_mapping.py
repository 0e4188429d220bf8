"""Which value of an event is which: from names, from positions, from shapes, from the rendered message.

Formats and shippers differ in what they keep. Named values speak for themselves. Positional ones get their
names from the table row of the event. Where the order is not known (classic drivers, of which no public
record exists), a GUID, a version and a name are distinguished by their form. The English message is the last
resort.
A value that cannot be placed with certainty stays unplaced; where values contradict each other, none is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from hvdegraded.events.messages import read_message, read_structure
from hvdegraded.guids import normalise_guid
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.tables import Knowledge
from hvdegraded.knowledge.vocabulary import Component, Outcome, ProtocolVersion
from hvdegraded.records.record import Caveat, EventRecord, FieldSource

__all__ = ["FieldLayout", "PlacedValues", "field_key", "layout_of", "place", "values_by_key"]

Names = tuple[str | None, ...]

_POSITIONAL = re.compile(r"(parameter|param)(\d{1,3})", re.ASCII | re.IGNORECASE)
_UNNAMED = re.compile(r"data\W?_?\d{0,3}\]?", re.ASCII | re.IGNORECASE)
_NOT_ALPHANUMERIC = re.compile(r"[^0-9a-z]")
_DIGITS = "0123456789"
_DEVICE_NAME = "DeviceName"
_LONGEST_NAME = 128
_VERSION_FIELDS = frozenset({"ServerVersion", "ClientVersion", "FrameworkNegotiated", "MessageNegotiated"})
_SHOWN = 60
_OTHER_NAMES = {"virtualmachineid": "vmid", "virtualmachinename": "vmname"}
_DECISIVE = frozenset(
    {
        *("vmname", "vmid", "device", "adaptername", "adapterid", "partition"),
        *("serverversion", "parentversion", "clientversion", "neededversion"),
        *("frameworknegotiated", "frameworkexpected", "messagenegotiated", "messageexpected"),
    }
)
"""Keys of the fields on which verdicts rest: two different values of one are a contradiction."""


class FieldLayout(NamedTuple):
    """Where in the data of records with the same names each field stands.

    `fields` gives the indexes of a key, named values before positional ones; `positions` the indexes of each
    position that no field name belongs to.
    """

    fields: Mapping[str, tuple[int, ...]]
    positions: Mapping[int, tuple[int, ...]]


class PlacedValues(NamedTuple):
    """Values by the key of their field, values without a place, contradictions and caveats.

    None of the values that contradict each other is among `fields`.
    """

    fields: dict[str, str]
    unplaced: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()


def field_key(name: str) -> str:
    """Return a field's name as it is compared: `VmName`, `VMName` and `vm_name` are one.

    Some shippers number repeated names; a decisive field of any number is that field (`VmId_1`).
    """
    key = _NOT_ALPHANUMERIC.sub("", name[:_LONGEST_NAME].lower())
    bare = key.rstrip(_DIGITS)
    return _OTHER_NAMES.get(bare, bare if bare in _DECISIVE else key)


@lru_cache(maxsize=256)
def layout_of(names: Names, fields: Sequence[str], first: int = 0) -> FieldLayout:
    """Find the fields of records with these names; `fields` names the positions from `first` on."""
    keys = [field_key(name) for name in fields]
    named: dict[str, list[int]] = {}
    positional: dict[int, list[int]] = {}
    count = 0
    for index, name in enumerate(names):
        if name == "Binary":
            continue
        if name is None or (_UNNAMED.fullmatch(name) and field_key(name) not in keys):
            position: int | None = count
            count += 1
        else:
            position = _positional_index(name)
        if position is None:
            named.setdefault(field_key(name or ""), []).append(index)
        elif position >= first:
            positional.setdefault(position - first, []).append(index)
    beyond = {position: tuple(at) for position, at in sorted(positional.items()) if position >= len(keys)}
    for position in sorted(set(positional) - set(beyond)):
        named.setdefault(keys[position], []).extend(positional[position])
    return FieldLayout({key: tuple(at) for key, at in named.items()}, beyond)


def values_by_key(record: EventRecord, fields: Sequence[str]) -> dict[str, str]:
    """Return the values of an event that is not about versions, by the key of their field.

    `fields` names positions; a value beyond them has the key `position3`. Of several values for one field the
    first that is not blank counts.
    """
    layout = layout_of(tuple([name for name, _ in record.data]), fields)
    places = {**layout.fields, **{f"position{at}": indexes for at, indexes in layout.positions.items()}}
    return {
        key: next((text for index in indexes if (text := record.data[index][1]).strip()), "")
        for key, indexes in places.items()
    }


def place(record: EventRecord, fact: EventFact, component: Component, knowledge: Knowledge) -> PlacedValues:
    """Place the values of a version event."""
    data = record.data
    names = tuple([name for name, _ in data])
    fields, first = fact.fields, 0
    if fields and fields[0] == _DEVICE_NAME:
        fields = fields[1:]
        leading = layout_of(names, ()).positions.get(0)
        device = data[leading[0]][1] if leading else ""
        first = int(not device or "\\" in device)
    layout = layout_of(names, fields, first)
    contradictions: list[str] = []

    def one_of(indexes: Iterable[int], what: str, *, decisive: bool) -> str:
        texts = [data[index][1] for index in indexes]
        filled = [text for text in texts if text.strip()]
        other = next((text for text in filled if _folded(text) != _folded(filled[0])), None)
        if other is not None and decisive:
            contradictions.append(_two_values(what, filled[0], other))
            return ""
        return filled[0] if filled else texts[0]

    values = {
        key: data[at[0]][1] if len(at) == 1 else one_of(at, key, decisive=key in _DECISIVE)
        for key, at in layout.fields.items()
    }
    rest = [one_of(at, f"position {where}", decisive=True) for where, at in layout.positions.items()]
    unplaced = [text for text in rest if text]
    if unplaced and not fields:
        shaped = _from_shapes(unplaced, component)
        for key, text in shaped.fields.items():
            named = values.get(key, "")
            if named.strip() and _folded(named) != _folded(text):
                contradictions.append(_two_values(key, named, text))
                del values[key]
            else:
                values[key] = text
        unplaced = list(shaped.unplaced)
        contradictions += shaped.contradictions or _without_place(values, unplaced, component)
    caveats: list[str] = []
    if record.message and not contradictions:
        contradictions, caveats = _add_message(values, record, fact, knowledge)
    return PlacedValues(values, tuple(unplaced), tuple(contradictions), tuple(caveats))


def _add_message(
    values: dict[str, str], record: EventRecord, fact: EventFact, knowledge: Knowledge
) -> tuple[list[str], list[str]]:
    """Fill what no field contains from the message; return what contradicts in it, and caveats."""
    message = record.message or ""
    outcome = Outcome.REFUSED if fact.outcome is Outcome.FINAL_REFUSAL else fact.outcome
    found, ambiguous = read_message(message, knowledge.messages, outcome)
    caveats: list[str] = []
    is_alone = record.field_source is FieldSource.MESSAGE
    if (
        is_alone
        and ambiguous is None
        and fact.outcome is Outcome.LOADED
        and _VERSION_FIELDS.isdisjoint(found)
    ):
        told = read_structure(message, is_service=fact.component is Component.INTEGRATION)
        if told:
            found = told
            caveats.append(Caveat.BY_ORDER)
    for name, text in found.items():
        key = field_key(name)
        if not values.get(key, "").strip():
            values[key] = text
    if not is_alone:
        return [], []
    if ambiguous is not None:
        return [ambiguous], []
    if found and (record.level is None or not record.provider):
        return ["its message alone names what it is about, and its level or provider is not known"], caveats
    return [], caveats


def _without_place(values: Mapping[str, str], unplaced: Sequence[str], component: Component) -> list[str]:
    """What a value without a place contradicts: it may be what is missing, or a second id or version."""
    if not unplaced:
        return []
    has_versions = bool(values.get("serverversion") and values.get("clientversion"))
    if not has_versions or not (values.get("vmname") or values.get("vmid")):
        return [f"it has a value without a place, {unplaced[0][:_SHOWN]!r}, where another is missing"]
    for text in unplaced:
        if normalise_guid(text) or ProtocolVersion.try_parse(text, component) is not None:
            return [f"it has one value too many, {text[:_SHOWN]!r}, which reads as an id or a version"]
    return []


def _two_values(what: str, one: str, other: str) -> str:
    return f"it has two values for {what}: {one[:_SHOWN]!r} and {other[:_SHOWN]!r}"


def _folded(text: str) -> str:
    return text.strip().casefold()


def _positional_index(name: str | None) -> int | None:
    """The position that a name like `Parameter0` or `param1` stands for; None for real names."""
    match = _POSITIONAL.fullmatch(name) if name and len(name) < 16 else None
    if match is None:
        return None
    index = int(match[2]) - (match[1].lower() == "param")
    return index if index >= 0 else None


def _from_shapes(values: Iterable[str], component: Component) -> PlacedValues:
    """Place VM name, VM id, server and client version of a classic driver, in this order but for the id."""
    found: dict[str, str] = {}
    versions: list[str] = []
    rest: list[str] = []
    ids: dict[str, str] = {}
    before_versions = 0  # texts among which the VM's name would be
    for text in values:
        if not text or text.startswith("\\Device\\"):
            continue
        if vm_id := normalise_guid(text):
            if vm_id in ids:
                rest.append(text)  # a VM named like its id
            ids[vm_id] = text
        elif ProtocolVersion.try_parse(text, component) is not None:
            versions.append(text)
        else:
            rest.append(text)
            before_versions += not versions
    if len(ids) > 1:
        shown = " and ".join(sorted(ids)[:2])
        return PlacedValues({}, (*sorted(ids), *versions, *rest), (f"it names two ids: {shown}",))
    if ids:
        found["vmid"] = next(iter(ids))
    # A VM's name can look like a version. So two versions without a name prove nothing: one of them may be
    # the name, and the other version be lost.
    if len(versions) == 3 and not rest:
        rest.append(versions.pop(0))
    if len(versions) == 2 and rest:
        found["serverversion"], found["clientversion"] = versions
    elif len(versions) == 1 and not rest and "vmid" not in found:
        found["clientversion"] = versions[0]
    else:
        rest += versions
    if rest and (len(versions) == 0 or "serverversion" in found):
        if len(rest) > 1 and "vmid" in found and before_versions == 1:
            found["vmname"], *rest = rest  # an insert more than is known
            return PlacedValues(found, tuple(rest))
        if len(rest) > 1:
            shown = " and ".join(repr(text[:_SHOWN]) for text in rest[:2])
            several = f"it has several texts that may be the VM's name: {shown}"
            return PlacedValues(found, tuple(rest), (several,))
        found["vmname"] = rest.pop()
    return PlacedValues(found, tuple(rest))
