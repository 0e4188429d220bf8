"""What a rendered English message names: the last resort, where an export contains no fields.

The name of a VM is its owner's to choose, and can contain the text of a message. So a message counts only if
it can be read in exactly one way: no pattern matches twice, and no quotation mark is left over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hvdegraded.knowledge.facts import MessagePattern

__all__ = ["read_message"]

_LONGEST = 8192
_QUOTE = re.compile("['\"`\u00b4\u2018-\u201f\u00ab\u00bb]")
_AMBIGUOUS = "its message can be read in more than one way"


def read_message(message: str, patterns: Iterable[MessagePattern]) -> tuple[dict[str, str], str | None]:
    """Return the fields that a message names, by canonical name; or none, and why they do not count."""
    if len(message) > _LONGEST:
        return {}, "its message is too long to be that of such an event"
    fields: dict[str, str] = {}
    rest = list(message)
    for row in patterns:
        matches = list(re.finditer(row.pattern, message, re.IGNORECASE | re.ASCII))
        if len(matches) > 1:
            return {}, _AMBIGUOUS
        for match in matches:
            fields |= match.groupdict()
            rest[match.start() : match.end()] = " " * len(match[0])
    if fields and _QUOTE.search("".join(rest)):
        return {}, _AMBIGUOUS
    return fields, None
