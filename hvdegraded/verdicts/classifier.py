"""The rules: which event is an ignorable protocol-version mismatch, and what every other one is.

How it works. Ignorable must be proven by a rule that names its source; whatever no rule proves is
actionable. The rules, in the order in which they apply:

1. An event of no Hyper-V provider, or of an id that the tables do not know, is actionable.
2. An event that is no version event is what its table row says: a problem, worth a look when it repeats,
   or no problem report. None of these is ignorable.
3. A version event that is damaged, contradicts itself or its row, or does not tell whose VM it is, proves
   nothing (`evidence`).
4. *Loaded*: the device works with an older version. That is ignorable in a guest that is not Windows
   (KB 2956569), actionable in a Windows guest. Where nothing tells the guest's system, the policy decides,
   and the verdict says so. Nothing is assumed of a guest of which an inventory says two things, or something
   that cannot be read; nor of one that speaks what only Windows speaks.
5. *Refused*: the host did not take the offered version. That is ignorable only where every known guest that
   makes this offer also makes one that the host takes (KB 972108; `protocols`), and unless a failure of the
   same VM follows within ten minutes (`context`). Nothing is assumed here.
6. A row that is only believed never decides alone: versions, level and VM must bear it out. What an inventory
   says never stands against what the guest itself spoke.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from hvdegraded.errors import HvdegradedError, InventoryError
from hvdegraded.events import Event, HyperVEvent, UnrelatedEvent, VersionEvent
from hvdegraded.events.normaliser import Normaliser
from hvdegraded.guests.guest import Guest
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.guest_systems import GuestFamily, windows_release, windows_remedy
from hvdegraded.knowledge.protocols import Inference
from hvdegraded.knowledge.vocabulary import Certainty, Outcome, Role
from hvdegraded.records.record import EventRecord
from hvdegraded.records.spool import RecordSpool
from hvdegraded.verdicts.history import WINDOW_MINUTES, History
from hvdegraded.verdicts.phrases import guest_text, sentence, versions_text, whose
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.usable import Compared, compared, not_harmless_because, unusable_because
from hvdegraded.verdicts.verdict import Basis, Label, Reason, Verdict

__all__ = ["Classifier", "classify", "default_classifier"]

_MAX_REMEMBERED = 8192
_MAX_FIELDS = 6
_LONGEST_FIELD = 60
_KB_MISMATCH = "KB 2956569"
_ROLE_REASONS = {
    Role.PROBLEM: Reason.KNOWN_PROBLEM,
    Role.WATCH: Reason.WATCH,
    Role.INFORMATION: Reason.NOT_A_PROBLEM_REPORT,
}


class Classifier:
    """Gives verdicts by an inventory of guests and a policy; remembers verdicts that repeat."""

    def __init__(self, guests: GuestInventory | None = None, policy: Policy | None = None) -> None:
        if guests is not None and not isinstance(guests, GuestInventory):
            hint = "GuestInventory.load makes one of a file or of mappings"
            raise InventoryError(f"{type(guests).__name__} is no GuestInventory", hint=hint)
        if policy is not None and not isinstance(policy, Policy):
            hint = "Policy.load makes one of a file"
            raise HvdegradedError(f"{type(policy).__name__} is no Policy", hint=hint)
        self.guests = guests if guests is not None else GuestInventory()
        self.policy = policy or Policy()
        self.knowledge = self.policy.knowledge
        self.normalise = Normaliser(self.knowledge)
        self._verdicts: dict[tuple[object, ...], Verdict] = {}
        self._facts: dict[tuple[str, str | None, str | None, int], EventFact | None] = {}

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.guests, self.policy)  # what is remembered stays

    def classify(
        self,
        event: Event | HyperVEvent | EventRecord,
        context: History | None = None,
        *,
        ticks: int | None = None,
    ) -> Verdict:
        """The verdict on an event or a record.

        `context` holds what else happened, where that is known; `ticks` is the time to look at there, if it
        is not the event's own (negative: not known).
        """
        if isinstance(event, EventRecord):
            event = self.normalise(event)
        elif not isinstance(event, HyperVEvent):
            raise HvdegradedError(
                f"{type(event).__name__} is neither an event nor a record",
                hint="classify_all takes several, annotate takes JSON and XML, read takes logs",
            )
        fact = self.fact(event)
        if fact is not None and fact.outcome is not None and isinstance(event, VersionEvent):
            inferred = failure = None
            if context is not None:
                inferred = context.inferred_guest(event, self.knowledge.protocols)
                if event.outcome is Outcome.REFUSED:
                    failure = context.failure_after(event, ticks)
            incomplete = context is not None and context.incomplete
            key: tuple[object, ...] = (*event.verdict_key, inferred, failure, incomplete)
            verdict = self._verdicts.get(key)
            if verdict is None:
                verdict = self._remember(
                    key, self._version_verdict(event, fact, inferred, failure, incomplete)
                )
            return verdict
        if fact is None:
            return self._unknown(event)
        key = event.verdict_key
        return self._verdicts.get(key) or self._remember(key, self._known(event, fact))

    def classify_all(
        self, events: Iterable[Event | HyperVEvent | EventRecord]
    ) -> Iterator[tuple[HyperVEvent, Verdict]]:
        """Each event with its verdict, in their order, all seen in the context of all.

        A sequence is gone through twice. Of anything else the records wait in a temporary file, so that what
        is held in memory grows with VMs and not with events; nothing is yielded before the last was taken.
        """
        context = History()
        if isinstance(events, Sequence):
            for item in events:
                self.observe(item, context)
            for item in events:
                event = self.normalise(item) if isinstance(item, EventRecord) else item
                yield event, self.classify(event, context)
            return
        with RecordSpool() as waiting:
            for item in events:
                self.observe(item, context)
                waiting.add(item if isinstance(item, EventRecord) else item.record)
            for record in waiting:
                event = self.normalise(record)
                yield event, self.classify(event, context)

    def observe(self, event: Event | HyperVEvent | EventRecord, context: History) -> None:
        """Take an event into the context."""
        if isinstance(event, EventRecord):
            event = self.normalise(event)
        fact = self.fact(event)
        if not isinstance(event, VersionEvent):
            context.observe(event, fact)
        elif (fact is not None and fact.vm_failure) or context.mark_seen(event.verdict_key):
            doubtful = fact is None or unusable_because(event, fact, self.knowledge) is not None
            context.observe(event, fact, doubtful=doubtful)

    def fact(self, event: HyperVEvent) -> EventFact | None:
        """The table row of an event; None where the tables do not know it."""
        if not event.known:
            return None
        record = event.record
        key = (record.provider, record.provider_guid, record.event_source, record.event_id)
        if key not in self._facts:
            if len(self._facts) >= _MAX_REMEMBERED:
                self._facts.clear()
            provider = self.knowledge.provider_of(*key[:3])
            self._facts[key] = self.knowledge.event(provider.name, record.event_id) if provider else None
        return self._facts[key]

    def _remember(self, key: tuple[object, ...], verdict: Verdict) -> Verdict:
        if len(self._verdicts) >= _MAX_REMEMBERED:
            self._verdicts.clear()
        self._verdicts[key] = verdict
        return verdict

    # ------------------------------------------------------------ rules 1 and 2

    def _unknown(self, event: HyperVEvent) -> Verdict:
        if isinstance(event, UnrelatedEvent):
            return _verdict(
                event,
                label=Label.ACTIONABLE,
                reason=Reason.NOT_HYPER_V,
                basis=Basis.NOTHING,
                summary=f"{event.provider or 'no provider'} {event.event_id} is no Hyper-V event",
            )
        fields = ", ".join(
            f"{name or 'value'}={text[:_LONGEST_FIELD]!r}" for name, text in event.data[:_MAX_FIELDS]
        )
        return _verdict(
            event,
            label=Label.ACTIONABLE,
            reason=Reason.UNKNOWN_EVENT if event.provider else Reason.INCOMPLETE_EVIDENCE,
            basis=Basis.NOTHING,
            summary=f"{whose(event)}unknown event {event.provider or 'of no named provider'} {event.event_id}"
            + (f": {fields}" * bool(fields)),
            remedy="Read the event; a row of your own in a policy can tell what it means and what to do.",
        )

    def _known(self, event: HyperVEvent, fact: EventFact) -> Verdict:
        error = f" ({event.hresult})" if event.hresult else ""
        return _verdict(
            event,
            label=Label.ACTIONABLE,
            reason=_ROLE_REASONS.get(fact.role, Reason.INCOMPLETE_EVIDENCE),
            basis=_basis(fact),
            summary=f"{whose(event)}{sentence(fact.meaning)}{error}",
            remedy=fact.remedy,
            references=fact.references,
        )

    # ------------------------------------------------------------ rules 3 to 6

    def _version_verdict(
        self,
        event: VersionEvent,
        fact: EventFact,
        inferred: Inference | None,
        failure: str | None,
        incomplete: bool,
    ) -> Verdict:
        doubt = unusable_because(event, fact, self.knowledge)
        if doubt is not None:
            return self._incomplete(event, fact, doubt)
        if event.outcome is Outcome.NEGOTIATED:
            return _verdict(
                event,
                label=Label.ACTIONABLE,
                reason=Reason.NOT_A_PROBLEM_REPORT,
                basis=_basis(fact),
                summary=f"{whose(event)}{sentence(fact.meaning)}",
                references=fact.references,
            )
        guest = self.guests.find(vm_id=event.vm_id, vm_name=event.vm_name, host=event.computer or None)
        if event.outcome is Outcome.REFUSED:
            return self._refused(event, fact, guest, failure, incomplete)
        doubt = not_harmless_because(event, fact, self.knowledge)
        if doubt is not None:
            return self._incomplete(event, fact, doubt)
        return self._loaded(event, fact, guest, inferred)

    def _incomplete(
        self, event: VersionEvent, fact: EventFact, doubt: str, lines: Sequence[str] = (), **values: Any
    ) -> Verdict:
        values.setdefault("basis", _basis(fact))
        values.setdefault(
            "remedy", "Look at the event on the host itself; what was lost or mangled on its way decides."
        )
        return _verdict(
            event,
            label=Label.ACTIONABLE,
            reason=Reason.INCOMPLETE_EVIDENCE,
            summary=f"{whose(event)}{event.component} version mismatch that proves nothing: {doubt}",
            references=fact.references,
            derivation=(*lines, sentence(doubt) + "."),
            **values,
        )

    def _loaded(
        self, event: VersionEvent, fact: EventFact, guest: Guest | None, inferred: Inference | None
    ) -> Verdict:
        """Rule 4."""
        tables = self.knowledge.protocols
        family = guest.family if guest is not None else GuestFamily.UNKNOWN
        works = f"{whose(event)}{versions_text(event)}; it works"
        lines = [
            *self._who_speaks(event),
            "The device works with the older version (the event says it loaded).",
        ]
        windows = f"if this VM runs Windows: actionable; {windows_remedy(self._release(event))}"
        references = tuple(dict.fromkeys((_KB_MISMATCH, *fact.references)))

        if family is GuestFamily.WINDOWS:
            return _verdict(
                event,
                label=Label.ACTIONABLE,
                reason=Reason.LOADED_WINDOWS,
                basis=Basis.GUEST_INVENTORY,
                summary=f"{works}, but a Windows guest should be updated",
                remedy=windows_remedy(self._release(event)),
                references=references,
                guest=guest_text(guest),
                derivation=(*lines, "The inventory says that this VM runs Windows."),
                if_otherwise=("if this VM does not run Windows: ignorable",),
            )
        if guest is not None and family is not GuestFamily.UNKNOWN:
            foreign = self._spoken_by_no(family, event)
            if foreign is not None:
                return self._incomplete(
                    event,
                    fact,
                    f"the inventory says {family}, but no known {family} speaks {foreign}",
                    lines,
                    basis=Basis.PROTOCOL_TABLES,
                    remedy="Find out what this VM runs, and correct the inventory.",
                    guest=guest_text(guest),
                )
            lines.append(
                f"The inventory says that this VM runs {family}; for guests other than Windows this is safe."
            )
            if guest.supported is False:
                lines.append("The vendor does not list this system as a supported guest.")
            return _verdict(
                event,
                label=Label.IGNORABLE,
                reason=Reason.LOADED_NON_WINDOWS,
                basis=Basis.GUEST_INVENTORY,
                summary=f"{works}, and {family} guests are meant to speak older versions",
                references=references,
                guest=guest_text(guest),
                derivation=tuple(lines),
                if_otherwise=(windows,),
            )
        if guest is not None and guest.undecided:
            return _verdict(
                event,
                label=Label.ACTIONABLE,
                reason=Reason.LOADED_UNKNOWN,
                basis=Basis.GUEST_INVENTORY,
                summary=f"{works}, but the inventory cannot tell whether the guest is Windows",
                remedy="Find out what this VM runs, and correct the inventory.",
                references=references,
                guest=guest_text(guest),
                derivation=(
                    *lines,
                    f"The inventory leaves open what runs: {guest.source or 'rows disagree'}.",
                ),
                if_otherwise=("if this VM does not run Windows: ignorable", windows),
            )
        for component, version, *_ in (*compared(event), Compared(event.component, None, None)):
            if tables.is_of_windows_only(component, version):
                spoken = f"{component} {version or ''}".rstrip()
                return _verdict(
                    event,
                    label=Label.ACTIONABLE,
                    reason=Reason.LOADED_WINDOWS,
                    basis=Basis.PROTOCOL_TABLES,
                    summary=f"{works}; only Windows guests are known to speak this, and should be updated",
                    remedy=windows_remedy(self._release(event)),
                    references=references,
                    guest=guest_text(guest),
                    derivation=(*lines, f"Only Windows guests are known to speak {spoken}."),
                    if_otherwise=("if this VM does not run Windows: ignorable",),
                )
        if inferred is not None and inferred.certainty is not Certainty.UNVERIFIED:
            return _verdict(
                event,
                label=Label.IGNORABLE,
                reason=Reason.LOADED_NON_WINDOWS,
                basis=Basis.GUEST_INFERENCE,
                summary=f"{works}, and what this VM speaks is spoken by no Windows guest",
                references=(*references, inferred.source),
                guest=" or ".join(inferred.families),
                derivation=(*lines, *inferred.lines),
                if_otherwise=(windows,),
            )
        label = self.policy.unknown_guest
        assumed = (
            "as a guest that is not Windows" if label is Label.IGNORABLE else "as one that may be Windows"
        )
        return _verdict(
            event,
            label=label,
            reason=Reason.LOADED_UNKNOWN,
            basis=Basis.GUEST_ASSUMPTION,
            assumed=True,
            summary=f"{works}; the guest's system is not known, and taken {assumed}",
            remedy="Give an inventory of the guests, so that nothing need be assumed.",
            references=references,
            guest=guest_text(guest),
            derivation=(*lines, "Nothing tells what this VM runs, so the policy's default decides."),
            if_otherwise=("if this VM does not run Windows: ignorable", windows),
        )

    def _refused(
        self,
        event: VersionEvent,
        fact: EventFact,
        guest: Guest | None,
        failure: str | None,
        incomplete: bool,
    ) -> Verdict:
        """Rule 5."""
        family = guest.family if guest is not None else GuestFamily.UNKNOWN
        derivation = self.knowledge.protocols.refusal_is_harmless(
            event.component,
            event.server_version,
            event.client_version,
            guest_family=None if family is GuestFamily.UNKNOWN else family.lower(),
            guest_system=windows_release(guest.os_name) if guest is not None else None,
        )
        lines = (*self._who_speaks(event), *derivation.lines)
        references = tuple(dict.fromkeys((*fact.references, *derivation.sources)))
        refused = f"{whose(event)}{versions_text(event)}; the host refused this offer"
        common: dict[str, Any] = {"references": references, "guest": guest_text(guest)}
        if failure is not None:
            return _verdict(
                event,
                label=Label.ACTIONABLE,
                reason=Reason.REFUSED_THEN_FAILURE,
                basis=Basis.CONTEXT,
                summary=f"{refused}, and within {WINDOW_MINUTES} minutes: {failure}",
                remedy=fact.remedy,
                derivation=(*lines, f"A failure of the same VM followed: {failure}"),
                if_otherwise=("if that failure has another cause: as without it",),
                **common,
            )
        if not derivation.proven or fact.certainty is Certainty.UNVERIFIED:
            return _verdict(
                event,
                label=Label.ACTIONABLE,
                reason=Reason.REFUSED_UNPROVEN,
                basis=Basis.PROTOCOL_TABLES if derivation.sources else _basis(fact),
                summary=f"{refused}, and nothing proves that an older one was taken",
                remedy=fact.remedy,
                derivation=lines,
                if_otherwise=("if the device works in the guest all the same: nothing to do",),
                **common,
            )
        doubt = not_harmless_because(event, fact, self.knowledge)
        if doubt is None and incomplete:
            doubt = "the reading was interrupted, and a failure that followed may not have been read"
        if doubt is not None:
            return self._incomplete(event, fact, doubt, lines, guest=guest_text(guest))
        return _verdict(
            event,
            label=Label.IGNORABLE,
            reason=Reason.REFUSED_WITH_FALLBACK,
            basis=Basis.USER_ROW if fact.forced else Basis.PROTOCOL_TABLES,
            summary=f"{refused}, and the guest goes on with an older one that the host has",
            derivation=lines,
            if_otherwise=("if a failure of the same VM follows: actionable",),
            **common,
        )

    def _who_speaks(self, event: VersionEvent) -> list[str]:
        tables = self.knowledge.protocols
        lines = []
        for component, guest, host, service in compared(event):
            if component is not None and service is None:
                if host is not None:
                    lines.append(sentence(tables.describe_host(component, host)) + ".")
                if guest is not None:
                    lines.append(sentence(tables.describe_client(component, guest)) + ".")
        return lines

    def _spoken_by_no(self, family: GuestFamily, event: VersionEvent) -> str | None:
        """What the event's guest speaks, but no known guest of this family; None where there is no such."""
        tables, name = self.knowledge.protocols, family.lower()
        if tables.lacks(name, event.component):
            return str(event.component)
        for component, version, _, service in compared(event):
            if tables.cannot_speak(name, component, version, service):
                return f"{component} {version}" + f" of {service}" * (service is not None)
        return None

    def _release(self, event: VersionEvent) -> str | None:
        if event.server_version is None:
            return None
        releases = self.knowledge.protocols.host_releases(event.component, event.server_version)
        return releases[0] if len({windows_remedy(release) for release in releases}) == 1 else None


def _verdict(event: HyperVEvent, **values: Any) -> Verdict:
    version = isinstance(event, VersionEvent)
    reason: Reason = values["reason"]
    return Verdict(
        vm_name=event.vm_name,
        vm_id=event.vm_id,
        host=event.computer or None,
        component=event.component if isinstance(event, VersionEvent) else None,
        server_version=event.server_version if isinstance(event, VersionEvent) else None,
        client_version=event.client_version if isinstance(event, VersionEvent) else None,
        problem=reason if version else f"{reason} {event.provider.lower()} {event.event_id}",
        **values,
    )


def _basis(fact: EventFact) -> Basis:
    return Basis.USER_ROW if fact.forced else Basis.EVENT_DEFINITION


@lru_cache(maxsize=1)
def default_classifier() -> Classifier:
    """The one without inventory and policy, made once: it remembers what repeats."""
    return Classifier()


def classify(
    event: Event | HyperVEvent | EventRecord,
    guests: GuestInventory | None = None,
    policy: Policy | None = None,
) -> Verdict:
    """The verdict on one event or record, seen alone; for many, use a Classifier, or `triage`."""
    if guests is None and policy is None:
        return default_classifier().classify(event)
    return Classifier(guests, policy).classify(event)
