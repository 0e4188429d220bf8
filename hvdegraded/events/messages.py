"""What a rendered English message names: the last resort, where an export contains no fields.

The name of a VM is its owner's to choose, and can contain the text of a message. So a message counts only if
it can be read in exactly one way: no pattern matches twice, and no quotation mark is left over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hvdegraded.knowledge.facts import MessagePattern
from hvdegraded.knowledge.vocabulary import Outcome

__all__ = ["read_message", "read_structure", "read_subject"]

_LONGEST = 8192
_QUOTE = re.compile("['\"`\u00b4\u2018-\u201f\u00ab\u00bb]")
_AMBIGUOUS = "its message can be read in more than one way"


_VERSION = re.compile(r"(?<![0-9A-Za-z.])[0-9]{1,5}\.[0-9]{1,5}(?![0-9A-Za-z]|\.[0-9])", re.ASCII)
_LAST_ID = re.compile(r"\([^()]{0,60}?\{?([0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})\}?\)", re.ASCII | re.I)
_SUBJECT = re.compile(
    r"'(?P<name>[^'\"()]{1,100})' [^'\"()]*"
    r"\(Virtual machine ID (?P<id>[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})\)[^'\"()]*",
    re.ASCII | re.IGNORECASE,
)
_VM_AT_END = re.compile(
    r"\((?:Virtual machine ID|VM ?ID)[ :]{0,2}\{?"
    r"(?P<id>[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})\}?\)[.\s]{0,9}\Z",
    re.ASCII | re.IGNORECASE,
)
_PAIR = ("ServerVersion", "ClientVersion")
_SERVICE = ("FrameworkNegotiated", "FrameworkExpected", "MessageNegotiated", "MessageExpected")


def read_structure(message: str, *, is_service: bool) -> dict[str, str]:
    """Return versions and VM id of a working mismatch that is told in a language of which no row is known.

    All languages keep the order of the values. They are read only where the message contains exactly these
    versions, names of VMs and devices included, and one id in brackets; so no name can add or hide one.
    """
    names = _SERVICE if is_service else _PAIR
    if len(message) > _LONGEST or not message.strip().isprintable():  # a line break belongs to no message
        return {}
    ids, versions = _LAST_ID.findall(message), _VERSION.findall(message)
    if len(ids) != 1 or len(versions) != len(names):
        return {}
    return {"VmId": ids[0], **dict(zip(names, versions, strict=True))}


def read_subject(message: str) -> tuple[str | None, str | None]:
    """Return name and id of the VM that a message begins with and names once, in English; else None for both.

    A name that has a quotation mark, or an id in brackets, in it makes a second one of these. Where a message
    has more in quotation marks, as a path, its name may be another; the id counts, if the message ends
    with that, and has no other.
    """
    if len(message) > _LONGEST:
        return None, None
    match = _SUBJECT.fullmatch(message)
    if match is not None:
        return match["name"], match["id"].upper()
    ids, last = _LAST_ID.findall(message), _VM_AT_END.search(message)
    return None, last["id"].upper() if last is not None and len(ids) == 1 else None


def read_message(
    message: str, patterns: Iterable[MessagePattern], outcome: Outcome | None = None
) -> tuple[dict[str, str], str | None]:
    """Return the fields that a message names, by canonical name; or none, and why they do not count.

    `outcome` is that of the event, with which the message must agree.
    """
    if len(message) > _LONGEST:
        return {}, "its message is too long to be that of such an event"
    fields: dict[str, str] = {}
    rest = list(message)
    for row in patterns:
        matches = list(re.finditer(row.pattern, message, re.IGNORECASE | re.ASCII))
        if len(matches) > 1:
            return {}, _AMBIGUOUS
        if matches and outcome is not None and row.outcome not in (None, outcome):
            return {}, "its message is that of another kind of event"
        for match in matches:
            fields |= match.groupdict()
            rest[match.start() : match.end()] = " " * len(match[0])
    if fields and _QUOTE.search("".join(rest)):
        return {}, _AMBIGUOUS
    return fields, None
