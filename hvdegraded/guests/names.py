"""How names of virtual machines and hosts are compared."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Iterable

__all__ = ["absent_names", "folded", "is_same_host", "name_pattern", "similar"]

_MOST_ABSENT = 3
_MOST_COMPARED = 2000


def folded(text: str) -> str:
    """A name without white space around it and letter case."""
    return text.strip().casefold()


def similar(text: str) -> str:
    """A name without compatibility forms (NFKC), zero-width characters and differences of white space."""
    plain = unicodedata.normalize("NFKC", text)
    visible = "".join(letter for letter in plain if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFKC", " ".join(visible.split()).casefold())


def name_pattern(text: str) -> re.Pattern[str] | None:
    """The pattern that a name with `*` or `?` is, for folded names; None for any other name."""
    if "*" not in text and "?" not in text:
        return None
    return re.compile(fnmatch.translate(folded(text).replace("[", "[[]")))


def absent_names(given: Iterable[str], seen: Iterable[str]) -> list[tuple[str, str | None]]:
    """The names given, patterns apart, that are not seen, and which seen one is like each.

    More than a few are those of a list of all VMs, of which some have no events: none is returned then.
    """
    names = {folded(name): name for name in seen}
    alike_names = {similar(name) for name in names}
    absent = [name for name in given if name_pattern(name) is None and similar(name) not in alike_names]
    if len(absent) > _MOST_ABSENT:
        return []
    compared = sorted(names)[:_MOST_COMPARED]
    import difflib

    alike = (difflib.get_close_matches(folded(name)[:80], compared, 1) for name in absent)
    return [(name, names[found[0]] if found else None) for name, found in zip(absent, alike, strict=True)]


def is_same_host(one: str | None, other: str | None) -> bool:
    """Whether two names are of one host: a short name agrees with a full one."""
    if not one or not other:
        return False
    one, other = folded(one).rstrip("."), folded(other).rstrip(".")
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    # Digits and dots are an address, of which the first part is not a name.
    return "." not in short and not short.isdigit() and long.split(".", 1)[0] == short
