"""Pictures of events: a timeline of each VM, and who speaks which version of what.

Drawn by matplotlib (extra `notebook`), without pyplot, so that no state is shared.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hvdegraded.errors import MissingExtraError, WrongValueError
from hvdegraded.findings.render.canvas import CHECK, INK, NOISE, PROBLEM, Row, rows_of, style
from hvdegraded.findings.render.timeline import draw_timeline
from hvdegraded.findings.render.version_map import draw_versions
from hvdegraded.formats.drafts import drafted

if TYPE_CHECKING:
    from hvdegraded.findings.event_groups import EventGroup

__all__ = ["KINDS", "PagePicture", "Picture", "draw", "page_pictures"]

_VARIABLES = {INK: "var(--fg)", PROBLEM: "var(--act)", CHECK: "var(--check)", NOISE: "var(--dot)"}
_DOTS_PER_INCH = 120
_PAGE_ROWS = 60

KINDS: dict[str, Callable[[Mapping[Row, Sequence[EventGroup]], int], Any]] = {
    "timeline": draw_timeline,
    "versions": draw_versions,
}
"""The pictures by name."""

_PAGE_PICTURES = {
    "timeline": (
        "Timeline",
        "Events of each VM over time: triangles to act on, diamonds to check, circles noise.",
    ),
    "versions": (
        "Versions",
        "Versions of guest and host that differ, for each VM and component.",
    ),
}


@dataclass(frozen=True)
class Picture:
    """A drawn picture: shows itself in Jupyter, and is saved as PNG or SVG.

    `figure` is the matplotlib.figure.Figure, to be changed at will.
    """

    figure: Any

    def png(self) -> bytes:
        """As PNG on white."""
        with style():
            target = io.BytesIO()
            self.figure.savefig(target, format="png", dpi=_DOTS_PER_INCH, facecolor="white")
        return target.getvalue()

    def svg(self) -> str:
        """As an SVG document on white, its text as text; the same picture gives the same document."""
        return self._svg("white")

    def save(self, path: str | Path) -> None:
        """Write a .png or .svg file. Raises HvdegradedError for any other suffix."""
        target = Path(path)
        if target.suffix.lower() == ".png":
            content = self.png()
        elif target.suffix.lower() == ".svg":
            content = self.svg().encode()
        else:
            raise WrongValueError(f"{target.name} does not name a picture", hint="end it with .png or .svg")
        with drafted(target) as stream:
            stream.write(content)

    def inline_svg(self, words: str = "") -> str:
        """The `<svg>` element, for a page whose style has the variables of `_VARIABLES`.

        `words` is the text for readers who do not see it.
        """
        svg = self._svg("none")
        element, rest = svg[svg.index("<svg") :].split(">", 1)
        element = re.sub(r' (xmlns(:xlink)?|version)="[^"]*"', "", element)
        element += f' role="img" aria-label="{escape(words)}"' if words else ""
        colors = re.compile(rf"(?<=: )({'|'.join(_VARIABLES)})(?=[;\"])")
        return f"{element}>{colors.sub(lambda found: _VARIABLES[found[1]], rest)}"

    def _svg(self, background: str) -> str:
        with style():
            target = io.StringIO()
            nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            self.figure.savefig(target, format="svg", facecolor=background, metadata=nothing)
        return target.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png()


def draw(groups: Iterable[EventGroup], kind: str, *, most_rows: int = 400) -> Picture:
    """Draw a picture of one of the KINDS, with a row for each VM, of `most_rows` VMs.

    Raises MissingExtraError without matplotlib, HvdegradedError for an unknown kind.
    """
    if kind not in KINDS:
        raise WrongValueError(f"there is no picture {kind!r}", hint=f"one of {', '.join(KINDS)}")
    return _drawn(rows_of(groups), kind, most_rows)


def _drawn(rows: Mapping[Row, Sequence[EventGroup]], kind: str, most_rows: int) -> Picture:
    with style():
        return Picture(KINDS[kind](rows, most_rows))


class PagePicture(NamedTuple):
    """A picture of a page: its title, what it shows in words, and its `<svg>` element."""

    title: str
    caption: str
    svg: str


def page_pictures(groups: Sequence[EventGroup]) -> list[PagePicture] | str:
    """The pictures of a page; a text that says why there are none if matplotlib is not installed."""
    if not groups:
        return []
    rows = rows_of(groups)
    try:
        return [
            PagePicture(title, caption, _drawn(rows, kind, _PAGE_ROWS).inline_svg(caption))
            for kind, (title, caption) in _PAGE_PICTURES.items()
        ]
    except MissingExtraError as error:
        return str(error)
