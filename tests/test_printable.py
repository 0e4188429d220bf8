"""Texts of logs in terminals and tables: what steers one of them is made harmless."""

from __future__ import annotations

import pytest

from hvdegraded.printable import harmless_cell, printable


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＠x"]
)
def test_a_cell_that_a_spreadsheet_would_run_begins_with_an_apostrophe(text: str) -> None:
    assert harmless_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "web01", "a=b", "1-2", "'=1", " x"])
def test_any_other_cell_stays(text: str) -> None:
    assert harmless_cell(text) == text


@pytest.mark.parametrize("text", ["\x1b[31m", "a\nb", "\u202e", "\x07", "\ud800"])
def test_what_steers_a_terminal_is_escaped(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(text).isascii()
