"""Typed events: one model for each kind, told apart by `kind`.

`Event` is the union of all; `pydantic.TypeAdapter(Event)` reads what `model_dump_json` wrote.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hvdegraded.events.base import Hresult, HyperVEvent
from hvdegraded.events.machine import (
    ChipsetEvent,
    ConfigEvent,
    DeviceEvent,
    HypervisorEvent,
    IntegrationEvent,
    OtherHyperVEvent,
    SynthNicEvent,
    UnrelatedEvent,
    VmbusEvent,
    VmmsEvent,
    VmSwitchEvent,
    WorkerEvent,
)
from hvdegraded.events.storage import (
    BufferMappingEvent,
    DiskRecoveryEvent,
    IoFailedEvent,
    SlowIoEvent,
    StorVspEvent,
    SynthStorEvent,
)
from hvdegraded.events.version import (
    DeviceVersionEvent,
    IntegrationVersionEvent,
    NetworkVersionEvent,
    StorageVersionEvent,
    VersionEvent,
    VmbusVersionEvent,
)

__all__ = [
    "BufferMappingEvent",
    "ChipsetEvent",
    "ConfigEvent",
    "DeviceEvent",
    "DeviceVersionEvent",
    "DiskRecoveryEvent",
    "Event",
    "Hresult",
    "HyperVEvent",
    "HypervisorEvent",
    "IntegrationEvent",
    "IntegrationVersionEvent",
    "IoFailedEvent",
    "NetworkVersionEvent",
    "OtherHyperVEvent",
    "SlowIoEvent",
    "StorVspEvent",
    "StorageVersionEvent",
    "SynthNicEvent",
    "SynthStorEvent",
    "UnrelatedEvent",
    "VersionEvent",
    "VmSwitchEvent",
    "VmbusEvent",
    "VmbusVersionEvent",
    "VmmsEvent",
    "WorkerEvent",
]

Event = Annotated[
    StorageVersionEvent
    | NetworkVersionEvent
    | VmbusVersionEvent
    | DeviceVersionEvent
    | IntegrationVersionEvent
    | SlowIoEvent
    | IoFailedEvent
    | DiskRecoveryEvent
    | BufferMappingEvent
    | StorVspEvent
    | SynthStorEvent
    | VmmsEvent
    | WorkerEvent
    | ChipsetEvent
    | ConfigEvent
    | IntegrationEvent
    | DeviceEvent
    | SynthNicEvent
    | VmSwitchEvent
    | VmbusEvent
    | HypervisorEvent
    | OtherHyperVEvent
    | UnrelatedEvent,
    Field(discriminator="kind"),
]
"""Any event."""
