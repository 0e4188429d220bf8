"""Records whose provider's name is lost, damaged, or may stand at another place than it is read from.

A filter by providers must not leave them out as those of another provider.
"""

from __future__ import annotations

from hvdegraded.records.record import Anomaly, EventRecord, ProviderFilter

__all__ = ["MISPLACED", "is_part_of_a_name", "may_be_wanted"]

MISPLACED = frozenset({Anomaly.OTHER_TEMPLATE, Anomaly.OTHER_TYPE, Anomaly.BYTES_LEFT})
"""Anomalies of such records."""
_LONG = 7  # characters of a name of which a part still says which it is


def is_part_of_a_name(provider: str, wanted: ProviderFilter) -> bool:
    """Whether this may be what is read of a wanted name at a wrong place: cut, gone, or not of letters."""
    lower = provider.lower()
    if not lower or not _is_printable(lower):
        return True
    return any(name[2:-2] in lower for name in (*wanted.prefixes, *wanted.names) if len(name) >= _LONG)


def _is_printable(name: str) -> bool:
    return name.isascii() and name.isprintable()


def may_be_wanted(record: EventRecord, wanted: ProviderFilter) -> bool:
    """Whether a record that is not of a wanted provider, as it is read, may be of one."""
    anomalies, provider = record.origin.anomalies, record.provider
    if not anomalies:
        of_channel = not _is_printable(provider) and record.channel.lower().startswith(wanted.prefixes)
        return (not provider or of_channel) and record.origin.reader == "evtx"  # exports may leave it out
    elsewhere = not {Anomaly.OTHER_TEMPLATE, Anomaly.OTHER_TYPE}.isdisjoint(anomalies)
    return elsewhere or is_part_of_a_name(provider, wanted)
