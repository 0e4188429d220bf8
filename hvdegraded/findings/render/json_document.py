"""The result document → its JSON, whose rows are made one by one: of very many findings it is never whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from hvdegraded.findings.assumed import AssumedVm, AssumedVms
from hvdegraded.findings.document import Document
from hvdegraded.findings.entries import FindingEntries, FindingEntry

__all__ = ["document_json"]


def document_json(document: Document) -> Iterator[str]:
    """Yield the lines of `json.dumps(document.to_dict(), indent=1)`, several in a piece."""
    without_rows = replace(document, findings=FindingEntries(()), assumed=AssumedVms(()))
    rest = json.dumps(without_rows.to_dict(), indent=1)
    tables: Iterable[tuple[str, type, Sequence[object]]] = (
        ("findings", FindingEntry, document.findings),
        ("assumed", AssumedVm, document.assumed),
    )
    for name, row, rows in tables:
        if rows:
            before, rest = rest.split(f'\n "{name}": []', 1)  # texts in JSON have no such line end
            yield f'{before}\n "{name}": ['
            yield from _rows(rows, TypeAdapter(row))
            rest = " ]" + rest
    yield rest


def _rows(rows: Sequence[object], adapter: TypeAdapter[Any]) -> Iterator[str]:
    last = len(rows) - 1
    for number, row in enumerate(rows):
        text = json.dumps(adapter.dump_python(row, mode="json"), indent=1).replace("\n", "\n  ")
        yield f"  {text}," if number < last else f"  {text}"
