"""Facts as data: providers, events and protocol versions, each row with its source.

The rows live in the TOML files of this folder. `load_knowledge()` reads them once; `Knowledge.extended`
adds rows of a user's own file, which can make nothing ignorable without saying `force = true`.
"""

from __future__ import annotations

import enum
import functools
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hvdegraded.knowledge.protocols import Certainty, Component, Fact, ProtocolTable
from hvdegraded.records.record import ProviderFilter

__all__ = [
    "HYPER_V_PREFIX",
    "Certainty",
    "DeviceFact",
    "EventExample",
    "EventFact",
    "Fact",
    "Family",
    "HresultFact",
    "Knowledge",
    "MessagePattern",
    "Outcome",
    "ProviderFact",
    "Role",
    "load_knowledge",
]

HYPER_V_PREFIX = "microsoft-windows-hyper-v-"
"""How names of Hyper-V's own providers begin, in lower case."""

_HYPER_V_MARK = "Hyper-V"

_Words = Annotated[str, Field(min_length=1, max_length=1000)]


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


class Family(enum.StrEnum):
    """Providers whose events share a model."""

    STORVSP = "storvsp"
    STORAGEVSP = "storagevsp"
    VMSWITCH = "vmswitch"
    VMBUS = "vmbus"
    WORKER = "worker"
    VMMS = "vmms"
    CHIPSET = "chipset"
    SYNTHSTOR = "synthstor"
    SYNTHNIC = "synthnic"
    UIDEVICES = "uidevices"
    SERIAL = "serial"
    VMBUSVDEV = "vmbusvdev"
    INTEGRATION = "integration"
    CONFIG = "config"
    DYNMEM = "dynmem"
    HYPERVISOR = "hypervisor"
    VID = "vid"
    NETVSC = "netvsc"


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
    `meaning` and `remedy` are our own words; `references` are KB numbers or document names. `failure`
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
    failure: bool = False
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


class Knowledge:
    """All facts, looked up by provider and event id. Immutable.

    The rows must not claim one name, GUID or event twice, and events must name known providers: the
    loader sees to that, where it can still tell the line.
    """

    def __init__(
        self,
        providers: Iterable[ProviderFact],
        events: Iterable[EventFact],
        protocols: ProtocolTable,
        messages: Iterable[MessagePattern] = (),
        hresults: Iterable[HresultFact] = (),
        devices: Iterable[DeviceFact] = (),
    ) -> None:
        self.providers = tuple(providers)
        self.events = tuple(events)
        self.protocols = protocols
        self.messages = tuple(messages)
        self.hresults = tuple(hresults)
        self.devices = tuple(devices)
        self._providers = {
            key.lower(): row
            for row in self.providers
            for key in (row.name, *row.aliases, *((row.guid,) if row.guid else ()))
        }
        self._events = {
            (self._providers[name.lower()].name.lower(), number): row
            for row in self.events
            for name in row.providers
            for number in row.ids
        }
        self._hresults = {row.code: row.meaning for row in self.hresults}
        self._devices = {row.name.lower(): row.component for row in self.devices}

    def provider(self, name_or_guid: str) -> ProviderFact | None:
        """The provider of that name, alias or GUID (any letter case, braces or not)."""
        return self._providers.get(name_or_guid.strip("{}").lower())

    def provider_of(self, name: str, guid: str | None, source: str | None) -> ProviderFact | None:
        """The provider of an event, by its name, else its EventSourceName, and by GUID where it has neither.

        A name that is not known is not overruled by a GUID that is: one of the two is wrong then.
        """
        found = self.provider(name) if name else None
        if found is None and source:
            found = self.provider(source)
        if found is None and guid and not name and not source:
            found = self.provider(guid)
        return found

    def event(self, provider: str, event_id: int) -> EventFact | None:
        """The row for an event of a provider (name, alias or GUID); None where the event is unknown."""
        known = self.provider(provider)
        return self._events.get((known.name.lower(), event_id)) if known else None

    def hresult(self, code: int) -> str | None:
        """What an error code means, in our words; takes signed and unsigned 32-bit numbers."""
        return self._hresults.get(code & 0xFFFFFFFF) if -(1 << 31) <= code < 1 << 32 else None

    def device(self, name: str) -> Component | None:
        """The component that a device's name as logged (any letter case) stands for; None if unknown."""
        return self._devices.get(name.strip().lower())

    def message_fields(self, message: str) -> dict[str, str]:
        """Fields that an English rendered message names, by canonical name; the first pattern counts."""
        found: dict[str, str] = {}
        for pattern in self.messages:
            for name, text in pattern.find(message[:_LONGEST_MESSAGE]).items():
                found.setdefault(name, text)
        return found

    def provider_filter(self) -> ProviderFilter:
        """What a reading of Hyper-V events wants."""
        names = {name.lower() for row in self.providers for name in (row.name, *row.aliases)}
        plain = frozenset(name for name in names if not name.startswith(HYPER_V_PREFIX))
        return ProviderFilter(names=plain, prefixes=(HYPER_V_PREFIX,), marks=(_HYPER_V_MARK,))

    def extended(self, source: str | os.PathLike[str]) -> Knowledge:
        """This knowledge with a user's TOML added: a path, or the text itself (anything with a newline).

        Tables: `[[provider]]`, `[[event]]` and `[[hresult]]` as in our own files, and `[[override]]`,
        which names `providers` and `ids` of known events and the fields to change. Whatever makes or
        changes a version event needs `force = true`. Raises KnowledgeError with line and column.
        """
        from hvdegraded.knowledge.loader import extend

        return extend(self, source)


_LONGEST_MESSAGE = 8192


@functools.cache
def load_knowledge() -> Knowledge:
    """The facts of this library, read once."""
    from hvdegraded.knowledge.loader import load

    return load(Path(__file__).parent)
