"""What the collection script writes on a host: its list of channels, and what lies beside its logs.

It writes a zip, which may be unpacked, and packed again with those of other hosts, each in a folder. All of
it was taken at one time, which its list names. So a channel that does not exist on the host is known to hold
no failure until then, and local times in it are of the host's zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import tzinfo
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from hvdegraded.errors import HvdegradedError, SourceError
from hvdegraded.records.coverage import Coverage
from hvdegraded.records.items import Item, Note, NoteKind
from hvdegraded.records.local_times import zone_of
from hvdegraded.timestamps import ticks_from_text

__all__ = [
    "INVENTORY",
    "LIST",
    "STATES",
    "CollectedFiles",
    "Collection",
    "collected_files",
    "folder_and_name",
    "unpacked_files",
]

LIST, INVENTORY, STATES = "hvdegraded.json", "guests.json", "states.json"
"""Names of the files beside the logs."""

MOST_COLLECTIONS = 256
"""Collections in one zip."""

LONGEST_FILE = 16 << 20
"""Bytes of such a file that are read."""

_SCHEMA, _VERSION = "hvdegraded.collection", 1
_MOST_CHANNELS = 4096


class Collection(NamedTuple):
    """The list: host, when it was taken (ticks), the host's zone and build, and its channels.

    `newer` is the version of a list that this package does not know; nothing else of such a list is used.
    """

    host: str
    taken: int | None
    zone: tzinfo | None
    build: str
    channels: tuple[dict[str, Any], ...]
    problems: tuple[str, ...]
    newer: str | None = None

    def items(self, names: frozenset[str]) -> Iterator[Item]:
        """What the list proves, and what is missing; `names` are those of the files beside it."""
        for text in self.problems:
            yield Note(NoteKind.PASSED_OVER, f"on the host, {text}")
        if self.newer is not None:
            text = f"the list is of version {self.newer}, which is not known here, and is not used"
            yield Note(NoteKind.UNREADABLE, f"{text}: update hvdegraded")
        for channel in self.channels:
            name, file = str(channel.get("Name", "")), channel.get("File")
            if isinstance(file, str) and file not in names:
                text = f"{file} of the channel {name} is missing, though the list names it: collect again"
                yield Note(NoteKind.UNREADABLE, text)
            elif channel.get("Problem"):
                text = f"the channel {name} could not be exported: {str(channel['Problem'])[:200]}"
                yield Note(NoteKind.UNREADABLE, text)
            elif channel.get("Exists") and not channel.get("Enabled"):
                text = f"the channel {name} is switched off on the host, so nothing is written to it"
                yield Note(NoteKind.PASSED_OVER, text)
            elif self.taken is not None and channel.get("Exists") is False:
                yield Coverage(self.host, name, 0, self.taken)


class CollectedFiles(NamedTuple):
    """A collection, and the bytes of its inventory and of its states, where it has them."""

    collection: Collection
    inventory: bytes | None
    states: bytes | None


def collected_files(stream: BinaryIO) -> dict[str, CollectedFiles]:
    """What lies beside the logs of a zip, whose place stays, by folder in it ("" or `HV1/`).

    Empty if no collection script wrote it.
    """
    from hvdegraded.formats.archives import members

    place = stream.tell()
    held: dict[str, dict[str, bytes]] = {}
    try:
        for path, opened in members(stream, None, []):
            folder, name = folder_and_name(path)
            if name in (LIST, INVENTORY, STATES) and (folder in held or len(held) < MOST_COLLECTIONS):
                with ExitStack() as stack:
                    data = opened(path, [], stack).read(LONGEST_FILE + 1)
                held.setdefault(folder, {})[name] = data
    except SourceError:
        return {}
    finally:
        stream.seek(place)
    found = {folder: _files(files) for folder, files in held.items()}
    return {folder: files for folder, files in found.items() if files is not None}


def folder_and_name(path: str) -> tuple[str, str]:
    """The folder of a file in a zip, with its last slash, and the file's name."""
    folder, slash, name = path.replace("\\", "/").rpartition("/")
    return folder + slash, name


def unpacked_files(folder: Path) -> CollectedFiles | None:
    """What lies beside the logs of a folder into which a collection was unpacked; None of any other."""
    held = {}
    for name in (LIST, INVENTORY, STATES):
        try:
            with (folder / name).open("rb") as stream:
                held[name] = stream.read(LONGEST_FILE + 1)
        except (OSError, ValueError):
            if name == LIST:
                return None
    return _files(held)


def _files(held: dict[str, bytes]) -> CollectedFiles | None:
    collection = _collection(held.get(LIST, b""))
    if collection is None:
        return None
    return CollectedFiles(collection, held.get(INVENTORY), held.get(STATES))


def _collection(data: bytes) -> Collection | None:
    import json

    try:
        plain = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(plain, dict) or plain.get("schema") != _SCHEMA or len(data) > LONGEST_FILE:
        return None
    version = plain.get("schema_version", _VERSION)
    if version != _VERSION:
        return Collection("", None, None, "", (), (), newer=str(version)[:20])
    problems = [str(one)[:200] for one in _listed(plain.get("Problems"))]
    zone = None
    if plain.get("TimeZone"):
        try:
            zone = zone_of(plain["TimeZone"])
        except HvdegradedError as error:
            problems.append(f"its time zone cannot be used: {error.message}")
    channels = [one for one in _listed(plain.get("Channels")) if isinstance(one, dict)]
    taken = plain.get("Taken")
    return Collection(
        host=str(plain.get("Host") or ""),
        taken=ticks_from_text(taken) if isinstance(taken, str) else None,
        zone=zone,
        build=str(plain.get("Build") or ""),
        channels=tuple(channels),
        problems=tuple(problems),
    )


def _listed(value: Any) -> list[Any]:
    """A list, or the only item of one, as ConvertTo-Json of a single object writes it."""
    items = value if isinstance(value, list) else [] if value is None else [value]
    return items[:_MOST_CHANNELS]
