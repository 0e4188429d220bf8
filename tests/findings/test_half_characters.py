"""Issue 15.16: halves of surrogate pairs, in paths and in records made by hand, in every output."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from tests.tools.corpus import ROOT
from tests.tools.verdict_cases import storvsp

HALF = "\udcff\ud800"
EVENT = storvsp(6, "6.0", "5.1")
RECORDS: dict[str, Any] = {
    "a value": {"data": tuple((name, f"{text}{HALF}") for name, text in EVENT.data)},
    "a name": {"data": ((f"n{HALF}", "v"),)},
    "host": {"computer": f"hv1{HALF}"},
    "channel": {"channel": f"System{HALF}"},
    "provider": {"provider": f"Microsoft-Windows-Hyper-V-{HALF}"},
    "message": {"rendering": (("Message", f"m{HALF}"),)},
    "extra": {"extra": (("x", f"e{HALF}"),)},
    "activity": {"activity_id": HALF},
}


@pytest.mark.parametrize("what", RECORDS)
def test_a_record_made_by_hand_is_shown_in_every_form(what: str, tmp_path: Path) -> None:
    record = EVENT._replace(**RECORDS[what])
    found = hv.triage([record])
    for text in (
        str(found),
        found.to_html(),
        found._repr_html_(),
        repr(found),
        hv.classify(record).explain(),
    ):
        text.encode()
    json.dumps(found.to_dict(), ensure_ascii=False).encode()
    assert found.to_arrow().num_rows == 1
    ((event, verdict),) = hv.Classifier().classify_all([record])
    assert event.record.origin.anomalies
    assert verdict.actionable
    hv.write_evtx(tmp_path / "x.evtx", [record])
    assert len(list(hv.read_records(tmp_path / "x.evtx"))) == 1


@pytest.mark.skipif(os.name != "posix", reason="paths of bytes")
@pytest.mark.parametrize(
    "options",
    [[], ["--json"], ["--json=findings"], ["--csv"], ["--quiet"], ["-o", "out"], ["--html", "page"]],
)
def test_a_path_that_is_not_text_is_shown_in_every_form(
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/logs\xff"))
    folder.mkdir()
    shutil.copy(ROOT / "sample_logs" / "hv2012r2" / "System.evtx", folder / os.fsdecode(b"a\xfe.evtx"))
    monkeypatch.chdir(tmp_path)
    assert main(["triage", str(folder), *options]) == 1
    capfdbinary.readouterr().out.decode()
    for path in (tmp_path / "out", tmp_path / "page"):
        if path.exists():
            path.read_bytes().decode()


def test_a_path_that_no_file_system_has_is_an_error_of_ours(tmp_path: Path) -> None:
    for path in ("/tmp/\ud800x", "/tmp/\ud800*"):
        with pytest.raises(hv.SourceError):
            hv.triage(path)
    with pytest.raises(hv.OutputError):
        hv.write_evtx(f"{tmp_path}/\ud800.evtx", [EVENT])


@pytest.mark.parametrize("name", [None, 5, b"x", [], ""])
def test_names_of_other_types_are_errors_of_ours(name: Any) -> None:
    found = hv.triage([EVENT])
    for select in (found.vm, found.host, found.component):
        with pytest.raises(hv.HvdegradedError):
            select(name)
    with pytest.raises(hv.HvdegradedError):
        hv.classify_status(name if name else "text")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "call",
    [
        lambda path: hv.GuestInventory.load(path),
        lambda path: hv.triage(ROOT / "sample_logs" / "hv2022", guests=path),
        lambda path: hv.Policy.load(path),
        lambda path: hv.write_evtx(path, []),
        lambda path: hv.read(path),
        lambda path: hv.triage(path),
    ],
    ids=["inventory", "triage's inventory", "policy", "log to write", "log to read", "triage"],
)
def test_an_error_about_such_a_path_can_be_printed(call: Any, tmp_path: Path) -> None:
    with pytest.raises(hv.HvdegradedError) as error:
        call(str(tmp_path / f"none{HALF}" / "x"))
    assert "\\udcff\\ud800" in str(error.value)
    str(error.value).encode()
