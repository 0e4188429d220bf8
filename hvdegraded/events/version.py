"""Version events: host and guest speak different versions of a protocol."""

from collections.abc import Hashable
from typing import Literal

from hvdegraded.events.base import Event
from hvdegraded.knowledge.vocabulary import Component, Outcome, VersionPair, version_pair

__all__ = [
    "DeviceVersionEvent",
    "IntegrationVersionEvent",
    "NetworkVersionEvent",
    "StorageVersionEvent",
    "VersionEvent",
    "VmbusVersionEvent",
]


class VersionEvent(Event):
    """The versions of host (server, VSP) and guest (client, VSC) differ, and what became of the device.

    `version_pairs` contains what the event names with certainty: the versions of its component, and before
    them those of the framework where it is about an integration service. `device` is the device's name as
    logged, `unplaced` are values that found no field, `contradictions` name what in the event contradicts
    itself.
    """

    outcome: Outcome
    component: Component
    device: str | None = None
    version_pairs: tuple[VersionPair, ...] = ()
    unplaced: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()

    @property
    def versions(self) -> VersionPair:
        """The versions of the event's own component that it names."""
        return self.version_pairs[-1] if self.version_pairs else version_pair(self.component)

    @property
    def ruling_key(self) -> tuple[Hashable, ...]:
        """Everything of the event that decides, but for whose it is; whether it names a VM decides."""
        record = self.record
        return (
            *super().ruling_key,
            bool(self.vm_name or self.vm_id),
            record.level,
            record.qualifiers,
            record.origin.anomalies,
            record.origin.recovered,
            self.contradictions,
            self.outcome,
            self.component,
            self.device,
            self.version_pairs,
        )


class StorageVersionEvent(VersionEvent):
    """storvsp 5 and 6, Hyper-V-StorageVSP 3: versions of the storage protocol."""

    kind: Literal["storage_version"] = "storage_version"


class NetworkVersionEvent(VersionEvent):
    """VMSMP and Hyper-V-VmSwitch 26, 27, 102, netvsc 12: versions of the network protocol."""

    kind: Literal["network_version"] = "network_version"


class VmbusVersionEvent(VersionEvent):
    """vmbus and vmbusr 2 to 5: versions of VMBus itself; `partition` is the guest's partition id."""

    kind: Literal["vmbus_version"] = "vmbus_version"
    partition: str | None = None


class DeviceVersionEvent(VersionEvent):
    """Worker 23012 and 23014, UiDevices, Serial, Chipset, VmbusVdev: versions of a synthetic device."""

    kind: Literal["device_version"] = "device_version"


class IntegrationVersionEvent(VersionEvent):
    """Integration 4010 and siblings: framework and message versions of an integration service."""

    kind: Literal["integration_version"] = "integration_version"
