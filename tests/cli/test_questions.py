"""Everyday questions as options of `triage` and `explain`: which VM, since when, in which form, into which file."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.formats.evtx.writer import write_evtx
from hvdegraded.timestamps import ticks_from_datetime
from tests.tools.corpus import ROOT
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import ID, plain, storvsp

GUESTS = str(FOLDER / "guests.json")
LOGS = FOLDER / "hv2012r2"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def test_what_is_the_matter_with_one_vm(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "triage", LOGS, "--guests", GUESTS, "--vm", "WEB22")
    assert code == 1
    assert "Secure Boot" in out
    assert "build01" not in out
    code, out, _ = run(capsys, "triage", LOGS, "--guests", GUESTS, "--vm", "web01", "--quiet")
    assert code == 0
    assert out.splitlines()[0].endswith("0 to act on, 0 to check, 1 proven noise")


@pytest.mark.parametrize(
    ("option", "name", "alike"), [("--vm", "wbe22", "web22"), ("--host", "hv2012", "hv2012r2")]
)
def test_a_misspelt_name_is_wrong_usage_and_names_what_is_alike(
    capsys: pytest.CaptureFixture[str], option: str, name: str, alike: str
) -> None:
    code, out, err = run(capsys, "triage", LOGS, option, name)
    assert (code, out) == (2, "")
    assert alike in err


def test_a_vm_without_events_of_that_time_is_not_a_wrong_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is one whose findings are all known to the baseline, or below the level asked for."""
    log, baseline = tmp_path / "x.evtx", tmp_path / "known.json"
    now = ticks_from_datetime(datetime.now(UTC))
    old = plain("VMMS", 19100)._replace(channel="c", record_id=1)
    new = old._replace(data=(("VmName", "db02"),), time_ticks=now, computer="hv2", record_id=2)
    write_evtx(log, [old, new])
    for selection in (("--vm", "web01"), ("--host", "hv1")):
        code, out, _ = run(capsys, "triage", log, "--since", "24h", *selection, "--quiet")
        assert (code, out.split(" ")[0]) == (0, "0")
        assert run(capsys, "triage", log, "--min-level", "critical", *selection, "--quiet")[0] == 0
    run(capsys, "triage", log, "--baseline", baseline)
    assert run(capsys, "triage", log, "--baseline", baseline, "--vm", "web01", "--quiet")[0] == 0
    assert run(capsys, "triage", log, "--since", "24h", "--vm", "web02")[0] == 2


def test_json_lines_of_one_component_are_of_that_component(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "triage", LOGS, "--guests", GUESTS, "--component", "display", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines
    assert {line["verdict"]["component"] for line in lines} == {"display"}


def test_since_counts_back_from_now(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = datetime.now(UTC)
    ages = (timedelta(hours=1), timedelta(hours=30), timedelta(days=9))
    events = [plain("VMMS", 19100)._replace(time_ticks=ticks_from_datetime(now - age)) for age in ages]
    write_evtx(tmp_path / "x.evtx", events)
    for since, count in (("24h", 1), ("2d", 2), ("1w", 2), ("yesterday", None), ("2020-01-01", 3)):
        _, out, _ = run(capsys, "triage", tmp_path / "x.evtx", "--since", since, "--quiet")
        if count is not None:
            assert out.startswith(f"{count} event"), since


def test_local_times_are_those_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import time

    monkeypatch.setenv("TZ", "Etc/GMT-2")  # two hours before UTC
    time.tzset()
    try:
        _, utc, _ = run(capsys, "triage", LOGS, "--guests", GUESTS, "--vm", "build01")
        _, local, _ = run(capsys, "triage", LOGS, "--guests", GUESTS, "--vm", "build01", "--local")
        bounded = ("--since", "2026-09-22T10:02", "--vm", "build01", "--quiet")
        _, after, _ = run(capsys, "triage", LOGS, "--guests", GUESTS, *bounded, "--local")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert "2026-09-22 08:02:00 UTC" in utc
    assert "2026-09-22 10:02:00 +0200" in local
    assert after.startswith("1 event ")


def test_csv_has_a_row_for_each_finding_and_no_formulas(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    event = plain("VMMS", 19100)
    write_evtx(tmp_path / "x.evtx", [event._replace(data=(("VmName", "=cmd|' /C calc'!A0"), ("VmId", ID)))])
    _, out, _ = run(capsys, "triage", tmp_path / "x.evtx", "--csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert row["vm_name"] == "'=cmd|' /C calc'!A0"
    assert (row["section"], row["count"], row["level"]) == ("act", "1", "error")
    assert (row["provider"], row["event_id"], row["last_record_id"]) == (event.provider, "19100", "1")
    assert row["last_utc"] == "2024-12-09 11:31:23"  # which Excel takes for a time, in each language


@pytest.mark.parametrize("form", [(), ("--json",), ("--json=findings",), ("--csv",), ("--quiet",)])
def test_output_goes_to_a_file_as_it_would_be_printed(
    form: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "report"
    code, printed, _ = run(capsys, "triage", LOGS, "--guests", GUESTS, *form)
    assert run(capsys, "triage", LOGS, "--guests", GUESTS, *form, "-o", target)[:2] == (code, "")
    written = target.read_bytes().decode("utf-8-sig")
    assert target.read_bytes().startswith(codecs.BOM_UTF8) is (form == ("--csv",))  # for Excel
    assert [line.rstrip() for line in written.splitlines()] == [
        line.rstrip() for line in printed.splitlines()
    ]


def test_output_never_replaces_an_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "x.evtx"
    write_evtx(log, [plain("VMMS", 19100)])
    before = log.read_bytes()
    assert run(capsys, "triage", log, "-o", log)[0] == 2
    assert log.read_bytes() == before


def test_what_is_assumed_comes_with_the_option_that_settles_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "x.evtx"
    write_evtx(log, [storvsp(6, "6.0", "5.1")])
    code, out, _ = run(capsys, "triage", log)
    assert code == 0
    assert "1 assumed" in out.splitlines()[0]
    assert out.count("--guest web01=…") == 1
    code, out, _ = run(capsys, "triage", log, "--guest", "web01=linux", "--fail-on", "assumed")
    assert (code, "1 proven noise" in out) == (0, True)
    assert run(capsys, "triage", log, "--guest", "web01=Windows Server 2012")[0] == 1


def test_a_name_that_a_shell_would_run_is_not_offered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    event = storvsp(6, "6.0", "5.1")
    for name in ("$(reboot)", "a'; reboot; '", '"; reboot', "`reboot`", "-x"):
        log = tmp_path / "x.evtx"
        data = tuple((key, name if text == "web01" else text) for key, text in event.data)
        write_evtx(log, [event._replace(data=data)])
        out = run(capsys, "triage", log)[1]
        assert f"--guest {ID}=…" in out, name


def test_explain_takes_a_finding_by_number_or_id(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "triage", LOGS, "--guests", GUESTS, "--json=findings")
    finding = json.loads(out)["findings"][2]
    for name in (finding["number"], f"#{finding['number']}", finding["id"]):
        code, out, _ = run(capsys, "explain", LOGS, "--guests", GUESTS, "--finding", name)
        assert code == 0
        assert finding["id"] in out
        assert finding["groups"][0]["summary"] in out
    assert run(capsys, "explain", LOGS, "--guests", GUESTS, "--finding", "999")[0] == 2


def test_explain_takes_every_option_of_triage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A command line of triage becomes one of explain by its first word and the number of a finding."""
    options = {
        "--json": "", "--csv": "", "--quiet": "", "--all": "", "--no-color": "", "--html": "x.html", "--fail-on": "act",
        "--baseline": "known.json", "--since": "2020-01-01", "--until": "2030-01-01", "--local": "",
        "--min-level": "warning", "--strict": "", "--workers": "1", "--host": "hv2012r2", "--timezone": "UTC",
    }  # fmt: skip
    for option, value in options.items():
        words = [option, value] if value else [option]
        code, out, _ = run(capsys, "explain", LOGS, "--guests", GUESTS, *words, "--finding", "1")
        assert (code, out.startswith("finding ")) == (0, True), option
    assert not Path("x.html").exists()
    assert not Path("known.json").exists()


def test_explain_explains_all_that_is_selected(capsys: pytest.CaptureFixture[str]) -> None:
    """What triage shows of a VM, assumed or not, has a number that explain takes."""
    _, shown, _ = run(capsys, "triage", LOGS, "--guests", GUESTS, "--vm", "web22")
    numbers = sorted(set(re.findall(r"#(\d+)", shown)))
    assert numbers == ["1", "2"]
    _, out, _ = run(capsys, "explain", LOGS, "--guests", GUESTS, "--vm", "web22")
    assert [
        line.split(":")[0].split(" ")[-1] for line in out.splitlines() if line.startswith("finding ")
    ] == ["1", "2", "3"]
    for number in numbers:
        assert (
            run(capsys, "explain", LOGS, "--guests", GUESTS, "--vm", "web22", "--finding", number)[1] in out
        )
    assert run(capsys, "explain", LOGS, "--guests", GUESTS, "--vm", "web22", "--component", "mouse")[0] == 2


def test_explain_gives_a_record_the_verdict_that_triage_gives(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where that depends on which logs were read: nothing is assumed of what followed."""
    _, out, _ = run(capsys, "triage", LOGS, "--guests", GUESTS, "--together", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    proven = [
        line
        for line in lines
        if line["verdict"]["reason"] == "refused_offer_with_fallback" and not line["verdict"]["assumptions"]
    ]
    for line in (proven or lines)[:2]:
        _, out, _ = run(
            capsys, "explain", LOGS, "--guests", GUESTS, "--together", "--record", line["record_id"]
        )
        assert line["verdict"]["summary"] in out


def test_explain_names_the_file_of_a_record(capsys: pytest.CaptureFixture[str]) -> None:
    for what in (("--record", 1049), ("--finding", 1)):
        _, out, _ = run(capsys, "explain", LOGS, "--guests", GUESTS, *what)
        assert str(LOGS / "System.evtx") in out


def test_a_baseline_leaves_what_is_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, baseline = tmp_path / "x.evtx", tmp_path / "known.json"
    write_evtx(log, [plain("VMMS", 19100)])
    first = run(capsys, "triage", log, "--baseline", baseline)
    assert (first[0], "1 to act on" in first[1]) == (1, True)
    again = run(capsys, "triage", log, "--baseline", baseline)
    assert (again[0], "0 to act on" in again[1]) == (0, True)
    assert "of known findings" in again[1]
    write_evtx(log, [plain("VMMS", 19100), plain("VMMS", 10102)])
    code, out, _ = run(capsys, "triage", log, "--baseline", baseline)
    assert (code, "1 to act on" in out, "10102" in out) == (1, True, True)


def test_what_is_known_to_a_baseline_and_happens_again_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It does not change the exit code, so a new crash of a VM that crashed before must be seen here."""
    log, baseline, page = tmp_path / "x.evtx", tmp_path / "known.json", tmp_path / "x.html"
    day = ticks_from_datetime(datetime(2026, 11, 25, 9, 14, tzinfo=UTC))
    first = plain("VMMS", 19100)._replace(channel="c", record_id=1, time_ticks=day)
    again = first._replace(record_id=2, time_ticks=ticks_from_datetime(datetime(2026, 11, 26, tzinfo=UTC)))
    other = first._replace(data=(("VmName", "db02"),), record_id=3)
    write_evtx(log, [first, other])
    _, out, _ = run(capsys, "triage", log, "--baseline", baseline)
    assert "Happened again" not in out
    write_evtx(log, [first, other, again])
    shutil.copy(baseline, tmp_path / "quiet.json")
    code, out, _ = run(capsys, "triage", log, "--baseline", baseline, "--html", page)
    assert (code, "Happened again, known before: 1 to act on" in out) == (0, True)
    assert re.search(r"web01 on .*, last 2026-11-26 00:00:00 UTC \[[0-9a-f]{12}\]", " ".join(out.split()))
    assert "1 event of known findings was excluded" in out
    assert "Happened again, known before: 1 to act on" in page.read_text()
    _, out, errors = run(capsys, "triage", log, "--baseline", tmp_path / "quiet.json", "--quiet")
    assert out.endswith("0 to act on, 0 to check; Happened again, known before: 1 to act on\n")
    assert "web01" in errors


def test_a_finding_whose_acknowledgement_has_ended_is_new_to_a_baseline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, baseline, rows = tmp_path / "x.evtx", tmp_path / "known.json", tmp_path / "rows.toml"
    write_evtx(log, [plain("VMMS", 19100)])
    (finding,) = hv.triage(log)
    today = datetime.now(UTC).date()
    expected = (
        (today, 0, "0 to act on"),
        (today - timedelta(days=1), 1, "1 to act on"),
        (today, 0, "0 to act on"),
    )
    for until, code, shown in expected:
        rows.write_text(f'[[acknowledge]]\nfinding = "{finding.id}"\nwhy = "known"\nuntil = {until}\n')
        got, out, _ = run(capsys, "triage", log, "--baseline", baseline, "--policy", rows)
        assert (got, shown in out) == (code, True)
    rows.write_text("\n")  # the row was taken out
    assert run(capsys, "triage", log, "--baseline", baseline, "--policy", rows)[0] == 1
    assert run(capsys, "triage", log, "--baseline", baseline, "--policy", rows)[0] == 0


def test_what_a_selection_left_out_is_neither_known_nor_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A crash that happened before a run with --vm of another VM was never shown, so it is new to the next."""
    log, baseline = tmp_path / "x.evtx", tmp_path / "known.json"
    other = plain("VMMS", 19100)._replace(data=(("VmName", "db02"),))
    write_evtx(log, [other])
    assert "1 to act on" in run(capsys, "triage", log, "--baseline", baseline)[1]
    write_evtx(log, [plain("VMMS", 19100), other])
    for filters in (("--vm", "db02"), ("--component", "storage")):
        assert run(capsys, "triage", log, "--baseline", baseline, *filters)[0] == 0
    code, out, _ = run(capsys, "triage", log, "--baseline", baseline)
    assert (code, "web01 on" in out, "db02 on" in out) == (1, True, False)
    assert run(capsys, "triage", log, "--baseline", baseline)[0] == 0


def test_other_times_levels_and_hosts_make_nothing_of_a_baseline_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, elsewhere, baseline = tmp_path / "x.evtx", tmp_path / "y.evtx", tmp_path / "known.json"
    day = ticks_from_datetime(datetime(2026, 11, 25, tzinfo=UTC))
    write_evtx(log, [plain("VMMS", 19100)._replace(time_ticks=day)])
    write_evtx(elsewhere, [plain("VMMS", 10102)._replace(computer="hv9", time_ticks=day)])
    run(capsys, "triage", log, "--baseline", baseline)
    others = [
        (log, "--since", "2026-11-26"),
        (log, "--min-level", "critical"),
        (elsewhere,),
        (tmp_path / "*.evtx", "--until", "2026-11-01"),
    ]
    for paths_and_filters in others:
        run(capsys, "triage", *paths_and_filters, "--baseline", baseline)
    assert run(capsys, "triage", log, "--baseline", baseline)[0] == 0


def test_what_is_gone_is_new_if_it_comes_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, baseline = tmp_path / "x.evtx", tmp_path / "known.json"
    for event, code in ((19100, 1), (10102, 1), (10102, 0), (19100, 1)):
        write_evtx(log, [plain("VMMS", event)])
        assert run(capsys, "triage", log, "--baseline", baseline)[0] == code


def test_a_baseline_of_a_run_that_could_not_read_all_keeps_the_known_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs, baseline = tmp_path / "logs", tmp_path / "known.json"
    logs.mkdir()
    write_evtx(logs / "a.evtx", [plain("VMMS", 19100)])
    write_evtx(logs / "b.evtx", [plain("VMMS", 10102)])
    run(capsys, "triage", logs, "--baseline", baseline)
    (logs / "b.evtx").write_bytes(b"")
    assert run(capsys, "triage", logs, "--baseline", baseline)[0] == 3
    assert len(json.loads(baseline.read_text())["findings"]) == 2


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"schema": "hvdegraded.findings", "findings": []}',
        '{"schema": "hvdegraded.baseline", "paths": [], "bounds": {}, "findings": {"x": {"host": 1}}}',
    ],
)
def test_a_file_that_is_not_a_baseline_is_refused_and_kept(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, baseline = tmp_path / "x.evtx", tmp_path / "known.json"
    write_evtx(log, [plain("VMMS", 19100)])
    baseline.write_text(content)
    assert run(capsys, "triage", log, "--baseline", baseline)[0] == 2
    assert baseline.read_text() == content


def test_the_commands_of_the_page_on_monitoring_are_valid() -> None:
    from hvdegraded.cli.main import _parser

    page = (ROOT / "hvdegraded" / "docs" / "monitoring.md").read_text(encoding="utf-8")
    commands = re.findall(r"hvdegraded (triage [^|;\n)]+)", page)
    assert len(commands) >= 5
    for command in commands:
        _parser().parse_args(command.replace("\\", "/").split())


def test_the_rows_of_the_page_on_monitoring_acknowledge(tmp_path: Path) -> None:
    page = (ROOT / "hvdegraded" / "docs" / "monitoring.md").read_text(encoding="utf-8")
    rows = tmp_path / "rows.toml"
    rows.write_text(re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0], encoding="utf-8")
    found = hv.triage(LOGS, guests=hv.GuestInventory.load(GUESTS), policy=hv.Policy.load(rows))
    assert {finding.vm for finding in found.acknowledged} == {"db02", "legacy-pbx"}
    assert len(found.acknowledged) == 3


def test_explain_leaves_out_the_number_of_an_event_without_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pasted = tmp_path / "event.txt"
    pasted.write_text("Log Name: System\nSource: storvsp\nEvent ID: 5\nLevel: Error\nDescription:\nx\n")
    main(["explain", str(pasted)])
    assert f"storvsp 5: 1 event\nfile: {pasted}\n" in capsys.readouterr().out
