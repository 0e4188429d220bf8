"""Triage → pictures: a timeline of each VM, and who speaks which version of what.

Drawn by matplotlib (extra `notebook`), without pyplot, so that no state is shared. Sizes are in inches and
follow from the number of rows: with many VMs a picture grows and its labels stay as they are. Names come from
logs: they are never read as mathematics, and long ones are cut in the middle.
"""

from __future__ import annotations

import io
import math
import re
import textwrap
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hvdegraded.errors import HvdegradedError, MissingExtraError
from hvdegraded.events import VersionEvent
from hvdegraded.knowledge.vocabulary import Component, Outcome
from hvdegraded.printable import printable
from hvdegraded.timestamps import datetime_from_ticks
from hvdegraded.verdicts.phrases import versions_of

if TYPE_CHECKING:
    from hvdegraded.findings.groups import EventGroup, GroupedEvents

__all__ = ["KINDS", "Picture", "draw"]

_INK, _PROBLEM, _NOISE = "#1b1c1e", "#a21314", "#2c6fa6"
_VARIABLES = {_INK: "var(--fg)", _PROBLEM: "var(--act)", _NOISE: "var(--dot)"}
_EMPTY_ROW = "#8888881a"

_SCREEN_ROWS = 30
_LONGEST_LABEL = 32  # columns of a terminal
_ROW, _TALL_ROW, _CELL = 0.22, 0.36, 1.05  # inches
_TIMELINE_WIDTH, _NARROWEST = 7.0, 4.8
_PAD = 0.12
_FONT = 8
_WIDE_FONTS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Yu Gothic",
    "Microsoft YaHei",
    "Malgun Gothic",
    "PingFang SC",
)
_DOTS_PER_INCH = 120
_MOST_MARKS = 8000
_TICKS_PER_DAY = 864_000_000_000
_EPOCH_DAYS = 134_774  # from 1601 to 1970
_LAST_DAY = 2_932_896.99  # in the year 9999, from 1970

_Row = tuple[str, str]  # host, VM


@dataclass(frozen=True)
class Picture:
    """A drawn picture: shows itself in Jupyter, and is saved as PNG or SVG.

    `figure` is the matplotlib.figure.Figure, to be changed at will.
    """

    figure: Any

    def png(self) -> bytes:
        """As PNG on white."""
        with _style():
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
            target.write_bytes(self.png())
        elif target.suffix.lower() == ".svg":
            target.write_text(self.svg(), encoding="utf-8")
        else:
            raise HvdegradedError(f"{target.name} is no picture's name", hint="end it with .png or .svg")

    def inline_svg(self) -> str:
        """The `<svg>` element, for a page whose style has the variables `--fg`, `--act` and `--dot`."""
        svg = self._svg("none")
        element, rest = svg[svg.index("<svg") :].split(">", 1)
        element = re.sub(r' (xmlns(:xlink)?|version)="[^"]*"', "", element)
        colors = re.compile(rf"(?<=: )({'|'.join(_VARIABLES)})(?=[;\"])")
        return f"{element}>{colors.sub(lambda found: _VARIABLES[found[1]], rest)}"

    def _svg(self, background: str) -> str:
        with _style():
            target = io.StringIO()
            nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            self.figure.savefig(target, format="svg", facecolor=background, metadata=nothing)
        return target.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png()


def draw(triage: GroupedEvents, kind: str, *, most_rows: int = 400) -> Picture:
    """Draw a picture of one of the KINDS, with a row for each VM, of `most_rows` VMs.

    Raises MissingExtraError without matplotlib, HvdegradedError for an unknown kind.
    """
    if kind not in KINDS:
        raise HvdegradedError(f"there is no picture {kind!r}", hint=f"one of {', '.join(KINDS)}")
    with _style():
        return Picture(KINDS[kind](triage, most_rows))


@contextmanager
def _style() -> Iterator[None]:
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
        "font.size": _FONT,
        **dict.fromkeys(colors, _INK),
    }
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


# ------------------------------------------------------------ timeline


def _timeline(triage: GroupedEvents, most_rows: int) -> Any:
    """A row for each VM: circles are ignorable, triangles actionable; the larger, the more events."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.lines import Line2D

    times: dict[_Row, dict[bool, list[int]]] = defaultdict(lambda: {True: [], False: []})
    untimed = 0
    for part in triage.occurrences:
        known = [ticks for ticks in part.ticks if datetime_from_ticks(ticks) is not None]
        untimed += part.count - len(known)
        if known:
            times[_row_of(part)][part.verdict.actionable] += known
    rows = sorted(
        times, key=lambda row: (not times[row][True], -max(times[row][True] or times[row][False]), row)
    )
    left_out = len(rows) - most_rows
    rows = rows[:most_rows]
    notes = []
    if left_out > 0:
        notes.append(f"{left_out} more VMs are not shown")
    if untimed:
        notes.append(f"{untimed} events without time are not shown")
    if not rows:
        return _nothing("no events with a time")

    everything = [ticks for row in rows for found in times[row].values() for ticks in found]
    first, last = min(everything), max(everything)
    span = max(last - first, 36_000_000_000)  # an hour
    bins = max(40, min(400, _MOST_MARKS // len(rows)))
    tall = len(rows) > _SCREEN_ROWS
    axes = _axes(rows, _TIMELINE_WIDTH, _ROW, below=0.6, above=0.3 if tall else 0.1)
    axes.tick_params(axis="x", labeltop=tall)
    for actionable, marker, color, face in ((False, "o", _NOISE, "none"), (True, "^", _PROBLEM, _PROBLEM)):
        marks: Counter[tuple[int, int]] = Counter()
        at: dict[tuple[int, int], int] = {}
        for place, row in enumerate(rows):
            for ticks in times[row][actionable]:
                key = place, (ticks - first) * bins // span
                marks[key] += 1
                at.setdefault(key, ticks)
        for size in sorted({count.bit_length() for count in marks.values()}):
            shown = [key for key, count in marks.items() if count.bit_length() == size]
            axes.plot(
                [_days(at[key]) for key in shown],
                [place for place, _ in shown],
                linestyle="",
                marker=marker,
                markersize=3.5 + 0.6 * size,
                markeredgecolor=color,
                markerfacecolor=face,
                markeredgewidth=0.9,
                zorder=3 if actionable else 2,
                clip_on=False,
            )
    margin = span * 0.02
    axes.set_xlim(_days(first - margin), min(_days(first + span + margin), _LAST_DAY))
    locator = AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    axes.grid(axis="x", color="#88888866", linewidth=0.6)
    axes.set_axisbelow(True)
    legend = [
        Line2D([], [], linestyle="", marker=marker, markeredgecolor=color, markerfacecolor=face, label=label)
        for marker, color, face, label in (
            ("^", _PROBLEM, _PROBLEM, "actionable"),
            ("o", _NOISE, "none", "ignorable"),
        )
    ]
    _caption(axes, [f"{_minute(first)} to {_minute(last)} UTC; larger: more events", *notes])
    axes.figure.legend(
        handles=legend, loc="lower right", ncols=2, frameon=False, borderaxespad=0, handletextpad=0
    )
    return axes.figure


def _minute(ticks: int) -> str:
    return f"{datetime_from_ticks(ticks):%Y-%m-%d %H:%M}"


def _days(ticks: float) -> float:
    """Days since 1970, as matplotlib counts time."""
    return ticks / _TICKS_PER_DAY - _EPOCH_DAYS


# ------------------------------------------------------------ versions


def _versions(triage: GroupedEvents, most_rows: int) -> Any:
    """A row for each VM, a column for each component: the versions that differ, and how often."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    cells: dict[_Row, dict[Component, list[EventGroup]]] = defaultdict(lambda: defaultdict(list))
    for part in triage.occurrences:
        event = part.example
        if isinstance(event, VersionEvent) and event.outcome is not Outcome.NEGOTIATED:
            cells[_row_of(part)][event.component].append(part)
    if not cells:
        return _nothing("no version mismatches")

    def rank(row: _Row) -> tuple[bool, int, _Row]:
        parts = [part for found in cells[row].values() for part in found]
        return not any(part.verdict.actionable for part in parts), -sum(part.count for part in parts), row

    rows = sorted(cells, key=rank)
    left_out = len(rows) - most_rows
    rows = rows[:most_rows]
    components = [one for one in Component if any(one in cells[row] for row in rows)]
    most = max(sum(part.count for part in parts) for row in rows for parts in cells[row].values())
    axes = _axes(rows, _CELL * len(components), _TALL_ROW, below=0.4, above=0.42)
    boxes, faces, edges = [], [], []
    for y, row in enumerate(rows):
        for x, component in enumerate(components):
            parts = cells[row].get(component)
            if not parts:
                continue
            count = sum(part.count for part in parts)
            actionable = any(part.verdict.actionable for part in parts)
            shade = 0.12 + 0.5 * math.log2(count + 1) / math.log2(most + 1)
            boxes.append(Rectangle((x - 0.47, y - 0.44), 0.94, 0.88))
            faces.append(_mixed(_PROBLEM if actionable else _NOISE, shade))
            edges.append(_PROBLEM if actionable else "none")
            pairs = Counter[str]()
            for part in parts:
                guest, host = versions_of(part.example)
                pairs[f"{guest or '?'} | {host or '?'}"] += part.count
            (versions, _), *others = pairs.most_common()
            text = versions + f" +{len(others)}" * bool(others)
            axes.text(
                x, y, f"{text}\n{'▲ ' * actionable}×{count}", ha="center", va="center", color="#101010",
                fontsize=min(_FONT, _FONT * 15 / len(text)) - 0.5, linespacing=1.15,
            )  # fmt: skip
    axes.add_collection(
        PatchCollection(boxes, facecolors=faces, edgecolors=edges, linewidths=1.4), autolim=False
    )
    axes.set_xlim(-0.5, len(components) - 0.5)
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(components)), [textwrap.fill(one, 15) for one in components])
    notes = ["guest | host version, × events", "darker: more events", "▲: actionable"]
    if left_out > 0:
        notes.append(f"{left_out} more VMs are not shown")
    _caption(axes, notes)
    return axes.figure


KINDS: dict[str, Callable[[GroupedEvents, int], Any]] = {"timeline": _timeline, "versions": _versions}
"""The pictures by name: `timeline`, `versions`."""


# ------------------------------------------------------------ canvas


def _row_of(part: EventGroup) -> _Row:
    verdict = part.verdict
    return verdict.host or "", verdict.vm_name or verdict.vm_id or ""


def _axes(rows: Sequence[_Row], width: float, row_height: float, *, below: float, above: float) -> Any:
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


def _nothing(text: str) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 0.5))
    figure.text(0.05, 0.4, text)
    return figure


def _caption(axes: Any, notes: Sequence[str]) -> None:
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

    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=_FONT), False)
    return float(max(width, cell_len(text) * _FONT * 0.5)) / 72


def _mixed(color: str, share: float) -> str:
    """A colour with white, of which `share` is the colour."""
    parts = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - part) * share):02x}" for part in parts)
