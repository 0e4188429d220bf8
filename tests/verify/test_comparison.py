"""Witnesses that hang, die or take too much are stopped and told; the others are compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from hvdegraded.errors import SourceError
from hvdegraded.verify.comparison import verify
from tests.tools.attacks import ATTACKS, GOOD


def failures(
    name: str, path: Path, engines: list[str] | None = None, *, timeout: float = 60, memory: int = 1 << 30
) -> dict[str, str | None]:
    path.write_bytes(ATTACKS[name]().data)
    found = verify(path, engines, timeout=timeout, memory=memory)
    assert found.report.delivered >= 2 * GOOD
    assert str(found)
    if all(witness.failure for witness in found.witnesses):
        assert not found.agreed  # nobody has read it to agree
    return {witness.name: witness.failure for witness in found.witnesses}


@pytest.mark.slow
def test_a_witness_that_dies(tmp_path: Path) -> None:
    pytest.importorskip("evtx")
    found = failures("4^20 outputs of nested instances", tmp_path / "a.evtx")
    assert found["evtx"] is not None
    assert found["evtx"].startswith(("died of SIG", "failed: "))
    assert found["python-evtx"] is None


@pytest.mark.slow
def test_a_witness_that_hangs(tmp_path: Path) -> None:
    loop = "loop in the template table"
    assert failures(loop, tmp_path / "a.evtx", ["python-evtx"], timeout=3) == {
        "python-evtx": "stopped after 3 s"
    }
    pytest.importorskip("evtx")
    assert failures(loop, tmp_path / "a.evtx", ["evtx"]) == {"evtx": None}


@pytest.mark.slow
def test_a_witness_that_takes_too_much_memory(tmp_path: Path) -> None:
    """Too little for an interpreter: each ends with an error, none with ours."""
    found = failures("a truncated last chunk", tmp_path / "a.evtx", memory=16 << 20)
    assert found
    assert all(found.values())


@pytest.mark.parametrize(
    ("content", "why"), [(b"", "the file is empty"), (b"# a text\n", "not"), (bytes(3000), "not")]
)
def test_why_a_file_is_not_a_log_is_named(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "x.evtx"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=why) as error:
        verify(path)
    assert "None" not in str(error.value)
