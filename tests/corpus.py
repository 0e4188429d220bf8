"""The shared corpus of real logs and exports; tests that use it skip where it is absent."""

from __future__ import annotations

from pathlib import Path

import pytest

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
LOGS = sorted((CORPUS / "evtx").glob("*/*.evtx"))
needs_corpus = pytest.mark.skipif(not LOGS, reason=f"the corpus is not at {CORPUS}")


def log(name: str) -> Path:
    """The log of that name (of several, the first)."""
    return next(path for path in LOGS if path.name == f"{name}.evtx")
