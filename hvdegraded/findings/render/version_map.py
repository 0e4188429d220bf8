"""A picture of versions: a row for each VM, a column for each component."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hvdegraded.findings.render.canvas import (
    FONT_SIZE,
    NOISE,
    PROBLEM,
    Row,
    caption,
    empty_figure,
    first_rows,
    mixed,
    row_axes,
)
from hvdegraded.knowledge.vocabulary import Component
from hvdegraded.verdicts.verdict import Label

if TYPE_CHECKING:
    from hvdegraded.findings.event_groups import EventGroup

__all__ = ["draw_versions"]

_ROW, _CELL = 0.36, 1.05  # inches


def draw_versions(groups: Mapping[Row, Sequence[EventGroup]], most_rows: int) -> Any:
    """A row for each VM, a column for each component: the versions that differ, and how often."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    ranks = {row: rank for row, parts in groups.items() if (rank := _rank(parts)) is not None}
    rows, more = first_rows(ranks, most_rows)
    if not rows:
        return empty_figure("no version mismatches")
    cells = {row: _cells(groups[row]) for row in rows}
    components = [one for one in Component if any(one in cells[row] for row in rows)]
    most = max(sum(part.count for part in parts) for row in rows for parts in cells[row].values())
    axes = row_axes(rows, _CELL * len(components), _ROW, below=0.4, above=0.42)
    boxes, faces, edges = [], [], []
    for y, row in enumerate(rows):
        for x, component in enumerate(components):
            parts = cells[row].get(component)
            if not parts:
                continue
            count = sum(part.count for part in parts)
            actionable = any(part.ruling.label is Label.ACTIONABLE for part in parts)
            shade = 0.12 + 0.5 * math.log2(count + 1) / math.log2(most + 1)
            boxes.append(Rectangle((x - 0.47, y - 0.44), 0.94, 0.88))
            faces.append(mixed(PROBLEM if actionable else NOISE, shade))
            edges.append(PROBLEM if actionable else "none")
            pairs = Counter[str]()
            for part in parts:
                guest, host = part.verdict.versions.guest, part.verdict.versions.host
                pairs[f"{guest or '?'} | {host or '?'}"] += part.count
            (versions, _), *others = pairs.most_common()
            text = f"{versions} +{len(others)}" if others else versions
            mark = "▲ " if actionable else ""
            axes.text(
                x, y, f"{text}\n{mark}×{count}", ha="center", va="center", color="#101010",
                fontsize=min(FONT_SIZE, FONT_SIZE * 15 / len(text)) - 0.5, linespacing=1.15,
            )  # fmt: skip
    axes.add_collection(
        PatchCollection(boxes, facecolors=faces, edgecolors=edges, linewidths=1.4), autolim=False
    )
    axes.set_xlim(-0.5, len(components) - 0.5)
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(components)), [textwrap.fill(one, 15) for one in components])
    caption(axes, ["guest | host version, × events", "darker: more events", "▲: actionable", *more])
    return axes.figure


def _rank(parts: Iterable[EventGroup]) -> tuple[bool, int] | None:
    """The rank of a row, actionable and frequent ones lowest; None without versions that differ."""
    differing = [part for part in parts if part.mismatch is not None]
    if not differing:
        return None
    calm = all(part.ruling.label is not Label.ACTIONABLE for part in differing)
    return calm, -sum(part.count for part in differing)


def _cells(parts: Iterable[EventGroup]) -> dict[Component, list[EventGroup]]:
    """The groups of a row by component."""
    cells: dict[Component, list[EventGroup]] = {}
    for part in parts:
        if part.mismatch is not None:
            cells.setdefault(part.mismatch, []).append(part)
    return cells
