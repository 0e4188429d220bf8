"""Models of table rows: providers, events, messages, codes, protocol versions, each with its source."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hvdegraded.knowledge.vocabulary import Certainty, Component, Family, Outcome, ProtocolVersion, Role

__all__ = [
    "DeviceFact",
    "EventExample",
    "EventFact",
    "Fact",
    "GuestFingerprint",
    "HostVersion",
    "HresultFact",
    "Implementation",
    "MessagePattern",
    "ProviderFact",
    "range_label",
]


class Fact(BaseModel):
    """A row of a knowledge file."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    source: Annotated[str, Field(min_length=1)]
    certainty: Certainty


class HostVersion(Fact):
    """A version that hosts have, the releases whose newest it is, and as `example` how an event writes it."""

    component: Component
    version: ProtocolVersion
    example: Annotated[str, Field(min_length=1)]
    hosts: tuple[str, ...] = ()


class Implementation(Fact):
    """A guest's side of one protocol: what it offers, newest first, from kernel `since` until `until`.

    Offers may be empty: guests of this family do not have the component at all. `services` are integration
    services whose framework differs from that of the others. `systems` are releases of
    which the row holds whatever the others say; see `knowledge.guests.windows_release`. `example` is a
    client's version as an event writes it: one that it sends, or if it sends none, any.
    """

    component: Component
    name: str
    family: str
    services: tuple[Component, ...] = ()
    systems: tuple[str, ...] = ()
    example: Annotated[str, Field(min_length=1)]
    since: str | None = None
    until: str | None = None
    offers: tuple[ProtocolVersion, ...]
    may_offer: tuple[ProtocolVersion, ...] = ()

    @property
    def label(self) -> str:
        """Name and range: `Linux 3.14 to 4.3`, `Linux 5.19 and later`."""
        return range_label(self.name, self.since, self.until)

    @property
    def newest(self) -> ProtocolVersion | None:
        """The newest version that it offers, or may offer."""
        return max(self.offers + self.may_offer, default=None)

    def may_have_sent(self, version: ProtocolVersion) -> bool:
        """Whether an offer of this version can come from it."""
        return version in self.offers or version in self.may_offer


class GuestFingerprint(Fact):
    """Versions that, seen on one VM of a host that expected `expected`, come from no Windows guest."""

    families: Annotated[tuple[str, ...], Field(min_length=1)]
    seen: dict[Component, ProtocolVersion]
    expected: dict[Component, ProtocolVersion]
    meaning: str


def range_label(name: str, since: str | None, until: str | None) -> str:
    """Name the implementations from one kernel to another: `Linux 3.14 to 4.3`."""
    if since is None and until is None:
        return name
    if since is None:
        return f"{name} up to {until}"
    if until is None:
        return f"{name} {since} and later"
    return f"{name} {since}" if since == until else f"{name} {since} to {until}"


_Words = Annotated[str, Field(min_length=1, max_length=1000)]


class ProviderExample(BaseModel):
    """An event of a provider, as a log names both."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    provider: _Words
    event_id: Annotated[int, Field(ge=0, le=0xFFFF)]


class ProviderFact(Fact):
    """One provider: canonical name, other names (compared without case), GUID (upper case, no braces).

    Every row of our own has an `example`; a user's may have none.
    """

    name: _Words
    family: Family
    aliases: tuple[_Words, ...] = ()
    guid: Annotated[str, Field(pattern=r"^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$")] | None = None
    component: Component | None = None
    classic: bool = False
    example: ProviderExample | None = None


class EventExample(BaseModel):
    """An event that the row describes: its values in order, as (name or "" for unnamed, text)."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    data: tuple[tuple[str, str], ...] = ()
    level: Annotated[int, Field(ge=0, le=255)]
    message: str | None = None


class EventFact(Fact):
    """One event of one or more providers.

    `fields` names positional values (Parameter0, Parameter1, …, unnamed Data, StringInserts) in order;
    `meaning` and `remedy` are our own words; `references` are KB numbers or document names. `vm_failure`
    marks events that tell that a VM did not get going or lost a device. `forced` marks a user's row that
    said `force = true`.
    """

    providers: Annotated[tuple[_Words, ...], Field(min_length=1)]
    ids: Annotated[tuple[Annotated[int, Field(ge=0, le=0xFFFF, strict=True)], ...], Field(min_length=1)]
    role: Role
    meaning: _Words
    remedy: _Words | None = None
    fields: tuple[str, ...] = ()
    outcome: Outcome | None = None
    component: Component | None = None
    references: tuple[str, ...] = ()
    example: EventExample
    vm_failure: bool = False
    forced: bool = False

    @model_validator(mode="after")
    def _outcome_belongs_to_version_events(self) -> EventFact:
        if (self.role is Role.VERSION) != (self.outcome is not None):
            raise ValueError("an outcome belongs to every row of role 'version', and to no other")
        return self

    @property
    def proof(self) -> tuple[object, ...]:
        """Everything of this row that decides whether an event can be called ignorable."""
        return (self.role, self.outcome, self.component, self.fields, self.certainty)


class MessagePattern(Fact):
    """What an English rendered message says; the groups carry canonical field names."""

    name: str
    pattern: str
    example: str

    def find(self, message: str) -> dict[str, str]:
        """The values that the pattern finds in a message; empty where it finds none, or two different ones.

        A VM's name is its owner's to choose, and may hold the text of a message.
        """
        found = [match.groupdict() for match in re.finditer(self.pattern, message, re.IGNORECASE | re.ASCII)]
        return found[0] if found and all(other == found[0] for other in found) else {}


class HresultFact(Fact):
    """An error code (unsigned 32 bits) and what it means, in our words."""

    code: Annotated[int, Field(ge=0, le=0xFFFFFFFF)]
    meaning: _Words


class DeviceFact(Fact):
    """A device of a VM: its name as events write it, and the component whose versions it speaks."""

    name: _Words
    component: Component
