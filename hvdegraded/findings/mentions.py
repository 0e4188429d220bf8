"""VMs that events mention without being theirs, in a field or a message.

Events that name no VM are grouped by their texts, so that each group is about the same VMs, disks and
files; numbers in these texts do not count.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from hashlib import blake2b

from hvdegraded.events import Event
from hvdegraded.events.folded import EventFolder
from hvdegraded.findings.event_groups import EventGroup
from hvdegraded.findings.folded_groups import Group, GroupKey
from hvdegraded.guests.guest import Guest
from hvdegraded.guids import normalise_guid

__all__ = ["MOST_TEXTS", "HostTexts", "Mentions", "VmSelection", "names_by_id", "text_of"]

MOST_TEXTS = 4096  # of a kind of events; of more, one group is kept
_NUMBER = re.compile(r"\b(?:0x[0-9a-f]+|\d[\d.,:/]*)\b", re.IGNORECASE)
_QUOTES = r"'\"\\/„“”‘’«»‹›"
_DIGEST = 12  # bytes, the same in every process
_LONGEST_TEXT = 4096  # characters of an event's texts in which names are looked for
_Says = tuple[object, ...]


def text_of(event: Event) -> bytes:
    """A digest of the texts of an event that can name a VM, without numbers; empty if it names its VM."""
    if event.vm_name or event.vm_id:
        return b""
    text = _NUMBER.sub("#", _texts(event))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()


def _texts(event: Event) -> str:
    return "\n".join([*(text for _, text in event.data), event.message or ""])[:_LONGEST_TEXT]


def names_by_id(vms: Iterable[tuple[str | None, str | None]], guests: Iterable[Guest]) -> dict[str, str]:
    """The names of VMs that some events name by id alone, from other events or an inventory; `vms`: id, name.

    An id of which two names are known has none.
    """
    known = list(vms)
    found: dict[str, set[str]] = {vm_id: set() for vm_id, name in known if vm_id and not name}
    if not found:
        return {}
    for vm_id, name in (*known, *((guest.vm_id, guest.name) for guest in guests)):
        if vm_id in found and name:
            found[vm_id].add(name)
    return {vm_id: names.pop() for vm_id, names in found.items() if len(names) == 1}


class VmSelection:
    """Which groups of events are a VM's, by its name or id in lower case, and which mention it.

    `groups` are all that were read, `vm_names` names of VMs that stand in none of them, `by_id` the names of
    VMs that events name by id alone.
    """

    def __init__(
        self,
        wanted: str,
        groups: Iterable[EventGroup],
        vm_names: Iterable[str],
        by_id: Mapping[str, str],
    ) -> None:
        self._wanted = wanted
        named = [_names(group) for group in groups]
        own = [names for names in named if wanted in names]
        self._ids = {name for names in own for name in names if normalise_guid(name)}
        self._ids |= {vm_id.lower() for vm_id, name in by_id.items() if name.lower() == wanted}
        self._mentions = Mentions({wanted, *self._ids}.union(*own), {*vm_names}.union(*named))

    def is_own(self, group: EventGroup) -> bool:
        """Whether the events are of the VM; an id of a VM of that name is enough."""
        names = _names(group)
        return self._wanted in names or not self._ids.isdisjoint(names)

    def is_mention(self, group: EventGroup) -> bool:
        """Whether the events are not of the VM, but mention it."""
        return not self.is_own(group) and self._mentions.are_in(group.example)


def _names(group: EventGroup) -> frozenset[str]:
    return frozenset(name.lower() for name in group.vm if name)


class Mentions:
    """Whether events mention a VM, by one of its names; `others` are names of VMs, which may contain its own.

    A name that is a mere word, as `backup`, counts where it is a whole value, or stands in quotes or a path.

    >>> import hvdegraded as hv
    >>> event = hv.normalise(hv.EventRecord("x", 1, data=((None, r"C:\\VMs\\web01-old\\disk.vhdx"),)))
    >>> Mentions({"web01"}, ()).are_in(event), Mentions({"web01"}, {"web01-old"}).are_in(event)
    (True, False)
    """

    def __init__(self, names: Iterable[str], others: Iterable[str]) -> None:
        self._names = {name.lower() for name in names if name}
        self._words = [re.compile(_pattern(name), re.MULTILINE) for name in self._names]
        self._longer: dict[tuple[int, int], set[str]] = {}
        for other in {other.lower() for other in others} - self._names:
            for name in self._names:
                for found in re.finditer(re.escape(name), other):
                    self._longer.setdefault((found.start(), len(other)), set()).add(other)

    def are_in(self, event: Event) -> bool:
        """Whether a field or the message of the event contains one of the names as a word."""
        text = _texts(event).lower()
        return any(
            not self._is_longer(text, found.start())
            for words in self._words
            for found in words.finditer(text)
        )

    def _is_longer(self, text: str, at: int) -> bool:
        """Whether a longer name covers what was found there."""
        places = ((at - before, length) for before, length in self._longer if before <= at)
        return any(
            text[start : start + length] in self._longer[at - start, length] for start, length in places
        )


def _pattern(name: str) -> str:
    word = re.escape(name)
    if name.isalpha():
        return rf"^{word}$|(?<=[{_QUOTES}]){word}(?![^\W_])|(?<![^\W_]){word}(?=[{_QUOTES}])"
    return rf"(?<![^\W_]){word}(?![^\W_])"


class HostTexts:
    """The texts of events that name no VM, as part of what a group shares; too many of one kind are one.

    `says` is all else that the events of a group share.
    """

    def __init__(self) -> None:
        self._counts: Counter[_Says] = Counter()
        self._joined: set[_Says] = set()

    def key(self, says: _Says, event: Event, groups: Container[GroupKey]) -> GroupKey:
        """The key of an event's group."""
        key = (*says, text_of(event)), event.vm_name, event.vm_id
        if not _is_of_host(key) or key in groups:
            return key
        full = says in self._joined or self._counts[says] >= MOST_TEXTS
        return ((*says, None), None, None) if full else key

    def count(self, key: GroupKey) -> None:
        """Take note of a group that is new."""
        if _is_of_host(key):
            self._counts[key[0][:-1]] += 1

    def join(self, groups: dict[GroupKey, Group], folder: EventFolder) -> None:
        """Make one group of those that have too many different texts, whichever were taken first."""
        of_one: dict[_Says, list[GroupKey]] = {}
        for key in filter(_is_of_host, groups):
            of_one.setdefault(key[0][:-1], []).append(key)
        joined = {says: keys for says, keys in of_one.items() if len(keys) >= MOST_TEXTS}
        for says, keys in joined.items():
            whole, *parts = map(groups.pop, keys)
            for part in parts:
                whole.extend(*part.columns)
                whole.show(part.example, folder)
            ticks, record_ids = zip(*sorted(zip(*whole.columns, strict=True)), strict=True)
            groups[(*says, None), None, None] = Group(whole.folded, array("q", ticks), array("q", record_ids))
        self._joined = set(joined)


def _is_of_host(key: GroupKey) -> bool:
    return not (key[1] or key[2])
