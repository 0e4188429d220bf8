"""Text in a file is wrapped as rich wraps it on a terminal, which a file does not load."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from hvdegraded.findings.render.lines import ConsoleLines, FileLines, wrapped
from hvdegraded.printable import printable

WORDS = st.lists(st.text("ab-.\u00e9\u4e2d\u6587\U0001f600\u0301 ", max_size=30), max_size=12).map(" ".join)


def by_rich(text: str, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO(), force_jupyter=False)
    lines = Text(text).wrap(console, width, overflow="fold")
    return [line.plain.rstrip() for line in lines]


@given(st.one_of(WORDS, st.text(max_size=80)), st.integers(2, 40))
def test_a_text_is_wrapped_as_rich_does(text: str, width: int) -> None:
    text = printable(text)
    assert wrapped(text, width) == by_rich(text, width)


@given(WORDS.map(printable), st.sampled_from([0, 2, 8]), st.booleans())
def test_a_file_has_the_lines_of_a_console(text: str, indent: int, soft_wrap: bool) -> None:
    text = text.strip()
    if not text.isascii():
        return
    console = Console(width=30, file=io.StringIO(), force_jupyter=False, color_system=None)
    file = io.StringIO()
    ConsoleLines(console).put(text, "bold", indent)
    FileLines(file, 30, soft_wrap=soft_wrap).put(text, "bold", indent)
    if soft_wrap and not indent:
        assert file.getvalue() == f"{text}\n"
    else:
        assert file.getvalue() == console.file.getvalue()  # type: ignore[attr-defined]
