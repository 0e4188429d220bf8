"""EventRecord → Event: whose event it is, of which kind, and which VM and error it names.

`normalise(record)` never raises: a record that the tables do not know becomes a catch-all of its family, or
an `UnrelatedEvent`, and keeps every field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from hvdegraded import events
from hvdegraded.bounded import BoundedCache
from hvdegraded.errors import check_type
from hvdegraded.events import AnyEvent, Event, Hresult
from hvdegraded.events.error_codes import ERROR_FIELDS, named_error, parse_error_code
from hvdegraded.events.field_mapping import Names, field_key, layout_of, place
from hvdegraded.events.messages import read_message, read_subject
from hvdegraded.events.version_readings import VersionReading, VersionReadings
from hvdegraded.guids import normalise_guid, vm_id_from_sid
from hvdegraded.knowledge.facts import EventFact, ProviderFact
from hvdegraded.knowledge.tables import HYPER_V_PREFIX, Knowledge, load_knowledge
from hvdegraded.knowledge.vocabulary import (
    Component,
    Family,
    Outcome,
    ProtocolVersion,
    VersionPair,
    version_pair,
)
from hvdegraded.records.field_types import check_fields
from hvdegraded.records.models import brief_model, build_model
from hvdegraded.records.record import EventRecord, FieldSource

__all__ = ["Normaliser", "normalise"]

_MAX_REMEMBERED = 4096
_LONGEST_NUMBER = 20

_FAMILIES: dict[Family, type[Event]] = {
    Family.STORVSP: events.StorVspEvent,
    Family.STORAGEVSP: events.StorVspEvent,
    Family.VMSWITCH: events.VmSwitchEvent,
    Family.NETVSC: events.VmSwitchEvent,
    Family.VMBUS: events.VmbusEvent,
    Family.WORKER: events.WorkerEvent,
    Family.VMMS: events.VmmsEvent,
    Family.CHIPSET: events.ChipsetEvent,
    Family.SYNTHSTOR: events.SynthStorEvent,
    Family.SYNTHNIC: events.SynthNicEvent,
    Family.UIDEVICES: events.DeviceEvent,
    Family.SERIAL: events.DeviceEvent,
    Family.VMBUSVDEV: events.DeviceEvent,
    Family.DYNMEM: events.DeviceEvent,
    Family.INTEGRATION: events.IntegrationEvent,
    Family.CONFIG: events.ConfigEvent,
    Family.HYPERVISOR: events.HypervisorEvent,
    Family.VID: events.HypervisorEvent,
    Family.COMPUTE: events.ComputeEvent,
    Family.CLUSTER: events.ClusterEvent,
    Family.VIRTUAL_DISK: events.VirtualDiskEvent,
    Family.GUEST: events.GuestEvent,
}
_SPECIAL: dict[tuple[Family, int], type[Event]] = {
    (Family.STORAGEVSP, 4): events.IoFailedEvent,
    (Family.STORAGEVSP, 5): events.DiskRecoveryEvent,
    (Family.STORAGEVSP, 6): events.DiskRecoveryEvent,
    (Family.STORAGEVSP, 7): events.BufferMappingEvent,
    (Family.STORAGEVSP, 8): events.BufferMappingEvent,
    (Family.STORAGEVSP, 9): events.SlowIoEvent,
}
_VERSION_MODELS: dict[Component, type[events.VersionEvent]] = {
    Component.STORAGE: events.StorageVersionEvent,
    Component.NETWORK: events.NetworkVersionEvent,
    Component.VMBUS: events.VmbusVersionEvent,
}
# Which field fills which attribute of a model: of several the first that is there.
_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "disk": ("devicename", "string", "attachmentname", "vhdfilename", "vhdfile", "file", "path"),
    "account": ("param1",),
    "status": ("status",),
    "state": ("newstate",),
    "duration_ms": ("duration",),
    "service": ("servicename",),
    "driver": ("driver", "drivername"),
    "crash_code": ("vmerrorcode0",),
    "device": ("device", "devicename"),
    "adapter": ("nicfname", "nicfriendlyname", "nicname"),
    "mac_address": ("macaddress",),
    "switch": ("switchfname", "switchfriendlyname", "switchname"),
    "system": ("systemid",),
    "resource": ("resourcename", "resource"),
}
_Build = Callable[[type[Event], Mapping[str, Any]], Event]
_CONVERTED: dict[str, Callable[[str], Any]] = {
    "duration_ms": lambda text: int(text) if text.isascii() and text.isdecimal() else None
}


class _Kind(NamedTuple):
    """What all events of one provider and id have in common."""

    model: type[Event]
    provider: ProviderFact | None
    fact: EventFact | None


class _Places(NamedTuple):
    """Where in an event's data its common values stand; -1 for nowhere."""

    vm_name: int
    vm_id: int
    errors: tuple[int, ...]
    attributes: tuple[tuple[str, int, Callable[[str], Any]], ...]


class Normaliser:
    """Makes events of records by the given knowledge; remembers what repeats."""

    def __init__(self, knowledge: Knowledge | None = None) -> None:
        check_type("knowledge", knowledge, Knowledge | None, "load_knowledge gives it")
        self.knowledge = knowledge or load_knowledge()
        self._kinds: BoundedCache[tuple[str, int, str | None, str | None, str], _Kind] = BoundedCache(
            _MAX_REMEMBERED
        )
        self._places: BoundedCache[tuple[Names, type[Event], tuple[str, ...]], _Places] = BoundedCache(
            _MAX_REMEMBERED
        )
        self._versions = VersionReadings()
        self._hresults: BoundedCache[str, Hresult | None] = BoundedCache(_MAX_REMEMBERED)

    def __call__(self, record: EventRecord) -> AnyEvent:
        """Return the event that a record is. Never raises."""
        return self._event(record, build_model)

    def briefly(self, record: EventRecord) -> AnyEvent:
        """Return the same event, made in less time: it takes more room, and should soon be let go."""
        return self._event(record, brief_model)

    def _event(self, record: EventRecord, build: _Build) -> AnyEvent:
        # A channel shows whose event it is where a shipper lost the provider, but not which provider's.
        channel = "" if record.provider else record.channel
        key = (record.provider, record.event_id, record.provider_guid, record.event_source, channel)
        kind = self._kinds.get(key) or self._kinds.remember(key, self._kind(*key))
        model, provider, fact = kind
        if fact is not None and fact.outcome is not None:
            outcome = fact.outcome
            version_model, values, caveats = self._versions.of(
                key, record, lambda: self._version_event(record, provider, fact, outcome)
            )
            if caveats:
                record = record._replace(origin=record.origin.with_caveats(*caveats))
            return build(version_model, {**values, "record": record})  # type: ignore[return-value]
        if provider is None:
            return build(model, {"record": record})  # type: ignore[return-value]  # all models of _Kind are in the union
        return self._other_event(record, model, provider, fact, build)  # type: ignore[return-value]

    def of_given(self, record: EventRecord) -> AnyEvent:
        """Return the event that a record is, which may be made by hand.

        Raises WrongTypeError for one of which a field has another type than EventRecord names.
        """
        if not getattr(record.origin, "reader", ""):
            check_fields(record)
        return self(record.with_valid_unicode())

    def _other_event(
        self,
        record: EventRecord,
        model: type[Event],
        provider: ProviderFact,
        fact: EventFact | None,
        build: _Build,
    ) -> Event:
        data = record.data
        fields = fact.fields if fact else ()
        names = tuple([name for name, _ in data])
        shape = (names, model, fields)
        places = self._places.get(shape) or self._places.remember(shape, _find_places(*shape))
        at_name, at_id, at_errors, at_attributes = places
        vm_name = _told(data[at_name][1]) if at_name >= 0 else None
        vm_id = normalise_guid(data[at_id][1]) if at_id >= 0 else None
        if vm_name is None and vm_id is None and record.message and (fact is None or fact.vm_failure):
            told, _ = read_message(record.message, self.knowledge.messages)
            vm_name, vm_id = told.get("VmName"), normalise_guid(told.get("VmId"))
        if vm_name is None and vm_id is None and record.field_source is FieldSource.MESSAGE:
            vm_name, vm_id = read_subject(record.message or "")
        more = {}
        for attribute, index, convert in at_attributes:
            more[attribute] = convert(data[index][1]) if data[index][1] else None
        error = None
        for index in at_errors:
            error = self._hresult(data[index][1])
            if error is not None:
                break
        values = {
            "record": record,
            "family": provider.family,
            "known": fact is not None,
            "fact": fact,
            "vm_name": vm_name,
            "vm_id": vm_id or vm_id_from_sid(record.user_id),
            "hresult": error,
            **more,
        }
        return build(model, values)

    def _kind(
        self, name: str, event_id: int, provider_guid: str | None, source: str | None, channel: str
    ) -> _Kind:
        knowledge = self.knowledge
        provider = knowledge.provider_of(name, provider_guid, source)
        if provider is None:
            hyper_v = (name or channel).lower().startswith(HYPER_V_PREFIX)
            return _Kind(events.OtherHyperVEvent if hyper_v else events.UnrelatedEvent, None, None)
        fact = knowledge.event(provider.name, event_id)
        model = _SPECIAL.get((provider.family, event_id)) or _FAMILIES[provider.family]
        return _Kind(model, provider, fact)

    def _version_event(
        self, record: EventRecord, provider: ProviderFact | None, fact: EventFact, outcome: Outcome
    ) -> VersionReading:
        """Choose the model of a version event, and read what fills it but for the record."""
        component = fact.component or Component.DEVICE
        if component is Component.INTEGRATION and provider and provider.component:
            component = provider.component
        values, unplaced, contradictions, caveats = place(record, fact, component, self.knowledge)
        found = _Contradictions(contradictions)
        device = values.get("device") or values.get("adaptername")
        if component is Component.DEVICE and device:
            component = self.knowledge.device(device) or component
        written, account = values.get("vmid", "").strip(), vm_id_from_sid(record.user_id)
        vm_id = normalise_guid(written)
        if written and vm_id is None:
            found.append(f"its VM id {written[:_LONGEST_NUMBER]!r} is not a GUID")
        elif vm_id and account and vm_id != account:
            found.append(f"it names the VM {vm_id}, but was written by the account of {account}")
        is_service = fact.component is Component.INTEGRATION
        pairs = _service_pairs(values, component, found) if is_service else _pair(values, component, found)
        common: dict[str, Any] = {
            "family": provider.family if provider else None,
            "known": True,
            "fact": fact,
            "vm_name": _told(values.get("vmname")),
            "vm_id": vm_id or account,
            "outcome": outcome,
            "component": component,
            "device": _told(device),
            "version_pairs": pairs,
            "unplaced": unplaced,
            "hresult": self._first_error(record),
            "contradictions": tuple(found),
        }
        if is_service:
            return VersionReading(events.IntegrationVersionEvent, common, caveats)
        if fact.component is Component.VMBUS:
            common["partition"] = values.get("partition") or None
        model = _VERSION_MODELS.get(fact.component or Component.DEVICE, events.DeviceVersionEvent)
        return VersionReading(model, common, caveats)

    def _first_error(self, record: EventRecord) -> Hresult | None:
        for index in _error_places(tuple([name for name, _ in record.data])):
            error = self._hresult(record.data[index][1])
            if error is not None:
                return error
        return None

    def _hresult(self, text: str) -> Hresult | None:
        if text in self._hresults:
            return self._hresults[text]
        code = parse_error_code(text)
        return self._hresults.remember(text, None if code is None else named_error(code, self.knowledge))


_Contradictions = list[str]


@lru_cache(maxsize=256)
def _error_places(names: Names) -> tuple[int, ...]:
    """Where values of these names stand that may be errors."""
    return tuple(at for at, name in enumerate(names) if name is not None and field_key(name) in ERROR_FIELDS)


def _version(
    values: Mapping[str, str], component: Component, found: _Contradictions, *keys: str
) -> ProtocolVersion | None:
    for key in keys:
        if (text := values.get(key)) and text.strip():
            version = ProtocolVersion.try_parse(text, component)
            if version is None:
                found.append(f"its {key} {text[:_LONGEST_NUMBER]!r} is not a version")
            return version
    return None


@lru_cache(maxsize=4096)
def _version_pair(
    component: Component | None,
    guest: ProtocolVersion | None,
    host: ProtocolVersion | None,
    service: Component | None,
) -> VersionPair:
    """A pair, the same object for the same versions: there are few."""
    return version_pair(component, guest, host, service)


def _pair(values: Mapping[str, str], component: Component, found: _Contradictions) -> tuple[VersionPair, ...]:
    # The version that vmbus 4 wants installed in the guest is the host's; the guest named none.
    host = _version(values, component, found, "serverversion", "parentversion", "neededversion")
    guest = _version(values, component, found, "clientversion", "version")
    if guest is None and host is None:
        return ()
    return (_version_pair(component, guest, host, None),)


def _service_pairs(
    values: Mapping[str, str], component: Component, found: _Contradictions
) -> tuple[VersionPair, ...]:
    """The versions of the framework, and of the messages of an integration service, which may be unknown."""
    service = None if component is Component.INTEGRATION else component
    pairs = []
    for owner, framed, key in (
        (Component.INTEGRATION, service, "framework"),
        (service, None, "message"),
    ):
        guest = _version(values, component, found, f"{key}negotiated")
        host = _version(values, component, found, f"{key}expected")
        if guest is not None or host is not None:
            pairs.append(_version_pair(owner, guest, host, framed))
    return tuple(pairs)


def _find_places(names: Names, model: type[Event], fields: Sequence[str]) -> _Places:
    layout = layout_of(names, fields)
    found = {key: indexes[0] for key, indexes in layout.fields.items()}
    errors = [index for key, indexes in layout.fields.items() if key in ERROR_FIELDS for index in indexes]
    errors += [index for indexes in layout.positions.values() for index in indexes]
    attributes = [
        (attribute, found[key], _CONVERTED.get(attribute, str))
        for attribute, keys in _ATTRIBUTES.items()
        if attribute in model.model_fields
        for key in [next((key for key in keys if key in found), None)]
        if key is not None
    ]
    return _Places(found.get("vmname", -1), found.get("vmid", -1), tuple(errors), tuple(attributes))


def _told(text: str | None) -> str | None:
    """The text, unless it is only the white space that some tools make of an empty element."""
    return text if text and not text.isspace() else None


@lru_cache(maxsize=1)
def _default() -> Normaliser:
    return Normaliser()


def normalise(record: EventRecord, knowledge: Knowledge | None = None) -> AnyEvent:
    """Return the event that a record is, by the library's knowledge or another; no record fails.

    >>> import hvdegraded as hv
    >>> record = hv.EventRecord("Microsoft-Windows-Hyper-V-VMMS", 19100, data=(("VmName", "db02"),))
    >>> hv.normalise(record).vm_name
    'db02'
    """
    check_type("record", record, EventRecord, "read_records gives some")
    return (_default() if knowledge is None else Normaliser(knowledge)).of_given(record)
