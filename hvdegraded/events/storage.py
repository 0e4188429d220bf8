"""Events of virtual disks: the host side of storage (StorVSP) and the synthetic controllers."""

from typing import Literal

from hvdegraded.events.base import Event

__all__ = [
    "BufferMappingEvent",
    "DiskRecoveryEvent",
    "IoFailedEvent",
    "SlowIoEvent",
    "StorVspEvent",
    "SynthStorEvent",
    "VirtualDiskEvent",
]


class _DiskEvent(Event):
    """`disk` is the path of the virtual disk, `status` an NTSTATUS or SCSI status as logged."""

    disk: str | None = None
    status: str | None = None


class SlowIoEvent(_DiskEvent):
    """StorageVSP 9: a guest's request took long; `duration_ms` in milliseconds."""

    kind: Literal["slow_io"] = "slow_io"
    duration_ms: int | None = None


class IoFailedEvent(_DiskEvent):
    """StorageVSP 4: a guest's request failed."""

    kind: Literal["io_failed"] = "io_failed"


class DiskRecoveryEvent(_DiskEvent):
    """StorageVSP 5 and 6: a disk changed its recovery state."""

    kind: Literal["disk_recovery"] = "disk_recovery"
    state: str | None = None


class BufferMappingEvent(_DiskEvent):
    """StorageVSP 7 and 8: a guest's buffer could not be mapped."""

    kind: Literal["buffer_mapping"] = "buffer_mapping"


class StorVspEvent(_DiskEvent):
    """Any other event of storvsp or Hyper-V-StorageVSP."""

    kind: Literal["storvsp"] = "storvsp"


class SynthStorEvent(_DiskEvent):
    """An event of a virtual storage controller; `account` is the one that was refused (12280, 12290)."""

    kind: Literal["synthstor"] = "synthstor"
    account: str | None = None


class VirtualDiskEvent(_DiskEvent):
    """An event of the drivers and services for virtual disk files."""

    kind: Literal["virtual_disk"] = "virtual_disk"
