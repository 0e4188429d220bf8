"""Properties of the classifier, its context, policy and explanations."""

from __future__ import annotations

import random
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hvdegraded.errors import KnowledgeError
from hvdegraded.findings.builder import triage
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.knowledge.vocabulary import Outcome, Role
from hvdegraded.records.record import EventRecord, Origin
from hvdegraded.verdicts.classifier import Classifier, classify
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.verdict import Basis, Label, Reason
from tests.tools.verdict_cases import (
    HV,
    ID,
    OTHER_ID,
    VM,
    device,
    guests,
    integration,
    network,
    plain,
    record,
    storvsp,
)

MINUTE = 600_000_000
KNOWLEDGE = load_knowledge()
VERSION_KEYS = {
    (KNOWLEDGE.provider(name).name.lower(), number)  # type: ignore[union-attr]
    for row in KNOWLEDGE.events
    if row.role is Role.VERSION
    for name in row.providers
    for number in row.ids
}

provider_names = st.sampled_from(
    [row.name for row in KNOWLEDGE.providers]
    + ["disk", "Microsoft-Windows-Hyper-V-New", "Microsoft-Windows-Hyper-V-Worker2"]
)
event_ids = st.sampled_from(sorted({number for row in KNOWLEDGE.events for number in row.ids})) | st.integers(
    0, 65535
)
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
@settings(max_examples=500, deadline=None)
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
@settings(max_examples=300, deadline=None)
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
@settings(max_examples=400)
def test_no_knowledge_that_is_added_makes_a_windows_guests_mismatch_ignorable(
    event: EventRecord,
    known: dict[str, str | None],
    others: list[dict[str, str]],
    around: list[EventRecord],
    shuffled: random.Random,
) -> None:
    windows = {"Name": VM, "VMId": ID, "OSName": "Windows Server 2019"} | known
    rows = [windows, *others]
    shuffled.shuffle(rows)
    inventory = GuestInventory.load(rows)
    found = Classifier(inventory).classify_all([*around, event])
    *_, (_, verdict) = found
    assert verdict.actionable, (rows, verdict.explain())


@given(records, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
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
@settings(max_examples=300, deadline=None)
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


# ------------------------------------------------------------------ context


def at(event: EventRecord, minutes: float) -> EventRecord:
    assert event.time_ticks is not None
    return event._replace(time_ticks=event.time_ticks + int(minutes * MINUTE))


REFUSED = storvsp(5, "6.0", "6.2")


def verdicts(events: list[EventRecord], inventory: GuestInventory) -> list[tuple[int, Label, Reason]]:
    found = Classifier(inventory).classify_all(events)
    return [(event.event_id, verdict.label, verdict.reason) for event, verdict in found]


@pytest.mark.parametrize(
    ("failure", "minutes", "ignorable"),
    [
        (plain("Chipset", 18605), 2, False),
        (plain("Worker", 12010), 9.9, False),
        (plain("SynthStor", 12140), 0, False),
        (plain("Chipset", 18605), 10.1, True),
        (plain("Chipset", 18605), -1, True),
        (plain("VMMS", 19100), 2, True),
    ],
)
def test_a_refusal_before_a_failure_of_the_same_vm(
    failure: EventRecord, minutes: float, ignorable: bool
) -> None:
    found = Classifier(guests("linux")).classify_all([REFUSED, at(failure, minutes)])
    verdict = next(found)[1]
    assert verdict.ignorable is ignorable
    if not ignorable:
        assert verdict.reason is Reason.REFUSED_THEN_FAILURE
        assert str(failure.event_id) in verdict.summary


def test_a_failure_of_another_vm_changes_nothing() -> None:
    other = record(HV + "Chipset", 18605, 2, (("VmName", "db02"), ("VmId", "0" * 8 + ID[8:])))
    assert next(Classifier(guests("linux")).classify_all([REFUSED, at(other, 1)]))[1].ignorable


def test_a_failure_that_names_the_vm_only() -> None:
    by_name = record(HV + "Chipset", 18605, 2, (("VmName", VM),))
    assert next(Classifier(guests("linux")).classify_all([REFUSED, at(by_name, 1)]))[1].actionable


@pytest.mark.parametrize(
    ("vm", "host", "ignorable"),
    [
        (f"(Virtual machine ID {ID})", "hv2", False),
        (f"(Virtual machine ID {'0' * 8 + ID[8:]})", "hv1", True),
        ("(ID des virtuellen Computers: ?)", "HV1.example.org", False),  # it may be any VM of this host
        ("(ID des virtuellen Computers: ?)", "hv2", True),
    ],
)
def test_a_failure_of_which_a_route_kept_the_message_only(vm: str, host: str, ignorable: bool) -> None:
    failure = record(HV + "Worker", 12010, 2, (), f"Failed to power on. {vm}")._replace(computer=host)
    found = Classifier(guests("linux")).classify_all([REFUSED, at(failure, 1)])
    assert next(found)[1].ignorable is ignorable


def test_a_vm_that_gives_its_guest_away_needs_no_inventory() -> None:
    kvp, disk = integration(), storvsp(6, "6.2", "6.2")._replace(data=storvsp(6, "6.3", "6.2").data)
    found = {event.event_id: verdict for event, verdict in Classifier().classify_all([kvp, disk])}
    assert found[4010].ignorable
    assert not found[4010].assumed
    assert found[4010].basis is Basis.GUEST_INFERENCE


@given(st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_order_of_input_changes_no_verdict(shuffled: random.Random) -> None:
    events = [
        *(at(REFUSED, 60 * hour) for hour in range(6)),
        at(plain("Chipset", 18605), 121),
        at(record(HV + "Chipset", 18605, 2, (("VmName", VM),)), 245),
        *(at(integration(), 60 * hour + 1) for hour in range(4)),
        storvsp(6, "6.3", "6.2"),
    ]
    order = list(range(len(events)))
    straight = dict(zip(order, verdicts(events, guests("unknown")), strict=True))
    shuffled.shuffle(order)
    mixed = verdicts([events[place] for place in order], guests("unknown"))
    assert dict(zip(order, mixed, strict=True)) == straight


def test_many_failures_stay_bounded_and_only_turn_more_actionable() -> None:
    events = [at(plain("Chipset", 18605), 3 * number) for number in range(3000)]
    events.append(at(REFUSED, 3 * 1000 + 1))
    *_, last = Classifier(guests("linux")).classify_all(events)
    assert last[1].actionable


def test_a_failure_is_not_hidden_by_a_later_one_of_the_same_minute() -> None:
    """The first is within ten minutes of the refusal, the second is not."""
    start = REFUSED._replace(time_ticks=(REFUSED.time_ticks or 0) // MINUTE * MINUTE + MINUTE // 2)
    within, beyond = plain("Chipset", 18605), plain("Worker", 12010)
    ticks = start.time_ticks or 0
    within = within._replace(time_ticks=ticks + 10 * MINUTE - MINUTE // 4)
    beyond = beyond._replace(time_ticks=ticks + 10 * MINUTE + MINUTE // 4)
    for events in ([start, within, beyond], [beyond, within, start]):
        found = {
            event.event_id: verdict for event, verdict in Classifier(guests("linux")).classify_all(events)
        }
        assert found[5].reason is Reason.REFUSED_THEN_FAILURE
        assert "18605" in found[5].summary


@pytest.mark.parametrize(
    "failure", [("Worker", 18590), ("Worker", 18540), ("SynthNic", 12570), ("UiDevices", 12541)]
)
def test_crashes_and_lost_devices_count_as_failures(failure: tuple[str, int]) -> None:
    events = [REFUSED, at(plain(*failure), 3)]
    assert next(Classifier(guests("linux")).classify_all(events))[1].reason is Reason.REFUSED_THEN_FAILURE


def test_a_failure_after_the_vm_moved_or_by_a_host_named_in_full() -> None:
    moved = at(plain("Chipset", 18605), 3)._replace(computer="hv2")
    by_name = record(HV + "Chipset", 18605, 2, (("VmName", VM.upper()),))
    in_full = at(by_name, 3)._replace(computer="HV1.example.org")
    for failure in (moved, in_full):
        found = Classifier(guests("linux")).classify_all([REFUSED, failure])
        assert next(found)[1].reason is Reason.REFUSED_THEN_FAILURE
    elsewhere = at(by_name, 3)._replace(computer="hv2")
    assert next(Classifier(guests("linux")).classify_all([REFUSED, elsewhere]))[1].ignorable


def test_a_refusal_without_a_time_is_followed_by_any_failure() -> None:
    untimed, timed = REFUSED._replace(time_ticks=None), at(REFUSED, 60)
    events = [timed, untimed, plain("Chipset", 18605)]
    parts = triage(events, guests=guests("linux")).occurrences
    reasons = {part.verdict.reason: list(part.ticks) for part in parts if part.event_id == 5}
    assert reasons == {
        Reason.REFUSED_WITH_FALLBACK: [timed.time_ticks],
        Reason.REFUSED_THEN_FAILURE: [-1],
    }


def test_any_event_can_tell_that_a_name_and_an_id_are_one_vm() -> None:
    by_id = REFUSED._replace(data=tuple(pair for pair in REFUSED.data if pair[1] != VM))
    by_name = record(HV + "Chipset", 18605, 2, (("VmName", VM),))
    known = GuestInventory.load({ID: "Ubuntu"})
    events = [by_id, at(by_name, 1)]
    assert next(Classifier(known).classify_all(events))[1].reason is not Reason.REFUSED_THEN_FAILURE
    events.append(plain("VMMS", 13002, 4))
    assert next(Classifier(known).classify_all(events))[1].reason is Reason.REFUSED_THEN_FAILURE


def giving_away() -> list[EventRecord]:
    return [integration(), storvsp(5, "6.0", "6.2")]


def inferred(events: list[EventRecord]) -> bool:
    found = [v for event, v in Classifier().classify_all(events) if event.event_id == 4010]
    return all(verdict.basis is Basis.GUEST_INFERENCE for verdict in found)


def test_a_guest_is_inferred_from_sound_events_of_one_id_only() -> None:
    assert inferred(giving_away())
    kvp, disk = giving_away()
    damaged = disk._replace(origin=Origin("evtx", anomalies=("mangled",)))
    assert not inferred([kvp, damaged])
    assert not inferred([kvp, disk, damaged])  # nor beside a sound one: it may be of another VM
    nameless = [event._replace(data=tuple(p for p in event.data if p[1] != ID)) for event in (kvp, disk)]
    assert not inferred(nameless)  # two VMs can have one name
    assert not inferred([kvp, nameless[1]])
    # At some time it spoke what only Windows speaks.
    assert not inferred([kvp, disk, device(23014, "3.5", "3.3")])
    assert not inferred([kvp, disk, integration(versions=("1.0", "3.0", "5.0", "5.0"))])


def test_events_that_come_one_by_one_get_the_same_verdicts() -> None:
    events = [*giving_away(), *(at(REFUSED, number) for number in range(5)), at(plain("Chipset", 18605), 3)]
    straight = verdicts(events, guests("unknown"))
    streamed = [
        (event.event_id, verdict.label, verdict.reason)
        for event, verdict in Classifier(guests("unknown")).classify_all(iter(events))
    ]
    assert streamed == straight


def test_long_logs_stay_bounded_in_memory() -> None:
    """State per VM, not per event: the records themselves, 2 kB each, wait on disk."""

    def stream(count: int) -> Iterator[EventRecord]:
        for number in range(count):
            event = at((REFUSED, integration(), plain("Chipset", 18605))[number % 3], number % 90)
            yield event._replace(record_id=number, rendering=(("Message", f"{number % 100:02}" * 500),))

    classifier = Classifier(guests("linux"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["hvdegraded.records.spool"], "_IN_MEMORY", 1 << 16)
        tracemalloc.start()
        assert sum(1 for _ in classifier.classify_all(stream(3000))) == 3000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 3000 * 1000


# ------------------------------------------------------------------ policy


def test_a_row_cannot_hide_a_failure_without_force() -> None:
    row = '[[override]]\nproviders = ["Microsoft-Windows-Hyper-V-Chipset"]\nids = [18605]\n'
    text = row + "vm_failure = false\n"
    for hidden in (text, row + 'fields = ["VmId", "VmName"]\n'):  # or whose failure it is
        with pytest.raises(KnowledgeError, match="force = true") as caught:
            KNOWLEDGE.extended(hidden)
        assert caught.value.line == 4
    policy = Policy(knowledge=KNOWLEDGE.extended(text + "force = true\n"))
    events = [REFUSED, at(plain("Chipset", 18605), 1)]
    assert next(Classifier(guests("linux"), policy).classify_all(events))[1].ignorable


@pytest.mark.parametrize(
    "text",
    [
        '[[provider]]\nname = "stor2"\naliases = ["storvsp"]\nfamily = "storvsp"\nsource = "x"\ncertainty = "verified"\n',
        '[[version]]\ncomponent = "storage"\nversion = "9.9"\nsource = "x"\ncertainty = "verified"\n',
        '[[implementation]]\ncomponent = "storage"\n',
        '[[fingerprint]]\nfamilies = ["linux"]\n',
        '[[device]]\nname = "x"\ncomponent = "storage"\n',
        '[[message]]\nname = "x"\npattern = "x"\n',
        '[[override]]\nproviders = ["storvsp"]\nids = [5]\noutcome = "loaded"\n',
        '[[override]]\nproviders = ["Microsoft-Windows-Hyper-V-Worker"]\nids = [33101]\noutcome = "loaded"\n',
        '[[override]]\nproviders = ["Microsoft-Windows-Hyper-V-StorageVSP"]\nids = [6]\nrole = "version"\noutcome = "loaded"\n',
        '[[override]]\nproviders = ["VMSMP"]\nids = [27]\ncertainty = "verified"\n',
    ],
)
def test_no_row_of_a_user_makes_more_ignorable(text: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        KNOWLEDGE.extended(text)
    assert caught.value.line is not None
    assert caught.value.column is not None


def test_a_provider_of_a_user_has_no_events_of_another() -> None:
    text = '[[provider]]\nname = "stor2"\nfamily = "storvsp"\ncomponent = "storage"\nsource = "x"\ncertainty = "verified"\n'
    policy = Policy(knowledge=KNOWLEDGE.extended(text))
    event = storvsp(6, "6.0", "5.1")._replace(provider="stor2")
    assert classify(event, guests("linux"), policy).reason is Reason.UNKNOWN_EVENT


def test_unknown_guests_can_count_as_actionable() -> None:
    policy = Policy(unknown_guest=Label.ACTIONABLE)
    verdict = classify(storvsp(6, "6.0", "5.1"), policy=policy)
    assert verdict.actionable
    assert verdict.assumed
    assert classify(storvsp(6, "6.0", "5.1"), guests("linux"), policy).ignorable


def test_rows_of_a_user(tmp_path: Path) -> None:
    rows = tmp_path / "rows.toml"
    rows.write_text(
        '[[event]]\nproviders = ["Microsoft-Windows-Hyper-V-VMMS"]\nids = [41010]\nrole = "information"\n'
        'meaning = "Ours says hello."\nsource = "us"\ncertainty = "verified"\n[event.example]\nlevel = 4\n'
    )
    verdict = classify(plain("VMMS", 41010, 3), policy=Policy.load(rows))
    assert (verdict.reason, verdict.label) == (Reason.NOT_A_PROBLEM_REPORT, Label.ACTIONABLE)


def test_a_row_cannot_make_an_event_ignorable_without_force(tmp_path: Path) -> None:
    rows = tmp_path / "rows.toml"
    text = (
        '[[event]]\nproviders = ["Microsoft-Windows-Hyper-V-VMMS"]\nids = [41010]\nrole = "version"\n'
        'outcome = "loaded"\ncomponent = "storage"\nmeaning = "Ours."\nsource = "us"\ncertainty = "verified"\n'
        "{force}[event.example]\nlevel = 3\n"
    )
    rows.write_text(text.format(force=""))
    with pytest.raises(KnowledgeError) as caught:
        Policy.load(rows)
    assert caught.value.line == 4
    rows.write_text(text.format(force="force = true\n"))
    assert classify(plain("VMMS", 41010, 3), guests("linux"), Policy.load(rows)).ignorable


# ------------------------------------------------------------------ words


def test_an_explanation_names_rule_tables_references_and_what_would_change_it() -> None:
    text = classify(storvsp(6, "6.0", "5.1"), guests("linux")).explain()
    for part in (
        "ignorable",
        "storage 6.0: Windows Server 2012 R2",
        "Linux up to 3.13",
        "KB 2956569",
        "Ubuntu 22.04",
    ):
        assert part in text
    assert "if this VM runs Windows: actionable" in text


def test_an_unknown_event_shows_its_fields() -> None:
    event = record(HV + "VMMS", 41010, 2, (("Reason", "out of luck"),))
    assert "Reason='out of luck'" in classify(event).summary


def test_an_error_code_is_told_with_its_meaning() -> None:
    event = record(HV + "VMMS", 19100, 2, (("VmName", VM), ("ErrorMessage", "%%2147942432")))
    assert "0x80070020" in classify(event).summary
