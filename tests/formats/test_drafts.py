"""Files are written whole or not at all, through links and devices, and never over an input."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.errors import OutputError
from hvdegraded.formats.drafts import check_output, drafted
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import plain, storvsp

RECORDS = [storvsp(6, "6.0", "5.1"), plain("VMMS", 19100)]
LOG = hv.evtx_bytes(RECORDS)
SYSTEM = FOLDER / "hv2022" / "System.evtx"
posix = pytest.mark.skipif(os.name != "posix", reason="links and devices of POSIX")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run(code: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE)


# ------------------------------------------------------------------ written whole


@posix
def test_mode_and_owner_stay(tmp_path: Path) -> None:
    path = tmp_path / "log.evtx"
    path.touch()
    path.chmod(0o640)
    if os.getuid() == 0:
        os.chown(path, 12345, 23456)
    before = path.stat()
    hv.write_evtx(path, RECORDS)
    after = path.stat()
    assert path.read_bytes() == LOG
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


@posix
def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    hv.write_evtx(tmp_path / "log.evtx", RECORDS)
    assert (tmp_path / "log.evtx").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_files_of_the_user_beside_the_target_stay(tmp_path: Path) -> None:
    for name in ("log.evtx.partial", "log.evtx.tmp", ".log.evtx.draft"):
        (tmp_path / name).write_text("notes")
    hv.write_evtx(tmp_path / "log.evtx", RECORDS)
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {b"notes", LOG}
    assert len(names(tmp_path)) == 4


@pytest.mark.parametrize("name", ["x" * 255, "ä" * 127, "日" * 85, "a b\tc.evtx"])
def test_any_name_that_the_file_system_takes(tmp_path: Path, name: str) -> None:
    hv.write_evtx(tmp_path / name, RECORDS)
    assert (tmp_path / name).read_bytes() == LOG


def old_log(folder: Path) -> Path:
    path = folder / "log.evtx"
    path.write_bytes(b"old")
    return path


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, OSError, GeneratorExit])
def test_an_interruption_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    path = old_log(tmp_path)

    def records() -> Iterator[hv.EventRecord]:
        yield RECORDS[0]
        raise error

    with pytest.raises(error):
        hv.write_evtx(path, records())
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["log.evtx"]


@pytest.mark.subprocess
@posix
def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """The limit of a file's size stands for it."""
    path = old_log(tmp_path)
    code = (
        "import sys, resource, hvdegraded as hv\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try: hv.write_evtx(sys.argv[1], list(hv.read_records(sys.argv[2])) * 50)\n"
        "except hv.HvdegradedError as error: print(error)\n"
    )
    with run(code, path, SYSTEM) as child:
        out, _ = child.communicate(timeout=60)
    assert b"log.evtx: the file cannot be written: File too large" in out
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["log.evtx"]


@pytest.mark.subprocess
@posix
def test_a_kill_leaves_the_old_file(tmp_path: Path) -> None:
    path = old_log(tmp_path)
    code = (
        "import sys, itertools, hvdegraded as hv\n"
        "record = next(hv.read_records(sys.argv[2]))\n"
        "print(flush=True)\n"
        "hv.write_evtx(sys.argv[1], itertools.repeat(record))\n"
    )
    with run(code, path, SYSTEM) as child:
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.5)
        child.send_signal(signal.SIGKILL)
        child.wait(timeout=20)
    assert path.read_bytes() == b"old"


# ------------------------------------------------------------------ written through


@posix
def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    target = tmp_path / "b" / "log.evtx"
    (tmp_path / "a" / "relative").symlink_to("../b/log.evtx")
    (tmp_path / "a" / "absolute").symlink_to(target)
    (tmp_path / "a" / "link to a link").symlink_to("absolute")
    for name in ("relative", "absolute", "link to a link", "relative"):  # the first one dangles
        link = tmp_path / "a" / name
        hv.write_evtx(link, RECORDS)
        assert link.is_symlink()
        assert target.read_bytes() == LOG
        target.write_bytes(b"old")
    target.unlink()
    target.symlink_to(tmp_path / "a" / "relative")
    with pytest.raises(OutputError, match=r"relative: .*symbolic links"):
        hv.write_evtx(tmp_path / "a" / "relative", RECORDS)


@posix
def test_a_fifo_is_written_through(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo.evtx"
    os.mkfifo(fifo)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    hv.write_evtx(fifo, RECORDS)
    reader.join(timeout=20)
    assert got == [LOG]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


@posix
def test_a_device_is_written_through(tmp_path: Path) -> None:
    hv.write_evtx("/dev/null", RECORDS)
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    hv.write_evtx(link, RECORDS)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert link.is_symlink()
    if Path("/dev/full").exists():
        with pytest.raises(OutputError, match="/dev/full: the file cannot be written: No space left"):
            hv.write_evtx("/dev/full", RECORDS)


@pytest.mark.subprocess
@posix
@pytest.mark.parametrize("to_file", [True, False])
def test_standard_output_is_written_through(tmp_path: Path, to_file: bool) -> None:
    """A file is added to, as a shell's >> means it."""
    code = f"import hvdegraded as hv; hv.write_evtx('/dev/stdout', list(hv.read_records({str(SYSTEM)!r})))"
    command = [sys.executable, "-c", code]
    expected = hv.evtx_bytes(list(hv.read_records(SYSTEM)))
    if to_file:
        path = tmp_path / "out"
        path.write_bytes(b"old")
        with path.open("ab") as stream:
            subprocess.run(command, stdout=stream, check=True)
        assert path.read_bytes() == b"old" + expected
    else:
        assert subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout == expected


# ------------------------------------------------------------------ refused


def hard(link: Path, target: Path) -> None:
    link.hardlink_to(target)


def soft(link: Path, target: Path) -> None:
    link.symlink_to(target)


def by_another_path(link: Path, target: Path) -> None:
    link.parent.symlink_to(target.parent, target_is_directory=True)


@posix
@pytest.mark.parametrize("make", [hard, soft, by_another_path])
def test_an_input_is_not_overwritten(tmp_path: Path, make: Callable[[Path, Path], None]) -> None:
    log = tmp_path / "log.evtx"
    log.write_bytes(LOG)
    link = tmp_path / ("folder/log.evtx" if make is by_another_path else "link.evtx")
    make(link, log)
    for target in (log, link):
        for records in (hv.read(log), hv.read_records(log), list(hv.read_records(log))):
            with pytest.raises(OutputError, match="is an input"):
                hv.write_evtx(target, records)
        with pytest.raises(OutputError, match="is an input"):
            check_output(target, [log])
    assert log.read_bytes() == LOG
    assert not any(name.endswith(".draft") for name in names(tmp_path))


def test_an_input_without_wanted_events_is_not_overwritten(tmp_path: Path) -> None:
    log = tmp_path / "log.evtx"
    log.write_bytes(hv.evtx_bytes([plain("VMMS", 19100)._replace(provider="Disk", event_id=7)]))
    before = log.read_bytes()
    with pytest.raises(OutputError, match="is an input"):
        hv.write_evtx(log, hv.read(log))
    assert log.read_bytes() == before


def test_a_copy_of_the_input_is_written(tmp_path: Path) -> None:
    copy = tmp_path / "copy.evtx"
    copy.write_bytes(SYSTEM.read_bytes())
    hv.write_evtx(copy, hv.read_records(SYSTEM))
    assert list(hv.read_records(copy)) == list(hv.read_records(SYSTEM))


@pytest.mark.parametrize("records", [None, 1, 1.5, object()])
def test_what_is_not_events_is_refused_before_a_file_is_touched(tmp_path: Path, records: Any) -> None:
    """Issue 15.16."""
    old = tmp_path / "old.evtx"
    old.write_bytes(b"old")
    for write in (lambda: hv.write_evtx(old, records), lambda: hv.evtx_bytes(records)):
        with pytest.raises(hv.WrongTypeError, match=f"records must be events, not {type(records).__name__}"):
            write()
    assert old.read_bytes() == b"old"
    assert names(tmp_path) == ["old.evtx"]


@pytest.mark.parametrize("name", ["", "no/such/folder/x", "file/x", "nul\0"])
def test_places_where_nothing_can_be_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    for refused in (check_output, lambda path: drafted(path).__enter__()):
        with pytest.raises(OutputError, match="cannot be written"):
            refused(tmp_path / name if "\0" not in name else f"{tmp_path}/{name}")
    assert names(tmp_path) == ["file"]


def test_a_check_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")
    for name in ("old", "new"):
        check_output(tmp_path / name)
    assert names(tmp_path) == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old"
