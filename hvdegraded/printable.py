"""Text made safe to print: logs can hold anything."""

from __future__ import annotations

import unicodedata

__all__ = [
    "printable",
]


def printable(text: str) -> str:
    """The text with escapes for whatever steers a terminal or does not show: logs can hold anything."""
    return "".join(
        character
        if character.isprintable() or unicodedata.category(character) == "Zs"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
