"""One row of an inventory to a guest: which column holds what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from hvdegraded.guests.files import Row
from hvdegraded.guests.guest import Guest, ProblemKind, in_order_of_families
from hvdegraded.guids import normalise_guid
from hvdegraded.knowledge.guest_systems import (
    OsReading,
    column_key,
    columns,
    family_from_integration,
    family_from_version,
    is_blank,
    read_os,
    supported_os,
)
from hvdegraded.knowledge.vocabulary import GuestFamily
from hvdegraded.tabular.coercion import guid_of, moment_of, plain_text

__all__ = ["guest_of_row"]

_SYSTEMS = "write linux, freebsd, windows, or a name such as 'CentOS 7'"
_NO_ID = "00000000-0000-0000-0000-000000000000"
_SYSTEM_NAME = "systemname"  # of Msvm_KvpExchangeComponent: the VM's id
_LONGEST_ITEMS = 1 << 20
_MOST_ITEMS = 1000


def guest_of_row(
    row: Row, source: str, taken: datetime | None = None, *, is_time_of_file: bool = False
) -> tuple[Guest | None, tuple[ProblemKind, str] | None]:
    """Describe the guest of a row, and what is wrong with the row.

    `taken` is when all rows were written, or the file was changed last; a column of the row counts more.
    """
    cells, items = _cells(row)
    ids, unreadable = _ids(row, cells)
    names = _names(row, cells, ids)
    for key, text in names:  # Msvm_ComputerSystem keeps the id in Name
        if (vm_id := normalise_guid(text)) and not ids:
            ids.append((key, vm_id))
    name = next((text for _, text in names if text and not normalise_guid(text)), None)
    if name is None and not ids:
        return None, (ProblemKind.NO_VM, "the row names no VM")
    plain = [("", text) for key, text in cells if key == ""]
    systems = _picked(items, "system") + _picked(cells, "system") + plain
    systems = [(key, text) for key, text in systems if not is_blank(text)]
    reading = _together([read_os(text) for _, text in systems])
    own = _taken(row)
    guest = Guest(
        name=name,
        vm_id=ids[0][1] if ids else None,
        host=_first(cells, "host"),
        family=reading.family,
        os_name=next((text for _, text in systems), None),
        os_version=_first(items, "version") or _first(cells, "version"),
        integration_version=_first(items, "integration") or _first(cells, "integration"),
        source=source,
        possible=in_order_of_families(reading.possible) if reading.family is GuestFamily.UNKNOWN else (),
        taken=own or taken,
        dated_by_file=is_time_of_file and own is None,
    )
    guest, problem = _with_versions(guest, systems, _picked(items, "version") + _picked(cells, "version"))
    if unreadable is None or ids:
        return guest, problem
    reason = (
        f"'{name}': '{unreadable[:80]}' is not a VM id; the row is not used, because a name alone can be "
        "another VM's; write the GUID of Get-VM, or leave the column out"
    )
    families = set(guest.possible or (guest.family,))
    if GuestFamily.WINDOWS not in families:
        return None, (ProblemKind.UNREADABLE_ID, reason)
    undecided = {"family": GuestFamily.UNKNOWN, "possible": in_order_of_families(families)}
    return guest.model_copy(update=undecided), (ProblemKind.UNREADABLE_ID, reason)


def _ids(row: Row, cells: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], str | None]:
    """The ids of a row, the better columns first, and a text in such a column that cannot be read."""
    ids: list[tuple[str, str]] = []
    unreadable = None
    if row.key is not None and (vm_id := guid_of(row.key)):
        ids.append(("vmid", vm_id))
    for key, text in _picked(cells, "id"):
        vm_id = guid_of(text)
        if vm_id is not None and vm_id != _NO_ID:
            ids.append((key, vm_id))
        elif not is_blank(text) and key != _SYSTEM_NAME:  # which can hold the host's name
            unreadable = unreadable or text
    return ids, unreadable


def _names(row: Row, cells: list[tuple[str, str]], ids: list[tuple[str, str]]) -> list[tuple[str, str]]:
    names = _picked(cells, "name")
    if row.key is not None and not guid_of(row.key):
        names.insert(0, ("", plain_text(row.key)))
    if ids and ids[0][0] == _SYSTEM_NAME:
        return [(key, text) for key, text in names if key == "vmname"]  # the others name the service
    return names


def _taken(row: Row) -> datetime | None:
    """When a row was written, by its own column."""
    for name, value in row.cells:
        if column_key(name) in columns("taken") and (moment := moment_of(value)) is not None:
            return moment
    return None


def _with_versions(
    guest: Guest, systems: list[tuple[str, str]], versions: list[tuple[str, str]]
) -> tuple[Guest, tuple[ProblemKind, str] | None]:
    """The guest with what its versions add, and what is wrong with its system."""
    label = f"'{(guest.name or guest.vm_id or '')[:80]}'"
    hints = {family_from_integration(guest.integration_version)}
    hints |= {family_from_version(text) for _, text in versions}
    hints.discard(GuestFamily.UNKNOWN)
    if not systems:
        if not hints:
            return guest, (ProblemKind.NO_SYSTEM, f"{label} names no operating system")
        if len(hints) == 1:
            return guest.model_copy(update={"family": hints.pop(), "inferred": True}), None
        return _conflict(guest, hints, f"{label}: its versions are those of different systems")
    shown = " and ".join(dict.fromkeys(f"'{text[:80]}'" for _, text in systems[:3]))
    if len(guest.possible) > 1:
        between = " or ".join(guest.possible)
        several = len({text for _, text in systems}) > 1
        kind = ProblemKind.CONFLICT if several else ProblemKind.UNKNOWN_SYSTEM
        return guest, (kind, f"{label}: {shown} leaves open which system it is ({between})")
    if guest.family is GuestFamily.UNKNOWN and not guest.possible and len(hints) == 1:
        # A name that no row knows does not weaken what the version reports.
        return guest.model_copy(update={"family": hints.pop(), "inferred": True}), None
    if guest.family is GuestFamily.UNKNOWN:
        hint = "write it in full" if guest.possible else _SYSTEMS
        return guest, (ProblemKind.UNKNOWN_SYSTEM, f"{label}: the system {shown} is not known; {hint}")
    # Unix systems report the versions of Linux for the integration services, and Windows none of theirs.
    if any((hint is GuestFamily.WINDOWS) != (guest.family is GuestFamily.WINDOWS) for hint in hints):
        said = " and ".join(text for text in (guest.os_version, guest.integration_version) if text)
        return _conflict(guest, {guest.family, *hints}, f"{label}: {shown} contradicts its version ({said})")
    supported = supported_os(guest.os_name, guest.os_version)
    return guest.model_copy(update={"supported": supported}), None


def _conflict(
    guest: Guest, families: set[GuestFamily], reason: str
) -> tuple[Guest, tuple[ProblemKind, str] | None]:
    unknown = {"family": GuestFamily.UNKNOWN, "possible": in_order_of_families(families)}
    return guest.model_copy(update=unknown), (ProblemKind.CONFLICT, reason)


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
