"""What becomes of a guest's offers on a host: the protocol's own rules, and nothing of what is logged."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import NamedTuple

from tests.tools.simulator.versions import SERVICES, Guest, Host, Offers, Part, Version


class Outcome(enum.Enum):
    """What the host did with an offer."""

    REFUSED = "refused"
    OLDER = "taken, older than the host's newest"
    NEWEST = "taken, the host's newest"


class Offer(NamedTuple):
    """An offer of a guest, and what came of it. `device` counts the devices of one part."""

    part: Part
    outcome: Outcome
    host: Version
    guest: Version
    device: int = 0
    framework: tuple[Version, Version] | None = None


class Connection(NamedTuple):
    """All offers of one start in their order, and which version each part ended with (None: none)."""

    offers: tuple[Offer, ...]
    agreed: dict[Part, Version | None]

    def works(self, part: Part) -> bool:
        """Whether the host and the guest agreed on a version of the part."""
        return self.agreed.get(part) is not None


def connect(host: Host, guest: Guest, disks: int = 1, adapters: int = 1) -> Connection:
    """Let a guest connect: VMBus first, without which there is nothing; then each device, then services."""
    offers: list[Offer] = []
    agreed: dict[Part, Version | None] = {}

    def offer(part: Part, versions: Offers, device: int = 0) -> None:
        made, agreed[part] = _newest_first(part, versions, host.has(part), device)
        offers.extend(made)

    offer(Part.VMBUS, guest.offers[Part.VMBUS])
    if agreed[Part.VMBUS] is None:
        return Connection(tuple(offers), agreed)
    for part, count in ((Part.STORAGE, disks), (Part.NETWORK, adapters)):
        if part in guest.offers:
            for device in range(count):
                offer(part, guest.offers[part], device)
    if displays := guest.display_offers(agreed[Part.VMBUS]):
        offer(Part.DISPLAY, displays)
    for service in SERVICES:
        offers.extend(_service(host, guest, service))
    return Connection(tuple(offers), agreed)


def _newest_first(
    part: Part, versions: Offers, known: Offers, device: int
) -> tuple[list[Offer], Version | None]:
    """Offers until the host takes one."""
    made: list[Offer] = []
    for version in versions:
        if version in known:
            outcome = Outcome.NEWEST if version == known[0] else Outcome.OLDER
            return [*made, Offer(part, outcome, known[0], version, device)], version
        made.append(Offer(part, Outcome.REFUSED, known[0], version, device))
    return made, None


def _service(host: Host, guest: Guest, service: Part) -> Iterator[Offer]:
    """An integration service: the host names what it has, and the guest picks the newest in common."""
    known, spoken = host.has(service), guest.offers.get(service, ())
    common = [version for version in known if version in spoken]
    if not common:
        return
    oldest_windows = guest.is_windows and "2008 " in guest.system and "R2" not in guest.system
    framework = min(host.framework(), (1, 0) if oldest_windows else (3, 0))
    same = common[0] == known[0] and framework == host.framework()
    outcome = Outcome.NEWEST if same else Outcome.OLDER
    yield Offer(service, outcome, known[0], common[0], 0, (framework, host.framework()))
