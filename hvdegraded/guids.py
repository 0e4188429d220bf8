"""Ids of virtual machines: GUIDs in upper case without braces, as texts and as accounts."""

from __future__ import annotations

import re

__all__ = ["bare_guid", "normalise_guid", "vm_id_from_sid"]

_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
_LONGEST = 48  # characters of a GUID with braces and white space around it
_VM_SID = re.compile(r"S-1-5-83-1-(\d{1,10})-(\d{1,10})-(\d{1,10})-(\d{1,10})", re.ASCII | re.IGNORECASE)


def bare_guid(text: str) -> str | None:
    """Return a GUID's text as records contain it: in upper case without braces, unchecked; None if empty."""
    return text.strip("{} ").upper() or None


def normalise_guid(text: str | None) -> str | None:
    """Return a GUID in upper case without braces; None if the text, in any letter case, is not a GUID."""
    if text is None or len(text) > _LONGEST:
        return None
    bare = text.strip().strip("{}")
    if not _GUID.fullmatch(bare):
        return None
    upper = bare.upper()
    return text if upper == text else upper  # the same object takes no more room


def vm_id_from_sid(sid: str | None) -> str | None:
    """The VM whose account a SID S-1-5-83-1-a-b-c-d is: four little-endian words of its GUID."""
    match = _VM_SID.fullmatch(sid) if sid and len(sid) < 64 else None
    if match is None:
        return None
    words = [int(word) for word in match.groups()]
    if any(word >= 1 << 32 for word in words):
        return None
    raw = b"".join(word.to_bytes(4, "little") for word in words)
    head = f"{words[0]:08X}-{int.from_bytes(raw[4:6], 'little'):04X}-{int.from_bytes(raw[6:8], 'little'):04X}"
    return f"{head}-{raw[8:10].hex().upper()}-{raw[10:].hex().upper()}"
