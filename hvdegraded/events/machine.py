"""Events of virtual machines and of the services that run them."""

from typing import Literal

from hvdegraded.events.base import Event

__all__ = [
    "ChipsetEvent",
    "ClusterEvent",
    "ComputeEvent",
    "ConfigEvent",
    "DeviceEvent",
    "GuestEvent",
    "HypervisorEvent",
    "IntegrationEvent",
    "OtherHyperVEvent",
    "SynthNicEvent",
    "UnrelatedEvent",
    "VmSwitchEvent",
    "VmbusEvent",
    "VmmsEvent",
    "WorkerEvent",
]


class VmmsEvent(Event):
    """An event of the management service; `service` is the one that 14050 names, `driver` that of 14098."""

    kind: Literal["vmms"] = "vmms"
    service: str | None = None
    driver: str | None = None


class WorkerEvent(Event):
    """An event of a VM's worker process; `device` failed, `crash_code` is what a crashed guest reported."""

    kind: Literal["worker"] = "worker"
    crash_code: str | None = None
    device: str | None = None


class ChipsetEvent(Event):
    """An event of a VM's firmware or chipset: what it booted, or did not."""

    kind: Literal["chipset"] = "chipset"


class ConfigEvent(Event):
    """An event of the configuration store."""

    kind: Literal["config"] = "config"


class IntegrationEvent(Event):
    """An event of an integration service that is not a version event."""

    kind: Literal["integration"] = "integration"


class DeviceEvent(Event):
    """An event of a synthetic device: display, keyboard, serial port, dynamic memory; `device` as logged."""

    kind: Literal["device"] = "device"
    device: str | None = None


class SynthNicEvent(Event):
    """An event of a virtual network adapter; `mac_address` as logged."""

    kind: Literal["synthnic"] = "synthnic"
    adapter: str | None = None
    mac_address: str | None = None


class VmSwitchEvent(Event):
    """An event of a virtual switch, or of a guest's network driver."""

    kind: Literal["vmswitch"] = "vmswitch"
    switch: str | None = None
    adapter: str | None = None
    mac_address: str | None = None


class VmbusEvent(Event):
    """An event of VMBus that is not a version event."""

    kind: Literal["vmbus"] = "vmbus"


class HypervisorEvent(Event):
    """An event of the hypervisor or its infrastructure driver."""

    kind: Literal["hypervisor"] = "hypervisor"


class ComputeEvent(Event):
    """An event of the Host Compute Service; `system` is the container or utility VM."""

    kind: Literal["compute"] = "compute"
    system: str | None = None


class ClusterEvent(Event):
    """An event of the failover cluster or of a clustered VM; `resource` is the cluster's name for it."""

    kind: Literal["cluster"] = "cluster"
    resource: str | None = None


class GuestEvent(Event):
    """An event of a Hyper-V driver inside a Windows guest; its `host` is the guest."""

    kind: Literal["guest"] = "guest"


class OtherHyperVEvent(Event):
    """An event of a Hyper-V provider that the tables do not know."""

    kind: Literal["other"] = "other"


class UnrelatedEvent(Event):
    """An event of a provider that has nothing to do with Hyper-V."""

    kind: Literal["unrelated"] = "unrelated"
