"""The fast and the general way of decoding give the same: records, anomalies, caveats, losses, for any template.

Of the records drawn here, a third are of a usual form and read fast.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.formats.evtx.binxml.values import ARRAY, ValueType
from hvdegraded.formats.evtx.binxml.writer import FRAGMENT, ChunkBuilder, Element, Slot, Template, Value
from hvdegraded.formats.evtx.decoder import EvtxDecoder
from hvdegraded.formats.evtx.format import (
    CHUNK_SIZE,
    EVENT_NAMESPACE,
    FIRST_RECORD,
    RECORD_HEADER,
    RECORD_MAGIC,
    RECORD_START,
)
from hvdegraded.formats.evtx.reader import read_evtx
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.reading.delivery import delivered
from hvdegraded.records.record import Origin
from hvdegraded.records.report import ReadReport
from hvdegraded.records.system_fields import SYSTEM_FIELDS, SystemField, SystemKind
from tests.tools.crafted import file_of
from tests.tools.written_records import WORKER

SID = bytes.fromhex("010200000000000520000000") + bytes(4)
USUAL = {
    SystemKind.EVENT_ID: [ValueType.UINT16],
    SystemKind.NUMBER: [ValueType.UINT8, ValueType.UINT16, ValueType.UINT32, ValueType.UINT64],
    SystemKind.KEYWORDS: [ValueType.HEX64],
    SystemKind.TIME: [ValueType.FILETIME],
    SystemKind.TEXT: [ValueType.STRING],
    SystemKind.GUID: [ValueType.GUID],
    SystemKind.SID: [ValueType.SID],
}
LITERALS = {
    SystemKind.EVENT_ID: "12597",
    SystemKind.NUMBER: "4",
    SystemKind.KEYWORDS: "1000000000000000",
    SystemKind.TIME: "2026-03-01T10:00:00.1Z",
    SystemKind.TEXT: "hv1",
    SystemKind.GUID: "{6066f867-7ca1-4418-85fd-36e3f9c0600c}",
    SystemKind.SID: "S-1-5-18",
}
SIZES = {
    ValueType.INT8: 1, ValueType.UINT8: 1, ValueType.INT16: 2, ValueType.UINT16: 2, ValueType.INT32: 4,
    ValueType.UINT32: 4, ValueType.INT64: 8, ValueType.UINT64: 8, ValueType.FLOAT: 4, ValueType.DOUBLE: 8,
    ValueType.BOOL: 4, ValueType.GUID: 16, ValueType.POINTER: 8, ValueType.FILETIME: 8, ValueType.HEX32: 4,
    ValueType.HEX64: 8, ValueType.SYSTEMTIME: 16,
}  # fmt: skip
SINGLE = [kind for kind in ValueType if kind not in (ValueType.STRINGS, ValueType.BINXML)]

any_kind = st.sampled_from([*SINGLE, *[kind | ARRAY for kind in SINGLE if kind], ValueType.BINXML, 0x30])
literals = st.sampled_from(
    (
        *("", " ", "\n", "0", "4", " 7 ", "-1", "65536", "3221356544", "0x10", "ten", "web01", "S-1-5-18"),
        *("1000000000000000", "80000000000000", "{6066f867-7ca1-4418-85fd-36e3f9c0600c}", "{}"),
        *("2026-03-01T10:00:00.1Z", "2700000000000000000"),
    )
) | st.text(st.characters(exclude_categories=[]), max_size=8)
names = st.sampled_from(["Data", "Binary", "VmName", "Level", "Complex", "Event", "System"])


@st.composite
def values_of(draw: st.DrawFn, kinds: st.SearchStrategy[int], *, odd: bool) -> Value:
    """A value of one of these types; an odd one may have another size or be text that is not UTF-16."""
    kind = draw(kinds)
    if kind & ~ARRAY == ValueType.NULL:
        return kind, b"\0\0" if odd and draw(st.booleans()) else b""
    if kind & ~ARRAY in (ValueType.STRING, ValueType.ANSI_STRING):
        letters = st.characters(exclude_categories=[]) if odd else st.characters(exclude_categories=["Cs"])
        text = draw(st.text(letters, max_size=6)) + draw(st.sampled_from(["", "\0", "\ud800" if odd else ""]))
        raw = text.encode("utf-16-le", "surrogatepass")
    elif kind & ~ARRAY == ValueType.SID:
        raw = SID * draw(st.integers(1, 2 if kind & ARRAY else 1))
    elif kind in SIZES:
        raw = draw(st.binary(min_size=SIZES[ValueType(kind)], max_size=SIZES[ValueType(kind)]))
    else:
        raw = draw(st.binary(max_size=24))
    if odd and draw(st.integers(0, 9)) == 0:
        raw = draw(st.sampled_from([b"", raw[:-1], raw + b"a"]))
    return kind, raw


class Drawing:
    """A template in the making, and the types that its values may have; some are odd here and there."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.odd = draw(st.integers(0, 3)) == 0
        self.kinds: list[st.SearchStrategy[int]] = []

    def rarely(self) -> bool:
        return self.odd and self.draw(st.integers(0, 14)) == 0

    def name(self) -> str:
        return self.draw(st.sampled_from(["v:", "", ""]) if self.odd else st.just("")) + self.draw(names)

    def filling(self, usual: Sequence[int], literal: str = "x") -> str | Slot:
        """A literal, or a slot: mostly one of its own, for values of a usual type or without a value."""
        if self.draw(st.integers(0, 5)) == 0:
            return self.draw(literals) if self.odd else self.draw(st.sampled_from(["", literal]))
        if self.rarely():
            return Slot(
                self.draw(st.integers(0, len(self.kinds) + 1)), ValueType.STRING, self.draw(st.booleans())
            )
        kinds = any_kind if self.rarely() else st.sampled_from([*usual, *usual, *usual])
        if self.draw(st.integers(0, 9)) == 0 and usual != USUAL[SystemKind.EVENT_ID]:
            kinds = kinds | st.just(ValueType.NULL)
        self.kinds.append(kinds)
        return Slot(len(self.kinds) - 1, usual[0], optional=self.draw(st.integers(0, 3)) > 0)

    def element(self, name: str, rows: Sequence[SystemField]) -> Element:
        """An element of `<System>`."""
        attributes: list[tuple[str, str | Slot]] = []
        content: list[str | Slot | Element] = []
        for row in rows:
            filling: str | Slot = "storvsp"
            if self.odd or row.field != "event_source":
                filling = self.filling(USUAL[row.kind], LITERALS[row.kind])
            if row.attribute is None:
                content.append(filling)
            else:
                attributes.append((row.attribute, filling))
        if self.rarely():
            content.append(self.filling([ValueType.STRING]))
        return Element(name, tuple(attributes), tuple(content))

    def system(self) -> Element:
        elements = list(dict.fromkeys(row.element for row in SYSTEM_FIELDS))
        chosen = [name for name in elements if not self.rarely()]
        if self.rarely():
            chosen = self.draw(st.permutations(chosen))
        if self.rarely():
            chosen.append(self.name())
        return Element(
            "System",
            (),
            tuple(
                self.element(name, [row for row in SYSTEM_FIELDS if row.element == name]) for name in chosen
            ),
        )

    def payload(self, root: str) -> Element:
        """`<EventData>` or another root, mostly this one, with values."""
        is_data = root == "EventData"
        children: list[Element] = []
        for _ in range(self.draw(st.integers(0, 4))):
            attributes: tuple[tuple[str, str | Slot], ...] = ()
            name = "Data" if is_data and not self.rarely() else self.name()
            if name == "Data" and self.draw(st.booleans()):
                attributes = (("Name", self.draw(literals)),)
            elif self.rarely():
                attributes = (("Type", self.filling([ValueType.STRING])),)
            content = (self.filling(SINGLE),) if not self.rarely() else ()
            children.append(Element(name, attributes, content))
        root = self.name() if self.rarely() else root
        space = self.draw(st.sampled_from([(), (), (("xmlns", "urn:x"),), (("xmlns", EVENT_NAMESPACE),)]))
        return Element(root, space, tuple(children))

    def values(self) -> list[Value]:
        values = [self.draw(values_of(kinds, odd=self.odd)) for kinds in self.kinds]
        return values[:-1] if values and self.rarely() else values


@st.composite
def chunks(draw: st.DrawFn, most: int = 2) -> bytes:
    """A chunk, as far as it is filled: records of a template or two, with payloads, maybe with some bytes changed.

    Of a template there are up to so many, of which some have the same values.
    """
    builder = ChunkBuilder(FIRST_RECORD)
    starts: list[int] = []
    for _ in range(draw(st.integers(1, 2))):
        outer, inner = Drawing(draw), Drawing(draw)
        is_data = draw(st.booleans())
        system, payload = outer.system(), Template(inner.payload("EventData" if is_data else "VmlEventLog"))
        slot = Slot(len(outer.kinds), ValueType.BINXML, optional=True)
        held = () if outer.rarely() else (slot,) if is_data else (Element("UserData", (), (slot,)),)
        template = Template(Element("Event", (("xmlns", EVENT_NAMESPACE),), (system, *held)))
        drawn: list[tuple[list[Value], list[Value]]] = []
        for _ in range(draw(st.integers(1, most))):
            starts.append(len(builder.bytes))
            if most > 2 and drawn and draw(st.booleans()):
                values, inside = draw(st.sampled_from(drawn))
            else:
                values, inside = outer.values(), inner.values()
                drawn.append((values, inside))
            whole = len(values) == len(outer.kinds)
            _write(builder, template, values, payload if whole else None, inside)
    damage = draw(
        st.lists(
            st.tuples(st.integers(RECORD_HEADER, len(builder.bytes) - FIRST_RECORD - 5), st.integers(1, 255)),
            max_size=draw(st.sampled_from([0, 0, 3])),
        )
    )
    return _log_of(builder, starts, damage)


def _write(
    builder: ChunkBuilder,
    template: Template,
    values: list[Value],
    payload: Template | None,
    inner: list[Value],
) -> None:
    out = builder.bytes
    start = len(out)
    out += RECORD_START.pack(RECORD_MAGIC, 0, 0, 1) + FRAGMENT
    if payload is not None:
        values = [*values, (ValueType.BINXML, b"")]
    descriptors = builder.write_instance(template, values)
    if payload is not None:
        place = len(out)
        out += FRAGMENT
        builder.write_instance(payload, inner)
        out += b"\0"
        struct.pack_into("<H", out, descriptors + 4 * (len(values) - 1), len(out) - place)
    out += bytes(-(len(out) - start + 4) % 8)
    size = len(out) - start + 4
    out += struct.pack("<I", size)
    struct.pack_into("<I", out, start + 4, size)


def _log_of(builder: ChunkBuilder, starts: Sequence[int], damage: Sequence[tuple[int, int]]) -> bytes:
    out = builder.bytes
    free, count = len(out), len(starts)
    for number, start in enumerate(starts, 1):
        struct.pack_into("<Q", out, start + 8, number)
    heads = [(start, start + RECORD_HEADER) for start in starts]
    for place, flips in damage:
        at = FIRST_RECORD + place
        if not any(start - 4 <= at < end for start, end in heads):
            out[at] ^= flips
    head = struct.pack(
        "<8sQQQQIIII", b"ElfChnk\0", 1, count, 1, count, 128, starts[-1], free, zlib.crc32(out[FIRST_RECORD:])
    ).ljust(120, b"\0")
    tables = struct.pack("<96I", *builder.name_heads, *builder.template_heads)
    out[:FIRST_RECORD] = head + struct.pack("<II", 1, zlib.crc32(tables, zlib.crc32(head))) + tables
    return bytes(out)


def read(chunk: bytes, *, fast: bool) -> tuple[list[tuple[object, ...]], ReadReport]:
    log = file_of([chunk.ljust(CHUNK_SIZE, b"\0")])
    report = ReadReport(path="test.evtx")
    decoder = EvtxDecoder(fast=fast)
    return [
        tuple(record) for record in delivered(read_evtx(log, "test.evtx", decoder=decoder), report)
    ], report


@given(chunks())
def test_both_ways_of_decoding_give_the_same(chunk: bytes) -> None:
    assert read(chunk, fast=True) == read(chunk, fast=False)


@given(chunks(most=6))
def test_both_ways_of_decoding_give_the_same_of_what_repeats(chunk: bytes) -> None:
    """Records whose shape, System fields and payload are known are not decoded step by step."""
    assert read(chunk, fast=True) == read(chunk, fast=False)


def test_half_a_character_in_a_template_is_an_anomaly_either_way() -> None:
    system = Element("System", (), (Element("EventID", (), ("6",)), Element("Computer", (), ("hv\ud800",))))
    builder = ChunkBuilder(FIRST_RECORD)
    _write(builder, Template(Element("Event", (("xmlns", EVENT_NAMESPACE),), (system,))), [], None, [])
    chunk = _log_of(builder, [FIRST_RECORD], [])
    for fast in (True, False):
        (record, *_), _ = read(chunk, fast=fast)
        origin = record[-1]
        assert record[6] == "hv\ufffd"
        assert isinstance(origin, Origin)
        assert origin.anomalies == ("halves of surrogate pairs in it stand as U+FFFD",)


def test_a_record_without_an_event_id_has_an_anomaly_either_way() -> None:
    absent: list[Value] = [(ValueType.NULL, b"")]
    for content, value in (((), []), ((Slot(0, ValueType.UINT16, optional=True),), absent)):
        system = Element("System", (), (Element("EventID", (), content), Element("Computer", (), ("hv1",))))
        template = Template(Element("Event", (("xmlns", EVENT_NAMESPACE),), (system,)))
        builder = ChunkBuilder(FIRST_RECORD)
        _write(builder, template, value, None, [])
        chunk = _log_of(builder, [FIRST_RECORD], [])
        for fast in (True, False):
            records, _ = read(chunk, fast=fast)
            origin = records[0][-1]
            assert isinstance(origin, Origin)
            assert origin.anomalies == ("it has no event id",)


def test_a_string_that_ends_with_half_a_pair_has_an_anomaly_either_way() -> None:
    """The fast way must not drop the half without a word."""
    log = evtx_bytes([WORKER._replace(data=(("VmName", "web\ud800"), ("VmId", "x")))])
    for fast in (True, False):
        decoder = EvtxDecoder(fast=fast)
        (record,) = delivered(read_evtx(log, "test.evtx", decoder=decoder), ReadReport())
        assert record.get("VmName") == "web\ufffd"
        assert record.origin.anomalies
