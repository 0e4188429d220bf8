"""The verdict on an event: one of two labels, and all that it rests on."""

from __future__ import annotations

import enum

from pydantic import BaseModel, ConfigDict
from pydantic import Field as ModelField

from hvdegraded.knowledge.vocabulary import Component, VersionPair, differing_pair

__all__ = ["Assumption", "Basis", "Label", "Reason", "Severity", "Verdict"]


class Label(enum.StrEnum):
    """What an event is to an administrator."""

    IGNORABLE = "ignorable protocol-version mismatch"
    ACTIONABLE = "actionable"


class Severity(enum.StrEnum):
    """What an event asks for, most urgent first."""

    ACT = "act"
    CHECK = "check"
    NONE = "none"


class Assumption(enum.StrEnum):
    """What an ignorable verdict takes for granted, because it is not known.

    GUEST_SYSTEM: that the guest is not Windows, or still is what the inventory says. WHAT_FOLLOWS: that no
    failure of the VM followed the refusal.
    """

    GUEST_SYSTEM = "guest system"
    WHAT_FOLLOWS = "what follows"


class Reason(enum.StrEnum):
    """Why an event has its label."""

    LOADED_NON_WINDOWS = "loaded_mismatch_non_windows_guest"
    LOADED_WINDOWS = "loaded_mismatch_windows_guest"
    LOADED_UNKNOWN = "loaded_mismatch_unknown_guest"
    REFUSED_WITH_FALLBACK = "refused_offer_with_fallback"
    REFUSED_UNPROVEN = "refused_offer_not_proven_harmless"
    REFUSED_THEN_FAILURE = "refused_offer_then_failure"
    REFUSED_AGAIN = "refused_offer_again"
    NO_COMMON_VERSION = "no_common_version"
    INVENTORY_CONTRADICTED = "inventory_contradicted"
    INCOMPLETE_EVIDENCE = "incomplete_evidence"
    KNOWN_PROBLEM = "known_problem"
    WATCH = "watch_when_repeated"
    NOT_A_PROBLEM_REPORT = "not_a_problem_report"
    UNKNOWN_EVENT = "unknown_event"
    NOT_HYPER_V = "not_hyper_v"
    CONSOLE_STATE = "console_state"


class Basis(enum.StrEnum):
    """What a verdict stands on."""

    GUEST_INVENTORY = "guest inventory"
    GUEST_INFERENCE = "versions that no Windows guest speaks"
    GUEST_ASSUMPTION = "assumption about the guest"
    PROTOCOL_TABLES = "protocol tables"
    EVENT_DEFINITION = "the event's own definition"
    CONTEXT = "other events of the same VM"
    USER_ROW = "a row of the user's policy"
    NOTHING = "no known rule"


class Verdict(BaseModel):
    """A label with its reason, basis, one-line summary, and what to do.

    `severity` says what the event asks for, `assumptions` what an ignorable verdict takes for granted.
    `derivation` contains the steps, `if_otherwise` what would change the verdict; `problem` is equal for
    verdicts that are one finding.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    label: Label
    reason: Reason
    basis: Basis
    severity: Severity
    summary: str
    assumptions: tuple[Assumption, ...] = ()
    remedy: str | None = None
    references: tuple[str, ...] = ()
    component: Component | None = None
    version_pairs: tuple[VersionPair, ...] = ()
    vm_name: str | None = None
    vm_id: str | None = None
    host: str | None = None
    guest: str | None = None
    derivation: tuple[str, ...] = ()
    if_otherwise: tuple[str, ...] = ()
    problem: str = ModelField(default="", exclude=True)

    @property
    def assumed(self) -> bool:
        """Whether it is ignorable only if what it assumes holds."""
        return bool(self.assumptions)

    @property
    def proven(self) -> bool:
        """Whether it is ignorable, and assumes nothing."""
        return self.ignorable and not self.assumptions

    @property
    def versions(self) -> VersionPair:
        """The pair of versions to show where there is room for one."""
        return differing_pair(self.version_pairs) or VersionPair()

    @property
    def ignorable(self) -> bool:
        """Whether the event is an ignorable protocol-version mismatch."""
        return self.label is Label.IGNORABLE

    @property
    def actionable(self) -> bool:
        """Whether the event is anything else."""
        return self.label is Label.ACTIONABLE

    def explain(self) -> str:
        """The verdict in words, line by line: what, why, by which facts, and what would change it."""
        lines = [f"{self.label}: {self.summary}", f"reason: {self.reason}, by {self.basis}"]
        if self.severity is not Severity.NONE:
            lines.append(f"severity: {self.severity}")
        lines += [f"assumed: {_ASSUMED[assumption]}" for assumption in self.assumptions]
        if self.guest:
            lines.append(f"guest: {self.guest}")
        lines += [f"  {line}" for line in self.derivation]
        if self.remedy:
            lines.append(f"what to do: {self.remedy}")
        if self.references:
            lines.append(f"references: {', '.join(self.references)}")
        lines += [f"otherwise: {line}" for line in self.if_otherwise]
        return "\n".join(lines)


_ASSUMED = {
    Assumption.GUEST_SYSTEM: "the guest's system is not known for that time, and taken as not Windows",
    Assumption.WHAT_FOLLOWS: "what followed cannot be seen whole, and taken as no failure of this VM",
}
