"""Protocol versions: how they are written, which host release has them, which client offers them."""

from __future__ import annotations

import enum

__all__ = ["Component"]


class Component(enum.StrEnum):
    """What of a virtual machine speaks a versioned protocol with its host."""

    STORAGE = "storage"
    NETWORK = "network"
    VMBUS = "VMBus"
    DISPLAY = "display"
    KEYBOARD = "keyboard"
    MOUSE = "mouse"
    DYNAMIC_MEMORY = "dynamic memory"
    VPCI = "virtual PCI"
    DATA_EXCHANGE = "data exchange"
    HEARTBEAT = "heartbeat"
    SHUTDOWN = "shutdown"
    TIME_SYNC = "time synchronisation"
    BACKUP = "backup"
    FILE_COPY = "file copy"
    REMOTE_DESKTOP = "remote desktop"
    INTEGRATION = "integration service"
    DEVICE = "device"
