"""What VMs spoke, apart from when: looked up once for all VMs that spoke the same."""

from __future__ import annotations

from collections.abc import Sequence

from hvdegraded.bounded import BoundedCache
from hvdegraded.knowledge.protocols import Inference, ProtocolTable
from hvdegraded.knowledge.vocabulary import Component, Outcome, ProtocolVersion
from hvdegraded.verdicts.vm_history import Spoken, VmHistory

__all__ = ["AGREED", "Speech", "Speeches", "speaks_only_windows", "words_of"]

AGREED = (Outcome.LOADED, Outcome.NEGOTIATED)
"""Outcomes of versions on which host and guest agreed."""

_MOST_SPEECHES = 8192
_MOST_INFERRED = 1024
_OFTEN, _FEW = 16, 6  # questions from which on it pays to try all sets of so few versions


class Speech:
    """What VMs spoke; a set of it is an integer with a bit for each, in this order.

    `of_windows` is the set of what only Windows speaks, `windows` the first of it in words.
    """

    __slots__ = ("_asked", "_inferred", "_shows_nothing", "_tables", "of_windows", "spoken", "windows")

    def __init__(self, spoken: Sequence[Spoken], tables: ProtocolTable) -> None:
        self.spoken = tuple(spoken)
        self._tables = tables
        self._inferred: BoundedCache[int, Inference | None] = BoundedCache(_MOST_INFERRED)
        self._asked = 0
        self._shows_nothing = False
        places = [at for at, what in enumerate(spoken) if speaks_only_windows(what, tables)]
        self.of_windows = sum(1 << at for at in places)
        self.windows = min((words_of(spoken[at]) for at in places), default=None)

    def may_show(self) -> bool:
        """Return whether any set of it may show something; of few that are often asked for, all are tried."""
        if self._asked < _OFTEN:
            self._asked += 1
            if self._asked == _OFTEN and len(self.spoken) <= _FEW:
                sets = range(1 << len(self.spoken))
                self._shows_nothing = all(self.infer(those) is None for those in sets)
        return not self._shows_nothing

    def infer(self, those: int) -> Inference | None:
        """Return what a set of it shows of the guest; None where it shows nothing."""
        try:
            return self._inferred[those]
        except KeyError:
            found = _infer_from(
                [what for at, what in enumerate(self.spoken) if those >> at & 1], self._tables
            )
            return self._inferred.remember(those, found)


class Speeches:
    """The speech of each VM; those of VMs that spoke the same are one object."""

    def __init__(self, tables: ProtocolTable) -> None:
        self._tables = tables
        self._known: BoundedCache[tuple[int, ...], Speech] = BoundedCache(_MOST_SPEECHES)

    def of(self, vm: VmHistory) -> Speech:
        """Return what a VM ever spoke."""
        spoken = [what for what, _ in vm.spoken()]
        key = tuple(map(id, spoken))  # to hash what it identifies takes longer; the speech keeps that alive
        return self._known.get(key) or self._known.remember(key, Speech(spoken, self._tables))


def speaks_only_windows(spoken: Spoken, tables: ProtocolTable) -> bool:
    """Return whether only Windows guests are known to speak this to such a host."""
    pair = spoken.pair
    return tables.is_of_windows_only(spoken.component) or (
        pair.guest is not None and tables.is_of_windows_only(pair.component, pair.guest, pair.host)
    )


def words_of(spoken: Spoken) -> str:
    """Return what was spoken in words: `storage 5.1`."""
    return f"{spoken.pair.component or spoken.component} {spoken.pair.guest or ''}".rstrip()


def _infer_from(spoken: list[Spoken], tables: ProtocolTable) -> Inference | None:
    seen: dict[Component, set[ProtocolVersion]] = {}
    expected: dict[Component, set[ProtocolVersion]] = {}
    agreed: dict[Component, set[ProtocolVersion]] = {}
    refused: set[Component] = set()
    for one in spoken:
        component, pair = one.pair.component, one.pair
        if component is None or pair.service is not None:
            continue
        if pair.guest is not None:
            seen.setdefault(component, set()).add(pair.guest)
            if one.outcome not in AGREED:
                refused.add(component)
            else:
                agreed.setdefault(component, set()).add(pair.guest)
        if pair.host is not None:
            expected.setdefault(component, set()).add(pair.host)
    if any(len(versions) > 1 or component in refused for component, versions in agreed.items()):
        return None  # one guest does not have these versions at once
    return tables.infer_guest_family(
        {component: frozenset(versions) for component, versions in seen.items()},
        expected={component: frozenset(versions) for component, versions in expected.items()},
    )
