"""In which channels a failure of a VM's component would stand, by generation of hosts."""

from __future__ import annotations

from functools import cache

from hvdegraded.knowledge.facts import ChannelFact
from hvdegraded.knowledge.loader import open_table
from hvdegraded.knowledge.vocabulary import Component, HostGeneration, ProtocolVersion

__all__ = ["failure_channels", "generation_of"]

_FIRST_OF_2016 = {
    Component.STORAGE: ProtocolVersion(6, 2),
    Component.NETWORK: ProtocolVersion(6, 0),
    Component.VMBUS: ProtocolVersion(4, 0),
    Component.DISPLAY: ProtocolVersion(3, 4),
}
"""The first version of a component that only hosts of 2016 and later have (`protocols.toml`)."""


def generation_of(component: Component, host: ProtocolVersion | None) -> HostGeneration | None:
    """Return the generation of a host by its version of a component, None where that is not known."""
    first = _FIRST_OF_2016.get(component)
    if first is None or host is None:
        return None
    return HostGeneration.SINCE_2016 if host >= first else HostGeneration.UP_TO_2012_R2


@cache
def failure_channels(component: Component, host: ProtocolVersion | None) -> tuple[str, ...]:
    """Return the channels in which a failure of a component would stand, on each host where it is unknown."""
    generation = generation_of(component, host)
    return tuple(
        row.name
        for row in open_table("channels.toml").rows("channel", ChannelFact)
        if (not row.components or component in row.components)
        and (row.hosts is None or generation in (None, row.hosts))
    )
