"""Records whose provider's name is lost, damaged, or may stand at another place than it is read from.

A filter by providers must not leave them out as those of another provider.
"""

from __future__ import annotations

from hvdegraded.records.record import Anomaly, EventRecord, ProviderFilter

__all__ = ["MISPLACED", "may_be_a_name", "may_be_wanted"]

MISPLACED = frozenset({Anomaly.OTHER_TEMPLATE, Anomaly.OTHER_TYPE, Anomaly.BYTES_LEFT})
"""Anomalies of such records."""
_LONG = 7  # characters of a name of which a part still says which it is
_FEWEST = 5  # characters of a name of which one with another letter is hardly another provider's
_NO_CASE = ~0x20  # the bits of a letter, but for its case


def may_be_a_name(provider: str, wanted: ProviderFilter) -> bool:
    """Whether this may be what is read of a wanted name that is damaged, or at a wrong place."""
    lower = provider.lower()
    if not lower or not _is_printable(lower) or _has_a_flipped_bit(provider, wanted):
        return True
    names = [name for name in (*wanted.prefixes, *wanted.names) if len(name) >= _LONG]
    return any(name.startswith(lower) or name[2:-2] in lower for name in names)


def _has_a_flipped_bit(provider: str, wanted: ProviderFilter) -> bool:
    """Whether a name is, or begins as, a wanted one of which one bit is flipped."""
    return any(
        len(name) >= _FEWEST and _flipped_bits(provider[: len(name)], name) == 1
        for name in (*wanted.prefixes, *(name for name in wanted.names if len(name) == len(provider)))
    )


def _flipped_bits(name: str, lower: str) -> int:
    if len(name) != len(lower):
        return -1
    return sum(((ord(a) ^ ord(b)) & _NO_CASE).bit_count() for a, b in zip(name, lower, strict=True))


def _is_printable(name: str) -> bool:
    return name.isascii() and name.isprintable()


def may_be_wanted(record: EventRecord, wanted: ProviderFilter) -> bool:
    """Whether a record that is not of a wanted provider, as it is read, may be of one."""
    anomalies, provider = record.origin.anomalies, record.provider
    if not anomalies:
        if record.origin.reader != "evtx":
            return False  # exports may leave it out
        of_channel = not _is_printable(provider) and record.channel.lower().startswith(wanted.prefixes)
        return not provider or of_channel or _has_a_flipped_bit(provider, wanted)
    elsewhere = not {Anomaly.OTHER_TEMPLATE, Anomaly.OTHER_TYPE}.isdisjoint(anomalies)
    return elsewhere or may_be_a_name(provider, wanted)
