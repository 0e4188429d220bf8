"""JSON lines in, the same lines with a verdict out: one for one, in order, flushed each.

Lines that cannot be Hyper-V are passed on by their bytes; what is no JSON, or too long, is passed on as it
came.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

from hvdegraded.annotation import KEY, annotate
from hvdegraded.classify import Classifier
from hvdegraded.errors import HvdegradedError
from hvdegraded.guests import GuestInventory
from hvdegraded.policy import Policy
from hvdegraded.sources.jsonlines import line_may_hold
from hvdegraded.verdict import Label

__all__ = ["Labeller", "Stats"]

_LONGEST_LINE = 16 << 20
_BOM = b"\xef\xbb\xbf"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_LOOK_AGAIN = 5.0  # seconds between looks at the inventory's file


@dataclass
class Stats:
    """What a stream held: lines, and what became of them."""

    lines: int = 0
    passed: int = 0
    ignorable: int = 0
    actionable: int = 0
    dropped: int = 0
    errors: int = 0
    too_long: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{getattr(self, one.name)} {one.name.replace('_', ' ')}" for one in fields(self))


class Labeller:
    """Labels lines by an inventory, which is loaded again when its file changes, and a policy.

    `drop_ignorable` leaves out lines with an ignorable verdict that is not assumed, `drop_assumed` those
    too; `only_hyper_v` leaves out what is no Hyper-V event. `dialect` forces one of `dialects()`. `warn` is
    told what is wrong with the inventory.
    """

    def __init__(
        self,
        *,
        guests: str | os.PathLike[str] | None = None,
        policy: Policy | None = None,
        drop_ignorable: bool = False,
        drop_assumed: bool = False,
        only_hyper_v: bool = False,
        dialect: str | None = None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.stats = Stats()
        self._policy = policy or Policy()
        self._path = Path(guests) if guests is not None else None
        self._seen: tuple[int, int] | None = None
        self._looked = 0.0
        self._drop_ignorable = drop_ignorable
        self._drop_assumed = drop_assumed
        self._only = only_hyper_v
        self._dialect = dialect
        self._warn = warn
        self._may_hold = line_may_hold(self._policy.knowledge.provider_filter())
        self._classifier = Classifier(GuestInventory.load(guests) if guests else None, self._policy)
        if self._path is not None:
            self._seen = self._stamp()

    def line(self, line: bytes) -> bytes | None:
        """The line to write for a line read, None for one to leave out. Never raises."""
        stats = self.stats
        stats.lines += 1
        if not self._may_hold(line):
            return self._pass(line)
        end = b"\r\n" if line.endswith(b"\r\n") else b"\n" if line.endswith(b"\n") else b""
        try:
            value = json.loads(line.removeprefix(_BOM))
        except (ValueError, RecursionError):
            stats.errors += 1
            return self._pass(line)
        if not isinstance(value, dict):
            return self._pass(line)
        labelled = annotate(value, classifier=self._classifier, dialect=self._dialect)
        added = labelled.get(KEY)
        if added is None or added is value.get(KEY):
            return self._pass(line)
        if added["error"] is not None:
            stats.errors += 1
        elif added["label"] == Label.IGNORABLE:
            stats.ignorable += 1
            if self._drop_ignorable and (self._drop_assumed or not added["assumed"]):
                stats.dropped += 1
                return None
        else:
            stats.actionable += 1
        return self._written(labelled, line, end)

    def run(self, source: BinaryIO, target: BinaryIO) -> None:
        """Label a stream until it ends."""
        readline, write, flush = source.readline, target.write, target.flush
        while line := readline(_LONGEST_LINE):
            self._look_at_inventory()
            if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
                self.stats.lines += 1
                self.stats.too_long += 1
                while line:
                    if not self._only:
                        write(line)
                    if line.endswith(b"\n"):
                        break
                    line = readline(_LONGEST_LINE)
            else:
                out = self.line(line)
                if out is not None:
                    write(out)
            flush()

    def _pass(self, line: bytes) -> bytes | None:
        if self._only:
            self.stats.dropped += 1
            return None
        self.stats.passed += 1
        return line

    def _written(self, labelled: dict[str, Any], line: bytes, end: bytes) -> bytes | None:
        try:
            return _encode(labelled).encode() + end
        except UnicodeEncodeError:  # halves of surrogate pairs
            return json.dumps(labelled, separators=(",", ":")).encode() + end
        except (ValueError, RecursionError):
            return line

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self._path or "")
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size

    def _look_at_inventory(self) -> None:
        if self._path is None:
            return
        now = time.monotonic()
        if now - self._looked < _LOOK_AGAIN:
            return
        self._looked = now
        stamp = self._stamp()
        if stamp is None or stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._classifier = Classifier(GuestInventory.load(self._path), self._policy)
        except HvdegradedError as error:
            self._warn(f"the inventory was not loaded again: {error}")
