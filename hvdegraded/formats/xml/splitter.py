"""A stream of event XML, cut into pieces of one `<Event>` each, with bounded memory.

The input is brought to UTF-8 block by block; the bytes decide on the encoding, not what an XML declaration
says (redirected output often contradicts it). `Cutter.next_start` finds the next event, `first_end` the
end that is nearly always right, `walk` the right one: it follows the tags, leaves comments and CDATA out,
and knows that an `<Event><System>` inside an event is the next event after one that was cut off. (Without a
`<System>` it is payload; real logs have that.)

Positions count in `Cutter.data`, from which `drop` removes what is done. No byte is searched twice for the
same thing, for any input, so time is linear in its size.
"""

from __future__ import annotations

import codecs
import enum
import re
from typing import BinaryIO, NamedTuple

from hvdegraded.errors import EmptySourceError, UnsafeXmlError
from hvdegraded.tabular.encodings import encoding_of

__all__ = ["MAX_EVENT", "Cut", "CutKind", "Cutter"]

MAX_EVENT = 16 << 20  # bytes; an .evtx record has at most 64 KiB, in XML some hundred KiB
_MAX_TAG = 8192  # bytes looked at for the end of an `<Event …>` tag
_MAX_ROOT_TAG = 1 << 16  # bytes kept of a tag between events that a block may have cut
_MAX_PREFIXES = 64

_PREFIX = rb"(?:[\w.\-\x80-\xff]{1,64}:)?"
_OUTSIDE = re.compile(rb"<(?:(" + _PREFIX + rb"Event)(?=[\s/>]|\Z)|!--|!\[CDATA\[|\?|!DOCTYPE|!ENTITY)")
_INSIDE = re.compile(rb"<(?:(/?)" + _PREFIX + rb"Event(?=[\s/>]|\Z)|!--|!\[CDATA\[|\?)")
_MAX_TOKEN = 80  # bytes of the longest match of the two
_START_TAG = re.compile(rb"<(?:[^\"'<>]++|\"[^\"<]*+\"|'[^'<]*+')*+>")
_END_TAG = re.compile(rb"</[^\s<>]*+\s*+>")
_SYSTEM = re.compile(rb"\s*+<" + _PREFIX + rb"System[\s/>]")
_TERMINATORS = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}

_MARKUP = re.compile(rb"[<>]")
_TAG = re.compile(rb"<[^<>]*>")
_DECLARED_PREFIX = re.compile(rb"\s(xmlns:[\w.\-]{1,64})\s*=\s*(\"[^\"<>&]{1,1024}\"|'[^'<>&]{1,1024}')")
_DECLARED_ENCODING = re.compile(rb"<\?xml\s[^<>]{0,200}?\sencoding\s*=\s*[\"']([A-Za-z][\w.\-]{0,39})[\"']")
_NOT_A_UNIT = bytes(range(0x80, 0xC0))  # bytes of UTF-8 that start no character
_TWO_UNITS = bytes(range(0xF0, 0x100))  # bytes of UTF-8 that start what is two units in UTF-16

_WHITE_SPACE = b" \t\r\n\x0b\x0c"


class CutKind(enum.Enum):
    """How the walk over an event ended."""

    COMPLETE = "at its end tag"
    BROKEN_TAG = "at its start tag, which is broken"
    SUPERSEDED = "at the start of the next event"
    END_OF_INPUT = "at the end of the input"
    TOO_LONG = "where it is longer than MAX_EVENT"


class Cut(NamedTuple):
    """How an event's walk ended, and the position behind it."""

    kind: CutKind
    end: int


class _Found(NamedTuple):
    """What is known of a byte string: asked from `origin`, first at `place`, or absent before `searched`."""

    origin: int
    place: int
    searched: int

    def shifted(self, count: int) -> _Found:
        return _Found(*(value + count for value in self))


class Cutter:
    """The events of a byte stream, one after another; the module says how.

    `data` holds UTF-8, `wrapper` a start tag with the namespace prefixes declared around the events (empty
    where none are), `declared_encoding` what an XML declaration claims, `stray` counts bytes of text between
    events, `half_unit` says that UTF-16 ended in the middle of a unit, `first_byte` is the first that is not
    white space. Set `recovering` to skip to the next `<Event><System>`. `encoding` overrules the bytes.
    Raises EmptySourceError for an input without bytes.
    """

    def __init__(
        self, stream: BinaryIO, *, path: str | None, block_size: int, encoding: str | None = None
    ) -> None:
        self.data = b""
        self.wrapper = b""
        self.declared_encoding: str | None = None
        self.stray = 0
        self.half_unit = False
        self.first_byte = b""
        self.recovering = False
        self.dropped = 0
        self._stream = stream
        self._path = path
        self._block_size = block_size
        self._at_end = False
        self._started = False
        self._pending = b""
        self._mark, self._line = 0, 1
        self._prefixes: dict[bytes, bytes] = {}
        self._known: dict[bytes, _Found] = {}
        head = self._read(max(block_size, 4))
        if not head:
            raise EmptySourceError("the input is empty", path=path, hint="check how it was exported")
        self._encoding, self._offset = _sniff(head, encoding)
        self._take(head[self._offset :])

    # ---------------------------------------------------------------- bytes

    def _read(self, size: int) -> bytes:
        block = self._stream.read(size) or b""
        while block and len(block) < size:
            more = self._stream.read(size - len(block))
            if not more:
                break
            block += more
        return block

    def _take(self, block: bytes, *, last: bool = False) -> None:
        if self._encoding != "utf-8":
            decode = codecs.utf_16_le_decode if self._encoding == "utf-16-le" else codecs.utf_16_be_decode
            units = self._pending + block
            if last and len(units) % 2:
                self.half_unit = True
                units = units[:-1]
            text, used = decode(units, "surrogatepass", last)
            self._pending = units[used:]
            block = text.encode("utf-8", "surrogatepass")
        self.data = self.data + block if self.data else block

    def _fill(self) -> None:
        block = self._read(self._block_size)
        self._at_end = not block
        self._take(block, last=self._at_end)

    def _ensure(self, place: int) -> None:
        while len(self.data) < place and not self._at_end:
            self._fill()

    def drop(self, count: int) -> None:
        """Forget the first `count` bytes of `data`."""
        self.locate(count)
        self._mark = 0
        self.dropped += count
        self.data = self.data[count:]
        self._known = {needle: known.shifted(-count) for needle, known in self._known.items()}

    def locate(self, place: int) -> tuple[int, int]:
        """Byte offset in the stream and line of a position, which is never before one asked for earlier."""
        if place > self._mark:
            passed = self.data[self._mark : place]
            self._line += passed.count(b"\n")
            self._offset += len(passed) if self._encoding == "utf-8" else _utf16_size(passed)
            self._mark = place
        return self._offset, self._line

    def _find(self, needle: bytes, place: int, start: int) -> int:
        """First position of `needle` from `place` on, -1 where none is within MAX_EVENT of `start`."""
        known = self._known.get(needle)
        searched = place
        if known is not None and known.origin <= place:
            if known.place >= place:
                return known.place
            searched = max(place, known.searched)
        while True:
            found = self.data.find(needle, searched)
            searched = found if found >= 0 else max(searched, len(self.data) - len(needle) + 1)
            if found >= 0 or self._at_end or len(self.data) - start > MAX_EVENT:
                self._known[needle] = _Found(place, found, searched)
                return found
            self._fill()

    # ---------------------------------------------------------------- between events

    def next_start(self, place: int) -> int:
        """Position of the next event's start tag from `place` on, -1 where the input ends.

        May drop what lies before. Raises UnsafeXmlError for a document type or an entity declaration ahead of
        the first event; behind it, no piece can use one.
        """
        while True:
            if place > self._block_size:
                self.drop(place)
                place = 0
            match = _OUTSIDE.search(self.data, place)
            if match is None or (match.end() == len(self.data) and not self._at_end):
                if self._at_end:
                    self._pass(place, len(self.data))
                    return -1
                kept = self.data.rfind(b"<", max(place, len(self.data) - _MAX_ROOT_TAG))
                kept = len(self.data) if kept < 0 else kept
                self._pass(place, kept)
                self.drop(kept)
                place = 0
                self._fill()
                continue
            self._pass(place, match.start())
            self.first_byte = self.first_byte or b"<"
            if match[1]:
                if not self.recovering or self._is_event(match.start()):
                    self.recovering = False
                    self._started = True
                    return match.start()
                place = match.end()
                continue
            place = self._pass_markup(match.start(), match.end())

    def _pass_markup(self, start: int, end: int) -> int:
        token = self.data[start:end]
        terminator = _TERMINATORS.get(token)
        if terminator is None and self._started:
            self.stray += len(token)
            return end
        if terminator is None:
            offset, line = self.locate(start)
            raise UnsafeXmlError(
                f"the XML has a {token[2:].decode()} declaration, which event XML never has",
                path=self._path,
                offset=offset,
                line=line,
                hint="do not trust this file",
            )
        found = self._find(terminator, end, start)
        if found < 0:
            self.stray += len(token)
            return end
        if token == b"<![CDATA[":
            self.stray += len(self.data[end:found].translate(None, _WHITE_SPACE))
        if token == b"<?":
            encoding = _DECLARED_ENCODING.match(self.data, start, found)
            if encoding is not None:
                self.declared_encoding = encoding[1].decode()
        return found + len(terminator)

    def _pass(self, start: int, end: int) -> None:
        """Take account of what lies between events: white space, tags of a root element, other text."""
        between = self.data[start:end].strip()
        if not between or self.recovering:
            return
        self.first_byte = self.first_byte or between[:1]
        text = between
        if b"<" in between:
            for tag in _TAG.findall(between):
                self._declare(tag)
            text = _TAG.sub(b"", between)
        self.stray += len(text.translate(None, _WHITE_SPACE + codecs.BOM_UTF8))

    def _declare(self, tag: bytes) -> None:
        for name, uri in _DECLARED_PREFIX.findall(tag):
            if name in self._prefixes or len(self._prefixes) < _MAX_PREFIXES:
                self._prefixes[name] = uri
                declarations = b" ".join(b"%b=%b" % pair for pair in self._prefixes.items())
                self.wrapper = b"<_ " + declarations + b">"

    def _is_event(self, start: int) -> bool:
        self._ensure(start + _MAX_TAG)
        tag = _START_TAG.match(self.data, start, start + _MAX_TAG)
        if tag is None:
            return False
        self._ensure(tag.end() + _MAX_TAG)
        return _SYSTEM.match(self.data, tag.end(), tag.end() + _MAX_TAG) is not None

    # ---------------------------------------------------------------- inside an event

    def first_end(self, start: int) -> int:
        """Position behind the first end tag of the event at `start`, -1 where none is near."""
        match = _OUTSIDE.match(self.data, start)
        end_tag = b"</" + (match[1] if match and match[1] else b"Event") + b">"
        found = self._find(end_tag, start, start)
        return found if found < 0 else found + len(end_tag)

    def walk(self, start: int) -> Cut:
        """Follow the tags of the event at `start` to where it ends, and tell how."""
        depth = 0
        place = start
        while True:
            match = _INSIDE.search(self.data, place)
            if match is None or (match.end() == len(self.data) and not self._at_end):
                if self._at_end:
                    return Cut(CutKind.END_OF_INPUT, len(self.data))
                place = max(place, len(self.data) - _MAX_TOKEN)
                if len(self.data) - start > MAX_EVENT:
                    return Cut(CutKind.TOO_LONG, place)
                self._fill()
                continue
            if match.start() - start > MAX_EVENT:
                return Cut(CutKind.TOO_LONG, match.start())
            place = match.end()
            terminator = _TERMINATORS.get(match[0])
            if terminator is not None:
                found = self._find(terminator, place, start)
                place = place if found < 0 else found + len(terminator)
                continue
            self._ensure(place + _MAX_TAG)
            tag = (_END_TAG if match[1] else _START_TAG).match(self.data, match.start(), place + _MAX_TAG)
            if match.start() > start and not match[1] and self._is_event(match.start()):
                return Cut(CutKind.SUPERSEDED, match.start())
            if tag is None:
                if self._at_end and not _MARKUP.search(self.data, place):
                    return Cut(CutKind.END_OF_INPUT, len(self.data))
                if depth == 0:
                    return Cut(CutKind.BROKEN_TAG, place)
                continue
            place = tag.end()
            if match[1]:
                depth -= 1
            elif not tag[0].endswith(b"/>"):
                depth += 1
            if depth <= 0:
                return Cut(CutKind.COMPLETE, place)


def _sniff(head: bytes, encoding: str | None) -> tuple[str, int]:
    """The encoding that was named, or that the first bytes show, and the length of the byte-order mark."""
    shown = encoding_of(head)
    if encoding is None or (shown.mark and shown.codec == "utf-8"):
        return ("utf-8", 0) if shown.codec.startswith("utf-32") else shown
    return encoding, 0


def _utf16_size(text: bytes) -> int:
    """Bytes that a text takes in UTF-16, from its UTF-8."""
    characters = len(text.translate(None, _NOT_A_UNIT))
    return 2 * (characters + len(text) - len(text.translate(None, _TWO_UNITS)))
