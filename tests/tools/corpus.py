"""Where the project and the shared corpus of real logs and exports are; tests skip where the corpus is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE_LOGS = ROOT / "sample_logs"
_SHARED = Path(os.environ.get("HVDEGRADED_SHARED", ROOT.parent / "shared"))
CORPUS, CASES = _SHARED / "corpus", _SHARED / "cases"
LOGS = sorted((CORPUS / "evtx").glob("*/*.evtx"))
_DAMAGED = (
    "no_crc32",
    "bad_",
    "HelloFor",
    "LanguagePack",
    "RdpCoreTS",
    "RemoteConn",
    "System2",
    "zero-data",
    "sysmon",
)
CLEAN_LOGS = [path for path in LOGS if not any(part in path.name for part in _DAMAGED)]
needs_corpus = pytest.mark.corpus


def log(name: str) -> Path:
    """The log of that name (of several, the first)."""
    return next(path for path in LOGS if path.name == f"{name}.evtx")
