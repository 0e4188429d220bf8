"""The one decision on a working mismatch, from an event or from the console.

The device works with an older version. That is ignorable in a guest that is not Windows (KB 2956569) and
actionable in a Windows guest, so everything depends on what runs in the VM. In this order count: the
inventory, unless the guest speaks what its system never does; versions that only Windows speaks; versions
that no Windows speaks; and where nothing is known, the policy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hvdegraded.guests.guest import Guest
from hvdegraded.knowledge.guest_systems import windows_release, windows_remedy
from hvdegraded.knowledge.protocols import Inference, ProtocolTable
from hvdegraded.knowledge.vocabulary import (
    Certainty,
    Component,
    GuestFamily,
    ProtocolVersion,
    VersionPair,
    version_pair,
)
from hvdegraded.verdicts.evidence import GuestEvidence
from hvdegraded.verdicts.phrases import gap_text, guest_text, sentence
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.ruling import Ruling
from hvdegraded.verdicts.verdict import Assumption, Basis, GuestGap, Label, Reason, Severity

__all__ = ["CORRECT_INVENTORY", "WorkingMismatch", "decide"]

_KB = "KB 2956569"
_TIME_SYNC = ProtocolVersion(4, 0)  # protocols.toml; data exchange ends at 5.0 there
_BEFORE_2016 = frozenset(
    {
        "Windows Server 2008",
        "Windows Server 2008 R2",
        "Windows Server 2012",
        "Windows Server 2012 R2",
        "Windows 7",
        "Windows 8",
        "Windows 8.1",
    }
)
_HOST_BEFORE_2016 = "Windows Server 2012 R2"
_LEFT_BEHIND = (
    "Nothing can be done on a host of 2016 or later but to run a newer Windows in the guest: the time "
    "synchronisation of such hosts was not brought to older guests"
)
CORRECT_INVENTORY = (
    "Find out what this VM runs, and correct the inventory: by the VM's id, if several have its name."
)
_OTHER = "if this VM does not run Windows: ignorable"


@dataclass(frozen=True)
class WorkingMismatch:
    """A device or service that works with another version than the host's.

    `works` says so in words; `host_release` is the Windows release of the host, where it is known,
    `host_since_2016` whether it is one of 2016 or later.
    """

    works: str
    component: Component | None = None
    version_pairs: tuple[VersionPair, ...] = ()
    host_release: str | None = None
    host_since_2016: bool = False
    references: tuple[str, ...] = ()
    derivation: tuple[str, ...] = ()

    @property
    def is_time_sync(self) -> bool:
        """Whether it is about time synchronisation; of all services only this one ends at 4.0 on the host."""
        unnamed = self.component is Component.INTEGRATION and self.version_pairs[-1:]
        return self.component is Component.TIME_SYNC or any(pair.host == _TIME_SYNC for pair in unnamed or ())


def decide(mismatch: WorkingMismatch, evidence: GuestEvidence, policy: Policy) -> Ruling:
    """Decide what a working mismatch of this guest is."""
    ruling = _rule(mismatch, evidence, policy)
    return replace(
        ruling,
        summary=mismatch.works + ruling.summary,
        references=tuple(dict.fromkeys((_KB, *mismatch.references, *ruling.references))),
        guest=ruling.guest or guest_text(evidence.guest),
        derivation=mismatch.derivation + ruling.derivation,
    )


def _rule(mismatch: WorkingMismatch, evidence: GuestEvidence, policy: Policy) -> Ruling:
    """Rule on a working mismatch, with the end of a summary that begins with what works."""
    guest, family = evidence.guest, evidence.family
    if evidence.contradiction is not None:
        return _contradicted(mismatch, evidence.contradiction)
    if guest is not None and family is GuestFamily.WINDOWS:
        return _known_as_windows(mismatch, guest)
    if guest is not None and family is not GuestFamily.UNKNOWN:
        if evidence.assumed_because is None:
            return _known_as_other(mismatch, guest)
        return _unknown(mismatch, policy, evidence.assumed_because)
    if guest is not None and guest.undecided:
        return _undecided(mismatch, guest)
    windows = _spoken_only_by_windows(mismatch, policy.knowledge.protocols) or evidence.windows
    if windows is not None:
        return _windows(
            mismatch,
            Basis.PROTOCOL_TABLES,
            "; only Windows guests are known to speak what this VM speaks, and should be updated",
            f"Only Windows guests are known to speak {windows}.",
        )
    if evidence.inferred is not None and evidence.inferred.certainty is not Certainty.UNVERIFIED:
        return _inferred(mismatch, evidence.inferred)
    return _unknown(mismatch, policy, GuestGap.NOT_LISTED)


def _known_as_windows(mismatch: WorkingMismatch, guest: Guest) -> Ruling:
    says = "The inventory says that this VM runs Windows."
    release = windows_release(guest.os_name)
    was_left_behind = mismatch.is_time_sync and release in _BEFORE_2016
    if was_left_behind and mismatch.host_since_2016:
        return Ruling(
            reason=Reason.LOADED_WINDOWS,
            basis=Basis.GUEST_INVENTORY,
            severity=Severity.NONE,
            summary=f"; no update makes {release} match this host",
            remedy=f"{_LEFT_BEHIND}.",
            references=("KB 4014894",),
            derivation=(says,),
            if_otherwise=(_OTHER,),
        )
    ruling = _windows(mismatch, Basis.GUEST_INVENTORY, ", but a Windows guest should be updated", says)
    if was_left_behind and mismatch.host_release is None:
        return replace(
            ruling,
            summary=f"; on a host of 2016 or later no update makes {release} match it",
            remedy=f"{_LEFT_BEHIND}. On an older host: {windows_remedy(_HOST_BEFORE_2016)}",
            references=("KB 4014894",),
        )
    return ruling


def _spoken_only_by_windows(mismatch: WorkingMismatch, tables: ProtocolTable) -> str | None:
    for pair in (*mismatch.version_pairs, version_pair(mismatch.component)):
        if pair.component is not None and tables.is_of_windows_only(pair.component, pair.guest):
            return f"{pair.component} {pair.guest or ''}".rstrip()
    return None


def _if_windows(mismatch: WorkingMismatch) -> str:
    return f"if this VM runs Windows: actionable; {windows_remedy(mismatch.host_release)}"


def _windows(mismatch: WorkingMismatch, basis: Basis, clause: str, because: str) -> Ruling:
    return Ruling(
        reason=Reason.LOADED_WINDOWS,
        basis=basis,
        severity=Severity.CHECK,
        summary=clause,
        remedy=windows_remedy(mismatch.host_release),
        derivation=(because,),
        if_otherwise=(_OTHER,),
    )


def _contradicted(mismatch: WorkingMismatch, says: str) -> Ruling:
    return Ruling(
        reason=Reason.INVENTORY_CONTRADICTED,
        basis=Basis.PROTOCOL_TABLES,
        severity=Severity.CHECK,
        summary=f", but {says}",
        remedy=CORRECT_INVENTORY,
        derivation=(f"{sentence(says)}.",),
        if_otherwise=("if the inventory is right: ignorable", _if_windows(mismatch)),
    )


def _known_as_other(mismatch: WorkingMismatch, guest: Guest) -> Ruling:
    lines = [
        f"The inventory says that this VM runs {guest.family}; for guests other than Windows this is safe."
    ]
    if guest.supported is False:
        lines.append("The vendor does not list this system as a supported guest.")
    return Ruling(
        label=Label.IGNORABLE,
        reason=Reason.LOADED_NON_WINDOWS,
        basis=Basis.GUEST_INVENTORY,
        severity=Severity.NONE,
        summary=f", and {guest.family} guests are meant to speak older versions",
        derivation=tuple(lines),
        if_otherwise=(_if_windows(mismatch),),
    )


def _undecided(mismatch: WorkingMismatch, guest: Guest) -> Ruling:
    return Ruling(
        reason=Reason.LOADED_UNKNOWN,
        basis=Basis.GUEST_INVENTORY,
        severity=Severity.CHECK,
        summary=", but the inventory leaves open whether the guest is Windows",
        remedy=CORRECT_INVENTORY,
        derivation=(f"The inventory leaves open what runs: {guest.source or 'rows disagree'}.",),
        if_otherwise=(_OTHER, _if_windows(mismatch)),
    )


def _inferred(mismatch: WorkingMismatch, inferred: Inference) -> Ruling:
    return Ruling(
        label=Label.IGNORABLE,
        reason=Reason.LOADED_NON_WINDOWS,
        basis=Basis.GUEST_INFERENCE,
        severity=Severity.NONE,
        summary=", and no Windows guest speaks what this VM speaks",
        references=(inferred.source,),
        guest=" or ".join(inferred.families),
        derivation=tuple(inferred.lines),
        if_otherwise=(_if_windows(mismatch),),
    )


def _unknown(mismatch: WorkingMismatch, policy: Policy, gap: GuestGap) -> Ruling:
    ignorable = policy.unknown_guest is Label.IGNORABLE
    taken = "a guest that is not Windows" if ignorable else "one that may be Windows"
    return Ruling(
        label=policy.unknown_guest,
        reason=Reason.LOADED_UNKNOWN,
        basis=Basis.GUEST_ASSUMPTION,
        severity=Severity.NONE if ignorable else Severity.CHECK,
        assumptions=(Assumption.GUEST_SYSTEM,) if ignorable else (),
        summary=f"; the guest's system is not known for certain, and taken as {taken}",
        guest_gap=gap,
        remedy=gap.remedy,
        derivation=(f"{sentence(gap_text(gap, policy))}, so the policy decides.",),
        if_otherwise=(_OTHER, _if_windows(mismatch)),
    )
