"""A long stream through `label` with everything against it: all lines out, in order, in flat memory.

HVDEGRADED_SOAK sets how many lines; five million take some ninety seconds of CPU (issue 15: "it is done when").
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hvdegraded.pipeline.annotation import KEY
from tests.tools.sample_exports import winlogbeat
from tests.tools.streams import feed, start, until
from tests.tools.verdict_cases import VM, plain, storvsp

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc"),
]

LINES = int(os.environ.get("HVDEGRADED_SOAK", "200000"))
MARK = b'"SEQ"'


def templates() -> list[bytes]:
    """Lines of many kinds, each with a place for its number."""
    events = [storvsp(6, "6.0", "5.1"), plain("VMMS", 19100)]
    shipped = [json.dumps(winlogbeat(event) | {"seq": "SEQ"}).encode() for event in events]
    return [
        b'{"seq":"SEQ","winlog":{"provider_name":"Disk","event_id":"7"}}',
        b'{"seq":"SEQ","text":"' + b"x" * 3000 + b'"}',
        *shipped,
        b'{"seq":"SEQ","broken Hyper-V',
        b'{"seq":"SEQ","a":"Microsoft-Windows-Hyper-V-VMMS"}',
    ]


def lines(count: int) -> Iterator[bytes]:
    """The stream in pieces that end anywhere."""
    chosen = random.Random(15)  # the same stream each time
    kinds = templates()
    pending = b""
    for first in range(0, count, 500):
        for number in range(first, min(first + 500, count)):
            kind = chosen.choices(kinds, (80, 4, 8, 4, 2, 2))[0]
            pending += kind.replace(MARK, b"%d" % number) + b"\n"
        size = chosen.randrange(1, len(pending))
        yield pending[:size]
        pending = pending[size:]
    yield pending


def resident(process: int) -> int:
    """Bytes of memory that a process has."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def disturb(process: int, inventory: Path, over: threading.Event) -> None:
    """Stop and continue a process, and change its inventory for better and worse."""
    chosen = random.Random(16)
    good = inventory.read_bytes()
    while not over.wait(chosen.uniform(0.1, 0.6)):
        try:
            os.kill(process, signal.SIGSTOP)
            time.sleep(0.02)
            os.kill(process, signal.SIGCONT)
        except ProcessLookupError:
            return
        inventory.unlink(missing_ok=True)
        content = chosen.choice([good, b"", b"{half", good.replace(b"Debian", b"Ubuntu"), None])
        if content is not None:
            inventory.write_bytes(content)


def test_everything_comes_out(tmp_path: Path) -> None:
    inventory = tmp_path / "guests.json"
    inventory.write_text(json.dumps([{"Name": VM, "OSName": "Debian GNU/Linux 12"}]))
    over = threading.Event()
    memory: list[int] = []
    with start("--guests", inventory) as process:  # nobody reads its stderr
        feed(process, lines(LINES))
        assert process.stdout is not None
        disturber = threading.Thread(target=disturb, args=(process.pid, inventory, over), daemon=True)
        expected = 0
        pending = b""
        while data := os.read(process.stdout.fileno(), 1 << 16):
            if disturber.ident is None:
                disturber.start()  # the inventory was loaded
            *whole, pending = (pending + data).split(b"\n")
            for line in whole:
                assert line.startswith((b'{"seq":%d,' % expected, b'{"@timestamp"')), line[:200]
                if line.startswith(b'{"@'):
                    labelled = json.loads(line)
                    assert labelled["seq"] == expected
                    assert labelled[KEY]["label"]
                expected += 1
            if expected % 5000 < len(whole):
                time.sleep(0.01)  # a slow reader
                memory.append(resident(process.pid))
        over.set()
        assert process.wait(60) == 0
    assert (expected, pending) == (LINES, b"")
    settled = [size for size in memory[len(memory) // 4 :] if size]  # it has none once it has ended
    assert max(settled) < min(settled) + (16 << 20)
    print(f"{LINES} lines, memory {min(settled) >> 20} to {max(settled) >> 20} MiB")
    until(lambda: process.poll() is not None)
