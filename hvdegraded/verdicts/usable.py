"""What an event itself can prove: nothing, if it is damaged, contradicts itself, or names no VM.

`unusable_because` returns what keeps a version event from proving anything, in every guest.
`not_harmless_because` returns what keeps one from being called harmless, which an actionable verdict need not
ask.
"""

from __future__ import annotations

from hvdegraded.events import VersionEvent
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.tables import Knowledge
from hvdegraded.knowledge.vocabulary import Certainty, Outcome
from hvdegraded.records.record import Level

__all__ = ["not_harmless_because", "unusable_because"]


# A device that works is a warning, one that does not is an error (KB 2956569, KB 972108).
_LEVELS = {Outcome.LOADED: Level.WARNING, Outcome.REFUSED: Level.ERROR}
_SEVERITIES = {Outcome.LOADED: 2, Outcome.REFUSED: 3}  # in the top bits of a classic event's qualifiers


def unusable_because(event: VersionEvent, fact: EventFact, knowledge: Knowledge) -> str | None:
    """Return why the event is inadmissible, or None."""
    record = event.record
    if record.origin.anomalies:
        return f"its record may be damaged ({'; '.join(record.origin.anomalies)})"
    if record.origin.recovered:
        return "its record was carved out of what is left of a log"
    if event.contradictions:
        return event.contradictions[0]
    if event.outcome is not fact.outcome:
        return "it was read by other rules than these"
    if record.provider_guid and (record.provider or record.event_source):
        by_name = knowledge.provider_of(record.provider, None, record.event_source)
        by_guid = knowledge.provider(record.provider_guid)
        if by_guid is not by_name and (by_guid or (by_name and by_name.guid)):
            return "its provider's name and GUID do not belong together"
    return None


def not_harmless_because(event: VersionEvent, fact: EventFact, knowledge: Knowledge) -> str | None:
    """Return why the event, sound as it is, does not prove that all is well, or None."""
    if not event.vm_name and not event.vm_id:
        return "it does not name the VM that it is about"
    if not fact.forced and (wrong := _wrong_severity(event, knowledge)):
        return wrong
    if event.outcome is not Outcome.LOADED:
        return None
    pairs = [(pair.guest, pair.host) for pair in event.version_pairs]
    if any(guest > host for guest, host in pairs if guest is not None and host is not None):
        return "the guest's version is newer than the host's, which no host can load"
    known = [pair for pair in event.version_pairs if pair.known]
    if known and not any(pair.differs for pair in known):
        return "the versions that it names do not differ"
    if fact.certainty is not Certainty.VERIFIED and not fact.forced:
        if not known:
            return "its meaning is not certain, and it names no versions that support it"
        if event.level is None:
            return "its meaning is not certain, and it has no level that supports it"
    return None


def _wrong_severity(event: VersionEvent, knowledge: Knowledge) -> str | None:
    record = event.record
    if event.level is not None and event.level != _LEVELS.get(event.outcome):
        return f"its level {event.level} is not that of such an event"
    provider = knowledge.provider_of(record.provider, record.provider_guid, record.event_source)
    classic = provider is not None and provider.classic
    if classic and record.qualifiers and record.qualifiers >> 14 != _SEVERITIES.get(event.outcome):
        return f"its qualifiers 0x{record.qualifiers:04X} are not those of such an event"
    return None
