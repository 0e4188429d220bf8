"""What is certainly not lines is refused by `label`, and all else passes."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.pipeline.labeller import Labeller
from tests.tools.sample_logs import FOLDER

LOG = (FOLDER / "hv2012r2" / "System.evtx").read_bytes()


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    return stream.getvalue()


@pytest.mark.parametrize(
    "content", [LOG, LOG[4096:], gzip.compress(b"{}\n"), zipped(), b"PAR1" + bytes(99)], ids=range(5)
)
def test_a_binary_file_is_refused_and_nothing_is_written(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "in", tmp_path / "out.jsonl"
    source.write_bytes(content)
    target.write_text("of yesterday")
    assert main(["label", str(source), "-o", str(target)]) == 3
    assert "hvdegraded triage" in capsys.readouterr().err
    assert target.read_text() == "of yesterday"


def test_a_binary_stream_is_refused_too() -> None:
    command = [sys.executable, "-m", "hvdegraded", "label"]
    ended = subprocess.run(command, input=LOG, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout) == (3, b"")


@pytest.mark.parametrize(
    "content", [b"\x00\x01\x02\n", b"{}\n" + LOG[:9000] + b"\n", b"\x80PNG\n", b"BZh is a name\n", b"PK\n"]
)
def test_lines_that_are_not_known_pass(content: bytes) -> None:
    target = io.BytesIO()
    Labeller().run(io.BytesIO(content), target)
    assert target.getvalue() == content


def test_the_error_is_ours() -> None:
    with pytest.raises(hv.HvdegradedError, match=r"an \.evtx log"):
        Labeller().run(io.BytesIO(LOG), io.BytesIO())


class Trickle(io.BytesIO):
    """A pipe that gives one byte first."""

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(size if self.tell() else 1)

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size if self.tell() else 1)


def test_a_binary_stream_is_refused_though_its_first_bytes_come_alone() -> None:
    target = io.BytesIO()
    with pytest.raises(hv.UnknownFormatError):
        Labeller().run(Trickle(LOG), target)
    assert not target.getvalue()
