"""Characters, payloads and system values of an event's XML."""

from __future__ import annotations

import pytest
from lxml import etree

from hvdegraded.formats.xml.element import record_from_element
from hvdegraded.formats.xml.reader import parse_event
from hvdegraded.records.record import EventRecord, Origin
from tests.tools.xml_events import event, read, value

# ------------------------------------------------------------------ characters


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a\x01b", "a\x01b"),
        ("a&#1;b", "a\x01b"),
        ("a&#x1;b&#x1F;", "a\x01b\x1f"),
        ("\0&#0;", "\0\0"),
        ("\ufffe&#xFFFF;", "\ufffe\uffff"),
        ("\ufdd00001", "\ufdd00001"),
        ("\x01\ufdd00001&#xFDD0;0041", "\x01\ufdd00001\ufdd00041"),
        ("\ue001\x01\uf8ff", "\ue001\x01\uf8ff"),
        ("<![CDATA[&#1;\x02<]]>&#3;<![CDATA[&#1;]]>", "&#1;\x02<\x03&#1;"),
        ("&amp;#1;\x01", "&#1;\x01"),
        ("&#xD83D;&#xDE00;", "😀"),
        ("\x01&#65;&#x1F600;", "\x01A😀"),
        ("&lt;&gt;&quot;&apos;&#13;&#10;x", "<>\"'\r\nx"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_characters_that_xml_forbids_survive(written: str, text: str, encoding: str) -> None:
    data = event(1) + event(2, data=value(written)) + event(3)
    records, report = read(data.encode(encoding))
    assert [record.event_id for record in records] == [1, 2, 3]
    assert records[1].data == (("v", text),)
    assert report.complete
    assert parse_event(event(2, data=value(written))).data == (("v", text),)


@pytest.mark.parametrize("written", ["a\ud83db", "a&#xD83D;b"])
def test_half_of_a_surrogate_pair_is_doubted(written: str) -> None:
    records, report = read((event(1) + event(2, data=value(written))).encode("utf-16-le", "surrogatepass"))
    assert [record.get("v") for record in records] == [None, "a\ufffdb"]
    assert records[1].origin.anomalies
    assert report.with_anomalies == 1
    assert parse_event(event(2, data=value(written))).get("v") == "a\ufffdb"


def test_control_characters_in_names_and_system() -> None:
    text = (
        "<Event><System><Provider Name='a\x01'/><EventID>1</EventID><Computer>\x02</Computer>"
        "<Task>\x03</Task></System><EventData><Data Name='n&#4;'>x</Data></EventData></Event>"
    )
    (record,), _ = read(text)
    assert (record.provider, record.computer, record.task) == ("a\x01", "\x02", None)
    assert record.extra == (("Task", "\x03"),)
    assert record.data == (("n\x04", "x"),)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("\n    ", ""),
        ("\r\n\t", ""),
        ("", ""),
        (" ", " "),
        ("  \t", "  \t"),
        ("\u00a0\n", "\u00a0\n"),
        (" a\n", " a\n"),
    ],
)
def test_white_space_of_pretty_printers_is_empty_and_other_text_exact(written: str, text: str) -> None:
    assert parse_event(event(data=value(written))).data == (("v", text),)
    inner = f"<UserData><a><b>{written}</b></a></UserData>"
    assert parse_event(event(data=inner)).data == (("b", text),)


# ------------------------------------------------------------------ payloads and System


@pytest.mark.parametrize(
    ("xml", "payload", "data"),
    [
        ("", "", ()),
        ("<EventData/>", "EventData", ()),
        ("<UserData/>", "UserData", ()),
        ("<EventData><Data/><Data>a</Data></EventData>", "EventData", ((None, ""), (None, "a"))),
        ("<EventData><Data Name=''>a</Data></EventData>", "EventData", ((None, "a"),)),
        (
            "<EventData Name='E'><Data Name='a'>1</Data></EventData>",
            "EventData",
            (("@Name", "E"), ("a", "1")),
        ),
        (
            "<EventData><Data Name='a'>1</Data><Data Name='a'>2</Data></EventData>",
            "EventData",
            (("a", "1"), ("a", "2")),
        ),
        ("<EventData><Binary>0aFF</Binary></EventData>", "EventData", (("Binary", "0AFF"),)),
        ("<EventData><Data Name='Binary'>0aFF</Data></EventData>", "EventData", (("Binary", "0aFF"),)),
        ("<EventData><Binary>no hex</Binary></EventData>", "EventData", (("Binary", "no hex"),)),
        (
            "<EventData><Data Name='a' Type='t'>1</Data></EventData>",
            "EventData",
            (("a/@Type", "t"), ("a", "1")),
        ),
        ("<EventData><Data Type='t'>1</Data></EventData>", "EventData", (("Data/@Type", "t"), (None, "1"))),
        ("<EventData><Data Name='a'><b>1</b></Data></EventData>", "EventData", (("a/b", "1"),)),
        ("<UserData><R x='1' xmlns:q='u'><a/></R></UserData>", "UserData/R", (("@x", "1"), ("a", ""))),
        (
            "<UserData>\n <R>\n  <a k='v'>t</a>\n  <b>\n   <c>1</c><c>2</c>\n  </b>\n </R>\n</UserData>",
            "UserData/R",
            (("a/@k", "v"), ("a", "t"), ("b/c", "1"), ("b/c", "2")),
        ),
        ("<UserData><R><a>x<b>1</b>y</a></R></UserData>", "UserData/R", (("a", "xy"), ("a/b", "1"))),
        ("<UserData><R>x</R></UserData>", "UserData/R", ((None, "x"),)),
        ("<UserData><R/><S><a>1</a></S></UserData>", "UserData/R", (("S/a", "1"),)),
        (
            "<ProcessingErrorData><ErrorCode>15005</ErrorCode><DataItemName/></ProcessingErrorData>",
            "ProcessingErrorData",
            (("ErrorCode", "15005"), ("DataItemName", "")),
        ),
        (
            "<EventData><Data>1</Data></EventData><ProcessingErrorData><ErrorCode>5</ErrorCode></ProcessingErrorData>",
            "EventData",
            ((None, "1"), ("ProcessingErrorData/ErrorCode", "5")),
        ),
        ("<BinaryEventData>00FF</BinaryEventData>", "BinaryEventData", ((None, "00FF"),)),
    ],
)
def test_payloads(xml: str, payload: str, data: tuple[tuple[str | None, str], ...]) -> None:
    record = parse_event(event(data=xml))
    assert (record.payload, record.data, record.payload_namespace) == (payload, data, None)


def test_rendering_is_kept_apart() -> None:
    rendered = (
        "<RenderingInfo Culture='de-DE'><Message>Gerät &amp; so\n</Message><Level>Fehler</Level><Task></Task>"
        "<Keywords><Keyword>Klassisch</Keyword></Keywords></RenderingInfo>"
    )
    record = parse_event(event(data="<EventData/>" + rendered))
    assert record.message == "Gerät & so\n"
    assert record.rendering == (
        ("Culture", "de-DE"),
        ("Message", "Gerät & so\n"),
        ("Level", "Fehler"),
        ("Task", ""),
        ("Keywords/Keyword", "Klassisch"),
    )
    assert record == parse_event(event())


def system(inner: str) -> EventRecord:
    return parse_event(f"<Event><System>{inner}</System></Event>")


@pytest.mark.parametrize(
    ("xml", "event_id", "qualifiers"),
    [
        ("<EventID>5</EventID>", 5, None),
        ("<EventID>\n 5 </EventID>", 5, None),
        ("<EventID Qualifiers=''>5</EventID>", 5, None),
        ("<EventID Qualifiers='0'>5</EventID>", 5, 0),
        ("<EventID Qualifiers='49156'>11</EventID>", 11, 49156),
        ("<EventID>65535</EventID>", 65535, None),
        ("<EventID>3221487627</EventID>", 11, 49156),  # 0xC004000B
        ("<EventID>-1073479669</EventID>", 11, 49156),  # the same as a signed number
        ("<EventID Qualifiers='1'>3221487627</EventID>", 11, 1),
    ],
)
def test_event_ids(xml: str, event_id: int, qualifiers: int | None) -> None:
    record = system(xml)
    assert (record.event_id, record.qualifiers, record.extra) == (event_id, qualifiers, ())
    assert record.origin.anomalies == ()


@pytest.mark.parametrize("text", ["five", "5.0", "٥", "1_0", "99999999999", "-99999999999", "9" * 500])
def test_an_event_id_that_is_none_is_doubted(text: str) -> None:
    records, report = read(f"<Event><System><EventID>{text}</EventID></System></Event>")
    assert records[0].event_id == 0
    assert records[0].extra == (("EventID", text),)
    assert records[0].origin.anomalies == ("its event id is not a number",)
    assert report.with_anomalies == 1


@pytest.mark.parametrize(
    "xml", ["<Event/>", "<Event><System/></Event>", "<Event><System><EventID/></System></Event>"]
)
def test_a_missing_event_id_is_doubted(xml: str) -> None:
    records, report = read(xml)
    assert (records[0].event_id, records[0].extra) == (0, ())
    assert records[0].origin.anomalies == ("it has no event id",)
    assert report.with_anomalies == 1


@pytest.mark.parametrize(
    ("text", "keywords"),
    [
        ("0x8000000000000000", 1 << 63),
        ("8000000000000000", 1 << 63),
        ("80000000000000", 0x80_0000_0000_0000),
        ("9223372036854775808", 1 << 63),
        ("-9223372036854775808", 1 << 63),
        ("-9214364837600034816", 0x8020_0000_0000_0000),
        ("36028797018963968", 0x80_0000_0000_0000),
        ("0x80000000000000", 0x80_0000_0000_0000),
        ("80200000000000A0", 0x8020_0000_0000_00A0),
        ("0", 0),
        ("0x0", 0),
    ],
)
def test_keywords(text: str, keywords: int) -> None:
    assert system(f"<EventID>1</EventID><Keywords>{text}</Keywords>").keywords == keywords


def test_numbers_that_are_none_keep_the_event_and_their_text() -> None:
    record = system(
        "<EventID Qualifiers='q'>1</EventID><Level>Error</Level><Version>-1</Version><Task/><Opcode>Info</Opcode>"
        "<Keywords>Audit Success</Keywords><TimeCreated SystemTime='yesterday' RawTime='7'/>"
        "<EventRecordID>18446744073709551616</EventRecordID><Execution ProcessID='0x10' ThreadID='' ProcessorID='3'/>"
    )
    assert record.level is record.version is record.task is record.opcode is record.keywords is None
    assert record.time_ticks is record.record_id is record.thread_id is record.qualifiers is None
    assert record.process_id == 16
    assert set(record.extra) == {
        ("EventID/@Qualifiers", "q"),
        ("Level", "Error"),
        ("Version", "-1"),
        ("Opcode", "Info"),
        ("Keywords", "Audit Success"),
        ("TimeCreated/@SystemTime", "yesterday"),
        ("TimeCreated/@RawTime", "7"),
        ("EventRecordID", "18446744073709551616"),
        ("Execution/@ProcessorID", "3"),
    }


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        ("</EventID>", "</EventID><EventID>5</EventID>", "EventID"),
        ("<EventID>", "<Level>2</Level><Level>3</Level><EventID>", "Level"),
        ("<EventID>", "<Provider Name='Q'/><EventID>", "Provider"),
        ("<EventData/>", "<EventData/><EventData><Data>a</Data></EventData>", "payload"),
        ("<EventData/>", "<EventData/><UserData><A/></UserData>", "payload"),
    ],
)
def test_what_an_event_has_once_is_doubted_where_it_has_two(before: str, after: str, word: str) -> None:
    text = event()
    assert before in text
    (doubt,) = parse_event(text.replace(before, after, 1)).origin.anomalies
    assert word in doubt


def test_what_system_holds_besides_is_kept() -> None:
    record = system(
        "<Provider Name='a' Guid='{0f}' EventSourceName='s'/><Provider Name='b'/><EventID>1</EventID>"
        "<EventID>2</EventID><Odd x='1'>t<y>u</y></Odd><Correlation ActivityID='{ab}' RelatedActivityID='cd'/>"
    )
    assert (record.provider, record.provider_guid, record.event_source) == ("a", "0F", "s")
    assert (record.activity_id, record.related_activity_id) == ("AB", "CD")
    assert sorted(record.extra) == [
        ("EventID", "2"),
        ("Odd", "t"),
        ("Odd/@x", "1"),
        ("Odd/y", "u"),
        ("Provider/@Name", "b"),
    ]


def test_an_element_with_comments_in_it_reads() -> None:
    element = etree.fromstring("<Event><!-- a --><System><!-- b --><EventID>7</EventID></System></Event>")
    record = record_from_element(element, Origin("python-evtx", "x.evtx", 4096))
    assert (record.event_id, record.extra) == (7, ())
    assert record.origin == Origin("python-evtx", "x.evtx", 4096)
