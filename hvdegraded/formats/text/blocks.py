"""Event Viewer's "Copy details as text" and wevtutil's text: lines of `Name: value`, then a description.

Event Viewer writes the names in the language of the host, always in the same order; so where the names are
not known, the order decides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from hvdegraded.formats.shippers.by_names import known_provider
from hvdegraded.formats.text.pasted_xml import MARK
from hvdegraded.tabular.json_document import Found

__all__ = ["event_blocks"]

_LINE = re.compile(r"\s{0,40}([^\s:<>{}\[\]\"][^:<>{}\[\]\"\t]{0,39}?)\s?[:\uff1a][ \t\u00a0]?(.*)")
_END = re.compile(
    r"\s*(?:Event\[\d+\]:?|```.*)\s*"
)  # of a description: the next event, or a block of Markdown
_SHORTEST, _LONGEST = 8, 16  # lines of a head
_FEWEST_ALIGNED = 4  # lines of a list
_ORDER = (
    "Log Name", "Source", "Date", "Event ID", "Task Category", "Level", "Keywords", "User", "Computer",
    "Description",
)  # fmt: skip


def event_blocks(text: str) -> Iterator[Found]:
    """The events of a text, each with the line in which it begins; those whose XML follows are left out."""
    lines = text.splitlines()
    pairs = [_pair(line) for line in lines]
    place = 0
    while place < len(lines):
        head = _head(pairs, place)
        if not head or _is_format_list(lines[place : place + len(head)]):
            place += 1
            continue
        start, place = place, place + len(head)
        description = [head[-1][1]]
        while place < len(lines) and not _END.fullmatch(lines[place]):
            if pairs[place] is not None and _head(pairs, place):
                break
            description.append(lines[place])
            place += 1
        body = "\n".join(description).strip()
        if MARK not in body:
            yield Found(_named(head, body), None, start + 1)


def _is_format_list(lines: list[str]) -> bool:
    """Whether most names of a head stand before colons of one column, as Format-List prints them."""
    columns = Counter(place for line in lines if (place := line.find(" :")) > 0)
    if not columns:
        return False
    _, most = columns.most_common(1)[0]
    return most >= _FEWEST_ALIGNED and 2 * most > len(lines)


def _pair(line: str) -> tuple[str, str] | None:
    match = _LINE.fullmatch(line)
    return None if match is None else (match[1].strip(), (match[2] or "").strip())


def _head(pairs: list[tuple[str, str] | None], place: int) -> list[tuple[str, str]]:
    """The names and values of the lines from a place to the one over the description; none without that."""
    head: list[tuple[str, str]] = []
    for pair in pairs[place : place + _LONGEST]:
        if pair is None:
            break
        head.append(pair)
        if _ends_the_head(head):
            return head
    return []


def _ends_the_head(pairs: list[tuple[str, str]]) -> bool:
    """Whether the last line is the one over the description, which has no value of its own."""
    name, value = pairs[-1]
    if name.casefold() == "description":
        return len(pairs) >= _SHORTEST or {"Source", "Event ID"} <= {known for known, _ in pairs}
    return (
        not value
        and len(pairs) >= len(_ORDER)
        and known_provider(pairs[1][1]) is not None
        and pairs[3][1].isdecimal()
    )


def _named(pairs: list[tuple[str, str]], description: str) -> dict[str, str]:
    """The values by their English names, where the order shows which they are; else by those they have."""
    found = dict(pairs)
    found.pop(pairs[-1][0])
    values = [value for _, value in pairs]
    in_order = len(values) == len(_ORDER) and known_provider(values[1]) and values[3].isdecimal()
    if in_order:
        found |= dict(zip(_ORDER, values, strict=True))
    return found | {"Description": description}
