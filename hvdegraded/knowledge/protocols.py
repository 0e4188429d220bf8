"""Protocol versions: how they are written, which host release has them, which client offers them.

A guest offers its newest version first. A host that does not have it refuses and logs; the guest then
offers an older one. So a refusal is harmless where the guest has something older that the host has.
Which guest offers what is not in the event, but in tables (`knowledge/protocols.toml`), and they decide:

1. A host whose version is S has S and every older version of the component (KB 2956569).
2. A refused offer C > S is harmless where at least one known implementation offers C, and every known
   implementation that offers C also offers something that the host has.
3. What an implementation only may offer counts as offered where that hurts, and as missing where it
   would help. So does every offer of a row that is not verified: it was read in no source.
4. Of a guest that may be any, nothing is proven where the tables do not know the Windows side.
5. A row can name the `systems` that it was read for; of such a guest no other row counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hvdegraded.bounded import BoundedCache
from hvdegraded.knowledge.facts import Fact, GuestFingerprint, HostVersion, Implementation, range_label
from hvdegraded.knowledge.vocabulary import (
    Certainty,
    Component,
    GuestFamily,
    Kernel,
    ProtocolVersion,
    VersionPair,
)

__all__ = [
    "FallbackProof",
    "Inference",
    "ProtocolTable",
]

_BETWEEN_SOURCES = re.compile(r"; (?![^(]*\))")  # not within the brackets of a part

_MAX_REMEMBERED = 4096
_Question = tuple[object, ...]


class FallbackProof(NamedTuple):
    """Why a refused offer is harmless, or why that is not proven.

    `lines` contain it step by step. `exceptions` are the known implementations that offer the client's
    version and have no proven fallback; `fallback_inferred` is whether each of them has at least an inferred
    one. `stranded` are the rows of senders for which not even one is inferred.
    """

    proven: bool
    lines: tuple[str, ...]
    exceptions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    fallback_inferred: bool = False
    stranded: tuple[Implementation, ...] = ()

    def kernels_that_fall_back(self, kernel: Kernel) -> bool:
        """Whether a Linux kernel of this number is not among those left without a version."""
        return bool(self.exceptions) and not any(row.includes(kernel) for row in self.stranded)


class Inference(NamedTuple):
    """What versions seen on one VM say of its guest: its possible families, none of them Windows."""

    families: tuple[GuestFamily, ...]
    lines: tuple[str, ...]
    certainty: Certainty
    source: str


class ProtocolTable:
    """The protocol rows, and what follows from them. Immutable; a component or version may be unknown."""

    def __init__(
        self,
        versions: Iterable[HostVersion],
        implementations: Iterable[Implementation],
        fingerprints: Iterable[GuestFingerprint] = (),
    ) -> None:
        self.versions = tuple(versions)
        self.implementations = tuple(implementations)
        self.fingerprints = tuple(fingerprints)
        self._speakers: BoundedCache[_Question, tuple[Implementation, ...]] = BoundedCache(_MAX_REMEMBERED)
        self._windows_only: BoundedCache[_Question, bool] = BoundedCache(_MAX_REMEMBERED)

    def host_versions(self, component: Component) -> tuple[HostVersion, ...]:
        """The versions that hosts have of this component, oldest first."""
        return tuple(sorted((r for r in self.versions if r.component is component), key=lambda r: r.version))

    def offers(
        self, component: Component, guest_family: GuestFamily | None = None
    ) -> tuple[Implementation, ...]:
        """Return the known implementations of this component, of one family or of all."""
        return tuple(
            row
            for row in self.implementations
            if row.component is component and guest_family in (None, row.family)
        )

    def host_releases(self, component: Component, version: ProtocolVersion) -> tuple[str, ...]:
        """The Windows releases whose newest version this is; empty where the tables do not say."""
        return tuple(
            host
            for row in self.versions
            if row.component is component and row.version == version
            for host in row.hosts
        )

    def speakers(
        self,
        component: Component | None,
        version: ProtocolVersion | None,
        host: ProtocolVersion | None = None,
        *,
        agreed: bool = False,
    ) -> tuple[Implementation, ...]:
        """Return the known implementations that may speak this version to a host of version `host`.

        With `agreed` the host has taken the version: then a guest whose offers depend on VMBus makes no newer
        offer that the host has.
        """
        key = (component, version, host, agreed)
        found = self._speakers.get(key)
        if found is None and version is not None:
            found = tuple(
                row
                for row in self.implementations
                if row.component is component
                and row.may_have_sent(version)
                and self._meets(row, host)
                and not (agreed and _prefers_another(row, version, host))
            )
            self._speakers[key] = found
        return found or ()

    def cannot_speak(
        self,
        guest_family: GuestFamily,
        component: Component | None,
        version: ProtocolVersion | None,
        service: Component | None = None,
        *,
        host: ProtocolVersion | None = None,
        agreed: bool = False,
    ) -> bool:
        """Whether the tables know this family's side of a component, and this version is not in it.

        `service` is the integration service whose framework is meant; `host` and `agreed` are as in
        `speakers`. Of an unknown component nothing is known.
        """
        if component is None or version is None:
            return False
        rows = self.offers(component, guest_family)
        rows = tuple(row for row in rows if service in row.services) or tuple(
            row for row in rows if not row.services
        )
        speakers = self.speakers(component, version, host, agreed=agreed)
        return bool(rows) and not any(row in speakers for row in rows)

    def lacks(self, guest_family: GuestFamily, component: Component) -> bool:
        """Whether the tables know that guests of this family do not have a component."""
        rows = self.offers(component, guest_family)
        return bool(rows) and not any(row.newest for row in rows)

    def is_of_windows_only(
        self,
        component: Component | None,
        version: ProtocolVersion | None = None,
        host: ProtocolVersion | None = None,
    ) -> bool:
        """Whether only Windows guests are known to speak this version to such a host, or any version."""
        key = (component, version, host)
        known = self._windows_only.get(key)
        if known is None:
            rows = self.speakers(component, version, host)
            if version is None:
                rows = tuple(row for row in self.implementations if row.component is component and row.newest)
            known = self._windows_only[key] = {row.family for row in rows} == {GuestFamily.WINDOWS}
        return known

    def spoken_only_by_others(
        self, guest_family: GuestFamily, component: Component, pairs: Iterable[VersionPair], *, agreed: bool
    ) -> str | None:
        """Return what a guest of this family spoke although no known one of it does, or None.

        With `agreed` the host took the versions, else it refused them.
        """
        if self.lacks(guest_family, component) or self.is_of_windows_only(component):
            return str(component)
        for pair in pairs:
            if not agreed and not self.speakers(pair.component, pair.guest):
                continue  # an offer that is newer than all that is known
            if pair.guest is not None and (
                self.is_of_windows_only(pair.component, pair.guest, pair.host)
                or self.cannot_speak(
                    guest_family, pair.component, pair.guest, pair.service, host=pair.host, agreed=agreed
                )
            ):
                return f"{pair.component} {pair.guest}" + (f" of {pair.service}" if pair.service else "")
        return None

    def kernel_cannot_speak(self, kernel: Kernel, pair: VersionPair, *, agreed: bool) -> bool:
        """Whether an unpatched Linux kernel of this number cannot have spoken the guest's version."""
        rows = (
            [
                row
                for row in self.offers(pair.component, GuestFamily.LINUX)
                if row.includes(kernel) and not row.services and pair.service is None
            ]
            if pair.component is not None
            else []
        )
        speakers = self.speakers(pair.component, pair.guest, pair.host, agreed=agreed)
        return bool(rows) and not any(row in speakers for row in rows)

    def _meets(self, row: Implementation, host: ProtocolVersion | None) -> bool:
        """Whether such a guest and a host of this version agree on a VMBus version of the row."""
        if not row.vmbus or host is None:
            return True
        for known in self.versions:
            if known.component is row.component and known.version == host and known.vmbus:
                return not set(known.vmbus).isdisjoint(row.vmbus)
        return True

    def describe_host(self, component: Component, version: ProtocolVersion) -> str:
        """`this host speaks storage 6.0: Windows Server 2012 R2 or Windows 8.1`, of what is known."""
        return _described(f"this host speaks {component} {version}", self.host_releases(component, version))

    def describe_client(
        self, component: Component, version: ProtocolVersion, guest_family: GuestFamily = GuestFamily.UNKNOWN
    ) -> str:
        """`this guest speaks storage 5.1: Linux up to 3.13, or Windows …`, as far as known.

        Names the implementations whose newest version this is, known or possible; else those that offer it;
        only those of the guest's family, where that is known and has any.
        """
        rows = self.offers(component)
        rows = tuple(row for row in rows if row.family is guest_family and row.may_have_sent(version)) or rows
        speakers = [row for row in rows if version in (row.newest, *row.offers[:1])]
        speakers = speakers or [row for row in rows if row.may_have_sent(version)]
        speakers.sort(key=lambda row: row.family is GuestFamily.WINDOWS)
        return _described(f"this guest speaks {component} {version}", _merged_labels(speakers))

    def refusal_is_harmless(
        self,
        component: Component,
        server: ProtocolVersion | None,
        client: ProtocolVersion | None,
        *,
        guest_family: GuestFamily | None = None,
        guest_system: str | None = None,
    ) -> FallbackProof:
        """Whether a guest whose offer of `client` was refused by a host of `server` connects all the same.

        `guest_family`, where known, leaves only its implementations, and
        `guest_system` (`Windows Server 2008 R2`) only those that were read for it, if there are any.
        """
        if server is None or client is None:
            return FallbackProof(
                False, ("The event does not name both versions, so nothing can be derived.",)
            )
        if client <= server:
            return FallbackProof(
                False, (f"The offer {client} is not newer than the host's {server}: no case for a fallback.",)
            )
        known = [r for r in self.host_versions(component) if r.certainty is not Certainty.UNVERIFIED]
        if server not in {row.version for row in known}:
            return FallbackProof(False, (f"No table knows a host with {component} {server}.",))
        host_rows = [row for row in known if row.version <= server]
        host_has = {row.version for row in host_rows}
        rows = self.offers(component, guest_family)
        rows = tuple(row for row in rows if guest_system in row.systems) or rows
        senders = [row for row in rows if row.may_have_sent(client) and self._meets(row, server)]
        who = f"{guest_family} guest" if guest_family else "guest"
        if guest_family is None and not self.offers(component, GuestFamily.WINDOWS):
            return FallbackProof(False, (f"No table contains what Windows guests offer of {component}.",))
        if not senders:
            return FallbackProof(False, (f"No known {who} offers {component} {client}.",))

        lines = [f"A host with {component} {server} has {_listed(sorted(host_has))}."]
        by_fallback: dict[ProtocolVersion | None, list[Implementation]] = {}
        for row in senders:
            usable = host_has.intersection(row.offers) if row.certainty is Certainty.VERIFIED else None
            by_fallback.setdefault(max(usable) if usable else None, []).append(row)
        for fallback, same in by_fallback.items():
            then = f"{fallback}, which this host has" if fallback else "nothing sure that this host has"
            lines.append(f"Offers {client}, then {then}: {', '.join(_merged_labels(same))}.")
        without = by_fallback.get(None, [])
        if without:
            lines.append("So a guest may be left without this device: not proven harmless.")
            exceptions = tuple(row.label for row in without)
            stranded = tuple(row for row in without if not host_has.intersection(row.offers))
            sources = _sources([*without, *host_rows])
            return FallbackProof(False, tuple(lines), exceptions, sources, not stranded, stranded)
        lines.append(f"So every known {who} that offers {client} connects with an older version.")
        return FallbackProof(True, tuple(lines), (), _sources([*senders, *host_rows]))

    def infer_guest_family(
        self,
        observations: Mapping[Component, frozenset[ProtocolVersion]],
        *,
        expected: Mapping[Component, frozenset[ProtocolVersion]] | None = None,
    ) -> Inference | None:
        """What the guest must be, where what was seen of one VM can come from no Windows guest.

        `observations` holds the guest's versions by component (client versions of devices, negotiated
        message versions of integration services), `expected` what the host expected of the integration
        services in the same events. Without the latter nothing is inferred: a guest that speaks data
        exchange 4.0 is telling only where the host asked for 5.0.
        """
        for row in self.fingerprints:
            if not all(version in observations.get(c, ()) for c, version in row.seen.items()):
                continue
            # A second negotiated version means a changed guest, and then versions no longer belong together.
            if any(len(observations[c]) > 1 for c in row.expected if c in observations):
                continue
            if any((expected or {}).get(c) != frozenset({version}) for c, version in row.expected.items()):
                continue
            asked = " and ".join(f"{c} {version}" for c, version in row.expected.items())
            seen = " and ".join(f"{c} {version}" for c, version in row.seen.items())
            lines = (f"The guest spoke {seen}, where the host expected {asked}.", row.meaning)
            return Inference(row.families, lines, row.certainty, row.source)
        return None


def _prefers_another(row: Implementation, version: ProtocolVersion, host: ProtocolVersion | None) -> bool:
    """Whether the guest offers a newer version first that the host has."""
    return bool(row.vmbus) and host is not None and any(version < offer <= host for offer in row.offers)


def _merged_labels(rows: Iterable[Implementation]) -> tuple[str, ...]:
    """Labels of rows, oldest first, with ranges of one name joined where the next follows directly."""
    ranges: list[tuple[str, str | None, str | None]] = []
    for row in rows:
        if ranges and ranges[-1][0] == row.name and _follows(ranges[-1][2], row.since):
            ranges[-1] = (row.name, ranges[-1][1], row.until)
        else:
            ranges.append((row.name, row.since, row.until))
    return tuple(dict.fromkeys(range_label(*item) for item in ranges))


def _follows(until: str | None, since: str | None) -> bool:
    """Whether a range from kernel `since` starts where one until `until` ends: 4.3 and 4.4."""
    if until is None or since is None:
        return False
    major, minor = until.split(".")
    return since == f"{major}.{int(minor) + 1}"


def _described(statement: str, who: tuple[str, ...]) -> str:
    if not who:
        return f"{statement}, which the tables do not place"
    return f"{statement}: {who[0] if len(who) == 1 else ', '.join(who[:-1]) + ' or ' + who[-1]}"


def _listed(versions: Iterable[ProtocolVersion]) -> str:
    return ", ".join(map(str, versions))


def _sources(facts: Iterable[Fact]) -> tuple[str, ...]:
    """The titles of the sources, each once; a row joins several."""
    titles = (title for fact in facts for title in _BETWEEN_SOURCES.split(fact.source))
    return tuple(dict.fromkeys(titles))
