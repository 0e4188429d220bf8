"""What a reading amounts to: findings with counts, and an account of all that was left out.

Events that get the same verdict for the same reason are one `EventGroup`, which keeps one example and, of
each event, its time and record id: 16 bytes. Findings gather the occurrences that are one problem of one VM;
so a mismatch that five components report is one finding with five parts. `building` makes a Triage of events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hvdegraded.findings.render.plots import Picture

from hvdegraded.findings.groups import GroupedEvents

__all__ = [
    "Triage",
]


@dataclass(frozen=True, repr=False)
class Triage(GroupedEvents):
    """What a reading amounts to: findings, actionable and newest first, and what was left out.

    `excluded` counts events below the level or outside of the times asked for, by why; `report` is the
    account of the reading.
    """

    def __str__(self) -> str:
        from hvdegraded.findings.render.text import as_text

        return as_text(self)

    __repr__ = __str__

    def __rich_repr__(self) -> Iterator[tuple[str, object]]:
        for label, count in self.by_label().items():
            yield label.name.lower(), count
        yield "findings", len(self.findings)

    def _repr_html_(self) -> str:
        from hvdegraded.findings.render.html import as_fragment

        return as_fragment(self)

    def to_html(self, *, title: str = "Hyper-V triage") -> str:
        """One self-contained page to share, as text to write to a file; with tables to sort and search."""
        from hvdegraded.findings.render.html import as_page

        return as_page(self, title)

    def plot(self, kind: str = "timeline") -> Picture:
        """A picture for Jupyter or to `save`: each VM's `timeline`, or the `versions` that differ.

        Needs matplotlib (extra `notebook`), else raises MissingExtraError.
        """
        from hvdegraded.findings.render.plots import draw

        return draw(self, kind)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        from hvdegraded.findings.frames import to_arrow

        return to_arrow(self).__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> Any:
        """A pyarrow.Table, one row for each event; columns in `hvdegraded.findings.frames.SCHEMA`."""
        from hvdegraded.findings.frames import to_arrow

        return to_arrow(self)

    def to_pandas(self) -> Any:
        """A pandas.DataFrame of the same columns."""
        from hvdegraded.findings.frames import to_pandas

        return to_pandas(self)

    def to_polars(self) -> Any:
        """A polars.DataFrame of the same columns."""
        from hvdegraded.findings.frames import to_polars

        return to_polars(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: counts, findings with their parts, and the account of the reading."""
        return {
            "events": self.count,
            "by_label": {str(key): count for key, count in self.by_label().items()},
            "by_reason": {str(key): count for key, count in self.by_reason().items()},
            "excluded": dict(self.excluded),
            "findings": [
                {
                    "count": finding.count,
                    "first": finding.first.isoformat() if finding.first else None,
                    "last": finding.last.isoformat() if finding.last else None,
                    "parts": [
                        part.verdict.model_dump(mode="json")
                        | {"provider": part.provider, "event_id": part.event_id, "count": part.count}
                        for part in finding.parts
                    ],
                }
                for finding in self.findings
            ],
            "report": self.report.to_dict(),
        }
