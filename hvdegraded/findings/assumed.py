"""What reports show of what is assumed: the VMs, and the logs that would settle what followed a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hvdegraded.findings.event_groups import EventGroup
from hvdegraded.findings.groups import Finding, Section
from hvdegraded.findings.lazy_sequence import LazySequence
from hvdegraded.records.coverage import CoverageGap
from hvdegraded.verdicts.verdict import Assumption, GuestGap

__all__ = ["AssumedVm", "AssumedVms", "MissingLog", "assumed_vms", "missing_logs"]


@dataclass(frozen=True, slots=True)
class AssumedVm:
    """A VM of which something is assumed: what it speaks, in which findings, and what would settle it.

    `guest_gaps` say why its system is not known for certain.
    """

    host: str | None
    vm_name: str | None
    vm_id: str | None
    events: int
    assumptions: tuple[Assumption, ...]
    guest_gaps: tuple[GuestGap, ...]
    evidence: tuple[str, ...]
    findings: tuple[str, ...]
    settle: str


@dataclass(frozen=True, slots=True)
class MissingLog:
    """A channel of a host that would show what followed refusals, and the Windows command that exports it.

    `command` is None where the host itself no longer has the records: an older copy of the log is needed.
    """

    host: str
    channel: str
    why: CoverageGap
    command: str | None
    findings: tuple[str, ...]


class AssumedVms(LazySequence[AssumedVm]):
    """The VMs of which something is assumed, in the order of their findings."""

    def __init__(self, vms: Iterable[tuple[Finding, ...]]) -> None:
        self._vms = tuple(vms)

    def __len__(self) -> int:
        return len(self._vms)

    @property
    def events(self) -> int:
        """Number of events."""
        return sum(finding.count for found in self._vms for finding in found)

    @property
    def of_date(self) -> AssumedVms:
        """Those of which something is assumed because of the inventory's date."""
        return AssumedVms(found for found in self._vms if any(gap.is_of_date for gap in _gaps(found)))

    def item_at(self, at: int) -> AssumedVm:
        """Make the row of a VM."""
        found = self._vms[at]
        verdict = found[0].verdict
        groups = [group for finding in found for group in finding.groups]
        assumptions = {assumption for group in groups for assumption in group.ruling.assumptions}
        gaps = _gaps(found)
        return AssumedVm(
            host=verdict.host,
            vm_name=verdict.vm_name,
            vm_id=verdict.vm_id,
            events=sum(group.count for group in groups),
            assumptions=tuple(one for one in Assumption if one in assumptions),
            guest_gaps=tuple(gap for gap in GuestGap if gap in gaps),
            evidence=tuple(sorted({group.evidence for group in groups})),
            findings=tuple(finding.id for finding in found),
            settle=" ".join(_settle(groups)),
        )


def _gaps(found: Iterable[Finding]) -> set[GuestGap]:
    gaps = {group.ruling.guest_gap for finding in found for group in finding.groups}
    return {gap for gap in gaps if gap is not None}


def assumed_vms(findings: Iterable[Finding]) -> AssumedVms:
    """Find the VMs of which something is assumed."""
    vms: dict[str, tuple[Finding, ...]] = {}
    for finding in _assumed(findings):
        group = finding.groups[0]
        name, vm_id = group.vm
        vm = f"{group.host or ''}\0{vm_id or name or ''}".lower()
        vms[vm] = (*vms.get(vm, ()), finding)
    return AssumedVms(vms.values())


def missing_logs(findings: Iterable[Finding]) -> Iterator[MissingLog]:
    """Give the channels that were not seen whole after refusals, each with the findings that it settles."""
    missing: dict[tuple[str, str, CoverageGap], dict[str, None]] = {}
    for finding in _assumed(findings):
        for group in finding.groups:
            for one in group.ruling.unseen:
                key = finding.host or "", one.channel, one.gap
                missing.setdefault(key, {})[finding.id] = None
    for (host, channel, gap), ids in sorted(missing.items()):
        gone = gap is CoverageGap.BEGINS_LATER
        file = f"{channel.removeprefix('Microsoft-Windows-').replace('/', '%4')}.evtx"
        command = None if gone else f"wevtutil epl {channel} {file}"
        yield MissingLog(host, channel, gap, command, tuple(ids))


def _assumed(findings: Iterable[Finding]) -> Iterator[Finding]:
    return (finding for finding in findings if finding.section is Section.ASSUMED)


def _settle(groups: Sequence[EventGroup]) -> Iterator[str]:
    """Sentences on what would settle what is assumed of these."""
    gaps = {group.ruling.guest_gap for group in groups}
    yield from (gap.remedy for gap in GuestGap if gap in gaps)
    if any(group.ruling.unseen for group in groups):
        yield "Read the missing logs of this host for the ten minutes after each of these events."
    elif any(Assumption.WHAT_FOLLOWS in group.ruling.assumptions for group in groups):
        yield (
            "Read the logs of this host, and of where the VM went, that contain the ten minutes after each "
            "of these events."
        )
