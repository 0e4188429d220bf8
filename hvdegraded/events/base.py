"""What every Hyper-V event has: its record, whose it is, and the error it carries."""

from collections.abc import Hashable
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from pydantic import Field as ModelField

from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.vocabulary import Family
from hvdegraded.printable import printable, table_html
from hvdegraded.records.record import EventRecord, Field, FieldSource

__all__ = ["Event", "Hresult"]


class Hresult(BaseModel):
    """An error (HRESULT, Win32 or NTSTATUS): unsigned 32-bit number, the same as `0x…`, name and meaning."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    code: int
    hex: str
    name: str | None = None
    meaning: str | None = None

    def __str__(self) -> str:
        named = f"{self.hex} {self.name}" if self.name else self.hex
        return f"{named}: {self.meaning}" if self.meaning else named


class Event(BaseModel):
    """An event with what it says of a VM; the record keeps every field of the source.

    `vm_id` is a GUID in upper case without braces. `fact` is the table row by which the event was read, None
    where the tables do not know this provider and id, and in an event that was read back from JSON; it does
    not count in comparisons. `kind`, in each model, distinguishes the models.

    >>> import hvdegraded as hv
    >>> event = next(hv.read("sample_logs/hv2012r2/System.evtx"))
    >>> isinstance(event, hv.Event), event.provider, event.event_id, event.vm_name
    (True, 'storvsp', 6, 'web01')
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    record: EventRecord
    family: Family | None = None
    known: bool = False
    vm_name: str | None = None
    vm_id: str | None = None
    hresult: Hresult | None = None
    fact: EventFact | None = ModelField(default=None, exclude=True, repr=False)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return {**self.__dict__, "fact": None} == {**other.__dict__, "fact": None}

    def __hash__(self) -> int:
        return hash(self.record)

    def __repr__(self) -> str:
        name = type(self).__name__
        when = self.time_created.isoformat(" ", "seconds") if self.time_created else "no time"
        whose = f", VM {self.vm_name or self.vm_id}" if self.vm_name or self.vm_id else ""
        return printable(f"<{name} {self.provider} {self.event_id}, {when}, {self.host or 'no host'}{whose}>")

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        error = (("error", str(self.hresult)),) if self.hresult else ()
        message = (("message", self.message),) if self.message else ()
        data = ((name or "(no name)", text) for name, text in self.data)
        return table_html([("event", repr(self).strip("<>")), *error, *message, *data])

    @property
    def verdict_key(self) -> tuple[Hashable, ...]:
        """Everything of the event itself that its verdict depends on: equal for events that say the same."""
        return *self.ruling_key, self.record.computer, self.vm_name, self.vm_id

    @property
    def ruling_key(self) -> tuple[Hashable, ...]:
        """Everything of the event that decides, but for whose it is."""
        record = self.record
        return (
            record.provider,
            record.event_id,
            record.event_source,
            record.provider_guid,
            self.hresult.code if self.hresult else None,
        )

    @property
    def provider(self) -> str:
        """Name of the provider, as the log spells it."""
        return self.record.provider

    @property
    def event_id(self) -> int:
        """Id of the event, unique within its provider only."""
        return self.record.event_id

    @property
    def level(self) -> int | None:
        """Severity: 1 critical, 2 error, 3 warning, 4 information."""
        return self.record.level

    @property
    def record_id(self) -> int | None:
        """EventRecordID."""
        return self.record.record_id

    @property
    def time_ticks(self) -> int | None:
        """TimeCreated in 100 ns since 1601."""
        return self.record.time_ticks

    @property
    def time_created(self) -> datetime | None:
        """TimeCreated as UTC datetime, cut to microseconds."""
        return self.record.time_created

    @property
    def channel(self) -> str:
        """The log that the event was written to."""
        return self.record.channel

    @property
    def host(self) -> str:
        """The machine that logged the event: a Hyper-V host, or the guest for a GuestEvent."""
        return self.record.computer

    @property
    def data(self) -> tuple[Field, ...]:
        """Every value of the event in order, as (name or None, text)."""
        return self.record.data

    @property
    def message(self) -> str | None:
        """The rendered message, where the source carries one."""
        return self.record.message

    @property
    def field_source(self) -> FieldSource:
        """What the reading of the fields rests on."""
        return self.record.field_source
