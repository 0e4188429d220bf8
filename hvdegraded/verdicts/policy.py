"""What a user may decide: what an unknown guest counts as, and rows of their own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import timedelta

from hvdegraded.errors import WrongTypeError
from hvdegraded.guests.guest import MAX_INVENTORY_AGE
from hvdegraded.knowledge.tables import Knowledge, load_knowledge
from hvdegraded.verdicts.acknowledgement import Acknowledgement
from hvdegraded.verdicts.verdict import Label

__all__ = ["Policy"]

_KEYS = "keys are why, until, and finding; or vm, provider and id; or vm and evidence"


@dataclass(frozen=True)
class Policy:
    """How to decide what the facts leave open.

    `unknown_guest` is the label of a mismatch that works, where nothing tells the guest's system: with
    ACTIONABLE no verdict that assumes it is ignorable. `max_inventory_age` is how much older than an event an
    inventory may be before its row only counts as an assumption. `knowledge` contains the facts, with the
    user's rows; `acknowledgements` name findings that reports show apart.

    >>> import hvdegraded as hv
    >>> event = next(hv.read("sample_logs/hv2012r2/System.evtx"))
    >>> strict = hv.Policy(unknown_guest=hv.Label.ACTIONABLE)
    >>> hv.classify(event, policy=strict).actionable
    True
    """

    unknown_guest: Label = Label.IGNORABLE
    max_inventory_age: timedelta = MAX_INVENTORY_AGE
    knowledge: Knowledge = field(default_factory=load_knowledge, repr=False)
    acknowledgements: tuple[Acknowledgement, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.unknown_guest, Label):
            raise WrongTypeError(
                f"unknown_guest is {self.unknown_guest!r}, not a Label",
                hint="give Label.IGNORABLE or Label.ACTIONABLE; Policy.load reads a file",
            )

    @classmethod
    def load(cls, source: str | os.PathLike[str], *, unknown_guest: Label = Label.IGNORABLE) -> Policy:
        """A policy with the rows of a user's TOML file; see `Knowledge.extended`.

        Raises KnowledgeError with file, line and column for a bad row, and for a row that would make an
        event ignorable without the word `force = true`.
        """
        from hvdegraded.tabular.toml_file import TomlFile

        file = TomlFile.given(source)
        rows = file.rows("acknowledge", Acknowledgement, _KEYS)
        knowledge = load_knowledge().extended(source)
        return cls(unknown_guest, knowledge=knowledge, acknowledgements=rows)
