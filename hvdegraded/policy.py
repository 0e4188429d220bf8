"""What a user may decide: what an unknown guest counts as, and rows of their own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from hvdegraded.knowledge import Knowledge, load_knowledge
from hvdegraded.verdict import Label

__all__ = ["Policy"]


@dataclass(frozen=True)
class Policy:
    """How to decide what the facts leave open.

    `unknown_guest` is the label of a mismatch that works, where nothing tells the guest's system.
    `knowledge` holds the facts, with the user's rows.
    """

    unknown_guest: Label = Label.IGNORABLE
    knowledge: Knowledge = field(default_factory=load_knowledge, repr=False)

    @classmethod
    def load(cls, source: str | os.PathLike[str], *, unknown_guest: Label = Label.IGNORABLE) -> Policy:
        """A policy with the rows of a user's TOML file; see `Knowledge.extended`.

        Raises KnowledgeError with file, line and column for a bad row, and for a row that would make an
        event ignorable without the word `force = true`.
        """
        return cls(unknown_guest, load_knowledge().extended(source))
