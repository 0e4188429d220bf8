"""An event that several inputs contain counts once; where they contradict each other, it is never ignorable."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.findings import repeats
from hvdegraded.findings.exclusion import Exclusion
from hvdegraded.findings.render.text import as_text
from hvdegraded.records.items import NoteKind
from hvdegraded.records.options import Workforce
from hvdegraded.records.record import EventRecord, Origin
from tests.tools.sample_exports import event_xml
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import (
    ID,
    OTHER_ID,
    VM,
    at_minutes,
    device,
    guests,
    integration,
    plain,
    record,
    storvsp,
    unnamed,
)

LINUX = guests("linux")
LOG = FOLDER / "hv2012r2" / "Microsoft-Windows-Hyper-V-Worker-Admin.evtx"
EXPORT = FOLDER / "exports" / "hv2012r2-worker-wevtutil.xml"
SECOND = 10_000_000  # ticks


def counted(triage: hv.Triage) -> list[tuple[Any, ...]]:
    return [
        (one.id, one.label, one.verdict.reason, one.verdict.summary, one.count, one.first, one.last)
        for one in triage
    ]


def numbered(event: EventRecord, record_id: int | None = 7, **values: Any) -> EventRecord:
    return event._replace(record_id=record_id, channel="System", **values)


# ------------------------------------------------------------ files


@pytest.mark.parametrize(
    "options", [{}, pytest.param({"workers": Workforce(2, worth=0)}, marks=pytest.mark.subprocess)]
)
def test_a_log_and_an_export_beside_it(options: dict[str, Any]) -> None:
    alone = hv.triage(LOG, guests=FOLDER / "guests.json")
    for paths in ([LOG, EXPORT], [EXPORT, LOG]):
        both = hv.triage(paths, guests=FOLDER / "guests.json", **options)
        assert counted(both) == counted(alone)
        assert both.count == alone.count
        assert both.excluded[Exclusion.READ_AGAIN] == 40
        assert both.report.delivered == both.count + both.excluded.total()
        assert "events read a second time were excluded" in as_text(both.document)


def test_copies_of_all_logs_and_all_exports(tmp_path: Path) -> None:
    """A shipper's export also contains rendered messages, which are shown; all else is the same."""
    for name in ("hv2012r2", "hv2022"):
        shutil.copytree(FOLDER / name, tmp_path / "shadow copy" / name)
    logs = hv.triage([FOLDER / "hv2012r2", FOLDER / "hv2022"], guests=FOLDER / "guests.json")
    everything = hv.triage([FOLDER, tmp_path], guests=FOLDER / "guests.json")
    for one, other in zip(counted(everything), counted(logs), strict=True):
        assert (*one[:3], *one[4:]) == (*other[:3], *other[4:])


def test_a_log_with_a_chunk_twice(tmp_path: Path) -> None:
    data = LOG.read_bytes()
    (tmp_path / "a.evtx").write_bytes(data[: 4096 + 65536] + data[4096:])
    assert counted(hv.triage(tmp_path, guests=LINUX)) == counted(hv.triage(LOG, guests=LINUX))


def test_lines_of_events_are_those_that_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forged = EXPORT.read_text().replace(">3.2<", ">3.1<", 1)
    (tmp_path / "forged.xml").write_text(forged)
    main(["triage", "--json", str(LOG), str(EXPORT), str(tmp_path)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    triage = hv.triage([LOG, EXPORT, tmp_path])
    assert len(lines) == triage.count == hv.triage(LOG).count
    ignorable = sum(line["verdict"]["label"].startswith("ignorable") for line in lines)
    assert ignorable == triage.ignorable.count == hv.triage(LOG).ignorable.count - 1


# ------------------------------------------------------------ the same event or another


def test_a_log_that_was_cleared_counts_its_records_anew() -> None:
    event = numbered(storvsp(6, "6.0", "5.1"))
    assert hv.triage([event, at_minutes(event, 1)], guests=LINUX).count == 2
    assert hv.triage([event, event], guests=LINUX).count == 1


@pytest.mark.parametrize(("cut", "same"), [(10, True), (10_000, True), (SECOND, True), (60 * SECOND, False)])
def test_a_time_that_an_export_cut_is_the_same_time(cut: int, same: bool) -> None:
    event = numbered(storvsp(6, "6.0", "5.1"))
    ticks = event.time_ticks or 0
    for late in (0, cut):  # cut off, or rounded up
        other = event._replace(time_ticks=ticks - ticks % cut + (late if ticks % cut > cut / 2 else 0))
        for pair in ([event, other], [other, event]):
            triage = hv.triage(pair, guests=LINUX)
            assert triage.count == (1 if same else 2)
            if same:
                assert list(triage.groups[0].ticks) == [ticks]


def test_other_channels_hosts_and_ids_are_other_events() -> None:
    event = numbered(storvsp(6, "6.0", "5.1"))
    others = [event._replace(channel="Other"), event._replace(computer="hv2"), event._replace(record_id=8)]
    assert hv.triage([event, *others], guests=LINUX).count == 4
    assert hv.triage([event, event._replace(computer="HV1.example.org")], guests=LINUX).count == 1


def test_a_reading_that_lacks_values_is_not_a_contradiction() -> None:
    whole = numbered(storvsp(6, "6.0", "5.1"), qualifiers=0x8000, event_source="storvsp")
    bare = numbered(storvsp(6, "6.0", "5.1", "message"), level=None)
    nameless = whole._replace(data=unnamed("", "", "6.0", "5.1", ID))
    for other in (bare, nameless):
        for pair in ([whole, other], [other, whole]):
            triage = hv.triage(pair, guests=LINUX)
            assert (triage.count, triage.proven.count) == (1, 1)
            assert triage.groups[0].example.vm_name == VM
            assert not triage.report.notes


def test_a_damaged_reading_is_not_kept_where_another_is_whole() -> None:
    whole = numbered(storvsp(6, "6.0", "5.1"))
    damaged = whole._replace(origin=Origin(anomalies=("a checksum is wrong",)))
    assert hv.triage([damaged, whole], guests=LINUX).proven.count == 1
    assert hv.triage([damaged, damaged], guests=LINUX).actionable.count == 1


# ------------------------------------------------------------ contradictions


@pytest.mark.parametrize("first", [0, 1])
def test_other_versions_are_a_contradiction(first: int) -> None:
    pair = [numbered(storvsp(6, "6.0", "5.1")), numbered(storvsp(6, "6.0", "4.2"))]
    triage = hv.triage([pair[first], pair[1 - first]], guests=LINUX)
    (finding,) = triage
    assert (finding.count, finding.verdict.actionable) == (1, True)
    assert "two inputs contain this record, with different values" in finding.verdict.summary
    assert [note.kind for note in triage.report.notes] == [NoteKind.CONTRADICTION]


def test_readings_of_different_vms_or_events_both_stay() -> None:
    event = numbered(storvsp(6, "6.0", "5.1"))
    moved = event._replace(data=tuple((name, OTHER_ID if text == ID else text) for name, text in event.data))
    other = numbered(plain("Worker", 12030))
    for pair in ([event, moved], [event, other]):
        triage = hv.triage(pair, guests=LINUX)
        assert triage.count == 2
        assert not triage.ignorable
        assert "contradiction" in str(triage.report)


def test_nothing_is_inferred_from_a_vm_with_contradictory_readings() -> None:
    """Display 3.0 and data exchange 4.0 of 5.0 show another guest than Windows, unless one is in question."""
    shown = [
        numbered(integration(), 1),
        numbered(device(23014, "3.5", "3.2"), 2),
        numbered(storvsp(6, "6.0", "5.1"), 3),
    ]
    assert hv.triage(shown).ignorable.count == 3
    forged = numbered(integration(versions=("3.0", "3.0", "5.0", "5.0")), 1)
    assert not hv.triage([*shown, forged]).proven


# ------------------------------------------------------------ events without record id


def test_events_without_record_id_are_matched_by_exact_time_and_content(tmp_path: Path) -> None:
    event = numbered(storvsp(6, "6.0", "5.1"))
    loose = event._replace(record_id=None)
    assert hv.triage([loose, event], guests=LINUX).count == 1
    assert hv.triage([loose, event, event._replace(record_id=8), loose], guests=LINUX).count == 2
    assert hv.triage([loose, loose], guests=LINUX).count == 2  # two disks of a VM, for all that is known
    assert hv.triage([event, numbered(storvsp(6, "6.0", "4.2"), None)], guests=LINUX).count == 2
    cut = loose._replace(time_ticks=(event.time_ticks or 0) // SECOND * SECOND)
    assert hv.triage([event, cut], guests=LINUX).count == 2


@pytest.mark.parametrize("other", [{}, {"EventRecordID": 5, "TimeCreated": "2024-12-09T12:00:05"}])
def test_events_that_may_count_twice_are_reported(tmp_path: Path, other: dict[str, Any]) -> None:
    """One without record id, and one whose time is local and names no zone."""
    lines = [
        json.dumps({"Channel": "System", "Computer": "hv1", "ProviderName": "storvsp", "EventID": 6, "Level": 3,
                    "TimeCreated": "2024-12-09T10:00:05Z", **number, "EventData": ["", VM, "6.0", "5.1", ID]})
        for number in ({"EventRecordID": 5}, other)
    ]  # fmt: skip
    for name, line in zip("ab", lines, strict=True):
        (tmp_path / f"{name}.jsonl").write_text(line + "\n")
    triage = hv.triage(tmp_path)
    assert triage.count == 2
    assert NoteKind.REPEATED in [note.kind for note in triage.report.notes]
    alone = hv.triage(tmp_path / "b.jsonl")
    assert NoteKind.REPEATED not in [note.kind for note in alone.report.notes]


@pytest.mark.parametrize("lacks", ["Computer", "Channel"])
def test_an_export_without_host_or_channel_beside_its_log(tmp_path: Path, lacks: str) -> None:
    export = re.sub(rf"<{lacks}>[^<]*</{lacks}>", "", EXPORT.read_text())
    (tmp_path / "export.xml").write_text(export)
    alone = hv.triage(LOG, guests=LINUX)
    both = hv.triage([LOG, tmp_path], guests=LINUX)
    assert both.count == alone.count
    assert both.excluded[Exclusion.READ_AGAIN] == 40
    (tmp_path / "export.xml").write_text(export.replace("<EventRecordID>", "<EventRecordID>9"))
    both = hv.triage([LOG, tmp_path], guests=LINUX)
    assert both.count == alone.count + 40
    assert NoteKind.REPEATED in [note.kind for note in both.report.notes]


def test_an_export_without_host_channel_and_record_ids_is_matched_by_exact_times(tmp_path: Path) -> None:
    """What was matched is not reported as counted twice."""
    records = [
        numbered(storvsp(6, "6.0", "5.1"), number, time_ticks=133_782_174_832_356_203 + number * 7_654_320)
        for number in range(1, 6)
    ]
    hv.write_evtx(tmp_path / "a.evtx", records)
    export = "".join(map(event_xml, records))
    export = re.sub("<(Computer|Channel|EventRecordID)>[^<]*</[^>]*>", "", export)
    (tmp_path / "b.xml").write_text(export)
    both = hv.triage(tmp_path, guests=LINUX)
    assert both.count == 5
    assert not both.report.notes
    (tmp_path / "b.xml").write_text(export.replace("3Z'", "4Z'"))
    both = hv.triage(tmp_path, guests=LINUX)
    assert both.count > 5
    assert NoteKind.REPEATED in [note.kind for note in both.report.notes]


# ------------------------------------------------------------ any order, any number


@given(st.randoms(use_true_random=True))
def test_copies_of_any_events_in_any_order_change_nothing(random: Random) -> None:
    events = [at_minutes(storvsp(6, "6.0", "5.1"), minute) for minute in range(4)]
    events += [at_minutes(storvsp(5, "6.0", "6.2"), 2), at_minutes(device(23014, "3.3", "3.2"), 2)]
    events += [
        at_minutes(plain("Worker", 18500), 3),
        at_minutes(plain("VMMS", 19100), 3),
        record("storvsp", 5, 2, ()),
    ]
    events = [numbered(event, number + 1) for number, event in enumerate(events)]
    alone = counted(hv.triage(events, guests=LINUX))
    copies = random.choices(events, k=random.randint(0, 20))
    copies = [
        copy._replace(
            time_ticks=(copy.time_ticks or 0) // cut * cut,
            computer=random.choice(("hv1", "HV1")),
            origin=Origin(path=f"{random.random()}"),
        )
        for copy, cut in ((copy, random.choice((1, 10, 10_000))) for copy in copies)
    ]
    found = hv.triage(random.sample(events + copies, len(events + copies)), guests=LINUX)
    assert counted(found) == alone
    assert found.count == len(events)


def test_many_events_are_compared_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "_MOST_TOGETHER", 7)
    events = [numbered(at_minutes(storvsp(6, "6.0", "5.1"), number), number + 1) for number in range(50)]
    triage = hv.triage([*events, *events[10:40], *events[:20]], guests=LINUX)
    assert triage.count == 50
    assert triage.excluded[Exclusion.READ_AGAIN] == 50
