"""How far a reading is, and what is left of one that is interrupted."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.findings.builder import TriageBuilder
from hvdegraded.reading.progress import Progress
from hvdegraded.records.options import ProgressPace
from hvdegraded.records.record import EventRecord
from hvdegraded.records.report import ReadReport
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import guests, plain, storvsp

LOG = FOLDER / "hv2012r2" / "System.evtx"


class Terminal(io.StringIO):
    """What a user sees; `drawn` is set once it shows a name."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        written = super().write(text)
        if "reading input" in self.getvalue():
            self.drawn.set()
        return written


class Waiting(io.BytesIO):
    """A log whose first read ends when that is allowed."""

    def __init__(self, data: bytes, until: Callable[[], object]) -> None:
        super().__init__(data)
        self._until = until

    def read(self, size: int | None = -1, /) -> bytes:
        self._until()
        return super().read(size)


class Interrupted(io.BytesIO):
    """A log during whose reading the user presses Ctrl-C."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.given = 0

    def read(self, size: int | None = -1, /) -> bytes:
        if self.given > 180_000:  # bytes: headers, the first chunk, and whether another follows
            raise KeyboardInterrupt
        data = super().read(size)
        self.given += len(data)
        return data


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """To be put in the place of stderr by the test itself: between set-up and call pytest puts its own there."""
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def test_progress_counts_the_bytes_of_all_inputs(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(bytes(100))
    two.write_bytes(bytes(50))
    progress = Progress()
    progress.plan([one, two, tmp_path / "gone"])
    assert (progress.total, progress.done) == (150, 0)
    progress.begin("one", 100, lambda: 30)
    assert progress.done == 30
    progress.begin("two", 50, lambda: 70)  # an input that grows is no more than what was planned
    assert (progress.name, progress.done) == ("two", 150)


@pytest.mark.parametrize(
    "read", [hv.triage, lambda source: list(hv.read(source, progress=ProgressPace(after=0, every=0.001)))]
)
def test_a_long_reading_shows_a_bar_on_a_terminal(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, read: Callable[[object], object]
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    threads = threading.active_count()
    read(Waiting(LOG.read_bytes(), lambda: terminal.drawn.wait(3)))
    assert "reading input" in terminal.getvalue()
    assert threading.active_count() == threads


def test_where_nobody_looks_nothing_is_drawn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    threads = threading.active_count()
    stream = hv.read(LOG, progress=ProgressPace(after=0))
    next(stream)
    assert threading.active_count() == threads
    stream.close()
    monkeypatch.setattr(sys, "stderr", None)
    assert hv.triage(LOG).count
    assert capsys.readouterr() == ("", "")


def test_a_stream_that_is_closed_early_ends_its_bar(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    threads = threading.active_count()
    stream = hv.read(LOG, progress=True)
    next(stream)
    assert threading.active_count() == threads + 1
    stream.close()
    assert threading.active_count() == threads


def test_an_interruption_leaves_what_was_read() -> None:
    whole = hv.triage(LOG)
    part = hv.triage(Interrupted(LOG.read_bytes()))
    assert 0 < part.count < whole.count
    assert part.report.interrupted
    assert not part.report.complete
    assert part.report.delivered < whole.report.delivered
    assert not whole.report.interrupted
    for shown in (str(part), part._repr_html_(), part.to_html()):
        assert "Reading was interrupted" in shown
    assert part.to_dict()["report"]["notes"][0]["kind"] == "interrupted"
    assert sum(len(one.record_ids) for one in part.groups) == part.count


def test_after_an_interruption_no_refusal_is_called_harmless() -> None:
    """A failure that followed may stand in what was not read (KB 972108 asks that none follows)."""

    def events(*, interrupt: bool) -> Iterator[EventRecord]:
        yield storvsp(5, "6.0", "6.2")
        yield storvsp(6, "6.0", "5.1")
        if interrupt:
            raise KeyboardInterrupt

    labels = {}
    for interrupt in (False, True):
        found = hv.triage(events(interrupt=interrupt), guests=guests("linux"))
        labels[interrupt] = {part.event_id: part.verdict for part in found.groups}
    assert labels[False][5].ignorable
    assert labels[True][5].actionable
    assert labels[True][5].reason is hv.Reason.INCOMPLETE_EVIDENCE
    assert "interrupted" in labels[True][5].summary
    assert labels[True][6].ignorable


def test_what_an_interruption_left_half_done_is_made_whole() -> None:
    report = ReadReport()
    builder = TriageBuilder(hv.Classifier())

    def interrupted() -> Iterator[hv.EventRecord]:
        yield plain("VMMS", 19100)
        (group,) = builder.part.groups.values()
        group.ticks.append(1)
        raise KeyboardInterrupt

    builder.take(interrupted(), report)
    assert builder.finish(report).count == 1


@pytest.mark.parametrize("options", [[], ["--json"], ["--workers", "2"]])
def test_the_command_prints_what_it_has_and_says_that_it_was_interrupted(
    options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Stdin:
        buffer = Interrupted(LOG.read_bytes())

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert main(["triage", "-", *options]) == 130
    out, err = capsys.readouterr()
    assert "storvsp" in out or options[:1] == ["--workers"]
    assert "interrupted" in (out + err)
