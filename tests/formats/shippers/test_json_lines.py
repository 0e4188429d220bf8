"""JSON lines and documents in any encoding: what is an event is a record, the rest passes or is a loss."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.errors import HvdegradedError, UnknownFormatError
from hvdegraded.formats.shippers.line_prefilter import candidate_lines, line_may_hold
from hvdegraded.records.record import ProviderFilter
from hvdegraded.tabular.json_keys import decoded
from tests.tools.shipped_lines import HYPER_V, VMMS, lines

SHIPPED = json.dumps({"winlog": {"provider_name": VMMS, "event_id": "1", "event_data": {"a": "b"}}})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_in_any_encoding(encoding: str, end: str) -> None:
    records, report = lines((SHIPPED + end + end + SHIPPED + end).encode(encoding))
    assert len(records) == 2
    assert report.lost == 0


def test_one_array_or_one_document_over_many_lines() -> None:
    many = [json.loads(SHIPPED)] * 3
    for text in (
        json.dumps(many),
        json.dumps(many, indent=1),
        "\n".join(json.dumps(one, indent=1) for one in many),
    ):
        assert len(lines(text.encode())[0]) == 3


def test_a_document_in_utf_16() -> None:
    """As Windows PowerShell 5.1 writes `… | ConvertTo-Json > file`."""
    text = json.dumps([json.loads(SHIPPED)] * 3, indent=4).replace("\n", "\r\n")
    records, report = lines(text.encode("utf-16"))
    assert (len(records), report.lost) == (3, 0)


def test_an_array_with_an_event_on_each_line_is_read_line_by_line() -> None:
    longest = 3 * len(SHIPPED)
    for text in ("[\n" + ",\n".join([SHIPPED] * 50) + "\n]\n", f"[\r\n{SHIPPED}\r\n]"):
        records, report = lines(text.encode(), longest=longest)
        assert len(records) == text.count(SHIPPED)
        assert report.lost == 0
        assert len(lines(text.encode(), HYPER_V, longest=longest)[0]) == len(records)


def test_a_first_line_that_was_cut_costs_itself_only() -> None:
    records, report = lines(f"{SHIPPED[:30]}\n{SHIPPED}\n{SHIPPED}\n".encode())
    assert len(records) == 2
    assert [(loss.line, loss.offset) for loss in report.losses] == [(1, 0)]
    with pytest.raises(UnknownFormatError):
        lines(SHIPPED[:30].encode())


@pytest.mark.parametrize("shape", ["{}", "[\n{}\n]", '{{"a":\n{}\n}}\n'])
def test_keys_that_stand_twice_are_a_doubt(shape: str) -> None:
    twice = '{"winlog": {"provider_name": "x", "event_id": "1", "event_data": {"a": "b", "a": "c"}}}'
    text = shape.format(twice).replace('"a":\n', '"payload":\n')
    (record,), report = lines(text.encode())
    assert "twice" in record.origin.anomalies[0]
    assert not lines(text.replace('"a": "c"', '"d": "c"').encode())[0][0].origin.anomalies
    assert report.with_anomalies == 1


def test_keys_that_stand_twice_in_a_long_value() -> None:
    start = json.dumps({"winlog": {"event_data": {'a"\\': "b:", "": {"x": [1, "y", '":']}}}})[:-1]
    for name, doubtful in (("b", False), ("winlog", True)):
        _, doubts = decoded(f'{start}, "{name}": "{"x" * (1 << 21)}"}}')
        assert bool(doubts) is doubtful


def test_a_doubt_in_an_array_is_that_of_its_element() -> None:
    twice = SHIPPED.replace('"a"', '"a": "x", "a"')
    records, _ = lines(f"[{SHIPPED},{twice}, {SHIPPED}]\n[{SHIPPED}]\n".encode())
    assert [bool(record.origin.anomalies) for record in records] == [False, True, False, False]
    assert [record.origin.line for record in records] == [1, 1, 1, 2]


def test_many_documents_on_several_lines_each() -> None:
    text = "\n".join([json.dumps(json.loads(SHIPPED), indent=1)] * 3000)
    records, _ = lines(text.encode())
    assert [record.origin.line for record in records[:3]] == [1, 10, 19]
    assert len(records) == 3000


def test_offsets_count_what_was_passed_over() -> None:
    data = f"\ufeff{SHIPPED}\n".encode() + b"{" + b" " * 5000 + b"}\n" + f"{SHIPPED}\n".encode()
    records, report = lines(data, longest=1000)
    assert [record.origin.offset for record in records] == [0, data.rindex(b'{"winlog')]
    assert [record.origin.line for record in records] == [1, 3]
    assert report.lost == 1


def test_bad_lines_are_counted_and_the_rest_is_read() -> None:
    records, report = lines(f"{SHIPPED}\n{{oops\n[1]\n{SHIPPED}\n".encode())
    assert len(records) == 2
    assert report.lost == 2
    assert [loss.line for loss in report.losses] == [2, 3]


def test_an_unknown_form_that_names_a_wanted_provider_is_a_loss() -> None:
    unknown = {"a": {"prov": "Microsoft-Windows-Hyper-V-Worker", "n": 18590}}
    for text in (json.dumps(unknown), json.dumps([unknown])):
        _, report = lines(text.encode() + b"\n", HYPER_V)
        assert (report.lost, report.filtered) == (1, 0)
    _, report = lines(b'{"a": "nothing of the kind"}\n', HYPER_V)
    assert (report.lost, report.filtered) == (0, 1)


@pytest.mark.parametrize("key", ["records", "logEvents"])
def test_a_part_of_a_batch_that_is_no_event_is_counted(key: str) -> None:
    event = json.loads(SHIPPED)
    batch = {key: [event, {"oops": VMMS}, f"oops {VMMS}", {"other": 1}, event]}
    records, report = lines(json.dumps(batch).encode() + b"\n", HYPER_V)
    assert len(records) == report.delivered == 2
    assert (report.lost, report.filtered) == (2, 1)


@pytest.mark.slow
def test_a_long_batch_is_read_to_its_end() -> None:
    event = {"winlog": {"provider_name": "storvsp", "event_id": 6}}
    records, report = lines(json.dumps({"records": [event] * 70_000}).encode() + b"\n")
    assert len(records) == report.records_seen == 70_000


def test_a_line_that_is_too_long_is_a_loss() -> None:
    records, report = lines(f"{SHIPPED}\n{{{' ' * 5000}}}\n{SHIPPED}\n".encode(), longest=1000)
    assert len(records) == 2
    assert report.lost == 1


@pytest.mark.parametrize("provider", [VMMS, VMMS.upper(), "storvsp", "StorVSP", "VMSMP", "vmbusr"])
def test_the_byte_test_passes_over_no_wanted_line(provider: str) -> None:
    may_hold = line_may_hold(HYPER_V)
    plain = json.dumps({"winlog": {"provider_name": provider}})
    escaped = plain.replace(provider[3], f"\\u{ord(provider[3]):04x}")
    assert may_hold(plain.encode())
    assert may_hold(escaped.encode())
    assert not may_hold(b'{"winlog": {"provider_name": "Disk"}}')


@given(
    st.lists(
        st.lists(
            st.sampled_from([b"x", b"Hyper-V", b"hyper-", b"STORVSP", b"stvs", b"hyv", b"\\u0056", b"\\u0020", b"&#86;", b"\\u0026#x56;", b"#", b"\r"])
        ).map(b"".join),
        max_size=8,
    ),
    st.sampled_from([b"", b"\n"]),
    st.sampled_from([HYPER_V, ProviderFilter(frozenset({"größe"})), ProviderFilter(frozenset({"xx"}))]),
)  # fmt: skip
def test_the_byte_test_of_a_block_is_that_of_its_lines(
    lines: list[bytes], end: bytes, wanted: ProviderFilter
) -> None:
    block = b"\n".join(lines) + end
    may_hold = line_may_hold(wanted)
    candidates = candidate_lines(wanted)(block)
    found = [(at, block[start:stop]) for at, start, stop in candidates.places if may_hold(block[start:stop])]
    expected = list(io.BytesIO(block))
    assert found == [(at, line) for at, line in enumerate(expected) if may_hold(line)]
    assert candidates.lines == len(expected)


NAMES = sorted(HYPER_V.names | {f"{prefix}a" for prefix in HYPER_V.prefixes})
SPELLINGS = (
    *(lambda one: one, str.upper),
    *(lambda one: f"\\u{ord(one):04x}", lambda one: f"\\u{ord(one.upper()):04X}"),
    *(lambda one: f"&#{ord(one)};", lambda one: f"\\u0026#x{ord(one):x};"),
    *(lambda one: f"&\\u0023{ord(one)};", lambda one: f"\\u0026\\u0023x{ord(one):X}\\u003b"),
    lambda one: f"\\\\u{ord(one):04x}",  # in JSON within JSON
)


@given(
    st.sampled_from(NAMES).flatmap(
        lambda name: st.tuples(*(st.tuples(st.just(one), st.sampled_from(SPELLINGS)) for one in name))
    ),
    st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=6),
    st.integers(0, 6),
)
def test_no_spelling_of_a_name_hides_a_line(
    spelled: tuple[tuple[str, Callable[[str], str]], ...], lines: list[bytes], at: int
) -> None:
    line = b'{"p": "%s"}' % "".join(spell(one) for one, spell in spelled).encode()
    block = b"\n".join([*lines[:at], line, *lines[at:]])
    assert line in [
        block[start:end].rstrip(b"\n") for _, start, end in candidate_lines(HYPER_V)(block).places
    ]
    assert line_may_hold(HYPER_V)(line)


@pytest.mark.parametrize("name", NAMES)
def test_one_escaped_character_does_not_hide_a_line(name: str) -> None:
    may_hold = line_may_hold(HYPER_V)
    for spell in SPELLINGS:
        for at, one in enumerate(name):
            assert may_hold(f"{name[:at]}{spell(one)}{name[at + 1 :]}".encode()), (spell(one), at)


@given(st.binary(max_size=200), st.sampled_from([None, HYPER_V]))
def test_any_bytes_end_in_our_error_or_a_balanced_report(data: bytes, wanted: ProviderFilter | None) -> None:
    with contextlib.suppress(HvdegradedError):
        lines(data, wanted)


def test_json_nested_without_end_is_a_loss() -> None:
    records, report = lines(SHIPPED.encode() + b"\n" + b'{"a":' * 100_000 + b"\n")
    assert (len(records), report.lost) == (1, 1)


@pytest.mark.parametrize(
    "values",
    [
        {"data": [[1, "x"]]}, {"data": [[["a"], "x"]]}, {"data": [["a", None]]}, {"data": [["a", ["b"]]]},
        {"extra": [[True, "x"]]}, {"rendering": [[{}, "x"]]}, {"data": [["a"]]}, {"data": 5},
    ],
)  # fmt: skip
def test_a_record_of_ours_in_another_shape_is_a_loss(values: dict[str, object]) -> None:
    """As someone wrote it by hand: names that are not texts ended the reading."""
    plain = {"provider": VMMS, "event_id": 1, "time_ticks": 1, "data": [["VmName", "web01"]]}
    records, report = lines("\n".join(json.dumps(one) for one in (plain, plain | values, plain)).encode())
    assert [record.get("VmName") for record in records] == ["web01", "web01"]
    assert report.lost == 1
