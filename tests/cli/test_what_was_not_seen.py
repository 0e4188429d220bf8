"""What a filter leaves out, what was lost, and what is too old to be good news: each is said, and has its exit code."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.formats.evtx.writer import write_evtx
from hvdegraded.records.record import EventRecord, Field
from hvdegraded.timestamps import ticks_from_datetime
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import HV, ID, OTHER_ID, plain

GUESTS = str(FOLDER / "guests.json")
NOW = datetime.now(UTC)
AT = 133_782_174_832_356_205


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main(["triage", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out


def unknown(*values: str, event_id: int = 41011, **fields: object) -> EventRecord:
    """An event that the tables do not know, so that nothing says which value names a VM."""
    data: tuple[Field, ...] = tuple((f"Parameter{n}", value) for n, value in enumerate(values))
    event = EventRecord(
        HV + "VMMS", event_id, level=2, channel=HV + "VMMS-Admin", computer="hv1", time_ticks=AT, data=data
    )
    return event._replace(**fields)  # type: ignore[arg-type]


# ------------------------------------------------------------ one VM


def test_what_mentions_a_vm_is_shown_under_it_and_marked(capsys: pytest.CaptureFixture[str]) -> None:
    logs = FOLDER / "hv2022"
    volume = "94007b74915f"  # asks for nothing
    for vm, finding in (("kiosk-7", "083b651558a1"), ("UBU-API", "695906d5338c")):
        code, out = run(capsys, logs, "--guests", GUESTS, "--vm", vm)
        assert (code, finding in out, f"(mentions {vm})" in out) == (1, True, True)
        assert f"mentions {vm}" in hv.triage(logs, guests=GUESTS).vm(vm).to_html()
        _, out = run(capsys, logs, "--guests", GUESTS, "--vm", vm, "--json=findings")
        found = {one["id"]: one["mentions"] for one in json.loads(out)["findings"]}
        assert {key for key, mentions in found.items() if mentions == vm} - {volume} == {finding}
        _, out = run(capsys, logs, "--guests", GUESTS, "--vm", vm, "--json")
        assert finding in {json.loads(line)["finding"] for line in out.splitlines()}


@pytest.mark.parametrize(
    "values",
    [
        ("web01", ID),
        ("0x80070020", r"C:\VMs\web01\disk0.vhdx"),
        (r"C:\VMs\web01_C.vhdx",),
        ("The VM 'web01' cannot be moved.",),
        (ID.lower(),),
    ],
)
def test_an_unknown_event_that_mentions_the_vm_is_never_left_out_in_silence(
    values: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the event of another VM, which came first, is of the same kind."""
    events = [plain("VMMS", 19100), unknown("db02", r"D:\db02.vhdx"), unknown(*values)]
    write_evtx(tmp_path / "x.evtx", [one._replace(record_id=n) for n, one in enumerate(events, 1)])
    code, out = run(capsys, tmp_path, "--vm", "web01", "--json")
    assert code == 1
    found = [json.loads(line) for line in out.splitlines()]
    assert [one["record_id"] for one in found] == [1, 3]


@pytest.mark.parametrize("value", ["web011", "myweb01", r"C:\VMs\web01-old\disk.vhdx", "the web01x"])
def test_a_name_that_another_name_contains_is_not_mentioned(
    value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = plain("VMMS", 10102)._replace(data=(("VmName", "web01-old"), ("VmId", OTHER_ID)))
    write_evtx(tmp_path / "x.evtx", [plain("VMMS", 19100), other, unknown(value)])
    _, out = run(capsys, tmp_path, "--vm", "web01", "--quiet")
    assert out == (
        "1 event in 1 finding: 1 to act on, 0 to check\nNot shown, as not of VM web01: 2 to act on, 0 to check\n"
    )


def test_a_vm_whose_name_is_a_word_is_mentioned_in_quotes_and_paths_alone() -> None:
    def mentioned(text: str) -> int:
        event = plain("VMMS", 19100)._replace(data=(("VmName", "backup"), ("VmId", OTHER_ID)))
        return len(hv.triage([event, unknown(text)]).vm("backup"))

    assert [mentioned(text) for text in ("backup", "of 'backup'", r"D:\backup\a.vhdx")] == [2, 2, 2]
    assert mentioned("The backup failed.") == 1


def test_many_texts_of_one_kind_are_one_group_whichever_came_first(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 60
    monkeypatch.setattr("hvdegraded.findings.mentions.MOST_TEXTS", most)
    at = ticks_from_datetime(NOW)
    events = [unknown(f"disk{n}a", record_id=n, time_ticks=at + n) for n in range(1, most + 40)]
    found, backwards = (hv.triage(some) for some in (events, events[::-1]))
    assert found.to_dict() == backwards.to_dict()
    assert len(found.groups) == 1
    assert len(hv.triage(events[: most - 1]).groups) == most - 1


def test_explain_does_not_repeat_what_differs_in_texts_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_evtx(tmp_path / "x.evtx", [unknown(f"disk{n}a", record_id=n) for n in range(1, 60)])
    main(["explain", str(tmp_path), "--finding", "1"])
    out = capsys.readouterr().out
    assert out.count("unknown event") == 20
    assert "and 39 events that differ in their texts" in out


def test_a_filter_says_what_it_leaves_out_that_asks_for_something(capsys: pytest.CaptureFixture[str]) -> None:
    logs = FOLDER / "hv2012r2", FOLDER / "hv2022"
    _, whole = run(capsys, *logs, "--guests", GUESTS, "--quiet")
    assert "12 to act on, 5 to check" in whole
    for option, name, left in (
        ("--component", "network", "component network: 12 to act on, 5 to check"),
        ("--host", "hv2012r2", "host hv2012r2: 4 to act on, 4 to check"),
        ("--vm", "web22", "VM web22: 11 to act on, 5 to check"),
    ):
        _, out = run(capsys, *logs, "--guests", GUESTS, option, name, "--quiet")
        assert out.endswith(f"\nNot shown, as not of {left}\n")
        _, out = run(capsys, *logs, "--guests", GUESTS, option, name)
        assert f"Caveat: Not shown, as not of {left}" in out
    found = hv.triage(logs, guests=GUESTS).vm("web22")
    assert found.to_dict()["selection"] == {"of": ["VM web22"], "act": 11, "check": 5}
    assert "not of VM web22" in found.to_html()


def test_a_part_of_a_finding_that_was_shown_does_not_make_it_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, baseline = tmp_path / "x.evtx", tmp_path / "known.json"
    write_evtx(log, [plain("VMMS", 19100), unknown("web01"), unknown("db02")])
    assert run(capsys, log, "--vm", "web01", "--baseline", baseline)[0] == 1
    code, out = run(capsys, log, "--baseline", baseline)
    assert (code, "41011" in out, "19100" in out) == (1, True, False)
    assert "not of VM" not in run(capsys, log, "--vm", "web01", "--baseline", baseline)[1]  # all is known


# ------------------------------------------------------------ times


def aged(event: EventRecord, **age: float) -> EventRecord:
    return event._replace(time_ticks=ticks_from_datetime(NOW - timedelta(**age)))


@pytest.mark.parametrize("level", [2, 4])
def test_logs_that_end_before_the_times_asked_for_are_not_good_news(
    level: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where what they hold is below the level asked for, with a baseline, and in each form."""
    old = aged(plain("VMMS", 19100), days=18)
    write_evtx(tmp_path / "x.evtx", [old, old._replace(level=level)])
    day = f"{NOW - timedelta(days=18):%Y-%m-%d}"
    for more in ((), ("--baseline", tmp_path / "known.json"), ("--quiet",), ("--vm", "web01")):
        code, out = run(capsys, tmp_path, "--since", "24h", *more)
        assert (code, f"the newest record of hv1 is of {day}" in out) == (4, True)
    code, out = run(capsys, tmp_path, "--since", "24h", "--json=findings")
    (silent,) = json.loads(out)["silent_hosts"]
    for form in ("--json", "--csv"):
        assert main(["triage", str(tmp_path), "--since", "24h", form]) == 4
        assert f"the newest record of hv1 is of {day}" in capsys.readouterr().err
    assert main(["explain", str(tmp_path), "--since", "24h"]) == 2
    assert f"the newest record of hv1 is of {day}" in capsys.readouterr().err
    assert (code, silent["host"], silent["nearest"][:10]) == (4, "hv1", day)
    assert run(capsys, tmp_path, "--until", "2020-01-01")[0] == 4
    assert f"is of {day}" in str(hv.triage(tmp_path, since="24h"))


def test_a_dead_export_of_one_host_is_not_hidden_by_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = aged(plain("VMMS", 19100), hours=1)._replace(level=4, event_id=1)
    write_evtx(tmp_path / "a.evtx", [fresh])
    write_evtx(
        tmp_path / "b.evtx", [aged(plain("VMMS", 19100), days=18)._replace(computer="hv2.example.org")]
    )
    code, out = run(capsys, tmp_path, "--since", "24h", "--quiet")
    assert (code, "the newest record of hv2.example.org is of" in out) == (4, True)
    assert "Caveat: The newest record of hv2.example.org is of" in run(capsys, tmp_path, "--since", "24h")[1]
    assert run(capsys, tmp_path, "--since", "24h", "--host", "hv1", "--quiet")[0] == 0
    assert run(capsys, tmp_path, "--since", "24h", "--host", "hv2", "--quiet")[0] == 4
    assert run(capsys, tmp_path, "--quiet")[0] == 1


def test_a_quiet_host_is_not_a_dead_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Other records of its logs, and forwarded ones beside them, show that they reach into the times."""
    old = aged(plain("VMMS", 19100), days=18)
    other = EventRecord("Service Control Manager", 7036, level=4, channel="System", computer="hv1")
    for beside in (aged(other, hours=1), aged(plain("VMMS", 1), hours=1)._replace(level=4, computer="hv2")):
        write_evtx(tmp_path / "x.evtx", [old, beside])
        assert run(capsys, tmp_path, "--since", "24h", "--quiet")[0] == 0


# ------------------------------------------------------------ losses


def test_nothing_to_act_on_is_not_said_of_logs_that_lost_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, baseline = tmp_path / "x.evtx", tmp_path / "known.json"
    whole = (FOLDER / "hv2022" / "System.evtx").read_bytes()
    log.write_bytes(whole[:140_000])
    lost = hv.triage(log).report.lost
    assert lost > 100
    for more in ((), ("--fail-on", "never"), ("--baseline", baseline)):
        code, out = run(capsys, log, "--quiet", *more)
        assert (code, f"; {lost} records LOST" in out) == (3, True)
    hv2012r2 = (FOLDER / "hv2012r2" / "System.evtx").read_bytes()
    log.write_bytes(hv2012r2[:100_000])
    assert run(capsys, log, "--quiet")[0] == 1  # what was read asks for something


def test_an_archive_that_is_cut_off_is_not_good_news(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import gzip

    rows = "".join(f"Information,11/10/2026 1:00:00 AM,{HV}VMMS,1,None,text {n}\n" for n in range(900))
    packed = gzip.compress(b"Level,Date and Time,Source,Event ID,Task Category\n" + rows.encode())
    (tmp_path / "x.csv.gz").write_bytes(packed[: len(packed) // 2])
    assert run(capsys, tmp_path / "x.csv.gz", "--quiet")[0] == 3


def test_what_is_known_is_not_forgotten_where_records_were_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, baseline = tmp_path / "x.evtx", tmp_path / "known.json"
    whole = (FOLDER / "hv2022" / "System.evtx").read_bytes()
    log.write_bytes(whole)
    run(capsys, log, "--baseline", baseline)
    known = json.loads(baseline.read_text())["findings"].keys()
    log.write_bytes(whole[:100_000])
    run(capsys, log, "--baseline", baseline)
    assert json.loads(baseline.read_text())["findings"].keys() == known


def test_states_of_which_some_cannot_be_read_are_not_good_news(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    states = tmp_path / "states.csv"
    rows = '"VMName","Name","PrimaryStatusDescription"\n"web01","VSS","OK"\n"web02","VSS","OK"\n'
    states.write_text(rows)
    assert main(["status", str(states)]) == 0
    states.write_text(rows + '"web03","VSS"\n')
    assert main(["status", str(states)]) == 3
    assert "columns" in capsys.readouterr().out


# ------------------------------------------------------------ known findings


def test_a_known_outage_that_happens_again_is_news(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A crash, and a VM that did not start; a merge that fails again is named alone, unless asked for."""
    log = tmp_path / "x.evtx"
    outages = (plain("Worker", 18590)._replace(level=1), plain("SynthStor", 12140))
    for number, event in enumerate((*outages, plain("VMMS", 19100))):
        news = event in outages
        baseline = tmp_path / f"known{number}.json"
        write_evtx(log, [aged(event, hours=9)])
        assert run(capsys, log, "--baseline", baseline)[0] == 1
        assert run(capsys, log, "--baseline", baseline)[0] == 0
        write_evtx(log, [aged(event, hours=9), aged(event, hours=2)])
        known = baseline.read_bytes()
        code, out = run(capsys, log, "--baseline", baseline, "--quiet")
        assert (code, "Happened again, known before" in out) == (int(news), not news)
        assert run(capsys, log, "--baseline", baseline, "--quiet", "--again")[0] == 0
        baseline.write_bytes(known)
        assert run(capsys, log, "--baseline", baseline, "--quiet", "--again")[0] == 1
    assert run(capsys, log, "--again")[0] == 2
