"""Typed events: one model for each kind, told apart by `kind`.

`AnyEvent` is the union of all; `pydantic.TypeAdapter(AnyEvent)` reads what `model_dump_json` wrote.
"""

from typing import Annotated

from pydantic import Field

from hvdegraded.events.base import Event, Hresult
from hvdegraded.events.machine import (
    ChipsetEvent,
    ClusterEvent,
    ComputeEvent,
    ConfigEvent,
    DeviceEvent,
    GuestEvent,
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
    VirtualDiskEvent,
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
    "AnyEvent",
    "BufferMappingEvent",
    "ChipsetEvent",
    "ClusterEvent",
    "ComputeEvent",
    "ConfigEvent",
    "DeviceEvent",
    "DeviceVersionEvent",
    "DiskRecoveryEvent",
    "Event",
    "GuestEvent",
    "Hresult",
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
    "VirtualDiskEvent",
    "VmSwitchEvent",
    "VmbusEvent",
    "VmbusVersionEvent",
    "VmmsEvent",
    "WorkerEvent",
]

AnyEvent = Annotated[
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
    | ComputeEvent
    | ClusterEvent
    | VirtualDiskEvent
    | GuestEvent
    | OtherHyperVEvent
    | UnrelatedEvent,
    Field(discriminator="kind"),
]
"""Any event."""
