"""Constants of the EVTX format that reading and writing share. Source: libyal, "EVTX format"."""

from __future__ import annotations

__all__ = ["FRAGMENT_HEADER", "INSTANCE_TOKEN"]

FRAGMENT_HEADER = 0x0001010F
"""Token and version that open a fragment of binary XML, as one little-endian number."""

INSTANCE_TOKEN = 0x0C
