"""The PowerShell script that collects from a host, in one zip, all that a triage asks for."""

from __future__ import annotations

from pathlib import Path

from hvdegraded.knowledge.facts import ChannelFact
from hvdegraded.knowledge.guest_systems import guests_script
from hvdegraded.knowledge.loader import open_table

__all__ = ["collect_script"]

_ALWAYS = ("System",)  # where storvsp and the virtual switch write


def collect_script() -> str:
    """Return the script, with the channels of `channels.toml` and the script for the inventory in it."""
    script = Path(__file__).with_name("collect.ps1").read_text(encoding="utf-8")
    rows = open_table("channels.toml").rows("channel", ChannelFact)
    names = (*_ALWAYS, *(row.name for row in rows))
    channels = ",\n".join(f"    '{name}'" for name in names)
    return script.replace("__CHANNELS__", channels).replace("__INVENTORY__", guests_script().strip("\n"))
