"""Where a result comes from: version of the library, inputs, and inventory with its age."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from hvdegraded.guests.guest import Guest
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.records.report import ReadReport
from hvdegraded.version import __version__

__all__ = ["InventorySource", "Provenance"]


@dataclass(frozen=True, slots=True)
class InventorySource:
    """The inventory that was used: its guests, unusable rows, where it was read, and when it was taken.

    `source` names the file or what else it was, `taken` is the time of its oldest row, or if that names none,
    when its file was changed last (`dated_by_file`); `remarks` say what is odd about it beside the logs.
    """

    guests: int
    problems: int = 0
    source: str | None = None
    taken: datetime | None = None
    dated_by_file: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a result was made with and of; `inventory` is None if it was not given."""

    version: str = __version__
    inputs: tuple[str, ...] = ()
    inventory: InventorySource | None = None

    @classmethod
    def with_inventory(
        cls, guests: GuestInventory, seen: Iterable[tuple[str | None, str | None]] = ()
    ) -> Provenance:
        """The provenance of a result that an inventory decided; an empty one counts as not given.

        `seen` holds id and name of the VMs in the logs.
        """
        if guests.empty and not guests.problems:
            return cls()
        oldest = min((guest for guest in guests if guest.taken), key=_taken, default=None)
        source = InventorySource(
            guests=len(guests),
            problems=len(guests.problems),
            source=guests.source,
            taken=oldest.taken if oldest else None,
            dated_by_file=oldest is not None and oldest.dated_by_file,
            remarks=guests.remarks(seen),
        )
        return cls(inventory=source)

    def with_inputs(self, report: ReadReport) -> Provenance:
        """The same, with the inputs that a report is about."""
        paths = [part.path for part in report.parts or [report] if part.path]
        return replace(self, inputs=tuple(paths))


def _taken(guest: Guest) -> datetime:
    assert guest.taken is not None
    return guest.taken
