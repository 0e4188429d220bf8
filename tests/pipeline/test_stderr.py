"""What stderr is does not matter to a stream: closed, full, or without a reader."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.tools.streams import LABEL, feed, numbered, sequence, start

pytestmark = pytest.mark.skipif(os.name != "posix", reason="descriptors of POSIX")

CONFLICT = "Name,OS\nweb01,Ubuntu\nweb01,Windows\n"


@pytest.fixture
def guests(tmp_path: Path) -> Path:
    """An inventory with many problems, each of which is a warning."""
    path = tmp_path / "guests.csv"
    path.write_text("Name,OS\n" + "".join(f"vm{n},Ubuntu\nvm{n},Windows\n" for n in range(800)))
    return path


@pytest.mark.subprocess
@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "2> >(exit 0)", "2>/dev/null", "<&- 2>&-"])
def test_the_stream_is_the_same_whatever_stderr_is(guests: Path, redirection: str) -> None:
    lines = numbered(200)
    shell = f'"$@" --stats --guests {guests} {redirection}'
    done = subprocess.run(
        ["bash", "-c", shell, "bash", *LABEL],
        input=b"".join(lines),
        stdout=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    if "<&-" in redirection:  # then there is no input either
        assert (done.returncode, done.stdout) == (3, b"")
    else:
        assert (done.returncode, done.stdout) == (0, b"".join(lines))


def test_a_pipe_of_stderr_that_is_full_does_not_stop_the_stream(guests: Path) -> None:
    """Its reader is there, and does not read."""
    with start("--guests", guests, "--stats") as process:
        feed(process, numbered(3000))
        assert process.stdout is not None
        assert sequence(process.stdout.read()) == list(range(3000))
        assert process.wait(20) == 0


@pytest.mark.subprocess
def test_an_inventory_opened_as_descriptor_2_receives_no_message(guests: Path) -> None:
    """A closed descriptor is the next one that is opened."""
    before = guests.read_bytes()
    shell = f'"$@" --stats --guests {guests} 2>&-'
    subprocess.run(
        ["bash", "-c", shell, "bash", *LABEL],
        input=b"{oops\n" * 10,
        stdout=subprocess.PIPE,
        timeout=60,
        check=True,
    )
    assert guests.read_bytes() == before


@pytest.mark.subprocess
@pytest.mark.parametrize("shell", ['"$@" > out 2>&1', '"$@" >> out 2>> out', '"$@" -o out 2> out'])
def test_messages_and_lines_do_not_go_into_one_file(tmp_path: Path, shell: str) -> None:
    """Whatever a message said would stand between the lines, or over one."""
    done = subprocess.run(
        ["bash", "-c", shell, "bash", *LABEL], input=b"{}\n" * 10, cwd=tmp_path, timeout=60, check=False
    )
    assert done.returncode == 2
    lines = (tmp_path / "out").read_text().splitlines()
    assert [line.partition(":")[0] for line in lines] == ["hvdegraded"]
    assert "the output is the file of stderr" in lines[0]


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("arguments", "redirection"),
    [
        (["--drop-assumed", "guest-system"], "2>&-"),
        (["--guests", "/no/such/file"], "2>/dev/full"),
        (["--format", "nonsense"], "2>&-"),
        (["--format", "nonsense"], "2>/dev/full"),
    ],
)
def test_errors_keep_their_exit_codes(arguments: list[str], redirection: str) -> None:
    shell = f'"$@" {redirection}'
    done = subprocess.run(
        ["bash", "-c", shell, "bash", *LABEL, *arguments],
        input=b"",
        stdout=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.slow
def test_a_reader_of_stderr_that_goes_away_during_the_stream(guests: Path) -> None:
    with start("--guests", guests) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(b'{"seq":0}\n')
        process.stdin.flush()
        process.stderr.readline()
        process.stderr.close()
        guests.write_text(CONFLICT)
        time.sleep(5.2)
        feed(process, numbered(5)[1:])
        assert process.stdout is not None
        assert sequence(process.stdout.read()) == [0, 1, 2, 3, 4]
        assert process.wait(20) == 0
