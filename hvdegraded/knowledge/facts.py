"""Models of table rows: providers, events, messages, codes, protocol versions, each with its source."""

from collections.abc import Collection
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from hvdegraded.knowledge.vocabulary import (
    Certainty,
    Component,
    Family,
    GuestFamily,
    HostGeneration,
    Kernel,
    Lifecycle,
    Outcome,
    ProtocolVersion,
    Role,
)
from hvdegraded.records.record import Level

__all__ = [
    "Case",
    "ChannelFact",
    "CodeFact",
    "DeviceFact",
    "EventExample",
    "EventFact",
    "Fact",
    "GuestFingerprint",
    "HostVersion",
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
    """A version that hosts have, the releases whose newest it is, and as `example` how an event writes it.

    `vmbus` are the VMBus versions on which guests with this component agree with such hosts; empty where
    nothing depends on them.
    """

    component: Component
    version: ProtocolVersion
    example: Annotated[str, Field(min_length=1)]
    hosts: tuple[str, ...] = ()
    vmbus: tuple[ProtocolVersion, ...] = ()


class Implementation(Fact):
    """A guest's side of one protocol: what it offers, newest first, from kernel `since` until `until`.

    Offers may be empty: guests of this family do not have the component at all. `services` are integration
    services whose framework differs from that of the others. `systems` are releases of
    which the row holds even if the others differ; see `windows_release`. `vmbus` are the VMBus versions on
    which such a guest makes these offers, empty for any. `example` is a
    client's version as an event writes it: one that it sends, or if it sends none, any.
    """

    component: Component
    name: str
    family: GuestFamily
    services: tuple[Component, ...] = ()
    systems: tuple[str, ...] = ()
    example: Annotated[str, Field(min_length=1)]
    since: str | None = None
    until: str | None = None
    vmbus: tuple[ProtocolVersion, ...] = ()
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

    def includes(self, kernel: Kernel) -> bool:
        """Whether the row is about this kernel."""
        low = _kernel(self.since) if self.since else (0, 0)
        return low <= kernel and (self.until is None or kernel <= _kernel(self.until))

    def may_have_sent(self, version: ProtocolVersion) -> bool:
        """Whether an offer of this version can come from it."""
        return version in self.offers or version in self.may_offer


class ChannelFact(Fact):
    """A channel in which failures of these components stand (of all, if none is named), on such hosts."""

    name: Annotated[str, Field(min_length=1)]
    components: tuple[Component, ...] = ()
    hosts: HostGeneration | None = None


class GuestFingerprint(Fact):
    """Versions that, seen on one VM of a host that expected `expected`, come from no Windows guest."""

    families: Annotated[tuple[GuestFamily, ...], Field(min_length=1)]
    seen: dict[Component, ProtocolVersion]
    expected: dict[Component, ProtocolVersion]
    meaning: str


def _kernel(text: str) -> Kernel:
    major, _, minor = text.partition(".")
    return int(major), int(minor)


def range_label(name: str, since: str | None, until: str | None) -> str:
    """Name the implementations from one kernel to another: `Linux 3.14 to 4.3`."""
    if since is None and until is None:
        return name
    if since is None:
        return f"{name} up to {until}"
    if until is None:
        return f"{name} {since} and later"
    return f"{name} {since}" if since == until else f"{name} {since} to {until}"


_LONGEST_NUMBER = 20
_Words = Annotated[str, Field(min_length=1, max_length=1000)]


class ProviderExample(BaseModel):
    """An event of a provider, as a log names both."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    provider: _Words
    event_id: Annotated[int, Field(ge=0, le=0xFFFF)]


class ProviderFact(Fact):
    """One provider: canonical name, other names (compared without case), GUID (upper case, no braces).

    `meaning` says what of a host it is, in a few words. `shares` names providers whose tables hold rows of
    this one too, in which `also` names it.
    """

    name: _Words
    family: Family
    aliases: tuple[_Words, ...] = ()
    guid: Annotated[str, Field(pattern=r"^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$")] | None = None
    component: Component | None = None
    classic: bool = False
    meaning: _Words | None = None
    shares: tuple[_Words, ...] = ()
    example: ProviderExample | None = None


class EventExample(BaseModel):
    """An event that the row describes: its values in order, as (name or "" for unnamed, text)."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    data: tuple[tuple[str, str], ...] = ()
    level: Annotated[int, Field(ge=0, le=255)]
    message: str | None = None


class Case(BaseModel):
    """What an event means and asks for where a code, or the text of a field, decides.

    It applies to an event that carries one of `codes`, and whose `field` contains one of the texts of
    `contains` (compared without case) or is one of `numbers`. What is not given is not asked for. The first
    case that applies counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    codes: tuple[Annotated[int, Field(ge=0, le=0xFFFFFFFF)], ...] = ()
    field: _Words | None = None
    contains: tuple[_Words, ...] = ()
    numbers: tuple[int, ...] = ()
    meaning: _Words | None = None
    remedy: _Words | None = None

    @model_validator(mode="after")
    def _names_what_decides(self) -> Self:
        if (self.field is None) != (not self.contains and not self.numbers):
            raise ValueError("'field' belongs together with 'contains' or 'numbers'")
        if not self.codes and self.field is None:
            raise ValueError("a case needs 'codes', or 'field' with 'contains' or 'numbers'")
        if self.meaning is None and self.remedy is None:
            raise ValueError("a case needs a meaning or a remedy")
        return self

    def applies(self, codes: Collection[int], text: str | None) -> bool:
        """Whether it applies to an event with these codes and this text in `field`."""
        if self.codes and not any(code in codes for code in self.codes):
            return False
        if self.field is None:
            return True
        folded = (text or "").strip().casefold()
        if any(part.casefold() in folded for part in self.contains):
            return True
        return bool(self.numbers) and _number(folded) in self.numbers


def _level(name: object) -> object:
    return Level.__members__.get(name.upper(), name) if isinstance(name, str) else name


_Level = Annotated[Level, BeforeValidator(_level)]
"""A level by its name: critical, error, warning, information, verbose."""


def _number(text: str) -> int | None:
    try:
        return int(text[:_LONGEST_NUMBER], 0)
    except ValueError:
        return None


class EventFact(Fact):
    """One event of one or more providers.

    `fields` names positional values (Parameter0, Parameter1, …, unnamed Data, StringInserts) in order;
    `meaning` and `remedy` are our own words, and `cases` say more where a code or a field decides. `show`
    names fields that a summary shows: `Device`, or with words `took {Duration} ms`. `level` is the
    manifest's, `presumed_level` is read from the text of the event and decides nothing. `repeats` is how
    many such events within 24 hours are worth a look. `references` are the titles of its sources.
    `vm_failure` marks events which report that a VM did not start or lost a device, `lifecycle` those which
    report its start, stop or move. `forced` marks a user's row with `force = true`.
    """

    providers: Annotated[tuple[_Words, ...], Field(min_length=1)]
    event_id: Annotated[int, Field(ge=0, le=0xFFFF, strict=True)]
    role: Role
    meaning: _Words
    remedy: _Words | None = None
    cases: tuple[Case, ...] = ()
    fields: tuple[str, ...] = ()
    show: tuple[_Words, ...] = ()
    level: _Level | None = None
    presumed_level: _Level | None = None
    repeats: Annotated[int, Field(ge=1, le=1000)] | None = None
    outcome: Outcome | None = None
    component: Component | None = None
    references: tuple[str, ...] = ()
    example: EventExample | None = None
    vm_failure: bool = False
    lifecycle: Lifecycle | None = None
    forced: bool = False

    @model_validator(mode="after")
    def _outcome_belongs_to_version_events(self) -> Self:
        if (self.role is Role.VERSION) != (self.outcome is not None):
            raise ValueError("an outcome belongs to every row of role 'version', and to no other")
        return self

    @property
    def proof(self) -> tuple[object, ...]:
        """Everything of this row that decides whether an event can be called ignorable."""
        return (self.role, self.outcome, self.component, self.fields, self.certainty)


class MessagePattern(Fact):
    """What a rendered message of a language contains; the groups carry canonical field names.

    `outcome` is that of the events whose messages contain the pattern, where it is always the same.
    """

    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"
    name: str
    pattern: str
    example: str
    outcome: Outcome | None = None


class CodeFact(Fact):
    """An error code (unsigned 32 bits): its name, what it means in our words, and what to do about it.

    `{vm_id}` in a remedy stands for the id of the VM that the event names.
    """

    code: Annotated[int, Field(ge=0, le=0xFFFFFFFF)]
    name: str | None = None
    meaning: _Words
    remedy: _Words | None = None


class DeviceFact(Fact):
    """A device of a VM: its name as events write it, and the component whose versions it speaks."""

    name: _Words
    component: Component
