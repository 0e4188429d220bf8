"""Issue 15.16: streams of any kind and full disks end in errors of ours, or cost nothing."""

from __future__ import annotations

import errno
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.errors import OutputError, SourceError
from hvdegraded.events.spool import EventSpool
from tests.tools.corpus import ROOT

LOG = (ROOT / "sample_logs" / "hv2012r2" / "System.evtx").read_bytes()
EVENTS = len(list(hv.read(LOG)))


class Bare:
    """An object with nothing but `read`."""

    def __init__(self, data: bytes = LOG) -> None:
        self.stream = io.BytesIO(data)

    def read(self, size: int = -1) -> Any:
        return self.stream.read(size)


class Few(Bare):
    def read(self, size: int = -1) -> Any:
        return self.stream.read(min(size, 7) if size > 0 else size)


class Array(Bare):
    def read(self, size: int = -1) -> Any:
        return bytearray(self.stream.read(size))


class ClaimsToSeek(Bare):
    def seekable(self) -> bool:
        return True


class FailsToSeek(io.BytesIO):
    def seek(self, *_: object) -> int:
        raise OSError(errno.ESPIPE, "Illegal seek")


class Raw(io.RawIOBase):
    def __init__(self) -> None:
        self.stream = io.BytesIO(LOG)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self.stream.readinto(memoryview(buffer)[:1000])


@pytest.mark.parametrize(
    "make", [Bare, Few, Array, ClaimsToSeek, lambda: FailsToSeek(LOG), Raw], ids=["bare", "few", "array", "claims", "fails", "raw"]
)  # fmt: skip
def test_a_stream_that_cannot_seek_is_read(make: Callable[[], Any]) -> None:
    stream = hv.read(make())
    assert len(list(stream)) == EVENTS
    assert not stream.report.lost


class Gives(Bare):
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def read(self, size: int = -1) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def closed() -> io.BytesIO:
    stream = io.BytesIO(LOG)
    stream.close()
    return stream


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (closed, "closed file"),
        (lambda: io.StringIO("<Event/>"), "text"),
        (lambda: Gives("abc"), "text"),
        (lambda: Gives(None), "nothing to read now"),
        (lambda: Gives(5), "int, not bytes"),
        (lambda: Gives(OSError(errno.EIO, "Input/output error")), "Input/output error"),
        (lambda: Gives(ValueError("I/O operation on closed file")), "closed file"),
    ],
    ids=["closed", "text", "str", "none", "int", "fault", "closed midway"],
)
def test_a_stream_that_cannot_be_read_is_an_error_of_ours(make: Callable[[], Any], why: str) -> None:
    for read in (hv.read, hv.read_records, hv.triage):
        with pytest.raises(SourceError, match=why):
            list(read(make()))


def test_a_file_that_was_opened_for_writing_is_an_error_of_ours(tmp_path: Path) -> None:
    with (tmp_path / "x").open("wb") as stream, pytest.raises(SourceError, match="cannot be read"):
        list(hv.read(stream))


class BreaksOff(Bare):
    """A stream of a log that breaks off after 150 KB."""

    def read(self, size: int = -1) -> Any:
        if self.stream.tell() >= 150_000:
            raise OSError(errno.EIO, "Input/output error")
        return self.stream.read(min(size, 50_000))


def test_what_came_before_a_stream_broke_off_is_read() -> None:
    stream = hv.read(BreaksOff())  # type: ignore[arg-type]
    found = list(stream)
    assert 0 < len(found) < EVENTS
    assert not stream.report.complete
    assert "Input/output error" in str(stream.report)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without room for temporary files, which there are none of in memory."""

    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", lambda *_, **__: Full())


@pytest.mark.usefixtures("full")
def test_a_full_temporary_folder_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"temporary files in .* No space left on device.*TMPDIR"):
        list(hv.read(Bare()))  # type: ignore[arg-type]
    with pytest.raises(OutputError, match="temporary files"):
        list(hv.Classifier().classify_all(iter(hv.read(LOG))))
    with EventSpool(0) as spool, pytest.raises(OutputError, match="temporary files"):
        list(map(spool.add, hv.read(LOG)))
    path = tmp_path / "System.evtx"
    path.write_bytes(LOG)
    assert main(["triage", str(path), "--json"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert "temporary files in" in err


def test_too_little_memory_is_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("hvdegraded.findings.builder.TriageBuilder.read", exhausted)
    assert main(["triage", str(ROOT / "sample_logs")]) == 3
    assert "not enough memory" in capsys.readouterr().err
