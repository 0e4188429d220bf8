"""Exit codes, by name."""

from __future__ import annotations

__all__ = ["ACTIONABLE", "CLOSED_PIPE", "INTERRUPTED", "NOTHING", "UNREADABLE", "USAGE"]

NOTHING, ACTIONABLE, USAGE, UNREADABLE = range(4)
INTERRUPTED, CLOSED_PIPE = 130, 141
