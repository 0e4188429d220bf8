"""Text made safe to print: logs can hold anything."""

from __future__ import annotations

import unicodedata

__all__ = ["harmless_cell", "printable"]

_FORMULA_BEGINS = frozenset("=+-@\t\r＝＋－＠")


def printable(text: str) -> str:
    """Return the text with escapes for characters that control a terminal or are invisible."""
    return "".join(
        character
        if character.isprintable() or unicodedata.category(character) == "Zs"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def harmless_cell(text: str) -> str:
    """Return the text of a CSV cell, with an apostrophe in front of what spreadsheets take for a formula."""
    return f"'{text}" if text and text[0] in _FORMULA_BEGINS else text
