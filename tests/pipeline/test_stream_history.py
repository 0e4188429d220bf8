"""What `label` may call ignorable: earlier lines count, and what later ones may refute is assumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.events.normaliser import normalise
from hvdegraded.knowledge.vocabulary import Role
from hvdegraded.pipeline.annotation import KEY
from hvdegraded.pipeline.labeller import Labeller
from hvdegraded.pipeline.stream_history import StreamHistory
from hvdegraded.records.record import EventRecord
from hvdegraded.verdicts.verdict import Assumption
from tests.tools.sample_exports import event_xml, winlogbeat
from tests.tools.streams import start
from tests.tools.verdict_cases import DISPLAY, HV, ID, OTHER_ID, VM, integration, positional, record, storvsp

IGNORABLE, ACTIONABLE = "ignorable protocol-version mismatch", "actionable"
MINUTE = 600_000_000
REFUSAL = storvsp(5, "6.0", "6.2")._replace(payload="EventData", record_id=1)
MISMATCH = storvsp(6, "6.0", "5.1")._replace(payload="EventData", record_id=2)
FAILURE = record(HV + "Worker", 12030, 2, positional(VM, ID))._replace(payload="UserData/VmlEventLog")
WINDOWS_ONLY = integration("-RDV")._replace(payload="UserData/VmlEventLog")
TIME_SYNC = integration("-TimeSync")._replace(payload="UserData/VmlEventLog")
USER_DATA = "UserData/VmlEventLog"
BY_ID = [{"Name": VM, "Id": ID, "OSName": "Debian GNU/Linux 12"}]
BY_NAME = [{"Name": VM, "OSName": "Debian GNU/Linux 12"}]


def later(event: EventRecord, minutes: float) -> EventRecord:
    assert event.time_ticks is not None
    return event._replace(time_ticks=event.time_ticks + int(minutes * MINUTE))


class Stream:
    """A labeller of an inventory, which takes events as lines."""

    def __init__(self, folder: Path, rows: list[dict[str, str]], **options: Any) -> None:
        self.warnings: list[str] = []
        path = folder / "guests.json"
        path.write_text(json.dumps(rows or [{"Name": "other", "OSName": "Ubuntu"}]))
        self.labeller = Labeller(guests=path, warn=self.warnings.append, **options)

    def __call__(self, *events: EventRecord) -> dict[str, Any] | None:
        shipped = [winlogbeat(event) for event in events]
        value: Any = shipped[0] if len(shipped) == 1 else {"records": shipped}
        line = self.labeller.line(json.dumps(value).encode())
        return None if line is None else json.loads(line)[KEY]


@pytest.mark.parametrize(("given", "proven"), [(f"{ID}=linux", True), (f"{VM}=Ubuntu 24.04", False)])
def test_guests_given_as_arguments(given: str, proven: bool) -> None:
    with start("--guest", given) as process:
        out, _ = process.communicate(json.dumps(winlogbeat(MISMATCH)).encode() + b"\n", timeout=60)
    added = json.loads(out)[KEY]
    assert (added["label"], added["basis"]) == (IGNORABLE, "guest inventory")
    assert added["assumed"] is not proven


def test_a_refusal_is_assumed_since_what_follows_is_not_known(tmp_path: Path) -> None:
    added = Stream(tmp_path, BY_ID)(REFUSAL)
    assert added is not None
    assert (added["label"], added["assumptions"]) == (IGNORABLE, ["what follows"])
    alone = hv.annotate(winlogbeat(REFUSAL), guests=hv.GuestInventory.load(BY_ID))[KEY]
    assert (alone["label"], alone["assumptions"]) == (IGNORABLE, ["what follows"])


def test_a_working_mismatch_is_proven_by_id_and_assumed_by_name(tmp_path: Path) -> None:
    for rows, assumptions in ((BY_ID, []), (BY_NAME, ["guest system"])):
        added = Stream(tmp_path, rows)(MISMATCH)
        assert added is not None
        assert (added["label"], added["assumptions"], added["assumed"]) == (
            IGNORABLE,
            assumptions,
            bool(assumptions),
        )


def test_an_inference_from_versions_is_assumed(tmp_path: Path) -> None:
    """Another event of the VM may show that it is Windows."""
    added = Stream(tmp_path, [])(MISMATCH)
    assert added is not None
    assert added["assumed"]


def test_dropping_leaves_what_is_assumed_unless_told_to(tmp_path: Path) -> None:
    proven = Stream(tmp_path, BY_ID, drop_ignorable=True)
    assert proven(MISMATCH) is None
    assert proven(REFUSAL) is not None
    both = Stream(tmp_path, BY_ID, drop_ignorable=True, drop_assumed=Assumption)
    assert both(MISMATCH) is None
    assert both(REFUSAL) is None
    assert both(FAILURE) is not None


@pytest.mark.parametrize("minutes", [0, 5, 9.9])
def test_a_failure_on_an_earlier_line_counts(tmp_path: Path, minutes: float) -> None:
    """Lines of several channels come in any order."""
    stream = Stream(tmp_path, BY_ID)
    stream(later(FAILURE, minutes))
    added = stream(REFUSAL)
    assert added is not None
    assert (added["label"], added["reason"]) == (ACTIONABLE, "refused_offer_then_failure")


def test_the_same_line_after_a_failure_is_judged_anew(tmp_path: Path) -> None:
    stream = Stream(tmp_path, BY_ID)
    labels = [added["label"] for added in map(stream, (REFUSAL, later(FAILURE, 5), REFUSAL)) if added]
    assert labels == [IGNORABLE, ACTIONABLE, ACTIONABLE]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_events_of_one_batch_count_for_each_other(tmp_path: Path, order: tuple[int, int]) -> None:
    events = [REFUSAL, later(FAILURE, 5)]
    added = Stream(tmp_path, BY_ID)(*[events[at] for at in order])
    assert added is not None
    assert {one["label"] for one in added["batch"]} == {ACTIONABLE}
    shipped = {"records": [winlogbeat(events[at]) for at in order]}
    alone = hv.annotate(shipped, guests=hv.GuestInventory.load(BY_ID))[KEY]
    assert {one["label"] for one in alone["batch"]} == {ACTIONABLE}


def test_xml_and_json_of_one_vm_share_its_history(tmp_path: Path) -> None:
    stream = Stream(tmp_path, BY_ID)
    stream.labeller.line(json.dumps({"_raw": event_xml(later(FAILURE, 3))}).encode())
    added = stream(REFUSAL)
    assert added is not None
    assert added["label"] == ACTIONABLE


def test_a_contradiction_of_what_was_called_proven_is_told_once(tmp_path: Path) -> None:
    stream = Stream(tmp_path, BY_ID)
    proven = stream(TIME_SYNC)
    for _ in range(3):
        contradicted = stream(later(WINDOWS_ONLY, 1))
    again = stream(later(TIME_SYNC, 2))
    assert proven is not None
    assert contradicted is not None
    assert again is not None
    assert (proven["label"], proven["assumed"]) == (IGNORABLE, False)
    assert contradicted["label"] == ACTIONABLE
    assert again["label"] == ACTIONABLE or again["assumed"]
    told = [text for text in stream.warnings if "contradicts the inventory" in text]
    assert len(told) == stream.labeller.stats.contradicted == 1
    assert VM in told[0]


def test_an_inventory_that_was_contradicted_proves_nothing_more(tmp_path: Path) -> None:
    stream = Stream(tmp_path, BY_ID)
    stream(WINDOWS_ONLY)
    for event in (later(MISMATCH, 1), later(TIME_SYNC, 60)):
        added = stream(event)
        assert added is not None
        assert added["label"] == ACTIONABLE or added["assumed"]


def test_another_inventory_is_not_a_contradiction(tmp_path: Path) -> None:
    stream = Stream(tmp_path, BY_ID, look_again=0.0)
    stream(MISMATCH)
    (tmp_path / "guests.json").write_text(
        json.dumps([{"Name": VM, "Id": ID, "OSName": "Windows Server 2019"}])
    )
    stream.labeller._annotator = stream.labeller._new_annotator()
    stream(MISMATCH)
    assert stream.labeller.stats.contradicted == 0


def test_after_forgetting_nothing_is_more_than_assumed() -> None:
    """A VM that is new may be one that was forgotten, with its failures."""
    classifier = hv.Classifier(hv.GuestInventory.load(BY_ID))
    history = StreamHistory(most_vms=3)
    event = normalise(MISMATCH)
    history.observe(event, classifier, event.time_ticks)
    assert history.verdict(event, classifier, event.time_ticks).proven
    for number in range(4):
        other = normalise(
            storvsp(6, "6.0", "5.1")._replace(
                data=(
                    (None, ""),
                    (None, f"vm{number}"),
                    (None, "6.0"),
                    (None, "5.1"),
                    (None, OTHER_ID[:-1] + str(number)),
                )
            )
        )
        history.observe(other, classifier, other.time_ticks)
    history.observe(event, classifier, event.time_ticks)
    verdict = history.verdict(event, classifier, event.time_ticks)
    assert verdict.ignorable
    assert verdict.assumed


@pytest.mark.parametrize("repeats", [None, 1])
def test_what_is_worth_a_look_when_it_repeats_has_no_severity_before(
    tmp_path: Path, repeats: int | None
) -> None:
    row = next(
        row
        for row in hv.load_knowledge().events
        if row.role is Role.WATCH and row.repeats == repeats and not row.cases and HV in row.providers[0]
    )
    watch = record(row.providers[0], row.event_id, 2, positional(VM, ID))._replace(payload=USER_DATA)
    stream = Stream(tmp_path, BY_ID)
    day = 24 * 60
    seen = [stream(later(watch, minutes)) for minutes in (0, 1, 2, 3, 3 * day, 3 * day + 1)]
    before = "none" if repeats is None else "check"
    expected = [before, before, "check", "check", before, before]
    assert [added and added["severity"] for added in seen] == expected
    assert hv.annotate(winlogbeat(watch))[KEY]["severity"] == before


def test_what_repeats_is_to_be_checked_where_earlier_ones_may_be_forgotten(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("hvdegraded.pipeline.stream_history._MOST_REPEATING", 2)
    row = next(
        row
        for row in hv.load_knowledge().events
        if row.role is Role.WATCH and row.repeats is None and not row.cases and HV in row.providers[0]
    )
    watch = record(row.providers[0], row.event_id, 2, positional(VM, ID))._replace(payload=USER_DATA)
    stream = Stream(tmp_path, BY_ID)
    hosts = ["hv1", "hv1", "hv2", "hv3", "hv1"]
    seen = [stream(later(watch._replace(computer=host), at)) for at, host in enumerate(hosts)]
    assert [added and added["severity"] for added in seen] == ["none", "none", "none", "check", "check"]


def test_display_of_an_unknown_version_is_never_remembered_for_another_vm(tmp_path: Path) -> None:
    stream = Stream(tmp_path, BY_ID)
    mine = record(HV + "Worker", 23014, 3, positional(VM, ID, DISPLAY, "3.3", "3.2"))
    other = record(HV + "Worker", 23014, 3, positional("db02", OTHER_ID, DISPLAY, "3.3", "3.2"))
    first, second = (stream(one._replace(payload="UserData/VmlEventLog")) for one in (mine, other))
    assert first is not None
    assert second is not None
    assert (first["assumed"], second["vm_name"]) == (False, "db02")
    assert second["label"] == ACTIONABLE or second["assumed"]
