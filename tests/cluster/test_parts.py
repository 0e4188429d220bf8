"""Any division of any inputs, read in any order and merged in any, gives the triage of one machine."""

from __future__ import annotations

import gzip
import importlib
import pickle
import shutil
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.cluster.parts import Part, PartMapper, Stretch, divide, file_report, merge, plan, triage_of
from hvdegraded.errors import MissingExtraError, SourceError
from hvdegraded.findings.bounds import Bounds
from hvdegraded.findings.builder import RecordMapper
from hvdegraded.verdicts.classifier import Classifier
from tests.tools.sample_logs import FOLDER

pytest.importorskip("fsspec")
GUESTS = FOLDER / "guests.json"


def mapper() -> PartMapper:
    return PartMapper(RecordMapper(Classifier(GUESTS), Bounds()))


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Logs that are whole, damaged, truncated, copied, compressed, exported, and files that are not logs."""
    folder = tmp_path_factory.mktemp("logs")
    for name in ("hv2012r2", "hv2022"):
        shutil.copytree(FOLDER / name, folder / name)
    shutil.copytree(FOLDER / "exports", folder / "exports")
    worker = (FOLDER / "hv2022" / "Microsoft-Windows-Hyper-V-Worker-Admin.evtx").read_bytes()
    system = (FOLDER / "hv2012r2" / "System.evtx").read_bytes()
    broken = folder / "broken"
    broken.mkdir()
    (broken / "cut.evtx").write_bytes(system[: len(system) * 2 // 3])
    flipped = bytearray(system)
    flipped[4096 + 700 : 4096 + 760] = bytes(60)
    (broken / "flipped.evtx").write_bytes(flipped)
    (broken / "shifted.evtx").write_bytes(worker[:9000] + b"some bytes more" + worker[9000:])
    (broken / "twice.evtx").write_bytes(worker[: 4096 + 65536] + worker[4096:])
    (broken / "headless.evtx").write_bytes(bytes(4096) + worker[4096:])
    (broken / "empty.evtx").write_bytes(b"")
    (broken / "noise.evtx").write_bytes(Random(1).randbytes(70_000))
    (broken / "text.json").write_text("[1, 2, 3]")
    (broken / "system.evtx.gz").write_bytes(gzip.compress(system)[:-30])
    return folder


def stretches(folder: Path, random: Random) -> list[Stretch]:
    """Each input whole, or a log in runs of one chunk or two."""
    found = []
    for whole in plan(str(folder)):
        found += divide(whole, random.choice((1, 2, 128)) if random.random() < 0.9 else 128)
    return random.sample(found, len(found))


def merged_in_any_order(parts: list[Part], random: Random, work: PartMapper) -> Part:
    while len(parts) > 1:
        count = random.randint(2, len(parts))
        parts = [merge(parts[:count], work), *parts[count:]]
        random.shuffle(parts)
    return parts[0]


def plain(triage: hv.Triage) -> dict[str, Any]:
    """The document, with the inputs' accounts by path."""
    document = triage.to_dict()
    report = document.pop("report")
    del document["provenance"]
    accounts = {part["path"]: part for part in report.pop("parts")}
    for part in accounts.values():
        part["notes"] = [note for note in part["notes"] if note["kind"] != "passed over"]
    counts = {name: value for name, value in report.items() if isinstance(value, int)}
    return document | {"accounts": accounts, "counts": counts}


@pytest.mark.parametrize("seed", range(6))
def test_any_division_and_order_gives_the_triage_of_one_machine(seed: int, logs: Path) -> None:
    random, work = Random(seed), pickle.loads(pickle.dumps(mapper()))
    parts = [pickle.loads(pickle.dumps(work(stretch))) for stretch in stretches(logs, random)]
    found = plain(triage_of(merged_in_any_order(parts, random, work), work))
    whole = plain(hv.triage(logs, guests=GUESTS))
    for key in whole:
        assert found[key] == whole[key], key


def test_what_cannot_be_read_is_a_note(tmp_path: Path) -> None:
    part = mapper()(Stretch(str(tmp_path / "gone.evtx")))
    (reports,) = part.files.values()
    assert "cannot be read" in str(file_report(reports).unreadable)
    with pytest.raises(SourceError, match="no log"):
        plan(str(tmp_path))


def test_an_engine_without_its_packages_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fsspec.core", "pyspark", "pyspark.sql"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "hvdegraded.cluster.spark", raising=False)
    with pytest.raises(MissingExtraError, match=r"'spark' \(pyspark, fsspec\)"):
        plan("s3://bucket/*.evtx")
    with pytest.raises(MissingExtraError, match="hvdegraded on Spark needs the extra 'spark'"):
        importlib.import_module("hvdegraded.cluster.spark")
