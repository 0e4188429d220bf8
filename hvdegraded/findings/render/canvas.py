"""The paper that pictures are drawn on: colours, fonts, and axes with a labelled row for each VM.

Sizes are in inches and follow from the number of rows: with many VMs a picture grows and its labels stay as
they are. Names come from logs: they are never read as mathematics, and long ones are cut in the middle.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from hvdegraded.errors import MissingExtraError
from hvdegraded.printable import printable

if TYPE_CHECKING:
    from hvdegraded.findings.event_groups import EventGroup

__all__ = [
    "CHECK",
    "FONT_SIZE",
    "INK",
    "NOISE",
    "PROBLEM",
    "Row",
    "caption",
    "empty_figure",
    "first_rows",
    "mixed",
    "row_axes",
    "rows_of",
    "style",
]

INK, PROBLEM, CHECK, NOISE = "#1b1c1e", "#a21314", "#8a5200", "#2c6fa6"
FONT_SIZE = 8

Row = tuple[str, str]
"""A host and a VM."""

_EMPTY_ROW = "#8888881a"
_LONGEST_LABEL = 32  # columns of a terminal
_NARROWEST = 4.8  # inches
_PAD = 0.12
_WIDE_FONTS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Yu Gothic",
    "Microsoft YaHei",
    "Malgun Gothic",
    "PingFang SC",
)


@contextmanager
def style() -> Iterator[None]:
    """Set fonts and colours for a block, and put back what was set before."""
    try:
        import matplotlib
    except ImportError:
        raise MissingExtraError("a picture", "notebook", ("matplotlib",)) from None
    from matplotlib.font_manager import get_font_names

    installed = set(get_font_names())
    colors = "text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"
    settings = {
        "text.parse_math": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "hvdegraded",
        "font.family": ["DejaVu Sans", *(name for name in _WIDE_FONTS if name in installed)],
        "font.size": FONT_SIZE,
        **dict.fromkeys(colors, INK),
    }
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def first_rows(ranks: Mapping[Row, tuple[Any, ...]], most: int) -> tuple[Sequence[Row], list[str]]:
    """The rows of the lowest ranks, as many as a picture has room for, and a note on the others."""
    more = len(ranks) - most
    rows = nsmallest(most, ranks, key=lambda row: (*ranks[row], row))
    return rows, [f"{more} more VMs are not shown"] if more > 0 else []


def rows_of(groups: Iterable[EventGroup]) -> dict[Row, list[EventGroup]]:
    """The groups of each row."""
    rows: dict[Row, list[EventGroup]] = {}
    for group in groups:
        name, vm_id = group.vm
        rows.setdefault((group.host or "", name or vm_id or ""), []).append(group)
    return rows


def row_axes(rows: Sequence[Row], width: float, row_height: float, *, below: float, above: float) -> Any:
    """Axes with a labelled row for each VM, the first on top; all else in inches around them."""
    from matplotlib.figure import Figure

    several = len({host.lower() for host, _ in rows}) > 1
    labels = [_label(host, vm, several) for host, vm in rows]
    left = max(map(_width, labels)) + 2 * _PAD
    height = row_height * len(rows)
    full = max(left + width + 2 * _PAD, _NARROWEST), below + height + above
    figure = Figure(figsize=full)
    axes = figure.add_axes((left / full[0], below / full[1], width / full[0], height / full[1]))
    axes.set_facecolor("none")
    axes.set_yticks(range(len(rows)), labels)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for place in range(0, len(rows), 2):
        axes.axhspan(place - 0.5, place + 0.5, color=_EMPTY_ROW, linewidth=0, zorder=0)
    return axes


def empty_figure(text: str) -> Any:
    """A picture of nothing but a text."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 0.5))
    figure.text(0.05, 0.4, text)
    return figure


def caption(axes: Any, notes: Sequence[str]) -> None:
    """Write notes below the axes."""
    figure = axes.figure
    figure.text(_PAD / figure.get_figwidth(), 0.08 / figure.get_figheight(), "; ".join(notes), va="bottom")


def _label(host: str, vm: str, several: bool) -> str:
    name = vm or "(host)"
    return _cut(printable(f"{name} · {host.split('.')[0]}" if several and host else name))


def _cut(text: str) -> str:
    """The text, its middle left out where it is long."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= _LONGEST_LABEL:
        return text
    half = _LONGEST_LABEL // 2
    head, tail = set_cell_size(text, half), set_cell_size(text[::-1], half - 1)[::-1]
    return f"{head.rstrip()}…{tail.lstrip()}"


def _width(text: str) -> float:
    """How wide a label is at most, in inches; browsers have glyphs that matplotlib may not have."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path
    from rich.cells import cell_len

    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=FONT_SIZE), False)
    return float(max(width, cell_len(text) * FONT_SIZE * 0.5)) / 72


def mixed(color: str, share: float) -> str:
    """A colour with white, of which `share` is the colour."""
    parts = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - part) * share):02x}" for part in parts)
