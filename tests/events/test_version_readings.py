"""Version events that differ in their VM alone are read once, and each as if it were alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.events.normaliser import Normaliser
from hvdegraded.guids import normalise_guid, vm_id_from_sid
from hvdegraded.records.record import EventRecord
from tests.benchmarks.inputs import hyper_v

GUIDS = ("9FC171E7-B2C6-4BD2-9FF0-253209B2A69D", "E3E70682-C209-4CAC-629F-6FBED82C07CD")
ACCOUNT = "S-1-5-83-1-2680254951-1272099526-841347231-2644947465"  # of the VM of the first
VERSION_EVENTS = list(
    {
        (record.provider, record.event_id): record
        for record in hyper_v(1100)
        if getattr(Normaliser()(record), "outcome", None) is not None
    }.values()
)
texts = st.one_of(
    st.sampled_from(
        (
            *(
                "web01",
                "db02",
                "Web01",
                " web01",
                "web01 ",
                "6.2",
                "0x30002",
                "196610",
                "C:\\vm",
                "",
                " ",
                "é1",
            ),
            *("\\Device\\x", "storage", "heartbeat", "0x80070005", "E_FAIL", "x" * 40, "Synthetic SCSI"),
        )
    ),
    st.sampled_from([*GUIDS, GUIDS[0].lower(), f"{{{GUIDS[1]}}}", GUIDS[0][:-1], f" {GUIDS[1]}"]),
    st.text(max_size=8),
)


@st.composite
def series(draw: st.DrawFn) -> list[EventRecord]:
    """Events of one kind, each with some of its texts changed: mostly one or two, and often the same ones."""
    record = draw(st.sampled_from(VERSION_EVENTS))
    names = [name for name, _ in record.data]
    if draw(st.integers(0, 4)) == 0:
        names[draw(st.integers(0, len(names) - 1))] = draw(
            st.sampled_from([None, "VmName", "VmId", "Parameter1", "Status", "Device", "Partition"])
        )
    places = draw(st.lists(st.integers(0, len(names) - 1), min_size=1, max_size=3, unique=True))
    found = []
    for _ in range(draw(st.integers(2, 5))):
        values = [text for _, text in record.data]
        for place in places:
            if draw(st.integers(0, 3)):
                values[place] = draw(texts)
        changes: dict[str, Any] = {"data": tuple(zip(names, values, strict=True))}
        if draw(st.integers(0, 9)) == 0:
            changes["user_id"] = draw(st.sampled_from([ACCOUNT, "S-1-5-18", None]))
        if draw(st.integers(0, 9)) == 0:
            changes["rendering"] = (("Message", "'web02' failed."),)
        found.append(record._replace(**changes))
    return found


@given(series())
def test_an_event_reads_as_if_it_were_alone(records: list[EventRecord]) -> None:
    normalise = Normaliser()
    for record in records:
        assert normalise(record) == normalise.briefly(record) == Normaliser()(record)


@pytest.mark.parametrize("record", VERSION_EVENTS, ids=lambda one: f"{one.provider} {one.event_id}")
def test_of_many_vms_one_event_is_read(record: EventRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    normalise = Normaliser()
    event = normalise(record)
    if not event.vm_name:
        pytest.skip("it does not name its VM")
    new = {event.vm_name: "mail07", event.vm_id: GUIDS[0]}
    changed = tuple([(name, new.get(normalise_guid(text) or text, text)) for name, text in record.data])
    user = ACCOUNT if vm_id_from_sid(record.user_id) else record.user_id
    monkeypatch.setattr(Normaliser, "_version_event", None)
    other = normalise(record._replace(data=changed, user_id=user))
    assert (other.vm_name, other.vm_id) == ("mail07", GUIDS[0])
