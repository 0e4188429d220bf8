"""All facts, looked up by provider and event id; tables of events are read when their provider first comes.

`load_knowledge()` gives the package's; `Knowledge.extended` lays rows of a user's own file over them, which
can make nothing ignorable without `force = true`.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping

from hvdegraded.knowledge.facts import (
    CodeFact,
    DeviceFact,
    EventFact,
    GuestFingerprint,
    HostVersion,
    Implementation,
    MessagePattern,
    ProviderFact,
)
from hvdegraded.knowledge.loader import (
    EventKey,
    load_codes,
    load_events,
    open_table,
    provider_keys,
)
from hvdegraded.knowledge.protocols import ProtocolTable
from hvdegraded.knowledge.vocabulary import Component
from hvdegraded.records.record import ProviderFilter

__all__ = [
    "HYPER_V_PREFIX",
    "Knowledge",
    "load_knowledge",
]

_WINDOWS_PREFIX = "microsoft-windows-"
_SHORT_PREFIX = "hyper-v-"
HYPER_V_PREFIX = _WINDOWS_PREFIX + _SHORT_PREFIX
"""How names of Hyper-V's own providers begin, in lower case."""
_HYPER_V_MARK = "Hyper-V"


class Knowledge:
    """All facts, with a user's rows over those of the package. Immutable."""

    def __init__(
        self,
        providers: tuple[ProviderFact, ...],
        events: Mapping[EventKey, EventFact] | None = None,
        codes: Mapping[int, CodeFact] | None = None,
    ) -> None:
        self.providers = providers
        self._own_events = dict(events or {})
        self._own_codes = dict(codes or {})
        self._providers = {key: row for row in providers for key in provider_keys(row)}

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.providers, self._own_events, self._own_codes)

    @functools.cached_property
    def events(self) -> tuple[EventFact, ...]:
        """Every row, those of the user in place of those that they change; reads all tables."""
        rows = {key: row for known in self.providers for key, row in load_events(known.name).items()}
        return tuple(dict.fromkeys((rows | self._own_events).values()))

    @property
    def protocols(self) -> ProtocolTable:
        """Protocol versions of hosts and guests."""
        return _protocols()

    @property
    def messages(self) -> tuple[MessagePattern, ...]:
        """What rendered messages contain, by language."""
        return _messages()

    @property
    def codes(self) -> Mapping[int, CodeFact]:
        """Error codes by number."""
        return {**load_codes(), **self._own_codes}

    @property
    def devices(self) -> tuple[DeviceFact, ...]:
        """Devices by whose name their component is known."""
        return _devices()

    def provider(self, name_or_guid: str) -> ProviderFact | None:
        """The provider of that name, alias or GUID (any letter case, braces or not).

        Exports of the Event Viewer write `Hyper-V-VMMS` for `Microsoft-Windows-Hyper-V-VMMS`.
        """
        key = name_or_guid.strip("{}").lower()
        found = self._providers.get(key)
        if found is None and key.startswith(_SHORT_PREFIX):
            found = self._providers.get(_WINDOWS_PREFIX + key)
        return found

    @property
    def providers_by_key(self) -> Mapping[str, ProviderFact]:
        """Providers by name, alias and GUID in lower case."""
        return self._providers

    def provider_of(self, name: str, guid: str | None, source: str | None) -> ProviderFact | None:
        """The provider of an event, by its name, else its EventSourceName, else its GUID."""
        found = self.provider(name) if name else None
        if found is None and source:
            found = self.provider(source)
        if found is None and guid:
            found = self.provider(guid)
        return found

    def event(self, provider: str, event_id: int) -> EventFact | None:
        """The row for an event of a provider (name, alias or GUID); None where the event is unknown."""
        known = self.provider(provider)
        if known is None:
            return None
        key = (known.name.lower(), event_id)
        if key in self._own_events:
            return self._own_events[key]
        for name in (known.name, *known.shares):
            row = load_events(name).get(key)
            if row is not None:
                return row
        return None

    def code(self, code: int) -> CodeFact | None:
        """What an error code means; takes signed and unsigned 32-bit numbers."""
        if not -(1 << 31) <= code < 1 << 32:
            return None
        for same in _same_codes(code & 0xFFFFFFFF):
            found = self._own_codes.get(same) or load_codes().get(same)
            if found is not None:
                return found
        return None

    def device(self, name: str) -> Component | None:
        """The component that a device's name as logged (any letter case) stands for; None if unknown."""
        return next((row.component for row in _devices() if row.name.lower() == name.strip().lower()), None)

    def provider_filter(self) -> ProviderFilter:
        """What a reading of Hyper-V events wants."""
        names = {name.lower() for row in self.providers for name in (row.name, *row.aliases)}
        others = sorted(name for name in names if not name.startswith(HYPER_V_PREFIX))
        manifest = tuple(name for name in others if name.startswith(_WINDOWS_PREFIX))
        return ProviderFilter(
            names=frozenset(others) - set(manifest),
            prefixes=(HYPER_V_PREFIX, *manifest),
            short_prefixes=(_SHORT_PREFIX,),
            marks=(_HYPER_V_MARK, *(name.removeprefix(_WINDOWS_PREFIX) for name in manifest)),
            guids=frozenset(row.guid for row in self.providers if row.guid),
        )

    def extended(self, source: str | os.PathLike[str]) -> Knowledge:
        """Lay a user's TOML over this knowledge: a path, or the text itself (anything with a newline).

        Events stand under `[Provider-Name.id]` as in the package's tables, codes under `[codes.0x80070005]`,
        new providers under `[[provider]]`. Of a known event only the given values change. Whatever makes or
        changes a version event needs `force = true`. Raises KnowledgeError with line and column.
        """
        from hvdegraded.knowledge.user_rows import read_user_rows  # which few readings need

        user = read_user_rows(source, self._providers, self.event)
        changed = {row.name.lower() for row in user.providers}
        kept = tuple(row for row in self.providers if row.name.lower() not in changed)
        return Knowledge(
            (*kept, *user.providers),
            {**self._own_events, **user.events},
            {**self._own_codes, **user.codes},
        )


def _same_codes(code: int) -> tuple[int, ...]:
    """The numbers under which one error is known: Win32 as HRESULT, NTSTATUS inside of an HRESULT."""
    if code <= 0xFFFF:
        return code, _WIN32_AS_HRESULT | code
    if code & 0xFFFF0000 == _WIN32_AS_HRESULT:
        return code, code & 0xFFFF
    if code >> 28 == 0xD:  # HRESULT_FROM_NT sets a bit
        return code, code & ~(1 << 28)
    return (code,)


_WIN32_AS_HRESULT = 0x80070000


@functools.cache
def load_knowledge() -> Knowledge:
    """The facts of this library.

    >>> import hvdegraded as hv
    >>> hv.load_knowledge().event("Microsoft-Windows-Hyper-V-VMMS", 19100).meaning
    'A disk merge in the background failed.'
    """
    return Knowledge(open_table("providers.toml").rows("provider", ProviderFact))


@functools.cache
def _protocols() -> ProtocolTable:
    file = open_table("protocols.toml")
    return ProtocolTable(
        file.rows("version", HostVersion),
        file.rows("implementation", Implementation),
        file.rows("fingerprint", GuestFingerprint),
    )


@functools.cache
def _messages() -> tuple[MessagePattern, ...]:
    return open_table("messages.toml").rows("message", MessagePattern)


@functools.cache
def _devices() -> tuple[DeviceFact, ...]:
    return open_table("messages.toml").rows("device", DeviceFact)
