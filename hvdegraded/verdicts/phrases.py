"""Words of verdicts: whose event it is, and which versions differ."""

from __future__ import annotations

from hvdegraded.events import HyperVEvent, IntegrationVersionEvent, VersionEvent
from hvdegraded.guests.guest import Guest
from hvdegraded.knowledge.vocabulary import ProtocolVersion

__all__ = ["guest_text", "sentence", "versions_of", "versions_text", "whose"]


def versions_text(event: VersionEvent) -> str:
    """`storage 5.1 in the guest, 6.0 on the host`, as far as the event tells."""
    what = f"{event.component} ({event.device})" if event.device else str(event.component)
    if isinstance(event, IntegrationVersionEvent):
        parts = [
            f"{name} {negotiated}, expected {expected}"
            for name, negotiated, expected in (
                ("framework", event.framework_negotiated, event.framework_expected),
                ("message", event.message_negotiated, event.message_expected),
            )
            if negotiated is not None and expected is not None and negotiated != expected
        ]
        return f"{what}: {'; '.join(parts)}" if parts else f"{what} differs in version"
    client, server = event.client_version, event.server_version
    if client is None and server is None:
        return f"{what} differs in version"
    return f"{what} {client or '?'} in the guest, {server or '?'} on the host"


def whose(event: HyperVEvent) -> str:
    """`VM web01: `, or nothing where the event names no VM."""
    name = event.vm_name or event.vm_id
    return f"VM {name}: " if name else ""


def sentence(text: str) -> str:
    """The text with a capital letter and no full stop."""
    return text[:1].upper() + text[1:].rstrip(".")


def guest_text(guest: Guest | None) -> str | None:
    """What the inventory calls a guest's system."""
    if guest is None:
        return None
    return guest.os_name or str(guest.family)


def versions_of(event: HyperVEvent) -> tuple[ProtocolVersion | None, ProtocolVersion | None]:
    """What guest and host speak of the event's component; of an integration service the pair that differs."""
    if isinstance(event, IntegrationVersionEvent):
        message = event.message_negotiated, event.message_expected
        framework = event.framework_negotiated, event.framework_expected
        return framework if message[0] == message[1] and None not in framework else message
    if isinstance(event, VersionEvent):
        return event.client_version, event.server_version
    return None, None
