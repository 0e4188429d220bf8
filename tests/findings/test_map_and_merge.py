"""However records are split among workers, and whichever worker is done first, the triage is the same."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.findings.bounds import Bounds
from hvdegraded.findings.builder import RecordMapper, TriageBuilder
from hvdegraded.reading.reader import read_records
from hvdegraded.records.record import Caveat, EventRecord, Origin
from hvdegraded.records.report import ReadReport
from hvdegraded.verdicts import timeline
from hvdegraded.verdicts.classifier import Classifier
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import (
    ID,
    OTHER_ID,
    VM,
    at_minutes,
    device,
    guests,
    integration,
    network,
    plain,
    storvsp,
)


def merged(classifier: Classifier, parts: list[list[EventRecord]]) -> tuple[dict[str, Any], list[Any]]:
    """The document of a triage, and its examples and events, group by group in the order of reading."""
    builder = TriageBuilder(classifier)
    mapper = RecordMapper(classifier, Bounds())
    for records in parts:
        for part in mapper(iter(records)):
            builder.merge(part)
    triage = builder.finish(ReadReport())
    groups = [group for finding in triage for group in finding.groups]
    events = [
        (repr(one.example.record), sorted(zip(one.ticks, one.record_ids, strict=True))) for one in groups
    ]
    return triage.to_dict(), events


def split(records: list[EventRecord], random: Random) -> list[list[EventRecord]]:
    """Parts of any number and size; the order of parts, and of records within them, is any too."""
    count = random.randint(1, 8)
    parts: list[list[EventRecord]] = [[] for _ in range(count)]
    for record in random.sample(records, len(records)):
        parts[random.randrange(count)].append(record)
    return parts


def crafted() -> list[EventRecord]:
    """Refusals with failures and starts around them, events alike but for their data, ties and gaps."""
    refused = storvsp(5, "6.0", "5.1")
    records = [at_minutes(refused, minute)._replace(record_id=minute) for minute in (0, 30, 90, 91)]
    records += [at_minutes(plain("Chipset", 18605), 33), at_minutes(plain("Worker", 18500), 89)]
    records += [at_minutes(storvsp(6, "6.0", "5.1"), 5), at_minutes(device(23014, "3.3", "3.2"), 5)]
    records += [at_minutes(integration(), 5), integration()._replace(time_ticks=None)]
    alike = plain("VMMS", 19100)
    for number, name in enumerate(("b", "a", "c")):
        data = (("VmName", VM), ("VmId", ID), ("Text", name))
        records.append(alike._replace(data=data, record_id=number % 2, channel=name))
        records.append(alike._replace(data=data, record_id=None, time_ticks=None))
        records.append(alike._replace(data=data, computer=("HV1", "hv1", "Hv1")[number]))
        records.append(at_minutes(refused, number)._replace(computer=("HV1", "hv1", "Hv1")[number]))
    return records


def other_systems() -> list[EventRecord]:
    """A VM that spoke as Windows and as others do, at the same time too, and one that shares its name."""
    records = [
        at_minutes(device(23014, "3.5", guest), minute)
        for minute, guest in enumerate(("3.3", "3.5", "3.0", "3.2"))
    ]
    records += [
        at_minutes(integration("-RdvService"), 2),
        at_minutes(integration("-TimeSync"), 2),
        integration(),
    ]
    records += [at_minutes(network(26, "6.1", "6.0"), 2), at_minutes(network(27, "6.1", "5.0"), 3)]
    records += [at_minutes(storvsp(6, "6.2", version), 2) for version in ("6.0", "5.1", "4.2")]
    records += [at_minutes(plain("VMMS", 13003), 4)]
    namesake = tuple((name, OTHER_ID if text == ID else text) for name, text in storvsp(6, "6.2", "6.0").data)
    return [*records, storvsp(6, "6.2", "6.0")._replace(data=namesake)]


@lru_cache(maxsize=1)
def sample() -> tuple[EventRecord, ...]:
    return tuple(record for log in ("hv2012r2", "hv2022") for record in read_records(FOLDER / log))


@given(
    st.randoms(use_true_random=True),
    st.sampled_from(["linux", "windows", "unknown", "conflict", "other id"]),
    st.sampled_from([crafted(), other_systems(), crafted() + other_systems()]),
)
def test_crafted_records_in_any_parts(random: Random, kind: str, records: list[EventRecord]) -> None:
    classifier = Classifier(guests(kind))
    assert merged(classifier, split(records, random)) == merged(Classifier(guests(kind)), [records])


@pytest.mark.parametrize("seed", range(4))
def test_sample_logs_in_any_parts(seed: int) -> None:
    records = list(sample())
    classifier = Classifier(FOLDER / "guests.json")
    assert merged(classifier, split(records, Random(seed))) == merged(classifier, [records])


def test_times_with_and_without_a_zone_in_different_parts() -> None:
    refused = storvsp(5, "6.0", "5.1")
    zoneless = at_minutes(plain("Chipset", 18605), 500)._replace(origin=Origin(caveats=(Caveat.NO_ZONE,)))
    classifier = Classifier(guests("linux"))
    whole = merged(classifier, [[refused, zoneless]])
    assert merged(classifier, [[zoneless], [refused]]) == whole


@pytest.mark.parametrize("count", [7, 8, 9, 20])
def test_more_versions_of_a_vm_than_are_kept(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is inferred from such a VM, also where no worker saw too much of it."""
    monkeypatch.setattr(timeline, "_MAX_KEYS", 8)
    records = [at_minutes(device(23014, "3.5", f"3.{number}"), number) for number in range(count)]
    records += [at_minutes(device(23012, "3.5", f"4.{number}"), number) for number in range(count)]
    classifier = Classifier(guests("linux"))
    whole = merged(classifier, [records])
    for seed in range(4):
        assert merged(classifier, split(records, Random(seed))) == whole


def test_more_kinds_of_failures_of_a_vm_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "_MAX_KEYS", 8)
    failures = [at_minutes(plain("Worker", 40_000 + number, 2), 20 + number / 10) for number in range(20)]
    classifier = Classifier(guests("linux"))
    for minutes in (0, 15):  # no failure follows, some do
        records = [at_minutes(storvsp(5, "6.0", "6.2"), minutes), *failures]
        whole = merged(classifier, [records])
        for seed in range(4):
            assert merged(classifier, split(records, Random(seed))) == whole


@pytest.mark.parametrize("by_name", [True, False])
def test_more_names_of_an_id_than_are_kept(by_name: bool) -> None:
    """And more ids of a name: which of them count for the VM does not depend on the order."""
    records = []
    for number in range(100):
        name, vm_id = (f"web{number}", ID) if by_name else (VM, f"{ID[:-4]}{number:04}")
        event = plain("VMMS", 19100) if number % 2 else storvsp(6, "6.0", "5.1")
        data = tuple((key, {VM: name, ID: vm_id}.get(text, text)) for key, text in event.data)
        records.append(at_minutes(event._replace(data=data), number))
    classifier = Classifier(guests("linux"))
    whole = merged(classifier, [records])
    for seed in range(3):
        assert merged(classifier, split(records, Random(seed))) == whole


def test_merging_is_that_of_the_library() -> None:
    found = hv.triage(list(sample()), guests=FOLDER / "guests.json")
    document, events = merged(Classifier(FOLDER / "guests.json"), [list(sample())])
    assert len(events) == sum(len(finding.groups) for finding in found)
    assert document["findings"] == found.to_dict()["findings"]
    assert document["excluded"] == found.to_dict()["excluded"]
