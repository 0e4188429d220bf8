"""What a rule decides, before it is said of which VM: the one way to make a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hvdegraded.events import Event, VersionEvent
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.vocabulary import Component, Outcome, Role, VersionPair
from hvdegraded.records.models import build_model
from hvdegraded.verdicts.phrases import sentence
from hvdegraded.verdicts.verdict import (
    Assumption,
    Basis,
    GuestGap,
    Label,
    Reason,
    Severity,
    UnseenChannel,
    Verdict,
)

if TYPE_CHECKING:
    from hvdegraded.guests.console_status import ConsoleStatus

__all__ = ["Ruling", "basis_of", "rule_on_known", "rule_on_unusable", "verdict_on_event", "verdict_on_status"]

_ROLES = {
    Role.PROBLEM: (Reason.KNOWN_PROBLEM, Severity.ACT),
    Role.WATCH: (Reason.WATCH, Severity.CHECK),
    Role.INFORMATION: (Reason.NOT_A_PROBLEM_REPORT, Severity.NONE),
}
_ONE_FINDING_PER_EVENT_ID = frozenset(
    {
        Reason.KNOWN_PROBLEM,
        Reason.WATCH,
        Reason.NOT_A_PROBLEM_REPORT,
        Reason.UNKNOWN_EVENT,
        Reason.NOT_HYPER_V,
    }
)


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """A verdict without its subject, under the same names; the VM's name goes before `summary`."""

    label: Label = Label.ACTIONABLE
    reason: Reason
    basis: Basis
    severity: Severity
    summary: str
    assumptions: tuple[Assumption, ...] = ()
    guest_gap: GuestGap | None = None
    unseen: tuple[UnseenChannel, ...] = ()
    remedy: str | None = None
    references: tuple[str, ...] = ()
    guest: str | None = None
    derivation: tuple[str, ...] = ()
    if_otherwise: tuple[str, ...] = ()

    def summary_on(self, vm: str | None) -> str:
        """Return the summary with the VM's name or id before it."""
        return f"VM {vm}: {self.summary}" if vm else self.summary

    def on(
        self,
        *,
        vm_name: str | None,
        vm_id: str | None,
        host: str | None,
        component: Component | None,
        version_pairs: tuple[VersionPair, ...],
        problem: str,
    ) -> Verdict:
        """Make the verdict on one subject."""
        subject = {
            "summary": self.summary_on(vm_name or vm_id),
            "vm_name": vm_name,
            "vm_id": vm_id,
            "host": host,
            "component": component,
            "version_pairs": version_pairs,
            "problem": problem,
        }
        return build_model(Verdict, vars(self) | subject)


def basis_of(fact: EventFact) -> Basis:
    """Return what a verdict by a row of the tables stands on."""
    return Basis.USER_ROW if fact.forced else Basis.EVENT_DEFINITION


def rule_on_known(fact: EventFact, summary: str, remedy: str | None = None) -> Ruling:
    """Rule on an event that is what its row says: a problem, worth a look when it repeats, or neither."""
    reason, severity = _ROLES.get(fact.role, (Reason.INCOMPLETE_EVIDENCE, Severity.CHECK))
    if fact.outcome is Outcome.NEGOTIATED:
        reason, severity = Reason.NOT_A_PROBLEM_REPORT, Severity.NONE
    return Ruling(
        reason=reason,
        basis=basis_of(fact),
        severity=severity,
        summary=summary,
        remedy=remedy,
        references=fact.references,
    )


def rule_on_unusable(
    event: VersionEvent, fact: EventFact, why: str, lines: tuple[str, ...] = (), guest: str | None = None
) -> Ruling:
    """Rule on a version event that proves nothing, for this reason."""
    return Ruling(
        reason=Reason.INCOMPLETE_EVIDENCE,
        basis=basis_of(fact),
        severity=Severity.CHECK,
        summary=f"{event.component} version mismatch that proves nothing: {why}",
        remedy="Look at the event on the host itself; what was lost or mangled on its way decides.",
        references=fact.references,
        guest=guest,
        derivation=(*lines, f"{sentence(why)}."),
    )


def verdict_on_event(event: Event, ruling: Ruling) -> Verdict:
    """Make the verdict on an event."""
    component: Component | None = None
    pairs: tuple[VersionPair, ...] = ()
    problem: str = ruling.reason
    if isinstance(event, VersionEvent):
        component, pairs = event.component, event.version_pairs
    if ruling.reason in _ONE_FINDING_PER_EVENT_ID:
        problem += f" {event.provider.lower()} {event.event_id}"
    return ruling.on(
        vm_name=event.vm_name,
        vm_id=event.vm_id,
        host=event.host or None,
        component=component,
        version_pairs=pairs,
        problem=problem,
    )


def verdict_on_status(status: ConsoleStatus, ruling: Ruling) -> Verdict:
    """Make the verdict on a state that the console shows."""
    return ruling.on(
        vm_name=status.vm_name,
        vm_id=status.vm_id,
        host=status.host,
        component=status.component,
        version_pairs=(),
        problem=f"console {ruling.reason}",
    )
