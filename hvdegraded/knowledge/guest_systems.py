"""Facts about guests: which text names which operating system, which column holds what.

The theory of `read_os`: a text names a family only if it names one family and nothing in it
denies or weakens it. "Windows Subsystem for Linux" names two, "not Linux" denies; both are unknown, because
a Windows guest taken for Linux hides a real problem and an unknown one hides nothing.
"""

import enum
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from hvdegraded.knowledge.facts import Fact
from hvdegraded.knowledge.loader import open_table
from hvdegraded.knowledge.vocabulary import GuestFamily, Kernel

__all__ = [
    "ColumnRole",
    "OsReading",
    "column_key",
    "columns",
    "family_from_integration",
    "family_from_version",
    "guests_script",
    "is_blank",
    "read_os",
    "stated_kernel",
    "supported_os",
    "upstream_kernel",
    "windows_release",
    "windows_remedy",
]

_MARKS = re.compile("[®™©\u00ad\u200b-\u200f\u2060\ufeff]")  # signs, and invisible characters
_SEPARATORS = re.compile(r"[\s_\-]+")
_LONGEST_OS_TEXT = 4096
_OS_RELEASE = (('id="', "id="), ('id_like="', "id_like="), ("id='", "id="), ("id_like='", "id_like="))
"""How os-release files quote values, and the same without."""


class ColumnRole(enum.StrEnum):
    """What a column of an inventory holds."""

    NAME = "name"
    ID = "id"
    HOST = "host"
    SYSTEM = "system"
    VERSION = "version"
    INTEGRATION = "integration"
    ITEMS = "items"
    TAKEN = "taken"


class _GuestFact(Fact):
    """A row with the text that is its example."""

    example: str


class OsFact(_GuestFact):
    """Texts that name a family; `supported` from major version `minimum` on."""

    family: GuestFamily
    words: tuple[str, ...] = ()
    anywhere: tuple[str, ...] = ()
    supported: bool | None = None
    minimum: int | None = None


class DenialFact(_GuestFact):
    """Texts that deny or weaken what they stand beside."""

    words: tuple[str, ...] = ()
    anywhere: tuple[str, ...] = ()


class HintFact(_GuestFact):
    """Texts that a family goes by, too loose to name it alone."""

    family: GuestFamily
    words: tuple[str, ...]


class VersionFact(_GuestFact):
    """A pattern of versions that systems of one family alone report."""

    family: GuestFamily
    pattern: str


class ReleaseFact(_GuestFact):
    """A release of Windows, and the words that tell it."""

    name: str
    words: tuple[str, ...]


class BlankFact(_GuestFact):
    """Whole texts that say nothing."""

    texts: tuple[str, ...]


class IntegrationFact(_GuestFact):
    """A leading part of an integration services version, and the family that reports it."""

    version: str
    family: GuestFamily


class ColumnFact(Fact):
    """Names of a column, the better ones first."""

    role: ColumnRole
    names: tuple[str, ...]
    example: dict[str, Any]


class RemedyFact(_GuestFact):
    """What to do about a Windows guest on hosts of these releases; no releases: on any other host."""

    hosts: tuple[str, ...]
    text: str


class OsReading(NamedTuple):
    """What a text says: the family, or UNKNOWN with the families it might mean.

    `matched` is False where no known name occurs at all.
    """

    family: GuestFamily
    possible: frozenset[GuestFamily]
    matched: bool


class _Words:
    """Words that are looked for; their pattern is compiled at the first search, which few readings need."""

    def __init__(self, words: Iterable[str], anywhere: Iterable[str] = ()) -> None:
        # A digit may follow a word ("rhel8") but not a letter ("alpinegeist"); neither may come before.
        self._texts = [re.escape(part) for part in anywhere]
        self._texts += [rf"(?<![^\W_]){re.escape(word)}(?![^\W\d_])" for word in words]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(self._texts))

    def search(self, text: str) -> bool:
        return self.pattern.search(text) is not None


class _Tables(NamedTuple):
    os: tuple[tuple[OsFact, _Words], ...]
    denial: _Words
    hints: tuple[tuple[GuestFamily, _Words], ...]
    versions: tuple[tuple[GuestFamily, str], ...]
    releases: Mapping[str, str]
    release: _Words
    blank: frozenset[str]
    integration: tuple[IntegrationFact, ...]
    columns: Mapping[str, tuple[str, ...]]
    remedies: tuple[RemedyFact, ...]


@lru_cache(maxsize=1024)
def read_os(text: str | None) -> OsReading:
    """The family that a text names; UNKNOWN if unnamed, denied or ambiguous, with those it might mean.

    Source of the names: `knowledge/guests.toml`.
    """
    text = text or ""
    folded = _folded(text[:_LONGEST_OS_TEXT])
    for quoted, plain in _OS_RELEASE:
        folded = folded.replace(quoted, plain)
    tables = _tables()
    named = frozenset(fact.family for fact, pattern in tables.os if pattern.search(folded))
    possible = named | {family for family, pattern in tables.hints if pattern.search(folded)}
    # What was not read of an overlong text may name another system.
    denied = len(text) > _LONGEST_OS_TEXT or tables.denial.search(folded.replace("id_like=", "id="))
    if len(named) == 1 and possible == named and not denied:
        return OsReading(next(iter(named)), named, matched=True)
    return OsReading(GuestFamily.UNKNOWN, possible, matched=bool(possible))


@lru_cache(maxsize=1024)
def windows_release(text: str | None) -> str | None:
    """The release in a Windows system's name ("Windows Server 2008 R2"); None if none or several."""
    if not text or len(text) > _LONGEST_OS_TEXT or read_os(text).family is not GuestFamily.WINDOWS:
        return None
    tables = _tables()
    found = {tables.releases[word] for word in tables.release.pattern.findall(_folded(text))}
    return found.pop() if len(found) == 1 else None


@lru_cache(maxsize=1024)
def supported_os(text: str | None, version: str | None = None) -> bool | None:
    """Whether the vendor lists this guest as supported: True, False (too old) or None (not listed)."""
    folded = _folded((text or "")[:_LONGEST_OS_TEXT])
    if read_os(text).family is GuestFamily.UNKNOWN:
        return None
    for fact, pattern in _tables().os:
        if not fact.supported or not pattern.search(folded):
            continue
        if fact.minimum is None:
            return True
        number = re.search(r"\d{1,4}", f"{folded} {version or ''}")
        return None if number is None else int(number[0]) >= fact.minimum
    return None


_KERNEL = re.compile(r"(\d{1,2})\.(\d{1,3})(?![\d])", re.ASCII)


def stated_kernel(os_version: str | None) -> Kernel | None:
    """Return the number with which the version of a Linux guest begins (`5.15.0-91-generic`), or None."""
    match = _KERNEL.match((os_version or "").strip())
    return (int(match[1]), int(match[2])) if match else None


_ROLLING = frozenset({"arch linux", "arch", "gentoo linux", "gentoo", "gentoo/linux", "linux from scratch"})
_UPSTREAM = re.compile(r"(?:linux(?: kernel)? |kernel )(\d{1,2})\.(\d{1,3})(?:\.\d{1,4})?", re.ASCII)


def upstream_kernel(os_name: str | None, os_version: str | None) -> Kernel | None:
    """Return the number of an unpatched upstream kernel that an inventory states, or None.

    A distribution's kernel may speak more than its number says (back-ports), so a number counts only where
    nothing else is named: `Linux 5.19.4`, `Linux` with the version `6.1.12`, or a system without releases of
    its own.
    """
    name = _folded(os_name or "").strip()
    version = _folded(os_version or "").strip()
    texts = (name, f"{name} {version}", f"linux {version}" if name in _ROLLING else "")
    match = next(filter(None, map(_UPSTREAM.fullmatch, texts)), None)
    return (int(match[1]), int(match[2])) if match is not None else None


def family_from_integration(version: str | None) -> GuestFamily:
    """The family whose integration services report this version; UNKNOWN for `0.0` and any other."""
    parts = (version or "").strip().split(".")
    for fact in _tables().integration:
        wanted = fact.version.split(".")
        if parts[: len(wanted)] == wanted and all(
            re.fullmatch(r"-?\d{1,9}", part, re.ASCII) for part in parts
        ):
            return fact.family
    return GuestFamily.UNKNOWN


@lru_cache(maxsize=1024)
def family_from_version(version: str | None) -> GuestFamily:
    """The family that alone reports this version of its system; UNKNOWN for any other text."""
    folded = _folded((version or "")[:_LONGEST_OS_TEXT]).strip()
    return next(
        (family for family, whole in _tables().versions if re.fullmatch(whole, folded, re.ASCII)),
        GuestFamily.UNKNOWN,
    )


@lru_cache(maxsize=1024)
def is_blank(text: str) -> bool:
    """Whether a text is empty or a placeholder such as `n/a`."""
    folded = _folded(text).strip()
    return not folded or folded in _tables().blank


@lru_cache(maxsize=1024)
def column_key(name: str) -> str:
    """A column's name as it is compared: without case, spaces, underscores and hyphens."""
    return _SEPARATORS.sub("", name.casefold())


def columns(role: str) -> tuple[str, ...]:
    """Keys of the columns that hold `role`, the better ones first."""
    return _tables().columns[role]


@lru_cache(maxsize=1024)
def windows_remedy(host_release: str | None) -> str:
    """What to do about a Windows guest whose integration services differ from the host's.

    `host_release` is a name ("Windows Server 2012 R2") or version ("10.0.17763"); for None or an
    unknown one the text covers all hosts. Source: `knowledge/guests.toml`.
    """
    folded = _folded((host_release or "")[:_LONGEST_OS_TEXT]).replace("2012r2", "2012 r2")
    folded = folded.replace("2008r2", "2008 r2")
    best: tuple[int, str] = (0, "")
    for fact in _tables().remedies:
        for host in fact.hosts:
            if len(host) > best[0] and host in folded and _Words([host]).search(folded):
                best = (len(host), fact.text)
    return best[1] or next(fact.text for fact in _tables().remedies if not fact.hosts)


def guests_script() -> str:
    """The PowerShell script that writes `guests.json` on a Hyper-V host."""
    return Path(__file__).with_name("guests.ps1").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    file = open_table("guests.toml")
    os_facts = file.rows("os", OsFact)
    denials = file.rows("denial", DenialFact)
    release_facts = file.rows("release", ReleaseFact)
    releases = {word: fact.name for fact in release_facts for word in fact.words}
    blanks = file.rows("blank", BlankFact)
    roles: dict[str, tuple[str, ...]] = {}
    for fact in file.rows("column", ColumnFact):
        roles[fact.role] = tuple(dict.fromkeys(column_key(name) for name in fact.names))
    return _Tables(
        os=tuple((fact, _Words(fact.words, fact.anywhere)) for fact in os_facts),
        denial=_Words(
            [word for denial in denials for word in denial.words],
            [part for denial in denials for part in denial.anywhere],
        ),
        hints=tuple((fact.family, _Words(fact.words)) for fact in file.rows("hint", HintFact)),
        versions=tuple((fact.family, fact.pattern) for fact in file.rows("version", VersionFact)),
        releases=releases,
        release=_Words(sorted(releases, key=len, reverse=True)),
        blank=frozenset(_folded(text) for blank in blanks for text in blank.texts),
        integration=file.rows("integration", IntegrationFact),
        columns=roles,
        remedies=file.rows("remedy", RemedyFact),
    )


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", _MARKS.sub("", text).casefold())
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return re.sub(r"\s+", " ", plain)
