"""Groups of events → the same with their rulings: version events that are alike by one look at their rules.

Of 100,000 VMs most report the same few events. What decides on a version event is equal for all of its
likeness, but for the VM and the time; so one of them is unfolded for all, and of the others the VM is read.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from hvdegraded.bounded import BoundedCache
from hvdegraded.events import VersionEvent
from hvdegraded.events.folded import FoldedEvent
from hvdegraded.findings.event_groups import EventGroup
from hvdegraded.findings.folded_groups import Group
from hvdegraded.findings.grouping import split_by_time
from hvdegraded.verdicts.classifier import Classifier, RulingAt, RulingOn
from hvdegraded.verdicts.history import History, Subject

__all__ = ["Judge"]

_MOST_ALIKE = 4096  # kinds of version events whose rules are remembered


class Judge:
    """Gives the rulings on groups, in the history of all that was read."""

    def __init__(self, classifier: Classifier, history: History) -> None:
        self._classifier = classifier
        self._history = history
        self._rules: BoundedCache[Hashable, RulingOn | None] = BoundedCache(_MOST_ALIKE)

    def judged(self, group: Group) -> Iterator[EventGroup]:
        """Yield a group with its ruling; version events are split by theirs, which depend on time."""
        rule = self._rule(group.folded)
        if group.count == 1 or not issubclass(group.folded.model, VersionEvent):
            yield EventGroup(rule(group.ticks[0]), group)
            return
        parts = split_by_time(group, rule)
        for ruling, columns in parts.items():
            yield EventGroup(ruling, group if len(parts) == 1 else Group(group.folded, *columns))

    def _rule(self, folded: FoldedEvent) -> RulingAt:
        """What gives the rulings on events like this one of its VM by their times."""
        if not issubclass(folded.model, VersionEvent):
            return self._classifier.rule_over_time(folded.unfold(), self._history)
        name, vm_id = folded.vm
        alike = folded.likeness, bool(name or vm_id)
        try:
            over_vms = self._rules[alike]
        except KeyError:
            over_vms = self._classifier.rule_over_vms(folded.unfold(), self._history)
            self._rules[alike] = over_vms
        if over_vms is None:
            return self._classifier.rule_over_time(folded.unfold(), self._history)
        return over_vms(Subject(name, vm_id, folded.like.computer))
