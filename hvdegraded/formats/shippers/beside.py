"""What shippers put beside an event, as tables: `beside.toml` in the form that `remainder` uses."""

from __future__ import annotations

import re
from functools import lru_cache

from hvdegraded.formats.shippers.dialects import tables
from hvdegraded.records.system_fields import SYSTEM_FIELDS
from hvdegraded.tabular.toml_file import TomlFile

__all__ = [
    "SYSTEM_VALUE",
    "folded",
    "is_a_time",
    "is_token",
    "known_paths",
    "letters_of",
    "names_a_system",
    "objects",
    "payload_paths",
    "sentences",
    "system_names",
    "words",
]

SYSTEM_VALUE = re.compile(
    r"|[+-]?\d[\dTZ:.+-]{0,40}|0x[0-9a-f]{1,16}|s-1(?:-\d{1,20}){1,16}|[0-9a-f]{16,64}"
    r"|\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?",
    re.IGNORECASE,
)
"""A number, a time, a version, a SID, a hash or a GUID, as `<System>` and shippers have them."""

_LONGEST_TOKEN, _LONGEST_TEXT = 256, 128  # characters
_FEWEST_DIGITS = 6  # of a time
_NO_TOKEN = re.compile(r"\s|^[<{\[]")
_SYSTEM_WORD = re.compile(r"[\d.-]+|winbuild[\d.]+")
_HOLDERS = frozenset(("text", "value", "attributes", "qualifier"))
_Words = dict[str, frozenset[str]]


def is_token(value: str) -> bool:
    """Whether a text is one word, as names and numbers are."""
    return len(value) <= _LONGEST_TOKEN and not _NO_TOKEN.search(value)


def is_a_time(value: str) -> bool:
    """Whether a text has the digits of a time, and no words but those of one."""
    named = re.findall(r"[^\W\d_]+", value.lower())
    return sum(map(str.isdigit, value)) >= _FEWEST_DIGITS and words()["time_words"].issuperset(named)


def letters_of(key: str) -> str:
    """Return the letters of a key, in lower case."""
    return re.sub(r"[^a-z]", "", key.lower())


def folded(text: str) -> str:
    """Return a text as values are compared: without case, white space and braces around it."""
    return text.strip().strip("{}").lower()


@lru_cache(maxsize=2)
def sentences(has_values: bool) -> re.Pattern[str]:
    """Build what a whole message of a working mismatch matches, a zero byte in place of each value.

    The values of an event that has no others are those of its message.
    """
    text, value = ("\0", "\0") if has_values else ("[^']{1,256}", "[0-9a-fx.{}-]{1,40}")
    forms = (form.replace("'%'", f"'{text}'").replace("%", value) for form in sorted(words()["sentences"]))
    return re.compile(f"(?:(?:{'|'.join(forms)})(?: |$))+")


def names_a_system(value: str) -> bool:
    """Whether a text consists of numbers and of words in the names of operating systems."""
    named = value.lower().replace("(", " ").replace(")", " ").split()
    known = words()["system_words"]
    return len(value) <= _LONGEST_TEXT and all(
        word in known or _SYSTEM_WORD.fullmatch(word) for word in named
    )


@lru_cache(maxsize=1)
def known_paths() -> frozenset[str]:
    """Return the paths of values that shippers write."""
    kinds = ("keys", "flags", "names", "systems", "accounts")
    paths = frozenset[str]().union(*(words()[kind] for kind in kinds))
    return paths.union(*(table.paths for table in tables().dialects))


@lru_cache(maxsize=1)
def objects() -> frozenset[str]:
    """Return the paths of objects that lead to such values, and hold nothing themselves."""
    parts = [path.split(".") for path in known_paths()]
    leading = frozenset(".".join(part[:count]) for part in parts for count in range(1, len(part)))
    return leading - known_paths()


@lru_cache(maxsize=1)
def payload_paths() -> frozenset[str]:
    """Return the paths of the event's own values."""
    return frozenset(path for table in tables().dialects for _, path in table.payload if path)


@lru_cache(maxsize=1)
def system_names() -> frozenset[str]:
    """Return the letters of keys that stand for parts of `<System>`, or hold their texts."""
    names = {name for row in SYSTEM_FIELDS for name in (row.element, row.attribute or "", row.field)}
    return frozenset(map(letters_of, names)) | _HOLDERS


@lru_cache(maxsize=1)
def words() -> _Words:
    """Read `beside.toml`, once."""
    raw = TomlFile.of_package("hvdegraded.formats.shippers", "beside.toml").content
    return {name: frozenset(words) for name, words in raw.items()}
