"""Version events: host and guest speak different versions of a protocol."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

from hvdegraded.events.base import HyperVEvent
from hvdegraded.knowledge.vocabulary import Component, Outcome, ProtocolVersion

__all__ = [
    "DeviceVersionEvent",
    "IntegrationVersionEvent",
    "NetworkVersionEvent",
    "StorageVersionEvent",
    "VersionEvent",
    "VmbusVersionEvent",
]


class VersionEvent(HyperVEvent):
    """The versions of host (server, VSP) and guest (client, VSC) differ, and what became of the device.

    A version that the event does not tell for sure is None. `device` is the device's name as logged,
    `unplaced` are values that found no field, `contradictions` tell what in the event contradicts itself.
    """

    outcome: Outcome
    component: Component
    device: str | None = None
    server_version: ProtocolVersion | None = None
    client_version: ProtocolVersion | None = None
    unplaced: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()

    @property
    def verdict_key(self) -> tuple[Hashable, ...]:
        """Everything of the event itself that its verdict depends on."""
        record = self.record
        return (
            *super().verdict_key,
            record.level,
            record.qualifiers,
            record.origin.anomalies,
            record.origin.recovered,
            self.contradictions,
            self.outcome,
            self.component,
            self.device,
            self.server_version,
            self.client_version,
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
    framework_negotiated: ProtocolVersion | None = None
    framework_expected: ProtocolVersion | None = None
    message_negotiated: ProtocolVersion | None = None
    message_expected: ProtocolVersion | None = None

    @property
    def verdict_key(self) -> tuple[Hashable, ...]:
        """Everything of the event itself that its verdict depends on."""
        return (
            *super().verdict_key,
            self.framework_negotiated,
            self.framework_expected,
            self.message_negotiated,
            self.message_expected,
        )
