"""Each record is normalised once, also where verdicts wait until the last event is seen."""

from __future__ import annotations

import argparse
import io
import json

import pytest

import hvdegraded as hv
from hvdegraded.cli import triage
from hvdegraded.cli.arguments import builder_of
from hvdegraded.cli.main import main
from hvdegraded.events import AnyEvent
from hvdegraded.events.normaliser import Normaliser
from hvdegraded.findings.builder import TriageBuilder
from hvdegraded.findings.companions import Companions
from hvdegraded.reading.reader import read_records
from hvdegraded.records.record import EventRecord
from hvdegraded.verdicts.classifier import Classifier
from tests.tools.sample_logs import FOLDER

WORKER = FOLDER / "hv2022" / "Microsoft-Windows-Hyper-V-Worker-Admin.evtx"


class Counting(Normaliser):
    calls = 0

    def __call__(self, record: EventRecord) -> AnyEvent:
        self.calls += 1
        return super().__call__(record)


@pytest.mark.parametrize("form", [iter, list], ids=["stream", "list"])
@pytest.mark.parametrize("in_memory", [1 << 20, 1000], ids=["in memory", "in a file"])
def test_classify_all_normalises_each_record_once(form: type, in_memory: int) -> None:
    records = list(read_records(WORKER))
    classifier = Classifier(FOLDER / "guests.json")
    classifier.normalise = counting = Counting(classifier.knowledge)
    found = list(classifier.classify_all(form(records), in_memory=in_memory))
    assert counting.calls == len(records) > 10
    # What waited is what was given, table rows included, which do not count in comparisons.
    plain = [hv.normalise(record) for record in records]
    assert [event for event, _ in found] == plain
    assert [event.fact for event, _ in found] == [event.fact for event in plain]
    assert [verdict for _, verdict in found] == [
        verdict for _, verdict in Classifier(FOLDER / "guests.json").classify_all(plain)
    ]


def test_json_lines_of_a_triage_normalise_each_record_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[Counting] = []

    def watched(options: argparse.Namespace, found: Companions) -> TriageBuilder:
        builder: TriageBuilder = builder_of(options, found)
        builder.classifier.normalise = counting = Counting(builder.classifier.knowledge)
        made.append(counting)
        return builder

    monkeypatch.setattr(triage, "builder_of", watched)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    main(["triage", str(WORKER), "--json", "--min-level", "verbose"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [counting.calls for counting in made] == [len(lines)]
    assert {line["record_id"] for line in lines} == {event.record_id for event in hv.read(WORKER)}
