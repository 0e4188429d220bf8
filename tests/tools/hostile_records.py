"""Attacks by records: loops, multiplication, names, texts, values, depth."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.tools.crafted import (
    BODY,
    Binary,
    again,
    chunk,
    event,
    filled,
    instance,
    typed_body,
)
from tests.tools.hostile_logs import (
    ROOM,
    attack,
    between,
    data_element,
    multiplied,
    nested,
    one_record,
)


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
