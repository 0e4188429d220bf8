"""How a module of this package runs in a process of its own: with nothing of the current folder."""

from __future__ import annotations

import os
import sys
from multiprocessing.spawn import get_executable
from pathlib import Path

__all__ = ["environment", "module_command"]


def module_command(module: str) -> list[str]:
    """Return the command that runs a module; `-P` keeps the current folder off its path.

    In a service of Windows `sys.executable` is not an interpreter; multiprocessing knows which one is.
    """
    return [os.fsdecode(get_executable() or sys.executable), "-P", "-m", module]


def environment() -> dict[str, str]:
    """Return the environment of such a process: it finds this package where this process found it."""
    package = str(Path(__file__).resolve().parents[2])
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{package}{os.pathsep}{known}" if known else package}
