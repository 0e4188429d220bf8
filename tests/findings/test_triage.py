"""Triage: findings, counts, filters, and what it leaves out."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console
from rich.pretty import Pretty

import hvdegraded as hv
from hvdegraded.findings.render.text import as_text
from hvdegraded.findings.triage import Triage
from hvdegraded.timestamps import ticks_from_datetime
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import at_minutes, device, guests, integration, plain, record, storvsp

GUESTS = hv.GuestInventory.load(FOLDER / "guests.json")


@pytest.fixture(scope="module")
def sample() -> Triage:
    return hv.triage(FOLDER / "hv2012r2", guests=GUESTS)


def test_one_mismatch_seen_by_many_components_is_one_finding() -> None:
    events = [storvsp(6, "6.0", "5.1"), device(23014, "3.3", "3.2"), integration()]
    found = hv.triage(events, guests=guests("linux"))
    assert [len(finding.groups) for finding in found.findings] == [3]
    assert found.findings[0].count == 3


def test_repeated_noise_is_counted_and_actionable_comes_first() -> None:
    noise = [at_minutes(storvsp(6, "6.0", "5.1"), minute) for minute in range(50)]
    found = hv.triage([*noise, plain("VMMS", 19100)], guests=guests("linux"))
    assert [(finding.label, finding.count) for finding in found.findings] == [
        (hv.Label.ACTIONABLE, 1),
        (hv.Label.IGNORABLE, 50),
    ]
    finding = found.findings[1]
    assert finding.first is not None
    assert finding.last is not None
    assert (finding.last - finding.first).total_seconds() == 49 * 60


def test_a_refusal_splits_where_a_failure_followed() -> None:
    refusals = [at_minutes(storvsp(5, "6.0", "6.2"), 60 * hour) for hour in range(5)]
    found = hv.triage([*refusals, at_minutes(plain("Chipset", 18605), 122)], guests=guests("linux"))
    assert found.by_label() == {hv.Label.IGNORABLE: 4, hv.Label.ACTIONABLE: 2}


def test_filters(sample: Triage) -> None:
    assert {finding.vm for finding in sample.vm("WEB01").findings} == {"web01"}
    assert sample.host("hv2012r2").count == sample.count
    with pytest.raises(hv.HvdegradedError, match="hv2012r2"):
        sample.host("hv2012r")
    assert sample.actionable.count + sample.ignorable.count == sample.count
    for name in ("data exchange", "Data Exchange"):
        found = {str(part.verdict.component) for part in sample.component(name).groups}
        assert found == {"data exchange"}
    with pytest.raises(hv.HvdegradedError, match="data exchange"):
        sample.component("disk")
    day = sample.between(datetime(2026, 9, 3, tzinfo=UTC), datetime(2026, 9, 4))  # naive is UTC
    assert 0 < day.count < sample.count
    assert {finding.vm for finding in sample.assumed.findings} == {"fw01", "legacy-pbx", "web22"}


def test_a_triage_is_a_container_of_its_findings(sample: Triage) -> None:
    assert sample
    assert len(sample) == len(list(sample)) == len(sample.findings)
    parts = sample.to_act_on, sample.to_check, sample.assumed, sample.proven
    assert [len(part) for part in parts] == [8, 1, 3, 4]
    for part in parts:
        assert {finding.id for finding in part} <= {finding.id for finding in sample}
    empty = hv.triage([])
    assert not empty
    assert len(empty) == 0


def test_a_misspelt_name_is_an_error_that_suggests(sample: Triage) -> None:
    with pytest.raises(hv.HvdegradedError, match="did you mean web01") as caught:
        sample.vm("wbe01")
    assert isinstance(caught.value, LookupError)
    assert not sample.to_act_on.vm("web01")  # it is there, but nothing is wrong with it


def test_information_is_left_out_and_counted(sample: Triage) -> None:
    everything = hv.triage(FOLDER / "hv2012r2", guests=GUESTS, min_level=hv.Level.VERBOSE)
    assert everything.count - sample.count == sample.excluded["below the level warning"]
    assert not any(event.label is hv.Label.IGNORABLE for event in everything.actionable.findings)


def test_times_bound_what_is_looked_at() -> None:
    found = hv.triage(FOLDER / "hv2012r2", since=datetime(2026, 9, 10), until=datetime(2026, 9, 12))
    assert found.count
    assert set(found.excluded) == {
        "below the level warning",
        "before the time asked for",
        "after the time asked for",
    }


def test_levels_and_times_may_be_words() -> None:
    day = hv.triage(
        FOLDER / "hv2012r2", since=datetime(2026, 9, 10), until=datetime(2026, 9, 12), min_level=2
    )
    words = hv.triage(FOLDER / "hv2012r2", since="2026-09-10", until="2026-09-12T00:00Z", min_level="Error")
    assert words.to_dict() == day.to_dict()
    assert words
    assert not hv.triage(FOLDER / "hv2012r2", since="24h")


def test_guests_may_be_a_file_or_a_mapping(sample: Triage) -> None:
    assert hv.triage(FOLDER / "hv2012r2", guests=FOLDER / "guests.json").to_dict() == sample.to_dict()
    event = storvsp(6, "6.0", "5.1")
    assert hv.triage([event], guests={"web01": "Ubuntu 24.04"}).proven
    assert hv.triage([event], guests={"web01": "Windows Server 2012"}).to_check


def test_it_reads_well_as_text(sample: Triage) -> None:
    text = str(sample)
    for part in ("8 to act on, 1 to check", "legacy-pbx", "checkpoint", "0x80070020", "Assumed"):
        assert part in text
    assert "hello\x1b[31m" not in str(hv.triage([record("storvsp", 99, 3, (("VmName", "hello\x1b[31m"),))]))


@pytest.mark.parametrize("width", [60, 80, 99, 100, 160])
def test_nothing_is_cut_to_fit_a_terminal(sample: Triage, width: int) -> None:
    text = as_text(sample.document, width=width)
    findings = text[text.index("To act on") : text.index("Proven noise")]
    folded = [line for line in findings.splitlines() if "wevtutil" not in line]  # a command is copied whole
    assert max(map(len, folded)) <= width
    assert "…" not in findings
    for name in ("hv2012r2.example.org", "build01", "Hyper-V-Integration-KvpExchange"):
        assert name in findings


def test_it_is_plain_json(sample: Triage) -> None:
    plain_types = sample.to_dict()
    assert plain_types["events"] == sample.count
    assert plain_types["report"]["records_seen"] == sample.report.records_seen


def test_strange_inputs() -> None:
    assert hv.triage([]).count == 0
    for text in (b"<Events/>", bytearray(b"<Events/>"), memoryview(b"<Events/>")):
        assert hv.triage(text).count == 0
    with pytest.raises(hv.HvdegradedError):
        hv.triage("no/such/file.evtx")
    with pytest.raises(hv.HvdegradedError):
        hv.triage(b"")


def test_what_has_no_time_stays_in_every_span() -> None:
    """What happened when nobody knows may have happened then: it is not lost."""
    events = [plain("VMMS", 19100), plain("VMMS", 10102)._replace(time_ticks=None)]
    found = hv.triage(events)
    for span in (
        (datetime(2030, 1, 1, tzinfo=UTC), None),
        (None, datetime(2000, 1, 1, tzinfo=UTC)),
        (datetime(2000, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC)),
    ):
        assert [part.event_id for part in found.between(*span).groups] == [10102]
    assert found.between(None, None).count == 2


def test_a_span_takes_its_start_and_leaves_its_end() -> None:
    event = plain("VMMS", 19100)
    moment = datetime(2026, 9, 3, 12, tzinfo=UTC)
    found = hv.triage([event._replace(time_ticks=ticks_from_datetime(moment))])
    assert found.between(moment, None).count == 1
    assert found.between(None, moment).count == 0


def test_counts_and_times_are_those_of_the_events() -> None:
    noise = [at_minutes(storvsp(6, "6.0", "5.1"), minute) for minute in (5, 0, 9)]
    found = hv.triage([*noise, at_minutes(plain("VMMS", 19100), 20)], guests=guests("linux"))
    assert found.count == 4
    assert found.by_label() == {hv.Label.IGNORABLE: 3, hv.Label.ACTIONABLE: 1}
    assert found.by_reason() == {hv.Reason.LOADED_NON_WINDOWS: 3, hv.Reason.KNOWN_PROBLEM: 1}
    assert (found.first, found.last) == (noise[1].time_created, at_minutes(noise[1], 20).time_created)
    assert (found.ignorable.first, found.ignorable.last) == (noise[1].time_created, noise[2].time_created)
    (part,) = found.ignorable.groups
    assert (part.count, part.provider, part.event_id) == (3, "storvsp", 6)
    assert part.span == (noise[1].time_ticks, noise[2].time_ticks)
    assert (hv.triage([]).first, hv.triage([]).last) == (None, None)


def test_a_finding_tells_whose_it_is_and_what_to_do(sample: Triage) -> None:
    (finding,) = sample.vm("web22").actionable.findings
    assert (finding.vm, finding.host, finding.count) == ("web22", "hv2012r2.example.org", 1)
    assert finding.label is finding.verdict.label is hv.Label.ACTIONABLE
    assert finding.verdict.remedy is not None
    assert "UEFI" in finding.verdict.remedy
    assert finding.first == finding.last is not None
    assert sample.vm("{" + (finding.verdict.vm_id or "").lower() + "}").count >= 1


def test_rich_shows_the_counts(sample: Triage) -> None:
    console = Console(file=io.StringIO(), width=200, force_jupyter=False)
    console.print(Pretty(sample))
    (line,) = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert line == repr(sample)
    assert "475 events in 17 findings: 8 to act on, 1 to check" in line
