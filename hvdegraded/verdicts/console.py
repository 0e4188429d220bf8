"""Verdicts on what the console shows: states of VMs and their services, by the same rules as events.

`console_status` reads the state; here it meets the guest. A protocol mismatch of a service or adapter that
works, and "Degraded" of a service, mean that it works with another version (KB 2956569): that depends on the
guest. "Degraded" of the machine itself is a failure of its storage, and of an adapter it can be anything.
"Update required" names no component and does not say that anything works, so it proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hvdegraded.guests.console_status import ConsoleState, ConsoleStatus, StatusSubject, console_status
from hvdegraded.guests.guest import Guest
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.guest_systems import GuestFamily, windows_remedy
from hvdegraded.verdicts.phrases import guest_text
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.verdict import Basis, Label, Reason, Verdict

__all__ = ["classify_status"]

_KB = "KB 2956569"
_WORKS = frozenset({ConsoleState.PROTOCOL_MISMATCH, ConsoleState.DEGRADED})


def classify_status(
    record: Mapping[str, Any], guests: GuestInventory | None = None, policy: Policy | None = None
) -> Verdict | None:
    """The verdict on a state exported from Get-VM, Get-VMIntegrationService or WMI; None if it is none."""
    status = console_status(record)
    if status is None:
        return None
    if status.state is ConsoleState.OK:
        return _verdict(status, Label.ACTIONABLE, Reason.NOT_A_PROBLEM_REPORT, "everything is in order")
    known = guests if guests is not None else GuestInventory()
    guest = known.find(vm_id=status.vm_id, vm_name=status.vm_name, host=status.host)
    family = guest.family if guest is not None else GuestFamily.UNKNOWN
    mismatch = status.state is ConsoleState.PROTOCOL_MISMATCH or (
        status.state is ConsoleState.DEGRADED and status.subject is StatusSubject.SERVICE
    )
    if not mismatch or not (status.vm_name or status.vm_id):
        return _verdict(
            status,
            Label.ACTIONABLE,
            Reason.CONSOLE_STATE,
            "; ".join(status.meanings) or str(status.state),
            guest=guest,
            remedy=_what_to_do(status, family),
        )
    works = f"{status.component or status.subject} works with another version"
    windows = f"if this VM runs Windows: actionable; {windows_remedy(None)}"
    other = "if this VM does not run Windows: ignorable"
    if family is GuestFamily.WINDOWS:
        return _verdict(
            status,
            Label.ACTIONABLE,
            Reason.LOADED_WINDOWS,
            f"{works}, but a Windows guest should be updated",
            basis=Basis.GUEST_INVENTORY,
            guest=guest,
            remedy=windows_remedy(None),
            if_otherwise=(other,),
        )
    if family is not GuestFamily.UNKNOWN:
        return _verdict(
            status,
            Label.IGNORABLE,
            Reason.LOADED_NON_WINDOWS,
            f"{works}, and {family} guests are meant to speak older versions",
            basis=Basis.GUEST_INVENTORY,
            guest=guest,
            if_otherwise=(windows,),
        )
    if guest is not None and guest.undecided:
        return _verdict(
            status,
            Label.ACTIONABLE,
            Reason.LOADED_UNKNOWN,
            f"{works}, but the inventory cannot tell whether the guest is Windows",
            basis=Basis.GUEST_INVENTORY,
            guest=guest,
            remedy="Find out what this VM runs, and correct the inventory.",
            if_otherwise=(other, windows),
        )
    return _verdict(
        status,
        (policy or Policy()).unknown_guest,
        Reason.LOADED_UNKNOWN,
        f"{works}; the guest's system is not known",
        basis=Basis.GUEST_ASSUMPTION,
        assumed=True,
        guest=guest,
        remedy="Give an inventory of the guests, so that nothing need be assumed.",
        if_otherwise=(other, windows),
    )


def _what_to_do(status: ConsoleStatus, family: GuestFamily) -> str:
    if status.state is not ConsoleState.UPDATE_REQUIRED:
        return "Look at the VM's events of that time."
    if family is GuestFamily.WINDOWS:
        return windows_remedy(None)
    if family is GuestFamily.UNKNOWN:
        return f"Find out what this VM runs. Of a Windows guest: {windows_remedy(None)}"
    return (
        f"There is nothing to install in a {family} guest, whose integration services come with its kernel: "
        "look at the VM's version events, each of which tells whether its device works."
    )


def _verdict(
    status: ConsoleStatus,
    label: Label,
    reason: Reason,
    what: str,
    *,
    basis: Basis = Basis.EVENT_DEFINITION,
    assumed: bool = False,
    remedy: str | None = None,
    guest: Guest | None = None,
    if_otherwise: tuple[str, ...] = (),
) -> Verdict:
    name = status.vm_name or status.vm_id
    return Verdict(
        label=label,
        reason=reason,
        basis=basis,
        assumed=assumed,
        summary=f"VM {name}: {what}" if name else what,
        remedy=remedy,
        references=(_KB,) if status.state in _WORKS else (),
        component=status.component,
        vm_name=status.vm_name,
        vm_id=status.vm_id,
        host=status.host,
        guest=guest_text(guest),
        derivation=status.meanings,
        if_otherwise=if_otherwise,
        problem=f"console {reason}",
    )
