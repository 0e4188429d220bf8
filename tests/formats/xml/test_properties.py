"""Properties of the XML reader: what was written is read exactly, damage spares what is intact."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from hypothesis import assume, given
from hypothesis import strategies as st

from hvdegraded.errors import (
    HvdegradedError,
    SourceError,
)
from hvdegraded.formats.xml.reader import parse_event
from hvdegraded.records.record import EventRecord, ProviderFilter
from tests.tools.xml_events import HYPER_V, NAMESPACE, THREE, event, names, read

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
def test_any_bytes_end_in_our_error_or_a_balanced_report(
    data: bytes, encoding: str, block_size: int, wanted: ProviderFilter | None
) -> None:
    if encoding:
        data = data.decode("latin-1").encode(encoding)
    outcomes: list[object] = []
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
def test_damage_to_one_event_spares_the_others(data: bytes) -> None:
    assume(b"<!" not in data and b"<?" not in data)
    records, report = read(data)
    intact = {n for n in (1, 2, 3) if event(n).encode() in data}
    assert intact <= {record.event_id for record in records}
    assert report.records_seen >= 3 - (not report.complete)
