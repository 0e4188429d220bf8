"""The rules: which event is an ignorable protocol-version mismatch, and what every other one is.

How it works. Ignorable must be proven by a rule that names its source; whatever no rule proves is
actionable. The rules, in the order in which they apply:

1. An event of no Hyper-V provider, or of an id that the tables do not know, is actionable.
2. An event that is no version event is what its table row says: a problem, worth a look when it repeats,
   or no problem report. None of these is ignorable.
3. A version event that is damaged, contradicts itself or its row, or does not tell whose VM it is, proves
   nothing (`usable`).
4. *Loaded*: the device works with an older version. That is ignorable in a guest that is not Windows
   (KB 2956569), actionable in a Windows guest. Where nothing tells the guest's system, the policy decides,
   and the verdict says so. Nothing is assumed of a guest of which an inventory says two things, or something
   that cannot be read; nor of one that speaks what only Windows speaks.
5. *Refused*: the host did not take the offered version. That is ignorable only where every known guest that
   makes this offer also makes one that the host takes (KB 972108; `protocols`), and unless a failure of the
   same VM follows within ten minutes (`history`). Nothing is assumed here.
6. A row that is only believed never decides alone: versions, level and VM must bear it out. What an inventory
   says never stands against what the guest itself spoke.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from hvdegraded.bounded import BoundedCache
from hvdegraded.errors import HvdegradedError, InventoryError
from hvdegraded.events import Event, HyperVEvent, UnrelatedEvent, VersionEvent
from hvdegraded.events.normaliser import Normaliser
from hvdegraded.guests.guest import Guest
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.guest_systems import windows_release, windows_remedy
from hvdegraded.knowledge.protocols import FallbackProof, Inference
from hvdegraded.knowledge.tables import Knowledge
from hvdegraded.knowledge.vocabulary import Certainty, GuestFamily, Outcome, Role
from hvdegraded.records.record import EventRecord, Level
from hvdegraded.records.spool import IN_MEMORY, RecordSpool
from hvdegraded.verdicts.answer import Answer, answer_known, answer_unknown
from hvdegraded.verdicts.history import WINDOW_MINUTES, History
from hvdegraded.verdicts.mismatch import WorkingMismatch, decide
from hvdegraded.verdicts.phrases import guest_text, sentence, versions_text
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.ruling import Ruling, verdict_on_event
from hvdegraded.verdicts.usable import not_harmless_because, unusable_because
from hvdegraded.verdicts.verdict import Basis, Label, Reason, Severity, Verdict

__all__ = ["Classifier", "classify", "default_classifier"]

_MAX_REMEMBERED = 8192
_ROLES = {
    Role.PROBLEM: (Reason.KNOWN_PROBLEM, Severity.ACT),
    Role.WATCH: (Reason.WATCH, Severity.CHECK),
    Role.INFORMATION: (Reason.NOT_A_PROBLEM_REPORT, Severity.NONE),
}
_ON_THE_HOST = "Look at the event on the host itself; what was lost or mangled on its way decides."


class Classifier:
    """Gives verdicts by an inventory of guests and a policy; remembers verdicts that repeat."""

    def __init__(self, guests: GuestInventory | None = None, policy: Policy | None = None) -> None:
        if guests is not None and not isinstance(guests, GuestInventory):
            raise InventoryError(
                f"guests must be a GuestInventory, not {type(guests).__name__}",
                hint="GuestInventory.load makes one of a file or of mappings",
            )
        if policy is not None and not isinstance(policy, Policy):
            wrong = f"policy must be a Policy, not {type(policy).__name__}"
            raise HvdegradedError(wrong, hint="Policy.load makes one of a file")
        self.guests = guests if guests is not None else GuestInventory()
        self.policy = policy or Policy()
        self.knowledge = self.policy.knowledge
        self.normalise = Normaliser(self.knowledge)
        self._rows_in_force: BoundedCache[int, EventFact] = BoundedCache(_MAX_REMEMBERED)
        self._verdicts: BoundedCache[tuple[object, ...], Verdict] = BoundedCache(_MAX_REMEMBERED)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.guests, self.policy)  # a copy starts with nothing remembered

    def classify(
        self,
        event: Event | HyperVEvent | EventRecord,
        history: History | None = None,
        *,
        ticks: int | None = None,
    ) -> Verdict:
        """Return the verdict on an event or a record.

        `history` contains what else happened, where that is known; `ticks` is the time to look at there, if
        it is not the event's own (negative: not known).
        """
        if isinstance(event, EventRecord):
            event = self.normalise(event)
        elif not isinstance(event, HyperVEvent):
            raise HvdegradedError(
                f"{type(event).__name__} is neither an event nor a record",
                hint="classify_all takes several, annotate takes JSON and XML, read takes logs",
            )
        fact = self.fact(event)
        if fact is None:
            return verdict_on_event(event, _unknown(event, self.knowledge))
        key: tuple[object, ...] = event.verdict_key
        if fact.outcome is None or not isinstance(event, VersionEvent):
            answer = answer_known(event, fact, self.knowledge)
            key = (*key, answer)
            return self._verdicts.get(key) or self._verdicts.remember(
                key, verdict_on_event(event, _known(fact, answer))
            )
        inferred = failure = None
        if history is not None:
            inferred = history.inferred_guest(event, self.knowledge.protocols)
            if event.outcome is Outcome.REFUSED:
                failure = history.failure_after(event, ticks)
        incomplete = history is not None and history.incomplete
        key = (*key, inferred, failure, incomplete)
        return self._verdicts.get(key) or self._verdicts.remember(
            key, verdict_on_event(event, self._on_versions(event, fact, inferred, failure, incomplete))
        )

    def classify_all(
        self, events: Iterable[Event | HyperVEvent | EventRecord], *, in_memory: int = IN_MEMORY
    ) -> Iterator[tuple[HyperVEvent, Verdict]]:
        """Yield each event with its verdict, in their order, all seen in the history of all.

        A sequence is gone through twice. Of anything else the records wait, beyond `in_memory` bytes of them
        in a temporary file, so that memory grows with VMs and not with events; nothing is yielded before the
        last was taken.
        """
        history = History()
        if isinstance(events, Sequence):
            for item in events:
                self.observe(item, history)
            for item in events:
                event = self.normalise(item) if isinstance(item, EventRecord) else item
                yield event, self.classify(event, history)
            return
        with RecordSpool(in_memory) as waiting:
            for item in events:
                self.observe(item, history)
                waiting.add(item if isinstance(item, EventRecord) else item.record)
            for record in waiting:
                event = self.normalise(record)
                yield event, self.classify(event, history)

    def observe(self, event: Event | HyperVEvent | EventRecord, history: History) -> None:
        """Take an event into the history."""
        if isinstance(event, EventRecord):
            event = self.normalise(event)
        fact = self.fact(event)
        if not isinstance(event, VersionEvent):
            history.observe(event, fact)
        elif (fact is not None and fact.vm_failure) or history.mark_seen(event.verdict_key):
            doubtful = fact is None or unusable_because(event, fact, self.knowledge) is not None
            history.observe(event, fact, doubtful=doubtful)

    def fact(self, event: HyperVEvent) -> EventFact | None:
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

    # ------------------------------------------------------------ rules 3 to 6

    def _on_versions(
        self,
        event: VersionEvent,
        fact: EventFact,
        inferred: Inference | None,
        failure: str | None,
        incomplete: bool,
    ) -> Ruling:
        unusable = unusable_because(event, fact, self.knowledge)
        if unusable is not None:
            return _proves_nothing(event, fact, unusable)
        if event.outcome is Outcome.NEGOTIATED:
            return _known(fact, Answer(sentence(fact.meaning), None))
        guest = self.guests.find(vm_id=event.vm_id, vm_name=event.vm_name, host=event.computer or None)
        if event.outcome is Outcome.REFUSED:
            return self._refused(event, fact, guest, failure, incomplete)
        not_harmless = not_harmless_because(event, fact, self.knowledge)
        if not_harmless is not None:
            return _proves_nothing(event, fact, not_harmless)
        return decide(self._working(event, fact), guest, inferred, self.policy)

    def _working(self, event: VersionEvent, fact: EventFact) -> WorkingMismatch:
        """Rule 4 decides by the guest alone."""
        return WorkingMismatch(
            works=f"{versions_text(event)}; it works",
            component=event.component,
            version_pairs=event.version_pairs,
            host_release=self._release(event),
            references=fact.references,
            derivation=(
                *self._who_speaks(event),
                "The device works with the older version (the event says it loaded).",
            ),
        )

    def _refused(
        self,
        event: VersionEvent,
        fact: EventFact,
        guest: Guest | None,
        failure: str | None,
        incomplete: bool,
    ) -> Ruling:
        """Rule 5."""
        proof = self._fallback(event, guest)
        lines = (*self._who_speaks(event), *proof.lines)
        references = tuple(dict.fromkeys((*fact.references, *proof.sources)))
        refused = f"{versions_text(event)}; the host refused this offer"
        if failure is not None:
            return Ruling(
                reason=Reason.REFUSED_THEN_FAILURE,
                basis=Basis.CONTEXT,
                severity=Severity.ACT,
                summary=f"{refused}, and within {WINDOW_MINUTES} minutes: {failure}",
                remedy=fact.remedy,
                references=references,
                guest=guest_text(guest),
                derivation=(*lines, f"A failure of the same VM followed: {failure}"),
                if_otherwise=("if that failure has another cause: as without it",),
            )
        if not proof.proven or fact.certainty is Certainty.UNVERIFIED:
            return Ruling(
                reason=Reason.REFUSED_UNPROVEN,
                basis=Basis.PROTOCOL_TABLES if proof.sources else _basis(fact),
                severity=_severity_of_unproven(event, fact, proof),
                summary=f"{refused}, and nothing proves that an older one was taken",
                remedy=fact.remedy,
                references=references,
                guest=guest_text(guest),
                derivation=lines,
                if_otherwise=("if the device works in the guest: nothing to do",),
            )
        not_harmless = not_harmless_because(event, fact, self.knowledge)
        if not_harmless is None and incomplete:
            not_harmless = "the reading was interrupted, and a failure that followed may not have been read"
        if not_harmless is not None:
            return _proves_nothing(event, fact, not_harmless, lines, guest_text(guest))
        return Ruling(
            label=Label.IGNORABLE,
            reason=Reason.REFUSED_WITH_FALLBACK,
            basis=Basis.USER_ROW if fact.forced else Basis.PROTOCOL_TABLES,
            severity=Severity.NONE,
            summary=f"{refused}, and the guest connects with an older one that the host has",
            references=references,
            guest=guest_text(guest),
            derivation=lines,
            if_otherwise=("if a failure of the same VM follows: actionable",),
        )

    def _fallback(self, event: VersionEvent, guest: Guest | None) -> FallbackProof:
        family = guest.family if guest is not None else GuestFamily.UNKNOWN
        return self.knowledge.protocols.refusal_is_harmless(
            event.component,
            event.versions.host,
            event.versions.guest,
            guest_family=None if family is GuestFamily.UNKNOWN else family,
            guest_system=windows_release(guest.os_name) if guest is not None else None,
        )

    def _who_speaks(self, event: VersionEvent) -> list[str]:
        tables = self.knowledge.protocols
        lines = []
        for pair in event.version_pairs:
            if pair.component is not None and pair.service is None:
                if pair.host is not None:
                    lines.append(sentence(tables.describe_host(pair.component, pair.host)) + ".")
                if pair.guest is not None:
                    lines.append(sentence(tables.describe_client(pair.component, pair.guest)) + ".")
        return lines

    def _release(self, event: VersionEvent) -> str | None:
        """The release of the host, as far as the remedy depends on it."""
        host = event.versions.host
        if host is None:
            return None
        releases = self.knowledge.protocols.host_releases(event.component, host)
        return releases[0] if len({windows_remedy(release) for release in releases}) == 1 else None


def _unknown(event: HyperVEvent, knowledge: Knowledge) -> Ruling:
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


def _severity_of_unknown(event: HyperVEvent) -> Severity:
    if not event.provider or event.level is None:
        return Severity.CHECK
    if event.level <= Level.ERROR and event.level != Level.LOG_ALWAYS:
        return Severity.ACT
    return Severity.CHECK if event.level <= Level.WARNING else Severity.NONE


def _known(fact: EventFact, answer: Answer) -> Ruling:
    """Rule 2."""
    reason, severity = _ROLES.get(fact.role, (Reason.INCOMPLETE_EVIDENCE, Severity.CHECK))
    if fact.outcome is Outcome.NEGOTIATED:
        reason, severity = Reason.NOT_A_PROBLEM_REPORT, Severity.NONE
    return Ruling(
        reason=reason,
        basis=_basis(fact),
        severity=severity,
        summary=answer.summary,
        remedy=answer.remedy,
        references=fact.references,
    )


def _proves_nothing(
    event: VersionEvent, fact: EventFact, why: str, lines: Sequence[str] = (), guest: str | None = None
) -> Ruling:
    """Rule 3."""
    return Ruling(
        reason=Reason.INCOMPLETE_EVIDENCE,
        basis=_basis(fact),
        severity=Severity.CHECK,
        summary=f"{event.component} version mismatch that proves nothing: {why}",
        remedy=_ON_THE_HOST,
        references=fact.references,
        guest=guest,
        derivation=(*lines, f"{sentence(why)}."),
    )


def _severity_of_unproven(event: VersionEvent, fact: EventFact, proof: FallbackProof) -> Severity:
    names_no_vm = not event.vm_name and not event.vm_id
    if names_no_vm or fact.certainty is Certainty.UNVERIFIED or proof.proven or proof.fallback_inferred:
        return Severity.CHECK
    return Severity.ACT


def _basis(fact: EventFact) -> Basis:
    return Basis.USER_ROW if fact.forced else Basis.EVENT_DEFINITION


@lru_cache(maxsize=1)
def default_classifier() -> Classifier:
    """Return the one without inventory and policy, made once: it remembers what repeats."""
    return Classifier()


def classify(
    event: Event | HyperVEvent | EventRecord,
    guests: GuestInventory | None = None,
    policy: Policy | None = None,
) -> Verdict:
    """Return the verdict on one event or record, seen alone; for many, use a Classifier, or `triage`."""
    if guests is None and policy is None:
        return default_classifier().classify(event)
    return Classifier(guests, policy).classify(event)
