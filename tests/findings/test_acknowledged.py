"""Acknowledgements of a policy: which findings they take out of the counts, and when they are void."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import hvdegraded as hv
from hvdegraded.findings.groups import Section
from hvdegraded.records.record import EventRecord
from tests.tools.verdict_cases import HV, ID, OTHER_ID, integration, plain, storvsp

PROBLEM = plain("VMMS", 19100)
ASSUMED = storvsp(6, "6.0", "5.1")
EVIDENCE = 'evidence = ["storage 5.1 | 6.0"]'


def policy(*rows: str) -> hv.Policy:
    return hv.Policy.load("\n".join(f'[[acknowledge]]\nwhy = "known"\n{row}\n' for row in rows) + "\n")


def found(event: EventRecord, *more: EventRecord, rows: tuple[str, ...]) -> hv.Triage:
    return hv.triage([event, *more], policy=policy(*rows))


def test_a_finding_is_acknowledged_by_id_and_stays_visible() -> None:
    (finding,) = hv.triage([PROBLEM])
    result = found(PROBLEM, rows=(f'finding = "{finding.id}"',))
    assert not result.to_act_on
    assert [one.id for one in result.acknowledged] == [finding.id]
    assert "0 to act on, 0 to check, 1 acknowledged" in repr(result)
    assert "Acknowledged: known" in str(result)
    assert "Acknowledged: known" in result.to_html()
    assert result.to_dict()["findings"][0]["acknowledged"] == "known"


def test_a_finding_is_acknowledged_by_vm_provider_and_id_of_the_event() -> None:
    row = f'vm = "WEB01"\nprovider = "{HV}VMMS"\nid = 19100'
    other = PROBLEM._replace(data=(("VmName", "db02"), ("VmId", OTHER_ID)))
    result = found(PROBLEM, other, plain("VMMS", 10102), rows=(row,))
    assert [one.vm for one in result.acknowledged] == ["web01"]
    assert len(result.to_act_on) == 2


def test_an_acknowledgement_ends_with_its_day_and_says_so() -> None:
    (finding,) = hv.triage([PROBLEM])
    today = datetime.now(UTC).date()
    for until, section in ((today, Section.ACKNOWLEDGED), (today - timedelta(days=1), Section.ACT)):
        result = found(PROBLEM, rows=(f'finding = "{finding.id}"\nuntil = {until}',))
        assert [one.section for one in result] == [section]
        assert ("ended on" in str(result)) is (section is Section.ACT)


def test_what_is_assumed_of_a_vm_is_acknowledged_by_its_id_and_evidence() -> None:
    result = found(ASSUMED, rows=(f'vm = "{ID.lower()}"\n{EVIDENCE}',))
    assert [one.section for one in result] == [Section.ACKNOWLEDGED]
    assert not result.document.assumed


def test_it_is_void_for_another_machine_of_the_name() -> None:
    for vm in (OTHER_ID, "web01"):  # the event has an id: its name is not enough
        assert len(found(ASSUMED, rows=(f'vm = "{vm}"\n{EVIDENCE}',)).assumed) == 1


def test_it_is_void_when_the_vm_shows_anything_else() -> None:
    result = found(ASSUMED, integration(), rows=(f'vm = "{ID}"\n{EVIDENCE}',))
    assert len(result.assumed) == 1
    assert "is void: the VM also shows data exchange 4.0 | 5.0" in str(result)


def test_an_id_alone_does_not_acknowledge_what_is_assumed() -> None:
    """Its evidence can change while the id stays."""
    (finding,) = hv.triage([ASSUMED])
    result = found(ASSUMED, rows=(f'finding = "{finding.id}"',))
    assert len(result.assumed) == 1
    assert "is void" in str(result)


@pytest.mark.parametrize(
    "row",
    [
        "",
        'vm = "x"',
        'finding = "x"\nvm = "y"',
        'vm = "x"\nprovider = "y"',
        'vm = "x"\nevidence = []',
        "oops = 1",
    ],
)
def test_a_row_that_names_nothing_or_two_things_is_an_error_with_its_line(row: str) -> None:
    with pytest.raises(hv.HvdegradedError, match=r"acknowledge|'oops'") as caught:
        policy(row)
    assert caught.value.line is not None


def test_a_row_that_names_nothing_is_named_with_what_is_alike() -> None:
    (finding,) = hv.triage([PROBLEM])
    typed = finding.id[:-1] + ("0" if finding.id[-1] != "0" else "1")
    vm = f'vm = "wbe01"\nprovider = "{HV}VMMS"\nid = 19100'
    text = str(found(PROBLEM, rows=(f'finding = "{typed}"', vm, 'finding = "deadbeef0000"')))
    assert (
        f"The acknowledgement of {typed} names no finding of these logs; did you mean {finding.id}?" in text
    )
    assert "The acknowledgement of wbe01 names no finding of these logs; did you mean web01?" in text
    assert "The acknowledgement of deadbeef0000 names no finding of these logs\n" in text
    many = found(PROBLEM, rows=tuple(f'finding = "deadbeef{n:04}"' for n in range(9)))
    assert "6 more acknowledgements name no finding" in str(many)
    result = found(PROBLEM, PROBLEM._replace(data=(("VmName", "db02"),)), rows=(vm,))
    assert "names no finding" not in str(result.vm("db02"))  # which was not looked for there
