"""Remarks on a user's rows: what they change, and what an administrator would miss in them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.tables import Knowledge
from hvdegraded.knowledge.user_rows import read_user_rows
from hvdegraded.knowledge.vocabulary import Role

__all__ = ["RowRemark", "lint_rows"]

_PLACE = re.compile(r"\{(\w+)\}")
_COMPARED = ("role", "outcome", "component", "meaning", "remedy", "cases", "fields", "show", "vm_failure")


class RowRemark(NamedTuple):
    """A remark on one row; `is_fault` where something should be mended."""

    line: int
    column: int
    message: str
    is_fault: bool

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {'fault' if self.is_fault else 'note'}: {self.message}"


def lint_rows(source: str | os.PathLike[str], knowledge: Knowledge) -> list[RowRemark]:
    """Return remarks on a user's rows, in the order of the file. Raises KnowledgeError for a bad row."""
    user = read_user_rows(source, knowledge.providers_by_key, knowledge.event)
    remarks = []
    for (provider, number), row in user.events.items():
        entry = user.entries[provider, number]
        name = f"{row.providers[0]} {number}"
        for key, message, is_fault in _remarks(row, knowledge):
            line, column = entry.file.place(entry.heading, entry.number, key)
            remarks.append(RowRemark(line, column, f"{name}: {message}", is_fault))
    return sorted(remarks)


def _remarks(row: EventFact, knowledge: Knowledge) -> Iterator[tuple[str | None, str, bool]]:
    known = knowledge.event(row.providers[0], row.event_id)
    if known is not None:
        changed = [key for key in _COMPARED if getattr(row, key) != getattr(known, key)]
        what = f"changes {', '.join(changed)} of" if changed else "changes nothing in"
        yield None, f"{what} the library's row ({known.meaning})", not changed
    if row.role in (Role.PROBLEM, Role.WATCH) and not row.remedy:
        yield "role", f"a row of role '{row.role}' needs a remedy", True
    names = {field.lower() for field in row.fields} | _field_names(row, knowledge)
    for key, text in _named_fields(row):
        if text.lower() not in names:
            yield key, f"no row of this provider names a field {text}", known is not None


def _named_fields(row: EventFact) -> Iterator[tuple[str, str]]:
    for item in row.show:
        for name in _PLACE.findall(item) if "{" in item else [item]:
            yield "show", name
    for case in row.cases:
        if case.field is not None:
            yield "cases", case.field


def _field_names(row: EventFact, knowledge: Knowledge) -> set[str]:
    """The fields that rows of the same provider name."""
    provider = row.providers[0].lower()
    others = [other for other in knowledge.events if provider in {name.lower() for name in other.providers}]
    named = {text.lower() for other in others for _, text in _named_fields(other)}
    return named | {field.lower() for other in others for field in other.fields}
