"""Reading event XML: every form exports come in, what is broken in them, and what hostile files try."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lxml import etree

from hvdegraded.errors import (
    EmptySourceError,
    HvdegradedError,
    LossError,
    SourceError,
    UnknownFormatError,
    UnsafeXmlError,
)
from hvdegraded.formats.xml.element import record_from_element
from hvdegraded.formats.xml.reader import parse_event, read_xml
from hvdegraded.formats.xml.splitter import MAX_EVENT
from hvdegraded.records.record import EventRecord, Origin, ProviderFilter
from hvdegraded.records.report import LossReason, NoteKind, ReadReport
from hvdegraded.timestamps import ticks_from_text
from tests.tools.corpus import CORPUS

NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"
HYPER_V = ProviderFilter(frozenset({"storvsp"}), ("microsoft-windows-hyper-v-",), ("Hyper-V",))


def event(number: int = 1, provider: str = "P", data: str = "<EventData/>") -> str:
    return (
        f"<Event xmlns='{NAMESPACE}'><System><Provider Name='{provider}'/><EventID>{number}</EventID></System>"
        f"{data}</Event>"
    )


def value(text: str) -> str:
    return f"<EventData><Data Name='v'>{text}</Data></EventData>"


def read(
    data: bytes | str,
    *,
    wanted: ProviderFilter | None = None,
    block_size: int = 1 << 18,
    strict: bool = False,
) -> tuple[list[EventRecord], ReadReport]:
    report = ReadReport(path="input.xml", strict=strict)
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    records = list(read_xml(stream, report, wanted, block_size=block_size))
    assert report.delivered == len(records)
    assert report.records_seen == report.delivered + report.filtered + report.lost
    assert report.with_anomalies == sum(bool(record.origin.anomalies) for record in records)
    return records, report


def ids(data: bytes | str) -> list[int]:
    records, report = read(data)
    assert report.complete, report
    return [record.event_id for record in records]


# ------------------------------------------------------------------ real exports


def corpus_files() -> list[Path]:
    return sorted([*CORPUS.glob("records/*.xml"), *CORPUS.glob("exports/*/*.xml")])


def corpus_bytes(name: str) -> bytes:
    path = CORPUS / name
    if not path.exists():
        pytest.skip(f"no corpus at {CORPUS}")
    return path.read_bytes()


@pytest.mark.skipif(not corpus_files(), reason="no corpus beside the checkout")
def test_every_event_of_the_corpus_reads_completely() -> None:
    for path in corpus_files():
        if path.name.startswith("azure"):
            continue
        data = path.read_bytes()
        text = data.decode("utf-16" if data[:2] == b"\xff\xfe" else "utf-8")
        records, report = read(data)
        assert len(records) == text.count("</Event>") > 0, path
        assert report.complete, report
        for record in records:
            assert record.provider, path
            assert record.event_id, path
            assert record.time_ticks, path
            assert record.record_id, path
            assert record.extra == (), path
            assert record.payload, path
        if len(records) == 1:
            assert parse_event(data) == parse_event(text) == records[0]


def test_a_real_worker_event_copied_from_event_viewer() -> None:
    (record,), _ = read(corpus_bytes("exports/real/hyperv_worker_18590.xml"))
    assert record == EventRecord(
        provider="Microsoft-Windows-Hyper-V-Worker",
        event_id=18590,
        time_ticks=ticks_from_text("2024-12-09T11:31:23.2356205Z"),
        level=1,
        record_id=35726,
        channel="Microsoft-Windows-Hyper-V-Worker-Admin",
        computer="DESKTOP-OLUNT6J",
        provider_guid="51DDFA29-D5C8-4803-BE4B-2ECB715570FE",
        version=0,
        task=0,
        opcode=0,
        keywords=0x8000_0000_0000_0000,
        process_id=1268,
        thread_id=3476,
        user_id="S-1-5-83-1-3655396106-1351506743-3915871121-3476744365",
        payload="UserData/VmlEventLog",
        payload_namespace="http://www.microsoft.com/Windows/Virtualization/Events",
        data=(
            ("VmName", "Virtual Machine"),
            ("VmId", "D9E0EB0A-5B37-508E-9173-67E9ADE83ACF"),
            ("VmErrorCode0", "0x79"),
            ("VmErrorCode1", "0x6"),
            ("VmErrorCode2", "0x0"),
            ("VmErrorCode3", "0x0"),
            ("VmErrorCode4", "0x0"),
            ("VmErrorMessage", ""),
        ),
    )


def test_all_forms_of_one_export_say_the_same() -> None:
    forms = (
        "wevtutil_qe_xml_rootless.utf8.xml",
        "wevtutil_qe_xml_rootless.powershell51_redirect.utf16le_bom.xml",
        "wevtutil_qe_xml_e_Events.xml",
        "eventviewer_save_all_as_xml.xml",
    )
    copies = [read(corpus_bytes(f"exports/derived/{name}"))[0] for name in forms]
    (real,) = read(corpus_bytes("exports/real/hyperv_worker_18590.xml"))[0]
    assert all(records[0] == real for records in copies)
    assert all(records == copies[0] for records in copies)
    assert all(not record.rendering for records in copies[:3] for record in records)
    assert copies[3][0].rendering[:3] == (("Culture", "en-US"), ("Message", "..."), ("Level", "Error"))


def test_nine_digit_time_of_a_real_vmms_event() -> None:
    (record,), _ = read(corpus_bytes("exports/real/hyperv_vmms_20415_eventviewer_copy.xml"))
    assert record.time_ticks == ticks_from_text("2017-11-21T10:57:53.8748473Z")


def test_evtxecmd_without_namespaces_braces_and_zone() -> None:
    (record,), _ = read(corpus_bytes("exports/real/evtxecmd_vmms_13002.xml"))
    assert record.provider_guid == "6066F867-7CA1-4418-85FD-36E3F9C0600C"
    assert record.time_ticks == ticks_from_text("2023-08-02T05:47:11.0063997Z")
    assert (record.payload, record.payload_namespace) == ("UserData/VmlEventLog", None)
    assert record.data == (("VmName", "Test VM"), ("VmId", "30B40FA3-E42E-4C34-9223-50599E748D6B"))


def test_python_evtx_with_empty_attributes() -> None:
    (by_python,), _ = read(corpus_bytes("exports/real/python-evtx_0.8.1_104.xml"))
    (by_rust,), _ = read(corpus_bytes("exports/real/pyevtx_0.14_104.xml"))
    assert by_python == by_rust
    assert by_python.qualifiers is by_python.activity_id is by_python.related_activity_id is None


def test_classic_driver_event_with_positions_and_binary() -> None:
    (record,), _ = read(corpus_bytes("records/ANALOG_classic_driver_Disk_34_q32772.xml"))
    assert (record.provider, record.event_id, record.qualifiers) == ("Disk", 34, 32772)
    assert record.keywords == 0x80_0000_0000_0000
    assert record.version is record.opcode is record.process_id is None
    assert record.data[0] == (None, "\\Device\\Harddisk0\\DR0")
    name, binary = record.data[1]
    assert name == "Binary"
    assert binary.startswith("0F00100001")
    assert record.origin.line == 3  # a comment and a declaration stand before


def test_activity_id_of_a_real_security_event() -> None:
    (record,), _ = read(corpus_bytes("exports/real/evtrender_singlequote_4624.xml"))
    assert record.activity_id == "587F0743-1F71-0006-5007-7F58711FD501"
    assert record.get("LogonProcessName") == "Advapi  "
    assert record.get("LogonGuid") == "{00000000-0000-0000-0000-000000000000}"


def test_an_azure_data_item_is_no_event() -> None:
    with pytest.raises(UnknownFormatError):
        read(corpus_bytes("exports/real/azure_event_table_EventData_column.xml"))


# ------------------------------------------------------------------ forms of files

THREE = [event(1), event(2), event(3)]


@pytest.mark.parametrize(
    "text",
    [
        "".join(THREE),
        "\n".join(THREE) + "\n",
        "\r\n".join(THREE) + "\r\n\r\n",
        "<Events>" + "\r\n".join(THREE) + "</Events>",
        "<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n<Events>" + "".join(THREE) + "</Events>\n",
        "<!-- made\n by hand --><?xml version='1.0'?>" + "<!-- <Event> -->".join(THREE) + "<?note </Event>?>",
        "\n".join(f"<?xml version='1.0' encoding='utf-16'?>{one}" for one in THREE),
        "\ufeff" + "\ufeff".join(THREE),
        "".join(THREE).replace("<Event ", "<Event\n\t").replace("</Event>", "</Event\n>"),
        "".join(THREE).replace("'", '"'),
        "<Events xmlns='"
        + NAMESPACE
        + "'>"
        + "".join(THREE).replace(f" xmlns='{NAMESPACE}'", "")
        + "</Events>",
    ],
)
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-16-be with mark"]
)
def test_forms_of_exports(text: str, encoding: str) -> None:
    if encoding == "utf-16-be with mark":
        data = b"\xfe\xff" + text.encode("utf-16-be")
    elif text.startswith("\ufeff") and encoding in {"utf-16-le", "utf-16-be"}:
        data = text.encode(encoding)
    else:
        data = text.removeprefix("\ufeff").encode(encoding)
    assert ids(data) == [1, 2, 3]


@pytest.mark.parametrize("data", ["<EventData/>", value("<!-- - -->a"), "<UserData><Event/></UserData>"])
def test_prefixes(data: str) -> None:
    def prefixed(text: str) -> str:
        return text.replace("</", "\0").replace("<!", "\1").replace("<", "<e:").replace("\0", "</e:")

    own = prefixed(event(1, data=data)).replace("\1", "<!").replace("xmlns=", "xmlns:e=")
    bare = own.replace(f" xmlns:e='{NAMESPACE}'", "")
    expected = parse_event(event(1, data=data))
    assert read(own + "\n" + own)[0] == [expected, expected]
    assert read(f"<x:Events xmlns:e='{NAMESPACE}' xmlns:x='u'>{bare}{bare}</x:Events>")[0] == [expected] * 2
    assert read(bare + bare)[0] == [expected, expected]  # declared nowhere


def test_a_prefix_declared_on_the_root_keeps_its_namespace() -> None:
    inner = "<UserData><v:VmlEventLog><v:VmName>a</v:VmName></v:VmlEventLog></UserData>"
    (record,), _ = read(f"<Events xmlns:v='urn:virtual'>{event(data=inner)}</Events>")
    assert (record.payload, record.payload_namespace) == ("UserData/VmlEventLog", "urn:virtual")
    assert record.data == (("VmName", "a"),)


def test_a_namespace_that_is_no_uri_is_accepted() -> None:
    (record,), _ = read(event(data="<UserData><a xmlns='no uri'><b>1</b></a></UserData>"))
    assert (record.payload_namespace, record.data) == ("no uri", (("b", "1"),))


def test_a_payload_named_event_is_no_event() -> None:
    # LanguagePackSetup writes such a one.
    (record,), report = read(event(4000, data="<Event>\n  </Event>") + "\n")
    assert (record.event_id, record.payload, record.data) == (4000, "Event", ())
    assert report.complete


def test_a_declared_code_page_is_used_where_the_bytes_are_no_utf_8() -> None:
    text = "<?xml version='1.0' encoding='windows-1252'?>" + event(data=value("Übung"))
    (record,), report = read(text.encode("cp1252"))
    assert record.get("v") == "Übung"
    assert report.complete
    assert read(text)[0][0].get("v") == "Übung"  # a declaration that contradicts the bytes


@pytest.mark.parametrize("declared", ["", "<?xml version='1.0' encoding='utf-8'?>", "<?xml encoding='hex'?>"])
def test_bytes_of_an_unknown_code_page_stay_visible_and_are_doubted(declared: str) -> None:
    (record,), report = read((declared + event(data=value("Übung"))).encode("cp1252"))
    assert record.get("v") == "\\xdcbung"
    assert record.origin.anomalies
    assert report.with_anomalies == 1


def test_offset_and_line_are_exact() -> None:
    text = (
        "<Events>\n"
        + "\r\n\r\n".join(event(n, data=value("é😀\n\ud83d" * n)) for n in (1, 2, 3))
        + "</Events>"
    )
    for encoding, mark in (
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b""),
    ):
        data = mark + text.encode(encoding, "surrogatepass")
        for block_size in (1, 7, 1 << 18):
            records, _ = read(data, block_size=block_size)
            starts = [text.index(f"<EventID>{n}<") for n in (1, 2, 3)]
            lines = [text[:start].count("\n") + 1 for start in starts]
            assert [record.origin.line for record in records] == lines
            for record in records:
                assert record.origin.reader == "xml"
                assert record.origin.path == "input.xml"
                assert record.origin.offset is not None
                assert data[record.origin.offset :].startswith("<Event ".encode(encoding))


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
    assert records[0].origin.anomalies == ("its event id is no number",)
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


@pytest.mark.parametrize("cut", [*range(7, len(event(2))), len(event(2)) - 1])
def test_an_input_that_ends_inside_an_event(cut: int) -> None:
    records, report = read(event(1) + event(2)[:cut])
    assert [record.event_id for record in records] == [1]
    assert [loss.reason for loss in report.losses] == [LossReason.TRUNCATED]


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
    stream = read_xml(
        io.BytesIO((event(1) + "<Event><a></Event>" + event(3)).encode()), ReadReport(strict=True)
    )
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


# ------------------------------------------------------------------ unwanted providers


def test_unwanted_providers_are_counted_not_delivered() -> None:
    names = [
        "Disk",
        "STORVSP",
        "Microsoft-Windows-Hyper-V-VMMS",
        "Ünï",
        "a&amp;b",
        "microsoft-windows-hyper-v-x",
    ]
    text = "".join(event(n, name) for n, name in enumerate(names))
    for block_size in (1, 1 << 18):
        records, report = read(text, wanted=HYPER_V, block_size=block_size)
        assert [record.event_id for record in records] == [1, 2, 5]
        assert (report.filtered, report.lost) == (3, 0)


def test_a_wanted_event_behind_a_cut_unwanted_one_is_delivered() -> None:
    records, report = read(event(1, "Disk")[:-20] + event(2, "storvsp"), wanted=HYPER_V)
    assert [record.event_id for record in records] == [2]
    assert (report.filtered, report.lost) == (0, 1)


# ------------------------------------------------------------------ one event


def test_one_event_keeps_the_origin_it_is_given() -> None:
    origin = Origin("json:vector", "x.jsonl", 17, 4, anomalies=("old",))
    assert parse_event(event(), origin).origin == origin
    assert parse_event("<!-- a -->" + event(data=value("\x01")), origin).origin == origin
    assert parse_event(event() + "...", origin).origin.anomalies[0] == "old"
    assert len(parse_event(event() + "...", origin).origin.anomalies) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "text",
        "<Events/>",
        "<EventData/>",
        event()[:-1],
        event() + event(),
        "<Event><a></Event>",
        "{}",
        "<Event",
    ],
)
def test_what_is_not_one_event_is_a_source_error(text: str) -> None:
    for form in (text, text.encode(), text.encode("utf-16")):
        with pytest.raises(SourceError):
            parse_event(form)


def test_the_line_of_the_fault_is_told() -> None:
    with pytest.raises(SourceError) as caught:
        parse_event("<!-- a -->\n<Event>\n<System>\n</Sytem></Event>", Origin("xml", "a.xml"))
    assert (caught.value.path, caught.value.line) == ("a.xml", 4)


# ------------------------------------------------------------------ properties

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
characters = st.characters(exclude_categories=["Cs"]) | st.sampled_from(
    "\0\x01\x1f\ufdd0\ufffe\uffff&<>]'\"\r\n\t 0A;#"
)
texts = st.text(characters, max_size=12).filter(lambda text: not ("\n" in text and not text.strip(" \t\r\n")))


@st.composite
def written_events(draw: st.DrawFn) -> tuple[str, EventRecord]:
    """An event as XML, and what it says, from the same draw."""
    provider, computer = draw(texts), draw(texts)
    number = draw(st.integers(0, 0xFFFF))
    values = draw(st.lists(st.tuples(st.none() | texts.filter(bool), texts), max_size=4))
    children = draw(st.lists(st.tuples(names, texts), max_size=4))
    as_reference = draw(st.booleans())

    def referenced(markup: str) -> str:
        return "".join(f"&#{ord(c)};" if c < " " and as_reference else c for c in markup)

    def text(content: str) -> str:
        return referenced(escape(content).replace("\r", "&#13;"))

    def attribute(content: str) -> str:
        return referenced(quoteattr(content))

    head = (
        f"<System><Provider Name={attribute(provider)} /><EventID>{number}</EventID>"
        f"<Computer>{text(computer)}</Computer></System>"
    )
    if draw(st.booleans()):
        payload = "EventData"
        fields = tuple(values)
        body = "".join(
            f"<Data>{text(t)}</Data>" if n is None else f"<Data Name={attribute(n)}>{text(t)}</Data>"
            for n, t in values
        )
        body = f"<EventData>{body}</EventData>"
    else:
        payload = "UserData/VmlEventLog"
        fields = tuple(children)
        body = "".join(f"<{n}>{text(t)}</{n}>" for n, t in children)
        body = f"<UserData><VmlEventLog>{body}</VmlEventLog></UserData>"
    record = EventRecord(provider, number, computer=computer, payload=payload, data=fields)
    return f"<Event xmlns='{NAMESPACE}'>{head}{body}</Event>", record


@given(
    st.lists(written_events(), min_size=1, max_size=4),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    st.sampled_from(["", "\n", "\r\n", "<!-- </Event> -->"]),
    st.booleans(),
    st.integers(1, 80) | st.just(1 << 18),
)
@settings(max_examples=200, deadline=None)
def test_written_events_are_read_exactly(
    written: list[tuple[str, EventRecord]], encoding: str, between: str, rooted: bool, block_size: int
) -> None:
    text = between.join(xml for xml, _ in written)
    if rooted:
        text = f"<?xml version='1.0' encoding='ascii'?><Events>{text}</Events>"
    records, report = read(text.encode(encoding), block_size=block_size)
    assert records == [record for _, record in written]
    assert report.complete
    for xml, record in written:
        assert parse_event(xml) == parse_event(xml.encode()) == parse_event(xml.encode("utf-16")) == record


@given(
    st.lists(written_events(), min_size=1, max_size=4),
    st.sampled_from(["", "a", "A", "z"]),
    st.integers(1, 200),
)
@settings(max_examples=100, deadline=None)
def test_filtering_while_reading_is_filtering_afterwards(
    written: list[tuple[str, EventRecord]], prefix: str, block_size: int
) -> None:
    wanted = ProviderFilter(frozenset({written[0][1].provider.lower()}), (prefix.lower() or "b",))
    data = "".join(xml for xml, _ in written).encode()
    records, report = read(data, wanted=wanted, block_size=block_size)
    assert records == [record for _, record in written if wanted.matches(record.provider)]
    assert report.records_seen == len(written)


TOKENS = [
    *(event(n).encode() for n in (1, 2)),
    b"<Event>", b"<Event ", b"<Event/>", b"</Event>", b"<System>", b"</System>", b"<x:Event>",
    b"</x:Event>", b"<Events>", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?xml encoding='cp437'?>", b"<?",
    b"?>", b"<", b">", b"'", b'"', b"&", b"&#1;", b"\0", b"\x01", b"\xff\xfe", b"\xef\xbb\xbf",
    b"\xed\xa0\x80", b"\xff", b" ", b"\n", b"a", b"xmlns:x='u'", b"<EventID>",
]  # fmt: skip
hostile = st.binary(max_size=200) | st.lists(st.sampled_from(TOKENS), max_size=30).map(b"".join)


@given(hostile, st.sampled_from(["", "utf-16"]), st.integers(1, 40), st.sampled_from([None, HYPER_V]))
@settings(max_examples=500, deadline=None)
def test_any_bytes_end_in_our_error_or_a_balanced_report(
    data: bytes, encoding: str, block_size: int, wanted: ProviderFilter | None
) -> None:
    if encoding:
        data = data.decode("latin-1").encode(encoding)
    outcomes = []
    for size in (block_size, 1 << 18):
        try:
            records, report = read(data, block_size=size, wanted=wanted)
        except HvdegradedError as error:
            outcomes.append((type(error), str(error)))
        else:
            outcomes.append(([record.origin for record in records], records, report.to_dict()))
    assert outcomes[0] == outcomes[1]  # where blocks end makes no difference
    try:
        record = parse_event(data)
    except SourceError:
        return
    assert isinstance(record, EventRecord)


def intact_and_damaged() -> Iterator[st.SearchStrategy[bytes]]:
    for at in range(3):
        yield st.tuples(st.integers(8, 150), st.binary(min_size=1, max_size=3)).map(
            lambda change, at=at: (
                "\n".join(THREE[:at]).encode()  # type: ignore[misc]
                + b"\n"
                + THREE[at].encode()[: change[0]]
                + change[1]
                + THREE[at].encode()[change[0] + len(change[1]) :]
                + b"\n"
                + "\n".join(THREE[at + 1 :]).encode()
            )
        )


@given(st.one_of(list(intact_and_damaged())))
@settings(max_examples=200, deadline=None)
def test_damage_to_one_event_spares_the_others(data: bytes) -> None:
    assume(b"<!" not in data and b"<?" not in data)
    records, report = read(data)
    intact = {n for n in (1, 2, 3) if event(n).encode() in data}
    assert intact <= {record.event_id for record in records}
    assert report.records_seen >= 3 - (not report.complete)
