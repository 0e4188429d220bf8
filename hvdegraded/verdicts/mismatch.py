"""The one decision on a working mismatch, from an event or from the console.

The device works with an older version. That is ignorable in a guest that is not Windows (KB 2956569) and
actionable in a Windows guest, so everything depends on what runs in the VM. In this order count: the
inventory, unless the guest speaks what its system never does; versions that only Windows speaks; versions
that no Windows speaks; and where nothing is known, the policy.
"""

from __future__ import annotations

from dataclasses import dataclass

from hvdegraded.guests.guest import Guest
from hvdegraded.knowledge.guest_systems import windows_remedy
from hvdegraded.knowledge.protocols import Inference, ProtocolTable
from hvdegraded.knowledge.vocabulary import Certainty, Component, GuestFamily, VersionPair
from hvdegraded.verdicts.phrases import guest_text
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.ruling import Ruling
from hvdegraded.verdicts.verdict import Assumption, Basis, Label, Reason, Severity

__all__ = ["WorkingMismatch", "decide", "spoken_only_by_others"]

_KB = "KB 2956569"
_CORRECT = "Find out what this VM runs, and correct the inventory."
_OTHER = "if this VM does not run Windows: ignorable"


@dataclass(frozen=True)
class WorkingMismatch:
    """A device or service that works with another version than the host's.

    `works` says so in words; `host_release` is the Windows release of the host, where it is known.
    """

    works: str
    component: Component | None = None
    version_pairs: tuple[VersionPair, ...] = ()
    host_release: str | None = None
    references: tuple[str, ...] = ()
    derivation: tuple[str, ...] = ()


def decide(
    mismatch: WorkingMismatch, guest: Guest | None, inferred: Inference | None, policy: Policy
) -> Ruling:
    """Decide what a working mismatch of this guest is."""
    tables = policy.knowledge.protocols
    family = guest.family if guest is not None else GuestFamily.UNKNOWN
    if family is GuestFamily.WINDOWS:
        return _windows(
            mismatch,
            guest,
            Basis.GUEST_INVENTORY,
            ", but a Windows guest should be updated",
            "The inventory says that this VM runs Windows.",
        )
    if guest is not None and family is not GuestFamily.UNKNOWN:
        foreign = spoken_only_by_others(family, mismatch.component, mismatch.version_pairs, tables)
        if foreign is not None:
            return _contradicted(mismatch, guest, foreign)
        return _known_as_other(mismatch, guest)
    if guest is not None and guest.undecided:
        return _undecided(mismatch, guest)
    windows = _spoken_only_by_windows(mismatch, tables)
    if windows is not None:
        return _windows(
            mismatch,
            guest,
            Basis.PROTOCOL_TABLES,
            "; only Windows guests are known to speak this, and should be updated",
            f"Only Windows guests are known to speak {windows}.",
        )
    if inferred is not None and inferred.certainty is not Certainty.UNVERIFIED:
        return _inferred(mismatch, inferred)
    return _unknown(mismatch, guest, policy)


def spoken_only_by_others(
    family: GuestFamily,
    component: Component | None,
    pairs: tuple[VersionPair, ...],
    tables: ProtocolTable,
) -> str | None:
    """Return what the guest speaks that no known guest of this family does, or None."""
    if component is not None and (tables.lacks(family, component) or tables.is_of_windows_only(component)):
        return str(component)
    for pair in pairs:
        if tables.cannot_speak(family, pair.component, pair.guest, pair.service) or (
            pair.guest is not None and tables.is_of_windows_only(pair.component, pair.guest)
        ):
            return f"{pair.component} {pair.guest}" + f" of {pair.service}" * (pair.service is not None)
    return None


def _spoken_only_by_windows(mismatch: WorkingMismatch, tables: ProtocolTable) -> str | None:
    for pair in (*mismatch.version_pairs, VersionPair(component=mismatch.component)):
        if pair.component is not None and tables.is_of_windows_only(pair.component, pair.guest):
            return f"{pair.component} {pair.guest or ''}".rstrip()
    return None


def _references(mismatch: WorkingMismatch, *more: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((_KB, *mismatch.references, *more)))


def _if_windows(mismatch: WorkingMismatch) -> str:
    return f"if this VM runs Windows: actionable; {windows_remedy(mismatch.host_release)}"


def _windows(
    mismatch: WorkingMismatch, guest: Guest | None, basis: Basis, clause: str, because: str
) -> Ruling:
    return Ruling(
        reason=Reason.LOADED_WINDOWS,
        basis=basis,
        severity=Severity.CHECK,
        summary=mismatch.works + clause,
        remedy=windows_remedy(mismatch.host_release),
        references=_references(mismatch),
        guest=guest_text(guest),
        derivation=(*mismatch.derivation, because),
        if_otherwise=(_OTHER,),
    )


def _contradicted(mismatch: WorkingMismatch, guest: Guest, foreign: str) -> Ruling:
    says = f"the inventory says {guest.family}, but no known {guest.family} speaks {foreign}"
    return Ruling(
        reason=Reason.INVENTORY_CONTRADICTED,
        basis=Basis.PROTOCOL_TABLES,
        severity=Severity.CHECK,
        summary=f"{mismatch.works}, but {says}",
        remedy=_CORRECT,
        references=_references(mismatch),
        guest=guest_text(guest),
        derivation=(*mismatch.derivation, f"{says[0].upper()}{says[1:]}."),
        if_otherwise=("if the inventory is right all the same: ignorable", _if_windows(mismatch)),
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
        summary=f"{mismatch.works}, and {guest.family} guests are meant to speak older versions",
        references=_references(mismatch),
        guest=guest_text(guest),
        derivation=(*mismatch.derivation, *lines),
        if_otherwise=(_if_windows(mismatch),),
    )


def _undecided(mismatch: WorkingMismatch, guest: Guest) -> Ruling:
    return Ruling(
        reason=Reason.LOADED_UNKNOWN,
        basis=Basis.GUEST_INVENTORY,
        severity=Severity.CHECK,
        summary=f"{mismatch.works}, but the inventory leaves open whether the guest is Windows",
        remedy=_CORRECT,
        references=_references(mismatch),
        guest=guest_text(guest),
        derivation=(
            *mismatch.derivation,
            f"The inventory leaves open what runs: {guest.source or 'rows disagree'}.",
        ),
        if_otherwise=(_OTHER, _if_windows(mismatch)),
    )


def _inferred(mismatch: WorkingMismatch, inferred: Inference) -> Ruling:
    return Ruling(
        label=Label.IGNORABLE,
        reason=Reason.LOADED_NON_WINDOWS,
        basis=Basis.GUEST_INFERENCE,
        severity=Severity.NONE,
        summary=f"{mismatch.works}, and no Windows guest speaks what this VM speaks",
        references=_references(mismatch, inferred.source),
        guest=" or ".join(inferred.families),
        derivation=(*mismatch.derivation, *inferred.lines),
        if_otherwise=(_if_windows(mismatch),),
    )


def _unknown(mismatch: WorkingMismatch, guest: Guest | None, policy: Policy) -> Ruling:
    ignorable = policy.unknown_guest is Label.IGNORABLE
    taken = "a guest that is not Windows" if ignorable else "one that may be Windows"
    return Ruling(
        label=policy.unknown_guest,
        reason=Reason.LOADED_UNKNOWN,
        basis=Basis.GUEST_ASSUMPTION,
        severity=Severity.NONE if ignorable else Severity.CHECK,
        assumptions=(Assumption.GUEST_SYSTEM,) if ignorable else (),
        summary=f"{mismatch.works}; the guest's system is not known, and taken as {taken}",
        remedy="Give an inventory of the guests, so that nothing need be assumed.",
        references=_references(mismatch),
        guest=guest_text(guest),
        derivation=(*mismatch.derivation, "Nothing shows what this VM runs, so the policy decides."),
        if_otherwise=(_OTHER, _if_windows(mismatch)),
    )
