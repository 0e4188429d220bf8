"""JSON lines in, the same lines with a verdict out: one for one, in order, each as soon as it arrives.

How it works. The bytes of a block of lines show which of them can be of Hyper-V at all; all others pass
without being parsed. Each of those gets its verdict as one key more, put in front of its last brace: so a
line keeps all bytes that it had, numbers, escapes and repeated keys included. What is not JSON, or too long,
passes unchanged, and is counted: no line leaves the stream but those that `drop_ignorable` and
`only_hyper_v` mean beyond question.
"""

from __future__ import annotations

import codecs
import io
import itertools
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import tzinfo
from typing import Any, BinaryIO

from hvdegraded.formats.shippers.coercion import names_no_zone, ticks_of
from hvdegraded.formats.shippers.json_lines import LONGEST_LINE
from hvdegraded.formats.shippers.line_prefilter import candidate_lines, line_may_hold
from hvdegraded.formats.shippers.remainder import remainder_of
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.pipeline.annotation import KEY, json_text
from hvdegraded.pipeline.annotator import SYSLOG, Annotated, Annotator, Reading
from hvdegraded.pipeline.line_blocks import LineBlock, LineReader, write_whole
from hvdegraded.pipeline.line_shapes import LineShapes, Signature
from hvdegraded.pipeline.refused_forms import refuse_other_forms
from hvdegraded.pipeline.stream_history import StreamHistory
from hvdegraded.pipeline.watched_inventory import WatchedInventory
from hvdegraded.records.local_times import zone_of
from hvdegraded.tabular.json_document import has_too_many_parts
from hvdegraded.tabular.json_keys import decoded
from hvdegraded.verdicts.classifier import Classifier
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.verdict import Assumption, Label, Severity

__all__ = ["Labeller", "Stats"]

_WHITE_SPACE = b" \t\r\n"
_LINE_ENDS = "\ufeff\r\n"
_MARKS = b":=> \\\"'"  # in front of a value, in JSON and XML
_MOST_TOLD, _LONGEST_TOLD = 10, 100
_KEY_BYTES = b',"' + KEY.encode() + b'":'


@dataclass
class Stats:
    """Counts of a stream's lines, each of which is counted once; `dropped` counts those left out besides.

    Of the `actionable`, `informing` only inform and ask for nothing (their severity is "none").
    `passed` are of no Hyper-V provider; `unread` may be, but no event was found in them; `broken` are not
    JSON (in UTF-8), `errors` got an error in place of a verdict, `too_long` were not looked into. `cut` is 1
    if a signal ended the stream within a line, which is not among `lines` then, or within a block of lines
    that was not taken. `contradicted` counts VMs of which a later line contradicts what an earlier one was
    called, ignorable and not assumed.
    """

    lines: int = 0
    passed: int = 0
    ignorable: int = 0
    actionable: int = 0
    informing: int = 0
    unread: int = 0
    broken: int = 0
    errors: int = 0
    too_long: int = 0
    cut: int = 0
    contradicted: int = 0
    dropped: int = 0

    def __str__(self) -> str:
        counts = {one.name: f"{getattr(self, one.name)} {one.name.replace('_', ' ')}" for one in fields(self)}
        counts["actionable"] += f" ({self.informing} of them only inform)"
        del counts["informing"]
        return ", ".join(counts.values())


class Labeller:
    """Labels lines by an inventory, which is loaded again when its file changes, and a policy.

    `guests` is the inventory's file, `given` holds guests that count beside it.

    `drop_ignorable` leaves out lines with an ignorable verdict that is not assumed, and those that assume
    nothing but `drop_assumed`; `only_hyper_v` leaves out lines that are certainly not of Hyper-V. `dialect`
    forces one of `dialects()`; with "syslog", a line that is not JSON and carries an event becomes
    `{"_raw": …}` with the key. `timezone` is that of times that name none. `warn` receives what is wrong
    with the inventory or the stream. Raises InventoryError if the inventory cannot be loaded at first,
    HvdegradedError for an unknown dialect or zone.
    """

    def __init__(
        self,
        *,
        guests: str | os.PathLike[str] | None = None,
        given: GuestInventory | None = None,
        policy: Policy | None = None,
        drop_ignorable: bool = False,
        drop_assumed: Iterable[Assumption] = (),
        only_hyper_v: bool = False,
        dialect: str | None = None,
        timezone: tzinfo | str | None = None,
        warn: Callable[[str], None] = lambda _: None,
        longest_line: int = LONGEST_LINE,
        look_again: float = 5.0,
    ) -> None:
        self.stats = Stats()
        self._policy = policy or Policy()
        self._given = given if given is not None else GuestInventory()
        self._drop_ignorable = drop_ignorable
        self._drop_assumed = frozenset(drop_assumed)
        self._only = only_hyper_v
        self._reads_syslog = dialect == SYSLOG
        self._dialect = dialect
        self._zone = zone_of(timezone)
        self._warn = warn
        self._longest = longest_line
        self._told: set[str] = set()
        wanted = self._policy.knowledge.provider_filter()
        self._may_hold = line_may_hold(wanted)
        self._candidates = candidate_lines(wanted)
        self._inventory = WatchedInventory(guests, warn, look_again) if guests is not None else None
        self._history = StreamHistory(self._warn_of_contradiction)
        self._annotator = self._new_annotator()
        self._shapes: LineShapes[tuple[Reading, bool]] = LineShapes(
            self._signature, _ticks_of if self._zone is None else _ticks_in_zone
        )

    def run(self, source: BinaryIO, target: BinaryIO) -> None:
        """Label a stream until it ends. UTF-16 with a byte-order mark comes out as UTF-8.

        Raises UnknownFormatError for one that is certainly not lines, by its first bytes.
        """
        reader = LineReader(source, self._longest)
        blocks = reader.blocks()
        first = next(blocks, None)
        if first is not None:
            refuse_other_forms(source, reader.head, first.data, only_binary=self._reads_syslog)
        if reader.encoding != "utf-8":
            self._warn(f"the input is {reader.encoding.upper()}; the output is UTF-8")
        under_way = None
        try:
            for block in itertools.chain(() if first is None else [first], blocks):
                under_way = block
                if self._inventory is not None and self._inventory.look():
                    self._annotator = self._new_annotator()
                write_whole(target, self._label_block(block))
                under_way = None
                self._warn_of_cut(block)
        except KeyboardInterrupt:
            self._count_torn(under_way)
            raise
        if reader.cut or reader.torn:
            self._count_cut(reader)

    def line(self, line: bytes) -> bytes | None:
        """Return the line to write for a line read, None for one to leave out. Never raises."""
        self.stats.lines += 1
        if self._may_hold(line):
            return self._label(line, self._shapes.recall(line))
        if b"\0" in line:  # UTF-16 without a mark: its bytes show nothing
            self.stats.broken += 1
            return line
        return line if self._pass(1) else None

    def _label(self, line: bytes, remembered: tuple[tuple[Reading, bool], int | None] | None) -> bytes | None:
        if remembered is not None:
            (reading, alone), ticks = remembered
            return self._result(line, self._annotator.of_reading(reading, ticks), alone)
        if len(line) > self._longest or has_too_many_parts(line):
            self.stats.too_long += 1
            return line
        parsed = _parsed(line)
        if parsed is None:
            return self._label_other(line)
        value, anomalies = parsed
        if type(value) is not dict:
            return self._keep_unread(line)
        found = self._annotator(value, anomalies)
        alone = self._drop_ignorable and found.whole and self._holds_nothing_else(value)
        if KEY in value and found.untimed is not None:  # it was labelled before
            without = {key: item for key, item in value.items() if key != KEY}
            line = json_text(without).encode() + _behind(line)
        elif found.reading is not None:
            self._shapes.remember(line, (found.reading, alone))
        return self._result(line, found, alone)

    def _label_other(self, line: bytes) -> bytes:
        """Label a line that is not JSON: by its event, if lines of syslog are read."""
        if not self._reads_syslog:
            self.stats.broken += 1
            return line
        text = line.decode("utf-8", "replace").strip(_LINE_ENDS)
        found = self._annotator.of_line(text)
        if found.untimed is None:
            return self._keep_unread(line)
        self._count(found.untimed)
        ending = line[len(line.rstrip(b"\r\n")) :]
        return _with_key(json_text({"_raw": text}).encode() + ending, found.text)

    def _result(self, line: bytes, found: Annotated, alone: bool) -> bytes | None:
        """The line to write; `alone` says that it contains nothing besides its event."""
        if found.untimed is None:
            if not found.read:
                return self._keep_unread(line)
            return line if self._pass(1) else None
        self._count(found.untimed)
        if alone and self._is_dropped(found.untimed):
            self.stats.dropped += 1
            return None
        return _with_key(line, found.text)

    def _signature(self, line: bytes) -> Signature | None:
        """What decides in a line of one event, for the memory of shapes.

        A line with anomalies, without a time that can be read, or with more than its event, has none: what is
        wrong with it could hide what decides in others.
        """
        parsed = _parsed(line)
        if parsed is None or type(parsed[0]) is not dict or KEY in parsed[0]:
            return None
        value, anomalies = parsed
        record = self._annotator.record_of(value, anomalies)
        if record is None or record.origin.anomalies or record.time_ticks is None:
            return None
        if self._drop_ignorable and remainder_of(value, self._dialect) is not None:
            return None
        without = record._replace(time_ticks=None, record_id=None, process_id=None, thread_id=None)
        return Signature(without[:], record.time_ticks)

    def _warn_of_contradiction(self, text: str) -> None:
        self.stats.contradicted += 1
        self._warn(text)

    def _new_annotator(self) -> Annotator:
        guests = self._given
        if self._inventory is not None:
            loaded = self._inventory.guests
            guests = GuestInventory((*loaded, *guests), loaded.problems) if len(guests) else loaded
        return Annotator(Classifier(guests, self._policy), self._dialect, self._history, self._zone)

    def _label_block(self, block: LineBlock) -> bytes:
        if block.is_part:
            self.stats.lines += block.first
            self.stats.too_long += block.first
            return block.data
        data = block.data
        if b"\0" in data:
            return b"".join(filter(None, map(self.line, io.BytesIO(data))))
        out: list[bytes | memoryview] = []
        view = memoryview(data)
        candidates = self._candidates(data)
        self.stats.lines += candidates.lines
        place = number = 0  # of the first line that is not written
        for at, start, end in candidates.places:
            line = data[start:end]
            remembered = self._shapes.recall(line)
            if remembered is None and not self._may_hold(line):
                continue
            if self._pass(at - number):
                out.append(view[place:start])
            out.append(self._label(line, remembered) or b"")
            place, number = end, at + 1
        if not number:
            return data if self._pass(candidates.lines) else b""
        if self._pass(candidates.lines - number):
            out.append(view[place:])
        return b"".join(out)

    def _pass(self, lines: int) -> bool:
        """Count lines of no Hyper-V provider; returns whether they stay in the stream."""
        self.stats.passed += lines
        self.stats.dropped += lines * self._only
        return not self._only

    def _count_cut(self, reader: LineReader) -> None:
        self.stats.cut += 1
        self.stats.lines -= reader.torn
        self.stats.too_long -= reader.torn
        what = "the last line, which is too long to be held, was written in part"
        if not reader.torn:
            what = (
                f"the last line was not written: its first {reader.cut} bytes were read, and no end followed"
            )
        self._warn(f"a signal ended the stream; {what}")

    def _warn_of_cut(self, block: LineBlock) -> None:
        """Report a last line that begins like JSON, has no end, and is not JSON."""
        if block.is_part or block.data.endswith(b"\n"):
            return
        last = block.data[block.data.rfind(b"\n") + 1 :].strip(_WHITE_SPACE)
        if not last.startswith(b"{") or len(last) > self._longest or has_too_many_parts(last):
            return
        if _parsed(last) is None:
            self._warn(f"the last line is cut: its {len(last)} bytes are not JSON, and have no verdict")

    def _count_torn(self, block: LineBlock | None) -> None:
        """Report lines that were read, and that the reader of the output did not take."""
        self.stats.cut += 1
        count = (block is not None and block.data.count(b"\n")) or 1
        what = "the last line was" if count == 1 else f"of the last {count} lines, some were"
        self._warn(f"a second signal ended the stream; {what} not written, or in part")

    def _keep_unread(self, line: bytes) -> bytes:
        self.stats.unread += 1
        return line

    def _count(self, added: dict[str, Any]) -> None:
        if added["error"] is not None:
            self.stats.errors += 1
        elif added["label"] == Label.IGNORABLE:
            self.stats.ignorable += 1
        else:
            self.stats.actionable += 1
            self.stats.informing += added["severity"] == Severity.NONE

    def _is_dropped(self, added: dict[str, Any]) -> bool:
        if not self._drop_ignorable or added["label"] != Label.IGNORABLE:
            return False
        assumed = {assumption for part in (added, *added["batch"]) for assumption in part["assumptions"]}
        return assumed <= self._drop_assumed

    def _holds_nothing_else(self, value: dict[str, Any]) -> bool:
        remainder = remainder_of(value, self._dialect)
        if remainder is not None and remainder not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(remainder)
            self._warn(
                f"an ignorable line stays, since it contains more than its event: {remainder[:_LONGEST_TOLD]}"
            )
        return remainder is None


def _parsed(line: bytes) -> tuple[Any, tuple[str, ...]] | None:
    """The JSON value of a line, and the anomalies of its text; None if it is not JSON."""
    try:
        return decoded(line.removeprefix(codecs.BOM_UTF8).decode(), strict=True)
    except (ValueError, RecursionError):
        return None


def _ticks_of(value: bytes) -> int | None:
    """The time that a value of a line stands for, with the mark in front of it."""
    return ticks_of(_text_in(value))


def _ticks_in_zone(value: bytes) -> int | None:
    """Return the time that a value of a line stands for, where a zone was given; None if that is not sure.

    A time without a zone is in that one, or in UTC, by the dialect of its line.
    """
    return None if names_no_zone(_text_in(value)) else _ticks_of(value)


def _text_in(value: bytes) -> int | str:
    text = value.lstrip(_MARKS)
    is_number = text.isdigit() and not value.endswith((b'"' + text, b"'" + text))
    return int(text) if is_number else text.decode()


def _with_key(line: bytes, text: str) -> bytes:
    """Put the key, whose content is `text`, in front of the line's last brace; behind it is white space."""
    brace = line.rindex(b"}")
    return b"".join((line[:brace], _KEY_BYTES, text.encode(), line[brace:]))


def _behind(line: bytes) -> bytes:
    """The white space behind a line's last brace."""
    return line[len(line.rstrip(_WHITE_SPACE)) :]
