"""Logs that the writer made, checked byte for byte and by every other reader."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import evtx
import Evtx.Evtx
import pyevtx
from lxml import etree

from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.records.record import EventRecord
from hvdegraded.timestamps import ticks_from_text

# --- what the readers' XML says, as records ---------------------------------------------------------------
EVENT = "{http://schemas.microsoft.com/win/2004/08/events/event}"


def local(tag: str) -> str:
    return tag.rpartition("}")[2]


def plain(text: str | None) -> str:
    """Pretty printers write an empty element as white space with a line break."""
    return "" if text is None or (not text.strip() and "\n" in text) else text


def record_of(xml: str, binary: Callable[[str], str] = str) -> EventRecord:
    """A record of event XML; `binary` turns what a reader writes for `<Binary>` into hex."""
    event = etree.fromstring(xml.split("?>", 1)[-1].strip().encode(), etree.XMLParser(huge_tree=True))
    system = event.find(f"{EVENT}System")

    def text(path: str) -> str:
        return plain(system.findtext(EVENT + path))

    def attribute(path: str, name: str) -> str | None:
        element = system.find(EVENT + path)
        return element.get(name) or None if element is not None else None

    def number(found: str | None) -> int | None:
        return int(found, 0) if found else None

    def guid(found: str | None) -> str | None:
        return found.strip("{}").upper() if found else None

    payload, namespace, data = "", None, []
    for child in event:
        if local(child.tag) == "System":
            continue
        payload = local(child.tag)
        if payload == "EventData":
            for item in child:
                name = item.get("Name") if local(item.tag) == "Data" else local(item.tag)
                value = plain(item.text)
                data.append((name, binary(value) if name == "Binary" else value))
        else:
            root = child[0]
            payload += "/" + local(root.tag)
            namespace = etree.QName(root).namespace
            namespace = None if namespace == EVENT.strip("{}") else namespace
            data = flat(root, "")[1:] if not len(root) else flat(root, "")
    return EventRecord(
        provider=attribute("Provider", "Name") or "",
        event_id=int(text("EventID")),
        time_ticks=ticks_from_text(attribute("TimeCreated", "SystemTime") or ""),
        level=number(text("Level")),
        record_id=number(text("EventRecordID")),
        channel=text("Channel"),
        computer=text("Computer"),
        provider_guid=guid(attribute("Provider", "Guid")),
        event_source=attribute("Provider", "EventSourceName"),
        qualifiers=number(attribute("EventID", "Qualifiers")),
        version=number(text("Version")),
        task=number(text("Task")),
        opcode=number(text("Opcode")),
        keywords=number(text("Keywords")),
        process_id=number(attribute("Execution", "ProcessID")),
        thread_id=number(attribute("Execution", "ThreadID")),
        activity_id=guid(attribute("Correlation", "ActivityID")),
        related_activity_id=guid(attribute("Correlation", "RelatedActivityID")),
        user_id=attribute("Security", "UserID"),
        payload=payload,
        payload_namespace=namespace,
        data=tuple(data),
    )


def flat(element: etree._Element, path: str) -> list[tuple[str | None, str]]:
    prefix = f"{path}/" if path else ""
    found: list[tuple[str | None, str]] = [
        (f"{prefix}@{key!s}", str(value)) for key, value in element.items()
    ]
    if path and not len(element):
        found.append((path, plain(element.text)))
    for child in element:
        found += flat(child, prefix + local(child.tag))
    return found


def with_evtx(data: bytes) -> list[EventRecord]:
    records = []
    for found in evtx.PyEvtxParser(io.BytesIO(data)).records():
        record = record_of(found["data"])
        # It cuts SystemTime to microseconds; the record header's time, which our writer sets alike, is whole.
        ticks = ticks_from_text(found["timestamp"])
        assert ticks is not None
        assert ticks // 10 * 10 == record.time_ticks
        records.append(record._replace(time_ticks=ticks))
    return records


def with_python_evtx(data: bytes, written: list[EventRecord], path: Path, every: int) -> list[EventRecord]:
    path.write_bytes(data)
    records = []
    with Evtx.Evtx.Evtx(str(path)) as log:
        assert log.get_file_header().verify()
        assert all(chunk.verify() for chunk in log.chunks())
        for number, found in enumerate(log.records()):
            theirs = written[number]
            assert found.record_num() == number + 1
            # It raises on, or mangles, what is not ASCII in an array of strings.
            odd = any(name is None and not text.isascii() for name, text in theirs.data)
            if number % every == 0 and not odd:
                theirs = record_of(found.xml(), lambda text: base64.b64decode(text).hex().upper())
            records.append(theirs)
    return records


def with_libevtx(data: bytes) -> list[EventRecord]:
    log = pyevtx.file()
    log.open_file_object(io.BytesIO(data))
    assert not log.is_corrupted()
    assert log.number_of_recovered_records == 0
    records = [record_of(found.get_xml_string()) for found in log.records]
    log.close()
    return records


# What each reader gets wrong, undone or left out on both sides, one line for each fault.


def seen_by_evtx(record: EventRecord) -> EventRecord:
    # A classic event without Binary is shown with an empty one, and one without Data with an empty one.
    data = record.data
    if data and all(name is None for name, _ in data):
        data += (("Binary", ""),)
    return record._replace(data=data)


def seen_by_python_evtx(record: EventRecord, theirs: EventRecord) -> EventRecord:
    # An array of strings is shown as one Data holding escaped <string> elements, not always in order.
    if any(name is None for name, _ in record.data):
        record = record._replace(data=theirs.data)
    # Times go through floats and are off by a microsecond or two.
    if theirs.time_ticks is not None and abs(theirs.time_ticks - (record.time_ticks or 0)) <= 40:
        record = record._replace(time_ticks=theirs.time_ticks)
    return record


def check_all(records: list[EventRecord], tmp_path: Path, every: int = 1) -> bytes:
    """Write records and read them back with every reader; returns the log.

    python-evtx, which takes 10 ms a record, decodes one of `every` and counts the others.
    """
    data = evtx_bytes(records)
    headers = check_container(data)
    assert [ticks for _, ticks in headers] == [record.time_ticks for record in records]
    assert with_evtx(data) == [seen_by_evtx(record) for record in records]
    assert with_libevtx(data) == records
    found = with_python_evtx(data, records, tmp_path / "log.evtx", every)
    assert found == [seen_by_python_evtx(*pair) for pair in zip(records, found, strict=True)]
    return data


# --- the container, checked byte for byte ------------------------------------------------------------------


def hashed(words: tuple[int, ...]) -> int:
    """The 65599 polynomial, 16 bits kept."""
    number = 0
    for word in words:
        number = number * 65599 + word
    return number & 0xFFFF


def check_container(data: bytes) -> list[tuple[int, int]]:
    """Check headers, checksums, sizes and both hash tables; returns (record id, ticks) of each record."""
    first, last, next_id, size, minor, major, block, chunks = struct.unpack_from("<QQQIHHHH", data, 8)
    assert data[:8] == b"ElfFile\0"
    assert (first, last, size, minor, major, block) == (0, chunks - 1, 128, 1, 3, 4096)
    assert struct.unpack_from("<II", data, 120) == (0, zlib.crc32(data[:120]))
    assert len(data) == 4096 + 65536 * chunks
    found: list[tuple[int, int]] = []
    for start in range(4096, len(data), 65536):
        found += check_chunk(data[start : start + 65536], len(found))
    assert next_id == (found[-1][0] + 1 if found else 1)
    return found


def check_chunk(chunk: bytes, before: int) -> list[tuple[int, int]]:
    first, last, first_id, last_id, size, last_at, free, crc = struct.unpack_from("<QQQQIIII", chunk, 8)
    assert chunk[:8] == b"ElfChnk\0"
    assert size == 128
    assert crc == zlib.crc32(chunk[512:free])
    head_crc = zlib.crc32(chunk[128:512], zlib.crc32(chunk[:120]))
    assert struct.unpack_from("<II", chunk, 120) == (1, head_crc)
    assert free <= 65528
    check_tables(chunk)
    found, position, at = [], 512, 0
    while position < free:
        magic, length, record_id, ticks = struct.unpack_from("<4sIQQ", chunk, position)
        assert magic == b"**\0\0"
        assert length % 8 == 0
        assert struct.unpack_from("<I", chunk, position + length - 4) == (length,)
        found.append((record_id, ticks))
        position, at = position + length, position
    assert position == free
    assert not any(chunk[free:])
    if found:
        assert at == last_at
        assert (first, last) == (before + 1, before + len(found))
        assert (first_id, last_id) == (found[0][0], found[-1][0])
    return found


def check_tables(chunk: bytes) -> tuple[int, int]:
    """Every chain leads backwards through entries of its bucket; returns how many names and templates."""
    names: set[str] = set()
    for bucket, start in enumerate(struct.unpack_from("<64I", chunk, 128)):
        position = start
        while position:
            following, number, length = struct.unpack_from("<IHH", chunk, position)
            assert number == hashed(struct.unpack_from(f"<{length}H", chunk, position + 8))
            assert number % 64 == bucket
            assert chunk[position + 8 + 2 * length :][:2] == b"\0\0"
            name = chunk[position + 8 :][: 2 * length].decode("utf-16-le")
            assert name not in names
            names.add(name)
            assert following < position
            position = following
    guids: set[bytes] = set()
    for bucket, start in enumerate(struct.unpack_from("<32I", chunk, 384)):
        position = start
        while position:
            (following,) = struct.unpack_from("<I", chunk, position)
            guid = chunk[position + 4 : position + 20]
            assert hashed(struct.unpack("<8H", guid)) % 32 == bucket
            assert guid not in guids
            guids.add(guid)
            assert following < position
            position = following
    return len(names), len(guids)
