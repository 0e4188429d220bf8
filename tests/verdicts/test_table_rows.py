"""An event carries its table row; a classifier with other tables looks it up again in its own."""

from __future__ import annotations

from pydantic import TypeAdapter

import hvdegraded as hv
from hvdegraded.events import AnyEvent
from hvdegraded.knowledge.vocabulary import GuestFamily, Role
from hvdegraded.verdicts.verdict import Reason, Severity
from tests.tools.verdict_cases import ID, VM, device, guests, plain, storvsp

OVERRIDE = """
[storvsp.6]
role = "problem"
force = true
meaning = "A storage device that our vendor does not support."
"""


def test_an_event_carries_the_row_by_which_it_was_read() -> None:
    event = hv.normalise(storvsp(6, "6.0", "5.1"))
    assert event.fact is not None
    assert event.fact.role is Role.VERSION
    assert "fact" not in event.model_dump()
    assert hv.normalise(plain("VMMS", 65000)).fact is None


def test_a_policy_that_makes_a_row_a_problem_counts_for_events_read_without_it() -> None:
    event = hv.normalise(storvsp(6, "6.0", "5.1"))
    policy = hv.Policy.load(OVERRIDE)
    assert hv.classify(event, guests("linux")).ignorable
    verdict = hv.classify(event, guests("linux"), policy)
    assert (verdict.reason, verdict.severity) == (Reason.KNOWN_PROBLEM, Severity.ACT)
    read_with_it = hv.classify(storvsp(6, "6.0", "5.1"), guests("linux"), policy)
    assert (read_with_it.reason, read_with_it.problem) == (verdict.reason, verdict.problem)


def test_an_event_read_back_from_json_gets_the_same_verdict() -> None:
    adapter: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
    for record in (storvsp(6, "6.0", "5.1"), device(23012, "3.3", "3.5"), plain("VMMS", 19100)):
        event = hv.normalise(record)
        copy = adapter.validate_json(event.model_dump_json())
        assert copy == event
        assert hash(copy) == hash(event)
        assert hv.classify(copy, guests("linux")) == hv.classify(event, guests("linux"))


def test_dragonfly_meets_its_own_rows() -> None:
    inventory = hv.GuestInventory.load([{"Name": VM, "Id": ID, "OSName": "DragonFly 6.4"}])
    guest = inventory.find(vm_id=ID)
    assert guest is not None
    assert guest.family is GuestFamily.DRAGONFLY
    verdict = hv.classify(storvsp(6, "6.0", "5.1"), inventory)  # it offers storage 6.2 and nothing else
    assert (verdict.label, verdict.reason) == (hv.Label.ACTIONABLE, Reason.INVENTORY_CONTRADICTED)
    assert verdict.severity is Severity.CHECK
