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
from hvdegraded.formats.shippers.by_names import known_provider, names_a_provider
from hvdegraded.formats.shippers.dates import DateOrder, date_order, names_a_time
from hvdegraded.formats.shippers.mapping import record_from_mapping
from hvdegraded.formats.text.blocks import event_blocks
from hvdegraded.formats.text.pasted_xml import PastedXml, take_xml
from hvdegraded.formats.text.syslog import events_of_syslog
from hvdegraded.formats.xml.reader import parse_event
from hvdegraded.records.items import Item, Loss, LossReason, Note, NoteKind, Opened
from hvdegraded.records.record import Anomaly, EventRecord, Origin
from hvdegraded.tabular.clixml import is_clixml, objects_of_clixml
from hvdegraded.tabular.csv_rows import cells_of, csv_rows, distinct_columns
from hvdegraded.tabular.encodings import decode_text
from hvdegraded.tabular.format_list import objects_of_list
from hvdegraded.tabular.format_table import objects_of_table
from hvdegraded.tabular.json_document import Found, values_of

__all__ = ["items_of_text", "looks_like_text_form", "read_text"]

LONGEST = 64 << 20
"""Bytes of a text that are read."""

_HEADING = re.compile(r"^Record \d{1,20}\s*$", re.MULTILINE)
_DECLARATION = re.compile(r"<\?xml[^<>]{0,200}\?>")
_CLASSIC = re.compile(r"^[^\n=]{6,40}\r?\n(?=LogName=)", re.MULTILINE)
_EVENT_VIEWER = ("Level", "Date and Time", "Source", "Event ID", "Task Category")
_MOST_LINES_BEFORE_HEADER = 5


def looks_like_text_form(head: str) -> bool:
    """Whether the beginning of a text shows a form that only this reader knows."""
    start = head.lstrip("\ufeff \t\r\n")
    return is_clixml(start) or bool(_HEADING.match(start)) or bool(re.match(r"<\d{1,3}>\S", start))


def read_text(stream: BinaryIO, path: str | None = None) -> Iterator[Item]:
    """Read a text in UTF-8, UTF-16, UTF-32 or Windows-1252.

    Raises UnknownFormatError where the text holds no event of a known provider.
    """
    data = stream.read(LONGEST + 1)
    text, _ = decode_text(data[:LONGEST])
    seen = False
    for item in items_of_text(text, path):
        if not seen:
            seen = True
            yield Opened("text")
            if len(data) > LONGEST:
                limit = f"only the first {LONGEST} bytes of the text were read"
                yield Note(NoteKind.LIMIT, limit, incomplete=True)
        yield item
    if not seen:
        raise UnknownFormatError(
            "this is neither an .evtx log nor event XML, JSON, CSV or a text form of Windows events",
            path=path,
            hint="export with wevtutil epl (evtx) or qe /f:xml; carving finds chunks of logs in any file",
        )


def items_of_text(text: str, path: str | None = None) -> Iterator[EventRecord | Loss]:
    """The records of a text, and the losses."""
    rest, pasted = take_xml(_DECLARATION.sub("", text) if "<?xml" in text else text)
    for piece in pasted:
        yield _from_xml(piece, path)
    for form in (event_blocks,) if pasted else _FORMS:
        everything = list(form(rest))
        found = [one for one in everything if one.problem is not None or _names_an_event(one.value)]
        if any(one.problem is None for one in found):
            yield from _records(found, _order_of(everything), path)
            return


def _from_xml(piece: PastedXml, path: str | None) -> EventRecord | Loss:
    if not piece.whole:
        return Loss(LossReason.TRUNCATED, "its event XML is cut off", line=piece.line)
    origin = Origin("text", path, None, piece.line)
    try:
        return parse_event(piece.text, origin)
    except SourceError as error:
        return Loss(LossReason.MALFORMED, f"its event XML cannot be read: {error.message}", line=piece.line)


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


def _separated(text: str) -> Iterator[Found]:
    """Rows of CSV or of tabs; Event Viewer puts the description behind the last named column."""
    lines = text.splitlines(keepends=True)
    skipped = 0
    for line in lines[:_MOST_LINES_BEFORE_HEADER]:
        skipped += 1
        delimiter = max("\t,;", key=line.count)
        header = [cell.strip() for cell in cells_of(line.strip("\r\n"), delimiter)]
        if not line.startswith("#") and len(header) >= 3:
            break
    else:
        return
    columns, anomalies = distinct_columns(header)
    for row in csv_rows(lines[skipped:], delimiter, skipped=skipped):
        if row.problem is not None:
            yield Found(None, row.problem, row.line)
        elif len(row.cells) == len(header) + 1:
            names = _EVENT_VIEWER if len(header) == len(_EVENT_VIEWER) else columns
            yield Found(dict(zip((*names, "Message"), row.cells, strict=True)), None, row.line, anomalies)
        elif len(row.cells) == len(header):
            yield Found(dict(zip(columns, row.cells, strict=True)), None, row.line, anomalies)
        elif any(known_provider(cell) for cell in row.cells):
            yield Found(None, f"the row has {len(row.cells)} columns, the header {len(header)}", row.line)


def _assignments(text: str) -> Iterator[Found]:
    """Splunk's classic form: a line with the time, lines of `Name=value`, the message last."""
    starts = [match.start() for match in _CLASSIC.finditer(text)]
    line, place = 1, 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        line += text.count("\n", place, start)
        place = start
        time, _, block = text[start:end].partition("\n")
        head, _, message = block.partition("\nMessage=")
        pairs = (one.partition("=") for one in head.split("\n"))
        values = {name.strip(): value.strip() for name, _, value in pairs if name.strip()}
        yield Found({"_time": time.strip(), **values, "Message": message.strip()}, None, line)


_Form = Callable[[str], Iterable[Found]]
_FORMS: tuple[_Form, ...] = (
    _clixml,
    _json,
    event_blocks,
    _assignments,
    objects_of_list,
    objects_of_table,
    _separated,
    events_of_syslog,
)
