"""No input that names a Hyper-V provider and an event id vanishes: it gives an event, or is accounted for."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hvdegraded as hv
from hvdegraded.cli.main import main
from hvdegraded.errors import SourceError
from tests.tools.sample_logs import FOLDER

PROVIDERS = st.sampled_from(
    ["Microsoft-Windows-Hyper-V-Worker", "Microsoft-Windows-Hyper-V-VMMS", "storvsp", "Hyper-V-VmSwitch",
     "Microsoft-Windows-Hyper-V-Integration"]
)  # fmt: skip
IDS = st.sampled_from([5, 6, 4010, 12030, 14070, 18590])
WORDS = st.text("abcdefghijklm ", min_size=1, max_size=8)
PROVIDER_KEYS = (
    st.sampled_from(["ProviderName", "Source", "provider", "SourceName", "event_source", "src"]) | WORDS
)
ID_KEYS = st.sampled_from(["EventID", "Id", "event_id", "EventCode", "code", "Event ID"]) | WORDS
FILLING = st.dictionaries(WORDS.map("x{}".format), st.none() | st.integers() | WORDS, max_size=3)
XML = (
    '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="{}"/>'
    '<EventID>{}</EventID><Level>2</Level><TimeCreated SystemTime="2023-06-21T08:37:21.3000364Z"/>'
    "<EventRecordID>22</EventRecordID><Channel>c</Channel><Computer>h</Computer></System><UserData>"
    "<VmlEventLog><VmName>web02</VmName></VmlEventLog></UserData></Event>"
)


@st.composite
def objects(draw: st.DrawFn) -> str:
    """JSON of any nesting: objects, arrays, and JSON as text in JSON."""
    value: Any = draw(FILLING) | {draw(PROVIDER_KEYS): draw(PROVIDERS)}
    value |= {f"{draw(ID_KEYS)}": draw(IDS)} if draw(st.booleans()) else {"EventID": str(draw(IDS))}
    if not any(
        isinstance(one, str) and one.lower().startswith(("micro", "storv", "hyper")) for one in value.values()
    ):
        value["provider"] = "storvsp"  # the id took the key of the provider
    for _ in range(draw(st.integers(0, 4))):
        wrap = draw(st.sampled_from(["object", "array", "text"]))
        inner = json.dumps(value) if wrap == "text" else value
        value = [value] if wrap == "array" else draw(FILLING) | {draw(WORDS): inner}
    return json.dumps(value, indent=draw(st.sampled_from([None, 2])))


@st.composite
def texts(draw: st.DrawFn) -> str:
    words = draw(st.permutations([draw(PROVIDERS), str(draw(IDS)), *draw(st.lists(WORDS, max_size=6))]))
    return draw(st.sampled_from([" ", "\n", ": ", "\t", ", ", " | ", "="])).join(words)


@st.composite
def tables(draw: st.DrawFn) -> str:
    header = [draw(PROVIDER_KEYS), draw(ID_KEYS), *draw(st.lists(WORDS, max_size=3))]
    row = [draw(PROVIDERS), str(draw(IDS)), *("x" for _ in header[2:])][
        : len(header) + draw(st.integers(-1, 1))
    ]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=draw(st.sampled_from(",;\t|")))
    writer.writerows([header, row] if draw(st.booleans()) else [row])
    return out.getvalue()


@st.composite
def lines(draw: st.DrawFn) -> str:
    prefixes = [
        "<13>Apr 22 20:30:25 hv1 ",
        "<14>1 2017-04-22T20:30:25Z hv1 app 1 - - ",
        "Apr 22 20:30:25 hv1 x: ",
        "",
    ]
    forms = [
        "{} {} failed",
        "EventLog: {}: {}: x",
        "{}[{}]: x",
        "source={} id={} msg=x",
        "|{}|{}|",
        "CEF:0|a|b|c|{}:{}|x|9|",
    ]
    line = draw(st.sampled_from(forms)).format(draw(PROVIDERS), draw(IDS))
    return draw(st.sampled_from(prefixes)) + line + draw(st.sampled_from(["", "\n", "\r\n"]))


@st.composite
def broken_xml(draw: st.DrawFn) -> str:
    """An event broken anywhere behind its id."""
    whole = XML.format(draw(PROVIDERS), draw(IDS))
    place = draw(st.integers(whole.index("</EventID>"), len(whole)))
    how = draw(st.sampled_from(["cut", "lost", "added"]))
    if how == "cut":
        return whole[:place]
    if how == "lost":
        return whole[:place] + whole[place + draw(st.integers(1, 30)) :]
    return whole[:place] + draw(st.sampled_from(["<", ">", "&", '"', "\0", "</System>"])) + whole[place:]


INPUTS = objects() | texts() | tables() | lines() | broken_xml()


@given(
    INPUTS,
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from([".json", ".csv", ".xml", ".txt"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_names_a_provider_and_an_id_is_an_event_or_accounted_for(
    tmp_path: Path, text: str, encoding: str, suffix: str
) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(text.encode(encoding))
    good = FOLDER / "hv2022" / "Microsoft-Windows-Hyper-V-VMMS-Admin.evtx"
    part = hv.triage([good, path], min_level="verbose").report.parts[1]
    assert part.delivered or part.lost or part.unreadable, text
    try:
        alone = hv.triage(path, min_level="verbose")
    except SourceError:
        return
    assert alone.count or alone.document.emptiness is not None, text


@given(INPUTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
def test_no_such_input_ends_in_no_event_and_exit_code_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = tmp_path / "x.txt"
    path.write_text(text, encoding="utf-8", newline="")
    code = main(["triage", str(path), "--min-level", "verbose", "--quiet"])
    out = capsys.readouterr().out
    assert code != 0 or not out.startswith("0 events")


@pytest.mark.parametrize(
    "document",
    [
        {"took": 3, "hits": {"total": 1, "hits": [{"_index": "x", "_source": "EVENT"}]}},
        {"value": ["EVENT"], "Count": 1},
        {"results": ["EVENT", "EVENT"], "fields": ["a"]},
        {"tables": [{"rows": [{"raw": "TEXT"}]}]},
        [["EVENT"]],
        {"events": "LIST"},
    ],
)
def test_events_deep_in_a_document_are_found(document: Any) -> None:
    """As search interfaces export their hits: Elasticsearch, OData, Splunk, Azure, and JSON as text in JSON."""
    event = {
        "ProviderName": "storvsp",
        "EventID": 5,
        "EventRecordID": 7,
        "Channel": "System",
        "Computer": "hv1",
    }
    text = json.dumps(document)
    text = text.replace('"EVENT"', json.dumps(event)).replace('"TEXT"', json.dumps(json.dumps(event)))
    text = text.replace('"LIST"', json.dumps(json.dumps([event])))
    records = list(hv.read_records(text))
    assert records
    assert {(one.provider, one.event_id, one.record_id) for one in records} == {("storvsp", 5, 7)}


def test_parts_of_an_object_that_contradicts_itself_are_not_read() -> None:
    stream = hv.read_records(
        '{"provider": "storvsp", "inner": {"ProviderName": "vmbus", "EventID": 5, "Message": "x"}}'
    )
    assert list(stream) == []
    assert stream.report.lost == 1
