"""Other readers, each in a process of its own that may hang or die: which record numbers it gives of a log."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

PATIENCE = 30.0
"""Seconds that a reader may take for one log."""


def _evtx(path: str) -> Iterator[int]:
    from evtx import PyEvtxParser

    records = PyEvtxParser(path).records()
    while True:
        try:
            yield next(records)["event_record_id"]
        except StopIteration:
            return
        except RuntimeError:
            continue


def _libevtx(path: str) -> Iterator[int]:
    import pyevtx

    log = pyevtx.file()
    log.open(path)
    for at in range(log.get_number_of_records()):
        try:
            record = log.get_record(at)
            record.get_xml_string()
            yield record.get_identifier()
        except (OSError, UnicodeError):
            continue
    log.close()


def _python_evtx(path: str) -> Iterator[int]:
    from Evtx.Evtx import FileHeader

    for chunk in FileHeader(Path(path).read_bytes(), 0).chunks(include_inactive=True):
        try:
            for record in chunk.records():
                try:
                    record.xml()
                    yield record.record_num()
                except Exception:  # noqa: BLE001  # it raises whatever its parsing ran into
                    continue
        except Exception:  # noqa: BLE001
            continue


PEERS: dict[str, Callable[[str], Iterator[int]]] = {
    "evtx with skip_errors": _evtx,
    "libevtx": _libevtx,
    "python-evtx": _python_evtx,
}


class Peer:
    """A reader's process, started anew where it hung or died."""

    def __init__(self, name: str) -> None:
        self.hung = self.died = 0
        self._name = name
        self._process: subprocess.Popen[bytes] | None = None

    def numbers(self, data: bytes) -> set[int]:
        """Numbers of the records that it gives of a log; none where it hangs or dies."""
        if self._process is None:
            command = [sys.executable, "-m", "tests.tools.peers", self._name]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        with tempfile.NamedTemporaryFile(suffix=".evtx") as file:
            file.write(data)
            file.flush()
            process.stdin.write(file.name.encode() + b"\n")
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
            line = process.stdout.readline() if ready else b""
        if line:
            return set(json.loads(line))
        self.hung += not ready
        self.died += bool(ready)
        process.kill()
        process.wait()
        self._process = None
        return set()


def _serve(name: str) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    for line in sys.stdin:
        found: list[int] = []
        with contextlib.suppress(Exception):  # what it cannot open, or not to the end
            found.extend(PEERS[name](line.strip()))
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1])
