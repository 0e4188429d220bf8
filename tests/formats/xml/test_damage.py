"""Broken and hostile XML costs only what is broken."""

from __future__ import annotations

import io
import time

import pytest

from hvdegraded.errors import (
    EmptySourceError,
    LossError,
    UnknownFormatError,
    UnsafeXmlError,
)
from hvdegraded.formats.xml.reader import parse_event, read_xml
from hvdegraded.formats.xml.splitter import MAX_EVENT
from hvdegraded.reading.delivery import delivered
from hvdegraded.records.items import LossReason, NoteKind
from hvdegraded.records.record import ProviderFilter
from hvdegraded.records.report import ReadReport
from tests.tools.xml_events import event, ids, read, value

# ------------------------------------------------------------------ broken files


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (event(2).replace("<EventID>", "<EventID"), LossReason.MALFORMED),
        (event(2).replace("</System>", "</Sytem>"), LossReason.MALFORMED),
        (event(2, data=value("&nbsp;")), LossReason.MALFORMED),
        (event(2, data=value("a & b")), LossReason.MALFORMED),
        (event(2, data="<EventData a='1' a='2'/>"), LossReason.MALFORMED),
        (event(2, data="<a\x01/>"), LossReason.MALFORMED),
        (event(2, data=value("&#x110000;")), LossReason.MALFORMED),
        ("<Event xmlns='" + event(2)[10:], LossReason.MALFORMED),
        (event(2, data="<a>" * 300 + "</a>" * 300), LossReason.OVER_LIMIT),
        (event(2, data="<a/>" * 300_000), LossReason.OVER_LIMIT),
        (
            event(2, data="<EventData " + " ".join(f"a{n}=''" for n in range(300_000)) + "/>"),
            LossReason.OVER_LIMIT,
        ),
        (
            event(2, data=("<" + "a" * 200 + ">") * 150 + "<b/>" * 5000 + ("</" + "a" * 200 + ">") * 150),
            LossReason.OVER_LIMIT,
        ),
        (event(2, data=value("x" * MAX_EVENT)), LossReason.OVER_LIMIT),
        (event(2)[:-20], LossReason.TRUNCATED),
        (event(2, data="<UserData><Event>a</Event>")[:-8], LossReason.TRUNCATED),
        ("<Event>", LossReason.TRUNCATED),
    ],
    ids=range(16),
)
def test_a_bad_event_costs_only_itself(bad: str, reason: LossReason) -> None:
    before = event(1) + "\n"
    records, report = read(before + bad + "\n" + event(3) + event(4))
    assert [record.event_id for record in records] == [1, 3, 4]
    assert [(loss.reason, loss.offset, loss.line) for loss in report.losses] == [(reason, len(before), 2)]


@pytest.mark.parametrize("cut", range(7, len(event(2)) - len("</Event>")))
def test_an_input_that_ends_inside_an_event(cut: int) -> None:
    records, report = read(event(1) + event(2)[:cut])
    assert [record.event_id for record in records] == [1]
    assert [loss.reason for loss in report.losses] == [LossReason.TRUNCATED]


PAYLOAD = "<EventData><Data>a</Data></EventData>"


@pytest.mark.parametrize(
    ("inside", "broken"),
    [
        (PAYLOAD, "<RenderingInfo Culture='en-US'><Message>'web01' has encountered a fatal err"),
        (PAYLOAD, "<RenderingInfo><Message>a & b</Message></RenderingInfo></Event>"),
        (PAYLOAD, "<RenderingInfo><Message>a &#0;</Mesage></RenderingInfo></Event>"),
        (PAYLOAD, "<RenderingInfo><Message>text</Message></Render"),
        (PAYLOAD, "</Eve"),
        ("<UserData><a><VmName>w</VmName></a></UserData>", "<RenderingInfo><Message>a < b"),
        ("<EventData/>", "<RenderingInfo><Message>a"),
        ("", "<RenderingInfo><Message>a & b</Message></RenderingInfo></Event>"),
        ("", "<RenderingInfo Culture='de'><Message>abge"),
    ],
)
@pytest.mark.parametrize("following", [event(3), ""])
def test_an_event_broken_outside_of_what_decides_is_delivered_with_a_caveat(
    inside: str, broken: str, following: str
) -> None:
    """Issue 15.13."""
    text = event(1) + event(2, data=inside)[: -len("</Event>")] + broken + following
    records, report = read(text)
    assert [record.event_id for record in records] == [1, 2, 3][: 2 + bool(following)]
    assert records[1].data == read(event(2, data=inside))[0][0].data
    assert [bool(record.origin.caveats) for record in records] == [False, True, False][: len(records)]
    assert not report.lost


@pytest.mark.parametrize(
    "broken",
    [
        "<UserData><a><VmName>other</VmName></a></UserData><RenderingInfo>&",
        "<EventData><Data>b</Data></EventData></Evnt>",
        "<ProcessingErrorData><ErrorCode>15027</ErrorCode></ProcessingErrorData><RenderingInfo>&",
    ],
)
def test_an_event_broken_behind_a_second_payload_is_a_loss(broken: str) -> None:
    records, report = read(event(1) + event(2, data=PAYLOAD)[: -len("</Event>")] + broken)
    assert [record.event_id for record in records] == [1]
    assert report.lost == 1


def test_a_start_tag_cut_before_its_end_is_a_loss_too() -> None:
    _, report = read(event(1) + "<Event")
    assert [loss.reason for loss in report.losses] == [LossReason.TRUNCATED]


@pytest.mark.parametrize(
    "hidden",
    [
        value("<![CDATA[</Event><Event><System>]]>"),
        "<!-- </Event><Event><System> -->",
        "<?p </Event><Event><System> ?>",
        value("&lt;/Event&gt;&lt;Event&gt;"),
        '<EventData a="</Event>"/>'.replace("<", "&lt;").replace("&lt;EventData", "<EventData"),
        "<UserData><Event a='>'><b/></Event><Event/></UserData>",
    ],
)
@pytest.mark.parametrize("wanted", [None, ProviderFilter(frozenset({"p"})), ProviderFilter(frozenset({"q"}))])
def test_hidden_end_tags_fool_nobody(hidden: str, wanted: ProviderFilter | None) -> None:
    text = event(1) + event(2, data=hidden) + event(3, "Q")
    for block_size in (1, 50, 1 << 18):
        records, report = read(text, wanted=wanted, block_size=block_size)
        expected = [1, 2, 3] if wanted is None else [1, 2] if "p" in wanted.names else [3]
        assert [record.event_id for record in records] == expected
        assert report.complete
        assert report.records_seen == 3


def test_commented_events_are_none() -> None:
    assert ids(f"{event(1)}<!-- {event(2)} -->{event(3)}") == [1, 3]


def test_text_between_events_is_told() -> None:
    records, report = read(f"C:\\> wevtutil\r\n{event(1)}\r\nsome noise <b>{event(2)}\0\0")
    assert len(records) == 2
    assert [note.kind for note in report.notes] == [NoteKind.READER]
    assert not report.lost


def test_an_unclosed_comment_hides_no_event() -> None:
    records, report = read(f"<!-- {event(1)}{event(2)}")
    assert len(records) == 2
    assert report.notes


def test_half_a_character_at_the_end_of_utf_16_is_told() -> None:
    records, report = read(event(1).encode("utf-16") + b"\n")
    assert len(records) == 1
    assert [note.kind for note in report.notes] == [NoteKind.TRUNCATED]


def test_strict_reading_stops_at_the_first_loss() -> None:
    data = (event(1) + "<Event><a></Event>" + event(3)).encode()
    stream = delivered(read_xml(io.BytesIO(data)), ReadReport(strict=True))
    assert next(stream).event_id == 1
    with pytest.raises(LossError):
        next(stream)


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xff\xfe\r\0\n\0", b" \r\n\t"])
def test_no_text_is_an_empty_source(data: bytes) -> None:
    with pytest.raises(EmptySourceError):
        read(data)


@pytest.mark.parametrize(
    "data", [b'{"Event": {}}', b"ElfFile\0" * 100, b"EventID,Level", bytes(5000), b"<html>no</html>"]
)
def test_what_is_no_xml_is_an_unknown_format(data: bytes) -> None:
    with pytest.raises(UnknownFormatError) as caught:
        read(data)
    assert caught.value.path == "input.xml"


@pytest.mark.parametrize(
    "text", ["<Events/>", "<?xml version='1.0'?>\n<Events>\n</Events>", "<!-- no -->", "<EventData/>"]
)
def test_xml_without_events_gives_none_and_says_so(text: str) -> None:
    records, report = read(text)
    assert records == []
    assert [note.kind for note in report.notes] == [NoteKind.READER]


# ------------------------------------------------------------------ hostile files

LAUGHS = (
    "<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY lol 'lol'>"
    + "".join(f"<!ENTITY lol{n} '{f'&lol{n - 1 or str()};' * 10}'>" for n in range(1, 10))
    + "]>"
    + event(data=value("&lol9;"))
)


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        "<!DOCTYPE Event SYSTEM 'file:///etc/passwd'>" + event(),
        "\n<!-- x -->\n<!ENTITY a 'b'>" + event(),
        "<!DOCTYPE html><html/>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_document_types_and_entities_are_refused(text: str, encoding: str) -> None:
    with pytest.raises(UnsafeXmlError) as caught:
        read(text.encode(encoding))
    assert caught.value.line == (3 if text.startswith("\n") else 1)
    with pytest.raises(UnsafeXmlError):
        parse_event(text)


def test_a_document_type_behind_an_event_serves_nobody() -> None:
    records, report = read(event(1) + LAUGHS + event(3))
    assert [record.event_id for record in records] == [1, 3]
    assert report.lost == 1
    assert report.notes


def test_a_document_type_inside_an_event_is_a_loss() -> None:
    _, report = read(event(1, data="<!DOCTYPE a [<!ENTITY b 'c'>]><EventData/>"))
    assert report.lost == 1


# Each of these takes a naive splitter quadratic time or more: 1 MiB then is minutes.
@pytest.mark.parametrize(
    "unit",
    [
        "<Event>",
        "<Event><System>",
        "<!--",
        "<![CDATA[",
        "<?",
        "<",
        "<Event '",
        "<x:",
        "</Event>",
        "<a ",
        "]]>",
        "&#1;",
    ],
)
@pytest.mark.parametrize("frame", ["%s", "<Event><System/>%s", "<Event>%s</Event>"])
def test_repeated_openings_end_soon(unit: str, frame: str) -> None:
    size = 1 << 17
    try:
        _, report = read(frame % (unit * (size // len(unit))))
    except UnknownFormatError:  # of text without any event
        assert not unit.startswith("<Event")
        assert frame == "%s"
    else:
        assert report.delivered <= 1


@pytest.mark.parametrize("count", [3000, 40_000])
def test_many_attributes_of_one_element_are_a_loss_in_linear_time(count: int) -> None:
    attributes = " ".join(f'a{number}="1"' for number in range(count))
    text = event(1) + event(2).replace("<EventData/>", f"<EventData {attributes}/>") + event(3)
    assert text.count("=") > count
    began = time.process_time()
    records, report = read(text)
    assert time.process_time() - began < 2
    assert [record.event_id for record in records] == [1, 3]
    assert [loss.reason for loss in report.losses] == [LossReason.OVER_LIMIT]


RENDERED = "<RenderingInfo Culture='en-US'><Message>A &broken; text</Message></RenderingInfo></Event>"


@pytest.mark.parametrize(
    "rest",
    [
        "<RenderingInfo Culture='en",
        "<RenderingInfo><Message>cut",
        RENDERED,
        "<RenderingInfo><x></RenderingInfo></Event>",
    ],
)
def test_an_event_that_is_broken_behind_its_payload_is_delivered_with_a_caveat(rest: str) -> None:
    whole = event(2, "storvsp", value("6.0"))
    for following in ("", event(3)):
        records, report = read(event(1) + whole.removesuffix("</Event>") + rest + following)
        assert [record.event_id for record in records[:2]] == [1, 2]
        assert records[1].data == (("v", "6.0"),)
        assert records[1].origin.caveats
        assert not records[1].origin.anomalies
        assert len(records) + report.lost == 2 + bool(following)


def test_an_event_that_is_broken_before_the_end_of_its_payload_is_lost() -> None:
    for broken in (event(2, "P", value("a")).replace("</Data>", ""), event(2, "P", value("a"))[:-20]):
        records, report = read(event(1) + broken)
        assert [record.event_id for record in records] == [1]
        assert report.lost == 1


@pytest.mark.parametrize(
    "time",
    ["<TimeCreated SystemTime='yesterday'/>", "<TimeCreated SystemTime='2026-13-41T25:61:61Z'/>",
     "<TimeCreated SystemTime='2026-01-01T00:00:00Z'/><TimeCreated SystemTime='2020-01-01T00:00:00Z'/>"],
)  # fmt: skip
def test_a_time_that_is_none_or_two_is_an_anomaly(time: str) -> None:
    (record,), _ = read(event(1).replace("</System>", f"{time}</System>"))
    assert record.origin.anomalies
