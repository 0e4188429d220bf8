"""What a history contains around one VM: looked up once, asked for any time."""

from __future__ import annotations

from collections.abc import Iterable

from hvdegraded.events import Event
from hvdegraded.knowledge.vocabulary import Component
from hvdegraded.verdicts.history import History, Subject
from hvdegraded.verdicts.vm_history import Failure, VmHistory

__all__ = ["Surroundings"]


class Surroundings:
    """What is known of an event's VM, and of failures that may be of it and of this component.

    `vm` is the history of the VM's id, None where nothing is known of that.
    """

    __slots__ = ("_component", "_failing", "_subject", "_unlinked", "_vms", "history", "vm")

    def __init__(self, history: History, subject: Event | Subject, component: Component | None) -> None:
        self.history = history
        self.vm = history.by_id(subject)
        self._subject = subject
        self._component = component
        self._vms: tuple[VmHistory, ...] | None = None
        self._failing: tuple[VmHistory, ...] | None = None
        self._unlinked: tuple[VmHistory, ...] | None = None

    @property
    def vms(self) -> tuple[VmHistory, ...]:
        """The histories that may be of the VM, as `History.of` gives them."""
        if self._vms is None:
            self._vms = self.history.of(self._subject)
        return self._vms

    def failures(self, first: int | None, last: int | None) -> list[tuple[int, Failure]]:
        """Return the failures that may be of the VM from one time to another, in order.

        Where the time is not known, all failures count.
        """
        if self._failing is None:
            self._failing = self.history.failing(self._subject)
        return self._failures_of(self._failing, first, last)

    def unlinked_failures(self, first: int, last: int) -> list[tuple[int, Failure]]:
        """Return failures of VMs that may be this one, by a name or an id that nothing ties to it."""
        if self._unlinked is None:
            self._unlinked = self.history.unlinked(self._subject)
        return self._failures_of(self._unlinked, first, last)

    def _failures_of(
        self, vms: Iterable[VmHistory], first: int | None, last: int | None
    ) -> list[tuple[int, Failure]]:
        found = (one for vm in vms for one in vm.failures_between(first, last, self._component))
        return sorted(found, key=lambda one: (one[0], one[1].what, one[1].host))
