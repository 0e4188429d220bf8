"""Verdicts on what the console shows: states of VMs and their services, by the same rules as events.

`console_status` reads the state; here it meets the guest. A protocol mismatch of a service or adapter that
works, and "Degraded" of a service, mean that it works with another version (KB 2956569): that depends on the
guest. "Degraded" of the machine itself is a failure of its storage, and of an adapter it can be anything.
"Update required" is the same of a guest that is not Windows, whose services come with its kernel; of another
it proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hvdegraded.errors import WrongTypeError
from hvdegraded.guests.console_status import ConsoleState, ConsoleStatus, StatusSubject, console_status
from hvdegraded.guests.guest import Guest
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.guest_systems import family_from_integration, windows_remedy
from hvdegraded.knowledge.vocabulary import GuestFamily
from hvdegraded.verdicts.evidence import GuestEvidence
from hvdegraded.verdicts.mismatch import WorkingMismatch, decide
from hvdegraded.verdicts.phrases import guest_text
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.ruling import Ruling, verdict_on_status
from hvdegraded.verdicts.verdict import Basis, Reason, Severity, Verdict

__all__ = ["classify_status", "verdict_of_status"]

_SEVERITIES = {
    ConsoleState.DEGRADED: Severity.ACT,
    ConsoleState.INCOMPATIBLE: Severity.ACT,
    ConsoleState.LOST_CONTACT: Severity.ACT,
}


def classify_status(
    record: Mapping[str, Any], guests: object = None, policy: Policy | None = None
) -> Verdict | None:
    """Return the verdict on a state exported from Get-VM, Get-VMIntegrationService or WMI.

    Returns None if the record is not such a state. Raises WrongTypeError if it is not a mapping.

    >>> import hvdegraded as hv
    >>> state = {"VMName": "web01", "Name": "Heartbeat", "PrimaryOperationalStatus": 3}
    >>> state["SecondaryOperationalStatus"] = 32775  # the protocol version differs
    >>> hv.classify_status(state, {"web01": "Ubuntu 24.04"}).proven
    True
    """
    if not isinstance(record, Mapping):
        raise WrongTypeError(
            f"a state must be a mapping, not {type(record).__name__}",
            hint="give each object of the export, read by json.loads or csv.DictReader",
        )
    status = console_status(record)
    if status is None:
        return None
    known = GuestInventory() if guests is None else GuestInventory.load(guests)
    return verdict_of_status(status, known, policy or Policy())


def verdict_of_status(status: ConsoleStatus, guests: GuestInventory, policy: Policy) -> Verdict:
    """Return the verdict on a state that was read."""
    guest = guests.find(vm_id=status.vm_id, vm_name=status.vm_name, host=status.host)
    return verdict_on_status(status, _ruling(status, guest, policy))


def _ruling(status: ConsoleStatus, guest: Guest | None, policy: Policy) -> Ruling:
    if status.state is ConsoleState.OK:
        return Ruling(
            reason=Reason.NOT_A_PROBLEM_REPORT,
            basis=Basis.EVENT_DEFINITION,
            severity=Severity.NONE,
            summary="everything is in order",
            derivation=status.meanings,
        )
    if guest is None and family_from_integration(status.integration_version) is GuestFamily.LINUX:
        guest = Guest(family=GuestFamily.LINUX, inferred=True, source="version of the integration services")
    if _works(status, guest) and (status.vm_name or status.vm_id):
        mismatch = WorkingMismatch(
            works=f"{status.component or status.subject} works with another version",
            component=status.component,
            derivation=status.meanings,
        )
        return decide(mismatch, GuestEvidence(guest), policy)
    return Ruling(
        reason=Reason.CONSOLE_STATE,
        basis=Basis.EVENT_DEFINITION,
        severity=_SEVERITIES.get(status.state, Severity.CHECK),
        summary="; ".join(status.meanings) or str(status.state),
        remedy=_what_to_do(status, guest.family if guest is not None else GuestFamily.UNKNOWN),
        guest=guest_text(guest),
        derivation=status.meanings,
    )


def _works(status: ConsoleStatus, guest: Guest | None) -> bool:
    """Whether what the state is about works with another version."""
    if status.state is ConsoleState.UPDATE_REQUIRED:
        return guest is not None and guest.family not in (GuestFamily.WINDOWS, GuestFamily.UNKNOWN)
    return status.state is ConsoleState.PROTOCOL_MISMATCH or (
        status.state is ConsoleState.DEGRADED and status.subject is StatusSubject.SERVICE
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
        "look at the VM's version events, each of which reports whether its device works."
    )
