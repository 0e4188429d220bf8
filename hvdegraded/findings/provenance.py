"""Where a result comes from: version of the library, inputs, and inventory with its age."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.records.report import ReadReport
from hvdegraded.version import __version__

__all__ = ["InventorySource", "Provenance"]


@dataclass(frozen=True, slots=True)
class InventorySource:
    """The inventory that was used: its guests, unusable rows, where it was read, and when it was taken."""

    guests: int
    problems: int = 0
    path: str | None = None
    taken: datetime | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a result was made with and of; `inventory` is None where none was given."""

    version: str = __version__
    inputs: tuple[str, ...] = ()
    inventory: InventorySource | None = None

    @classmethod
    def with_inventory(cls, guests: GuestInventory | None) -> Provenance:
        """The provenance of a result that an inventory decided; None or an empty one counts as not given."""
        if guests is None or (guests.empty and not guests.problems):
            return cls()
        source = InventorySource(
            guests=len(guests),
            problems=len(guests.problems),
            path=getattr(guests, "path", None),
            taken=getattr(guests, "taken", None),
        )
        return cls(inventory=source)

    def with_inputs(self, report: ReadReport) -> Provenance:
        """The same, with the inputs that a report is about."""
        paths = [part.path for part in report.parts or [report] if part.path]
        return replace(self, inputs=tuple(paths))
