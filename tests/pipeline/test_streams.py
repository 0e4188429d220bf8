"""Streams through `hvdegraded label`: every line whole, in order, once, whatever pipes and signals do."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.pipeline.annotation import KEY
from hvdegraded.pipeline.labeller import Labeller
from hvdegraded.pipeline.line_blocks import LineReader, write_whole
from tests.tools.sample_logs import FOLDER
from tests.tools.streams import feed, numbered, read_slowly, sequence, start, until, until_full

LINES = (FOLDER / "exports" / "winlogbeat.jsonl").read_bytes().splitlines(keepends=True)
BUFFERED = pytest.mark.parametrize(
    "environment",
    [{"PYTHONUNBUFFERED": ""}, pytest.param({"PYTHONUNBUFFERED": "1"}, marks=pytest.mark.slow)],
    ids=["buffered", "unbuffered"],
)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes and signals of POSIX")


def never_waiting(descriptor: int) -> int:
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_NONBLOCK)
    return descriptor


# ------------------------------------------------------------------ signals


@BUFFERED
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_between_lines_loses_nothing(number: int, code: int, environment: dict[str, str]) -> None:
    with start("--stats", environment=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(LINES[2])
        process.stdin.flush()
        assert KEY in json.loads(process.stdout.readline())  # written as soon as it was read
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (code, b"")
    assert b"1 lines" in err
    assert b"0 cut" in err
    assert b"Traceback" not in err


@BUFFERED
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_line_whose_end_never_comes_is_counted_and_not_written(
    number: int, environment: dict[str, str]
) -> None:
    with start("--stats", environment=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(LINES[2] + b'{"half": ')
        process.stdin.flush()
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(number)
        until(lambda: process.poll() is not None)
        assert process.stdout.read() == b""
        assert process.stderr is not None
        err = process.stderr.read()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    assert b"its first 9 bytes were read" in err
    assert b"1 lines" in err
    assert b"1 cut" in err


@BUFFERED
def test_a_signal_within_a_line_that_is_read_or_written(environment: dict[str, str]) -> None:
    """The line is half read or half written when the signal comes, since the pipe is full."""
    lines = [b'{"seq":0}\n', b'{"seq":1,"x":"%s"}\n' % (b"y" * 5_000_000), b'{"seq":2}\n']
    with start("--stats", environment=environment) as process:
        feed(process, lines)
        assert process.stdout is not None
        assert sequence(process.stdout.readline()) == [0]
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        out = sequence(process.stdout.read())
        assert process.wait(20) == 0
        assert process.stderr is not None
        cut = b"1 cut" in process.stderr.read()
    assert out in ([1], [1, 2]) if not cut else out in ([], [1])


def test_a_signal_while_the_rest_of_a_line_comes_slowly() -> None:
    line = b'{"seq":0,"x":"%s"}\n' % (b"y" * 3000)
    with start() as process:
        pieces = [line[at : at + 100] for at in range(0, len(line), 100)]
        feed(process, [line, *pieces, *numbered(50)], pause=0.02)
        assert process.stdout is not None
        assert sequence(process.stdout.readline()) == [0]
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert sequence(process.stdout.read())[:1] == [0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_second_signal_within_a_line_gives_it_up_and_counts_it(number: int) -> None:
    """As `timeout` and service managers send them."""
    with start("--stats") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(LINES[2] + b'{"half": ')
        process.stdin.flush()
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(number)
        time.sleep(0.1)
        process.send_signal(number)
        assert process.wait(20) == (130 if number == signal.SIGINT else 0)
        assert process.stdout.read() == b""
        err = process.stderr.read()
    assert b"its first 9 bytes were read" in err
    assert b"1 lines" in err
    assert b"1 cut" in err


def test_a_second_signal_ends_a_stream_that_nobody_reads_and_tells_its_lines() -> None:
    with start("--stats") as process:
        feed(process, [b'{"seq":0}\n', *numbered(3, 5_000_000)])
        assert process.stdout is not None
        process.stdout.readline()
        until_full(process.stdout)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 130
        assert process.stderr is not None
        err = process.stderr.read()
    assert b"not written, or in part" in err
    assert b"1 cut" in err


def test_an_ignored_signal_stays_ignored() -> None:
    """As `nohup` has it."""
    ignoring = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = start("--stats")
    finally:
        signal.signal(signal.SIGHUP, ignoring)
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in numbered(2):
            process.stdin.write(line)
            assert process.stdout.readline() == line
            process.send_signal(signal.SIGHUP)
            time.sleep(0.1)
        process.stdin.close()
        assert process.wait(20) == 0


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
def test_a_stream_is_not_written_into_its_own_input(tmp_path: Path, link: str | None, *, named: bool) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"".join(LINES[:3]))
    output = path
    if link is not None:
        output = tmp_path / "out.jsonl"
        getattr(output, link)(path)
    named_as = [path] if named else []
    with (
        output.open("ab") as out,
        path.open("rb") as given,
        start(*named_as, stdin=given, stdout=out) as process,
    ):
        try:
            assert process.wait(20) == 2
        finally:
            process.kill()  # before the file fills the disk
        assert process.stderr is not None
        assert b"the output is the input" in process.stderr.read()
    assert path.read_bytes() == b"".join(LINES[:3])


@BUFFERED
def test_stopped_and_continued_within_lines(environment: dict[str, str]) -> None:
    lines = numbered(300, 20_000)
    out: list[bytes] = []
    with start(environment=environment) as process:
        feed(process, lines)
        assert process.stdout is not None
        thread = read_slowly(process.stdout.fileno(), out)
        for _ in range(15):
            time.sleep(0.03)
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.02)
            process.send_signal(signal.SIGCONT)
        thread.join(60)
    assert b"".join(out) == b"".join(lines)


# ------------------------------------------------------------------ O_NONBLOCK


def test_an_input_that_never_waits() -> None:
    reader, writer = os.pipe()
    never_waiting(reader)
    with start(stdin=reader) as process:
        os.close(reader)
        for line in numbered(8):
            os.write(writer, line[:5])
            time.sleep(0.05)
            os.write(writer, line[5:])
            time.sleep(0.05)
        os.close(writer)
        assert process.stdout is not None
        assert sequence(process.stdout.read()) == list(range(8))
        assert process.wait(20) == 0


@BUFFERED
def test_an_output_that_never_waits(environment: dict[str, str]) -> None:
    lines = numbered(2000, 200)
    out: list[bytes] = []
    reader, writer = os.pipe()
    never_waiting(writer)
    with start(stdout=writer, environment=environment) as process:
        os.close(writer)
        feed(process, lines)
        time.sleep(0.7)
        read_slowly(reader, out, pause=0).join(30)
        assert process.wait(20) == 0
    os.close(reader)
    assert b"".join(out) == b"".join(lines)


def test_a_reader_that_goes_away_from_an_output_that_never_waits() -> None:
    reader, writer = os.pipe()
    never_waiting(writer)
    with start(stdout=writer) as process:
        os.close(writer)
        feed(process, numbered(2000, 200))
        time.sleep(0.5)
        os.close(reader)
        assert process.wait(20) == 141


READY = os.open(os.devnull, os.O_RDWR)


class Reluctant(io.RawIOBase):
    """A raw stream that takes or gives a few bytes at a time, or none at the moment; its descriptor is always ready."""

    def fileno(self) -> int:
        return READY

    def __init__(self, data: bytes, steps: list[int]) -> None:
        self.data = io.BytesIO(data)
        self.taken = bytearray()
        self.steps = steps

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes | None:
        step = self.steps.pop() if self.steps else size
        return self.data.read(min(step, size)) if step else None

    def write(self, data: Any, /) -> int | None:
        step = self.steps.pop() if self.steps else len(data)
        self.taken += bytes(data[:step])
        return min(step, len(data)) if step else None


@given(
    st.lists(st.integers(0, 40), max_size=20), st.lists(st.integers(0, 40), max_size=20), st.integers(1, 300)
)
def test_any_pieces_in_and_out(reads: list[int], writes: list[int], longest: int) -> None:
    data = b"".join((*numbered(5), LINES[2], b"\n", *numbered(3, 200))) + b'{"seq":9}'
    target = Reluctant(b"", [*writes])
    reader = LineReader(Reluctant(data, [*reads]), longest)  # type: ignore[arg-type]
    blocks = list(reader.blocks())
    for block in blocks:
        write_whole(target, block.data)  # type: ignore[arg-type]
    assert bytes(target.taken) == data
    for block in blocks[:-1]:
        assert block.data.endswith(b"\n") or block.is_part
    assert sum(block.first for block in blocks) <= data.count(b"\n") + 1


def test_targets_that_do_not_count_what_they_take() -> None:
    class Simple:
        def __init__(self) -> None:
            self.parts: list[bytes] = []

        def write(self, data: bytes) -> None:
            self.parts.append(data)

        def flush(self) -> None:
            pass

    simple = Simple()
    Labeller().run(io.BytesIO(b"".join(LINES)), simple)  # type: ignore[arg-type]
    assert b"".join(simple.parts).count(b"\n") == len(LINES)


@pytest.mark.parametrize("wrap", [io.BufferedReader, lambda raw: raw])
def test_a_pipe_that_never_waits_through_the_library(wrap: Callable[[Any], Any]) -> None:
    reader, writer = os.pipe()
    never_waiting(reader)
    out = io.BytesIO()
    child = os.fork()
    if not child:
        for line in numbered(3):
            time.sleep(0.1)
            os.write(writer, line)
        os._exit(0)
    os.close(writer)
    with wrap(io.FileIO(reader)) as source:
        Labeller().run(source, out)
    os.waitpid(child, 0)
    assert sequence(out.getvalue()) == [0, 1, 2]


# ------------------------------------------------------------------ as soon as it arrives


def test_a_line_comes_out_before_the_next_goes_in() -> None:
    with start() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in numbered(5):
            process.stdin.write(line)
            process.stdin.flush()
            assert select.select([process.stdout], [], [], 20)[0]
            assert os.read(process.stdout.fileno(), 1 << 16) == line


@pytest.mark.parametrize("end", [b"", b"\r", b"\n", b"\r\n", b" \t", b"\n\r"])
def test_the_end_of_the_last_line_stays(end: bytes) -> None:
    for line in (LINES[2].rstrip(), b'{"a":1}'):
        out = io.BytesIO()
        Labeller().run(io.BytesIO(line + end), out)
        assert out.getvalue().endswith(b"}" + end)
        assert out.getvalue().startswith(line[:-1])
