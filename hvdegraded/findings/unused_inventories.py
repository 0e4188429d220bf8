"""Inventories that lie beside logs, or in their zip, and are not used, as they were not given."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from hvdegraded.errors import HvdegradedError
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.vocabulary import GuestFamily
from hvdegraded.reading.inputs import display_path
from hvdegraded.records.items import Note, NoteKind

__all__ = ["tables_in", "unused_inventories_at"]

_LONGEST_INVENTORY = 1 << 20
_MOST_TABLES = 20  # CSV files of a folder
_HEAD = 1 << 16  # bytes in which a log shows what it is
_PROVIDERS = (b"microsoft-windows-", b"storvsp", b"hyper-v-v")
_NAMED_INVENTORY = re.compile(r"(?i)(?:guest|inventor|vms?)[^/]{0,40}\.(?:json|csv)\Z")


def unused_inventories_at(path: Path) -> Iterator[Note]:
    """Look at a JSON file, or a .zip, that was found or named as a log."""
    if path.suffix.lower() == ".json":
        yield from _of_file(path)
    elif path.suffix.lower() == ".zip":
        from hvdegraded.formats.archives import members

        with contextlib.suppress(OSError, HvdegradedError), path.open("rb") as stream:
            for name, opened in members(stream, None, []):
                if _NAMED_INVENTORY.search(name):
                    with contextlib.ExitStack() as held:
                        data = opened(name, [], held).read(_LONGEST_INVENTORY + 1)
                    yield from _of_bytes(data, f"{display_path(path)}/{name}")


def tables_in(folder: Path) -> Iterator[Note]:
    """Look at the CSV files of a folder."""
    with contextlib.suppress(OSError):
        for path in sorted(folder.glob("*.csv"))[:_MOST_TABLES]:
            yield from _of_file(path)


def _of_file(path: Path) -> Iterator[Note]:
    with contextlib.suppress(OSError):
        if path.is_file() and path.stat().st_size <= _LONGEST_INVENTORY:
            yield from _of_bytes(path.read_bytes(), display_path(path))


def _of_bytes(data: bytes, place: str) -> Iterator[Note]:
    head = data[:_HEAD].replace(b"\0", b"").lower()
    if len(data) > _LONGEST_INVENTORY or any(name in head for name in _PROVIDERS):
        return
    with contextlib.suppress(HvdegradedError):
        known = [one for one in GuestInventory.parse(data, place) if one.family is not GuestFamily.UNKNOWN]
        if known:
            text = f"it names what {len(known)} VMs run, and is not used: give it as the inventory"
            yield Note(NoteKind.INVENTORY, text, place)
