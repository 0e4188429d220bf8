"""Hostile event logs, each written down as what makes it: `python -m tests.tools.attacks [NAME…]` reads them all.

Every attack on other readers that the project knows of, and those that its own design invites. A hostile
chunk stands between two good ones, whose records must all come; CPU time and memory are the child's own.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from hvdegraded.formats.evtx.chunks import CHUNK_SIZE, FILE_HEADER_SIZE
from hvdegraded.formats.evtx.writer import evtx_bytes
from hvdegraded.records.record import EventRecord
from tests.tools.crafted import (
    BODY,
    FIRST,
    Binary,
    again,
    chunk,
    event,
    file_of,
    filled,
    instance,
    typed_body,
)
from tests.tools.text_attacks import REFUSED, TEXTS

GUID = "6066F867-7CA1-4418-85FD-36E3F9C0600C"
CPU_LIMIT = 10  # seconds; what is bounded takes a fraction, what is not would take hours
ROOM = CHUNK_SIZE - FIRST - 64  # bytes of one record that fills a chunk


def nested(levels: int, branches: int) -> bytes:
    """A record whose template's slots hold an instance of the same template, level below level."""
    definition = BODY + 14
    inner = b""
    for level in range(levels):
        values = [(0x21, inner)] + [(0x21, b"")] * (branches - 1) if level else []
        inner = struct.pack("<BBII", 0x0C, 1, 0, definition) + filled(*values)

    def content(made: Binary) -> None:
        made.open("E")
        for index in range(branches):
            made.slot(index, 0x21)
        made.close()

    body = instance(content)
    return body[:-4] + inner[10:]


def multiplied(levels: int, branches: int) -> bytes:
    """A record whose every level shows the next one `branches` times: branches ** levels outputs."""
    definition = BODY + 14
    head = struct.pack("<BBII", 0x0C, 1, 0, definition)
    deep = head + filled((0x21, b""))
    for _ in range(levels - 1):
        deep = head + filled((0x21, deep))

    def content(made: Binary) -> None:
        made.open("E")
        for _ in range(branches):
            made.slot(0, 0x21)
        made.close()

    return instance(content, (0x21, deep))


# ------------------------------------------------------------------ logs around an attack

GOOD = 40  # records of each good chunk


def vmms(number: int) -> EventRecord:
    return EventRecord(
        provider="Microsoft-Windows-Hyper-V-VMMS",
        event_id=13002,
        time_ticks=133_000_000_000_000_000 + number,
        level=4,
        record_id=number,
        channel="Admin",
        computer="hv1",
        provider_guid=GUID,
        payload="UserData/VmlEventLog",
        payload_namespace="http://www.microsoft.com/Windows/Virtualization/Events",
        data=(("VmName", f"vm{number}"), ("VmId", GUID)),
    )


def _good(first: int) -> bytes:
    data = evtx_bytes([vmms(number) for number in range(first, first + GOOD)])
    assert len(data) == FILE_HEADER_SIZE + CHUNK_SIZE
    return data[FILE_HEADER_SIZE:]


def between(*chunks: bytes) -> bytes:
    """A log with these chunks between two good ones."""
    return file_of([_good(1), *chunks, _good(1 << 30)])


class Attack(NamedTuple):
    """A hostile log, whether it is to be carved, and whether it is to be refused as a whole."""

    data: bytes
    carve: bool = False
    refused: bool = False


ATTACKS: dict[str, Callable[[], Attack]] = {}
"""What makes each attack, by name."""


def attack(name: str, **options: bool) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    def register(make: Callable[[], bytes]) -> Callable[[], bytes]:
        ATTACKS[name] = lambda: Attack(make(), **options)
        return make

    return register


def one_record(name: str, make: Callable[[], bytes]) -> None:
    """Register the attack that is one record."""
    ATTACKS[name] = lambda: Attack(between(chunk([make()], first=1000)))


def data_element(text: str) -> Callable[[], bytes]:
    return lambda: typed_body(0x01, text.encode("utf-16-le", "surrogatepass"))


# Loops.


@attack("loop in the name table")
def _() -> bytes:
    body = data_element("x")()
    name = BODY + 14 + 24 + 4 + 11  # of the template's first element
    looped = bytearray(body)
    struct.pack_into("<I", looped, name - BODY, name)  # the name's next is itself
    return between(chunk([bytes(looped)], 1000, struct.pack("<I", name) * 64))


@attack("loop of two names")
def _() -> bytes:
    body = bytearray(data_element("x")())
    one = BODY + 14 + 24 + 4 + 11
    two = one + 8 + 2 * len("Event") + 2 + 1 + 11
    struct.pack_into("<I", body, one - BODY, two)
    struct.pack_into("<I", body, two - BODY, one)
    return between(chunk([bytes(body)], 1000, struct.pack("<II", one, two) * 32))


@attack("loop in the template table")
def _() -> bytes:
    body = bytearray(data_element("x")())
    struct.pack_into("<I", body, 14, BODY + 14)  # the definition's next is itself
    return between(chunk([bytes(body)], 1000, bytes(256) + struct.pack("<I", BODY + 14) * 32))


one_record(
    "a template that holds itself",
    lambda: instance(lambda made: made.open("Event").add(again()[4:]).close()),
)


@attack("two templates that hold each other")
def _() -> bytes:
    second = BODY + 400

    def holding(other: int) -> Callable[[Binary], object]:
        return lambda made: made.open("Event").add(again(definition=other)[4:]).close()

    body = instance(holding(second))
    body += bytes(400 - 14 - len(body)) + instance(holding(BODY + 14), place=second - 14)
    return between(chunk([body], 1000))


# Multiplication.

for _levels, _branches in ((12, 4), (20, 4), (10, 50), (60, 2), (64, 64)):
    one_record(
        f"{_branches}^{_levels} outputs of nested instances",
        lambda levels=_levels, branches=_branches: multiplied(levels, branches),  # type: ignore[misc]
    )
for _levels, _branches in ((3, 2), (20, 4), (50, 10), (70, 2), (900, 1)):
    one_record(
        f"instances {_levels} deep with {_branches} values each",
        lambda levels=_levels, branches=_branches: nested(levels, branches),  # type: ignore[misc]
    )


@attack("records that all multiply")
def _() -> bytes:
    first = multiplied(3, 40)
    rest = again((0x21, struct.pack("<BBII", 0x0C, 1, 0, BODY + 14) + filled((0x21, b""))))
    many = (ROOM - len(first)) // (len(rest) + 36)
    return between(*[chunk([first, *[rest] * many], 1000 * place) for place in range(1, 9)])


def shown_often(kind: int, size: int, slots: int) -> bytes:
    def content(made: Binary) -> None:
        made.open("Event")
        for _ in range(slots):
            made.slot(0, kind)
        made.close()

    return instance(content, (kind, ("ab\0" * size).encode("utf-16-le")[:size]))


for _kind in (0x01, 0x0E, 0x81, 0x8D):
    one_record(
        f"a long value of type 0x{_kind:02x} shown 7000 times",
        lambda kind=_kind: shown_often(kind, 30_000, 7000),  # type: ignore[misc]
    )


@attack("records that all show a value often")
def _() -> bytes:
    first = shown_often(0x01, 100, 2000)
    rest = again((0x01, b"a\0" * 50))
    many = (ROOM - len(first)) // (len(rest) + 40)
    return between(*[chunk([first, *[rest] * many], 1000 * place) for place in range(1, 9)])


@attack("records that all are a template of thousands of literal elements")
def _() -> bytes:
    def content(made: Binary) -> None:
        made.open("Event").open("EventData")
        name = made.here + 1 + 2 + 4 + 4
        made.open("Data").close()
        for _ in range(2500):
            made.open(name).close()
        made.close(2)

    first = instance(content)
    rest = again()
    many = (ROOM - len(first)) // (len(rest) + 36)
    return between(*[chunk([first, *[rest] * many], 1000 * place) for place in range(1, 9)])


@attack("payloads of thousands of literal elements, the usual way")
def _() -> bytes:
    outer = Binary(BODY + 14 + 24)
    outer.open("Event", ("xmlns", "http://schemas.microsoft.com/win/2004/08/events/event")).open("System")
    outer.open("EventID").slot(0, 0x06).close(2).slot(1, 0x21).close().add(b"\0")
    inner_place = BODY + 14 + 24 + len(outer.data) + 4 + 8 + 2 + 10
    inner = Binary(inner_place + 24)
    inner.open("EventData")
    name = inner.here + 11
    inner.open("Data").close()
    for _ in range(3000):
        inner.open(name).close()
    inner.close().add(b"\0")
    head = struct.pack("<BBII", 0x0C, 1, 0, inner_place)
    template = struct.pack("<I16sI", 0, bytes(16), len(inner.data)) + inner.data
    first = b"\x0f\x01\x01\x00" + struct.pack("<BBII", 0x0C, 1, 0, BODY + 14)
    first += struct.pack("<I16sI", 0, bytes(16), len(outer.data)) + outer.data
    first += filled((0x06, b"\x06\0"), (0x21, head + template + filled()))
    rest = again((0x06, b"\x06\0"), (0x21, head + filled()))
    many = (ROOM - len(first)) // (len(rest) + 40)
    return between(*[chunk([first, *[rest] * many], 1000 * place) for place in range(1, 9)])


# Names and namespaces.


def many_names(made: Binary, count: int, name_at: Callable[[int], int]) -> None:
    for index in range(count):
        made.open(name_at(index)).close()


@attack("thousands of names as long as the chunk")
def _() -> bytes:
    def content(made: Binary) -> None:
        made.open("Event")
        # Every 16 bits of a stretch of 0x2020 are the length of a name that begins 6 bytes before.
        many_names(made, 3000, lambda index: 42_000 + 2 * index)
        made.close()

    body = instance(content)
    body += b"\x20\x20" * ((ROOM - len(body)) // 2)
    return between(*[chunk([body], 1000 * place) for place in range(1, 9)])


@attack("thousands of elements in a namespace with a long name")
def _() -> bytes:
    def content(made: Binary) -> None:
        made.open("Event", ("xmlns", "n" * 14_000))
        name = made.here + 11
        made.open("Data").close()
        many_names(made, 2400, lambda _: name)
        made.close()

    body = instance(content)
    return between(*[chunk([body], 1000 * place) for place in range(1, 9)])


def deep_long_names(width: int) -> bytes:
    def content(made: Binary) -> None:
        made.open("Event").open("UserData").open("R" * 100)
        for _ in range(40):
            made.open("N" * 250)
        name = made.here + 11
        made.open("Data").close()
        many_names(made, width, lambda _: name)
        made.close(43)

    return instance(content)


one_record("thousands of values deep under long names", lambda: deep_long_names(2400))


def xmlns_flood() -> bytes:
    def content(made: Binary) -> None:
        made.open("Event", *((f"xmlns:{index}", "") for index in range(1700))).close()

    return instance(content)


@attack("records that all declare thousands of prefixes")
def _() -> bytes:
    first = xmlns_flood()
    rest = again()
    many = (ROOM - len(first)) // (len(rest) + 36)
    return between(chunk([first, *[rest] * many], 1000))


one_record(
    "thousands of attributes",
    lambda: instance(lambda made: made.open("Event", *((f"a{i}", "v") for i in range(1700))).close()),
)
one_record(
    "an attribute twice",
    lambda: instance(lambda made: made.open("Event", ("a", "1"), ("a", "2")).close()),
)
for _name, _text in {
    "markup in an element name": "a><evil/><a",
    "a quote in an element name": 'a x="1"',
    "a control character in a name": "a\x01",
    "half of a surrogate pair in a name": "a\ud800",
    "an embedded NUL in a name": "a\0b",
    "a closing brace in a name": "a}b{c",
}.items():
    one_record(
        _name,
        lambda text=_text: instance(  # type: ignore[misc]
            lambda made: event(made, lambda one: one.open(text, (text, text)).text("v").close())
        ),
    )
one_record(
    "a name of 65535 characters",
    lambda: instance(lambda made: made.add(b"\x01\xff\xff" + bytes(4)).name(BODY + 14 + 16)),
)

# Texts.

for _name, _text in {
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\ufffe\uffff",
    "half of a surrogate pair": "a\ud800b\udfff",
    "an embedded NUL": "before\0after",
    "markup": "]]></Data><Data>&amp;&evil;<!DOCTYPE a [<!ENTITY b 'c'>]>",
    "quotes": "\"'`",
    "a string that fills its chunk": "x" * 31_000,
}.items():
    one_record(f"a text with {_name}" if " of 6" not in _name else _name, data_element(_text))
one_record(
    "quotes and markup in an attribute",
    lambda: instance(
        lambda made: event(made, lambda one: one.open("Data", ("Name", "a\" b='<c>' d")).text("v").close())
    ),
)

# Values.

for _kind in range(0x81, 0x96):
    one_record(f"an array of type 0x{_kind:02x}", lambda kind=_kind: typed_body(kind, bytes(range(1, 49))))  # type: ignore[misc]
    one_record(
        f"an array of type 0x{_kind:02x} of odd size",
        lambda kind=_kind: typed_body(kind, bytes(range(1, 48))),  # type: ignore[misc]
    )
one_record("an array of 60000 items", lambda: typed_body(0x84, bytes(60_000)))
one_record("an array of 30000 empty strings", lambda: typed_body(0x81, bytes(60_000)))
one_record("an array of security identifiers without end", lambda: typed_body(0x93, b"\x01\0" * 30_000))
for _count in (5000, 0x10000, 0xFFFFFFFF):
    one_record(
        f"{_count} values",
        lambda count=_count: typed_body(0x01, b"")[:-8] + struct.pack("<I", count) + b"\xff" * 4000,  # type: ignore[misc]
    )
one_record(
    "values larger than the chunk",
    lambda: typed_body(0x01, b"")[:-8] + struct.pack("<I", 100) + b"\xff\xff\x01\0" * 100,
)
one_record("a slot of a value that is not there", lambda: typed_body(0x01, b"")[:-8] + bytes(4))
one_record(
    "a template larger than the chunk",
    lambda: again()[:14] + struct.pack("<I16sI", 0, bytes(16), 0xFFFFFFF0) + bytes(400),
)
one_record("a template beyond the chunk", lambda: again(definition=0xFFFFFFF0))

# Depth.

one_record(
    "elements thousands deep, without template",
    lambda: bytes(
        b"\x0f\x01\x01\x00" + b"".join([b"\x01" + bytes(4) + struct.pack("<I", 600) + b"\x02"] * 5000)
    ),
)
one_record(
    "elements hundreds deep in a template",
    lambda: instance(lambda made: [made.open("E") for _ in range(900)] and made.close(900)),
)
one_record("unknown tokens", lambda: b"\x0f\x01\x01\x00" + bytes(range(0x10, 0x40)) * 10)
one_record("fragments without end", lambda: b"\x0f\x01\x01\x00" * 15_000)
one_record("entities without end", lambda: b"\x0f\x01\x01\x00" + b"\x09\x58\x02\0\0" * 10_000)


# Memory of the decoder, from chunk to chunk.


@attack("new templates in every record, all of one GUID")
def _() -> bytes:
    def with_text(text: str) -> Callable[[Binary], object]:
        return lambda made: made.open("Event").text(text).close()

    chunks = []
    for place in range(1, 17):
        bodies: list[bytes] = []
        at = FIRST
        while at < CHUNK_SIZE - 400:
            bodies.append(instance(with_text(f"{place:04}{len(bodies):04}"), place=at + 24))
            at += (24 + len(bodies[-1]) + 4 + 7) // 8 * 8
        chunks.append(chunk(bodies, 1000 * place))
    return between(*chunks)


@attack("definitions over one another")
def _() -> bytes:
    bodies = [b"\x0f\x01\x01\x00" + b"\x0d\x40\0\0" * 9_000]  # each a slot, and the size of a definition
    bodies += [again(definition=BODY + 4 + 4 * place, key=b"\x0d\x40\0\0") for place in range(600)]
    return between(*[chunk(bodies, 1000 * place) for place in range(1, 5)])


@attack("templates as large as a chunk, all different")
def _() -> bytes:
    def content(number: int) -> Callable[[Binary], object]:
        def add(made: Binary) -> None:
            made.open("Event").text(f"{number:04}")
            for index in range(7900):
                made.slot(index % 4000, 0x01)
            made.close()

        return add

    return between(*[chunk([instance(content(place))], 1000 * place) for place in range(1, 97)])


def system_event(made: Binary, *, channel: bool = False) -> None:
    made.open("Event", ("xmlns", "http://schemas.microsoft.com/win/2004/08/events/event")).open("System")
    made.open("EventID").slot(0, 0x06).close()
    made.open("Channel").slot(1, 0x01).close(2).slot(2, 0x21).close()


@attack("a new shape of values in every record, in many templates")
def _() -> bytes:
    chunks = []
    size = 0
    for place in range(1, 65):
        guid = struct.pack("<I", place) + bytes(12)
        bodies = [instance(system_event, (6, b"\x06\0"), (1, b""), (0, b""), guid=guid)]
        used = FIRST + len(bodies[0]) + 40
        while True:
            size = (size + 2) % 120
            extra = [(0, bytes(len(bodies) % 50))] * (1 + len(bodies) // 50)
            body = again((6, b"\x06\0"), (1, bytes(size)), (0, b""), *extra, key=guid[:4])
            used += len(body) + 40
            if used > CHUNK_SIZE:
                break
            bodies.append(body)
        chunks.append(chunk(bodies, 10_000 * place))
    return between(*chunks)


@attack("a new long channel in every record")
def _() -> bytes:
    chunks = []
    for place in range(1, 513):
        text = f"{place:06}".encode("utf-16-le") + b"c\0" * 31_000
        chunks.append(chunk([instance(system_event, (6, b"\x06\0"), (1, text), (0, b""))], 1000 * place))
    return between(*chunks)


# The container.


@attack("record sizes of all kinds")
def _() -> bytes:
    made = bytearray(_good(1000))
    place = FIRST
    for size in (0, 1, 23, 24, 0x7FFFFFFF, 0xFFFFFFFF, 0x10000):
        length = struct.unpack_from("<I", made, place + 4)[0]
        struct.pack_into("<I", made, place + 4, size)
        place += length
    return between(bytes(made))


@attack("a chunk full of record marks")
def _() -> bytes:
    made = bytearray(_good(1000))
    made[FIRST:] = (b"**\0\0" * CHUNK_SIZE)[: CHUNK_SIZE - FIRST]
    return between(bytes(made))


@attack("a chunk full of records in one another")
def _() -> bytes:
    made = bytearray(_good(1000))
    for place in range(FIRST, CHUNK_SIZE - 40, 32):
        struct.pack_into("<4sIQQ", made, place, b"**\0\0", 32, 1000, 1)
        struct.pack_into("<I", made, place + 28, 32)
    return between(bytes(made))


@attack("a chunk full of chunk marks")
def _() -> bytes:
    return between(*[b"ElfChnk\0" * (CHUNK_SIZE // 8)] * 16)


@attack("chunks that claim all record numbers there are")
def _() -> bytes:
    made = bytearray(_good(1000))
    struct.pack_into("<QQQQ", made, 8, 0, (1 << 64) - 1, 0, (1 << 64) - 1)
    struct.pack_into("<I", made, 124, zlib.crc32(made[128:512], zlib.crc32(made[:120])))
    return between(bytes(made), bytes(CHUNK_SIZE), bytes(made))


@attack("a truncated last chunk")
def _() -> bytes:
    return between() + _good(5000)[:9_000]


@attack("one record without template in a big log")
def _() -> bytes:
    bare = Binary(BODY)
    bare.open("Event", raw=True).open("EventData", raw=True).text("x").close(2)
    return between(*[_good(1000)] * 200, chunk([bytes(bare.data)], 9000))


@attack("marks of chunks over chunks, carved", carve=True)
def _() -> bytes:
    made = bytearray(FIRST)
    made[:8] = b"ElfChnk\0"
    record = struct.pack("<4sIQQ", b"**\0\0", 128, 7, 1) + bytes(100) + struct.pack("<I", 128)
    return _good(1) + (bytes(made) + record) * 1600 + _good(1 << 30)


@attack("intact empty chunks over chunks, carved", carve=True)
def _() -> bytes:
    empty = chunk([])[:FIRST]
    return _good(1) + (empty + multiplied(10, 4)[:128]) * 1600 + _good(1 << 30)


ATTACKS |= {name: (lambda make=make: Attack(make())) for name, make in TEXTS.items()}  # type: ignore[misc]
ATTACKS |= {
    name: (lambda make=make: Attack(make(), refused=True))  # type: ignore[misc]
    for name, make in REFUSED.items()
}


# ------------------------------------------------------------------ reading them


class Result(NamedTuple):
    """What reading an attack took, and what came of it; `ended` is "" where it ended as it should."""

    name: str
    seconds: float
    megabytes: int
    size: int
    good: int
    delivered: int
    lost: int
    ended: str


def _read(name: str, attack: Attack, path: str) -> Result:
    import hvdegraded as hv

    before = resource.getrusage(resource.RUSAGE_SELF)
    stream = hv.read_records(path, carve=attack.carve)
    good = delivered = 0
    try:
        for record in stream:
            delivered += 1
            good += record.provider == "Microsoft-Windows-Hyper-V-VMMS" and not (
                1000 <= (record.record_id or 0) < 1 << 30
            )
        ended = "it was not refused" if attack.refused else ""
    except hv.HvdegradedError as error:
        ended = "" if attack.refused else f"{type(error).__name__}: {error}"[:200]
        good = 2 * GOOD if attack.refused else good
    report = stream.report
    after = resource.getrusage(resource.RUSAGE_SELF)
    if (
        report.records_seen != report.delivered + report.filtered + report.lost
        or report.delivered != delivered
    ):
        ended = "the account does not balance"
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = after.ru_maxrss // 1024
    size = os.path.getsize(path)
    return Result(name, round(seconds, 2), peak, size, good, report.delivered, report.lost, ended)


def _in_child(job: Callable[[], str]) -> str:
    """What a job gives in a forked child with a limit of CPU time; a text without `{` where it died."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT, CPU_LIMIT))
            os.write(writing, job().encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        text = stream.read().decode()
    _, status = os.waitpid(child, 0)
    return text or f"ended with status {status}"


def run(names: Iterable[str]) -> Iterator[Result]:
    """Make and read attacks, each in children of its own: peak memory is that of reading."""
    import hvdegraded as hv

    list(hv.read_records(between()))  # imports and tables, once for all children
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "attack")

        def make(name: str) -> str:
            made = ATTACKS[name]()
            with open(path, "wb") as file:
                file.write(made.data)
            return json.dumps([made.carve, made.refused])

        for name in names:
            options = _in_child(lambda name=name: make(name))  # type: ignore[misc]
            attack = Attack(b"", *json.loads(options))
            text = _in_child(lambda name=name, attack=attack: json.dumps(_read(name, attack, path)))  # type: ignore[misc]
            if text.startswith("["):
                yield Result(*json.loads(text))
            else:
                yield Result(name, 0, 0, 0, 0, 0, 0, text)


def main(names: list[str], *, as_json: bool) -> None:
    for result in run(names or ATTACKS):
        if as_json:
            print(json.dumps(result), flush=True)
        else:
            print(
                f"{result.seconds:6.2f} s {result.megabytes:5} MB {result.size / 1e6:7.2f} MB read"
                f" {result.good:3} good {result.delivered:6} delivered {result.lost:6} lost"
                f"  {result.name}  {result.ended}",
                flush=True,
            )


if __name__ == "__main__":
    main([name for name in sys.argv[1:] if name != "--json"], as_json="--json" in sys.argv)
