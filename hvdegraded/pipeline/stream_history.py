"""The history of the VMs of a stream: earlier lines count for a verdict, later ones cannot."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable

from hvdegraded.bounded import BoundedCache
from hvdegraded.events import Event, VersionEvent
from hvdegraded.verdicts.classifier import Classifier
from hvdegraded.verdicts.history import History
from hvdegraded.verdicts.timeline import Timeline
from hvdegraded.verdicts.verdict import Assumption, Basis, Reason, Severity, Verdict

__all__ = ["StreamHistory", "seen_alone"]

_MOST_VMS = 20_000
_MOST_VERDICTS = 8192
_MOST_SEEN = 8192
_MOST_REPEATING = 8192
_DAY = 24 * 36_000_000_000  # ticks
_REPEATS = 3  # events of a kind within a day that are worth a look, if the row does not say


class _Seen:
    """An event that came before: where its times go, and what gives the verdict on it in some revision."""

    __slots__ = ("classifier", "event", "judge", "revision", "timelines")

    def __init__(self, event: Event, classifier: Classifier, timelines: list[Timeline]) -> None:
        self.event = event  # lives as long as its id is remembered
        self.classifier = classifier
        self.timelines = timelines
        self.judge: Callable[[int | None], Verdict] | None = None
        self.revision = -1


class StreamHistory:
    """What a stream has shown of its VMs so far.

    It is bounded: beyond `most_vms` all is forgotten, and from then on no verdict is more than assumed, since
    a VM may be one of those that were forgotten. `warn` receives a message for each VM of which a later event
    contradicts that an earlier one was called ignorable and not assumed.
    """

    def __init__(self, warn: Callable[[str], None] = lambda _: None, most_vms: int = _MOST_VMS) -> None:
        self._warn = warn
        self._most_vms = most_vms
        self._forgotten = False
        self._history = History()
        self._vms: set[Hashable] = set()
        self._proven: dict[str, tuple[VersionEvent, int | None, Classifier]] = {}
        self._seen: BoundedCache[int, _Seen] = BoundedCache(_MOST_SEEN)
        self._contradicted: set[str | None] = set()
        self._variants: BoundedCache[tuple[int, Hashable], tuple[Verdict, Verdict]] = BoundedCache(
            _MOST_VERDICTS
        )
        self._times: BoundedCache[tuple[Hashable, ...], deque[int]] = BoundedCache(_MOST_REPEATING)
        self._times_forgotten = False

    def observe(self, event: Event, classifier: Classifier, ticks: int | None) -> None:
        """Take an event that happened at this time into the history; the same event can come many times."""
        ticks = -1 if ticks is None else ticks
        seen = self._seen.get(id(event))
        if seen is not None and seen.classifier is classifier:
            for timeline in seen.timelines:
                timeline.add(ticks)
            return
        self._vms.add((event.vm_id, event.host, event.vm_name))
        if len(self._vms) > self._most_vms:
            self._forget()
        self._seen[id(event)] = _Seen(
            event, classifier, classifier.observe(event, self._history, ticks=ticks)
        )

    def verdict(self, event: Event, classifier: Classifier, ticks: int | None) -> Verdict:
        """Return the verdict on an event that was observed at this time, by what a stream can know."""
        verdict = self._verdict_at(event, classifier, ticks)
        if verdict.proven:
            unsure = self._forgotten or event.vm_id in self._contradicted
            streamed = self._variant(
                verdict, unsure, lambda: _as_streamed(verdict, event, classifier, unsure=unsure)
            )
            if streamed.proven and event.vm_id and isinstance(event, VersionEvent):
                self._proven[event.vm_id] = event, ticks, classifier
            return streamed
        if verdict.reason is Reason.INVENTORY_CONTRADICTED and event.vm_id:
            self._contradicted.add(event.vm_id)
        if event.vm_id in self._proven and verdict.actionable and isinstance(event, VersionEvent):
            self._look_again(event.vm_id, verdict, classifier)
        if verdict.reason is Reason.WATCH:
            severity = self._severity_of_repeated(event, classifier, ticks)
            return self._variant(verdict, severity, lambda: _with_severity(verdict, severity))
        return verdict

    def _verdict_at(self, event: Event, classifier: Classifier, ticks: int | None) -> Verdict:
        """The verdict in the history so far; what does not depend on times is looked up once a revision."""
        seen = self._seen.get(id(event))
        if seen is None or seen.classifier is not classifier:
            return classifier.over_time(event, self._history)(ticks)
        if seen.judge is None or seen.revision != self._history.revision:
            seen.judge, seen.revision = classifier.over_time(event, self._history), self._history.revision
        return seen.judge(ticks)

    def _variant(self, verdict: Verdict, state: Hashable, make: Callable[[], Verdict]) -> Verdict:
        """The verdict as it is in a state of the stream; the same object for the same verdict and state."""
        key = id(verdict), state
        known = self._variants.get(key)
        if known is None or known[0] is not verdict:
            known = self._variants.remember(key, (verdict, make()))
        return known[1]

    def _forget(self) -> None:
        self._forgotten = True
        self._history = History()
        self._vms.clear()
        self._seen.clear()
        self._proven.clear()
        self._contradicted.clear()

    def _look_again(self, vm_id: str, verdict: Verdict, classifier: Classifier) -> None:
        """Warn if a later event contradicts, by the same inventory, what an earlier one was called."""
        earlier, ticks, judge = self._proven[vm_id]
        contradicted = verdict.reason is Reason.INVENTORY_CONTRADICTED
        if judge is classifier and not contradicted:
            contradicted = not classifier.over_time(earlier, self._history)(ticks).ignorable
        if judge is not classifier or contradicted:
            del self._proven[vm_id]
        if judge is classifier and contradicted:
            self._contradicted.add(vm_id)
            self._warn(
                f"VM {earlier.vm_name or vm_id}: a later event contradicts the inventory, by which earlier "
                "lines were called ignorable; find out what it runs, and correct the inventory"
            )

    def _severity_of_repeated(self, event: Event, classifier: Classifier, ticks: int | None) -> Severity:
        """Whether an event that is worth a look when it repeats did so within a day, or may have."""
        most = _repeats(event, classifier)
        kind = event.host, event.vm_id or event.vm_name, event.provider, event.event_id
        self._times_forgotten |= len(self._times) >= self._times.most and kind not in self._times
        times = self._times.setdefault(kind, deque(maxlen=most))
        if ticks is None:
            return Severity.CHECK
        times.append(ticks)
        if len(times) < most:
            return Severity.CHECK if self._times_forgotten else Severity.NONE
        return Severity.CHECK if max(times) - min(times) <= _DAY else Severity.NONE


def seen_alone(verdict: Verdict, event: Event, classifier: Classifier) -> Verdict:
    """The verdict on an event of which nothing else is known."""
    if verdict.reason is Reason.WATCH and _repeats(event, classifier) > 1:
        return _with_severity(verdict, Severity.NONE)
    if verdict.proven and verdict.reason is Reason.REFUSED_WITH_FALLBACK:
        return _assuming(verdict, Assumption.WHAT_FOLLOWS)
    return verdict


def _as_streamed(verdict: Verdict, event: Event, classifier: Classifier, *, unsure: bool) -> Verdict:
    """Only a working mismatch of a VM listed by its id stays proven: later lines may refute others."""
    if not unsure and verdict.basis is Basis.GUEST_INVENTORY and _is_listed_by_id(event, classifier):
        return verdict
    refused = verdict.reason is Reason.REFUSED_WITH_FALLBACK
    return _assuming(verdict, Assumption.WHAT_FOLLOWS if refused else Assumption.GUEST_SYSTEM)


def _repeats(event: Event, classifier: Classifier) -> int:
    """How many such events within a day are worth a look."""
    fact = classifier.fact(event)
    return (fact.repeats if fact is not None else None) or _REPEATS


def _assuming(verdict: Verdict, assumption: Assumption) -> Verdict:
    return verdict.model_copy(update={"assumptions": (*verdict.assumptions, assumption)})


def _with_severity(verdict: Verdict, severity: Severity) -> Verdict:
    return verdict if verdict.severity is severity else verdict.model_copy(update={"severity": severity})


def _is_listed_by_id(event: Event, classifier: Classifier) -> bool:
    guest = classifier.guests.find(vm_id=event.vm_id, vm_name=event.vm_name, host=event.host or None)
    return guest is not None and guest.vm_id is not None and guest.vm_id == event.vm_id
