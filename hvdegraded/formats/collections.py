"""The zip that the collection script writes on a host: its list of channels, and what lies beside its logs.

Everything in such a zip was taken at one time, which its list names. So a channel that does not exist on the
host is known to hold no failure until then, and local times in it are of the host's zone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import tzinfo
from typing import Any, BinaryIO, NamedTuple

from hvdegraded.errors import HvdegradedError, SourceError
from hvdegraded.formats.archives import members
from hvdegraded.records.coverage import Coverage
from hvdegraded.records.items import Item, Note, NoteKind
from hvdegraded.records.local_times import zone_of
from hvdegraded.timestamps import ticks_from_text

__all__ = ["INVENTORY", "LIST", "STATES", "CollectedFiles", "Collection", "collected_files"]

LIST, INVENTORY, STATES = "hvdegraded.json", "guests.json", "states.json"
"""Names of the files beside the logs."""

LONGEST_FILE = 16 << 20
"""Bytes of such a file that are read."""

_SCHEMA = "hvdegraded.collection"
_MOST_CHANNELS = 4096


class Collection(NamedTuple):
    """The list of a zip: host, when it was taken (ticks), the host's zone and build, and its channels."""

    host: str
    taken: int | None
    zone: tzinfo | None
    build: str
    channels: tuple[dict[str, Any], ...]
    problems: tuple[str, ...]

    def items(self, names: frozenset[str]) -> Iterator[Item]:
        """What the list proves, and what the zip lacks; `names` are those of its files."""
        for text in self.problems:
            yield Note(NoteKind.PASSED_OVER, f"on the host, {text}")
        for channel in self.channels:
            name, file = str(channel.get("Name", "")), channel.get("File")
            if isinstance(file, str) and file not in names:
                text = f"the zip lacks {file}, which its list names"
                yield Note(NoteKind.TRUNCATED, text, incomplete=True)
            elif channel.get("Problem"):
                text = f"the channel {name} could not be exported: {str(channel['Problem'])[:200]}"
                yield Note(NoteKind.PASSED_OVER, text)
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


def collected_files(stream: BinaryIO) -> CollectedFiles | None:
    """What lies beside the logs of a zip, whose place stays; None if no collection script wrote it."""
    place = stream.tell()
    held: dict[str, bytes] = {}
    try:
        for name, opened in members(stream, None, []):
            if name in (LIST, INVENTORY, STATES):
                with ExitStack() as stack:
                    held[name] = opened(name, [], stack).read(LONGEST_FILE + 1)
    except SourceError:
        return None
    finally:
        stream.seek(place)
    collection = _collection(held.get(LIST, b""))
    if collection is None:
        return None
    return CollectedFiles(collection, held.get(INVENTORY), held.get(STATES))


def _collection(data: bytes) -> Collection | None:
    try:
        plain = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(plain, dict) or plain.get("schema") != _SCHEMA or len(data) > LONGEST_FILE:
        return None
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
