"""One row of an inventory to a guest: which column holds what."""

from __future__ import annotations

from collections.abc import Mapping

from hvdegraded.guests.files import Row
from hvdegraded.guests.guest import Guest, ProblemKind, in_order_of_families
from hvdegraded.guids import normalise_guid
from hvdegraded.knowledge.guest_systems import (
    OsReading,
    column_key,
    columns,
    family_from_integration,
    is_blank,
    read_os,
    supported_os,
)
from hvdegraded.knowledge.vocabulary import GuestFamily
from hvdegraded.tabular.coercion import plain_text

__all__ = ["guest_of_row"]

_LONGEST_ITEMS = 1 << 20
_MOST_ITEMS = 1000


def guest_of_row(row: Row, source: str) -> tuple[Guest | None, tuple[ProblemKind, str] | None]:
    """The guest that a row describes, and what is wrong with the row."""
    cells, items = _cells(row)
    ids = [(key, vm_id) for key, text in _picked(cells, "id") if (vm_id := normalise_guid(text))]
    names = _picked(cells, "name")
    if row.key is not None and (vm_id := normalise_guid(row.key)):
        ids.insert(0, ("vmid", vm_id))
    elif row.key is not None:
        names.insert(0, ("", plain_text(row.key)))
    if ids and ids[0][0] == "systemname":
        names = [(key, text) for key, text in names if key == "vmname"]  # the others name the service
    for key, text in names:  # Msvm_ComputerSystem keeps the id in Name
        if (vm_id := normalise_guid(text)) and not ids:
            ids.append((key, vm_id))
    name = next((text for _, text in names if text and not normalise_guid(text)), None)
    if name is None and not ids:
        return None, (ProblemKind.NO_VM, "the row names no VM")
    plain = [("", text) for key, text in cells if key == ""]
    systems = _picked(items, "system") + _picked(cells, "system") + plain
    reading = _together([read_os(text) for _, text in systems if not is_blank(text)])
    integration = _first(items, "integration") or _first(cells, "integration")
    hint = family_from_integration(integration)
    guest = Guest(
        name=name,
        vm_id=ids[0][1] if ids else None,
        host=_first(cells, "host"),
        family=reading.family,
        os_name=next((text for _, text in systems if not is_blank(text)), None),
        os_version=_first(items, "version") or _first(cells, "version"),
        integration_version=integration,
        source=source,
        possible=in_order_of_families(reading.possible) if reading.family is GuestFamily.UNKNOWN else (),
    )
    return _judged(guest, hint)


def _judged(guest: Guest, hint: GuestFamily) -> tuple[Guest, tuple[ProblemKind, str] | None]:
    """The guest with what its integration services add, and what is wrong with its system."""
    label = f"'{(guest.name or guest.vm_id or '')[:80]}'"
    if guest.os_name is None:
        if hint is GuestFamily.UNKNOWN:
            return guest, (ProblemKind.NO_SYSTEM, f"{label} names no operating system")
        return guest.model_copy(update={"family": hint, "inferred": True}), None
    shown = f"'{guest.os_name[:80]}'"
    if guest.possible:
        between = " or ".join(guest.possible)
        return guest, (ProblemKind.UNKNOWN_SYSTEM, f"{label}: {shown} is ambiguous ({between})")
    if guest.family is GuestFamily.UNKNOWN:
        return guest, (ProblemKind.UNKNOWN_SYSTEM, f"{label}: the system {shown} is not known")
    if hint is GuestFamily.WINDOWS and guest.family is not hint:
        possible = in_order_of_families((guest.family, hint))
        contradiction = (
            f"{label}: {shown} with the integration services of Windows ({guest.integration_version})"
        )
        unknown = {"family": GuestFamily.UNKNOWN, "possible": possible}
        return guest.model_copy(update=unknown), (ProblemKind.CONFLICT, contradiction)
    supported = supported_os(guest.os_name, guest.os_version)
    return guest.model_copy(update={"supported": supported}), None


def _together(readings: list[OsReading]) -> OsReading:
    """What several texts about one guest say; texts that name no known system count for nothing."""
    readings = [reading for reading in readings if reading.matched]
    possible = frozenset(family for reading in readings for family in reading.possible)
    if len(possible) == 1 and all(reading.family is not GuestFamily.UNKNOWN for reading in readings):
        return OsReading(next(iter(possible)), possible, matched=True)
    return OsReading(GuestFamily.UNKNOWN, possible, matched=bool(readings))


def _cells(row: Row) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """A row's cells as (column key, text), and apart those inside its nested items (KVP, facts)."""
    cells: list[tuple[str, str]] = []
    items: list[tuple[str, str]] = []
    for name, value in row.cells:
        key = column_key(name)
        if key in columns("items") and not isinstance(value, int | float | None):
            inner = _kvp_items(value)
            items += [(item, text) for item, text in inner if item not in columns("host")]
            if inner:
                continue
        if text := plain_text(value):
            cells.append((key, text))
    return cells, items


def _picked(cells: list[tuple[str, str]], role: str) -> list[tuple[str, str]]:
    """The cells of a role, the better columns first."""
    found = [(columns(role).index(key), key, text) for key, text in cells if key in columns(role)]
    return [(key, text) for _, key, text in sorted(found, key=lambda each: each[0])]


def _first(cells: list[tuple[str, str]], role: str) -> str | None:
    return next((text for _, text in _picked(cells, role) if not is_blank(text)), None)


def _kvp_items(value: object) -> list[tuple[str, str]]:
    """Items inside a cell: KVP XML instances, `{"Name": …, "Data": …}` pairs, or a mapping of facts."""
    found: list[tuple[str, str]] = []
    for part in (value if isinstance(value, list | tuple) else [value])[:_MOST_ITEMS]:
        if isinstance(part, str):
            found += _xml_items(part)
        elif isinstance(part, Mapping):
            pair = plain_text(part.get("Name")), plain_text(part.get("Data", part.get("Value")))
            if pair[0] and ("Data" in part or "Value" in part):
                found.append((column_key(pair[0]), pair[1]))
            else:
                found += [
                    (column_key(name), plain_text(inner))
                    for name, inner in part.items()
                    if isinstance(name, str)
                ]
    return [(key, text) for key, text in found if text]


def _xml_items(text: str) -> list[tuple[str, str]]:
    """Name and data of each `<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem">` of a text."""
    if "<INSTANCE" not in text or len(text) > _LONGEST_ITEMS:
        return []
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(f"<items>{text}</items>", parser)
    except (etree.XMLSyntaxError, ValueError):
        return []
    found: list[tuple[str, str]] = []
    for instance in root.iter("INSTANCE"):
        values: dict[str, str] = {}
        for item in instance.iter("PROPERTY"):
            values[str(item.get("NAME"))] = "".join(str(text) for text in item.itertext()).strip()
        if values.get("Name"):
            found.append((column_key(values["Name"]), plain_text(values.get("Data", ""))))
    return found
