"""The decision on a refused offer: whether the guest connects with an older one, and what followed.

Ignorable is a refusal only where every known guest that makes this offer, and may be this guest, also makes
one that the host has (KB 972108; `protocols`), and where no failure of the VM followed within ten minutes.
Where these ten minutes cannot be seen whole, the verdict says that it assumes what follows.
"""

from __future__ import annotations

from typing import NamedTuple

from hvdegraded.events import VersionEvent
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.guest_systems import stated_kernel, windows_release
from hvdegraded.knowledge.protocols import FallbackProof, ProtocolTable
from hvdegraded.knowledge.vocabulary import Certainty, GuestFamily
from hvdegraded.verdicts.aftermath import Aftermath
from hvdegraded.verdicts.evidence import GuestEvidence
from hvdegraded.verdicts.mismatch import CORRECT_INVENTORY
from hvdegraded.verdicts.phrases import guest_text, sentence, versions_text
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.ruling import Ruling, basis_of, rule_on_unusable
from hvdegraded.verdicts.usable import not_harmless_because
from hvdegraded.verdicts.verdict import Assumption, Basis, Label, Reason, Severity
from hvdegraded.verdicts.vm_history import WINDOW_MINUTES

__all__ = ["decide_refusal", "rule_on_final_refusal"]


class _Proof(NamedTuple):
    """A proof of a fallback; `rests_on_guest` where it holds only for the guest that is known."""

    fallback: FallbackProof
    basis: Basis
    rests_on_guest: bool = False


def rule_on_final_refusal(event: VersionEvent, fact: EventFact) -> Ruling:
    """Rule on an event that names no version in common: the device does not work."""
    return Ruling(
        reason=Reason.NO_COMMON_VERSION,
        basis=basis_of(fact),
        severity=Severity.ACT,
        summary=f"{versions_text(event)}; no version in common was found, so the device does not work",
        remedy="Update the guest, or run it on a newer host; nothing older is left for it to offer.",
        references=fact.references,
        derivation=(sentence(fact.meaning) + ".",),
    )


def decide_refusal(
    event: VersionEvent,
    fact: EventFact,
    evidence: GuestEvidence,
    aftermath: Aftermath,
    policy: Policy,
    who_speaks: tuple[str, ...],
) -> Ruling:
    """Decide what a refused offer is, by its guest and what followed."""
    case = _Case(event, fact, evidence, _prove(event, evidence, policy.knowledge.protocols), who_speaks)
    if aftermath.failure is not None:
        return case.then_failed(aftermath.failure)
    if aftermath.again:
        return case.refused_again()
    if not case.proof.fallback.proven or fact.certainty is Certainty.UNVERIFIED:
        contradicted = evidence.contradiction is not None and fact.certainty is not Certainty.UNVERIFIED
        return case.contradicted() if contradicted else case.unproven()
    wrong = not_harmless_because(event, fact, policy.knowledge)
    if wrong is None and aftermath.interrupted:
        wrong = "the reading was interrupted, and a failure that followed may not have been read"
    if wrong is not None:
        return rule_on_unusable(event, fact, wrong, case.lines, case.guest)
    assumes_guest = case.proof.rests_on_guest and evidence.assumed_because is not None
    if assumes_guest and policy.unknown_guest is Label.ACTIONABLE:
        return case.unproven()
    return case.harmless(assumes_guest, aftermath)


def _prove(event: VersionEvent, evidence: GuestEvidence, tables: ProtocolTable) -> _Proof:
    component, versions = event.component, event.versions
    any_guest = tables.refusal_is_harmless(component, versions.host, versions.guest)
    family, guest = evidence.family, evidence.guest
    if any_guest.proven or (family is GuestFamily.UNKNOWN and (evidence.windows or _is_open(evidence))):
        return _Proof(any_guest, Basis.PROTOCOL_TABLES)
    if family is not GuestFamily.UNKNOWN and guest is not None:
        known = tables.refusal_is_harmless(
            component,
            versions.host,
            versions.guest,
            guest_family=family,
            guest_system=windows_release(guest.os_name),
        )
        return _Proof(known, Basis.PROTOCOL_TABLES, rests_on_guest=True)
    inferred = evidence.inferred
    if inferred is None or inferred.certainty is Certainty.UNVERIFIED:
        return _Proof(any_guest, Basis.PROTOCOL_TABLES)
    proofs = [
        tables.refusal_is_harmless(component, versions.host, versions.guest, guest_family=each)
        for each in inferred.families
    ]
    failed = next((proof for proof in proofs if not proof.proven), None)
    if failed is not None:
        return _Proof(failed, Basis.PROTOCOL_TABLES)
    lines = (*inferred.lines, *(line for proof in proofs for line in proof.lines))
    sources = (inferred.source, *(source for proof in proofs for source in proof.sources))
    return _Proof(FallbackProof(True, lines, (), tuple(dict.fromkeys(sources))), Basis.GUEST_INFERENCE)


def _is_open(evidence: GuestEvidence) -> bool:
    return evidence.guest is not None and evidence.guest.undecided


class _Case(NamedTuple):
    """A refused offer with all that is known of it; each method is one way to rule on it."""

    event: VersionEvent
    fact: EventFact
    evidence: GuestEvidence
    proof: _Proof
    who_speaks: tuple[str, ...]

    @property
    def refused(self) -> str:
        return f"{versions_text(self.event)}; the host refused this offer"

    @property
    def lines(self) -> tuple[str, ...]:
        return (*self.who_speaks, *self.proof.fallback.lines)

    @property
    def references(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.fact.references, *self.proof.fallback.sources)))

    @property
    def guest(self) -> str | None:
        return guest_text(self.evidence.guest)

    def then_failed(self, failure: str) -> Ruling:
        return self._followed_by(
            Reason.REFUSED_THEN_FAILURE,
            f"within {WINDOW_MINUTES} minutes: {failure}",
            f"A failure of the same VM followed: {failure}",
            "if that failure has another cause: as without it",
            f"Settle this before the failure that followed, as it may be its cause. {self.fact.remedy or ''}",
        )

    def refused_again(self) -> Ruling:
        return self._followed_by(
            Reason.REFUSED_AGAIN,
            "again in a later start: the guest does not get going",
            "The same offer was refused again in a later start of the VM.",
            "if somebody restarted the VM, and it works: as without it",
            self.fact.remedy,
        )

    def _followed_by(
        self, reason: Reason, what: str, line: str, otherwise: str, remedy: str | None
    ) -> Ruling:
        return Ruling(
            reason=reason,
            basis=Basis.CONTEXT,
            severity=Severity.ACT,
            summary=f"{self.refused}, and {what}",
            remedy=remedy,
            references=self.references,
            guest=self.guest,
            derivation=(*self.lines, line),
            if_otherwise=(otherwise,),
        )

    def contradicted(self) -> Ruling:
        why = self.evidence.contradiction or ""
        return Ruling(
            reason=Reason.INVENTORY_CONTRADICTED,
            basis=Basis.PROTOCOL_TABLES,
            severity=Severity.CHECK,
            summary=f"{self.refused}, but {why}",
            remedy=CORRECT_INVENTORY,
            references=self.references,
            guest=self.guest,
            derivation=(*self.lines, sentence(why) + "."),
            if_otherwise=("if the inventory is right: as the tables say of that guest",),
        )

    def unproven(self) -> Ruling:
        return Ruling(
            reason=Reason.REFUSED_UNPROVEN,
            basis=Basis.PROTOCOL_TABLES if self.proof.fallback.sources else basis_of(self.fact),
            severity=self.severity_of_unproven,
            summary=f"{self.refused}, and nothing proves that an older one was taken",
            remedy=self.fact.remedy,
            references=self.references,
            guest=self.guest,
            derivation=self.lines,
            if_otherwise=("if the device works in the guest: nothing to do",),
        )

    @property
    def severity_of_unproven(self) -> Severity:
        """The urgency by design rule 3: whether a known sender is left without the device."""
        versions = self.event.versions
        names_vm = bool(self.event.vm_name or self.event.vm_id)
        if not names_vm or not versions.known or self.fact.certainty is Certainty.UNVERIFIED:
            return Severity.CHECK
        fallback = self.proof.fallback
        guest = self.evidence.guest
        kernel = stated_kernel(guest.os_version) if guest is not None else None
        known_to_fall_back = (
            kernel is not None
            and self.evidence.family is GuestFamily.LINUX
            and fallback.kernels_that_fall_back(kernel)
        )
        return (
            Severity.CHECK
            if fallback.proven or fallback.fallback_inferred or known_to_fall_back
            else Severity.ACT
        )

    def harmless(self, assumes_guest: bool, aftermath: Aftermath) -> Ruling:
        assumptions, lines = [], list(self.lines)
        summary = f"{self.refused}, and the guest connects with an older one that the host has"
        if assumes_guest:
            assumptions.append(Assumption.GUEST_SYSTEM)
            lines.append(f"Of the guest's system this is assumed: {self.evidence.assumed_because}.")
        if aftermath.unseen:
            assumptions.append(Assumption.WHAT_FOLLOWS)
            lines += [f"What followed was not seen whole: {why}." for why in aftermath.unseen]
            summary += f"; what followed was not seen whole ({aftermath.unseen[0]})"
        return Ruling(
            label=Label.IGNORABLE,
            reason=Reason.REFUSED_WITH_FALLBACK,
            basis=Basis.USER_ROW if self.fact.forced else self.proof.basis,
            severity=Severity.NONE,
            summary=summary,
            assumptions=tuple(assumptions),
            guest_gap=self.evidence.assumed_because if assumes_guest else None,
            unseen=aftermath.channels,
            references=self.references,
            guest=self.guest,
            derivation=tuple(lines),
            if_otherwise=("if a failure of the same VM follows: actionable",),
        )
