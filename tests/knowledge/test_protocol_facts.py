"""The tables of protocols, fact by fact."""

from __future__ import annotations

import pytest

from hvdegraded.knowledge.facts import Implementation
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.knowledge.vocabulary import Component, GuestFamily, ProtocolVersion

TABLE = load_knowledge().protocols


def version(text: str) -> ProtocolVersion:
    return ProtocolVersion.parse(text)


def number(kernel: str) -> tuple[int, ...]:
    return tuple(map(int, kernel.split(".")))


# Section 4 of the domain facts: the host releases of a version, and Linux' side of it: absent in the first
# kernel, present from the second on, gone with the third. "-" before: not known when it came.
FACTS = """
storage 2.0 | Windows Server 2008 | 3.13 4.4 5.19
storage 4.2 | Windows Server 2008 R2; Windows 7 | - 3.13 5.19
storage 5.1 | Windows Server 2012; Windows 8 | - 3.13 -
storage 6.0 | Windows Server 2012 R2; Windows 8.1 | 3.13 4.4 -
storage 6.2 | Windows Server 2016 to 2022; Windows 10 and 11 up to 21H2 | 3.13 4.4 -
network 0.2 | Windows Server 2008 | - 3.13 -
network 3.2 | Windows Server 2008 R2 | - 3.13 -
network 4.0 | Windows Server 2012 | 3.13 4.4 -
network 5.0 | Windows Server 2012 R2 | 3.13 4.4 -
network 6.0 | Windows of the Windows 10 era | 4.15 5.4 -
network 6.1 | Windows of the Windows 10 era, later releases | 4.15 5.4 -
VMBus 0.13 | Windows Server 2008 | - 3.13 5.19
VMBus 1.1 | Windows Server 2008 R2 | - 3.13 5.19
VMBus 2.4 | Windows Server 2012 | - 3.13 -
VMBus 3.0 | Windows Server 2012 R2 | 3.13 4.4 -
VMBus 4.0 | Windows Server 2016 | 3.13 4.4 -
VMBus 4.1 | Windows 1709 | 5.4 5.11 -
VMBus 5.0 | Windows 1709 | 4.15 5.4 -
VMBus 5.1 | Windows 1803 | 5.4 5.11 -
VMBus 5.2 | Windows Server 2019; Windows 1809 | 5.4 5.11 -
VMBus 5.3 | Windows Server 2022 | 5.11 5.15 -
VMBus 6.0 | Windows after Server 2022 | never
integration service 1.0 | | - 3.13 -
integration service 3.0 | | - 3.13 -
shutdown 1.0 | | - 3.13 -
shutdown 3.0 | | - 3.13 -
shutdown 3.1 | | 5.4 5.11 -
shutdown 3.2 | | 5.4 5.11 -
time synchronisation 1.0 | | - 3.13 -
time synchronisation 3.0 | | - 3.13 -
time synchronisation 4.0 | | 4.4 4.15 -
heartbeat 3.0 | | - 3.13 -
heartbeat 3.1 | | never
data exchange 3.0 | | - 3.13 -
data exchange 4.0 | Windows Server 2012 | - 3.13 -
data exchange 5.0 | Windows Server 2012 R2 and later | never
backup 5.0 | | - 3.13 -
file copy 1.1 | | - 3.13 -
remote desktop 1.0 | | never
remote desktop 3.0 | | never
display 3.0 | Windows 7 | - 3.13 -
display 3.2 | Windows Server 2012; Windows 8 | - 3.13 -
display 3.3 | Windows Server 2012 R2 | never
display 3.4 | Windows 10 | never
display 3.5 | Windows 10 | 5.4 5.11 -
keyboard 1.0 | | unknown
mouse 2.0 | | unknown
dynamic memory 0.3 | Windows Server 2008 R2 SP1 | unknown
dynamic memory 1.0 | Windows Server 2012 | unknown
dynamic memory 2.0 | Windows 10 | unknown
virtual PCI 1.1 | | unknown
virtual PCI 1.2 | | unknown
virtual PCI 1.3 | | unknown
virtual PCI 1.4 | | unknown
"""

LINES = [[part.strip() for part in line.split("|")] for line in FACTS.strip().splitlines()]
KERNELS = ("3.13", "4.4", "4.15", "5.4", "5.11", "5.15", "5.19", "6.12", "6.17")


def linux_rows(component: Component, kernel: str) -> list[Implementation]:
    """The rows of a kernel: one, or for displays one for each version of VMBus."""
    rows = [
        row
        for row in TABLE.offers(component, GuestFamily.LINUX)
        if not row.services
        and (row.since is None or number(row.since) <= number(kernel))
        and (row.until is None or number(kernel) <= number(row.until))
    ]
    assert len(rows) == 1 or all(row.vmbus for row in rows)
    return rows


@pytest.mark.parametrize(("what", "hosts", "linux"), LINES)
def test_each_fact_of_the_protocol_tables(what: str, hosts: str, linux: str) -> None:
    name, _, text = what.rpartition(" ")
    component, wanted = Component(name), version(text)
    assert set(TABLE.host_releases(component, wanted)) == {
        host.strip() for host in hosts.split(";") if host.strip()
    }
    if linux == "unknown":
        assert not TABLE.offers(component, GuestFamily.LINUX)
        return
    if linux == "never":
        assert TABLE.cannot_speak(GuestFamily.LINUX, component, wanted)
        return
    absent, present, gone = linux.split()
    for kernel in KERNELS:  # those that were read
        rows = linux_rows(component, kernel)
        if absent != "-" and number(kernel) <= number(absent):
            # A row of a range of kernels may hold what the later ones of it offer, but is not sure of it.
            assert not any(wanted in row.offers for row in rows)
        elif gone != "-" and number(kernel) >= number(gone):
            assert not any(row.may_have_sent(wanted) for row in rows)
        elif number(kernel) > number("3.13"):
            assert number(kernel) < number(present) or any(wanted in row.offers for row in rows)
        else:
            assert any(row.may_have_sent(wanted) for row in rows)  # of kernels before 3.13 not all is known


def test_there_is_no_version_that_the_facts_do_not_name() -> None:
    assert {f"{row.component} {row.version}" for row in TABLE.versions} == {line[0] for line in LINES}


def test_other_guests() -> None:
    (freebsd,) = TABLE.offers(Component.STORAGE, GuestFamily.FREEBSD)
    assert [str(offer) for offer in freebsd.offers] == ["6.2", "6.0", "5.1", "4.2", "2.0"]
    (network,) = TABLE.offers(Component.NETWORK, GuestFamily.FREEBSD)
    assert [str(offer) for offer in network.offers] == ["5.0", "4.0", "3.2", "0.2"]
    (ipxe,) = TABLE.offers(Component.VMBUS, GuestFamily.BOOT_LOADER)
    assert ipxe.offers == (version("0.13"),)
    assert TABLE.cannot_speak(GuestFamily.LINUX, Component.INTEGRATION, version("1.0"), Component.BACKUP)
    assert TABLE.cannot_speak(GuestFamily.LINUX, Component.INTEGRATION, version("1.0"), Component.FILE_COPY)
    assert not TABLE.cannot_speak(
        GuestFamily.LINUX, Component.INTEGRATION, version("1.0"), Component.SHUTDOWN
    )
