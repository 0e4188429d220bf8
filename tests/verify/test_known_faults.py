"""Which differences between readers are known, whose fault each is, and that all others are told."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import hvdegraded as hv
from hvdegraded.errors import HvdegradedError
from hvdegraded.formats.evtx.other_readers import witness_reader
from hvdegraded.reading.delivery import delivered
from hvdegraded.records.record import EventRecord, Field
from hvdegraded.records.report import ReadReport
from hvdegraded.verify import known_faults as known
from hvdegraded.verify.comparison import verify
from hvdegraded.verify.known_faults import differences
from tests.tools.corpus import CLEAN_LOGS, LOGS, needs_corpus
from tests.tools.sample_logs import FOLDER

# All kinds of differences that real logs show. In each the reader named is wrong (or writes XML in another
# way than Windows), as the bytes of the log tell.
OF_EVTX = {
    known.TIMES: "it keeps six decimals of the seven that the log holds",
    known.SPELLING: "no braces around GUIDs; CR LF as it stands, which XML reads as LF",
    known.EMPTY: "it prints an element whose optional value is NULL; Windows leaves it out",
    known.BOOLEAN: "the number that is stored, where Windows shows true",
    known.SECOND: "the second template instance of one value is not printed",
    known.HALVES: "half of a surrogate pair vanishes",
}
OF_LIBEVTX = {
    known.TIMES: "it prints nine decimals, two of them zeros",
    known.SPELLING: "hexadecimal digits padded to the type's size, GUIDs in lower case",
    known.EMPTY: "as evtx",
    known.SECOND: "as evtx",
    known.NEGATIVE: "other numbers for negative ones of 8 to 32 bits",
    known.POINTERS: "pointers are declared as 0x10 and stored as 0x15, which it prints as 0",
    known.MARKUP: "`<` of a text stands unescaped, and reads as an element",
}
OF_PYTHON_EVTX = {
    known.TIMES: "one or two microseconds off",
    known.SPELLING: "hexadecimal digits padded",
    known.ARRAY: "one text of `<string>` elements, mangled on bytes 00 and 0A",
    known.CONTROLS: "it drops what XML forbids",
    known.BASE64: "bytes as base64",
}


@pytest.mark.slow
@needs_corpus
@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_difference_on_a_real_log_is_a_known_one(path: Path) -> None:
    ours = list(hv.read_records(path))
    for engine, kinds in (("evtx", OF_EVTX), ("libevtx", OF_LIBEVTX)):
        pytest.importorskip("pyevtx" if engine == "libevtx" else engine)
        report = ReadReport()
        found: Counter[str | None] = Counter()
        with path.open("rb") as stream:
            theirs = {
                record.record_id: record
                for record in delivered(witness_reader(engine)(stream, None, None), report)
            }
        not_theirs = 0
        for record in sorted(ours, key=lambda one: bool(one.origin.anomalies)):
            other = theirs.pop(record.record_id, None)
            if other is None:  # a record that another one hid is marked, and no other reader gives it
                not_theirs += not record.origin.anomalies
            elif not record.origin.anomalies:
                found.update(one.known for one in differences(engine, record, other))
        assert set(found) <= set(kinds), engine
        assert not theirs, engine
        if path in CLEAN_LOGS:
            assert not_theirs <= report.lost, engine


def data(*fields: Field) -> EventRecord:
    return EventRecord("p", 1, 133782174832356205, data=fields)


@pytest.mark.parametrize(
    ("engine", "ours", "theirs", "fault"),
    [
        ("evtx", "2024-12-09T11:31:23.2356205Z", "2024-12-09T11:31:23.235620Z", known.TIMES),
        ("python-evtx", "2024-12-09T11:31:23.2356205Z", "2024-12-09 11:31:23.235618+00:00", known.TIMES),
        ("evtx", "2024-12-09T11:31:23.2356205Z", "2024-12-09T11:31:24.235620Z", None),
        ("libevtx", "0x3e7", "0x00000000000003E7", known.SPELLING),
        ("libevtx", "0x3e7", "0x00000000000003E8", None),
        (
            "evtx",
            "{5D9E9825-1973-4B27-9AF1-BA77940A4066}",
            "5d9e9825-1973-4b27-9af1-ba77940a4066",
            known.SPELLING,
        ),
        ("evtx", "a\r\nb", "a\nb", known.SPELLING),
        ("evtx", "a\0b", "a", known.AFTER_NUL),
        ("libevtx", "a\0b", "a", None),
        ("python-evtx", "a\x1bb", "ab", known.CONTROLS),
        ("evtx", "a\ufffdb", "ab", known.HALVES),
        ("evtx", "true", "16", known.BOOLEAN),
        ("python-evtx", "true", "16", None),
        ("libevtx", "-2147188641", "-295007", known.NEGATIVE),
        ("evtx", "-2147188641", "-295007", None),
        ("libevtx", "0x24c", "0x0", known.POINTERS),
        ("python-evtx", "00FF", "AP8=", known.BASE64),
        ("evtx", "\n ", "", known.EMPTY),
        ("evtx", "a", "", None),
        ("evtx", "", "a", None),
        ("evtx", "a", "b", None),
    ],
)
def test_what_explains_a_value(engine: str, ours: str, theirs: str, fault: str | None) -> None:
    (one,) = differences(engine, data(("n", ours)), data(("n", theirs)))
    assert (one.field, one.name, one.known) == ("data", "n", fault)


@pytest.mark.parametrize(
    ("engine", "ours", "theirs", "fault"),
    [
        ("evtx", [("a", "1")], [("a", "1"), (None, "")], known.EMPTY),
        ("evtx", [("a", "1")], [("b", "1")], None),
        ("evtx", [("a", "1"), ("b", "2")], [("a", "1")], None),
        ("python-evtx", [(None, ""), (None, "x")], [(None, "x"), (None, "")], known.ARRAY),
        ("evtx", [(None, "x"), (None, "y")], [(None, "y"), (None, "x")], None),
        ("libevtx", [("a", "<b>1</b>")], [("a/b", "1")], known.MARKUP),
    ],
)
def test_what_explains_other_values(
    engine: str, ours: list[Field], theirs: list[Field], fault: str | None
) -> None:
    assert {one.known for one in differences(engine, data(*ours), data(*theirs))} == {fault}


def test_fields_of_system_are_compared_too() -> None:
    ours = data()._replace(level=3, rendering=(("Message", "m"),))
    theirs = data()._replace(level=None, time_ticks=133782174832356200, provider="q")
    found = {one.field: one.known for one in differences("evtx", ours, theirs)}
    assert found == {
        "provider": None,
        "level": None,
        "time_ticks": known.TIMES,
        "rendering": known.SECOND,
    }


def test_only_event_logs_can_be_verified(tmp_path: Path) -> None:
    for path in (FOLDER / "exports" / "winlogbeat.jsonl", tmp_path / "no.evtx", tmp_path):
        with pytest.raises(HvdegradedError):
            verify(path, [])


def test_python_evtx_on_a_sample_log() -> None:
    found = verify(FOLDER / "hv2012r2" / "Microsoft-Windows-Hyper-V-VMMS-Admin.evtx", ["python-evtx"])
    assert found.agreed
    assert found.report.delivered == found.witnesses[0].delivered == 8
    assert {kind for _, _, kind in found.counts} <= set(OF_PYTHON_EVTX)
