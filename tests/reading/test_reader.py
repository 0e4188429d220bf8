"""What `hv.read` takes: files, folders, patterns, bytes and streams; and what it says of the rest."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.records.items import NoteKind
from tests.tools.sample_logs import FOLDER

WORKER = FOLDER / "hv2012r2" / "Microsoft-Windows-Hyper-V-Worker-Admin.evtx"
XML = FOLDER / "exports" / "hv2022-eventviewer.xml"


class Pipe(io.RawIOBase):
    """Gives a few bytes at a time, and cannot seek."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, 700) if size > 0 else size)


@pytest.fixture(scope="module")
def events() -> list[hv.Event]:
    return list(hv.read(WORKER))


def test_bytes_streams_and_patterns_read_like_files(events: list[hv.Event]) -> None:
    data = WORKER.read_bytes()
    for source in (data, bytearray(data), memoryview(data), io.BytesIO(data), Pipe(data)):
        assert list(hv.read(source)) == events  # type: ignore[arg-type]
    for paths in (str(WORKER.parent / "*Worker*.evtx"), [WORKER]):
        assert list(hv.read(paths)) == events
    for engine in ("python-evtx", "evtx"):
        if engine == "evtx":
            pytest.importorskip("evtx")
        assert [one.record_id for one in hv.read(WORKER, engine=engine)] == [one.record_id for one in events]


@pytest.mark.parametrize("path", [WORKER, XML], ids=lambda path: path.suffix)
def test_a_stream_stays_the_callers(path: Path) -> None:
    for stream in (io.BytesIO(path.read_bytes()), Pipe(path.read_bytes())):
        assert list(hv.read(stream))  # type: ignore[arg-type]
        assert not stream.closed


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_named_pipe(tmp_path: Path, events: list[hv.Event]) -> None:
    import threading

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(WORKER.read_bytes(),))
    writer.start()
    stream = hv.read(pipe)
    assert list(stream) == events
    assert not stream.report.notes
    writer.join()


def test_a_text_stream_is_refused_with_advice() -> None:
    with XML.open(encoding="utf-8") as stream, pytest.raises(hv.HvdegradedError, match="binary mode"):
        list(hv.read(stream))


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(hv.HvdegradedError, match="not a path"):
        list(hv.read(path))


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_folder_tells_what_it_passed_over(tmp_path: Path, events: list[hv.Event]) -> None:
    below = tmp_path / "below"
    below.mkdir()
    (below / "Worker.evtx.old").write_bytes(WORKER.read_bytes())  # a log all the same
    (tmp_path / "notes.txt").write_text("hello")
    os.mkfifo(tmp_path / "pipe.evtx")  # to open it would wait for ever
    stream = hv.read(tmp_path)
    assert list(stream) == events
    pipe, text = stream.report.notes
    assert {pipe.kind, text.kind} == {NoteKind.PASSED_OVER}
    assert "pipe.evtx" in pipe.text
    assert "notes.txt" in text.text


def test_one_of_several_sources_that_is_missing_does_not_stop_the_others(
    tmp_path: Path, events: list[hv.Event]
) -> None:
    stream = hv.read([tmp_path, WORKER, str(tmp_path / "*.xml"), tmp_path / "no.evtx"])
    assert list(stream) == events
    assert len(stream.report.unreadable) == 3


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_folders_without_the_right_to_read_are_told(tmp_path: Path, events: list[hv.Event]) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (tmp_path / "w.evtx").write_bytes(WORKER.read_bytes())
    closed.chmod(0)
    try:
        stream = hv.read([tmp_path, closed, closed / "x.evtx"])
        assert list(stream) == events
        assert [("cannot be read" in note.text) for note in stream.report.unreadable] == [True] * 3
    finally:
        closed.chmod(0o700)


def test_what_is_named_twice_is_read_once(events: list[hv.Event]) -> None:
    assert list(hv.read([WORKER, WORKER, str(WORKER.parent / "*Worker*")])) == events


@pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")
def test_links_to_folders_are_followed_once_and_dangling_ones_are_told(
    tmp_path: Path, events: list[hv.Event]
) -> None:
    logs, other = tmp_path / "logs", tmp_path / "other"
    logs.mkdir()
    other.mkdir()
    (other / "w.evtx").write_bytes(WORKER.read_bytes())
    (logs / "linked").symlink_to(other)
    (logs / "again").symlink_to(logs)
    (logs / "dangling.evtx").symlink_to(tmp_path / "nothing")
    stream = hv.read(logs)
    assert list(stream) == events
    kinds = {note.kind for note in stream.report.notes}
    assert kinds == {NoteKind.UNREADABLE, NoteKind.PASSED_OVER}
    assert any("dangling.evtx" in note.text for note in stream.report.unreadable)
    assert not stream.report.complete


@pytest.mark.skipif(os.name != "posix", reason="rm removes what is deep")
def test_a_folder_may_be_deeper_than_python_recurses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: list[hv.Event]
) -> None:
    depth = 1200
    monkeypatch.chdir(tmp_path)
    for _ in range(depth):
        os.mkdir("d")
        os.chdir("d")
    log = Path("w.evtx")
    log.write_bytes(WORKER.read_bytes())
    try:
        assert list(hv.read(tmp_path)) == events
    finally:  # what removes folders of tests recurses, and fails at that depth
        log.unlink()
        for _ in range(depth):
            os.chdir("..")
            os.rmdir("d")


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_pattern_opens_no_pipe(tmp_path: Path, events: list[hv.Event]) -> None:
    os.mkfifo(tmp_path / "p.evtx")
    (tmp_path / "w.evtx").write_bytes(WORKER.read_bytes())
    stream = hv.read(str(tmp_path / "*.evtx"))
    assert list(stream) == events
    assert "is a pipe or a device" in str(stream.report)
