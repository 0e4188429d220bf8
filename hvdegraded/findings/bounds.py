"""Which events a triage looks at, by level and time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from hvdegraded.errors import WrongValueError
from hvdegraded.events import Event, UnrelatedEvent
from hvdegraded.findings.exclusion import Exclusion
from hvdegraded.records.record import Level
from hvdegraded.timestamps import moment_from_text, ticks_from_datetime

__all__ = ["Bounds"]


@dataclass(frozen=True)
class Bounds:
    """Events of this level and worse, from tick `since` on, before tick `until`."""

    min_level: int = Level.WARNING
    since: int | None = None
    until: int | None = None

    @classmethod
    def of(cls, min_level: int | str, since: datetime | str | None, until: datetime | str | None) -> Bounds:
        """Bounds as a user gives them. Raises WrongValueError."""
        since = moment_from_text(since) if isinstance(since, str) else since
        until = moment_from_text(until) if isinstance(until, str) else until
        first = None if since is None else ticks_from_datetime(since)
        end = None if until is None else ticks_from_datetime(until)
        if first is not None and end is not None and first >= end:
            raise WrongValueError(
                f"nothing lies between {since} and {until}", hint="since comes before until"
            )
        return cls(_level(min_level), first, end)

    @cached_property
    def timeless(self) -> bool:
        """Whether no event is left out because of its time."""
        return self.since is None and self.until is None

    def kind_excluded(self, event: Event) -> Exclusion | None:
        """Why events like this are left out at any time, or None."""
        level = event.level
        if isinstance(event, UnrelatedEvent):
            return Exclusion.OTHER_PROVIDERS
        if level is not None and level > self.min_level:
            return Exclusion.below(self.min_level)
        return None

    def time_excluded(self, ticks: int | None) -> Exclusion | None:
        """Why events of this time are left out, or None."""
        if ticks is None:
            return None
        if self.since is not None and ticks < self.since:
            return Exclusion.TOO_EARLY
        return Exclusion.TOO_LATE if self.until is not None and ticks >= self.until else None


def _level(level: int | str) -> int:
    """A level by its number or name. Raises WrongValueError."""
    names = {one.name.lower(): one for one in Level}
    if isinstance(level, str):
        level = names.get(level.lower(), level)
    if not isinstance(level, int) or isinstance(level, bool):
        raise WrongValueError(f"min_level is {level!r}, not a level", hint=f"one of {', '.join(names)}")
    return level
