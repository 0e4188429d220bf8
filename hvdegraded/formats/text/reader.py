"""Text that administrators hold, to records: what a paste or an export keeps is read by its form.

Forms are tried in order, the most telling first, and the first that gives an event is the form of the text:
event XML anywhere in it, CLIXML, JSON under headings, Event Viewer's and wevtutil's blocks, Format-List,
Format-Table, CSV and tabs, syslog. What is found becomes named values, which the readers of shipped objects
take; so a form can hold an event only if it names a known provider and an event id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from hvdegraded.errors import SourceError, UnknownFormatError
from hvdegraded.formats.shippers.by_names import may_name_a_provider, names_a_provider
from hvdegraded.formats.shippers.dates import DateOrder, date_order, names_a_time
from hvdegraded.formats.shippers.mapping import record_from_mapping
from hvdegraded.formats.text.blocks import event_blocks
from hvdegraded.formats.text.dumps import (
    assignments,
    converted_objects,
    json_within,
    mof_instances,
    ruby_hashes,
)
from hvdegraded.formats.text.layout import plain, spaced_once, unquoted
from hvdegraded.formats.text.mentions import mention_of_event
from hvdegraded.formats.text.pasted_xml import PastedXml, mended, take_xml
from hvdegraded.formats.text.rows import html_rows, separated_rows
from hvdegraded.formats.text.syslog import events_of_syslog
from hvdegraded.formats.text.views import friendly_views, general_tabs
from hvdegraded.records.items import Item, Loss, LossReason, Note, NoteKind, Opened
from hvdegraded.records.record import Anomaly, EventRecord, Origin, ProviderFilter
from hvdegraded.tabular.clixml import is_clixml, objects_of_clixml
from hvdegraded.tabular.encodings import decode_text
from hvdegraded.tabular.format_list import objects_of_list
from hvdegraded.tabular.format_table import objects_of_table
from hvdegraded.tabular.json_document import Found, values_of

__all__ = ["items_of_text", "looks_like_text_form", "read_text"]

# Losses of events that a text names, but does not hold in a form that is read.
_NAMED_ONLY = (LossReason.UNSUPPORTED, LossReason.MALFORMED)

LONGEST = 64 << 20
"""Bytes of a text that are read."""

_Form = Callable[[str], Iterable[Found]]
_NOT_UNDERSTOOD = "the line names a provider of Windows and a number, but no event can be read from it"
_LONGEST_SEARCHED = 4 << 20  # characters of a text that is searched for events in other forms, too
_HEADING = re.compile(r"^Record \d{1,20}\s*$", re.MULTILINE)
_DESCRIPTION = re.compile(r"\(virtual machine ID:? [0-9a-f-]{36}\)", re.IGNORECASE)
_PRIORITY = re.compile(r"<\d{1,3}>\S")
_BESIDE_XML = re.compile(r"</(?:\w{1,32}:)?Event>\s*[^<\s\ufeff]")
_ALTERED_XML = re.compile(r"<Event\b[^<>]{0,256}=(?:3D|[\u201c\u201d\u201e\u2033])")
_DECLARATION = re.compile(r"<\?xml[^<>]{0,200}\?>")


def looks_like_text_form(head: str) -> bool:
    """Whether the beginning of a text shows a form that only this reader knows."""
    start = head.lstrip("\ufeff \t\r\n")
    if start[:9].lower() == "<!doctype" and "html" in start[:64].lower():
        return True
    if is_clixml(start) or _HEADING.match(start) or _PRIORITY.match(start):
        return True
    return start.startswith("<") and (
        _BESIDE_XML.search(start) is not None or _ALTERED_XML.match(start) is not None
    )


def read_text(
    stream: BinaryIO, path: str | None = None, wanted: ProviderFilter | None = None
) -> Iterator[Item]:
    """Read a text in UTF-8, UTF-16, UTF-32 or Windows-1252.

    Raises UnknownFormatError where the text holds no event of a known provider, and SourceError where it
    names one of a wanted provider in no form that is read.
    """
    data = stream.read(LONGEST + 1)
    text, _ = decode_text(data[:LONGEST])
    seen, is_read, named = False, False, list[Loss]()
    for item in items_of_text(text, path):
        if not seen:
            seen = True
            yield Opened("text")
            if len(data) > LONGEST:
                limit = f"only the first {LONGEST} bytes of the text were read"
                yield Note(NoteKind.LIMIT, limit, incomplete=True)
        if isinstance(item, Loss) and item.reason in _NAMED_ONLY:
            named.append(item)
        is_read = is_read or isinstance(item, EventRecord)
        yield item
    if named and is_read:
        first = f"line {named[0].line} names an event in no form that can be read"
        more = f", and so do {len(named) - 1} other places" if len(named) > 1 else ""
        yield Note(NoteKind.UNREADABLE, first + more)
    if not seen:
        mention = mention_of_event(text, wanted)
        if mention is not None:
            raise SourceError(
                f"line {mention.line} names {mention.provider} and an event id, but in no form that is read",
                path=path,
                hint="export the log with wevtutil epl, or the events with Get-WinEvent | Format-List",
            )
        if len(_DESCRIPTION.findall(text)) == 1:
            raise UnknownFormatError(
                "this is the description of an event only, without its provider and event id",
                path=path,
                hint="in Event Viewer, select the event and use Copy, Copy Details as Text",
            )
        raise UnknownFormatError(
            "this is neither an .evtx log nor event XML, JSON, CSV or a text form of Windows events",
            path=path,
            hint="export with wevtutil epl (evtx) or qe /f:xml; carving finds chunks of logs in any file",
        )


def items_of_text(text: str, path: str | None = None) -> Iterator[EventRecord | Loss]:
    """The records of a text, and the losses; of forms beside the first, what no other form gave."""
    text = plain(text)
    rest, pasted = take_xml(_DECLARATION.sub("", text) if "<?xml" in text else text)
    rest = spaced_once(unquoted(rest))
    told: set[tuple[str, int]] = set()
    lines: set[int | None] = set()
    for piece in pasted:
        item = _from_xml(piece, path)
        yield item
        told |= _kind_of(item)
    for form in _FORMS:
        if told and len(rest) > _LONGEST_SEARCHED:
            return
        is_beside = bool(told) and not (pasted and form is event_blocks)
        for item in _items_of_form(form, rest, path):
            if not is_beside or _kind_of(item) - told:
                yield item
            told |= _kind_of(item)
            lines.add(_line_of(item))
    if told and len(rest) <= _LONGEST_SEARCHED:
        yield from _left_over(rest, lines)


def _left_over(text: str, lines: set[int | None]) -> Iterator[Loss]:
    """A loss for each line that names an event, and is not one of those of events that were read."""
    for number, line in enumerate(text.splitlines(), 1):
        if number not in lines and may_name_a_provider(line) and mention_of_event(line) is not None:
            yield Loss(LossReason.UNSUPPORTED, _NOT_UNDERSTOOD, line=number)


def _items_of_form(form: _Form, text: str, path: str | None) -> Iterator[EventRecord | Loss]:
    """What a form finds in a text, if it finds any event."""
    everything = list(form(text))
    found = [one for one in everything if one.problem is not None or _names_an_event(one.value)]
    if any(one.problem is None for one in found):
        yield from _records(found, _order_of(everything), path)


def _kind_of(item: EventRecord | Loss) -> set[tuple[str, int]]:
    return {(item.provider.lower(), item.event_id)} if isinstance(item, EventRecord) else set()


def _line_of(item: EventRecord | Loss) -> int | None:
    return item.origin.line if isinstance(item, EventRecord) else item.line


def _from_xml(piece: PastedXml, path: str | None) -> EventRecord | Loss:
    if not piece.whole:
        return Loss(LossReason.TRUNCATED, "its event XML is cut off", line=piece.line)
    origin = Origin("text", path, None, piece.line)
    problem = ""
    from hvdegraded.formats.xml.reader import parse_event

    for text in (piece.text, *mended(piece.text)):
        try:
            return parse_event(text, origin)
        except SourceError as error:
            problem = problem or f"its event XML cannot be read: {error.message}"
    return Loss(LossReason.MALFORMED, problem, line=piece.line)


def _names_an_event(value: Any) -> bool:
    return isinstance(value, dict) and names_a_provider(value)


def _order_of(found: list[Found]) -> DateOrder:
    """The order that all dates of a text show together, those of other events too."""
    return date_order(
        value
        for one in found
        if isinstance(one.value, dict)
        for name, value in one.value.items()
        if isinstance(value, str) and names_a_time(name)
    )


def _records(found: list[Found], order: DateOrder, path: str | None) -> Iterator[EventRecord | Loss]:
    for one in found:
        if one.problem is not None:
            yield Loss(LossReason.MALFORMED, one.problem, line=one.line)
            continue
        texts = (value for value in one.value.values() if isinstance(value, str))
        cut = (Anomaly.CUT_MESSAGE,) if any(text.endswith(("...", "\u2026")) for text in texts) else ()
        origin = Origin("text", path, None, one.line, anomalies=one.anomalies + cut)
        record = record_from_mapping(one.value, origin=origin, dates=lambda: order)
        missing = "it names a provider of Windows, but not one event id"
        yield record or Loss(LossReason.UNSUPPORTED, missing, line=one.line)


def _clixml(text: str) -> Iterator[Found]:
    if not is_clixml(text):
        return
    try:
        yield from (Found(value, None, 1) for value in objects_of_clixml(text))
    except ValueError as error:
        yield Found(None, str(error), 1)


def _json(text: str) -> Iterator[Found]:
    bare = _HEADING.sub("", text)
    if bare.lstrip()[:1] not in ("{", "["):
        return
    for found in values_of(iter([bare]), LONGEST):
        for item in found.value if isinstance(found.value, list) else [found.value]:
            yield found._replace(value=item)


_FORMS: tuple[_Form, ...] = (
    _clixml,
    ruby_hashes,
    _json,
    event_blocks,
    general_tabs,
    friendly_views,
    assignments,
    mof_instances,
    converted_objects,
    html_rows,
    objects_of_list,
    objects_of_table,
    separated_rows,
    events_of_syslog,
    json_within,
)
