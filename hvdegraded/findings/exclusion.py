"""Why events that were read are not in a result, and what it means that none is."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from hvdegraded.records.record import Level

__all__ = ["Emptiness", "Exclusion", "Selection"]


class Exclusion(enum.StrEnum):
    """Reasons why events that were read are excluded from a result."""

    OTHER_PROVIDERS = "of other providers"
    BELOW_LOG_ALWAYS = "below the level log_always"
    BELOW_CRITICAL = "below the level critical"
    BELOW_ERROR = "below the level error"
    BELOW_WARNING = "below the level warning"
    BELOW_INFORMATION = "below the level information"
    BELOW_VERBOSE = "below the level verbose"
    TOO_EARLY = "before the time asked for"
    TOO_LATE = "after the time asked for"
    READ_AGAIN = "read a second time"
    KNOWN = "of known findings"
    KNOWN_AGAIN = "of known findings that happened again"

    @classmethod
    def below(cls, level: int) -> Exclusion:
        """Return the reason of events below a level."""
        return cls[f"BELOW_{Level(level).name}"]


class Emptiness(enum.StrEnum):
    """Why a result that shows no event must not be taken for good news."""

    NO_EVENT = "no Hyper-V event was found: is this the right folder, channel, host and format?"
    OUTSIDE_TIMES = "no Hyper-V event lies within the times asked for, and there are others"


@dataclass(frozen=True, slots=True)
class Selection:
    """To which VM, host or component a result is narrowed, and how many other findings ask for something."""

    of: tuple[str, ...]
    act: int = 0
    check: int = 0
