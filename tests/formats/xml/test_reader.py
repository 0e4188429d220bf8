"""Real exports of event XML, and the forms that files of it have."""

from __future__ import annotations

from pathlib import Path

import pytest

from hvdegraded.errors import (
    SourceError,
    UnknownFormatError,
)
from hvdegraded.formats.xml.reader import parse_event
from hvdegraded.records.record import EventRecord, Origin
from hvdegraded.timestamps import ticks_from_text
from tests.tools.corpus import CORPUS
from tests.tools.xml_events import HYPER_V, NAMESPACE, THREE, event, ids, read, value

# ------------------------------------------------------------------ real exports


def corpus_files() -> list[Path]:
    return sorted([*CORPUS.glob("records/*.xml"), *CORPUS.glob("exports/*/*.xml")])


def corpus_bytes(name: str) -> bytes:
    path = CORPUS / name
    if not path.exists():
        pytest.skip(f"no corpus at {CORPUS}")
    return path.read_bytes()


@pytest.mark.corpus
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
    assert by_python.qualifiers is None
    assert by_python.activity_id is None
    assert by_python.related_activity_id is None


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
        event()[:-12],
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
