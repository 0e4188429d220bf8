"""The VM of an event of which only the message is left: its id counts, its name if nothing else is quoted."""

from __future__ import annotations

from pathlib import Path

import pytest

import hvdegraded as hv
from tests.tools.verdict_cases import HV, ID, OTHER_ID, guests, record, storvsp

FULL = r"'web01' has been paused because it has run out of disk space on 'C:\VMs\'. (Virtual machine ID {})"


def told(message: str) -> tuple[str | None, str | None]:
    event = hv.normalise(record(HV + "VMMS", 16060, 2, (), message))
    return event.vm_name, event.vm_id


@pytest.mark.parametrize(
    ("message", "vm"),
    [
        (f"'web01' failed to start. (Virtual machine ID {ID})", ("web01", ID)),
        (FULL.format(ID), (None, ID)),
        (FULL.format(ID.lower()) + ".\r\n", (None, ID)),
        (f"The file 'x' and the file 'y' (VMID {ID})", (None, ID)),
        (f"'a (Virtual machine ID {OTHER_ID})' failed on 'b'. (Virtual machine ID {ID})", (None, None)),
        (f"'x' failed. (Virtual machine ID {OTHER_ID}) 'y' could not start.", (None, None)),
        (f"'web01' and 'x' failed. (Adapter ID {ID})", (None, None)),
        (FULL.format("not an id"), (None, None)),
    ],
)
def test_who_is_told(message: str, vm: tuple[str | None, str | None]) -> None:
    assert told(message) == vm


def test_a_finding_of_a_text_quotes_what_the_text_says(tmp_path: Path) -> None:
    log = tmp_path / "x.csv"
    row = f'Error,11/26/2026 10:14:00 AM,{HV}VMMS,16060,None,"{FULL.format(ID)}"\n'
    log.write_text(f"Level,Date and Time,Source,Event ID,Task Category,Description\n{row}")
    found = hv.triage(log)
    (finding,) = found.document.findings
    assert (finding.vm_id, finding.groups[0].detail) == (ID, FULL.format(ID))
    assert len(found.vm("web01")) == len(found.vm(ID)) == 1
    shown = str(found)
    assert "'web01' has been paused" in shown


def test_what_a_text_tells_of_a_vm_makes_nothing_ignorable() -> None:
    """A failure that is told by id alone ends what was proven of that VM; of another it does not."""
    refused = storvsp(5, "6.0", "6.2")
    for vm_id, ignorable in ((ID, False), (OTHER_ID, True)):
        ticks = (refused.time_ticks or 0) + 600_000_000
        failure = record(HV + "Worker", 12010, 2, (), f"'a' and 'b' failed. (Virtual machine ID {vm_id})")
        found = hv.triage([refused, failure._replace(time_ticks=ticks)], guests=guests("linux"))
        (verdict,) = (group.verdict for group in found.groups if group.event_id == 5)
        assert verdict.ignorable is ignorable


def test_a_vm_that_an_event_names_by_id_alone_is_shown_by_its_name() -> None:
    """As another event names it, or the inventory; where these disagree, by its id."""
    event = record(HV + "VMMS", 16060, 2, (), FULL.format(ID).replace("web01", "it"))
    other = record(HV + "VMMS", 19100, 2, (("VmName", "web01"), ("VmId", ID)))
    alone, tied, listed, torn = (
        hv.triage([event]),
        hv.triage([event, other]),
        hv.triage([event], guests=guests("linux")),
        hv.triage([event, other._replace(data=(("VmName", "web02"), ("VmId", ID)))], guests=guests("linux")),
    )
    for found, name in ((alone, None), (tied, "web01"), (listed, "web01"), (torn, None)):
        (entry,) = (one for one in found.document.findings if one.groups[0].event_id == 16060)
        assert (entry.vm_name, entry.vm_id) == (name, ID)
        assert entry.mentions is None
    assert len(tied.vm("web01")) == 2
    assert len(listed.vm("WEB01")) == 1
    assert len(torn.vm("web02")) == 2
