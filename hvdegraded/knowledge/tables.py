"""Facts as data: providers, events and protocol versions, each row with its source.

The rows live in the TOML files of this folder. `load_knowledge()` reads them once; `Knowledge.extended`
adds rows of a user's own file, which can make nothing ignorable without saying `force = true`.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

from hvdegraded.knowledge.facts import EventFact, ProviderFact
from hvdegraded.knowledge.loader import Rows, extend, load
from hvdegraded.knowledge.vocabulary import Component
from hvdegraded.records.record import ProviderFilter

__all__ = [
    "HYPER_V_PREFIX",
    "Knowledge",
    "load_knowledge",
]

HYPER_V_PREFIX = "microsoft-windows-hyper-v-"
"""How names of Hyper-V's own providers begin, in lower case."""
_HYPER_V_MARK = "Hyper-V"


class Knowledge:
    """All facts, looked up by provider and event id. Immutable.

    The rows must not claim one name, GUID or event twice, and events must name known providers: the
    loader sees to that, where it can still tell the line.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.providers, self.events, self.protocols, self.messages, self.hresults, self.devices = rows
        self._providers = {
            key.lower(): row
            for row in self.providers
            for key in (row.name, *row.aliases, *((row.guid,) if row.guid else ()))
        }
        self._events = {
            (self._providers[name.lower()].name.lower(), number): row
            for row in self.events
            for name in row.providers
            for number in row.ids
        }
        self._hresults = {row.code: row.meaning for row in self.hresults}
        self._devices = {row.name.lower(): row.component for row in self.devices}

    def provider(self, name_or_guid: str) -> ProviderFact | None:
        """The provider of that name, alias or GUID (any letter case, braces or not)."""
        return self._providers.get(name_or_guid.strip("{}").lower())

    def provider_of(self, name: str, guid: str | None, source: str | None) -> ProviderFact | None:
        """The provider of an event, by its name, else its EventSourceName, and by GUID where it has neither.

        A name that is not known is not overruled by a GUID that is: one of the two is wrong then.
        """
        found = self.provider(name) if name else None
        if found is None and source:
            found = self.provider(source)
        if found is None and guid and not name and not source:
            found = self.provider(guid)
        return found

    def event(self, provider: str, event_id: int) -> EventFact | None:
        """The row for an event of a provider (name, alias or GUID); None where the event is unknown."""
        known = self.provider(provider)
        return self._events.get((known.name.lower(), event_id)) if known else None

    def hresult(self, code: int) -> str | None:
        """What an error code means, in our words; takes signed and unsigned 32-bit numbers."""
        return self._hresults.get(code & 0xFFFFFFFF) if -(1 << 31) <= code < 1 << 32 else None

    def device(self, name: str) -> Component | None:
        """The component that a device's name as logged (any letter case) stands for; None if unknown."""
        return self._devices.get(name.strip().lower())

    def message_fields(self, message: str) -> dict[str, str]:
        """Fields that an English rendered message names, by canonical name; the first pattern counts."""
        found: dict[str, str] = {}
        for pattern in self.messages:
            for name, text in pattern.find(message[:_LONGEST_MESSAGE]).items():
                found.setdefault(name, text)
        return found

    def provider_filter(self) -> ProviderFilter:
        """What a reading of Hyper-V events wants."""
        names = {name.lower() for row in self.providers for name in (row.name, *row.aliases)}
        plain = frozenset(name for name in names if not name.startswith(HYPER_V_PREFIX))
        return ProviderFilter(names=plain, prefixes=(HYPER_V_PREFIX,), marks=(_HYPER_V_MARK,))

    def extended(self, source: str | os.PathLike[str]) -> Knowledge:
        """This knowledge with a user's TOML added: a path, or the text itself (anything with a newline).

        Tables: `[[provider]]`, `[[event]]` and `[[hresult]]` as in our own files, and `[[override]]`,
        which names `providers` and `ids` of known events and the fields to change. Whatever makes or
        changes a version event needs `force = true`. Raises KnowledgeError with line and column.
        """
        return Knowledge(extend(self._rows, source))


_LONGEST_MESSAGE = 8192


@functools.cache
def load_knowledge() -> Knowledge:
    """The facts of this library, read once."""
    return Knowledge(load(Path(__file__).parent))
