"""A picture of when: a row for each VM, a mark for each event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from hvdegraded.findings.render.canvas import (
    CHECK,
    NOISE,
    PROBLEM,
    Row,
    caption,
    empty_figure,
    first_rows,
    row_axes,
)
from hvdegraded.timestamps import LAST_TICKS, datetime_from_ticks
from hvdegraded.verdicts.verdict import Severity

if TYPE_CHECKING:
    from hvdegraded.findings.event_groups import EventGroup

__all__ = ["draw_timeline"]

_SCREEN_ROWS = 30
_ROW, _WIDTH = 0.22, 7.0  # inches
_MOST_MARKS = 8000
_HOUR_TICKS = 36_000_000_000
_TICKS_PER_DAY = 864_000_000_000
_EPOCH_DAYS = 134_774  # from 1601 to 1970
_LAST_DAY = 2_932_896.99  # in the year 9999, from 1970


class _Look(NamedTuple):
    """Look of a kind of marks."""

    name: str
    marker: str
    color: str
    face: str
    order: int


_LOOKS = {
    Severity.NONE: _Look("noise", "o", NOISE, "none", 2),
    Severity.CHECK: _Look("to check", "D", CHECK, CHECK, 3),
    Severity.ACT: _Look("to act on", "^", PROBLEM, PROBLEM, 4),
}


def draw_timeline(groups: Mapping[Row, Sequence[EventGroup]], most_rows: int) -> Any:
    """A row for each VM: triangles to act on, diamonds to check, circles noise; larger for more events."""
    ranks, untimed = _ranks(groups)
    rows, notes = first_rows(ranks, most_rows)
    times = {row: _known_times(groups[row]) for row in rows}
    if untimed:
        notes.append(f"{untimed} events without time are not shown")
    if not rows:
        return empty_figure("no events with a time")

    everything = [ticks for row in rows for found in times[row].values() for ticks in found]
    first, last = min(everything), max(everything)
    tall = len(rows) > _SCREEN_ROWS
    axes = row_axes(rows, _WIDTH, _ROW, below=0.6, above=0.3 if tall else 0.1)
    axes.tick_params(axis="x", labeltop=tall)
    span = max(last - first, _HOUR_TICKS)
    for severity, look in _LOOKS.items():
        _plot_marks(axes, [times[row].get(severity, ()) for row in rows], first, span, look)
    _time_axis(axes, first, span)
    caption(axes, [f"{_minute(first)} to {_minute(last)} UTC; larger: more events", *notes])
    _legend(axes)
    return axes.figure


def _ranks(groups: Mapping[Row, Sequence[EventGroup]]) -> tuple[dict[Row, tuple[bool, bool, int]], int]:
    """The rank of each row, the most urgent and newest lowest, and the number of events without a time."""
    ranks: dict[Row, tuple[bool, bool, int]] = {}
    untimed = 0
    for row, parts in groups.items():
        times = _known_times(parts)
        untimed += sum(part.count for part in parts) - sum(map(len, times.values()))
        if times:
            newest = max(map(max, times.values()))
            ranks[row] = Severity.ACT not in times, Severity.CHECK not in times, -newest
    return ranks, untimed


def _known_times(parts: Iterable[EventGroup]) -> dict[Severity, list[int]]:
    """The times of a row that are known, by severity."""
    times: dict[Severity, list[int]] = {}
    for part in parts:
        known = [ticks for ticks in part.ticks if 0 <= ticks <= LAST_TICKS]
        if known:
            times.setdefault(part.ruling.severity, []).extend(known)
    return times


def _plot_marks(axes: Any, rows: Sequence[Sequence[int]], first: int, span: int, look: _Look) -> None:
    """One mark for events of a row that would cover each other, larger where there are more."""
    bins = max(40, min(400, _MOST_MARKS // len(rows)))
    marks: Counter[tuple[int, int]] = Counter()
    at: dict[tuple[int, int], int] = {}
    for place, times in enumerate(rows):
        for ticks in sorted(times):  # so that nothing depends on the order of reading
            key = place, (ticks - first) * bins // span
            marks[key] += 1
            at.setdefault(key, ticks)
    for size in sorted({count.bit_length() for count in marks.values()}):
        shown = [key for key, count in marks.items() if count.bit_length() == size]
        axes.plot(
            [_days(at[key]) for key in shown],
            [place for place, _ in shown],
            linestyle="",
            marker=look.marker,
            markersize=3.5 + 0.6 * size,
            markeredgecolor=look.color,
            markerfacecolor=look.face,
            markeredgewidth=0.9,
            zorder=look.order,
            clip_on=False,
        )


def _time_axis(axes: Any, first: int, span: int) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    margin = span * 0.02
    axes.set_xlim(_days(first - margin), min(_days(first + span + margin), _LAST_DAY))
    locator = AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    axes.grid(axis="x", color="#88888866", linewidth=0.6)
    axes.set_axisbelow(True)


def _legend(axes: Any) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            linestyle="",
            marker=look.marker,
            markeredgecolor=look.color,
            markerfacecolor=look.face,
            label=look.name,
        )
        for look in reversed(_LOOKS.values())
    ]
    axes.figure.legend(
        handles=handles, loc="lower right", ncols=3, frameon=False, borderaxespad=0, handletextpad=0
    )


def _minute(ticks: int) -> str:
    return f"{datetime_from_ticks(ticks):%Y-%m-%d %H:%M}"


def _days(ticks: float) -> float:
    """Days since 1970, as matplotlib counts time."""
    return ticks / _TICKS_PER_DAY - _EPOCH_DAYS
