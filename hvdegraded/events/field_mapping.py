"""Which value of an event is which: from names, from positions, from shapes, from the rendered message.

Routes differ in what they keep. Named values speak for themselves. Positional ones get their names from the
table row of the event. Where the order is not known (classic drivers, of which no public record exists), a
GUID, a version and a name are told apart by their looks. The English message is the last resort.
What cannot be placed for sure stays unplaced, and where values contradict each other none is believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hvdegraded.guids import normalise_guid
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.tables import Knowledge
from hvdegraded.knowledge.vocabulary import Component, ProtocolVersion
from hvdegraded.records.record import EventRecord

__all__ = ["Placed", "field_key", "place", "positional_index"]

_POSITIONAL = re.compile(r"(parameter|param)(\d{1,3})", re.ASCII | re.IGNORECASE)
_NOT_ALPHANUMERIC = re.compile(r"[^0-9a-z]")
_DEVICE_NAME = "DeviceName"
_LONGEST_NAME = 128
_SHOWN = 60
_READ = frozenset(
    {
        *("vmname", "vmid", "device", "adaptername", "partition"),
        *("serverversion", "parentversion", "clientversion", "neededversion"),
        *("frameworknegotiated", "frameworkexpected", "messagenegotiated", "messageexpected"),
    }
)


class Placed(NamedTuple):
    """Values by the key of their field (lower case, letters and digits only), and those without place.

    `doubts` tell which values contradict each other; none of them is among `values`.
    """

    values: dict[str, str]
    unplaced: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def field_key(name: str) -> str:
    """A field's name as it is compared: `VmName`, `VMName` and `vm_name` are one."""
    return _NOT_ALPHANUMERIC.sub("", name[:_LONGEST_NAME].lower())


def positional_index(name: str | None) -> int | None:
    """The position that a name like `Parameter0` or `param1` stands for; None for real names."""
    match = _POSITIONAL.fullmatch(name) if name and len(name) < 16 else None
    if match is None:
        return None
    index = int(match[2]) - (match[1].lower() == "param")
    return index if index >= 0 else None


def place(record: EventRecord, fact: EventFact, component: Component, knowledge: Knowledge) -> Placed:
    """The values of a version event, by field."""
    values: dict[str, str] = {}
    clashes: dict[str, str] = {}
    unplaced: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    def put(key: str, text: str) -> None:
        known = values.setdefault(key, text)
        if not known.strip():
            values[key] = text
        elif key in _READ and text.strip() and text.strip().casefold() != known.strip().casefold():
            clashes[key] = _two_values(key, known, text)

    positional: dict[int, str] = {}
    count = 0
    for name, text in record.data:
        if name == "Binary":
            continue
        index = count if name is None else positional_index(name)
        if index is None:
            put(field_key(name or ""), text)
            continue
        count += name is None
        known = positional.setdefault(index, text)
        if not known.strip():
            positional[index] = text
        elif text.strip() and text.strip().casefold() != known.strip().casefold():
            place = f"position {index}"
            clashes[place] = _two_values(place, known, text)
    if positional:
        found, unplaced, doubts = _from_positions(positional, fact.fields, component)
        for key, text in found.items():
            put(key, text)
    message = record.message
    if message:
        for name, text in knowledge.message_fields(message).items():
            values.setdefault(field_key(name), text)
    for key in clashes:
        values.pop(key, None)
    return Placed(values, unplaced, (*doubts, *clashes.values()))


def _two_values(what: str, one: str, other: str) -> str:
    return f"it has two values for {what}: {one[:_SHOWN]!r} and {other[:_SHOWN]!r}"


def _from_positions(values: dict[int, str], fields: Sequence[str], component: Component) -> Placed:
    if not fields:
        return _from_shapes((values[index] for index in sorted(values)), component)
    first = 0
    if fields[0] == _DEVICE_NAME:
        fields = fields[1:]
        if not values.get(0) or "\\" in values[0]:
            first = 1
    found: dict[str, str] = {}
    unplaced = []
    for index in sorted(values):
        if index < first:
            continue
        if index - first < len(fields):
            found[field_key(fields[index - first])] = values[index]
        elif values[index]:
            unplaced.append(values[index])
    return Placed(found, tuple(unplaced))


def _from_shapes(values: Iterable[str], component: Component) -> Placed:
    """VM name, VM id, server and client version of a classic driver's event, in this order but for the id."""
    found: dict[str, str] = {}
    versions: list[str] = []
    rest: list[str] = []
    ids: set[str] = set()
    for text in values:
        if not text or text.startswith("\\Device\\"):
            continue
        if vm_id := normalise_guid(text):
            ids.add(vm_id)
        elif ProtocolVersion.try_parse(text, component) is not None:
            versions.append(text)
        else:
            rest.append(text)
    if len(ids) > 1:
        shown = " and ".join(sorted(ids)[:2])
        return Placed({}, (*sorted(ids), *versions, *rest), (f"it names two ids: {shown}",))
    if ids:
        found["vmid"] = ids.pop()
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
        if len(rest) > 1:
            shown = " and ".join(repr(text[:_SHOWN]) for text in rest[:2])
            return Placed(found, tuple(rest), (f"it has several texts that may be the VM's name: {shown}",))
        found["vmname"] = rest.pop()
    return Placed(found, tuple(rest))
