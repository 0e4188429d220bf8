"""Exit codes, by name."""

from __future__ import annotations

__all__ = ["ACTIONABLE", "CLOSED_PIPE", "INTERRUPTED", "NOTHING", "NO_EVENT", "UNREADABLE", "USAGE"]

NOTHING, ACTIONABLE, USAGE, UNREADABLE, NO_EVENT = range(5)
INTERRUPTED, CLOSED_PIPE = 130, 141
