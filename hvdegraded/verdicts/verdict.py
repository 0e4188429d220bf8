"""The verdict on an event: one of two labels, and all that it rests on."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict
from pydantic import Field as ModelField

from hvdegraded.knowledge.loader import link_of
from hvdegraded.knowledge.vocabulary import Component, VersionPair, differing_pair, version_pair
from hvdegraded.printable import printable, table_html
from hvdegraded.records.coverage import CoverageGap

__all__ = [
    "Assumption",
    "Basis",
    "GuestGap",
    "Label",
    "Reason",
    "Severity",
    "UnseenChannel",
    "Verdict",
]


class Label(enum.StrEnum):
    """What an event is to an administrator.

    >>> import hvdegraded as hv
    >>> event = next(hv.read("sample_logs/hv2012r2/System.evtx"))
    >>> hv.classify(event).label is hv.Label.IGNORABLE
    True
    """

    IGNORABLE = "ignorable protocol-version mismatch"
    ACTIONABLE = "actionable"


class Severity(enum.StrEnum):
    """What an event asks for, most urgent first.

    >>> import hvdegraded as hv
    >>> findings = hv.triage("sample_logs/hv2022", guests="sample_logs/guests.json")
    >>> findings.to_act_on.findings[0].severity is hv.Severity.ACT
    True
    """

    ACT = "act"
    CHECK = "check"
    NONE = "none"


class Assumption(enum.StrEnum):
    """What an ignorable verdict takes for granted, because it is not known.

    GUEST_SYSTEM: that the guest is not Windows, or still is what the inventory says. WHAT_FOLLOWS: that no
    failure of the VM followed the refusal.

    >>> import hvdegraded as hv
    >>> event = next(hv.read("sample_logs/hv2012r2/System.evtx"))
    >>> hv.classify(event).assumptions == (hv.Assumption.GUEST_SYSTEM,)
    True
    """

    GUEST_SYSTEM = "guest system"
    WHAT_FOLLOWS = "what follows"


class Reason(enum.StrEnum):
    """Why an event has its label.

    >>> import hvdegraded as hv
    >>> hv.classify(hv.EventRecord("Microsoft-Windows-Hyper-V-VMMS", 19100)).reason is hv.Reason.KNOWN_PROBLEM
    True
    """

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
    """What a verdict stands on.

    >>> import hvdegraded as hv
    >>> event = next(hv.read("sample_logs/hv2012r2/System.evtx"))
    >>> hv.classify(event, guest="linux").basis is hv.Basis.GUEST_INVENTORY
    True
    """

    GUEST_INVENTORY = "guest inventory"
    GUEST_INFERENCE = "versions that no Windows guest speaks"
    GUEST_ASSUMPTION = "assumption about the guest"
    PROTOCOL_TABLES = "protocol tables"
    EVENT_DEFINITION = "the event's own definition"
    CONTEXT = "other events of the same VM"
    USER_ROW = "a row of the user's policy"
    NOTHING = "no known rule"


class GuestGap(enum.StrEnum):
    """Why a guest's system is not known for certain at the time of an event.

    CREATED_SINCE: the VM was created or deleted after the inventory was taken and before the event;
    REPLACED_SINCE: after the event and before the inventory was taken.

    >>> import hvdegraded as hv
    >>> event = next(hv.read("sample_logs/hv2012r2/System.evtx"))
    >>> gap = hv.classify(event).guest_gap
    >>> gap is hv.GuestGap.NOT_LISTED, gap.remedy
    (True, 'Name the system that this VM runs.')
    """

    NOT_LISTED = "nothing shows what this VM runs"
    SIMILAR_NAME = "the inventory lists a name that is only similar"
    OUTDATED = "the inventory is much older than the event"
    NO_DATE = "a VM of this name was created or deleted, and the inventory has no date"
    CREATED_SINCE = "the VM was created or deleted between the inventory and the event"
    REPLACED_SINCE = "the VM was created or deleted between the event and the inventory"
    OTHER_BEFORE = "this VM ran another system before the inventory was taken"
    MANY_VERSIONS = "more versions were reported of this VM than are kept"

    @property
    def remedy(self) -> str:
        """What is needed to know the system."""
        return _SETTLED_BY[self]

    @property
    def settled_by_name(self) -> bool:
        """Whether it is enough to name the system of the VM's name."""
        return self in (GuestGap.NOT_LISTED, GuestGap.SIMILAR_NAME)

    @property
    def settled_by_id(self) -> bool:
        """Whether the name stands for several VMs, and it is enough to name the system of the VM's id."""
        return self in (GuestGap.NO_DATE, GuestGap.CREATED_SINCE, GuestGap.REPLACED_SINCE)

    @property
    def is_of_date(self) -> bool:
        """Whether the inventory would settle it if it had been taken at another time."""
        return self in (GuestGap.OUTDATED, GuestGap.CREATED_SINCE, GuestGap.REPLACED_SINCE)


_SETTLED_BY = {
    GuestGap.NOT_LISTED: "Name the system that this VM runs.",
    GuestGap.SIMILAR_NAME: "Name the system of this VM by the name that the logs show, or by its id.",
    GuestGap.OUTDATED: "Take a new inventory: the one given is much older than these events.",
    GuestGap.NO_DATE: "A VM of this name was created or deleted: name the system by the VM's id, or give an "
    "inventory that contains its date.",
    GuestGap.CREATED_SINCE: "A VM of this name was created or deleted after the inventory was taken: take a "
    "new inventory, or name the system by the VM's id.",
    GuestGap.REPLACED_SINCE: "A VM of this name was created or deleted before the inventory was taken: give "
    "one from the time of these events, or name the system by the VM's id.",
    GuestGap.OTHER_BEFORE: "This VM ran another system before the inventory was taken: look what it "
    "runs now, and acknowledge the finding in a policy.",
    GuestGap.MANY_VERSIONS: "More versions were reported of this VM than are kept: read the logs of a "
    "shorter time.",
}


@dataclass(frozen=True, slots=True)
class UnseenChannel:
    """A channel of the host in which a failure after a refusal would stand, and why it was not seen whole."""

    channel: str
    gap: CoverageGap


class Verdict(BaseModel):
    """A label with its reason, basis, one-line summary, and what to do.

    `severity` says what the event asks for, `assumptions` what an ignorable verdict takes for granted.
    `guest_gap` says why the guest's system is assumed; `unseen` names the channels that would show what
    followed a refusal, and were not seen whole.
    `derivation` contains the steps, `if_otherwise` what would change the verdict; `problem` is equal for
    verdicts that are one finding.

    >>> import hvdegraded as hv
    >>> event = next(hv.read("sample_logs/hv2012r2/System.evtx"))
    >>> verdict = hv.classify(event, guest="linux")
    >>> verdict.ignorable, verdict.assumed, str(verdict.severity)
    (True, False, 'none')
    >>> print(verdict.explain().splitlines()[1])
    reason: loaded_mismatch_non_windows_guest, by guest inventory
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    label: Label
    reason: Reason
    basis: Basis
    severity: Severity
    summary: str
    assumptions: tuple[Assumption, ...] = ()
    guest_gap: GuestGap | None = None
    unseen: tuple[UnseenChannel, ...] = ()
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
        return differing_pair(self.version_pairs) or version_pair()

    @property
    def ignorable(self) -> bool:
        """Whether the event is an ignorable protocol-version mismatch."""
        return self.label is Label.IGNORABLE

    @property
    def actionable(self) -> bool:
        """Whether the event is anything else."""
        return self.label is Label.ACTIONABLE

    def explain(self) -> str:
        """Return the verdict in words: what, why, by which facts, and what would change it."""
        return "\n".join(f"{name}: {text}" if name else f"  {text}" for name, text in self._lines())

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield self.label, self.summary
        yield "reason", f"{self.reason}, by {self.basis}"
        if self.severity is not Severity.NONE:
            yield "severity", self.severity
        yield from (("assumed", _ASSUMED[assumption]) for assumption in self.assumptions)
        if self.guest:
            yield "guest", self.guest
        yield from (("", line) for line in self.derivation)
        if self.remedy:
            yield "what to do", self.remedy
        for reference in dict.fromkeys(self.references):
            link = link_of(reference)
            yield "reference", f"{reference}, {link}" if link else reference
        yield from (("otherwise", line) for line in self.if_otherwise)

    def __repr__(self) -> str:
        more = "assumed" if self.assumed else "" if self.severity is Severity.NONE else self.severity
        return printable(f"<Verdict {self.label}{f' ({more})' if more else ''}: {self.summary}>")

    def __str__(self) -> str:
        return f"{self.label}: {self.summary}"

    def _repr_html_(self) -> str:
        return table_html(self._lines())


_ASSUMED = {
    Assumption.GUEST_SYSTEM: "the guest's system is not known for that time, and taken as not Windows",
    Assumption.WHAT_FOLLOWS: "what followed cannot be seen whole, and taken as no failure of this VM",
}
