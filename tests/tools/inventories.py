"""Inventories for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.vocabulary import GuestFamily

WINDOWS, LINUX = GuestFamily.WINDOWS, GuestFamily.LINUX
FREEBSD, OTHER_UNIX, UNKNOWN = GuestFamily.FREEBSD, GuestFamily.OTHER_UNIX, GuestFamily.UNKNOWN
ID_A = "9FC1B2C3-0A1B-4C2D-9E3F-405162738495"
ID_B = "5D9E9825-1973-4B27-9AF1-BA77940A4066"

KVP_XML = (
    '<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem">'
    '<PROPERTY NAME="Caption" PROPAGATED="true" TYPE="string"></PROPERTY>'
    '<PROPERTY NAME="Data" TYPE="string"><VALUE>{data}</VALUE></PROPERTY>'
    '<PROPERTY NAME="Name" TYPE="string"><VALUE>{name}</VALUE></PROPERTY>'
    '<PROPERTY NAME="Source" TYPE="uint16"><VALUE>2</VALUE></PROPERTY></INSTANCE>'
)


def kvp(**items: str) -> list[str]:
    return [KVP_XML.format(name=name, data=data) for name, data in items.items()]


def write(folder: Path, content: str | bytes, name: str = "guests.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def family(inventory: GuestInventory, **wanted: Any) -> GuestFamily | None:
    guest = inventory.find(**wanted)
    return None if guest is None else guest.family
