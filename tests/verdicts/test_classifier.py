"""What is ignorable, whatever else an event holds."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.knowledge.vocabulary import Outcome, Role
from hvdegraded.records.record import EventRecord
from hvdegraded.verdicts.classifier import Classifier, classify
from hvdegraded.verdicts.verdict import Basis
from tests.tools.verdict_cases import (
    ID,
    OTHER_ID,
    VM,
    device,
    guests,
    integration,
    network,
    record,
    storvsp,
)

KNOWLEDGE = load_knowledge()

VERSION_KEYS = {
    (KNOWLEDGE.provider(name).name.lower(), row.event_id)
    for row in KNOWLEDGE.events
    if row.role is Role.VERSION
    for name in row.providers
}

provider_names = st.sampled_from(
    [row.name for row in KNOWLEDGE.providers]
    + ["disk", "Microsoft-Windows-Hyper-V-New", "Microsoft-Windows-Hyper-V-Worker2"]
)
event_ids = st.sampled_from(sorted({row.event_id for row in KNOWLEDGE.events})) | st.integers(0, 65535)
values = st.sampled_from(
    ["", VM, ID, "6.0", "5.1", "6.2", "4.2", "2.0", "196610", "3.3", "3.2", "0x0602"]
) | st.text(max_size=12)

names = st.sampled_from(
    [
        None,
        "VmName",
        "VmId",
        "ServerVersion",
        "ClientVersion",
        "Device",
        "Parameter0",
        "Parameter3",
        "Binary",
        "X",
    ]
)

records = st.builds(
    EventRecord,
    provider=provider_names,
    event_id=event_ids,
    level=st.none() | st.integers(0, 6),
    computer=st.sampled_from(["", "hv1"]),
    time_ticks=st.none() | st.integers(0, 1 << 60),
    user_id=st.none()
    | st.just("S-1-5-83-1-1570674725-1260853619-2008740250-1715473044")
    | st.text(max_size=30),
    data=st.lists(st.tuples(names, values), max_size=8).map(tuple),
    rendering=st.just(()) | st.text(max_size=60).map(lambda text: (("Message", text),)),
)

inventories = st.sampled_from(["unknown", "windows", "linux", "freebsd", "conflict"]).map(guests)


@given(records, inventories)
def test_ignorable_is_proven_or_assumed_and_of_a_version_event(
    event: EventRecord, inventory: GuestInventory
) -> None:
    verdict = classify(event, inventory)
    if not verdict.ignorable:
        return
    provider = KNOWLEDGE.provider(event.provider)
    assert provider is not None
    assert (provider.name.lower(), event.event_id) in VERSION_KEYS
    fact = KNOWLEDGE.event(event.provider, event.event_id)
    assert fact is not None
    assert fact.outcome in (Outcome.LOADED, Outcome.REFUSED)
    assert verdict.assumed or verdict.basis in (Basis.GUEST_INVENTORY, Basis.PROTOCOL_TABLES)


LOADED = [
    *(storvsp(6, "6.0", "5.1", shape) for shape in ("classic", "listed", "param", "named", "message")),
    *(device(23014, "3.3", "3.2", shape) for shape in ("positional", "named", "unnamed", "message")),
    *(integration(shape=shape) for shape in ("positional", "named", "unnamed", "message", "2008")),
    network(27, "327680", "196610"),
]


@given(records)
def test_a_mismatch_that_works_is_never_ignorable_in_a_windows_guest(event: EventRecord) -> None:
    named = event._replace(data=(("VmId", ID), *event.data), provider="storvsp", event_id=6)
    assert classify(named, guests("windows")).actionable


OTHER_ROWS = st.fixed_dictionaries(
    {},
    optional={
        "Name": st.sampled_from([VM, VM.upper(), "db02", ""]),
        "VMId": st.sampled_from([ID, ID.lower(), OTHER_ID, "", "x"]),
        "OSName": st.sampled_from(
            ["Ubuntu", "FreeBSD 14", "Windows 11", "Server 2019", "", "unknown", "Linux?"]
        ),
        "IntegrationServicesVersion": st.sampled_from(["3.1", "4.3.5", "10.0.1", "0.0", ""]),
        "ComputerName": st.sampled_from(["hv1", "HV1.example.org", "hv2", ""]),
    },
)


@given(
    st.sampled_from(LOADED),
    st.sampled_from([{}, {"ComputerName": "HV1"}, {"IntegrationServicesVersion": "3.1"}, {"VMId": None}]),
    st.lists(OTHER_ROWS, max_size=4),
    st.lists(
        st.sampled_from([storvsp(5, "6.0", "6.2"), integration(), device(23014, "3.5", "3.2")]), max_size=3
    ),
    st.randoms(use_true_random=False),
)
def test_no_knowledge_that_is_added_makes_a_windows_guests_mismatch_ignorable(
    event: EventRecord,
    known: dict[str, str | None],
    others: list[dict[str, str]],
    around: list[EventRecord],
    shuffled: random.Random,
) -> None:
    windows = {"Name": VM, "VMId": ID, "OSName": "Windows Server 2019"} | known
    rows: list[dict[str, Any]] = [windows, *others]
    shuffled.shuffle(rows)
    inventory = GuestInventory.load(rows)
    found = Classifier(inventory).classify_all([*around, event])
    *_, (_, verdict) = found
    assert verdict.actionable, (rows, verdict.explain())


@given(records, st.randoms(use_true_random=False))
def test_the_order_of_named_fields_changes_nothing(event: EventRecord, shuffled: random.Random) -> None:
    data = dict(pair for pair in event.data if pair[0] and not pair[0].startswith("Parameter"))
    items = list(data.items())
    one = classify(event._replace(data=tuple(items)))
    shuffled.shuffle(items)
    two = classify(event._replace(data=tuple(items)))
    assert (one.label, one.reason) == (two.label, two.reason)


@given(
    st.sampled_from([storvsp(6, "6.0", "5.1"), device(23014, "3.3", "3.2"), integration()]),
    st.text(max_size=200),
)
def test_the_language_of_texts_changes_nothing(event: EventRecord, text: str) -> None:
    changed = event._replace(rendering=(("Message", text), ("Level", "Warnung"), ("Culture", "de-DE")))
    assert classify(changed) == classify(event)


@given(st.lists(st.tuples(st.text("abcXYZ", min_size=3, max_size=8), st.text(max_size=20)), max_size=4))
def test_extra_unknown_fields_change_nothing(more: list[tuple[str, str]]) -> None:
    for event in (device(23014, "3.3", "3.2", "named"), integration(shape="named")):
        changed = event._replace(data=(*event.data, *more))
        assert classify(changed).reason == classify(event).reason


@given(
    st.sampled_from(
        [storvsp(6, "6.0", "5.1"), device(23014, "3.3", "3.2"), integration(), storvsp(5, "2.0", "4.2")]
    ),
    provider_names,
    event_ids,
)
def test_another_id_or_provider_is_not_ignorable(event: EventRecord, provider: str, event_id: int) -> None:
    for changed in (event._replace(provider=provider), event._replace(event_id=event_id)):
        known = KNOWLEDGE.provider(changed.provider)
        if known is None or (known.name.lower(), changed.event_id) not in VERSION_KEYS:
            assert classify(changed).actionable


def test_a_vm_named_like_a_version_proves_nothing_where_a_version_is_lost() -> None:
    whole = record("storvsp", 5, 2, ((None, ""), (None, "2.0"), (None, "4.2"), (None, "6.2"), (None, ID)))
    assert classify(whole).actionable  # storage 6.2 on a 2008 R2 host
    lost = record("storvsp", 5, 2, ((None, ""), (None, "2.0"), (None, "4.2"), (None, ID)))
    assert classify(lost).actionable
