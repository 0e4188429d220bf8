"""Facts as data: providers, events and protocol versions, each row with its source."""

from __future__ import annotations

import enum

from pydantic import BaseModel, ConfigDict

from hvdegraded.protocols import Component

__all__ = ["Certainty", "EventFact", "Outcome", "ProviderFact", "Role"]


class Certainty(enum.StrEnum):
    """How a fact is known: read in the named source, inferred from such facts, or only believed."""

    VERIFIED = "verified"
    INFERRED = "inferred"
    BELIEVED = "believed"


class Role(enum.StrEnum):
    """What kind of event a row describes."""

    VERSION = "version"
    PROBLEM = "problem"
    WATCH = "watch"
    INFORMATION = "information"


class Outcome(enum.StrEnum):
    """What became of a device whose versions differ."""

    LOADED = "loaded"
    REFUSED = "refused"
    NEGOTIATED = "negotiated"


class Fact(BaseModel):
    """A row of a knowledge file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    certainty: Certainty


class ProviderFact(Fact):
    """One provider: canonical name, other names (compared without case), GUID (upper case, no braces)."""

    name: str
    family: str
    aliases: tuple[str, ...] = ()
    guid: str | None = None
    component: Component | None = None
    classic: bool = False


class EventExample(BaseModel):
    """An event that the row describes: its values in order, as (name or "" for unnamed, text)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: tuple[tuple[str, str], ...] = ()
    level: int
    message: str | None = None


class EventFact(Fact):
    """One event of one or more providers.

    `fields` names positional values (Parameter0, Parameter1, …, unnamed Data, StringInserts) in order;
    `meaning` and `remedy` are our own words; `references` are KB numbers or document names.
    """

    providers: tuple[str, ...]
    ids: tuple[int, ...]
    role: Role
    meaning: str
    remedy: str | None = None
    fields: tuple[str, ...] = ()
    outcome: Outcome | None = None
    component: Component | None = None
    references: tuple[str, ...] = ()
    example: EventExample
