"""JSON lines in, the same lines with a verdict out: one for one, in order, flushed each.

How it works. A line's bytes tell whether it can be of Hyper-V at all; what cannot passes without being
parsed. Of the others each gets its verdict as one key more, put in front of its last brace: so a line keeps
every byte that it came with, numbers, escapes and repeated keys included. What is no JSON, or too long,
passes as it came, and is counted: nothing leaves the stream but what `drop_ignorable` and `only_hyper_v`
surely mean.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

from hvdegraded.formats.shippers.json_lines import LONGEST_LINE, line_may_hold, utf16_lines
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.pipeline.annotation import KEY, json_text
from hvdegraded.pipeline.annotator import Annotated, Annotator
from hvdegraded.tabular.encodings import encoding_by_mark
from hvdegraded.tabular.json_keys import decoded
from hvdegraded.verdicts.classifier import Classifier
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.verdict import Label

__all__ = ["Labeller", "Stats"]

_BOM = b"\xef\xbb\xbf"
_WHITE_SPACE = b" \t\r\n"
_LOOK_AGAIN = 5.0  # seconds between looks at the inventory's file


_KEY_BYTES = b',"' + KEY.encode() + b'":'


@dataclass
class Stats:
    """What a stream held. Each line counts once, but for `dropped`, which counts lines that were left out.

    `passed` are of no Hyper-V provider; `unread` may be, but no event was found in them; `broken` are no JSON
    (in UTF-8), `errors` got an error in place of a verdict, `too_long` were not looked into.
    """

    lines: int = 0
    passed: int = 0
    ignorable: int = 0
    actionable: int = 0
    unread: int = 0
    broken: int = 0
    errors: int = 0
    too_long: int = 0
    dropped: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{getattr(self, one.name)} {one.name.replace('_', ' ')}" for one in fields(self))


class Labeller:
    """Labels lines by an inventory, which is loaded again when its file changes, and a policy.

    `drop_ignorable` leaves out lines with an ignorable verdict that is not assumed, `drop_assumed` those too;
    `only_hyper_v` leaves out what is surely no Hyper-V event. `dialect` forces one of `dialects()`. `warn` is
    told what is wrong with the inventory or the stream. Raises InventoryError where the inventory cannot be
    loaded at first.
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
        self._looked = 0.0
        self._drop_ignorable = drop_ignorable
        self._drop_assumed = drop_assumed
        self._only = only_hyper_v
        self._dialect = dialect
        self._warn = warn
        self._may_hold = line_may_hold(self._policy.knowledge.provider_filter())
        self._seen = self._stamp()
        self._annotator = self._loaded()

    def line(self, line: bytes) -> bytes | None:
        """The line to write for a line read, None for one to leave out. Never raises."""
        stats = self.stats
        stats.lines += 1
        if not self._may_hold(line):
            if b"\0" in line:  # UTF-16 without a mark: its bytes tell nothing
                stats.broken += 1
                return line
            return self._pass(line)
        body = line.removeprefix(_BOM)
        try:
            value, doubts = decoded(body.decode(), strict=True)
        except (ValueError, RecursionError):
            stats.broken += 1
            return line
        is_mapping = type(value) is dict
        found = self._annotator(value, doubts) if is_mapping else Annotated()
        added = found.added
        if added is None:
            if found.read:
                return self._pass(line)
            stats.unread += 1
            return line
        if added["error"] is not None:
            stats.errors += 1
        elif added["label"] == Label.IGNORABLE:
            stats.ignorable += 1
            if self._drop_ignorable and found.whole and (self._drop_assumed or not added["assumed"]):
                stats.dropped += 1
                return None
        else:
            stats.actionable += 1
        return _with(found.text or json_text(added), added, value, body)

    def run(self, source: BinaryIO, target: BinaryIO) -> None:
        """Label a stream until it ends. UTF-16 with a byte-order mark comes out as UTF-8."""
        readline: Callable[[int], bytes] = source.readline
        write, flush = target.write, target.flush
        line = readline(LONGEST_LINE)
        marked = encoding_by_mark(line)
        if marked is not None and marked.is_utf16:
            self._warn("the input is UTF-16; the output is UTF-8")
            decoded = utf16_lines(line, source)

            def readline(_: int = 0, /) -> bytes:
                return next(decoded, b"")

            line = readline(LONGEST_LINE)
        while line:
            self._look_at_inventory()
            if len(line) >= LONGEST_LINE and not line.endswith(b"\n"):
                self.stats.lines += 1
                self.stats.too_long += 1
                while line:
                    write(line)
                    if line.endswith(b"\n"):
                        break
                    line = readline(LONGEST_LINE)
            else:
                out = self.line(line)
                if out is not None:
                    write(out)
            flush()
            line = readline(LONGEST_LINE)

    def _pass(self, line: bytes) -> bytes | None:
        self.stats.passed += 1
        if self._only:
            self.stats.dropped += 1
            return None
        return line

    def _stamp(self) -> tuple[int, int, int] | None:
        if self._path is None:
            return None
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _loaded(self) -> Annotator:
        guests = GuestInventory.load(self._path) if self._path is not None else None
        for problem in guests.problems if guests else ():
            self._warn(f"guests: {problem}")
        return Annotator(Classifier(guests, self._policy), self._dialect)

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
            self._annotator = self._loaded()
        except Exception as error:  # noqa: BLE001  # whatever stands in the file, the stream goes on
            self._warn(f"the inventory was not loaded again, and the old one holds: {error}")


def _with(text: str, added: dict[str, Any], value: dict[str, Any], body: bytes) -> bytes:
    """The line of a mapping with the key added (`text` as JSON), its other bytes untouched."""
    bare = body.rstrip(_WHITE_SPACE)
    end = b"\r\n" if body.endswith(b"\r\n") else b"\n" if body.endswith(b"\n") else b""
    if KEY in value:  # it was labelled before
        return json_text({**value, KEY: added}).encode() + end
    return b"".join((bare[:-1], _KEY_BYTES, text.encode(), b"}", end))
