"""Inputs of which something is missing, hidden or torn, each with the number of events that stand in it.

`built()` gives those of text and of archives, `forged()` those of .evtx logs whose checksums are right all the same.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.records.record import EventRecord
from tests.tools.sample_logs import event_xml, winlogbeat
from tests.tools.traps import NOW, SECOND, failure, numbered, storage, storage_loaded

_FILE_HEAD, _CHUNK, _CHUNK_HEAD = 4096, 65536, 512
FEW, MANY = 12, 720


class Input(NamedTuple):
    """Bytes, and how many Hyper-V events stand in them."""

    name: str
    data: bytes
    events: int

    def __str__(self) -> str:
        return self.name


def records(count: int) -> tuple[EventRecord, ...]:
    """Refusals, failures and mismatches that work, a second apart, each with an id of its own."""
    makers: tuple[Callable[..., EventRecord], ...] = (storage, failure, storage_loaded)
    found = numbered(makers[at % 3](ticks=at * SECOND) for at in range(count))
    return tuple(one._replace(record_id=at, channel="System") for at, one in enumerate(found, 1))


def _text_inputs() -> Iterator[tuple[str, str, int]]:
    of = records(FEW)
    xml, lines = [event_xml(one) for one in of], [json.dumps(winlogbeat(one)) for one in of]
    document, stream = "<Events>" + "\n".join(xml) + "</Events>", "\n".join(lines) + "\n"
    rest = "".join(xml[1:])
    yield "xml cut in an event", document[:-400], FEW
    yield "xml cut between events", document[: document.rindex("</Event>") + 8], FEW
    yield "xml with an unclosed event", f"<Events>{xml[0].replace('</Event>', '')}{rest}</Events>", FEW
    yield (
        "xml with an event in an event",
        f"<Events>{xml[0].replace('</Event>', xml[1] + '</Event>')}{''.join(xml[2:])}</Events>",
        FEW,
    )
    yield "xml with an unclosed comment", f"<Events>{xml[0]}<!-- {rest}</Events>", FEW
    yield "xml with events in CDATA", f"<Events>{xml[0]}<![CDATA[{rest}]]></Events>", FEW
    yield "xml with an unclosed CDATA", f"<Events>{xml[0]}<![CDATA[{rest}</Events>", FEW
    yield "xml with a bare ampersand", document.replace("web01", "web & 01", 1), FEW
    yield "xml with garbage between", f"<Events>{xml[0]}garbage < > & {rest}</Events>", FEW
    yield "xml, then json", f"<Events>{''.join(xml[:6])}</Events>\n" + "\n".join(lines[6:]), FEW
    yield "json, then xml", "\n".join(lines[:6]) + f"\n<Events>{''.join(xml[6:])}</Events>", FEW
    yield "json without its beginning", stream[60:], FEW
    yield (
        "json behind prefixes, one torn",
        "\n".join("Dec 9 hv1: " + one for one in [*lines[:11], lines[11][:-9]]),
        FEW,
    )
    yield "json without its end", stream[:-60], FEW
    yield "json, two on a line", " ".join(lines[:2]) + "\n" + "\n".join(lines[2:]), FEW
    yield "json, all on a line", "".join(lines), FEW
    yield "json array without its end", ("[" + ",".join(lines) + "]")[:-100], FEW
    yield "json array, then lines", f"[{','.join(lines[:6])}]\n" + "\n".join(lines[6:]), FEW
    yield "json lines, then an array", "\n".join(lines[:6]) + f"\n[{','.join(lines[6:])}]", FEW
    yield "json, torn in the middle", "\n".join(lines[:6]) + lines[6][:50] + "\n".join(lines[7:]), FEW
    yield (
        "json in an unknown wrapper",
        "\n".join(json.dumps({"data": [json.loads(one)]}) for one in lines),
        FEW,
    )
    yield "json with NaN", "\n".join([lines[0][:-1] + ',"x":NaN}', *lines[1:]]), FEW
    yield "json with single quotes", "\n".join([lines[0].replace('"', "'"), *lines[1:]]), FEW
    yield "json with NUL", "\n".join(lines[:6]) + "\n\0" + "\n".join(lines[6:]), FEW


def built() -> Iterator[Input]:
    """Text, archives, and files that were put behind each other."""
    for name, text, events in _text_inputs():
        yield Input(name, text.encode(), events)
    of = records(FEW)
    lines = "".join(json.dumps(winlogbeat(one)) + "\n" for one in of).encode()
    log = evtx_bytes(of)
    document = ("<Events>" + "".join(map(event_xml, of)) + "</Events>").encode("utf-16")
    yield Input("utf-16 with a byte less", document[:3001] + document[3002:], FEW)
    yield Input("json with a broken character", lines.replace(b"web01", b"web\xff1", 1), FEW)
    yield Input("a log, then json", log + lines, 2 * FEW)
    yield Input("json, then a log", lines + log, 2 * FEW)
    yield Input("gzip without its end", gzip.compress(lines)[:-30], FEW)
    half = lines.index(b"\n", len(lines) // 2) + 1
    yield Input("gzip, then text", gzip.compress(lines[:half]) + lines[half:], FEW)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as inner:
        inner.writestr("a.jsonl", lines)
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("in.zip", packed.getvalue())
    yield Input("an archive in an archive", outer.getvalue(), FEW)


# ---------------------------------------------------------------- forged logs


def forged() -> Iterator[Input]:
    """Logs of several chunks from which records were taken or hidden, with right checksums."""
    of = tuple(one._replace(time_ticks=NOW + at * SECOND) for at, one in enumerate(records(MANY)))
    log = evtx_bytes(of)
    head, body = log[:_FILE_HEAD], log[_FILE_HEAD:]
    chunks = [body[at : at + _CHUNK] for at in range(0, len(body), _CHUNK)]
    rest = b"".join(chunks[1:])
    yield Input("cut in a chunk", log[: _FILE_HEAD + _CHUNK + 30_000], MANY)
    yield Input("cut between chunks", log[: _FILE_HEAD + _CHUNK], MANY)
    yield Input("a chunk taken out", head + chunks[0] + b"".join(chunks[2:]), MANY)
    fewer = bytearray(head)
    struct.pack_into("<H", fewer, 42, len(chunks) - 1)
    struct.pack_into("<Q", fewer, 16, len(chunks) - 2)
    yield Input("a chunk taken out, header too", _sealed_head(fewer) + chunks[0] + b"".join(chunks[2:]), MANY)
    yield Input("a chunk of zeros", head + chunks[0] + bytes(_CHUNK) + b"".join(chunks[2:]), MANY)
    yield Input("a record swallowed by the one before", head + _swallowed(chunks[0], 5) + rest, MANY)
    yield Input("free space begins before the last record", head + _shortened(chunks[0]) + rest, MANY)
    yield Input("the same, numbers too", head + _shortened(chunks[0], numbers=True) + rest, MANY)
    last = b"".join(chunks[:-1]) + _shortened(chunks[-1], numbers=True)
    yield Input("the same in the last chunk", head + last, MANY)


def _sealed_head(head: bytearray) -> bytes:
    struct.pack_into("<I", head, 124, zlib.crc32(head[:120]))
    return bytes(head)


def _sealed(chunk: bytearray) -> bytes:
    used = struct.unpack_from("<I", chunk, 48)[0]
    struct.pack_into("<I", chunk, 52, zlib.crc32(chunk[_CHUNK_HEAD:used]))
    struct.pack_into("<I", chunk, 124, zlib.crc32(chunk[128:_CHUNK_HEAD], zlib.crc32(chunk[:120])))
    return bytes(chunk)


def _places(chunk: bytes) -> list[tuple[int, int]]:
    """Offset and size of each record."""
    found, at = [], _CHUNK_HEAD
    while chunk[at : at + 4] == b"**\0\0":
        size = struct.unpack_from("<I", chunk, at + 4)[0]
        found.append((at, size))
        at += size
    return found


def _swallowed(chunk: bytes, number: int) -> bytes:
    (at, size), (_, more) = _places(chunk)[number - 1 : number + 1]
    changed = bytearray(chunk)
    struct.pack_into("<I", changed, at + 4, size + more)
    struct.pack_into("<I", changed, at + size + more - 4, size + more)
    return _sealed(changed)


def _shortened(chunk: bytes, *, numbers: bool = False) -> bytes:
    """A chunk whose header ends it before its last record; with `numbers`, of its record numbers as well."""
    *_, (before, _), (last, _) = _places(chunk)
    changed = bytearray(chunk)
    struct.pack_into("<II", changed, 44, before, last)
    for offset in (16, 32) if numbers else ():
        struct.pack_into("<Q", changed, offset, struct.unpack_from("<Q", chunk, offset)[0] - 1)
    return _sealed(changed)
