"""How a module of this package runs in a process of its own: with nothing of the current folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["environment", "module_command"]


def module_command(module: str) -> list[str]:
    """Return the command that runs a module; `-P` keeps the current folder off its path.

    In a service of Windows `sys.executable` is the service's program; the interpreter lies in its prefix.
    """
    in_service = sys.executable.lower().endswith("pythonservice.exe")
    interpreter = os.path.join(sys.exec_prefix, "python.exe") if in_service else sys.executable
    return [interpreter, "-P", "-m", module]


def environment() -> dict[str, str]:
    """Return the environment of such a process: it finds this package where this process found it."""
    package = str(Path(__file__).resolve().parents[2])
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{package}{os.pathsep}{known}" if known else package}
