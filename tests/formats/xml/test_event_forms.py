"""Events that differ in their times and numbers alone give the records that each gives in a log of its own."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from hvdegraded.formats.xml.reader import read_xml
from hvdegraded.records.items import Loss
from hvdegraded.records.record import EventRecord

EVENT = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='storvsp'/>"
    "<EventID Qualifiers='32772'>6</EventID><Level>3</Level><TimeCreated SystemTime='2026-09-01T02:00:13.17Z'/>"
    "<EventRecordID>17</EventRecordID><Correlation/><Execution ProcessID='4312' ThreadID='4976'/>"
    "<Channel>System</Channel><Computer>hv1</Computer></System><EventData><Data>web01</Data><Data>6.0</Data>"
    "</EventData></Event>"
)
WITHOUT_EXECUTION = EVENT.replace("<Correlation/><Execution ProcessID='4312' ThreadID='4976'/>", "")
PRETTY = EVENT.replace("><", ">\n  <").replace("'/>", "'></TimeCreated>", 3).replace(
    "storvsp'></TimeCreated>", "storvsp'/>"
)  # fmt: skip
IN_COMMENT = EVENT.replace(
    "<System>", "<!--SystemTime='2026-09-01T02:00:13Z'/><EventRecordID>17</EventRecordID>--><System>"
)
IN_PAYLOAD = EVENT.replace("<TimeCreated SystemTime='2026-09-01T02:00:13.17Z'/>", "").replace(
    "<EventRecordID>17</EventRecordID>", ""
).replace("<Data>6.0", "<X SystemTime='2026-09-01T02:00:13.17Z'/><EventRecordID>17</EventRecordID><Data>6.0")  # fmt: skip
TWICE = EVENT.replace("<Channel>", "<TimeCreated SystemTime='2026-09-01T02:00:14Z'/><Channel>")
EVENTS = [EVENT, EVENT, WITHOUT_EXECUTION, PRETTY, IN_COMMENT, IN_PAYLOAD, TWICE]

NUMBER = re.compile(r"(?<=[>'])\d+(?=[<'])")
TIME = re.compile(r"2026-[^']*")


def replaced(pattern: re.Pattern[str], text: str, at: int, new: str) -> str:
    found = list(pattern.finditer(text))
    one = found[at % len(found)]
    return text[: one.start()] + new + text[one.end() :]


VALUES = [
    *((NUMBER, new) for new in ("0", "18", "300", "007", "4294967295", "999999999999999999", "18446744073709551616")),
    *((NUMBER, new) for new in ("", "x", "0x11", "-1", "<a/>", "\x01")),
    *((TIME, new) for new in ("2026-09-01T02:00:14.17Z", "2026-07-01T02:00:13.1756Z", "2026-09-01T02:00:60.17Z")),
    *((TIME, new) for new in ("0001-01-01T00:00:00.00Z", "2026-09-01T02:00:13.17", "1800000000", "2026-13-01T02:00:13.17Z")),
]  # fmt: skip
CHANGES: list[Callable[[str, int], str]] = [
    *(lambda text, at, pair=pair: replaced(pair[0], text, at, pair[1]) for pair in VALUES),
    lambda text, at: text.replace("</Event>", "", 1),
    lambda text, at: text.replace("hv1", f"hv{at % 3}"),
    lambda text, at: text.replace("'storvsp'", '"disk"'),
]  # fmt: skip

events = st.builds(
    lambda event, number, change, at: change(event.replace(">17<", f">{number}<"), at),
    st.sampled_from(EVENTS),
    st.integers(10, 40),
    st.just(lambda text, _: text) | st.sampled_from(CHANGES),
    st.integers(0, 20),
)


def read(text: str) -> list[EventRecord | str]:
    """The records, without their places, and the reasons of losses."""
    items = list(read_xml(io.BytesIO(text.encode())))
    return [
        item._replace(origin=item.origin._replace(offset=None, line=None))
        if isinstance(item, EventRecord)
        else f"{item.reason} {item.detail}"
        for item in items
        if isinstance(item, (EventRecord, Loss))
    ]


@given(st.lists(events, min_size=4, max_size=24))
@settings(deadline=None, max_examples=60)
def test_a_remembered_event_is_as_one_read_alone(texts: list[str]) -> None:
    """A cut event is lost with what follows: it stands last."""
    whole = [text for text in texts if text.endswith("</Event>")]
    assert read("\n".join(whole)) == [record for text in whole for record in read(text)]


def test_values_of_a_remembered_event_are_its_own() -> None:
    texts = [
        EVENT.replace(">17<", f">{number}<").replace("13.17", f"13.{number}").replace("4976", str(number))
        for number in range(20, 40)
    ]
    records = [record for record in read("\n".join(texts)) if isinstance(record, EventRecord)]
    assert [(record.record_id, record.thread_id) for record in records] == [(n, n) for n in range(20, 40)]
    assert len({record.time_ticks for record in records}) == 20
