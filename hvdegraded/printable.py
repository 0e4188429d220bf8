"""Text made safe to print or to show: logs can hold anything."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

__all__ = ["harmless_cell", "printable", "table_html"]

_FORMULA_BEGINS = frozenset("=+-@\t\r＝＋－＠")


def printable(text: str) -> str:
    """Return the text with escapes for characters that control a terminal or are invisible."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or unicodedata.category(character) == "Zs"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def harmless_cell(text: str) -> str:
    """Return the text of a CSV cell, with an apostrophe in front of what spreadsheets take for a formula."""
    return f"'{text}" if text and text[0] in _FORMULA_BEGINS else text


def table_html(rows: Iterable[tuple[str, str]]) -> str:
    """Return rows of a name and a text as an HTML table for notebooks, in their colours, text to the left."""
    from html import escape

    cell = "text-align:left;vertical-align:top;white-space:pre-wrap"
    body = "".join(
        f'<tr><th scope="row" style="{cell}">{escape(printable(name))}</th>'
        f'<td style="{cell}">{escape(printable(text))}</td></tr>'
        for name, text in rows
    )
    return f"<table><tbody>{body}</tbody></table>"
