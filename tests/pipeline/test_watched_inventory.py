"""An inventory that changes under a stream: what is worse than before does not take its place."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hvdegraded.errors import InventoryError
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.pipeline.annotation import KEY
from hvdegraded.pipeline.labeller import Labeller
from hvdegraded.pipeline.watched_inventory import WatchedInventory
from tests.tools.sample_exports import winlogbeat
from tests.tools.streams import read_slowly, start, until
from tests.tools.verdict_cases import ID, VM, storvsp

IGNORABLE = "ignorable protocol-version mismatch"
MISMATCH = (
    json.dumps(winlogbeat(storvsp(6, "6.0", "5.1")._replace(record_id=7, payload="EventData"))).encode()
    + b"\n"
)


def write(path: Path, count: int = 8, system: str = "Debian GNU/Linux 12") -> None:
    rows = [{"Name": VM, "Id": ID, "OSName": system}]
    rows += [{"Name": f"other{number}", "OSName": system} for number in range(count - 1)]
    path.write_text(json.dumps(rows))


class Stepwise(io.BytesIO):
    """A stream of one line, again and again, with a change before each reading."""

    def __init__(self, line: bytes, steps: list[Callable[[], object]]) -> None:
        super().__init__(line * len(steps))
        self.steps = iter(steps)

    def read1(self, size: int | None = -1) -> bytes:
        next(self.steps, lambda: None)()
        return self.readline()


def labels(path: Path, warnings: list[str], *steps: Callable[[], object]) -> list[str]:
    target = io.BytesIO()
    labeller = Labeller(guests=path, warn=warnings.append, look_again=0.0)
    labeller.run(Stepwise(MISMATCH, list(steps)), target)
    return [json.loads(one)[KEY]["label"] for one in target.getvalue().splitlines()]


def nothing() -> None:
    pass


def test_a_changed_inventory_is_loaded_again(tmp_path: Path) -> None:
    path, new = tmp_path / "guests.json", tmp_path / "new.json"
    write(path)
    warnings: list[str] = []

    def replace() -> None:
        write(new, system="Windows Server 2019")  # as large as the old one
        os.replace(new, path)

    assert labels(path, warnings, nothing, replace, nothing, lambda: write(path)) == [
        IGNORABLE, "actionable", "actionable", IGNORABLE
    ]  # fmt: skip
    assert warnings == []


@pytest.mark.skipif(os.name != "posix", reason="Windows has no time of the last change of a file's state")
def test_a_change_that_keeps_size_and_time_is_seen(tmp_path: Path) -> None:
    """As `rsync --times` and `cp -p` write."""
    path = tmp_path / "guests.json"
    write(path)
    status = path.stat()

    def rewrite() -> None:
        write(path, system="Windows Server 2019")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert labels(path, [], nothing, rewrite) == [IGNORABLE, "actionable"]
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
def test_an_inventory_that_could_not_be_opened_for_a_while_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many open files, say; nothing of the file changes when that is over."""
    import resource

    path = tmp_path / "guests.json"
    write(path)
    warnings: list[str] = []
    watched = WatchedInventory(path, warnings.append, 0)
    write(path, system="Windows Server 2019")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        assert not watched.look()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert "Too many open files" in warnings[0]
    assert not watched.look()
    later = time.monotonic() + 3601
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert watched.look()
    assert "loaded again" in warnings[-1]


def swap(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


WORSE: dict[str, Callable[[Path], Any]] = {
    "deleted": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "blank": lambda path: path.write_bytes(b" \n"),
    "no rows": lambda path: path.write_text("[]"),
    "a header alone": lambda path: path.write_text("Name,Id,OSName\n"),
    "unreadable": lambda path: path.write_bytes(b"\xff{ broken"),
    "half": lambda path: path.write_bytes(path.read_bytes()[:40]),
    "smaller by far": lambda path: write(path, 3, "Windows 10"),
    "of nothing usable": lambda path: path.write_text('[{"Name": 7}]'),
    "a folder": lambda path: swap(path, lambda it: it.mkdir()),
    "a FIFO": lambda path: swap(path, os.mkfifo),
    "a dangling link": lambda path: swap(path, lambda it: it.symlink_to("nowhere")),
    "a device": lambda path: swap(path, lambda it: it.symlink_to("/dev/zero")),
}


@pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")
@pytest.mark.parametrize("how", WORSE)
def test_what_is_worse_than_before_is_told_and_the_last_good_one_stays(tmp_path: Path, how: str) -> None:
    path = tmp_path / "guests.json"
    write(path)
    warnings: list[str] = []
    assert labels(path, warnings, nothing, lambda: WORSE[how](path), nothing, nothing) == [IGNORABLE] * 4
    told = [text for text in warnings if "in force" in text]
    assert len(told) == 1
    assert "(8 VMs, 0 h 0 min old)" in told[0]


ROWS = [(f"lin{number}", "Ubuntu 24.04") for number in range(8)] + [(VM, "Windows Server 2019")]
CSV = "Name,OSName\r\n" + "".join(f"{name},{system}\r\n" for name, system in ROWS)
OBJECTS = [json.dumps({"Name": name, "OSName": system}) for name, system in ROWS]
FORMS = {
    "JSON": f"[{','.join(OBJECTS)}]".encode(),
    "JSON of lines": "\n".join(OBJECTS).encode() + b"\n",
    "printed JSON": json.dumps([json.loads(one) for one in OBJECTS], indent=4).encode("utf-16"),
    "CSV": CSV.encode(),
    "CSV in UTF-16": CSV.encode("utf-16"),
    "CSV of another time": CSV.replace("Ubuntu", "Debian").encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_half_written_inventory_does_not_take_the_place_of_the_good_one(tmp_path: Path, form: str) -> None:
    """The Windows guest stands in the last row, so that each of these cuts costs it or its system."""
    path = tmp_path / "guests"
    good = FORMS["CSV" if form == "CSV of another time" else form]
    for cut in (1, 3, 9, 20, 30, 41):
        path.write_bytes(good)
        warnings: list[str] = []
        part = FORMS[form][:-cut]
        told = labels(path, warnings, nothing, lambda part=part: path.write_bytes(part))  # type: ignore[misc]
        assert told == ["actionable"] * 2
        assert [text for text in warnings if "was not loaded again" in text], (cut, warnings)


def test_a_row_that_was_never_readable_does_not_keep_a_new_inventory_out(tmp_path: Path) -> None:
    path = tmp_path / "guests.csv"
    text = f"Name,Id,OSName\nold,too,many,cells\nweb01,,Ubuntu 24.04\n{VM},{ID},Debian 12\n"
    path.write_text(text)
    warnings: list[str] = []
    newer = text.replace("Debian 12", "Windows 10")
    assert labels(path, warnings, nothing, lambda: path.write_text(newer)) == [IGNORABLE, "actionable"]


def test_an_inventory_that_is_written_while_it_is_read_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "guests.json"
    write(path)
    warnings: list[str] = []
    watched = WatchedInventory(path, warnings.append, 0.0)
    load = GuestInventory.load
    write(path, 5)

    def loaded(source: object) -> GuestInventory:
        guests = load(source)
        if len(guests) == 5:
            write(path, 6)
        return guests

    monkeypatch.setattr(GuestInventory, "load", loaded)
    assert not watched.look()
    assert "changed while it was read" in warnings[-1]
    assert watched.look()
    assert len(watched.guests) == 6


def test_a_good_inventory_after_a_bad_one_is_in_force(tmp_path: Path) -> None:
    path = tmp_path / "guests.json"
    write(path)
    warnings: list[str] = []
    steps = (path.unlink, nothing, lambda: write(path, 5, "Windows 10"))
    assert labels(path, warnings, *steps) == [IGNORABLE, IGNORABLE, "actionable"]
    assert "loaded again: 5 VMs" in warnings[-1]


def test_half_the_machines_is_not_smaller_by_far(tmp_path: Path) -> None:
    path = tmp_path / "guests.json"
    write(path)
    warnings: list[str] = []
    assert labels(path, warnings, nothing, lambda: write(path, 4, "Windows 10")) == [IGNORABLE, "actionable"]
    assert warnings == []


def test_the_age_of_an_old_inventory_is_told_each_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "guests.json"
    write(path)
    warnings: list[str] = []
    watched = WatchedInventory(path, warnings.append)
    path.unlink()
    now, wall = time.monotonic(), time.time()
    for minutes in range(0, 200, 10):
        monkeypatch.setattr(time, "monotonic", lambda minutes=minutes: now + 60 * minutes + 6)
        monkeypatch.setattr(time, "time", lambda minutes=minutes: wall + 60 * minutes + 6)
        assert not watched.look()
    assert len(warnings) in (3, 4)
    assert "3 h " in warnings[-1]


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_an_inventory_from_a_pipe_is_read_once(tmp_path: Path) -> None:
    """As shells give the output of another command: --guests <(command)."""
    path, warnings = tmp_path / "fifo", list[str]()
    os.mkfifo(path)
    child = os.fork()
    if not child:
        write(path)
        os._exit(0)
    assert labels(path, warnings, nothing, nothing) == [IGNORABLE] * 2
    os.waitpid(child, 0)
    assert warnings == []


def test_an_inventory_that_cannot_be_loaded_at_first_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InventoryError, match="cannot be opened"):
            Labeller(guests=path)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_the_command_does_not_wait_for_a_fifo(tmp_path: Path) -> None:
    path = tmp_path / "guests.json"
    write(path)
    out: list[bytes] = []
    err: list[bytes] = []
    with start("--guests", path) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        read_slowly(process.stdout.fileno(), out)
        read_slowly(process.stderr.fileno(), err)
        for step in range(2):
            process.stdin.write(MISMATCH)
            process.stdin.flush()
            until(lambda count=step + 1: b"".join(out).count(b"\n") == count)  # type: ignore[misc]
            if not step:
                swap(path, os.mkfifo)
                time.sleep(5.2)
        process.stdin.close()
        assert process.wait(20) == 0
        until(lambda: b"not a file any more" in b"".join(err))
