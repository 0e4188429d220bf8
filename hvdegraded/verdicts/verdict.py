"""The verdict on an event: one of two labels, and all that it rests on."""

from __future__ import annotations

import enum

from pydantic import BaseModel, ConfigDict

from hvdegraded.knowledge.vocabulary import Component, ProtocolVersion

__all__ = ["Basis", "Label", "Reason", "Verdict"]


class Label(enum.StrEnum):
    """What an event is to an administrator."""

    IGNORABLE = "ignorable protocol-version mismatch"
    ACTIONABLE = "actionable"


class Reason(enum.StrEnum):
    """Why an event has its label."""

    LOADED_NON_WINDOWS = "loaded_mismatch_non_windows_guest"
    LOADED_WINDOWS = "loaded_mismatch_windows_guest"
    LOADED_UNKNOWN = "loaded_mismatch_unknown_guest"
    REFUSED_WITH_FALLBACK = "refused_offer_with_fallback"
    REFUSED_UNPROVEN = "refused_offer_not_proven_harmless"
    REFUSED_THEN_FAILURE = "refused_offer_then_failure"
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

    `assumed`: the guest's system was not known, and the policy's default decided. `derivation` tells the
    steps, `if_otherwise` what would change the verdict, `problem` is equal for verdicts that are one finding.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    label: Label
    reason: Reason
    basis: Basis
    summary: str
    assumed: bool = False
    remedy: str | None = None
    references: tuple[str, ...] = ()
    component: Component | None = None
    server_version: ProtocolVersion | None = None
    client_version: ProtocolVersion | None = None
    vm_name: str | None = None
    vm_id: str | None = None
    host: str | None = None
    guest: str | None = None
    derivation: tuple[str, ...] = ()
    if_otherwise: tuple[str, ...] = ()
    problem: str = ""

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
        if self.assumed:
            lines.append("assumed: the guest's system is not known, and the policy's default decided")
        if self.guest:
            lines.append(f"guest: {self.guest}")
        lines += [f"  {line}" for line in self.derivation]
        if self.remedy:
            lines.append(f"what to do: {self.remedy}")
        if self.references:
            lines.append(f"references: {', '.join(self.references)}")
        lines += [f"otherwise: {line}" for line in self.if_otherwise]
        return "\n".join(lines)
