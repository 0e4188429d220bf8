"""Wrong usage says why first, what was probably meant, and gives an example; no wall of options."""

from __future__ import annotations

from pathlib import Path

import pytest

from hvdegraded.cli.main import main
from tests.tools.sample_logs import FOLDER


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("triage logs --sinse 24h", "did you mean --since"),
        ("triage logs --gests=x.json", "did you mean --guests"),
        ("explain logs --vmm web01", "did you mean --vm"),
        ("label in.jsonl --droop ignorable", "did you mean --drop"),
        ("triage logs --min-level warn", "did you mean warning?"),
        ("triage logs --fail-on acts", "did you mean act"),
        ("triage logs --json=finding", "did you mean findings?"),
        ("collect", "did you mean collect-script?"),
        ("trige logs", "did you mean triage?"),
        ("triage logs --min-level loud", "one of critical, error, warning"),
        ("triage logs --since 24", "write 24h"),
        ("triage", "required: PATH"),
        ("triage logs --guest web22=linus", "did you mean linux?"),
        ("label in.jsonl --guest web22=solaaris", "'solaaris' is not known"),
        ("status x.json --guest web22=windwos", "did you mean windows?"),
        ("triage logs --vm=", "the value is empty"),
        ("explain logs --host=", "the value is empty"),
        ("triage logs --component=", "the value is empty"),
        ("label one two", "there is no place for 'two'"),
    ],
)
def test_the_reason_comes_first(words: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    first, *rest = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert first.startswith("hvdegraded")
    assert meant in first
    assert len(rest) == 2
    assert rest[1] == f"Help: {first.split(':')[0]} --help"


@pytest.mark.parametrize("empty", ["", " "])
@pytest.mark.parametrize(
    "words",
    [
        "triage logs --policy",
        "triage logs --guests",
        "triage logs --baseline",
        "triage logs --html",
        "triage logs -o",
        "triage logs --json=findings --since",
        "triage logs --vm",
        "triage logs --component",
        "triage logs --workers",
        "explain logs --host",
        "explain logs --finding",
        "status states.json --guest",
        "label in.jsonl --format",
        "label in.jsonl --output",
        "verify logs --output",
        "check rows.toml --timezone",
        "collect-script -o",
        "check",
    ],
)
def test_what_an_unset_variable_leaves_is_not_an_option_that_is_not_given(
    words: str, empty: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words.split(), empty])
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[0].endswith(": the value is empty; is a variable unset?")


@pytest.mark.parametrize(
    "system", ["linux", "Debian 12", "Windows Server 2019", "Ubuntu 24.04.3 LTS", "FreeBSD 14", "WINDOWS"]
)
def test_a_system_that_is_known_is_taken(system: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["triage", str(FOLDER / "hv2022"), "--guest", f"alma-test={system}", "--quiet"]) == 1
    assert "alma-test" not in capsys.readouterr().err


def test_a_folder_of_logs_is_not_an_export_of_states(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(FOLDER / "hv2022")]) == 3
    assert "hvdegraded triage reads the logs in a folder" in capsys.readouterr().err


def test_lines_of_status_are_as_wide_as_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    states = tmp_path / "states.json"
    states.write_text(
        '[{"VMName": "web01", "Name": "VSS", "PrimaryStatusDescription": "OK", '
        '"SecondaryStatusDescription": "Protocol mismatch"}]'
    )
    main(["status", str(states), "--all"])
    whole = capsys.readouterr().out
    assert max(map(len, whole.splitlines())) > 60
    monkeypatch.setenv("COLUMNS", "60")
    main(["status", str(states), "--all"])
    wrapped = capsys.readouterr().out
    assert wrapped.split() == whole.split()
    assert max(map(len, wrapped.splitlines())) <= 60
