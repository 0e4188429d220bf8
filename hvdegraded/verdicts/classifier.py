"""The rules: which event is an ignorable protocol-version mismatch, and what every other one is.

Ignorable must be proven by a rule that names its source, or marked with what it assumes; everything else is
actionable. The rules, in the order in which they apply:

1. An event of no Hyper-V provider, or of an id that the tables do not know, is actionable.
2. An event that is not a version event is what its table row says: a problem, worth a look when it repeats,
   or no problem report. None of these is ignorable.
3. A version event that is damaged, contradicts itself or its row, or does not name its VM, proves nothing
   (`usable`).
4. *Loaded*: the device works with an older version. Everything depends on the guest (`mismatch`).
5. *Refused*: the host did not take the offered version. Everything depends on what else the guest offers, and
   on what followed (`refusal`, `aftermath`). A final refusal means that the device does not work.
6. What is known of the guest is what the inventory says, where neither this event nor the history of the
   VM contradicts it (`evidence`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any

from hvdegraded.bounded import BoundedCache
from hvdegraded.errors import InventoryError, WrongTypeError, check_type
from hvdegraded.events import Event, UnrelatedEvent, VersionEvent
from hvdegraded.events.normaliser import Normaliser
from hvdegraded.events.spool import IN_MEMORY, EventSpool
from hvdegraded.guests.guest import Guest, GuestMatch
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.guest_systems import read_os
from hvdegraded.knowledge.tables import Knowledge
from hvdegraded.knowledge.vocabulary import GuestFamily, Outcome
from hvdegraded.records.record import EventRecord, Level
from hvdegraded.verdicts.aftermath import Aftermath, failure_of, what_followed
from hvdegraded.verdicts.answer import answer_known, answer_unknown
from hvdegraded.verdicts.evidence import EvidenceOfGuest, GuestEvidence
from hvdegraded.verdicts.history import History, Subject
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.ruling import Ruling, rule_on_known, verdict_on_event
from hvdegraded.verdicts.speech import Speeches
from hvdegraded.verdicts.surroundings import Surroundings
from hvdegraded.verdicts.timeline import Timeline
from hvdegraded.verdicts.usable import unusable_because
from hvdegraded.verdicts.verdict import Basis, Reason, Severity, Verdict
from hvdegraded.verdicts.version_rules import rule_on_versions

__all__ = ["Classifier", "RulingAt", "RulingOn", "classify", "default_classifier"]

RulingAt = Callable[[int | None], Ruling]
"""Gives the ruling on an event by its time in ticks."""
RulingOn = Callable[[Event | Subject], RulingAt]
"""Gives the rulings on alike events by their VM."""

_MAX_REMEMBERED = 8192
_Seen = tuple[GuestEvidence, Aftermath]
_SYSTEMS = "for example linux, or Windows Server 2022"


class Classifier:
    """Gives verdicts by an inventory of guests and a policy; remembers verdicts that repeat.

    `guests` is an inventory, or what `GuestInventory.load` takes.

    >>> import hvdegraded as hv
    >>> classifier = hv.Classifier("sample_logs/guests.json")
    >>> pairs = classifier.classify_all(hv.read("sample_logs/hv2012r2"))
    >>> sum(verdict.actionable for _, verdict in pairs) > 0
    True
    """

    def __init__(self, guests: object = None, policy: Policy | None = None) -> None:
        check_type("policy", policy, Policy | None, "Policy.load makes one of a file")
        self.guests = GuestInventory() if guests is None else GuestInventory.load(guests)
        self.policy = policy or Policy()
        self.knowledge = self.policy.knowledge
        self.normalise = Normaliser(self.knowledge)
        self._rows_in_force: BoundedCache[int, EventFact] = BoundedCache(_MAX_REMEMBERED)
        self._guests_found: BoundedCache[tuple[Any, ...], Guest | None] = BoundedCache(_MAX_REMEMBERED)
        self._verdicts: BoundedCache[tuple[object, ...], Verdict] = BoundedCache(_MAX_REMEMBERED)
        self._rulings: BoundedCache[tuple[object, ...], Ruling] = BoundedCache(_MAX_REMEMBERED)
        self._speeches = Speeches(self.knowledge.protocols)

    def __repr__(self) -> str:
        return f"<Classifier by {self.guests!r}>"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.guests, self.policy)  # a copy starts with nothing remembered

    def classify(
        self,
        event: Event | EventRecord,
        history: History | None = None,
        *,
        ticks: int | None = None,
    ) -> Verdict:
        """Return the verdict on an event or a record.

        `history` contains what else happened, where that is known; `ticks` is the time to look at there, if
        it is not the event's own (negative: not known).
        """
        event = self.event_of(event)
        return self.over_time(event, history)(event.time_ticks if ticks is None else ticks)

    def over_time(self, event: Event, history: History | None = None) -> Callable[[int | None], Verdict]:
        """Return what gives the verdict on events like this one by their times (ticks).

        For many events that differ in their times alone, this takes much less time than `classify` for each.
        In between, the history may grow by further times of what it contains: its `revision` is the same.
        """
        fact = self.fact(event)
        if fact is None or fact.outcome is None or not isinstance(event, VersionEvent):
            ruling = self._on_other(event, fact)
            key = (*event.verdict_key, ruling)
            verdict = self._verdicts.get(key) or self._verdicts.remember(key, verdict_on_event(event, ruling))
            return lambda _: verdict
        seen = self._seen_of(event, event, history)
        return partial(self._on_version_event, event, fact, event.verdict_key, seen)

    def rule_over_time(self, event: Event, history: History | None = None) -> RulingAt:
        """Return what `over_time` does, without making verdicts: the rulings on which they rest.

        The rulings on alike events of many VMs are one object.
        """
        over_vms = self.rule_over_vms(event, history)
        if over_vms is not None:
            return over_vms(event)
        ruling = self._on_other(event, self.fact(event))
        return lambda _: ruling

    def rule_over_vms(self, event: Event, history: History | None = None) -> RulingOn | None:
        """Return what gives the rulings on version events like this one by their VMs and times.

        These events are equal in their `ruling_key`, and of one host. None for other events, of which each is
        ruled on by its own fields.
        """
        fact = self.fact(event)
        if fact is None or fact.outcome is None or not isinstance(event, VersionEvent):
            return None
        known: BoundedCache[_Seen, Ruling] = BoundedCache(_MAX_REMEMBERED)
        return lambda vm: partial(
            self._rule_on_version_event, event, fact, known, self._seen_of(event, vm, history)
        )

    def _seen_of(
        self, event: VersionEvent, subject: Event | Subject, history: History | None
    ) -> Callable[[int | None], _Seen]:
        """What gives, by time, what is known of a guest, and what followed an event like this."""
        around = Surroundings(history, subject, event.component) if history is not None else None
        guest = EvidenceOfGuest(event, self._find(subject, history), around, self.policy, self._speeches)
        return partial(_seen, event, guest, around)

    def _on_other(self, event: Event, fact: EventFact | None) -> Ruling:
        if fact is None:
            ruling = _unknown(event, self.knowledge)
            return self._rulings.setdefault((ruling,), ruling)
        answer = answer_known(event, fact, self.knowledge)
        deciding = id(fact), answer
        return self._rulings.get(deciding) or self._rulings.remember(
            deciding, rule_on_known(fact, answer.summary, answer.remedy)
        )

    def _on_version_event(
        self,
        event: VersionEvent,
        fact: EventFact,
        key: tuple[object, ...],
        seen_at: Callable[[int | None], _Seen],
        ticks: int | None,
    ) -> Verdict:
        seen = seen_at(ticks)
        key = (*key, *seen)
        known = self._verdicts.get(key)
        if known is not None:
            return known
        return self._verdicts.remember(key, verdict_on_event(event, self._ruling(event, fact, *seen)))

    def _rule_on_version_event(
        self,
        event: VersionEvent,
        fact: EventFact,
        known: BoundedCache[_Seen, Ruling],
        seen_at: Callable[[int | None], _Seen],
        ticks: int | None,
    ) -> Ruling:
        seen = seen_at(ticks)
        return known.get(seen) or known.remember(seen, self._ruling(event, fact, *seen))

    def _ruling(
        self, event: VersionEvent, fact: EventFact, evidence: GuestEvidence, aftermath: Aftermath
    ) -> Ruling:
        deciding = (*event.ruling_key, evidence, aftermath)
        return self._rulings.get(deciding) or self._rulings.remember(
            deciding, rule_on_versions(event, fact, evidence, aftermath, self.policy)
        )

    def classify_all(
        self, events: Iterable[Event | EventRecord], *, in_memory: int = IN_MEMORY
    ) -> Iterator[tuple[Event, Verdict]]:
        """Yield each event with its verdict, in their order, all seen in the history of all.

        A sequence of events is gone through twice. Of anything else the events wait, beyond `in_memory` bytes
        of them in a temporary file, so that memory grows with VMs and not with events; nothing is yielded
        before the last was taken.
        """
        check_type("events", events, Iterable, "classify takes one event")
        history = History()
        if isinstance(events, Sequence) and all(isinstance(item, Event) for item in events):
            for event in events:
                self.observe(event, history)
            for event in events:
                yield event, self.classify(event, history)
            return
        with EventSpool(in_memory) as waiting:
            for item in events:
                event = self.event_of(item)
                self.observe(event, history)
                waiting.add(event)
            for event in waiting:
                yield event, self.classify(event, history)

    def observe(
        self, event: Event | EventRecord, history: History, *, ticks: int | None = None
    ) -> list[Timeline]:
        """Take an event into the history; `ticks` and what is returned are as in `History.observe`."""
        if isinstance(event, EventRecord):
            event = self.normalise.of_given(event)
        fact = self.fact(event)
        usable = isinstance(event, VersionEvent) and fact is not None
        if isinstance(event, VersionEvent) and fact is not None:
            usable = unusable_because(event, fact, self.knowledge) is None
        return history.observe(event, fact, failure=failure_of(event, fact), usable=usable, ticks=ticks)

    def event_of(self, event: Event | EventRecord) -> Event:
        """Return an event, or the one that a record is. Raises WrongTypeError for anything else."""
        if isinstance(event, EventRecord):
            return self.normalise.of_given(event)
        if not isinstance(event, Event):
            raise WrongTypeError(
                f"{type(event).__name__} is neither an event nor a record",
                hint="classify_all takes several, annotate takes JSON and XML, read takes logs",
            )
        return event

    def fact(self, event: Event) -> EventFact | None:
        """Return the table row of an event, None where the tables do not know it.

        The event carries the row by which it was read; one of other tables is looked up again in these.
        """
        carried = event.fact
        if carried is not None and self._rows_in_force.get(id(carried)) is carried:
            return carried
        record = event.record
        provider = self.knowledge.provider_of(record.provider, record.provider_guid, record.event_source)
        fact = self.knowledge.event(provider.name, record.event_id) if provider else None
        if fact is not None and fact is carried:
            self._rows_in_force[id(fact)] = fact
        return fact

    def _find(self, subject: Event | Subject, history: History | None) -> Guest | None:
        """What the inventory says of a VM, where a history may show its name with several ids or hosts."""
        if self.guests.empty:
            return None
        several_ids, several_hosts = history.ambiguity(subject) if history is not None else (False, False)
        key = subject.vm_id, subject.vm_name, subject.host, several_ids, several_hosts
        try:
            return self._guests_found[key]
        except KeyError:
            guest = self.guests.find(
                vm_id=subject.vm_id,
                vm_name=subject.vm_name,
                host=subject.host or None,
                several_ids=several_ids,
                several_hosts=several_hosts,
            )
            return self._guests_found.remember(key, guest)


def _seen(
    event: VersionEvent, guest: EvidenceOfGuest, around: Surroundings | None, ticks: int | None
) -> _Seen:
    """What is known of the guest at that time (negative: not known), and what followed a refusal."""
    moment = None if ticks is not None and ticks < 0 else ticks
    evidence = guest.at(moment)
    if event.outcome is Outcome.REFUSED:
        return evidence, what_followed(around, event, moment)
    return evidence, Aftermath()


def _unknown(event: Event, knowledge: Knowledge) -> Ruling:
    """Rule 1."""
    if isinstance(event, UnrelatedEvent):
        return Ruling(
            reason=Reason.NOT_HYPER_V,
            basis=Basis.NOTHING,
            severity=Severity.NONE,
            summary=f"{event.provider or 'no provider'} {event.event_id} is not a Hyper-V event",
        )
    answer = answer_unknown(event, knowledge)
    return Ruling(
        reason=Reason.UNKNOWN_EVENT if event.provider else Reason.INCOMPLETE_EVIDENCE,
        basis=Basis.NOTHING,
        severity=_severity_of_unknown(event),
        summary=answer.summary,
        remedy=answer.remedy,
        derivation=answer.lines,
    )


def _severity_of_unknown(event: Event) -> Severity:
    if not event.provider or event.level is None:
        return Severity.CHECK
    if event.level <= Level.ERROR and event.level != Level.LOG_ALWAYS:
        return Severity.ACT
    return Severity.CHECK if event.level <= Level.WARNING else Severity.NONE


@lru_cache(maxsize=1)
def default_classifier() -> Classifier:
    """Return the one without inventory and policy, made once: it remembers what repeats."""
    return Classifier()


def classify(
    event: Event | EventRecord,
    guests: object = None,
    policy: Policy | None = None,
    *,
    guest: str | None = None,
) -> Verdict:
    """Return the verdict on one event or record, seen alone; for many, use a Classifier, or `triage`.

    `guests` is an inventory, or what `GuestInventory.load` takes; `guest` names the system of this
    event's VM (`"linux"`, `"Windows Server 2022"`) instead. Raises InventoryError for an unknown system.

    >>> import hvdegraded as hv
    >>> event = next(hv.read("sample_logs/hv2012r2/System.evtx"))
    >>> hv.classify(event, guest="linux").proven
    True
    """
    if guest is not None:
        if guests is not None:
            raise InventoryError("guests and guest are both given", hint="give one of the two")
        guests = _inventory_of(default_classifier().event_of(event), guest)
    if guests is None and policy is None:
        return default_classifier().classify(event)
    return Classifier(guests, policy).classify(event)


def _inventory_of(event: Event, system: str) -> GuestInventory:
    """Make the inventory of the event's VM, whose system is known."""
    if not isinstance(system, str):
        raise WrongTypeError(f"guest must name a system, not be a {type(system).__name__}", hint=_SYSTEMS)
    family = read_os(system).family
    if family is GuestFamily.UNKNOWN:
        raise InventoryError(f"the system {system!r} is not known", hint=_SYSTEMS)
    match = GuestMatch.VM_ID if event.vm_id else GuestMatch.NAME
    known = Guest(name=event.vm_name, vm_id=event.vm_id, family=family, os_name=system, match=match)
    return GuestInventory([known])
