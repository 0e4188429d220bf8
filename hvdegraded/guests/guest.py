"""One virtual machine of an inventory, and what can be wrong with a part of one."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from hvdegraded.knowledge.vocabulary import GuestFamily

__all__ = [
    "Guest",
    "InventoryProblem",
    "ProblemKind",
]


class Guest(BaseModel):
    """One virtual machine of an inventory.

    `vm_id` is upper case without braces; `source` says where it was read ("guests.json, row 3").
    `inferred`: no text names the system, the version of the integration services tells the family.
    `possible`: the families an UNKNOWN guest may be where rows or texts disagree. `supported`:
    whether the vendor lists the system as a guest; None where its list does not tell.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str | None = None
    vm_id: str | None = None
    host: str | None = None
    family: GuestFamily = GuestFamily.UNKNOWN
    os_name: str | None = None
    os_version: str | None = None
    integration_version: str | None = None
    source: str = ""
    supported: bool | None = None
    inferred: bool = False
    possible: tuple[GuestFamily, ...] = ()

    @property
    def undecided(self) -> bool:
        """Whether the inventory says something of the system that leaves open whether it is Windows."""
        if self.family is not GuestFamily.UNKNOWN:
            return False
        return self.os_name is not None or not {GuestFamily.WINDOWS, GuestFamily.UNKNOWN}.isdisjoint(
            self.possible
        )


class ProblemKind(enum.StrEnum):
    """What is wrong with a part of an inventory."""

    UNREADABLE = "unreadable"
    NO_VM = "names no VM"
    NO_SYSTEM = "names no system"
    UNKNOWN_SYSTEM = "unknown system"
    CONFLICT = "conflict"


class InventoryProblem(BaseModel):
    """A part of an inventory that tells nothing, or contradicts another; rows and lines count from 1."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: ProblemKind
    reason: str
    file: str | None = None
    row: int | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = [self.file] if self.file else []
        place += [f"{name} {at}" for name, at in (("row", self.row), ("line", self.line)) if at is not None]
        return f"{', '.join(place)}: {self.reason}" if place else self.reason


def in_order_of_families(families: Iterable[GuestFamily]) -> tuple[GuestFamily, ...]:
    """The families in the order of the enum, each once."""
    return tuple(family for family in GuestFamily if family in set(families))
