"""The closed sets of the field (roles, outcomes, families, components, …), versions and their pairs."""

import enum
import re
from collections.abc import Iterable
from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from hvdegraded.records.models import build_model

__all__ = [
    "Certainty",
    "Component",
    "Family",
    "GuestFamily",
    "HostGeneration",
    "Kernel",
    "Lifecycle",
    "Outcome",
    "ProtocolVersion",
    "Role",
    "VersionPair",
    "differing_pair",
    "version_pair",
]


Kernel = tuple[int, int]
"""Major and minor number of a Linux kernel."""

_DOTTED = re.compile(r"(\d{1,5})\.(\d{1,5})", re.ASCII)
_WHOLE = re.compile(r"0[xX]([0-9A-Fa-f]{1,8})|(\d{1,10})", re.ASCII)
_LONGEST_TEXT = 32


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


class Certainty(enum.StrEnum):
    """How a fact is known: read in the named source, inferred from such facts, or without a source."""

    VERIFIED = "verified"
    INFERRED = "inferred"
    UNVERIFIED = "unverified"


class ProtocolVersion(NamedTuple):
    """A protocol version, 16 bits each for major and minor; ordered, and printed `6.2`."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    @classmethod
    def parse(cls, value: str | int, component: Component | None = None) -> Self:
        """The version that an event or its sender wrote.

        Reads `6.2`, and whole numbers in decimal (`196610`) or hexadecimal (`0x30002`), text or int: high
        word major, low word minor. For storage a whole number is its 16-bit form on the wire, high byte
        and low byte: `0x0602` and `1538` are 6.2. Raises ValueError for anything else, blank included.
        """
        if isinstance(value, int) and not isinstance(value, bool):
            return cls._of_number(value, component)
        if not isinstance(value, str):
            raise ValueError(f"{type(value).__name__} is not a protocol version")
        text = value.strip() if len(value) <= _LONGEST_TEXT else ""
        if dotted := _DOTTED.fullmatch(text):
            major, minor = int(dotted[1]), int(dotted[2])
            if major > 0xFFFF or minor > 0xFFFF:
                raise ValueError(f"{text}: a protocol version has 16 bits each for major and minor")
            return cls(major, minor)
        if whole := _WHOLE.fullmatch(text):
            return cls._of_number(int(whole[1], 16) if whole[1] else int(whole[2]), component)
        raise ValueError(f"{value[:_LONGEST_TEXT]!r} is not a protocol version")

    @classmethod
    def try_parse(cls, value: str | int | None, component: Component | None = None) -> Self | None:
        """Like `parse`, but return None for what is not a version."""
        if value is None:
            return None
        try:
            return cls.parse(value, component)
        except ValueError:
            return None

    @classmethod
    def _of_number(cls, number: int, component: Component | None) -> Self:
        shift = 8 if component is Component.STORAGE else 16
        if not 0 <= number < 1 << 2 * shift:
            raise ValueError(f"{number} does not fit the {2 * shift} bits of a protocol version")
        return cls(number >> shift, number & (1 << shift) - 1)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema())
        return core_schema.json_or_python_schema(
            json_schema=text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), text]),
            serialization=core_schema.to_string_ser_schema(),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        return {"type": "string", "pattern": r"^\d{1,5}\.\d{1,5}$"}


class VersionPair(BaseModel):
    """The versions of one protocol that guest and host speak; None for one that is not known.

    `component` is None where the event does not name the protocol. `service` is the integration
    service whose framework is meant.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    component: Component | None = None
    guest: ProtocolVersion | None = None
    host: ProtocolVersion | None = None
    service: Component | None = None

    @property
    def known(self) -> bool:
        """Whether both versions are known."""
        return self.guest is not None and self.host is not None

    @property
    def differs(self) -> bool:
        """Whether both versions are known, and differ."""
        return self.known and self.guest != self.host


def version_pair(
    component: Component | None = None,
    guest: ProtocolVersion | None = None,
    host: ProtocolVersion | None = None,
    service: Component | None = None,
) -> VersionPair:
    """Make a pair of values of the right types."""
    values = {"component": component, "guest": guest, "host": host, "service": service}
    return build_model(VersionPair, values)


def differing_pair(pairs: Iterable[VersionPair]) -> VersionPair | None:
    """The pair to show where there is room for one: the last that differs, else the last."""
    last = None
    for pair in pairs:
        if last is None or pair.differs or not last.differs:
            last = pair
    return last


class GuestFamily(enum.StrEnum):
    """Families of guest systems, as far as a protocol mismatch means something else for each.

    BOOT_LOADER speaks for a guest before its system runs, so no inventory names it.
    """

    WINDOWS = "Windows"
    LINUX = "Linux"
    FREEBSD = "FreeBSD"
    DRAGONFLY = "DragonFly BSD"
    OTHER_UNIX = "other Unix"
    BOOT_LOADER = "boot loader"
    UNKNOWN = "unknown"


class Role(enum.StrEnum):
    """What kind of event a row describes."""

    VERSION = "version"
    PROBLEM = "problem"
    WATCH = "watch"
    INFORMATION = "information"


class Lifecycle(enum.StrEnum):
    """What an event reports of the life of a VM."""

    STARTED = "started"
    STOPPED = "stopped"
    RESET = "reset"
    LEFT = "left the host"
    MADE = "created or deleted"


class HostGeneration(enum.StrEnum):
    """Generations of hosts that log in different channels."""

    UP_TO_2012_R2 = "up to 2012 R2"
    SINCE_2016 = "2016 and later"


class Outcome(enum.StrEnum):
    """What became of a device whose versions differ.

    FINAL_REFUSAL: no version in common was found, so the device does not work, whatever else was offered.
    """

    LOADED = "loaded"
    REFUSED = "refused"
    FINAL_REFUSAL = "final refusal"
    NEGOTIATED = "negotiated"


class Family(enum.StrEnum):
    """Providers whose events share a model."""

    STORVSP = "storvsp"
    STORAGEVSP = "storagevsp"
    VMSWITCH = "vmswitch"
    VMBUS = "vmbus"
    WORKER = "worker"
    VMMS = "vmms"
    CHIPSET = "chipset"
    SYNTHSTOR = "synthstor"
    SYNTHNIC = "synthnic"
    UIDEVICES = "uidevices"
    SERIAL = "serial"
    VMBUSVDEV = "vmbusvdev"
    INTEGRATION = "integration"
    CONFIG = "config"
    DYNMEM = "dynmem"
    HYPERVISOR = "hypervisor"
    VID = "vid"
    NETVSC = "netvsc"
    COMPUTE = "compute"
    CLUSTER = "cluster"
    VIRTUAL_DISK = "virtual disk"
    GUEST = "guest"
