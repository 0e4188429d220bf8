"""PowerShell's Format-List: lines of `Name : value`, objects apart by blank lines, long values wrapped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hvdegraded.tabular.json_document import Found

__all__ = ["objects_of_list"]

_PROPERTY = re.compile(r"(\S[^:\n]{0,80}?) *: ?(.*)")
_MAX_PROPERTIES = 256


def objects_of_list(text: str) -> Iterator[Found]:
    """The objects of a text, each with the line in which it begins."""
    current: dict[str, list[str]] = {}
    start, column, last = 0, 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        match = _PROPERTY.match(line)
        at = line.find(":")
        if match is not None and (not current or at == column) and line[at - 1 : at] == " ":
            name = match[1].rstrip()
            if name in current or len(current) >= _MAX_PROPERTIES:
                yield _found(current, start)
                current = {}
            if not current:
                start, column = number, at
            current[name], last = [match[2].rstrip()], name
        elif current and line.strip() and not line[: column + 1].strip():
            current[last].append(line.strip())
        elif current and line.strip():
            yield _found(current, start)
            current = {}
    if current:
        yield _found(current, start)


def _found(values: dict[str, list[str]], line: int) -> Found:
    return Found({name: " ".join(parts).strip() for name, parts in values.items()}, None, line)
