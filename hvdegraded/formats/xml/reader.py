"""Event XML in, event records out: exports of wevtutil and Event Viewer, `ToXml()` lines, single events.

How it works. `splitter` cuts the stream into pieces of one `<Event>` each, every piece is parsed alone, and
`element` makes the record, unless `event_forms` knows it. So output without a root element reads as well as a
file with one, memory is bounded by one event, and a malformed event costs itself only.

1. A piece normally ends at the first end tag. If it parses, that was right: a well-formed element ends
   where it ends. If not, `Cutter.walk` finds the true end. No byte is parsed for that more than twice.
2. XML forbids control characters, but real events hold them. Where a piece does not parse, each becomes
   `_ESCAPE` and four hexadecimal digits, `_ESCAPE` itself too, and is turned back in the record.
3. Nothing expands: a document type is refused, and no piece can carry one.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from lxml import etree

from hvdegraded.errors import EmptySourceError, SourceError, UnknownFormatError
from hvdegraded.formats.xml.characters import decoded, escaped, unescaped
from hvdegraded.formats.xml.element import UnreadableEventError, record_from_element
from hvdegraded.formats.xml.event_forms import EventForms
from hvdegraded.formats.xml.splitter import MAX_EVENT, CutKind, Cutter
from hvdegraded.records.coverage import Coverage
from hvdegraded.records.items import Item, Loss, LossReason, Note, NoteKind, Opened, Skipped
from hvdegraded.records.record import Caveat, EventRecord, Origin, ProviderFilter

__all__ = [
    "parse_event",
    "read_xml",
]

BLOCK_SIZE = 1 << 18  # bytes
_MAX_MARKUP = 1 << 18  # elements and attributes of an event; each costs some hundred bytes
_MAX_ATTRIBUTES = 2048  # of an element; each is compared with each, so that time grows with the square
_MAX_MENDED = 1 << 20  # bytes of an event with what XML forbids; escapes multiply
_SMALL = 1 << 16  # bytes up to which a wrong guess of a piece's end is cheap
_ORIGIN = Origin("xml")

_PARSER_OPTIONS: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "collect_ids": False,
    "remove_comments": True,
    "remove_pis": True,
}
_PARSER = etree.XMLParser(**_PARSER_OPTIONS)
_LOGGED_ERRORS = 100  # lxml lists so many errors of one document, then no more

_PLACE_IN_DETAIL = re.compile(r"\s*, line \d+, column \d+$")

_PROVIDER = re.compile(
    rb"<(?:[\w.-]{1,64}:)?Event(?:\s[^<>]*)?>\s*<(?:[\w.-]{1,64}:)?System>\s*<(?:[\w.-]{1,64}:)?Provider"
    rb"\s+Name=(?:'([^'<&\t\n\r]*)'|\"([^\"<&\t\n\r]*)\")([^<>]*)"
)
_REMEMBERED_PROVIDERS, _LONGEST_REMEMBERED = 4096, 512
_START = re.compile(rb"<((?:[\w.-]{1,64}:)?Event)[\s>]")
_PAYLOAD_END = re.compile(
    rb"</(?:[\w.-]{1,64}:)?(?:EventData|UserData)\s*>|<(?:[\w.-]{1,64}:)?(?:EventData|UserData)\s*/>"
)
_NO_PAYLOAD = re.compile(rb"</(?:[\w.-]{1,64}:)?System\s*>(?=\s*<(?:[\w.-]{1,64}:)?RenderingInfo[\s>])")
_MORE_BEHIND = re.compile(
    rb"<(?:[\w.-]{1,64}:)?(?:System|EventData|UserData|ProcessingErrorData|DebugData)[\s/>]"
)
_EVENT_TAG = re.compile(rb"<Event[\s/>]")


_CUT_SHORT = {
    CutKind.BROKEN_TAG: (LossReason.MALFORMED, "its start tag is broken"),
    CutKind.SUPERSEDED: (LossReason.TRUNCATED, "the next event begins inside it"),
    CutKind.END_OF_INPUT: (LossReason.TRUNCATED, "the input ends inside it"),
    CutKind.TOO_LONG: (LossReason.OVER_LIMIT, f"it is longer than {MAX_EVENT} bytes"),
}


_Outcome = EventRecord | UnreadableEventError | bytes
"""What a piece gave: a record, the reason why not, or the piece itself for a provider that is not wanted."""


# -------------------------------------------------------------------- one event


def parse_event(text: str | bytes, origin: Origin = _ORIGIN) -> EventRecord:
    """The record of one `<Event>` element, with or without namespace, declaration, comments around it.

    Bytes are UTF-8 or UTF-16. Raises SourceError (with the line) where it is not exactly one readable event,
    UnsafeXmlError where it declares a document type or entities.
    """
    is_plain = text.startswith("<Event") if isinstance(text, str) else text.startswith(b"<Event")
    signs = text.count("=") if isinstance(text, str) else text.count(b"=")
    if is_plain and len(text) <= _SMALL and signs <= _MAX_ATTRIBUTES:
        try:
            element = etree.fromstring(text, _PARSER)
            if element.tag.rpartition("}")[2] == "Event":
                return record_from_element(element, origin)
        except (etree.XMLSyntaxError, UnicodeError, UnreadableEventError):
            pass  # the long way reads more, and knows what is wrong
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    encoding = None if isinstance(text, bytes) else "utf-8"
    record: EventRecord | None = None
    anomalies: list[str] = []
    for item in _items(io.BytesIO(data), origin.path, None, BLOCK_SIZE, encoding):
        if isinstance(item, Loss):
            message = f"the event is {item.reason}: {item.detail}"
            raise SourceError(message, path=origin.path, offset=item.offset, line=item.line)
        if isinstance(item, Note):
            anomalies.append(item.text)
        if isinstance(item, EventRecord):
            if record is not None:
                message, hint = "there is more than one <Event>", "read it as a stream"
                raise SourceError(message, path=origin.path, line=item.origin.line, hint=hint)
            record = item
    if record is None:
        raise SourceError("there is no <Event>", path=origin.path, hint="give one <Event> element")
    anomalies = [*record.origin.anomalies, *anomalies]
    return record._replace(origin=origin.with_anomalies(*anomalies).with_caveats(*record.origin.caveats))


# -------------------------------------------------------------------- many events


def read_xml(
    stream: BinaryIO,
    path: str | None = None,
    wanted: ProviderFilter | None = None,
    *,
    block_size: int = BLOCK_SIZE,
) -> Iterator[Item]:
    """Read the events of a byte stream, in order; a malformed, oversized or cut one is a loss.

    Reads UTF-8 and UTF-16, with or without a root element, and holds one event and one block of `block_size`
    bytes in memory. Events of providers that are not `wanted` are skipped if their first bytes show
    that. `origin.offset` and `origin.line` say where the event starts.

    Raises EmptySourceError for no text, UnknownFormatError for what is not XML, UnsafeXmlError for a document
    type or entities ahead of the events.
    """
    return _items(stream, path, wanted, block_size, None)


def _items(
    stream: BinaryIO,
    path: str | None,
    wanted: ProviderFilter | None,
    block_size: int,
    encoding: str | None,
) -> Iterator[Item]:
    yield Opened("xml")
    cutter = Cutter(stream, path=path, block_size=block_size, encoding=encoding)
    pieces = _Pieces(cutter, _unwanted(wanted))
    skipped: list[bytes] = []  # the first and the last
    seen = False
    place = 0
    while (start := cutter.next_start(place)) >= 0:
        seen = True
        offset, line = cutter.locate(start)
        outcome, place = pieces.read(start, Origin("xml", path, offset, line))
        if isinstance(outcome, EventRecord):
            yield outcome
        elif isinstance(outcome, UnreadableEventError):
            where = line + outcome.line - 1
            yield Loss(outcome.reason, outcome.detail, path, offset, where)
        else:
            yield Skipped(1)
            skipped[1:] = [outcome]
    yield from _coverages(skipped, cutter)
    yield from _conclude(cutter, path, seen)


class _Pieces:
    """The events that a cutter finds, each read alone."""

    def __init__(self, cutter: Cutter, is_unwanted: Callable[[bytes], bool]) -> None:
        self._cutter = cutter
        self._is_unwanted = is_unwanted
        # Where a piece ended that did not parse: the next ones up to there are cut by their tags.
        self._distrusted = 0
        self._within: tuple[bytes, str | None] = b"", None
        self._forms = EventForms(self._record_of)

    def read(self, start: int, origin: Origin) -> tuple[_Outcome, int]:
        """What the event at `start` gives, and the position behind it."""
        cutter = self._cutter
        end = cutter.first_end(start)
        guessed = 0 < end - start <= _SMALL and cutter.dropped + end > self._distrusted
        if guessed:
            outcome = self._outcome(start, end, origin, exact=False)
            if not isinstance(outcome, UnreadableEventError):
                return outcome, end
        self._distrusted = cutter.dropped + end
        cut = cutter.walk(start)
        if cut.kind is not CutKind.COMPLETE:
            cutter.recovering = cut.kind is not CutKind.SUPERSEDED
            outcome = UnreadableEventError(*_CUT_SHORT[cut.kind])
        elif not guessed or cut.end != end:
            outcome = self._outcome(start, cut.end, origin, exact=True)
        if isinstance(outcome, UnreadableEventError) and outcome.reason is not LossReason.OVER_LIMIT:
            piece = cutter.data[start : cut.end]
            whole = _up_to_payload(piece, cutter.wrapper, cutter.declared_encoding, origin)
            return whole or outcome, cut.end
        return outcome, cut.end

    def _outcome(self, start: int, end: int, origin: Origin, *, exact: bool) -> _Outcome:
        cutter = self._cutter
        piece = cutter.data[start:end]
        if self._within != (cutter.wrapper, cutter.declared_encoding):
            self._within = cutter.wrapper, cutter.declared_encoding
            self._forms = EventForms(self._record_of)
        known = self._forms.recall(piece, origin)
        if known is not None:
            return known
        if (exact or _is_plain(piece)) and self._is_unwanted(piece):
            return piece
        try:
            record = _record(piece, *self._within, origin)
        except UnreadableEventError as error:
            return error
        self._forms.remember(piece, record)
        return record

    def _record_of(self, piece: bytes) -> EventRecord | None:
        try:
            return _record(piece, *self._within, _ORIGIN)
        except UnreadableEventError:
            return None


def _coverages(pieces: list[bytes], cutter: Cutter) -> Iterator[Coverage]:
    """The channels and times of events that were skipped."""
    for piece in pieces:
        try:
            record = _record(piece, cutter.wrapper, cutter.declared_encoding, _ORIGIN)
        except UnreadableEventError:
            continue
        if record.time_ticks is not None:
            yield Coverage(record.computer, record.channel, record.time_ticks, record.time_ticks)


def _conclude(cutter: Cutter, path: str | None, seen: bool) -> Iterator[Note]:
    if not seen:
        if not cutter.first_byte:
            raise EmptySourceError(
                "the input is nothing but white space", path=path, hint="check how it was exported"
            )
        if cutter.first_byte != b"<" or cutter.stray:
            raise UnknownFormatError(
                "the input is not event XML", path=path, hint="export with wevtutil qe LOG /f:xml"
            )
        yield Note(NoteKind.READER, "the XML holds no <Event>")
    if cutter.stray:
        yield Note(NoteKind.READER, f"{cutter.stray} bytes of text between the events are not an event")
    if cutter.half_unit:
        yield Note(NoteKind.TRUNCATED, "the UTF-16 text ends with half a character")


def _is_plain(piece: bytes) -> bool:
    """Whether a piece certainly ends where it should: nothing in it can hide or repeat an end tag."""
    return not (b"<!" in piece or b"<?" in piece or b":Event" in piece or _EVENT_TAG.search(piece, 1))


def _unwanted(wanted: ProviderFilter | None) -> Callable[[bytes], bool]:
    """Whether a piece is of a provider that is not wanted, if its first bytes plainly say so."""
    if wanted is None:
        return lambda _: False
    known: dict[bytes, bool] = {}
    guids = [guid.encode() for guid in wanted.guids]

    def is_unwanted(piece: bytes) -> bool:
        match = _PROVIDER.match(piece)
        if match is None:
            return False
        head = match[0]
        unwanted = known.get(head)
        if unwanted is None:
            name, others = match[1] if match[1] is not None else match[2], match[3].upper()
            # A reference may stand for a letter of the GUID, and a > in a value is not the tag's end.
            if not name or b"&" in others or others.count(b"'") % 2 or others.count(b'"') % 2:
                return False
            try:
                unwanted = not (wanted.matches(name.decode()) or any(guid in others for guid in guids))
            except UnicodeDecodeError:
                return False
            if len(known) < _REMEMBERED_PROVIDERS and len(head) < _LONGEST_REMEMBERED:
                known[head] = unwanted
        return unwanted

    return is_unwanted


# -------------------------------------------------------------------- one piece


def _record(piece: bytes, wrapper: bytes, encoding: str | None, origin: Origin) -> EventRecord:
    if len(piece) > _SMALL and piece.count(b"<") + piece.count(b"=") > _MAX_MARKUP:
        raise UnreadableEventError(LossReason.OVER_LIMIT, "it has too many elements")
    if _has_many_attributes(piece):
        raise UnreadableEventError(LossReason.OVER_LIMIT, "an element in it has too many attributes")
    try:
        return record_from_element(_element(piece, wrapper), origin)
    except etree.XMLSyntaxError as error:
        failure = error
    if len(piece) > _MAX_MENDED:
        raise _unreadable(failure)
    text, anomalies = decoded(piece, encoding)
    document = escaped(text).encode()
    if document == piece:
        raise _unreadable(failure)
    try:
        element = _element(document, wrapper)
    except etree.XMLSyntaxError as error:
        raise _unreadable(error) from None
    return unescaped(record_from_element(element, origin.with_anomalies(*anomalies)))


def _up_to_payload(piece: bytes, wrapper: bytes, encoding: str | None, origin: Origin) -> EventRecord | None:
    """The record of an event that is broken behind its payload, which decides; None where it is not whole."""
    start, end = _START.match(piece), _PAYLOAD_END.search(piece) or _NO_PAYLOAD.search(piece)
    if start is None or end is None or _MORE_BEHIND.search(piece, end.end()):
        return None
    try:
        record = _record(piece[: end.end()] + b"</" + start[1] + b">", wrapper, encoding, origin)
    except UnreadableEventError:
        return None
    if not record.provider:
        return None
    return record._replace(origin=record.origin.with_caveats(Caveat.BROKEN_BEHIND))


def _has_many_attributes(piece: bytes) -> bool:
    """Whether an element may have more attributes than the parser compares, each with each, in good time."""
    if piece.count(b"=") <= _MAX_ATTRIBUTES:
        return False
    return any(tag.count(b"=") > _MAX_ATTRIBUTES for tag in piece.split(b"<"))


def _element(piece: bytes, wrapper: bytes) -> etree._Element:
    document = wrapper + piece + b"</_>" if wrapper else piece
    try:
        root = etree.fromstring(document, _PARSER)
    except etree.XMLSyntaxError:
        # The parser's log is of this document; the error's own may hold those of earlier ones.
        domains = [entry.domain for entry in _PARSER.error_log]
        if set(domains) != {etree.ErrorDomains.NAMESPACE} or len(domains) >= _LOGGED_ERRORS:
            raise
        # The text is XML, only its prefixes or namespace names are not in order, and no record contains them.
        root = etree.fromstring(document, etree.XMLParser(recover=True, **_PARSER_OPTIONS))
        _strip_prefixes(root)
    if not wrapper:
        return root
    if len(root) != 1 or root.text or root[0].tail:
        raise UnreadableEventError(LossReason.MALFORMED, "it continues behind its end tag")
    return root[0]


def _strip_prefixes(root: etree._Element) -> None:
    try:
        for element in root.iter("*"):
            if ":" in element.tag and "}" not in element.tag:
                element.tag = element.tag.rpartition(":")[2]
            for key, value in element.items():
                if isinstance(key, str) and ":" in key and "}" not in key:
                    del element.attrib[key]
                    element.set(key.rpartition(":")[2], value)
    except ValueError:
        raise UnreadableEventError(LossReason.MALFORMED, "it has a name that XML does not allow") from None


def _unreadable(error: etree.XMLSyntaxError) -> UnreadableEventError:
    detail = _PLACE_IN_DETAIL.sub("", error.msg or "no XML").strip()[:200]
    reason = LossReason.OVER_LIMIT if "XML_PARSE_HUGE" in detail else LossReason.MALFORMED
    return UnreadableEventError(reason, detail, max(1, error.position[0] or 1))
