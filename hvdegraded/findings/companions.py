"""What lies beside logs and serves them: the inventory of a collected zip, and exported console states."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hvdegraded.errors import HvdegradedError, SourceError
from hvdegraded.findings.unused_inventories import tables_in, unused_inventories_at
from hvdegraded.formats.collections import (
    INVENTORY,
    LIST,
    STATES,
    CollectedFiles,
    collected_files,
    unpacked_files,
)
from hvdegraded.formats.evtx.format import FILE_MAGIC
from hvdegraded.formats.shippers.frames import is_frame
from hvdegraded.guests.guest import Guest, InventoryProblem
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.reading.inputs import display_path, expand_paths, is_pasted, named_paths
from hvdegraded.records.items import Note, NoteKind
from hvdegraded.timestamps import datetime_from_ticks

if TYPE_CHECKING:
    from hvdegraded.guests.state_exports import StateExport

__all__ = ["Companions", "companions_of"]

_ZIP = b"PK\x03\x04"
_MOST_FOLDERS = 1000
_HEAD = 1 << 16  # bytes in which an export of states shows what it is
_WORDS = (
    b"primarystatusdescription",
    b"operationalstatus",
    b"integrationservicesstate",
    b"virtualmachinestate",
    b"cpuusage",
)
_PROVIDERS = (b"microsoft-windows-", b"storvsp", b"hyper-v-v")


class Companions(NamedTuple):
    """What is left to read as logs, the guests that were found beside it, and notes on what is not a log."""

    source: Any
    guests: tuple[Guest, ...] = ()
    problems: tuple[InventoryProblem, ...] = ()
    notes: tuple[Note, ...] = ()

    def beside(self, guests: GuestInventory | None) -> GuestInventory | None:
        """The inventory that was given, and what was found."""
        if not (self.guests or self.problems):
            return guests
        given = guests if guests is not None else GuestInventory()
        return GuestInventory((*given, *self.guests), (*given.problems, *self.problems))


def companions_of(source: Any) -> Companions:
    """Look at the files that a source names; what is not paths, or cannot be found, is left as it is."""
    is_text = isinstance(source, (bytes, bytearray, memoryview)) or (
        isinstance(source, str) and is_pasted(source)
    )
    if is_text or hasattr(source, "read") or is_frame(source):
        return Companions(source)
    try:
        sources = named_paths(source)
        files = [path for one in sources for path in expand_paths(one)]
    except SourceError:  # which the reading reports
        return Companions(source)
    logs: list[str | os.PathLike[str]] = []
    guests: list[Guest] = []
    problems: list[InventoryProblem] = []
    notes: list[Note] = []
    for path in files:
        inventories = []
        for collected in _collections_at(path):
            inventory, note = _inventory_of(*collected)
            inventories += [] if inventory is None else [inventory]
            notes += [] if note is None else [note]
        is_of_collection = _is_of_collection(path)
        notes += [] if is_of_collection or inventories else unused_inventories_at(path)
        states = None if is_of_collection else _states_in(path)
        if states is None:
            logs.append(path)
        else:
            inventories += _systems_in(path)
            notes.append(_note(path, states, inventories))
        for inventory in inventories:
            guests += inventory
            problems += inventory.problems
    folders = {path.parent for path in files} if any(map(os.path.isdir, sources)) else ()
    for folder in sorted(folders)[:_MOST_FOLDERS]:
        notes += tables_in(folder)  # which are not read as logs of a folder
    source = logs if len(logs) < len(files) else sources
    return Companions(source, tuple(guests), tuple(problems), tuple(notes))


def _is_of_collection(path: Path) -> bool:
    """Whether a file is one that the collection script wrote beside logs, and lies beside its list."""
    return path.name in (LIST, INVENTORY, STATES) and unpacked_files(path.parent) is not None


def _collections_at(path: Path) -> Iterator[tuple[str, CollectedFiles]]:
    """What the collection script wrote, in a zip or beside its list, and the place of its inventory."""
    if path.name == LIST:
        unpacked = unpacked_files(path.parent)
        if unpacked is not None:
            yield display_path(path.parent / INVENTORY), unpacked
        return
    with contextlib.suppress(OSError), path.open("rb") as stream:
        if stream.seekable() and stream.read(len(_ZIP)) == _ZIP:
            for folder, files in collected_files(stream).items():
                yield f"{display_path(path)}/{folder}{INVENTORY}", files


def _inventory_of(place: str, files: CollectedFiles) -> tuple[GuestInventory | None, Note | None]:
    """The inventory of a collection, or a note on why it is missing."""
    if not files.inventory or files.collection.newer is not None:
        return None, None
    taken = files.collection.taken
    moment: datetime | None = None if taken is None else datetime_from_ticks(taken)
    try:
        return GuestInventory.parse(files.inventory, place, moment), None
    except HvdegradedError as error:
        kind = _kind_of_problem(files.inventory)
        return None, None if kind is None else Note(kind, f"the inventory is not used: {error.text}", place)


def _kind_of_problem(inventory: bytes) -> NoteKind | None:
    """What it means that no guest is read from an inventory; None if no machine ran on the host."""
    import json

    try:
        rows = json.loads(inventory.decode("utf-8-sig") or "[]")
    except (ValueError, RecursionError):
        return NoteKind.UNREADABLE
    return NoteKind.PASSED_OVER if rows else None


def _states_in(path: Path) -> StateExport | None:
    """The states that a file holds in place of events."""
    with contextlib.suppress(OSError, HvdegradedError):
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            start = stream.read(len(FILE_MAGIC))
            if start == FILE_MAGIC:
                return None
            head = (start + stream.read(_HEAD)).replace(b"\0", b"").lower()
        if any(word in head for word in _WORDS) and not any(name in head for name in _PROVIDERS):
            from hvdegraded.guests.state_exports import LONGEST_EXPORT, read_states

            return None if path.stat().st_size > LONGEST_EXPORT else read_states(path)
    return None


def _systems_in(path: Path) -> list[GuestInventory]:
    with contextlib.suppress(HvdegradedError):
        return [GuestInventory.load(path)]
    return []


def _note(path: Path, states: StateExport, inventories: list[GuestInventory]) -> Note:
    machines = {one.vm_id or one.vm_name for one in states.statuses}
    text = f"it holds the console states of {len(machines)} VMs, not events: judge it with hvdegraded status"
    guests = sum(map(len, inventories))
    if guests:
        text += f"; it serves as inventory of {guests} guests"
    return Note(NoteKind.PASSED_OVER, text, display_path(path))
