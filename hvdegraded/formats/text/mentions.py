"""Events that a text names in no form that is read: a provider of Windows, and an event id beside it."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from hvdegraded.formats.shippers.by_names import known_provider
from hvdegraded.formats.shippers.dialects import tables
from hvdegraded.records.record import ProviderFilter
from hvdegraded.tabular.encodings import decode_text

__all__ = ["Mention", "bytes_may_name_one", "mention_of_event", "names_a_provider"]

MOST_MENTIONS = 10_000
"""Names of providers in a text that are looked at."""

_AROUND = 300  # characters before and after a name in which its id may stand
_ID = re.compile(  # not a part of a date, a version or a GUID
    r"(?<![\w./-])(?<!\d:)(?:(?<![A-Z][a-z][a-z] )\d{1,2}|\d{3,5})(?![\w-]|[.:/]\d)", re.ASCII
)
_LABELLED_ID = re.compile(r"id\W{1,8}\d{1,5}(?![\w-]|[.:/]\d)", re.ASCII | re.IGNORECASE)


class Mention(NamedTuple):
    """The provider of an event that a text names, and the line."""

    provider: str
    line: int


def bytes_may_name_one(data: bytes) -> bool:
    """Whether a text of any encoding can name a provider of Windows, by its bytes."""
    lower = data.lower().replace(b"\0", b"")
    table = tables().by_names
    return any(one.encode() in lower for one in (*table.provider_prefixes, *table.providers))


def names_a_provider(data: bytes) -> bool:
    """Whether a text of any encoding names a provider of Windows by its whole name."""
    if not bytes_may_name_one(data):
        return False
    found = (match[0].strip(".-") for match in _names().finditer(decode_text(data)[0]))
    return any(known_provider(name) == name for name in islice(found, MOST_MENTIONS))


def mention_of_event(text: str, wanted: ProviderFilter | None = None) -> Mention | None:
    """The first event of a wanted provider that a text names; None if there is none.

    An id stands within a few lines of the provider's name. A classic provider bears the name of a driver, so
    its id stands behind it in the same line, or behind a word that ends in "id".
    """
    for number, match in enumerate(_names().finditer(text)):
        if number == MOST_MENTIONS:
            return None
        provider = known_provider(match[0].strip(".-"))
        if provider is None or not (wanted is None or wanted.matches(provider)):
            continue
        if _has_id(text, match.start(), match.end(), provider):
            return Mention(provider, text.count("\n", 0, match.start()) + 1)
    return None


def _has_id(text: str, start: int, end: int, provider: str) -> bool:
    first, last = max(0, start - _AROUND), end + _AROUND
    before, after = text[first:start], text[end:last]
    if provider.lower() in tables().by_names.providers:
        if _LABELLED_ID.search(before) or _LABELLED_ID.search(after):
            return True
        before, after = "", after.partition("\n")[0]
    return _ID.search(before) is not None or _ID.search(after) is not None


@lru_cache(maxsize=1)
def _names() -> re.Pattern[str]:
    table = tables().by_names
    prefixed = (re.escape(one) + r"[\w.-]{1,100}" for one in table.provider_prefixes)
    every = "|".join((*prefixed, *map(re.escape, sorted(table.providers, key=len, reverse=True))))
    return re.compile(rf"(?<![\w./\\-])(?:{every})(?![\w/\\-])", re.ASCII | re.IGNORECASE)
