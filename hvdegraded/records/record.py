"""What every reader delivers: provider-neutral event records.

A record is the same from every format and shipper: values are text as Windows renders them in event
XML, times are exact integer ticks, GUIDs are upper case without braces. So one event read from an
.evtx file and from an XML export compares equal (`origin` and `rendering` do not count).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from hvdegraded.bounded import BoundedCache
from hvdegraded.errors import WrongTypeError, check_type
from hvdegraded.records.field_types import check_fields
from hvdegraded.timestamps import datetime_from_ticks

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

__all__ = [
    "TIME_CAVEATS",
    "UNSURE_ZONES",
    "Anomaly",
    "Caveat",
    "EventRecord",
    "Field",
    "FieldSource",
    "Level",
    "Origin",
    "ProviderFilter",
]

_MOST_NAMES, _LONGEST_NAME = 4096, 512  # providers that a filter remembers, characters of a name

Field = tuple[str | None, str]
"""One value of an event: its name (None where the source has none) and its text."""


class Level(enum.IntEnum):
    """Severity of an event as Windows numbers it: the lower, the worse; 0 passes every filter.

    >>> import hvdegraded as hv
    >>> hv.Level.ERROR < hv.Level.WARNING
    True
    """

    LOG_ALWAYS = 0
    CRITICAL = 1
    ERROR = 2
    WARNING = 3
    INFORMATION = 4
    VERBOSE = 5


class FieldSource(enum.StrEnum):
    """What an event's reading rests on, strongest first.

    >>> import hvdegraded as hv
    >>> record = hv.EventRecord("storvsp", 6, data=((None, "web01"),))
    >>> record.field_source is hv.FieldSource.POSITIONAL
    True
    """

    NAMED = "named fields"
    POSITIONAL = "positional fields"
    MESSAGE = "rendered message"
    NONE = "no fields"


class Anomaly(enum.StrEnum):
    """Reasons why the content of a record may be wrong: damage, contradictions, cut values.

    An event with an anomaly is never ignorable. Anomalies that name a part of the event are texts.
    """

    NO_EVENT_ID = "it has no event id"
    """The record's `event_id` is 0."""
    EVENT_ID_NOT_A_NUMBER = "its event id is not a number"
    """The record's `event_id` is 0."""
    BAD_CHECKSUM = "the checksum of its chunk does not match"
    REPEATED_NUMBERS = "another chunk of its log contains other records of the same numbers"
    REMNANT = "it stood where its chunk has no live record"
    ABSENT_VALUE = "its template names a value that it does not have"
    TIME_NOT_A_TIME = "its time is not a time"
    OTHER_PROVIDER = "its provider's name is not that of its GUID"
    OTHER_TEMPLATE = "its template has another key than all records of its chunk name"
    OTHER_TYPE = "a value is not of the type that its template names"
    BYTES_LEFT = "its values do not end where it ends"
    ODD_SIZE = "a value has not the size of its type"
    ODD_ARRAY = "an array has not the size of its items"
    CUT_STRING = "a string ends with half a character"
    CUT_SID = "a security identifier is cut"
    CUT_MESSAGE = "its message is cut off"
    HALF_CHARACTERS = "halves of surrogate pairs in it stand as U+FFFD"
    NOT_UTF8 = "some of its bytes are not UTF-8 and stand as \\x.."
    OTHER_EVENT = "the XML in it is that of another event"
    SEVERAL_EVENTS = "it holds the XML of several events"


class Caveat(enum.StrEnum):
    """Notices of how a record came to be read, which leave its content trusted.

    What a log shipper does not keep is a text of its table.
    """

    BY_NAMES = "read by the names of its keys"
    BY_ORDER = "its versions were read by their order in a message of a language that no row describes"
    BROKEN_BEHIND = "its text is broken behind the payload; what stood there is missing"
    MENDED_TEMPLATE = "it names its template with a flipped bit"
    UNREADABLE_XML = "its XML is cut off or damaged"
    UNREADABLE_LEVEL = "its level is of a scale that is not known, or a word of a language that is not"
    NO_ZONE = "its time names no zone and is taken as UTC"
    GIVEN_ZONE = "its time names no zone and is taken as local time of the zone that was given"
    REPEATED_TIME = "its local time occurs twice, as clocks were set back then; the first is taken"
    SKIPPED_TIME = "its local time does not occur, as clocks were set forward then"
    UNREADABLE_TIME = "its time cannot be read"
    AMBIGUOUS_DATE = (
        "its date can be read in two ways and is left out: give more events of that log, of which one shows "
        "the order, or export the log with wevtutil epl"
    )


TIME_CAVEATS = frozenset(
    {
        *(Caveat.NO_ZONE, Caveat.REPEATED_TIME, Caveat.SKIPPED_TIME),
        *(Caveat.UNREADABLE_TIME, Caveat.AMBIGUOUS_DATE),
    }
)
"""Caveats of a time that may be wrong, or that is not there."""

UNSURE_ZONES = frozenset({Caveat.NO_ZONE, Caveat.REPEATED_TIME, Caveat.SKIPPED_TIME})
"""With one of these caveats, a time cannot be compared with those that name their zone."""


class Origin(NamedTuple):
    """Where a record was read: reader, input, place in it, and what speaks against its content.

    `offset` counts bytes from the start of the (decompressed) input, `line` counts from 1. `recovered` marks
    remnants, which are not live records of a log. `anomalies` are reasons why the content may be wrong,
    `caveats` how the record came to be read, both in short English.

    >>> import hvdegraded as hv
    >>> next(hv.read_records("sample_logs/hv2012r2/System.evtx")).origin.path
    'sample_logs/hv2012r2/System.evtx'
    """

    reader: str = ""
    path: str | None = None
    offset: int | None = None
    line: int | None = None
    chunk: int | None = None
    recovered: bool = False
    anomalies: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()

    def with_anomalies(self, *anomalies: str) -> Origin:
        """Add anomalies behind those that are there."""
        return self._replace(anomalies=(*self.anomalies, *anomalies)) if anomalies else self

    def with_caveats(self, *caveats: str) -> Origin:
        """Add caveats behind those that are there."""
        return self._replace(caveats=(*self.caveats, *caveats)) if caveats else self


class EventRecord(NamedTuple):
    """One event as its log holds it, whatever its provider.

    `time_ticks` is TimeCreated in 100 ns since 1601 (None where the source lost it); `record_id` is
    EventRecordID. GUIDs are upper case without braces. `payload` names the element that holds the
    data: `EventData`, `UserData/VmlEventLog`, …. `data` keeps every value in order, duplicates
    included: `(name, text)`, the name None for unnamed `<Data>`; nested payloads are flattened to
    `Parent/Child` and `Parent/@attribute`, `<Binary>` is `("Binary", hex)`. `extra` holds whatever else
    stood in `<System>`, `rendering` what a host added in its own language (`Message`, `Culture`, …).

    >>> import hvdegraded as hv
    >>> record = hv.EventRecord("storvsp", 6, computer="hv1", data=(("VmName", "web01"),))
    >>> record.get("VmName"), record.time_created
    ('web01', None)
    """

    provider: str = ""
    event_id: int = 0
    time_ticks: int | None = None
    level: int | None = None
    record_id: int | None = None
    channel: str = ""
    computer: str = ""
    provider_guid: str | None = None
    event_source: str | None = None
    qualifiers: int | None = None
    version: int | None = None
    task: int | None = None
    opcode: int | None = None
    keywords: int | None = None
    process_id: int | None = None
    thread_id: int | None = None
    activity_id: str | None = None
    related_activity_id: str | None = None
    user_id: str | None = None
    payload: str = ""
    payload_namespace: str | None = None
    data: tuple[Field, ...] = ()
    extra: tuple[Field, ...] = ()
    rendering: tuple[Field, ...] = ()
    origin: Origin = Origin()

    @property
    def content(self) -> tuple[object, ...]:
        """Everything the event itself says: all fields but `rendering` and `origin`."""
        return self[:-2]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EventRecord) and self[:-2] == other[:-2]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:-2])

    @property
    def time_created(self) -> datetime | None:
        """TimeCreated as UTC datetime, cut to microseconds; None where unknown or beyond year 9999."""
        return None if self.time_ticks is None else datetime_from_ticks(self.time_ticks)

    @property
    def message(self) -> str | None:
        """The rendered message, in the rendering host's language; None where the source has no message."""
        for name, text in self.rendering:
            if name == "Message":
                return text
        return None

    @property
    def field_source(self) -> FieldSource:
        """How strong this record's fields are: named, positional, message only, or nothing."""
        positional = False
        for name, _ in self.data:
            if name is None or name.startswith(("Parameter", "param")):
                positional = True
            elif name != "Binary":
                return FieldSource.NAMED
        if positional:
            return FieldSource.POSITIONAL
        return FieldSource.MESSAGE if self.message else FieldSource.NONE

    def get(self, name: str) -> str | None:
        """Text of the first value of that name, or None."""
        for key, text in self.data:
            if key == name:
                return text
        return None

    def with_valid_unicode(self) -> EventRecord:
        """This record, with U+FFFD and an anomaly for halves of surrogate pairs, which are not text."""
        texts = [text for text in _TEXTS_OF(self) if text]
        for fields in (self.data, self.extra, self.rendering):
            for name, text in fields:
                texts.append(text)
                if name:
                    texts.append(name)
        if _is_text("".join(texts)):
            return self
        has_halves = False

        def mend(value: Any) -> Any:
            nonlocal has_halves
            if isinstance(value, tuple):
                return tuple(map(mend, value))
            if not isinstance(value, str):
                return value
            units = value.encode("utf-16-le", "surrogatepass")
            mended = units.decode("utf-16-le", "replace")
            has_halves = has_halves or mended.encode("utf-16-le") != units
            return mended

        record = EventRecord._make([*map(mend, self[:-1]), self.origin])
        if not has_halves:
            return record
        return record._replace(origin=self.origin.with_anomalies(Anomaly.HALF_CHARACTERS))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; `from_dict` turns them back into an equal record."""
        plain = self._asdict()
        for name in ("data", "extra", "rendering"):
            plain[name] = [list(pair) for pair in plain[name]]
        plain["origin"] = self.origin._asdict() | {
            "anomalies": list(map(str, self.origin.anomalies)),
            "caveats": list(map(str, self.origin.caveats)),
        }
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> EventRecord:
        """The record that `to_dict` wrote. Raises TypeError or ValueError for any other shape."""
        check_type("plain", plain, Mapping, "to_dict gives one")
        known = dict(plain)
        for name in ("data", "extra", "rendering"):
            known[name] = tuple(
                (key, str(text) if isinstance(text, int | float) else text)
                for key, text in known.get(name, ())
            )
        origin = dict(known.get("origin") or {})
        for name in ("anomalies", "caveats"):
            origin[name] = tuple(str(text) for text in origin.get(name, ()))
        for name in (*(known.keys() - {*cls._fields}), *(origin.keys() - {*Origin._fields})):
            raise WrongTypeError(f"{name!r} is not a field of a record", hint="to_dict gives its fields")
        known["origin"] = Origin(**origin)
        record = cls(**known)
        check_fields(record)
        return record

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        def from_plain(value: dict[str, Any]) -> EventRecord:
            try:
                return cls.from_dict(value)
            except TypeError as error:
                raise ValueError(str(error)) from error

        plain = core_schema.no_info_after_validator_function(from_plain, core_schema.dict_schema())
        return core_schema.json_or_python_schema(
            json_schema=plain,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), plain]),
            serialization=core_schema.plain_serializer_function_ser_schema(cls.to_dict),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "object", "title": cls.__name__}


_TEXTS_OF: Callable[[EventRecord], tuple[str | None, ...]] = attrgetter(
    "provider", "channel", "computer", "provider_guid", "event_source", "activity_id", "related_activity_id",
    "user_id", "payload", "payload_namespace",
)  # fmt: skip


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True)
class ProviderFilter:
    """Which providers a reading wants, by name without case, or by GUID.

    `names` are whole names, `prefixes` beginnings of names, all in lower case; `short_prefixes` are
    beginnings that text exports write and no log contains. `marks` are pieces of which every name with such
    a prefix contains one, as its manifest spells it (`Hyper-V`): readers search raw bytes for them before
    they decode. A record that has one of the `guids` (upper case, without braces) under a name that is not
    wanted is delivered with an anomaly, since one of the two is damaged.

    >>> import hvdegraded as hv
    >>> wanted = hv.ProviderFilter(frozenset({"storvsp"}))
    >>> records = hv.read_records("sample_logs/hv2012r2/System.evtx", wanted=wanted)
    >>> {record.provider for record in records}
    {'storvsp'}
    """

    names: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    short_prefixes: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    guids: frozenset[str] = frozenset()

    def matches(self, provider: str) -> bool:
        """Whether events of this provider are wanted."""
        lower = provider.lower()
        if lower in self.names or lower.startswith(self.prefixes):
            return True
        return lower.startswith(self.short_prefixes)

    def remembering(self) -> Callable[[str], bool]:
        """Return what `matches` returns, from memory for names that repeat."""
        known: BoundedCache[str, bool] = BoundedCache(_MOST_NAMES)

        def matches(provider: str) -> bool:
            found = known.get(provider)
            if found is None:
                found = self.matches(provider)
                if len(provider) <= _LONGEST_NAME:
                    known[provider] = found
            return found

        return matches
