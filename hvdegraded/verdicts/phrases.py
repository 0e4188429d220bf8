"""Words of verdicts: which versions differ, and what the inventory calls a guest."""

from __future__ import annotations

from hvdegraded.events import IntegrationVersionEvent, VersionEvent
from hvdegraded.guests.guest import Guest
from hvdegraded.knowledge.vocabulary import Component, VersionPair
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.verdict import GuestGap

__all__ = ["gap_text", "guest_text", "sentence", "unnamed_service_text", "versions_text"]


def versions_text(event: VersionEvent) -> str:
    """Return `storage 5.1 in the guest, 6.0 on the host`, of what the event names."""
    what = f"{event.component} ({event.device})" if event.device else str(event.component)
    if isinstance(event, IntegrationVersionEvent):
        parts = [
            f"{'framework' if pair.component is Component.INTEGRATION else 'message'} {pair.guest}, "
            f"expected {pair.host}"
            for pair in event.version_pairs
            if pair.differs
        ]
        return f"{what}: {'; '.join(parts)}" if parts else f"{what} differs in version"
    if not event.version_pairs:
        return f"{what} differs in version"
    versions = event.versions
    return f"{what} {versions.guest or '?'} in the guest, {versions.host or '?'} on the host"


def unnamed_service_text(pair: VersionPair) -> str:
    """Return what is said of a service that an event does not name, so that no table has its versions."""
    service = "an integration service that the event does not name"
    return f"This guest speaks version {pair.guest} of {service}; this host expects {pair.host}"


def sentence(text: str) -> str:
    """Return the text with a capital letter and no full stop."""
    return text[:1].upper() + text[1:].rstrip(".")


def gap_text(gap: GuestGap, policy: Policy) -> str:
    """Return why a guest's system is not known for certain, with the age that a policy allows."""
    if gap is GuestGap.OUTDATED:
        return f"{gap}, by more than {policy.max_inventory_age.days} days"
    return gap


def guest_text(guest: Guest | None) -> str | None:
    """Return what the inventory calls a guest's system."""
    if guest is None:
        return None
    return guest.os_name or str(guest.family)
