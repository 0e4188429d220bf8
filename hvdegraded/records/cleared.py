"""Events by which Windows reports that a log was cleared: 104 in System, 1102 in Security."""

from __future__ import annotations

from hvdegraded.records.record import EventRecord

__all__ = ["CLEARING_PROVIDER", "clearing_of", "clears_log"]

CLEARING_PROVIDER = "Microsoft-Windows-Eventlog"
_IDS = frozenset({104, 1102})


def clears_log(provider: str | None, event_id: int | None) -> bool:
    """Whether an event of that provider and id reports that a log was cleared."""
    return event_id in _IDS and (provider or "").lower() == CLEARING_PROVIDER.lower()


def clearing_of(record: EventRecord) -> str | None:
    """Which log was cleared, when and by whom, in words; None for another event."""
    if not clears_log(record.provider, record.event_id):
        return None
    named = {name.rpartition("/")[2]: text for name, text in record.data if name and text}
    user = "\\".join(filter(None, (named.get("SubjectDomainName"), named.get("SubjectUserName"))))
    log = named.get("Channel") or record.channel or "of this host"
    time = record.time_created
    return (
        f"the log {log} was cleared"
        + (f" at {time:%Y-%m-%d %H:%M:%S} UTC" if time is not None else "")
        + (f" by {user}" if user else "")
        + (f" on {record.computer}" if record.computer else "")
        + ": its older events are not in it"
    )
