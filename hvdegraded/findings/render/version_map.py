"""A picture of versions: a row for each VM, a column for each component."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Sequence
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
    row_of,
)
from hvdegraded.knowledge.vocabulary import Component
from hvdegraded.verdicts.verdict import Label

if TYPE_CHECKING:
    from hvdegraded.findings.groups import EventGroup

__all__ = ["draw_versions"]

_ROW, _CELL = 0.36, 1.05  # inches


def draw_versions(groups: Sequence[EventGroup], most_rows: int) -> Any:
    """A row for each VM, a column for each component: the versions that differ, and how often."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    rows, more = first_rows(_ranks(groups), most_rows)
    if not rows:
        return empty_figure("no version mismatches")
    cells = _cells(groups, rows)
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


def _ranks(groups: Sequence[EventGroup]) -> dict[Row, tuple[bool, int]]:
    """The rank of each row, actionable and frequent ones lowest."""
    ranks: dict[Row, tuple[bool, int]] = {}
    for part in groups:
        if part.mismatch is not None:
            row, actionable = row_of(part), part.ruling.label is Label.ACTIONABLE
            calm, count = ranks.get(row, (True, 0))
            ranks[row] = calm and not actionable, count - part.count
    return ranks


def _cells(groups: Sequence[EventGroup], rows: Sequence[Row]) -> dict[Row, dict[Component, list[EventGroup]]]:
    """The groups of these rows by component."""
    cells: dict[Row, dict[Component, list[EventGroup]]] = {row: {} for row in rows}
    for part in groups:
        component = part.mismatch
        if component is not None and (row := row_of(part)) in cells:
            cells[row].setdefault(component, []).append(part)
    return cells
