"""One virtual machine of an inventory, and what can be wrong with a part of one."""

import enum
from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from hvdegraded.knowledge.vocabulary import GuestFamily

__all__ = ["MAX_INVENTORY_AGE", "NAMED", "Guest", "GuestMatch", "InventoryProblem", "ProblemKind"]

MAX_INVENTORY_AGE = timedelta(days=90)
"""How much younger than an inventory an event may be before its rows count as outdated."""


NAMED = "the names given"
"""The source of guests that were given by name, not by rows."""


class GuestMatch(enum.StrEnum):
    """How a VM was found in an inventory, best first.

    SIMILAR_NAME: only compatibility forms (NFKC), inner white space or zero-width characters made the
    names equal. PATTERN: a row such as `ubu-*`.
    """

    VM_ID = "VM id"
    NAME = "name"
    SIMILAR_NAME = "similar name"
    PATTERN = "pattern"


class Guest(BaseModel):
    """One virtual machine of an inventory.

    `vm_id` is upper case without braces; `source` names where it was read ("guests.json, row 3").
    `inferred`: no text names the system; a version, of it or of its integration services, shows the family.
    `possible`: the families an UNKNOWN guest may be where rows or texts disagree. `supported`:
    whether the vendor lists the system as a guest; None where its list does not contain it. `taken`: when
    the row was written (UTC), None where unknown; `dated_by_file`: that is when its file was changed last,
    as the row names no time. `match`: how `GuestInventory.find` found it.
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
    taken: datetime | None = None
    dated_by_file: bool = False
    match: GuestMatch = GuestMatch.NAME

    def older_than(self, moment: datetime | None, max_age: timedelta = MAX_INVENTORY_AGE) -> bool:
        """Whether the row was written more than `max_age` before a moment; false where either is unknown."""
        return moment is not None and self.taken is not None and moment - self.taken > max_age

    @property
    def names_a_system(self) -> bool:
        """Whether the row names what the VM runs, if only as one of several systems or as one not known."""
        return self.family is not GuestFamily.UNKNOWN or bool(self.possible) or self.os_name is not None

    @property
    def undecided(self) -> bool:
        """Whether the inventory names the VM but leaves open whether it runs Windows."""
        if self.family is not GuestFamily.UNKNOWN:
            return False
        return self.os_name is not None or not {GuestFamily.WINDOWS, GuestFamily.UNKNOWN}.isdisjoint(
            self.possible
        )


class ProblemKind(enum.StrEnum):
    """What is wrong with a part of an inventory."""

    UNREADABLE = "unreadable"
    NO_VM = "names no VM"
    UNREADABLE_ID = "unreadable id"
    NO_SYSTEM = "names no system"
    UNKNOWN_SYSTEM = "unknown system"
    CONFLICT = "conflict"


class InventoryProblem(BaseModel):
    """A part of an inventory that cannot be used, or contradicts another; rows and lines count from 1."""

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
